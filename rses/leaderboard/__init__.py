"""Leaderboards: submissions checked with distrust, tables, and a static site."""

from rses.leaderboard.board import Board, BoardRow, build_board, load_boards
from rses.leaderboard.build import build, check_fresh
from rses.leaderboard.pack import add_run, pack_run
from rses.leaderboard.submission import Submission, read_submission
from rses.leaderboard.verify import Verdict, verify

__all__ = [
    "Board",
    "BoardRow",
    "Submission",
    "Verdict",
    "add_run",
    "build",
    "build_board",
    "check_fresh",
    "load_boards",
    "pack_run",
    "read_submission",
    "verify",
]

"""Tables and site from the results, written together or compared with what is there."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rses.errors import InputError
from rses.files import remove_leftovers, write_atomic
from rses.leaderboard import tables
from rses.leaderboard.board import load_boards
from rses.leaderboard.index import index_markdown
from rses.leaderboard.pack import restore_replaced
from rses.leaderboard.published import read_published
from rses.leaderboard.site import site_files
from rses.leaderboard.top import replace_block
from rses.lock import holding

__all__ = ["build", "check_fresh", "render_all"]

# Everything below these is ours to write and to remove.
OURS = ("tables", "site")
INDEX = "README.md"
WRITTEN = "# Leaderboards\n\nWritten by `rses leaderboard build`"
"""How an index of ours begins."""


def render_all(
    folder: str | Path, progress: Callable[[int, int], None] | None = None, readme: str | Path | None = None
) -> dict[str, bytes]:
    """Render every table and page.

    Args:
        folder: The leaderboards folder, with ``results/`` and ``published.csv``.
        progress: Called with (done, total) over submissions.
        readme: A README whose block between two marks shows the top of the boards.

    Returns:
        Content by path relative to ``folder``; of ``readme`` by its absolute path.

    Raises:
        InputError: A submission is unsound, or boards would mix what does not compare.
    """
    root = Path(folder)
    boards, published = load_boards(root, progress), read_published(root / "published.csv")
    files: dict[str, bytes] = {INDEX: index_markdown(boards, published).encode()}
    for board in boards:
        stem = f"tables/{board.key}"
        files[f"{stem}.md"] = tables.board_markdown(board).encode()
        files[f"{stem}.tex"] = tables.board_latex(board).encode()
        files[f"{stem}-intervals.tex"] = tables.board_latex(board, intervals=True).encode()
        files[f"{stem}.csv"] = tables.board_csv(board).encode()
        files[f"{stem}.json"] = tables.board_json(board).encode()
        files[f"{stem}.parquet"] = tables.board_parquet(board)
    files["tables/published.md"] = tables.published_markdown(published).encode()
    files["tables/published.tex"] = tables.published_latex(published).encode()
    files.update({f"site/{name}": content for name, content in site_files(boards, published).items()})
    if readme is not None:
        files[str(Path(readme).absolute())] = replace_block(Path(readme), boards, published, root)
    return files


def build(
    folder: str | Path, progress: Callable[[int, int], None] | None = None, readme: str | Path | None = None
) -> list[Path]:
    """Write all tables and the site, and remove those of boards that are gone.

    Args:
        folder: The leaderboards folder.
        progress: Called with (done, total) over submissions.
        readme: A README to renew too.

    Returns:
        What was written.

    Raises:
        InputError: As in :func:`render_all`, or the folder holds what no build wrote; nothing is written then.
    """
    root = Path(folder)
    _require_ours(root)
    with holding(root):
        return _write(root, progress, readme)


def _write(root: Path, progress: Callable[[int, int], None] | None, readme: str | Path | None) -> list[Path]:
    """Render everything, then write what has changed."""
    for board in (root / "results").iterdir():
        restore_replaced(board)
    remove_leftovers(root, *([] if readme is None else [Path(readme)]))
    files = render_all(root, progress, readme)
    for name, content in files.items():
        if not (root / name).is_file() or (root / name).read_bytes() != content:
            write_atomic(root / name, content)
    for stale in sorted(_present(root) - files.keys()):
        (root / stale).unlink()
    return [root / name for name in files]


def check_fresh(folder: str | Path, readme: str | Path | None = None) -> None:
    """Check that committed tables and pages are those that the results give.

    Args:
        folder: The leaderboards folder.
        readme: A README whose block is checked too.

    Raises:
        InputError: Lists every stale, absent or leftover file.
    """
    root = Path(folder)
    files = render_all(root, readme=readme)
    present = _present(root)
    problems = [f"{name} is missing" for name in sorted(files) if not (root / name).is_file()]
    problems += [f"{name} belongs to no board" for name in sorted(present - files.keys())]
    problems += [
        f"{name} is stale"
        for name, content in sorted(files.items())
        if (root / name).is_file() and not _same(name, (root / name).read_bytes(), content)
    ]
    if problems:
        raise InputError(problems, f"{root} is not up to date; run `rses leaderboard build`:")


def _same(name: str, here: bytes, there: bytes) -> bool:
    if not name.endswith(".parquet"):
        return here == there
    # Another version of pyarrow writes other bytes for the same table.
    import pyarrow.parquet as pq

    return bool(pq.read_table(io.BytesIO(here)).equals(pq.read_table(io.BytesIO(there))))


def _require_ours(root: Path) -> None:
    """Leftovers below ``tables`` and ``site`` are removed and README.md is replaced, so the folder must be a build's.

    Raises:
        InputError: It has no results, or holds links, a run in place of a board, or files that no build wrote.
    """
    advice = "Give the leaderboards folder with --boards DIR."
    if not (root / "results").is_dir():
        raise InputError(f"{root} holds no folder results/. {advice}")
    problems = [f"{path} is a symbolic link" for name in OURS if (path := root / name).is_symlink()]
    problems += [
        f"{path.parent} is a run, not a board; add it with `rses leaderboard add`"
        for path in sorted((root / "results").glob("*/summary.json"))
    ]
    index = root / INDEX
    if index.is_symlink() or (index.exists() and not index.read_bytes().startswith(WRITTEN.encode())):
        problems.append(f"{index} was not written by a build, which would replace it")
    if not index.exists() and _present(root):
        problems.append(f"{root} holds files that no build wrote, e.g. {min(_present(root))}")
    if problems:
        raise InputError([*problems, advice], f"{root} is not a leaderboards folder:")


def _present(root: Path) -> set[str]:
    paths = (path for name in OURS for path in (root / name).rglob("*"))
    return {path.relative_to(root).as_posix() for path in paths if path.is_file()}

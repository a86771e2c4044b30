"""Tables and site from the results, written together or compared with what is there."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path

from rses.errors import InputError, Place, Problem
from rses.files.atomic import is_leftover, remove_leftovers, write_atomic
from rses.files.lock import holding
from rses.files.paths import path_problem
from rses.leaderboard import tables
from rses.leaderboard.board import load_boards
from rses.leaderboard.index import index_markdown
from rses.leaderboard.pack import restore_replaced
from rses.leaderboard.published import read_published
from rses.leaderboard.site import site_files
from rses.leaderboard.top import replace_block
from rses.runs.sample_table import read_rows

__all__ = ["build", "check_fresh", "render_all"]

# Where files are written.
OURS = ("tables", "site")
INDEX = "README.md"
RECORD = "tables/files.txt"
"""Which files builds wrote, one per line: these alone are replaced and removed."""
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
    files[RECORD] = _record(files)
    if readme is not None:
        files[str(Path(readme).absolute())] = replace_block(Path(readme), boards, published, root)
    return files


def build(
    folder: str | Path, progress: Callable[[int, int], None] | None = None, readme: str | Path | None = None
) -> list[Path]:
    """Write what :func:`render_all` renders, remove the files of boards that are gone, and return what was written.

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
    files = render_all(root, progress, readme)
    before = _recorded(root)
    _require_free(root, files, before)
    remove_leftovers(*(root / name for name in {*files, *(before or ())}))
    # First of all, so that a build that is stopped leaves no file that no record knows.
    write_atomic(root / RECORD, _record({*files, *(before or ())}))
    for name, content in files.items():
        if name != RECORD and (not (root / name).is_file() or (root / name).read_bytes() != content):
            write_atomic(root / name, content)
    for stale in sorted((before or set()) - files.keys()):
        (root / stale).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            (root / stale).parent.rmdir()
    write_atomic(root / RECORD, files[RECORD])
    return [root / name for name in files]


def check_fresh(folder: str | Path, readme: str | Path | None = None) -> None:
    """Check that committed tables and pages, and the block of a README, are those that the results give.

    Raises:
        InputError: Lists every stale, absent or leftover file.
    """
    root = Path(folder)
    files = render_all(root, readme=readme)
    leftover = {name for name in _recorded(root) or () if (root / name).is_file()} - files.keys()
    there = {name for name in files if (root / name).is_file()}
    stale = {name for name in there if not _same(root / name, files[name])}
    problems = [
        Problem(f"{name} {text}", code, Place(name))
        for text, code, names in (
            ("is missing", "missing-file", files.keys() - there),
            ("belongs to no board", "unknown-file", leftover),
            ("is stale", "stale", stale),
        )
        for name in sorted(names)
    ]
    if problems:
        raise InputError(problems, f"{root} is not up to date; run `rses leaderboard build`:")


def _same(path: Path, content: bytes) -> bool:
    if path.suffix != ".parquet":
        return path.read_bytes() == content
    # Another version of pyarrow writes other bytes for the same table. What is there may be anybody's.
    import pyarrow.parquet as pq

    try:
        return bool(list(read_rows(path)) == pq.read_table(io.BytesIO(content)).to_pylist())
    except InputError:
        return False


def _require_ours(root: Path) -> None:
    """Refuse a folder without results, with a run in place of a board, or whose README.md no build wrote."""
    advice = "Give the leaderboards folder with --boards DIR."
    if not (root / "results").is_dir():
        raise InputError(f"{root} holds no folder results/. {advice}", code="missing-file", place=Place(str(root)))
    problems = [
        Problem(f"{path} is a symbolic link", "link", Place(str(path)))
        for name in OURS
        if (path := root / name).is_symlink()
    ]
    problems += [
        Problem(f"{path.parent} is a run, not a board; add it with `rses leaderboard add`", "wrong-content")
        for path in sorted((root / "results").glob("*/summary.json"))
    ]
    index = root / INDEX
    if index.is_symlink() or (index.exists() and not index.read_bytes().startswith(WRITTEN.encode())):
        text = f"{index} was not written by a build, which would replace it"
        problems.append(Problem(text, "unknown-file", Place(str(index))))
    strange = set() if problems or index.exists() else _present(root) - (_recorded(root) or set())
    if strange:
        text = f"{root} holds files that no build wrote, e.g. {min(strange)}"
        problems.append(Problem(text, "unknown-file", Place(str(root))))
    if problems:
        raise InputError([*problems, advice], f"{root} is not a leaderboards folder:", code="more")


def _require_free(root: Path, files: Iterable[str], before: set[str] | None) -> None:
    """Refuse to write through links, and over files that are not among those that builds wrote before, if recorded."""
    below = [name for name in files if name.startswith(tuple(f"{place}/" for place in OURS))]
    places = {"/".join(name.split("/")[:depth]) for name in below for depth in range(1, name.count("/") + 2)}
    problems = [
        Problem(f"{root / place} is a symbolic link. Move it elsewhere.", "link", Place(str(root / place)))
        for place in sorted(places)
        if (root / place).is_symlink()
    ]
    if before is not None:
        strange = [name for name in below if name != RECORD and name not in before and (root / name).exists()]
        text = "was not written by a build, which would replace it. Move it elsewhere."
        problems += [Problem(f"{root / name} {text}", "unknown-file", Place(str(root / name))) for name in strange]
    if problems:
        raise InputError(problems, f"{root} holds what is not a build's:")


def _record(names: Iterable[str]) -> bytes:
    below = tuple(f"{place}/" for place in OURS)
    return "".join(f"{name}\n" for name in sorted({*names, RECORD}) if name.startswith(below)).encode()


def _recorded(root: Path) -> set[str] | None:
    """Return the files that builds wrote, or ``None`` where there is no record; a forged one reaches no other place."""
    path = root / RECORD
    if not path.is_file() or path.is_symlink():
        return None
    names = path.read_text("utf-8", "replace").split("\n")
    below = tuple(f"{place}/" for place in OURS)
    return {name for name in names if name.startswith(below) and path_problem(root, name) is None}


def _present(root: Path) -> set[str]:
    paths = (path for name in OURS for path in (root / name).rglob("*"))
    return {path.relative_to(root).as_posix() for path in paths if path.is_file() and not is_leftover(path)}

"""Where results may go: never among the files that they are made from; and names that can be written down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rses.errors import InputError, Place


def require_apart(out: str | Path | None, inputs: Mapping[str, str | Path | None], *, inside: bool = False) -> None:
    """Refuse an output folder that is an input folder, lies in one, or holds one.

    Args:
        out: Where results are to go.
        inputs: Folders by what they hold, for the message; ``None`` for those that were not given.
        inside: Whether it may lie in one, as a new folder among those of a data set.

    Example:
        >>> require_apart("run", {"predictions": "edits"})
        >>> require_apart("edits/run", {"predictions": "edits"})
        Traceback (most recent call last):
        rses.errors.InputError: edits/run lies in the folder of predictions (edits). Choose another --out, ...
    """
    if out is None:
        return
    target = Path(out).expanduser().resolve()
    for what, folder in inputs.items():
        if folder is None:
            continue
        place = Path(folder).expanduser().resolve()
        relation = (
            "is" if target == place
            else "lies in" if place in target.parents and not inside
            else "holds" if target in place.parents
            else None
        )  # fmt: skip
        if relation is not None:
            raise InputError(
                f"{out} {relation} the folder of {what} ({folder}). Choose another --out, apart from what is read.",
                code="overlap",
                place=Place(str(out)),
            )


def require_distinct(files: Mapping[str, Path | None]) -> None:
    """Refuse one file for two purposes, as an answer that would be written over its source.

    Args:
        files: By what they are, for the message; ``None`` for those that were not given.

    Example:
        >>> require_distinct({"--image": Path("a.png"), "--out": Path("b.png"), "--mask": None})
        >>> require_distinct({"--image": Path("a.png"), "--out": Path("a.png")})
        Traceback (most recent call last):
        rses.errors.InputError: a.png is given as --image and as --out. Give each a file of its own.
    """
    seen: dict[Path, str] = {}
    for what, path in files.items():
        if path is None:
            continue
        other = seen.setdefault(path.expanduser().resolve(), what)
        if other != what:
            raise InputError(
                f"{path} is given as {other} and as {what}. Give each a file of its own.",
                code="overlap",
                place=Place(str(path)),
            )


def require_suffix(path: Path, suffixes: tuple[str, ...], what: str) -> None:
    """Refuse a file whose name promises another kind of file than is written.

    Example:
        >>> require_suffix(Path("a.JPG"), (".png",), "A picture")
        Traceback (most recent call last):
        rses.errors.InputError: A picture is written as .png; "a.JPG" ends in .JPG. Give the file such a name.
    """
    if path.suffix.lower() not in suffixes:
        ending = f"ends in {path.suffix}" if path.suffix else "has no such ending"
        raise InputError(
            f'{what} is written as {" or ".join(suffixes)}; "{path.name}" {ending}. Give the file such a name.',
            code="wrong-ending",
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected the name of a file.", code="not-a-file", place=Place(str(path)))


def unwritable_name(name: str) -> bool:
    r"""Whether a name is not UTF-8 on the disk, so that it can be written into no file of results.

    Example:
        >>> unwritable_name("caf\udce9.png"), unwritable_name("a.png")
        (True, False)
    """
    return any(0xD800 <= ord(char) <= 0xDFFF for char in name)


def shown_name(name: str) -> str:
    r"""Return a name with bytes that are not UTF-8 as escapes.

    Example:
        >>> shown_name("caf\udce9.png"), shown_name("half\ud800")
        ('caf\\xe9.png', 'half\\ud800')
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        # Half a character that stands for no byte of a file name, as JSON can hold it.
        return name.encode("utf-8", "backslashreplace").decode("utf-8")


def require_utf8(*places: str | Path | None) -> None:
    """Refuse paths that are not UTF-8, which can be written into no file of results."""
    bad = [shown_name(str(place)) for place in places if place is not None and unwritable_name(str(place))]
    if bad:
        raise InputError([f"{name} is not a UTF-8 name. Rename it." for name in bad], code="not-utf8")

"""Pages of which one part is made by a program: it stands between two lines that Markdown does not show."""

from __future__ import annotations

from pathlib import Path

from rses.errors import InputError, Place

__all__ = ["marks", "replace_marked"]


def marks(name: str) -> tuple[str, str]:
    """Return the two lines.

    Example:
        >>> marks("table")
        ('<!-- table: begin -->', '<!-- table: end -->')
    """
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def replace_marked(page: Path, name: str, content: str) -> str:
    """Return the text of a page with other content between its marks; the page itself stays as it is.

    Args:
        page: Holds both marks once, in order.
        name: Of the marks.
        content: Comes between them, on lines of its own.

    Raises:
        InputError: The page cannot be read, or lacks the marks.
    """
    try:
        text = page.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"Cannot read the page {page}: {error.strerror or error}.", code="unreadable") from error
    begin, end = marks(name)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise InputError(
            f"{page} must hold the lines {begin} and {end} once each, in this order.",
            code="missing-key",
            place=Place(str(page)),
        )
    before, after = text[: text.index(begin) + len(begin)], text[text.index(end) :]
    return f"{before}\n{content.rstrip()}\n{after}"

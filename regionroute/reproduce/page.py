"""Put the study's tables into a Markdown page, between two markers."""

from __future__ import annotations

from pathlib import Path

from rses.errors import InputError
from rses.files import write_atomic

__all__ = ["check_page", "renew_page"]

BEGIN, END = "<!-- study: begin -->", "<!-- study: end -->"


def check_page(path: Path) -> None:
    """Make sure, before hours of work, that a page can be renewed.

    Raises:
        InputError: The page cannot be read, or lacks the markers.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"Cannot read the page {path}: {error.strerror or error}.") from error
    if text.find(BEGIN) < 0 or text.find(END) < text.find(BEGIN):
        raise InputError(f"{path} needs the two lines {BEGIN} and {END}; the tables go between them.")


def renew_page(path: Path, tables: str) -> None:
    """Replace what stands between the markers."""
    check_page(path)
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write_atomic(path, f"{before}{BEGIN}\n{tables}\n{END}{after}".encode())

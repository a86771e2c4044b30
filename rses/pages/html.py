"""Every page is rendered here: Jinja2 templates with one layout and one stylesheet, no network, no file beside it.

Values are escaped by the templates, and made one printable line before (:func:`rses.files.escape.clean`); a name that
is not defined is an error. The policy of a page makes browsers run no script but ours, whatever a value contains.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rses import __version__
from rses.errors import InputError, Place
from rses.files.atomic import write_atomic
from rses.files.escape import clean
from rses.pages.numbers import heading, number

__all__ = ["refuse_other_file", "render_page", "write_page"]

GENERATOR = "rses report"
"""How a page that may be overwritten names itself."""


def render_page(template: str, **values: Any) -> str:
    """Render one template of the package.

    Args:
        template: Its file name, such as ``report.html``.
        **values: What it shows.

    Example:
        >>> "<h1>&lt;b&gt;</h1>" in render_page("sheet.html", title="<b>", cells=[], statistics={})
        True
    """
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rses.pages"), autoescape=True, undefined=StrictUndefined, finalize=_printable,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(digest=_digest, heading=heading, number=number)
    environment.tests["web_address"] = _is_web_address
    environment.globals.update(asset=_asset, version=__version__)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment


def _printable(value: Any) -> Any:
    """Clean the text of a value; markup is ours."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digest(text: str) -> str:
    """Return how a content policy names an inline script or style that it lets through."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _is_web_address(text: str) -> bool:
    """Only the two schemes that open a page; ``javascript:`` and all others stay text."""
    return text.startswith(("https://", "http://")) and " " not in text


@functools.cache
def _asset(names: str) -> Markup:
    """Return the text of one file of the package, or of several, whose names are apart by spaces."""
    folder = resources.files("rses.pages").joinpath("templates")
    return Markup("".join(folder.joinpath(name).read_text("utf-8") for name in names.split()))


def refuse_other_file(target: Path) -> None:
    """Raise :class:`InputError` unless ``target`` is absent or a former page of ours."""
    if target.is_dir():
        raise InputError(
            f"{target} is a folder; give the name of the HTML file to write.",
            code="not-a-file",
            place=Place(str(target)),
        )
    if target.exists():
        with target.open("rb") as stream:
            head = stream.read(4096)
        if f'content="{GENERATOR}"'.encode() not in head:
            raise InputError(
                f"{target} exists and is not a report of rses. Choose another place, or remove it.",
                code="already-there",
                place=Place(str(target)),
            )


def write_page(target: Path, page: str) -> Path:
    """Write a page atomically and return its path.

    Raises:
        InputError: The place cannot be written.
    """
    try:
        write_atomic(target, page.encode("utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"Cannot write the page to {target}: {reason}. Choose another place.", code="unwritable"
        ) from error
    return target

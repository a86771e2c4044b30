"""Look at the built site locally."""

from __future__ import annotations

import functools
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rses.errors import InputError, Place

__all__ = ["make_server"]


def make_server(folder: str | Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of the site on this machine alone; call ``serve_forever`` on it.

    Raises:
        InputError: The site is not built, or the port is taken.
    """
    site = Path(folder) / "site"
    if not (site / "index.html").is_file():
        raise InputError(
            f"{site} holds no site; build it with `rses leaderboard build`.",
            code="missing-file",
            place=Place(str(site)),
        )
    handler = functools.partial(_Quiet, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise InputError(
            f"Port {port} cannot be used: {error.strerror}. Give another --port.", code="in-use"
        ) from error


class _Quiet(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        """Pages are at the top; tables and submissions, to which they link, lie beside the site."""
        return super().translate_path(path if path.startswith(("/tables/", "/results/")) else f"/site{path}")

    def log_message(self, format: str, *args: object) -> None:
        del format, args

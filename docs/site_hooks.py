"""What ``mkdocs build`` adds to docs/: files elsewhere in the repository that pages link to, and the boards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)(?=[)#])")
PLACE = "repository"
"""Where files outside docs/ lie in the site."""


def on_files(files: Files, config: Any) -> Files:
    """Add the built boards, and every file outside docs/ that a page links to, and those that these link to."""
    added: set[str] = set()
    waiting = [ROOT / "docs" / file.src_uri for file in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        for target in LINK.findall(page.read_text(encoding="utf-8")) if page.suffix == ".md" else ():
            path = _target(page, target)
            if path is not None and _site_uri(path) not in added and not path.is_relative_to(ROOT / "docs"):
                added.add(_site_uri(path))
                files.append(File.generated(config, _site_uri(path), abs_src_path=str(path)))
                waiting.append(path)
    for path in sorted((ROOT / "leaderboards" / "site").rglob("*")):
        if path.is_file() and _site_uri(path) not in added:
            files.append(File.generated(config, _site_uri(path), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links between files of the repository into links between files of the site."""
    source = Path(page.file.abs_src_path)
    start = Path(page.file.src_uri).parent

    def moved(match: re.Match[str]) -> str:
        path = _target(source, match.group(1))
        if path is None:
            return match.group(1)
        up = "../" * len(start.parts)
        return up + _site_uri(path)

    return LINK.sub(moved, markdown)


def _target(page: Path, link: str) -> Path | None:
    """Return the file of the repository that a link leads to; a folder's is its README.md."""
    path = (page.parent / link).resolve()
    path = path / "README.md" if path.is_dir() else path
    return path if path.is_file() and path.is_relative_to(ROOT) else None


def _site_uri(path: Path) -> str:
    if path.is_relative_to(ROOT / "docs"):
        return path.relative_to(ROOT / "docs").as_posix()
    return f"{PLACE}/{path.relative_to(ROOT).as_posix()}"

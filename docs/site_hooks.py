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
ALWAYS = ("CHANGELOG.md", "CONTRIBUTING.md")
"""Files that the navigation names."""
BOARDS = ("site/**/*", *(f"tables/*.{kind}" for kind in ("csv", "tex", "json", "parquet")), "results/*/*/s*.json")
"""Below leaderboards/: the boards, and the tables and submissions that they link to."""


def on_files(files: Files, config: Any) -> Files:
    """Add the built boards, and every file outside docs/ that a page links to, and those that these link to."""
    seen = {ROOT / "docs" / file.src_uri for file in files}
    waiting = [page for page in seen if page.suffix == ".md"]
    found = [ROOT / name for name in ALWAYS]
    found += [path for kind in BOARDS for path in (ROOT / "leaderboards").glob(kind) if path.is_file()]
    while found or waiting:
        for path in found:
            if path not in seen:
                files.append(File.generated(config, _site_uri(path), abs_src_path=str(path)))
                seen.add(path)
                waiting += [path] if path.suffix == ".md" else []
        links = [(page, link) for page in waiting for link in LINK.findall(page.read_text(encoding="utf-8"))]
        targets = (_target(page, link) for page, link in links)
        waiting = []
        found = [path for path in targets if path is not None]
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
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

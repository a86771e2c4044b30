"""The documentation site: built without warnings, whole, and loading nothing from elsewhere."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(https?:)?//|<link\b[^>]*href=["']?https?://[^>]*stylesheet"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    # Strict: a link to nothing, an anchor that is not there or a name without a docstring raises Abort.
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_every_page_is_reached_from_the_navigation(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    start = (site / "index.html").read_text(encoding="utf-8")
    assert {page for page in pages if f'href="{page}"' not in start} <= {"index.html"}


def test_nothing_is_loaded_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    assert [path.name for path in pages if LOADED.search(path.read_text(encoding="utf-8"))] == []


def test_links_to_the_repository_lead_into_the_site(site):
    text = (site / "leaderboards.html").read_text(encoding="utf-8")
    targets = re.findall(r'href="(repository/[^"#]+)', text)
    assert len(targets) >= 3
    assert [target for target in targets if not (site / target).is_file()] == []


def test_the_reference_shows_signatures_and_docstrings(site):
    text = (site / "reference" / "functional.html").read_text(encoding="utf-8")
    for name in ("masked_lpips", "masked_ssim", "rsm"):
        assert f'id="rses.functional.{name}"' in text

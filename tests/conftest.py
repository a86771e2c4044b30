"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real photographs, masks and edits, which is not part of the repository."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "real"
    folder = Path(os.environ.get("RSES_REAL_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set RSES_REAL_DATA to its folder")
    return folder

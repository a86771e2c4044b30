"""What tests of the bench share."""

from __future__ import annotations

import pytest

from rses import RSES


@pytest.fixture(scope="session")
def scorer() -> RSES:
    """Measures one cheap column, and holds no state that a run could see."""
    return RSES("rses-mini", device="cpu", metrics=["mse_bg"])

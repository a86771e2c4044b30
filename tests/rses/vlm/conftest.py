"""A tiny random Qwen2.5-VL of the true classes, saved once and loaded through ``from_pretrained``."""

from __future__ import annotations

import pytest


def save(parts, folder):
    for part in parts:
        part.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_judge(make_vlm, tmp_path_factory):
    return save(make_vlm(), tmp_path_factory.mktemp("vlm") / "tiny")


@pytest.fixture(scope="session")
def dumb_judge(make_vlm, tmp_path_factory):
    """One whose vocabulary has no single token for yes or no."""
    return save(make_vlm(()), tmp_path_factory.mktemp("vlm") / "dumb")

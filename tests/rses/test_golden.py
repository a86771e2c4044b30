"""Frozen numbers: one tiny sample under every protocol. A change here is a change of protocol."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from rses.protocol import PROTOCOLS, get_protocol

FOLDER = Path(__file__).parent / "golden"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def golden():
    spec = importlib.util.spec_from_file_location("regenerate", FOLDER / "regenerate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_protocol_is_frozen():
    assert set(EXPECTED) == set(PROTOCOLS)


@pytest.mark.parametrize("protocol", sorted(EXPECTED))
def test_knobs_are_frozen(protocol):
    assert get_protocol(protocol).hash == EXPECTED[protocol]["hash"], "knobs changed: give the protocol a new id"


@pytest.mark.parametrize("protocol", sorted(EXPECTED))
def test_numbers_are_frozen(protocol):
    numbers = golden().numbers(protocol)
    frozen = EXPECTED[protocol]["numbers"]
    assert set(numbers) == set(frozen)
    for name, value in frozen.items():
        if isinstance(value, float):
            assert numbers[name] == pytest.approx(value, rel=1e-5, abs=1e-6), name
        else:
            assert numbers[name] == value, name

"""Golden files: nothing that a user can see changes by a bit without a deliberate ``golden/regenerate.py``."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rses.golden import EXPECTED, names, pictures, runs, values


def expected(name: str) -> Any:
    return json.loads((EXPECTED / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("golden")
    yield folder
    for path in (folder / "weights").rglob("*.safetensors"):
        path.unlink()  # 400 MB, which pytest would keep for three runs


@pytest.fixture(scope="module")
def exact() -> bool:
    """Whether float32 is rounded here as it was where the golden files were made."""
    here, there = values.environment(), expected("environment.json")
    if here != there:
        warnings.warn(f"golden floats compared within bounds: made with {there}, this is {here}", stacklevel=1)
    return here == there


@pytest.fixture
def check(exact: bool) -> Callable[[str, Any], None]:
    def compare(name: str, found: Any) -> None:
        lines = values.differences(expected(name), found, exact)
        assert not lines, f"{name}, {len(lines)} differences:\n" + "\n".join(lines[:20])

    return compare


def test_pictures_that_are_scored(check, tmp_path):
    check("pixels.json", pictures.write_cases(tmp_path / "cases"))


@pytest.mark.parametrize("protocol", runs.PROTOCOLS)
def test_every_column_of_every_edit(check, work, protocol):
    run = runs.score(protocol, work)
    check(f"{protocol}.json", runs.table(run / "samples.parquet"))
    if protocol == "rses-mini":
        check("summary.json", runs.summary(run))


@pytest.mark.parametrize("suite", pictures.SAMPLES)
def test_bench(check, work, suite):
    run = runs.bench(suite, work)
    check(f"bench-{suite}.json", runs.table(run / "samples.parquet"))
    check(f"bench-{suite}-summary.json", runs.summary(run))


def test_rendered_board(work):
    found = runs.board(work)
    assert set(found) == {path.name for path in (EXPECTED / "board").iterdir()}
    for name, text in found.items():
        assert text == (EXPECTED / "board" / name).read_text("utf-8"), name


def test_protocols(check):
    assert set(runs.PROTOCOLS) == set(names.protocols())
    check("protocols.json", names.protocols())


def test_suites(check):
    assert set(names.suites()) == set(pictures.SAMPLES)
    check("suites.json", names.suites())


def test_public_names(check):
    check("names.json", names.public_names())


def test_commands(check):
    check("commands.json", names.commands())


def test_one_bit_is_seen_and_bounds_are_for_floats_alone():
    one, other = {"a": [(0.1).hex()], "b": "x"}, {"a": [(0.1 + 2**-56).hex()], "b": "x"}
    assert values.differences(one, one, exact=True) == []
    assert len(values.differences(one, other, exact=True)) == 1
    assert values.differences(one, other, exact=False) == []
    for name, step in (("rsm", 1e-4), ("mse_bg", 1e-6)):
        assert values.differences({name: (0.1).hex()}, {name: (0.1 + step / 20).hex()}, exact=False) == []
        assert len(values.differences({name: (0.1).hex()}, {name: (0.1 + step).hex()}, exact=False)) == 1
    assert len(values.differences({"a": True, "b": 1, "c": 2}, {"a": 1, "b": 2, "d": 2}, exact=False)) == 4

"""Arrows point one way: regionroute, baselines -> rses; inside rses: cli -> bench -> scorer -> metrics -> backbones."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Each layer may import those below it, never those above.
LAYERS = ("rses.cli", "rses.bench", "rses.scoring.scorer", "rses.metrics", "rses.backbones")


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def modules(package: str) -> list[Path]:
    base = ROOT / Path(*package.split("."))
    return [base.with_suffix(".py")] if base.with_suffix(".py").exists() else sorted(base.rglob("*.py"))


def test_rses_stands_alone():
    for path in modules("rses"):
        outside = {
            name for name in imports(path) if name.split(".")[0] in ("baselines", "regionroute", "benchmark_data")
        }
        assert not outside, f"{path} imports {outside}"


@pytest.mark.parametrize("layer", LAYERS)
def test_no_layer_imports_one_above(layer):
    above = LAYERS[: LAYERS.index(layer)]
    for path in modules(layer):
        upward = {name for name in imports(path) if name.startswith(above)}
        assert not upward, f"{path} imports {upward}"


def test_baselines_know_nothing_of_regionroute():
    for path in modules("baselines"):
        assert not {name for name in imports(path) if name.startswith("regionroute")}

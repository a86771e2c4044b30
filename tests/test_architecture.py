"""Arrows point one way: each layer imports those before it only, and no two modules import each other."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    "errors", "plugins", "arguments", "files", "schema", "texts", "device", "state", "images", "table", "protocol",
    "backbones", "functional", "metrics", "statistics", "runs", "pages", "methods", "inputs", "suites", "scoring",
    "bench", "vlm", "report", "validate", "leaderboard", "cli",
)  # fmt: skip
"""Modules and folders of rses, lowest first."""


def modules(package: str) -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def imports(path: Path) -> set[str]:
    """Names of the modules that a file imports, wherever in it; ``from a import b`` gives a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def layer(module: str) -> str:
    return module.split(".")[1]


def test_every_module_has_a_layer():
    assert {layer(module) for module in modules("rses") if module != "rses"} == set(LAYERS)


@pytest.mark.parametrize("package", ["rses", "baselines", "regionroute"])
def test_packages_know_those_below_alone(package):
    # Data is found as files of the package; what made it, the recipes, is not in the wheel.
    above = {"rses": ("baselines", "regionroute"), "baselines": ("regionroute",), "regionroute": ()}
    for module, path in modules(package).items():
        outside = {name for name in imports(path) if name.split(".")[0] in (*above[package], "benchmark_data")}
        assert not outside, f"{module} imports {outside}"


def test_no_layer_imports_one_above():
    for module, path in modules("rses").items():
        if module == "rses":
            continue
        above = LAYERS[LAYERS.index(layer(module)) + 1 :]
        upward = {name for name in imports(path) if name.startswith("rses.") and layer(name) in above}
        assert not upward, f"{module} imports {upward}"


def test_no_two_modules_import_each_other():
    known = {name: path for package in ("rses", "baselines", "regionroute") for name, path in modules(package).items()}
    edges = {name: imported(path, known) - {name, "rses"} for name, path in known.items() if name != "rses"}
    assert [group for group in groups(edges) if len(group) > 1] == []


def test_tests_import_public_names_alone():
    """Names of the packages that begin with an underscore, and folders added to the path."""
    ours = ("rses", "baselines", "regionroute", "benchmark_data")
    for path in sorted((ROOT / "tests").rglob("*.py")):
        names = {name for name in imports(path) if name.split(".")[0] in ours}
        private = {name for name in names if any(part.startswith("_") for part in name.split("."))}
        assert not private, f"{path} imports {private}"
        assert path == Path(__file__) or "sys.path.insert" not in path.read_text("utf-8"), path


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules among ``known``; whoever imports a module of a package does not rely on the rest of the package."""
    names = imports(path) & known.keys()
    return {name for name in names if not any(other.startswith(f"{name}.") for other in names)}


def groups(edges: dict[str, set[str]]) -> list[set[str]]:
    """Split a graph into groups whose members all reach each other."""
    reached: dict[str, set[str]] = {}
    for start in edges:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            for name in edges.get(waiting.pop(), set()) - found:
                found.add(name)
                waiting.append(name)
        reached[start] = found
    together: defaultdict[frozenset[str], set[str]] = defaultdict(set)
    for name in edges:
        mates = frozenset({name} | {other for other in reached[name] if name in reached.get(other, set())})
        together[mates].add(name)
    return [set(mates) for mates in together]

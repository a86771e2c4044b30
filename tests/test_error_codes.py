"""Every error says by a code what is wrong, and every code is explained and used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from rses.errors import CODES
from rses.suites.left_out import REASONS

ROOT = Path(__file__).parents[1]
PACKAGES = ("rses", "regionroute", "baselines")
ERRORS = {"RsesError", "InputError", "ProtocolError", "WeightsError", "TensorError", "NonFiniteError", "DataSetError"}
# Where a code stands among the arguments that are not named.
POSITIONS = {
    "Problem": 1, "RsesError": 1, "ProtocolError": 1, "WeightsError": 1, "fault": 0, "UnusableError": 0, "LeftOut": 0,
    "_claim": 2,
}  # fmt: skip
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
CALLS = [
    (f"{name}:{node.lineno}", node)
    for name, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.Call)
]


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def code_of(call: ast.Call) -> ast.expr | None:
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), None)
    position = POSITIONS.get(name_of(call), len(call.args))
    return named or (call.args[position] if position < len(call.args) else None)


def literals() -> Iterator[tuple[str, str]]:
    for place, call in CALLS:
        if name_of(call) in ERRORS | POSITIONS.keys() or any(keyword.arg == "code" for keyword in call.keywords):
            found = code_of(call)
            if isinstance(found, ast.Constant) and isinstance(found.value, str):
                yield place, found.value


def test_every_code_is_explained() -> None:
    unknown = [f'{place}: "{code}"' for place, code in literals() if code not in CODES and code not in REASONS]
    assert not unknown
    assert not CODES.keys() & REASONS.keys() - {"unusable"}


def test_every_explained_code_is_used() -> None:
    # Rules that say which code goes with what are tuples.
    tuples = {
        entry.value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple)
        for entry in node.elts
        if isinstance(entry, ast.Constant)
    }
    assert sorted(CODES.keys() - {code for _, code in literals()} - tuples - {"invalid"}) == []


def is_sentence(node: ast.expr) -> bool:
    """A text that is put together where the error is raised, or a list of such texts."""
    if isinstance(node, ast.List):
        return any(is_sentence(entry) for entry in node.elts)
    if isinstance(node, ast.ListComp):
        return is_sentence(node.elt)
    if isinstance(node, ast.BinOp):
        return is_sentence(node.left) or is_sentence(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def needs_code(call: ast.Call) -> bool:
    """Collected problems bring codes of their own; whatever else is given needs one here."""
    if not call.args:
        return True
    problems = ast.unparse(call.args[0])
    collected = any(word in problems for word in ("problem", "Problem(", "faults")) or isinstance(
        call.args[0], ast.List
    )
    return is_sentence(call.args[0]) or not collected


def test_no_error_is_raised_without_a_code() -> None:
    bare = [place for place, call in CALLS if name_of(call) in ERRORS and code_of(call) is None and needs_code(call)]
    assert bare == []


def test_codes_are_in_kebab_case_and_explained_in_a_few_words() -> None:
    for code, meaning in CODES.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert 10 < len(meaning) < 100

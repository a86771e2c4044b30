"""British spelling and plain technical English in pages, docstrings and comments of everything that is tracked."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AMERICAN = (
    r"color(s|ed|ing|ful|less)?", "gray(s|ish|scale)?", "center(s|ed|ing)?", "behaviors?", r"neighbor\w*",
    r"favor\w*", "artifacts?", r"analyz\w+", "catalogs?", "(label|model|cancel|travel)(ed|ing)",
    r"judgment", r"fulfill", r"(organ|recogn|normal|initial|summar|styl|quant|optim|serial|color|visual|minim|maxim|"
    r"general|special|capital|synchron|random|standard|final|util|pixel|poster|emphas)iz(e|es|ed|ing|ation)",
)  # fmt: skip
"""Words of American spelling; names of other people's code stand in code marks, which are not looked at."""
UNITS = "sample|picture|image|row|column|line|style|step|batch|method|word|prompt|box|epoch|region|seed|metric|value"
SMALL = "(and|as|at|by|each|for|from|in|is|of|on|or|than|to|where|with)\\b"
BANNED = {
    r"strangers?('s)?": "untrusted",
    r"mend(s|ed|ing)?": "fix",
    r"do(es)? not count": "is ignored",
    rf"(one|two|three|four|six|\d+)( (?!{SMALL})[\w-]+)? an? ({UNITS})": "one per sample",
    rf"(samples|pairs|pictures|patches|tokens|seconds|minutes|pieces?|bytes|MB|GB) an? ({UNITS})": "seconds per step",
}
PATTERNS = {re.compile(rf"\b{word}\b", re.IGNORECASE): "British spelling" for word in AMERICAN}
PATTERNS |= {re.compile(rf"\b{phrase}\b", re.IGNORECASE): instead for phrase, instead in BANNED.items()}
FILES = [
    name
    for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    if name.endswith((".py", ".md")) and not name.startswith(("leaderboards/results/", "tests/rses/golden/"))
]


def without_code(text: str) -> str:
    """Drop code, links and markup of Markdown."""
    text = re.sub(r"^```.*?^```|<!--.*?-->|^---\n.*?^---\n", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(    |\t)(?![-*]).*$", "", text, flags=re.MULTILINE)
    return re.sub(r"``?[^`]+`?`|\]\([^)]*\)|<[^>]+>|https?://\S+", " ", text)


def python_prose(source: str) -> str:
    """Return docstrings and comments."""
    tree = ast.parse(source)
    documented = [node.value.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and is_text(node.value)]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    prose = " | ".join((*documented, *comments))
    # Neither code and addresses nor names of arguments.
    return re.sub(r"``?[^`]+`?`|https?://\S+|^ *(>>>|\.\.\.) .*$|^ *\w+: ", " ", prose, flags=re.MULTILINE)


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def findings(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8")
    prose = python_prose(text) if name.endswith(".py") else without_code(text)
    joined = re.sub(r"\s+", " ", prose)
    found = [(match[0], instead) for pattern, instead in PATTERNS.items() for match in pattern.finditer(joined)]
    return [f"{name}: {word!r}, write {instead}" for word, instead in found]


def test_words_of_pages_and_docstrings():
    own = Path(__file__).resolve().relative_to(ROOT).as_posix()
    found = [line for name in FILES if name != own and (ROOT / name).is_file() for line in findings(name)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", [
    "The color of it", "centered", "one mask a sample", "30 minutes a step", "a stranger's file", "labeled",
    "we normalize", "two scenes a row", "what the user can mend",
])  # fmt: skip
def test_what_is_found(text):
    assert any(pattern.search(text) for pattern in PATTERNS)


@pytest.mark.parametrize("text", [
    "The colour", "one part of a sample", "labelled", "a size", "resized", "controlled", "recommend", "a prompt",
])  # fmt: skip
def test_what_is_not(text):
    assert not any(pattern.search(text) for pattern in PATTERNS)

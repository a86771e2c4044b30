"""``rses suites``: the embedded benchmark suites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rses.cli.common import catalogue

__all__ = ["app"]


def _lines() -> list[tuple[str, str]]:
    from rses.suites import list_suites, load_suite

    lines = []
    for name in list_suites():
        suite = load_suite(name)
        styles = ", ".join(suite.styles)
        lines.append((name, f"{len(suite.samples)} samples, version {suite.version}, {suite.licence}: {styles}"))
    return lines


def _card(name: str) -> str:
    from rses.suites import load_suite

    suite = load_suite(name)
    facts = {
        "version": suite.version,
        "licence": suite.licence,
        "size": f"{len(suite.samples)} samples of {len({sample.image for sample in suite.samples})} images",
        "styles": _counted(sample.style for sample in suite.samples),
        "objects": _counted(sample.object for sample in suite.samples),
        "tags": _counted(tag for sample in suite.samples for tag in sample.tags) or "-",
        "datasets": _counted(sample.dataset for sample in suite.samples if sample.dataset) or "-",
        "sha256": suite.sha256,
        "folder": suite.root,
    }
    readme = suite.root / "README.md"
    text = readme.read_text("utf-8") if readme.is_file() else ""
    return "\n".join([suite.name, *(f"  {key:<9} {value}" for key, value in facts.items()), "", text]).rstrip()


def _counted(values: Iterable[str]) -> str:
    counts = Counter(values)
    return ", ".join(f"{value} ({count})" for value, count in counts.most_common())


app = catalogue("List the embedded suites; `rses suites show NAME` prints one.", _lines, _card, "suite")

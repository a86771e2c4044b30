"""``rses methods | protocols | suites | metrics``: what there is, one per line, and one of them in full."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import typer

from rses.cli.common import emit, quiet_stdout

if TYPE_CHECKING:
    from rses.methods import MethodCard

__all__ = ["methods", "metrics", "protocols", "suites"]

Lines = list[tuple[str, str]]


def _catalogue(about: str, lines: Callable[[], Lines], card: Callable[[str], str], what: str) -> typer.Typer:
    """Build a command that lists things, with ``show NAME`` for one of them.

    Args:
        about: Help of the command.
        lines: Returns (name, one-line description).
        card: Returns the whole text on one of them.
        what: What the names name, for the help.
    """
    app = typer.Typer(help=about, invoke_without_command=True, rich_markup_mode=None)

    @app.callback()
    def overview(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            with quiet_stdout():
                entries = lines()
            width = max((len(name) for name, _ in entries), default=0)
            emit("\n".join(f"{name:<{width}}  {text}".rstrip() for name, text in entries))

    overview.__doc__ = about

    @app.command("show", help=f"Print everything about one {what}.")
    def show(name: str = typer.Argument(..., metavar="NAME", help=f"Name of the {what}.")) -> None:
        with quiet_stdout():
            text = card(name)
        emit(text)

    return app


def _facts(facts: Mapping[str, object], width: int) -> list[str]:
    return [f"  {key:<{width}} {value}" for key, value in facts.items()]


def _method_lines() -> Lines:
    from rses.methods import get_card, list_methods

    lines = []
    for name in list_methods():
        try:
            lines.append((name, _method_line(get_card(name))))
        except Exception as error:  # a broken plug-in must not hide the other methods
            lines.append((name, f"cannot be loaded: {error}"))
    return lines or [("none", "methods register in the entry-point group rses.methods")]


def _method_line(card: MethodCard) -> str:
    """One line: mask, year, title, paper, weights with licence and memory."""
    mask = {True: "mask used", False: "mask-free", None: "mask use not stated"}[card.mask_used]
    paper = f" [{card.paper}]" if card.paper else ""
    gate = ", gated" if card.gated else ""
    memory = f", about {card.memory_gb:.0f} GB" if card.memory_gb >= 1 else ""
    weights = (
        "" if card.weights == "none"
        else f"; embedded {card.weights}, or {card.full_size}" if card.full_size
        else f"; {card.weights} ({card.licence}{gate}{memory})"
    )  # fmt: skip
    return f"{mask:<9}  {card.year or '-':<4}  {card.title}{paper}{weights}"


def _method_card(name: str) -> str:
    from rses.methods import get_card
    from rses.pages.notices import stands_in

    facts = get_card(name).to_dict()
    # The paper is not about the embedded weights, which stand in for its model.
    paper = "stands_in_for" if stands_in(facts) else "paper"
    facts = {paper if key == "paper" else key: value for key, value in facts.items()}
    return json.dumps(facts, indent=2, ensure_ascii=False)


OURS = "beyond the RegionRoute paper, defined by RSES"


def _metric_lines() -> Lines:
    from rses.table import METRICS, list_metrics

    lines = [
        (
            info.name,
            f"{'°' if info.ours else ' '} {info.direction.split()[0]:<7}  {info.description}",
        )
        for info in map(METRICS.__getitem__, list_metrics())
    ]
    return [*lines, ("", f"° {OURS}")]


def _metric_card(name: str) -> str:
    from rses.table import get_metric

    info = get_metric(name)
    facts = {
        "title": info.title,
        "better": info.direction.removesuffix(" is better"),
        "needs": ", ".join(("prediction", "mask", *(need for need in info.needs if need != "perceptual"))),
        "mean is called": info.aggregate,
        "origin": OURS if info.ours else "as in the RegionRoute paper or common practice",
        "formula": info.formula,
    }
    return "\n".join([info.name, info.description, "", *_facts(facts, 15)])


def _protocol_lines() -> Lines:
    from rses.protocol import PROTOCOLS

    return [(name, f"{protocol.hash}  {protocol.title}") for name, protocol in PROTOCOLS.items()]


def _protocol_card(name: str) -> str:
    from rses.protocol import get_protocol

    return get_protocol(name).card()


def _suite_lines() -> Lines:
    from rses.suites import list_suites, load_suite

    suites = [load_suite(name) for name in list_suites()]
    return [
        (s.name, f"{len(s.samples)} samples, version {s.version}, {s.licence}: {', '.join(s.styles)}") for s in suites
    ]


def _suite_card(name: str) -> str:
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
    return "\n".join([suite.name, *_facts(facts, 9), "", text]).rstrip()


def _counted(values: Iterable[str]) -> str:
    return ", ".join(f"{value} ({count})" for value, count in Counter(values).most_common())


methods = _catalogue(
    "List the installed methods; `rses methods show NAME` prints a card.", _method_lines, _method_card, "method"
)
protocols = _catalogue(
    "List the protocols; `rses protocols show NAME` prints every knob.", _protocol_lines, _protocol_card, "protocol"
)
suites = _catalogue("List the embedded suites; `rses suites show NAME` prints one.", _suite_lines, _suite_card, "suite")
metrics = _catalogue(
    "List the metrics; `rses metrics show NAME` prints one in full.", _metric_lines, _metric_card, "metric"
)

"""``rses methods | protocols | metrics``: what there is, one per line, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from rses.cli.common import aligned, emit, quiet_stdout
from rses.cli.help import command, group

if TYPE_CHECKING:
    from rses.methods import MethodCard

Lines = list[tuple[str, str]]


def listing(about: str, lines: Callable[[], Lines], *examples: str) -> typer.Typer:
    """Return an app that lists things: (name, one-line description) each."""
    app = group(about, *examples, bare=True)

    @app.callback(help=about)
    def overview(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            with quiet_stdout():
                entries = lines()
            emit(aligned(entries))

    return app


def _catalogue(what: str, lines: Callable[[], Lines], card: Callable[[str], tuple[str, Any]], one: str) -> typer.Typer:
    """Return an app that lists things, with ``show NAME`` for the text on one of them, or its facts as JSON."""
    app = listing(f"List the {what}s, or show one of them.", lines, f"rses {what}s", f"rses {what}s show {one}")

    # Defaults, not annotations: those are looked up by name, outside of this function.
    def show(
        name: str = typer.Argument(..., metavar="NAME", help=f"Name of the {what}."),
        as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    ) -> None:
        with quiet_stdout():
            text, facts = card(name)
        emit(json.dumps(facts, indent=2, ensure_ascii=False) if as_json else text)

    show.__doc__ = f"Show everything about one {what}."
    command(app, "show", show, f"rses {what}s show {one}", f"rses {what}s show {one} --json")
    return app


def facts_text(name: str, about: str, facts: Mapping[str, object]) -> str:
    """Return name, description and facts, one per line; those without a value are left out."""
    lines = [(key, str(value)) for key, value in facts.items() if value != ""]
    return "\n".join([name, *([about] if about else []), "", aligned(lines, indent=2)])


_MASK = {True: "mask used", False: "mask-free", None: "mask use not stated"}


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
    paper = f" [{card.paper}]" if card.paper else ""
    gate = ", gated" if card.gated else ""
    memory = f", about {card.memory_gb:.0f} GB" if card.memory_gb >= 1 else ""
    weights = (
        "" if card.weights == "none"
        else f"; embedded {card.weights}, or {card.full_size}" if card.full_size
        else f"; {card.weights} ({card.licence}{gate}{memory})"
    )  # fmt: skip
    return f"{_MASK[card.mask_used]:<9}  {card.year or '-':<4}  {card.title}{paper}{weights}"


def _method_card(name: str) -> tuple[str, Any]:
    from rses.methods import get_card
    from rses.pages.notices import stands_in

    card = get_card(name)
    # The paper is not about the embedded weights, which stand in for its model.
    paper = "stands in for" if stands_in(card.to_dict()) else "paper"
    facts = {
        "mask": _MASK[card.mask_used],
        paper: f"{card.paper} ({card.year})" if card.year else card.paper,
        "weights": " ".join(filter(None, (card.weights, card.revision))),
        "licence": card.licence + (", gated" if card.gated else ""),
        "memory": f"about {card.memory_gb:.0f} GB" if card.memory_gb >= 1 else "",
        "full size": card.full_size,
        "precision": card.dtype,
        "batch": f"at most {card.max_batch}",
        "reference row": "yes" if card.reference else "",
        **card.settings,
    }
    return facts_text(name, card.title, facts), card.to_dict()


OURS = "beyond the RegionRoute paper, defined by RSES"


def _metric_lines() -> Lines:
    from rses.table import METRICS, list_metrics

    lines = []
    for info in map(METRICS.__getitem__, list_metrics()):
        lines.append((info.name, f"{'°' if info.ours else ' '} {info.direction.split()[0]:<7}  {info.description}"))
    return [*lines, ("", f"° {OURS}")]


def _metric_card(name: str) -> tuple[str, Any]:
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
    return facts_text(info.name, info.description, facts), {"name": name, "description": info.description, **facts}


def _protocol_lines() -> Lines:
    from rses.protocol import PROTOCOLS

    return [(name, f"{protocol.hash}  {protocol.title}") for name, protocol in PROTOCOLS.items()]


def _protocol_card(name: str) -> tuple[str, Any]:
    from rses.protocol import get_protocol

    protocol = get_protocol(name)
    text = facts_text(f"{protocol.id}  (hash {protocol.hash})", protocol.title, protocol.knobs)
    notes = "\n\n" + aligned((("*", note) for note in protocol.notes), indent=2) if protocol.notes else ""
    facts = {"id": protocol.id, "hash": protocol.hash, "title": protocol.title, "knobs": protocol.knobs}
    return text + notes, facts


methods = _catalogue("method", _method_lines, _method_card, "flux-kontext")
protocols = _catalogue("protocol", _protocol_lines, _protocol_card, "rses-v1")
metrics = _catalogue("metric", _metric_lines, _metric_card, "rses_p")

"""``rses metrics``: what is measured, in which direction it is better, and how it is defined."""

from __future__ import annotations

from rses.cli.common import catalogue

__all__ = ["app"]


def _lines() -> list[tuple[str, str]]:
    from rses.table import METRICS, list_metrics

    return [
        (
            info.name,
            f"{'°' if info.ours else ' '} {info.direction.split()[0]:<7}  {info.description}",
        )
        for info in map(METRICS.__getitem__, list_metrics())
    ] + [("", "° beyond the RegionRoute paper, defined by RSES")]


def _card(name: str) -> str:
    from rses.table import get_metric

    info = get_metric(name)
    facts = {
        "title": info.title,
        "better": info.direction.removesuffix(" is better"),
        "needs": ", ".join(("prediction", "mask", *(need for need in info.needs if need != "perceptual"))),
        "mean is called": info.aggregate,
        "origin": "beyond the RegionRoute paper, defined by RSES"
        if info.ours
        else "as in the RegionRoute paper or common practice",
        "formula": info.formula,
    }
    lines = [info.name, info.description, "", *(f"  {key:<15} {value}" for key, value in facts.items())]
    return "\n".join(lines)


app = catalogue("List the metrics; `rses metrics show NAME` prints one in full.", _lines, _card, "metric")

"""What the attention losses do when nothing else pulls: free logits of one small attention problem.

Run ``python -m benchmark_data.recipes.attention_study --out docs`` to rebuild ``docs/data/attention-supervision.json``
and ``docs/images/attention-supervision.png``; the tables of ``docs/attention-supervision.md`` are printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regionroute.losses import MODES, Mode, cover_loss, focus_loss, mass_inside, mean_map
from rses.files.atomic import write_atomic

SIDE = 16
CELLS = SIDE * SIDE
KEYS = 64
STYLE_TOKENS = 3
LAYERS, HEADS = 2, 2
AREAS = (0.05, 0.15, 0.3)
STEPS = 300
EVERY = 10
# The shift of the style keys' logits that gives them the probability they have among thousands of keys: 1e-4.
SHIFT = -5.0
FOCUS_WEIGHT, COVER_WEIGHT = 0.1, 0.2
RATES = {"adam": 0.05, "descent": 100.0}
SHIFTS = (-9.0, -7.0, -5.0, -3.0, -1.0, 1.0)

Results = dict[str, Any]


def disc(area: float, centre: tuple[float, float] = (6.3, 7.1)) -> Tensor:
    """Mask (1, CELLS) of the cells nearest to a centre (row, column) that make up ``area`` of the grid."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    distance = (rows + 0.5 - centre[0]) ** 2 + (columns + 0.5 - centre[1]) ** 2
    mask = torch.zeros(1, CELLS)
    mask[0, distance.flatten().argsort(stable=True)[: round(area * CELLS)]] = 1
    return mask


def free_logits(shift: float = SHIFT, tokens: int = STYLE_TOKENS, seed: int = 0) -> Tensor:
    """Logits (layers, 1, H, CELLS, KEYS) to be optimised; the first keys are the style tokens."""
    generator = torch.Generator().manual_seed(seed)
    logits = 0.5 * torch.randn(LAYERS, 1, HEADS, CELLS, KEYS, generator=generator)
    logits[..., :tokens] += shift
    return logits.requires_grad_()


def style_maps(logits: Tensor, tokens: int = STYLE_TOKENS) -> tuple[Tensor, Tensor]:
    """Maps of the style tokens, a softmax over all keys, and their ``valid``."""
    return logits.softmax(dim=-1)[..., :tokens], torch.ones(1, tokens, dtype=torch.bool)


def attention_loss(maps: Tensor, masks: Tensor, valid: Tensor, mode: Mode) -> Tensor:
    """Both losses with the paper's weights."""
    focus = focus_loss(maps, masks, valid, mode)
    return (FOCUS_WEIGHT * focus + COVER_WEIGHT * cover_loss(maps, masks, valid, mode)).sum()


def optimise(mode: Mode, area: float, optimiser: str = "adam", steps: int = STEPS) -> list[float]:
    """Mass inside the mask, every ``EVERY`` steps, when the logits follow the losses alone."""
    logits, mask = free_logits(), disc(area)
    rate = RATES[optimiser]
    walker = torch.optim.Adam([logits], rate) if optimiser == "adam" else torch.optim.SGD([logits], rate)
    masses = []
    for step in range(steps + 1):
        maps, valid = style_maps(logits)
        if step % EVERY == 0:
            masses.append(float(mass_inside(maps.detach(), mask, valid)))
        walker.zero_grad()
        attention_loss(maps, mask, valid, mode).backward()
        walker.step()
    return masses


def gradient(mode: Mode, mask: Tensor, shift: float = SHIFT, tokens: int = STYLE_TOKENS) -> Tensor:
    """Gradient of both losses with regard to all logits."""
    logits = free_logits(shift, tokens)
    maps, valid = style_maps(logits, tokens)
    return torch.autograd.grad(attention_loss(maps, mask, valid, mode), logits)[0]


def mask_part(mode: Mode, shift: float = SHIFT, tokens: int = STYLE_TOKENS) -> dict[str, float]:
    """Size of the gradient for one mask, and of its difference to that for the same object elsewhere."""
    here, elsewhere = (gradient(mode, disc(0.15, centre), shift, tokens) for centre in ((5.0, 5.0), (11.0, 11.0)))
    return {"norm": float(here.norm()), "mask_part": float((here - elsewhere).norm())}


def magnitude(shift: float) -> float:
    """Mean probability that an image query gives a style token."""
    return float(mean_map(*style_maps(free_logits(shift).detach())).mean())


def study(areas: Sequence[float] = AREAS, steps: int = STEPS) -> Results:
    """Run everything; half a minute on one core."""
    return {
        "settings": {
            "cells": CELLS, "keys": KEYS, "style_tokens": STYLE_TOKENS, "layers": LAYERS, "heads": HEADS,
            "start": magnitude(SHIFT), "focus_weight": FOCUS_WEIGHT, "cover_weight": COVER_WEIGHT, "rates": RATES,
        },
        "steps": list(range(0, steps + 1, EVERY)),
        "object_share": {f"{area:g}": float(disc(area).mean()) for area in areas},
        "mass": {
            optimiser: {mode: {f"{area:g}": optimise(mode, area, optimiser, steps) for area in areas} for mode in MODES}
            for optimiser in RATES
        },
        "scale": {
            "magnitudes": [magnitude(shift) for shift in SHIFTS],
            **{mode: [mask_part(mode, shift)["mask_part"] for shift in SHIFTS] for mode in MODES},
        },
        "tokens": {mode: {str(tokens): mask_part(mode, tokens=tokens) for tokens in (1, 3)} for mode in MODES},
    }  # fmt: skip


def rounded(value: Any) -> Any:
    """Keep four significant digits of every float."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def tables(results: Results) -> list[str]:
    """Markdown tables of the page."""
    shares = results["object_share"]
    mass = ["| optimiser | mode |" + "".join(f" {float(a):.0%} object |" for a in shares), "|---|---|" + "---:|" * 3]
    names = {"adam": "Adam", "descent": "gradient descent"}
    mass.append("| before | |" + "".join(f" {results['mass']['adam']['exact'][a][0]:.3f} |" for a in shares))
    for optimiser, modes in results["mass"].items():
        for mode, curves in modes.items():
            mass.append(f"| {names[optimiser]} | `{mode}` |" + "".join(f" {curves[a][-1]:.3f} |" for a in shares))
    tokens = ["| mode | 1 token: size | 1 token: mask part | 3 tokens: size | 3 tokens: mask part |",
              "|---|---:|---:|---:|---:|"]  # fmt: skip
    for mode, row in results["tokens"].items():
        cells = (
            f"{row[count][name]:.1e}" if row[count][name] else "0"
            for count in ("1", "3")
            for name in ("norm", "mask_part")
        )
        tokens.append(f"| `{mode}` | {' | '.join(cells)} |")
    scale = ["| mean attention |" + "".join(f" {m:.0e} |" for m in results["scale"]["magnitudes"])]
    scale.append("|---|" + "---:|" * len(results["scale"]["magnitudes"]))
    scale += [f"| `{mode}` |" + "".join(f" {x:.1e} |" for x in results["scale"][mode]) for mode in MODES]
    return ["\n".join(lines) + "\n" for lines in (mass, tokens, scale)]


def plot(results: Results, path: Path) -> None:
    """Draw the mass inside the mask over steps, and the mask's part of the gradient over the size of the maps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    colours = dict(zip(MODES, ("#0b6e4f", "#7a6bb0", "#c8553d"), strict=True))
    # Where two modes coincide both must be seen: the wide pale line lies below.
    strokes = {"exact": {"linewidth": 1.8}, "paper": {"linewidth": 1.5}, "official": {"linewidth": 4, "alpha": 0.45}}
    dashes = dict(zip(results["object_share"], (":", "--", "-"), strict=True))
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), constrained_layout=True)
    titles = {"adam": "Adam on the attention losses alone", "descent": "Gradient descent, the same rate for all"}
    for axis, (optimiser, title) in zip(axes, titles.items(), strict=False):
        for mode, curves in results["mass"][optimiser].items():
            for area, masses in curves.items():
                axis.plot(
                    results["steps"],
                    masses,
                    dashes[area],
                    color=colours[mode],
                    zorder=9 - MODES.index(mode),
                    **strokes[mode],
                )
        axis.set(title=title, xlabel="step", ylabel="attention mass inside the mask", ylim=(0, 1.03))
    modes = [Line2D([], [], color=colours[mode], linewidth=2.5, label=mode) for mode in MODES]
    sizes = [Line2D([], [], color="#555", linestyle=dashes[a], label=f"{float(a):.0%} object") for a in dashes]
    axes[0].legend(handles=[*modes, *sizes], fontsize=8, frameon=False, loc=(0.62, 0.4))
    for mode in MODES:
        axes[2].loglog(results["scale"]["magnitudes"], results["scale"][mode], "o-", color=colours[mode], label=mode)
    axes[2].set(title="Part of the gradient that depends on the mask", xlabel="mean attention to a style token")
    axes[2].set_ylabel("norm of the gradient's difference, two masks")
    axes[2].legend(fontsize=8, frameon=False)
    for axis in axes:
        axis.title.set_fontsize(11)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Rebuild the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    folder = parser.parse_args().out
    results = rounded(study())
    write_atomic(folder / "data" / "attention-supervision.json", (json.dumps(results, indent=1) + "\n").encode())
    plot(results, folder / "images" / "attention-supervision.png")
    print("\n".join(tables(results)))


if __name__ == "__main__":
    main()

"""What training never saw: renderers held out, on photographs held out, and nuisances that must move nothing.

The fixed test is a list of edits that nobody here wrote for this encoder: Pillow's pixelation, Canny and
difference-of-Gaussians lines, neon edges, Pillow's mode filter, the dodge sketch and the usual sepia matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from baselines.classical import STYLES
from benchmark_data.recipes.mini.held_out import Item
from benchmark_data.recipes.mini.nuisances import FIXED
from benchmark_data.recipes.mini.renderers import HELD_OUT
from benchmark_data.recipes.mini.renderers.colour import glowing_canny, usual_sepia
from benchmark_data.recipes.mini.renderers.lines import pillow_dodge
from benchmark_data.recipes.mini.renderers.paint import pillow_mode
from benchmark_data.recipes.mini.renderers.pixels import pillow_pixelation
from rses.backbones.mini import MiniStyle
from rses.functional.style import background_view, region_view
from rses.validate.renderers import CHOICES

__all__ = ["FIXED_TEST", "TEN", "Edits", "fixed_edits", "held_out_edits", "nuisance_edits", "nuisance_numbers",
           "style_numbers"]  # fmt: skip

TEN = CHOICES
"""The suites' four styles and the six best known others; the fixed test asks for the nearest of these."""


def _canny(image: np.ndarray) -> np.ndarray:
    edges = cv2.Canny(cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (5, 5), 1.4), 60, 140)
    return np.repeat(255 - edges[..., None], 3, axis=2)


def _dog(image: np.ndarray) -> np.ndarray:
    tone = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    response = cv2.GaussianBlur(tone, (0, 0), 1.0) - cv2.GaussianBlur(tone, (0, 0), 1.6)
    return np.repeat(np.where(response < -0.01, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


FIXED_TEST: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "pixelation 6 px": ("pixel art", lambda x: pillow_pixelation(x, 6)),
    "pixelation 10 px": ("pixel art", lambda x: pillow_pixelation(x, 10)),
    "pixelation 16 px": ("pixel art", lambda x: pillow_pixelation(x, 16)),
    "Canny lines": ("line art", _canny),
    "DoG lines": ("line art", _dog),
    "neon edges": ("cyberpunk", lambda x: glowing_canny(x, 2, 3.0, 0)),
    "mode filter": ("oil painting", lambda x: pillow_mode(x, 7)),
    "dodge pencil": ("pencil sketch", lambda x: pillow_dodge(x, 5.0)),
    "sepia matrix": ("sepia photograph", usual_sepia),
}
"""Name: the style that the edit should be seen as, and the edit."""


@dataclass(frozen=True)
class Edits:
    """Views of one kind of edit on every picture.

    Attributes:
        name: Of the edit.
        style: That it should be seen as; None for a nuisance.
        views: (N, 3, S, S) of the edited regions.
        sources: (N, 3, S, S) of the regions before.
        behind: (N, 3, S, S) of the backgrounds when the whole picture is edited; None for nuisances.
        behind_sources: The same before the edit.
    """

    name: str
    style: str | None
    views: torch.Tensor
    sources: torch.Tensor
    behind: torch.Tensor | None = None
    behind_sources: torch.Tensor | None = None


def fixed_edits(items: Sequence[Item], size: int, mean: tuple[float, float, float]) -> Iterable[Edits]:
    """Views of the fixed test."""
    for name, (style, edit) in FIXED_TEST.items():
        yield _edits(name, style, [edit(item.image) for item in items], items, size, mean)


def held_out_edits(items: Sequence[Item], size: int, mean: tuple[float, float, float]) -> Iterable[Edits]:
    """Views of all renderers held out, with random parameters."""
    for style, renderers in HELD_OUT.items():
        for renderer in renderers:
            drawn = [renderer(item.image, np.random.default_rng(n)) for n, item in enumerate(items)]
            yield _edits(renderer.__name__, style, drawn, items, size, mean)


def nuisance_edits(items: Sequence[Item], size: int, mean: tuple[float, float, float]) -> Iterable[Edits]:
    """Views of the fixed nuisances."""
    for name, disturb in FIXED.items():
        yield _edits(name, None, [disturb(item.image) for item in items], items, size, mean)


def _edits(
    name: str,
    style: str | None,
    drawn: list[np.ndarray],
    items: Sequence[Item],
    size: int,
    mean: tuple[float, float, float],
) -> Edits:
    columns: list[list[torch.Tensor]] = [[], [], [], []]
    for edited, item in zip(drawn, items, strict=True):
        pair = torch.from_numpy(np.stack([edited, item.image])).permute(0, 3, 1, 2).float() / 255
        mask = torch.from_numpy(item.region)[None, None].float().expand(2, -1, -1, -1)
        inside, outside = (region_view(pair, mask, size, mean, "masked"), background_view(pair, mask, size, mean))
        for column, view in zip(columns, (*inside, *outside), strict=True):
            column.append(view)
    return Edits(name, style, *(torch.stack(column) for column in columns))


def style_numbers(style: MiniStyle, edits: Iterable[Edits], choices: Sequence[str]) -> dict[str, Any]:
    """Share of edits whose right text rises, is nearest of ``choices``, and leaks when the edit is global."""
    texts = style.encode_texts(list(choices))
    rows = {}
    for edit in edits:
        assert edit.style is not None
        assert edit.behind is not None
        assert edit.behind_sources is not None
        target = list(choices).index(edit.style)
        after, before = style.encode_images(edit.views) @ texts.T, style.encode_images(edit.sources) @ texts.T
        behind = style.encode_images(edit.behind) @ texts.T - style.encode_images(edit.behind_sources) @ texts.T
        rows[edit.name] = {
            "style": edit.style,
            "gain": _share(after[:, target] > before[:, target]),
            "nearest": _share(after.argmax(dim=1) == target),
            "leakage": _share(behind[:, target] > 0),
            "mean_gain": round((after - before)[:, target].mean().item() / 2, 4),
            "seen_as": choices[int(after.argmax(dim=1).mode().values)],
            "edits": len(after),
        }
    return {"mean": _mean(rows), "edits": rows}


def nuisance_numbers(style: MiniStyle, edits: Iterable[Edits]) -> dict[str, Any]:
    """Mean change of RSM by each nuisance: over all styles, for the style that moves most, and its spread."""
    names = list(STYLES)
    texts = style.encode_texts(names)
    rows = {}
    for edit in edits:
        change = (style.encode_images(edit.views) - style.encode_images(edit.sources)) @ texts.T / 2
        by_style = change.mean(dim=0)
        worst = int(by_style.abs().argmax())
        rows[edit.name] = {
            "mean_gain": round(change.mean().item(), 4),
            "worst_style": names[worst],
            "worst_mean_gain": round(by_style[worst].item(), 4),
            "suite_styles": round(change[:, [names.index(n) for n in TEN[:4]]].mean().item(), 4),
            "spread": round(change.std().item(), 4),
        }
    return {
        "largest": max(abs(row["mean_gain"]) for row in rows.values()),
        "largest_of_a_style": max(abs(row["worst_mean_gain"]) for row in rows.values()),
        "nuisances": rows,
    }


def _share(flags: torch.Tensor) -> float:
    return round(flags.float().mean().item(), 4)


def _mean(rows: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {
        key: round(float(np.mean([row[key] for row in rows.values()])), 4) for key in ("gain", "nearest", "leakage")
    }

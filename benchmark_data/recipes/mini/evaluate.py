"""Measure ``rses-mini`` on held-out data: ``python -m benchmark_data.recipes.mini.evaluate``.

Prints the table of the model card, writes ``evaluation.json`` beside the weights and renews the table in their
``README.md``. Needs the real photographs ($RSES_REAL_DATA, or ../shared/real beside the repository), OpenCV and
ImageMagick.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.classical import STYLES, stylize
from benchmark_data.recipes.mini.card import render_table, renew_card
from benchmark_data.recipes.mini.classes import CLASS_NAMES
from benchmark_data.recipes.mini.distortions import LADDERS, TRAINED, climb, distance, inner
from benchmark_data.recipes.mini.export import MODEL_FOLDER
from benchmark_data.recipes.mini.held_out import Item, photos, real_photos, scenes
from benchmark_data.recipes.mini.texts import unseen_texts
from rses.backbones.mini import MiniPerceptual, MiniStyle, load_mini_perceptual, load_mini_style
from rses.functional.style import Region, region_view

__all__ = ["evaluate_ladders", "evaluate_style", "evaluate_texts", "evaluate_unseen", "main"]

PLAIN_TEXT = "a photo"
REGIONS: tuple[Region, ...] = ("crop", "masked")
PARTS = ("unseen", "texts", "scenes", "photos", "ladders")


def evaluate_style(style: MiniStyle, items: Sequence[Item], seed: int = 1) -> dict[str, Any]:
    """Retrieval and gain on regions redrawn in every style, the rest of each picture left as it was.

    ``top1`` is over all styles' names, ``top1_with_photo`` over these and "a photo"; ``gain`` is the share of
    pairs whose RSM for the right text is higher after the edit than before; ``source_is_photo`` is the share of
    untouched pictures for which "a photo" is the nearest of all texts.
    """
    names = list(STYLES)
    texts = style.encode_texts([*names, PLAIN_TEXT])
    seen: dict[str, list[torch.Tensor]] = {region: [] for region in REGIONS}
    for number, item in enumerate(items):
        edits = [stylize(item.image, name, mask=item.region, seed=seed + number) for name in names]
        stack = torch.from_numpy(np.stack([*edits, item.image])).permute(0, 3, 1, 2).float() / 255
        mask = torch.from_numpy(item.region)[None, None].float().expand(len(stack), -1, -1, -1)
        for region in REGIONS:
            view = region_view(stack, mask, style.image_size, style.mean, region)
            seen[region].append(style.encode_images(view) @ texts.T)
    return {region: _style_numbers(torch.stack(cosines), names) for region, cosines in seen.items()}


def _style_numbers(cosines: torch.Tensor, names: list[str]) -> dict[str, Any]:
    """Summarise cosines (items, styles + source, styles + plain text)."""
    count = len(names)
    target = torch.arange(count)
    edits, source = cosines[:, :count], cosines[:, count]
    own = edits[:, target, target]
    guess = edits[..., :count].argmax(dim=2)
    right = (guess == target).float()
    confused = Counter((names[t], names[g]) for row in guess.tolist() for t, g in enumerate(row) if t != g)
    return {
        "top1": round(right.mean().item(), 4),
        "top1_with_photo": round((edits.argmax(dim=2) == target).float().mean().item(), 4),
        "gain": round((own > source[:, :count]).float().mean().item(), 4),
        "mean_rsm_edit": round(((1 + own) / 2).mean().item(), 4),
        "mean_rsm_source": round(((1 + source[:, :count]) / 2).mean().item(), 4),
        "source_is_photo": round((source.argmax(dim=1) == count).float().mean().item(), 4),
        "pairs": int(own.numel()),
        "top1_by_style": {n: round(v, 4) for n, v in zip(names, right.mean(dim=0).tolist(), strict=True)},
        "most_confused": [[a, b, n] for (a, b), n in confused.most_common(6)],
    }


def evaluate_texts(style: MiniStyle) -> dict[str, Any]:
    """Share of phrasings that training cannot have drawn whose nearest class name is the right one."""
    names = [PLAIN_TEXT, *STYLES]
    prototypes = style.encode_texts(names)
    wrong, total, named = [], 0, 0
    for label, cls in enumerate(CLASS_NAMES):
        texts = list(unseen_texts(cls))
        guesses = (style.encode_texts(texts) @ prototypes.T).argmax(dim=1).tolist()
        total += len(texts)
        named += sum(guess == label for guess in guesses)
        wrong += [[text, names[guess]] for text, guess in zip(texts, guesses, strict=True) if guess != label]
    return {"accuracy": round(named / total, 4), "texts": total, "wrong": wrong}


def evaluate_ladders(perceptual: MiniPerceptual, items: Sequence[Item]) -> dict[str, Any]:
    """Share of pictures whose distance rises strictly, from 0, along each ladder of distortions."""
    unique = list({item.image.tobytes(): item for item in items}.values())
    heads = perceptual.weights()
    rising: dict[str, list[bool]] = {name: [] for name in LADDERS}
    heights: dict[str, list[list[float]]] = {name: [] for name in LADDERS}
    for number, item in enumerate(unique):
        picture = torch.from_numpy(item.image.copy()).permute(2, 0, 1)[None].float() / 255
        clean = perceptual.features(inner(picture))
        for name, levels in LADDERS.items():
            rungs = [climb(name, picture, level, seed=i, direction=number % 4) for i, level in enumerate(levels)]
            steps = [0.0] + [distance(clean, perceptual.features(rung), heads).item() for rung in rungs]
            rising[name].append(all(a < b for a, b in zip(steps, steps[1:], strict=False)))
            heights[name].append(steps[1:])
    return {
        name: {
            "share": round(float(np.mean(flags)), 4),
            "photos": len(flags),
            "levels": list(LADDERS[name]),
            "mean_distance": [round(v, 4) for v in np.mean(heights[name], axis=0).tolist()],
            "trained": name in TRAINED,
        }
        for name, flags in rising.items()
    }


def evaluate_unseen(style: MiniStyle, pictures: Sequence[Item], fixed_on: Sequence[Item]) -> dict[str, Any]:
    """Renderers and nuisances that training never saw, on photographs that it never saw.

    Args:
        style: Encoder.
        pictures: For the held-out renderers and the nuisances.
        fixed_on: For the fixed test.
    """
    # Here, because only the recipe has OpenCV and ImageMagick.
    from benchmark_data.recipes.mini import unseen

    size, mean = style.image_size, style.mean
    return {
        "fixed_test": unseen.style_numbers(style, unseen.fixed_edits(fixed_on, size, mean), unseen.TEN),
        "renderers": unseen.style_numbers(style, unseen.held_out_edits(pictures, size, mean), list(STYLES)),
        "nuisances": unseen.nuisance_numbers(style, unseen.nuisance_edits(pictures, size, mean)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the command line asks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark_data.recipes.mini.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER, help="folder with the weights")
    parser.add_argument("--scenes", type=int, default=100, help="held-out scenes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="measure these, keep the others")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    style, perceptual = load_mini_style(options.model), load_mini_perceptual(options.model)
    target = options.model / "evaluation.json"
    result = _kept(target, style.sha256) if set(options.parts) < set(PARTS) else {}
    result["sha256"] = style.sha256
    result["megabytes"] = round((options.model / "model.safetensors").stat().st_size / 1e6, 2)
    pictures = photos()
    measure: dict[str, Callable[[], dict[str, Any]]] = {
        "unseen": lambda: evaluate_unseen(style, pictures, real_photos()),
        "texts": lambda: evaluate_texts(style),
        "scenes": lambda: evaluate_style(style, scenes(options.scenes)),
        "photos": lambda: evaluate_style(style, pictures),
        "ladders": lambda: evaluate_ladders(perceptual, pictures),
    }
    for part in options.parts:
        result[part] = measure[part]()
        target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print("measured", part, flush=True)
    missing = [part for part in PARTS if part not in result]
    if missing:
        print("still to be measured:", ", ".join(missing))
        return
    print(render_table(result))
    card = options.model / "README.md"
    if card.exists():
        renew_card(card, result)


def _kept(path: Path, sha256: str) -> dict[str, Any]:
    """Read what was measured before on the same weights."""
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known if known.get("sha256") == sha256 else {}


if __name__ == "__main__":
    main()

"""Measure kontext-mini on held-out scenes: ``python -m benchmark_data.recipes.kontext_mini.evaluate``.

Writes ``evaluation.json``, ``images/recolouring.png`` and ``images/styles.png`` beside the weights, and
renews the table of their card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.classical import stylize
from baselines.sheets import contact_sheet
from benchmark_data.recipes.kontext_mini.card import render_table, renew_card
from benchmark_data.recipes.kontext_mini.data import STYLE_SEED, STYLES
from benchmark_data.recipes.kontext_mini.export import MODEL_FOLDER
from benchmark_data.recipes.kontext_mini.held_out import plain_scenes, recolour_questions, style_questions
from benchmark_data.recipes.whole import nearest_style
from regionroute.base import base_facts, load_base
from regionroute.flux import decode_latents, encode_pixels, to_pixels
from regionroute.pipeline import RegionRoutePipeline
from rses.backbones import load_style
from rses.images.tensors import write_png

__all__ = ["Editor", "kontext_editor", "main", "measure_recolouring", "measure_round_trip", "measure_styles"]

BATCH = 16
Editor = Callable[[list[np.ndarray], list[str]], list[np.ndarray]]
"""Edits pictures (H, W, 3) uint8 by prompts."""


def measure_round_trip(pipe: RegionRoutePipeline, count: int) -> dict[str, float]:
    """Mean PSNR of decode(encode(x)) in dB, of plain pictures and of each style."""
    pictures = list(plain_scenes(count))
    kinds = {"plain": pictures}
    kinds |= {style: [stylize(picture, style, seed=STYLE_SEED) for picture in pictures] for style in STYLES}
    result = {}
    for kind, images in kinds.items():
        values = []
        for start in range(0, count, BATCH):
            pixels = torch.stack([to_pixels(image, (128, 128)) for image in images[start : start + BATCH]])
            decoded = decode_latents(pipe.pipe.vae, encode_pixels(pipe.pipe.vae, pixels)).clamp(-1, 1)
            values += (-10 * torch.log10((decoded - pixels).square().mean((1, 2, 3)) / 4)).tolist()
        result[kind] = round(float(np.mean(values)), 2)
    result["stylised"] = round(float(np.mean([result[style] for style in STYLES])), 2)
    return result


def measure_recolouring(editor: Editor, count: int) -> tuple[dict[str, float], list[list[np.ndarray]]]:
    """Background PSNR, and how often the object is nearest to its rendering in the colour asked for."""
    questions = list(recolour_questions(count))
    edits = editor([q.source for q in questions], [q.prompt for q in questions])
    psnr, right, rows = [], [], []
    for question, edit in zip(questions, edits, strict=True):
        error = np.square((edit.astype(np.float64) - question.source) / 255)[~question.mask].mean()
        psnr.append(-10 * np.log10(error))
        inside = edit[question.mask].astype(np.float64)
        distances = {name: np.abs(inside - view[question.mask]).mean() for name, view in question.renderings.items()}
        right.append(min(distances, key=lambda name: distances[name]) == question.colour)
        rows.append([question.source, edit, question.renderings[question.colour]])
    return {
        "background_psnr": round(float(np.mean(psnr)), 2),
        "background_psnr_p10": round(float(np.quantile(psnr, 0.1)), 2),
        "right_colour": round(float(np.mean(right)), 4),
        "scenes": count,
    }, rows


def measure_styles(editor: Editor, count: int) -> tuple[dict[str, Any], list[list[np.ndarray]]]:
    """Style accuracy of whole pictures, and what becomes of the background when a regional style is asked for."""
    questions = list(style_questions(count))
    sources = [q.source for q in questions]
    whole = editor(sources, [q.whole for q in questions])
    regional = editor(sources, [q.regional for q in questions])
    encoder = load_style("rses-mini")
    stack = torch.from_numpy(np.stack(whole)).permute(0, 3, 1, 2).float() / 255
    guesses = nearest_style(encoder, stack, list(STYLES))
    wanted = torch.tensor([STYLES.index(q.style) for q in questions])
    right = (guesses == wanted).float()
    spread, psnr, rows = [], [], []
    for question, image, edit in zip(questions, whole, regional, strict=True):
        outside = ~question.mask
        to_style = np.square(edit[outside].astype(np.float64) - image[outside]).mean()
        to_source = np.square(edit[outside].astype(np.float64) - question.source[outside]).mean()
        spread.append(to_style < to_source)
        psnr.append(-10 * np.log10(np.square((image.astype(np.float64) - question.styled) / 255).mean()))
        rows.append([question.source, image, question.styled, edit])
    return {
        "accuracy": round(right.mean().item(), 4),
        "accuracy_by_style": {s: round(right[wanted == i].mean().item(), 4) for i, s in enumerate(STYLES)},
        "psnr_to_stylised": round(float(np.mean(psnr)), 2),
        "regional_restyles_background": round(float(np.mean(spread)), 4),
        "scenes": count,
    }, rows


def kontext_editor(pipe: RegionRoutePipeline) -> Editor:
    """Return a function that edits with the base model alone, in batches."""

    def edit(images: list[np.ndarray], prompts: list[str]) -> list[np.ndarray]:
        result: list[np.ndarray] = []
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            seeds = list(range(start, start + len(images[part])))
            edits = pipe.edit(images[part], prompts[part], seeds=seeds, styles=[None] * len(seeds))
            result += [edit.image for edit in edits]
        return result

    return edit


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate, print the table, write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.kontext_mini.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--scenes", type=int, default=200)
    options = parser.parse_args(arguments)
    pipe = RegionRoutePipeline(load_base(str(options.model)), base_facts(str(options.model)))
    editor = kontext_editor(pipe)
    recolouring, recoloured = measure_recolouring(editor, options.scenes)
    styles, styled = measure_styles(editor, options.scenes)
    size = sum(path.stat().st_size for path in options.model.rglob("*.safetensors")) / 1e6
    result = {
        "round_trip_psnr": measure_round_trip(pipe, options.scenes),
        "recolouring": recolouring,
        "styles": styles,
        "megabytes": round(size, 2),
    }
    print(render_table(result))
    (options.model / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n")
    write_png(options.model / "images" / "recolouring.png", contact_sheet(_two_columns(recoloured[:12])))
    write_png(options.model / "images" / "styles.png", contact_sheet(_two_columns(styled[:8])))
    if (options.model / "README.md").exists():
        renew_card(options.model / "README.md", result)


def _two_columns(rows: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    half = len(rows) // 2
    return [[*rows[i], *rows[half + i]] for i in range(half)]


if __name__ == "__main__":
    main()

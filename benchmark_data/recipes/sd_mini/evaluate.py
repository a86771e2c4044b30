"""Measure a mini on held-out scenes: ``python -m benchmark_data.recipes.sd_mini.evaluate KIND``.

Writes ``evaluation.json`` and contact sheets beside the weights and renews the table of their card.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline

from baselines.diffusion import DiffusersMethod, load_pipeline
from baselines.instruct_pix2pix import InstructPix2Pix
from baselines.prompt_to_prompt import PromptToPrompt
from baselines.sd2_inpainting import Sd2Inpainting
from baselines.sdedit import SdEdit
from baselines.sheets import contact_sheet
from benchmark_data.recipes.kontext_mini.data import STYLES
from benchmark_data.recipes.kontext_mini.evaluate import Editor, measure_recolouring, measure_styles
from benchmark_data.recipes.kontext_mini.held_out import FIRST_SEED
from benchmark_data.recipes.model_card import Row, render_rows
from benchmark_data.recipes.sd_mini.captions import caption
from benchmark_data.recipes.sd_mini.export import FOLDERS, PIPELINES
from benchmark_data.recipes.sd_mini.recogniser import lone_scenes, recognise, train_recogniser
from benchmark_data.recipes.whole import nearest_style
from benchmark_data.scenes import CLASSES, make_scene
from rses.backbones import load_style
from rses.bench import run_bench
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.methods import EditSample
from rses.report.marked import replace_marked
from rses.scoring.scorer import RSES
from rses.suites import load_suite

BATCH = 8
SHOWN = 16
"""Pictures on a sheet."""
LONE = 100_000
"""Held-out scenes of one object start so far behind the others."""
MOST_MB = 40.0
"""Of the three models together."""
Sheets = dict[str, list[list[np.ndarray]]]


def evaluate(kind: str, folder: Path, count: int) -> tuple[dict[str, Any], Sheets]:
    """Return what goes to ``evaluation.json`` but the size, and rows of pictures by sheet."""
    return {"instruct-pix2pix": _instructions, "sd": _captions, "sd-inpaint": _holes}[kind](folder, count)


def render_card_table(result: dict[str, Any]) -> str:
    """Render the table of a card from ``evaluation.json``."""
    rows: list[Row] = []
    if "recolouring" in result:
        recolour, styles = result["recolouring"], result["styles"]
        rows += [
            ("Recolouring: PSNR of the background, dB", 0, recolour["background_psnr"]),
            ("Recolouring: right colour on the object", 0, recolour["right_colour"]),
            ("Global style: accuracy under rses-mini", 0, styles["accuracy"]),
            ("Global style: PSNR to the classical drawing, dB", 0, styles["psnr_to_stylised"]),
            ("Regional style: background nearer to the global style", 0, styles["regional_restyles_background"]),
        ]
    if "style_accuracy" in result:
        rows.append(("Style of the whole picture: accuracy under rses-mini", 0, result["style_accuracy"]))
    if "objects" in result:
        seen = result["objects"]
        rows += [
            ("One object drawn from its caption: a classifier names it", 0, seen["recognised"]),
            ("The same classifier on the scenes so described", 0, seen["recognised_in_scenes"]),
        ]
    for name, metrics in result["suite"].items():
        rows += [
            (f"{name}: style accuracy inside the region", 0, metrics["style_accuracy"]),
            (f"{name}: RSM gain", 0, metrics["rsm_gain"]),
            (f"{name}: LPIPS of the background (less is better)", 0, metrics["lpips_bg"]),
        ]
    return render_rows(
        rows, "Weights of the three models together, without the autoencoder that two share, MB (at most)",
        MOST_MB, result["megabytes"],
        target="{:g}".format, value="{:.3g}".format, megabyte="{:g}".format,
    )  # fmt: skip


def _instructions(folder: Path, count: int) -> tuple[dict[str, Any], Sheets]:
    method = InstructPix2Pix(str(folder))
    editor = _editor(method)
    recolour, recoloured = measure_recolouring(editor, count)
    styles, styled = measure_styles(editor, count)
    edits, sheets = _bench({"instruct-pix2pix": method})
    sheets |= {"recolouring": _beside(recoloured[:SHOWN], 2), "styles": _beside(styled[: SHOWN // 2], 2)}
    return {"recolouring": recolour, "styles": styles, "suite": edits}, sheets


def _captions(folder: Path, count: int) -> tuple[dict[str, Any], Sheets]:
    method = SdEdit(str(folder))
    pipe = load_pipeline("StableDiffusionPipeline", str(folder), "float32", "main", **method.shared("float32"))
    pipe.set_progress_bar_config(disable=True)
    draw = partial(_drawn, pipe, method.settings)
    texts, wanted, real = _held_out_captions(count)
    images = draw(texts)
    encoder = load_style("rses-mini")
    stack = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    guesses = nearest_style(encoder, stack, list(STYLES))
    asked = [number for number, style in enumerate(wanted) if style is not None]
    accuracy = float(np.mean([STYLES[guesses[number]] == wanted[number] for number in asked]))
    objects, drawn = _objects(draw, count)
    edits, sheets = _bench({"prompt-to-prompt": PromptToPrompt(str(folder)), "sdedit": method})
    sheets["captions"] = _beside([list(pair) for pair in zip(images, real, strict=True)][:SHOWN], 4)
    sheets["objects"] = _beside([[image] for image in drawn[: len(CLASSES)]], 13)
    return {"style_accuracy": accuracy, "objects": objects, "captions": texts[:SHOWN], "suite": edits}, sheets


def _drawn(pipe: DiffusionPipeline, settings: dict[str, Any], texts: list[str]) -> list[np.ndarray]:
    images: list[np.ndarray] = []
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        made = pipe(
            part, height=128, width=128, num_inference_steps=settings["steps"], guidance_scale=settings["guidance"],
            generator=[torch.Generator().manual_seed(start + row) for row in range(len(part))],
        ).images  # fmt: skip
        images += [np.asarray(image) for image in made]
    return images


def _objects(draw: Callable[[list[str]], list[np.ndarray]], count: int) -> tuple[dict[str, float], list[np.ndarray]]:
    """Draw captions of one object, all classes in turn, and name what is seen, in the scenes as well."""
    scenes = lone_scenes(FIRST_SEED + LONE, count)
    names = [scene.target.name for scene in scenes]
    real = [scene.image for scene in scenes]
    drawn = draw([f"a photo of a {s.target.colour} {s.target.name} before a {s.backdrop}" for s in scenes])
    recogniser = train_recogniser()

    def share(images: list[np.ndarray]) -> float:
        return float(np.mean([seen == name for seen, name in zip(recognise(recogniser, images), names, strict=True)]))

    shares = {"recognised": share(drawn), "recognised_in_scenes": share(real)}
    return shares, drawn


def _holes(folder: Path, _: int) -> tuple[dict[str, Any], Sheets]:
    edits, sheets = _bench({"sd2-inpainting": Sd2Inpainting(str(folder))})
    return {"suite": edits}, sheets


def _held_out_captions(count: int) -> tuple[list[str], list[str | None], list[np.ndarray]]:
    """Describe held-out scenes, without a style and in each in turn; the scenes show what was described."""
    texts, wanted, real = [], [], []
    for number in range(count):
        scene, style = make_scene(FIRST_SEED + number), (None, *STYLES)[number % (len(STYLES) + 1)]
        things = [(thing.name, thing.colour) for thing in scene.objects]
        texts.append(caption(np.random.default_rng([number, 45]), things, scene.backdrop, style))
        wanted.append(style)
        real.append(scene.image)
    return texts, wanted, real


def _bench(methods: dict[str, DiffusersMethod]) -> tuple[dict[str, dict[str, float]], Sheets]:
    """Run methods on the suite mini; return metrics and rows (source, edit, ...) by method."""
    suite, scorer = load_suite("mini"), RSES("rses-mini", device="cpu")
    found: dict[str, dict[str, float]] = {}
    sheets: Sheets = {}
    for name, method in methods.items():
        with tempfile.TemporaryDirectory() as out:
            run = run_bench(method, suite, out, scorer=scorer, device="cpu")
            pairs = [
                [read_image(sample.image), read_image(Path(out) / "images" / f"{sample.id}.png")]
                for sample in suite.samples[:: len(suite.samples) // SHOWN]
            ]
        found[name] = {key: entry["mean"] for key, entry in run.summary["metrics"].items()}
        sheets[name] = _beside(pairs, 4)
    return found, sheets


def _beside(rows: list[list[np.ndarray]], count: int) -> list[list[np.ndarray]]:
    """Put so many rows beside each other."""
    return [sum(rows[i : i + count], []) for i in range(0, len(rows) - count + 1, count)]


def _editor(method: DiffusersMethod) -> Editor:
    method.load("cpu", "float32")

    def edit(images: list[np.ndarray], prompts: list[str]) -> list[np.ndarray]:
        result: list[np.ndarray] = []
        for start in range(0, len(images), BATCH):
            batch = [
                EditSample(str(start + row), image, "", "", prompt, start + row)
                for row, (image, prompt) in enumerate(
                    zip(images[start : start + BATCH], prompts[start : start + BATCH], strict=True)
                )
            ]
            result += [edited.image for edited in method.edit(batch)]
        return result

    return edit


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate, print the table, write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.sd_mini.evaluate", description=__doc__)
    parser.add_argument("kind", choices=tuple(PIPELINES))
    parser.add_argument("--model", type=Path, help="model folder, if not the embedded one")
    parser.add_argument("--scenes", type=int, default=96, help="held-out scenes beside the suite")
    options = parser.parse_args(arguments)
    folder = options.model or FOLDERS[options.kind]
    result, sheets = evaluate(options.kind, folder, options.scenes)
    folders = {**FOLDERS, options.kind: folder}.values()
    files = [path for each in folders for path in each.rglob("*.safetensors")]
    size = sum(path.stat().st_size for path in files if path.parent != FOLDERS["sd"] / "vae") / 1e6
    result["megabytes"] = round(size, 2)
    table = render_card_table(result)
    print(table)
    (folder / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n")
    for name, cells in sheets.items():
        write_png(folder / "images" / f"{name}.png", contact_sheet(cells))
    card = folder / "README.md"
    if card.exists():
        card.write_text(replace_marked(card, "table", table), encoding="utf-8")


if __name__ == "__main__":
    main()

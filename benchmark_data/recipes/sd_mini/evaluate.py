"""Measure a mini on held-out scenes: ``python -m benchmark_data.recipes.sd_mini.evaluate KIND``.

Writes ``evaluation.json`` and contact sheets beside the weights and renews the table of their card.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.diffusion import DiffusersMethod, load_pipeline
from baselines.instruct_pix2pix import InstructPix2Pix
from baselines.prompt_to_prompt import PromptToPrompt
from baselines.sd2_inpainting import Sd2Inpainting
from baselines.sdedit import SdEdit
from benchmark_data.recipes.kontext_mini.data import STYLES
from benchmark_data.recipes.kontext_mini.evaluate import Editor, measure_recolouring, measure_styles
from benchmark_data.recipes.kontext_mini.held_out import FIRST_SEED
from benchmark_data.recipes.model_card import Row, render_rows, replace_table
from benchmark_data.recipes.sd_mini.captions import caption
from benchmark_data.recipes.sd_mini.export import FOLDERS, PIPELINES
from benchmark_data.scenes import make_scene
from regionroute.overlay import contact_sheet
from rses.backbones.mini import load_mini_style
from rses.bench import run_bench
from rses.images import read_image, write_png
from rses.methods import EditSample
from rses.scorer import RSES
from rses.suites import load_suite

__all__ = ["evaluate", "main"]

BATCH = 8
MOST_MB = 40.0
"""Of the three models together."""


def evaluate(
    kind: str, folder: Path, count: int
) -> tuple[dict[str, Any], list[Row], dict[str, list[list[np.ndarray]]]]:
    """Return what goes to ``evaluation.json``, rows of the table, and rows of pictures by sheet."""
    return {"instruct-pix2pix": _instructions, "sd": _captions, "sd-inpaint": _holes}[kind](folder, count)


def _instructions(folder: Path, count: int) -> tuple[dict[str, Any], list[Row], dict[str, list[list[np.ndarray]]]]:
    editor = _editor(InstructPix2Pix(str(folder)))
    recolour, recoloured = measure_recolouring(editor, count)
    styles, styled = measure_styles(editor, count)
    rows: list[Row] = [
        ("Recolouring: PSNR of the background, dB", 0, recolour["background_psnr"]),
        ("Recolouring: right colour on the object", 0, recolour["right_colour"]),
        ("Global style: accuracy under rses-mini", 0, styles["accuracy"]),
        ("Global style: PSNR to the classical drawing, dB", 0, styles["psnr_to_stylised"]),
        ("Regional style: background nearer to the global style", 0, styles["regional_restyles_background"]),
    ]
    return {"recolouring": recolour, "styles": styles}, rows, {"recolouring": recoloured[:12], "styles": styled[:8]}


def _captions(folder: Path, count: int) -> tuple[dict[str, Any], list[Row], dict[str, list[list[np.ndarray]]]]:
    method = SdEdit(str(folder))
    pipe = load_pipeline("StableDiffusionPipeline", str(folder), "float32", "main", **method.shared("float32"))
    pipe.set_progress_bar_config(disable=True)
    texts, wanted, real = _held_out_captions(count)
    images: list[np.ndarray] = []
    for start in range(0, count, BATCH):
        part = texts[start : start + BATCH]
        generators = [torch.Generator().manual_seed(start + row) for row in range(len(part))]
        made = pipe(
            part, height=128, width=128, num_inference_steps=method.settings["steps"],
            guidance_scale=method.settings["guidance"], generator=generators,
        ).images  # fmt: skip
        images += [np.asarray(image) for image in made]
    encoder = load_mini_style()
    stack = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    guesses = (encoder.encode_images(stack) @ encoder.encode_texts(list(STYLES)).T).argmax(1)
    accuracy = (guesses == torch.tensor(wanted)).float().mean().item()
    edits, rows = _bench({"prompt-to-prompt": PromptToPrompt(str(folder)), "sdedit": SdEdit(str(folder))}, count)
    first: Row = ("Style of the whole picture: accuracy under rses-mini", 0, accuracy)
    sheet = [[images[i], real[i]] for i in range(min(24, count))]
    return {"style_accuracy": accuracy, "captions": texts[:24], **edits}, [first, *rows[0]], {
        "captions": [sum(sheet[i : i + 4], []) for i in range(0, len(sheet) - 3, 4)], **rows[1],
    }  # fmt: skip


def _holes(folder: Path, count: int) -> tuple[dict[str, Any], list[Row], dict[str, list[list[np.ndarray]]]]:
    edits, (rows, sheets) = _bench({"sd2-inpainting": Sd2Inpainting(str(folder))}, count)
    return edits, rows, sheets


def _held_out_captions(count: int) -> tuple[list[str], list[int], list[np.ndarray]]:
    """Describe held-out scenes, styles in turn; the plain scenes beside them show what was described."""
    texts, wanted, real = [], [], []
    for number in range(count):
        scene, style = make_scene(FIRST_SEED + number), number % len(STYLES)
        things = [(thing.name, thing.colour) for thing in scene.objects]
        texts.append(caption(np.random.default_rng([number, 45]), things, scene.backdrop, STYLES[style]))
        wanted.append(style)
        real.append(scene.image)
    return texts, wanted, real


def _bench(
    methods: dict[str, DiffusersMethod], count: int
) -> tuple[dict[str, Any], tuple[list[Row], dict[str, list[list[np.ndarray]]]]]:
    """Run methods on the suite mini; return metrics, rows of the table, rows (source, edit) by method."""
    suite, scorer = load_suite("mini"), RSES("rses-mini", device="cpu")
    found: dict[str, Any] = {}
    rows: list[Row] = []
    sheets: dict[str, list[list[np.ndarray]]] = {}
    for name, method in methods.items():
        with tempfile.TemporaryDirectory() as out:
            run = run_bench(method, suite, out, scorer=scorer, limit=count, device="cpu")
            pairs = [
                [read_image(sample.image), read_image(Path(out) / "images" / f"{sample.id}.png")]
                for sample in suite.samples[:count:4][:12]
            ]
        metrics = {key: entry["mean"] for key, entry in run.summary["metrics"].items()}
        found[name] = metrics
        rows += [
            (f"{name}: style accuracy inside the region", 0, metrics["style_accuracy"]),
            (f"{name}: RSM gain", 0, metrics["rsm_gain"]),
            (f"{name}: LPIPS of the background (less is better)", 0, metrics["lpips_bg"]),
        ]
        sheets[name] = [sum(pairs[i : i + 3], []) for i in range(0, len(pairs) - 2, 3)]
    return found, (rows, sheets)


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
    parser.add_argument("--scenes", type=int, default=96)
    options = parser.parse_args(arguments)
    folder = options.model or FOLDERS[options.kind]
    result, rows, sheets = evaluate(options.kind, folder, options.scenes)
    folders = {**FOLDERS, options.kind: folder}.values()
    size = round(sum(path.stat().st_size for each in folders for path in each.rglob("*.safetensors")) / 1e6, 2)
    table = render_rows(
        rows, "Weights of the three models together, MB (at most)", MOST_MB, size, target="{:g}".format,
        value="{:.3g}".format, megabyte="{:g}".format,
    )  # fmt: skip
    print(table)
    (folder / "evaluation.json").write_text(json.dumps({**result, "megabytes": size}, indent=2) + "\n")
    for name, cells in sheets.items():
        write_png(folder / "images" / f"{name}.png", contact_sheet(cells))
    card = folder / "README.md"
    if card.exists():
        card.write_text(replace_table(card.read_text("utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()

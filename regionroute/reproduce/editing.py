"""Edit the samples of a suite as one configuration asks for: plainly, by the model's own mask, or by the true one."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from regionroute.data.pairs import read_pairs
from regionroute.fitting import fit_on_pairs, mask_iou
from regionroute.gate import GATE_FILE, Gate, read_gate, write_gate
from regionroute.grid import mask_to_grid
from regionroute.matting import blend
from regionroute.pipeline import Edit, RegionRoutePipeline, whole_prompt
from regionroute.reproduce.plan import Configuration
from rses.files.atomic import write_atomic
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.tensors import write_png
from rses.methods import sample_seed
from rses.suites import Sample, Suite

__all__ = ["Look", "edit_suite", "fitted_gate"]

BATCH = 12


@dataclass(frozen=True)
class Look:
    """Where one edit looked.

    Attributes:
        mass: Share of the style words' attention inside the true mask; None where it was not watched.
        iou: Of the edit's own mask with the true one; None where there was none.
    """

    mass: float | None
    iou: float | None


def edit_suite(
    pipe: RegionRoutePipeline, suite: Suite, configuration: Configuration, seed: int, folder: Path
) -> dict[str, Look]:
    """Write the edits to ``images``; return where each looked, by sample. What is finished is read, not done again."""
    kept = folder / "looks.json"
    if kept.exists():
        return {name: Look(**values) for name, values in json.loads(kept.read_text("utf-8")).items()}
    looks: dict[str, Look] = {}
    for start in range(0, len(suite), BATCH):
        part = suite.samples[start : start + BATCH]
        for sample, edit in zip(part, _edit(pipe, part, configuration, seed), strict=True):
            write_png(folder / "images" / f"{sample.id}.png", edit.image)
            looks[sample.id] = _look(edit, sample)
    write_atomic(kept, json.dumps({name: dataclasses.asdict(look) for name, look in looks.items()}).encode())
    return looks


def fitted_gate(pipe: RegionRoutePipeline, aside: Path, folder: Path) -> Gate:
    """Return the gate of a job's experts, fitted on the pairs kept aside the first time."""
    if not (folder / GATE_FILE).exists():
        write_gate(folder, fit_on_pairs(pipe, read_pairs(aside), Gate().steps).gate)
    return read_gate(folder)


def _edit(pipe: RegionRoutePipeline, part: tuple[Sample, ...], configuration: Configuration, seed: int) -> list[Edit]:
    images = [read_image(sample.image) for sample in part]
    seeds = [sample_seed(seed, sample.id) for sample in part]
    if configuration.mask == "true":
        prompts = [whole_prompt(sample.style) for sample in part]
        whole = pipe.edit(images, prompts, seeds=seeds, styles=[None] * len(part))
        masks = [read_mask(sample.mask).astype(np.float32) for sample in part]
        return [
            dataclasses.replace(edit, image=blend(image, edit.image, mask))
            for image, edit, mask in zip(images, whole, masks, strict=True)
        ]
    return pipe.edit(
        images, [sample.prompt for sample in part], seeds=seeds,
        styles=[sample.style if pipe.styles else None for sample in part], true_cfg=configuration.true_cfg,
        attention=True, routed=configuration.mask == "own",
    )  # fmt: skip


def _look(edit: Edit, sample: Sample) -> Look:
    truth = np.ascontiguousarray(read_mask(sample.mask))
    mass = None
    if edit.attention is not None:
        heat = edit.attention
        mask = mask_to_grid(torch.from_numpy(truth), (heat.shape[0], heat.shape[1])).numpy()
        mass = float((heat.reshape(-1) * mask).sum() / heat.sum())
    return Look(mass, None if edit.mask is None else mask_iou(edit.mask, truth))

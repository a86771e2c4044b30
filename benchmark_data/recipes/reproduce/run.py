"""Train, edit and score one configuration with one seed; everything finished is kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.classical import stylize
from benchmark_data.recipes.reproduce.plan import Configuration, choose
from regionroute.data.pairs import read_pairs
from regionroute.experts import expert_name
from regionroute.fitting import fit_on_pairs, mask_iou
from regionroute.gate import GATE_FILE, Gate, read_gate, write_gate
from regionroute.grid import mask_to_grid
from regionroute.matting import blend
from regionroute.pipeline import Edit, RegionRoutePipeline, embedded_experts, whole_prompt
from regionroute.styles import EXPERT_STYLES, FINDER
from regionroute.training.config import TrainConfig, find_config, load_config
from regionroute.training.trainer import train
from rses.errors import RsesError
from rses.files.atomic import write_atomic
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.tensors import write_png
from rses.methods import sample_seed
from rses.scoring.scorer import RSES
from rses.suites import Sample, Suite

__all__ = ["METRICS", "Job", "expert_config", "run_job", "trained_expert", "training_config"]

METRICS = ("rsm", "lpips_bg", "mse_bg_pm1", "psnr_bg", "style_correct", "rsm_gain", "leakage", "rses_p")
COMPARED = ("rsm", "lpips_bg", "mse_bg_pm1", "rses_p", "object_error")
"""Without these a sample has no place in the tables."""
BATCH = 12
Looks = dict[str, dict[str, float | None]]
"""Per sample ``mass``, the share of the style words' attention inside the true mask, and ``iou`` of the edit's own mask
with the true one; None where there was none."""


@dataclass(frozen=True)
class Job:
    """One configuration with one seed.

    Attributes:
        configuration: What is trained.
        seed: Seed of training and sampling.
        pairs: Folder of training pairs.
        aside: Folder of pairs that no expert is trained on, for the masks of routed editing.
        suite: What is edited and scored.
        out: Folder of the whole reproduction.
        changes: Further changes to the training configuration, for all jobs alike.
    """

    configuration: Configuration
    seed: int
    pairs: Path
    aside: Path
    suite: Suite
    out: Path
    changes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Folder of this job alone."""
        return self.out / self.configuration.name / f"seed-{self.seed}"


def run_job(job: Job, scorer: RSES, say: Callable[[str], None]) -> None:
    """Write ``rows.json``, a row per sample: id, style, the metrics, where it looked."""
    done = job.folder / "rows.json"
    if done.exists():
        return
    experts, owner = {}, _owner(job)
    if job.configuration.trained:
        for style in EXPERT_STYLES:
            say(f"{owner.configuration.name}, seed {job.seed}: training {style}")
            experts[style] = trained_expert(training_config(owner, style))
    say(f"{job.configuration.name}, seed {job.seed}: editing")
    base = training_config(job, next(iter(EXPERT_STYLES))).model.base
    if job.configuration.finder:
        experts[FINDER] = embedded_experts() / f"{expert_name(FINDER)}.safetensors"
    pipe = RegionRoutePipeline.from_pretrained(base, experts)
    if job.configuration.mask == "own" and not job.configuration.finder:
        if not (owner.folder / GATE_FILE).exists():
            write_gate(owner.folder, fit_on_pairs(pipe, read_pairs(job.aside), Gate().steps).gate)
        pipe.gate = read_gate(owner.folder)
    looks = _edit_suite(pipe, job)
    results = scorer.score_folder(job.folder / "images", suite=job.suite.root, out=job.folder / "score", fresh=True)
    frame = results.to_pandas().set_index("id")
    rows = [
        {"id": sample.id, "style": sample.style, **looks[sample.id],
         "object_error": _number(_object_error(job, sample)),
         **{name: _number(frame.loc[sample.id, name]) for name in METRICS}}
        for sample in job.suite.samples
    ]  # fmt: skip
    # Here, and not in the tables after hours of training.
    if missing := [row["id"] for row in rows if any(row[name] is None for name in COMPARED)]:
        raise RsesError(
            f"{len(missing)} samples have no score ({', '.join(missing[:3])}). Leave them out of the suite.",
            code="missing-samples",
        )
    write_atomic(done, json.dumps(rows).encode())


def training_config(job: Job, style: str) -> TrainConfig:
    """Return the training configuration of one expert."""
    own = [f"{key}={json.dumps(value)}" for key, value in job.configuration.changes.items()]
    # What makes a row what its title says wins over what is asked of all rows.
    changes = [*job.changes, *own, f"run.seed={job.seed}", "run.overlay_every=0", "run.tensorboard=false"]
    return expert_config(style, job.pairs, job.folder / "training", job.out / "cache", changes)


def expert_config(style: str, pairs: Path, out: Path, cache: Path, changes: Sequence[str]) -> TrainConfig:
    """Return the packaged configuration ``mini`` for one style, or ``finder``, in a folder of its own below ``out``."""
    own = [f'data.pairs="{pairs}"', f'data.style="{style}"', f'data.cache="{cache}"',
           f'run.out="{out / expert_name(style)}"']  # fmt: skip
    return load_config(find_config(FINDER if style == FINDER else "mini"), [*changes, *own])


def trained_expert(config: TrainConfig) -> Path:
    """Return the file of an expert, trained if it is not there."""
    finished = Path(config.run.out) / f"{expert_name(config.data.style)}.safetensors"
    return finished if finished.exists() else train(config)


def _owner(job: Job) -> Job:
    """Return the job whose experts are used."""
    other = job.configuration.experts
    return dataclasses.replace(job, configuration=choose([other])[0]) if other else job


def _edit_suite(pipe: RegionRoutePipeline, job: Job) -> Looks:
    """Write the edits to ``images``; return where each looked. What is finished is read, not done again."""
    kept = job.folder / "looks.json"
    if kept.exists():
        found: Looks = json.loads(kept.read_text("utf-8"))
        return found
    looks: Looks = {}
    for start in range(0, len(job.suite), BATCH):
        part = job.suite.samples[start : start + BATCH]
        for sample, edit in zip(part, _edit(pipe, part, job.configuration, job.seed), strict=True):
            write_png(job.folder / "images" / f"{sample.id}.png", edit.image)
            looks[sample.id] = _look(edit, sample)
    write_atomic(kept, json.dumps(looks).encode())
    return looks


def _edit(pipe: RegionRoutePipeline, part: Sequence[Sample], configuration: Configuration, seed: int) -> list[Edit]:
    """Edit plainly, by the model's own mask, or by the true one, as the configuration asks."""
    images = [read_image(sample.image) for sample in part]
    seeds = [sample_seed(seed, sample.id) for sample in part]
    if configuration.mask == "true":
        prompts = [whole_prompt(sample.style) for sample in part]
        whole = pipe.edit(images, prompts, seeds=seeds, styles=[None] * len(part))
        return [
            dataclasses.replace(edit, image=blend(image, edit.image, read_mask(sample.mask).astype(np.float32)))
            for image, edit, sample in zip(images, whole, part, strict=True)
        ]
    return pipe.edit(
        images, [sample.prompt for sample in part], seeds=seeds,
        styles=[sample.style if pipe.styles else None for sample in part], true_cfg=configuration.true_cfg,
        attention=True, routed=configuration.mask == "own",
    )  # fmt: skip


def _look(edit: Edit, sample: Sample) -> dict[str, float | None]:
    truth = np.ascontiguousarray(read_mask(sample.mask))
    mass = None
    if (heat := edit.attention) is not None:
        mask = mask_to_grid(torch.from_numpy(truth), (heat.shape[0], heat.shape[1])).numpy()
        mass = float((heat.reshape(-1) * mask).sum() / heat.sum())
    return {"mass": mass, "iou": None if edit.mask is None else mask_iou(edit.mask, truth)}


def _object_error(job: Job, sample: Sample) -> float:
    """Squared error in [-1, 1] to the classical drawing inside the mask: what pseudo-ground truth asks for."""
    source, mask = read_image(sample.image), read_mask(sample.mask)
    wanted = stylize(source, sample.style, seed=0).astype(np.float64)
    edit = read_image(job.folder / "images" / f"{sample.id}.png").astype(np.float64)
    return float((np.square((edit - wanted)[mask] / 127.5)).mean())


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None

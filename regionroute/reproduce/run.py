"""Train, edit and score one configuration with one seed; everything finished is kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from regionroute.experts import expert_name
from regionroute.pipeline import RegionRoutePipeline
from regionroute.reproduce.editing import edit_suite, fitted_gate
from regionroute.reproduce.plan import Configuration, choose
from regionroute.styles import EXPERT_STYLES
from regionroute.training.config import TrainConfig, find_config, load_config
from regionroute.training.trainer import train
from rses.files.atomic import write_atomic
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.scoring.scorer import RSES
from rses.suites import Sample, Suite

__all__ = ["METRICS", "Job", "run_job"]

METRICS = ("rsm", "lpips_bg", "mse_bg_pm1", "psnr_bg", "style_correct", "rsm_gain", "leakage")
Progress = Callable[[str], None]


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


def run_job(job: Job, scorer: RSES, say: Progress) -> None:
    """Write ``rows.json``, a row a sample: id, style, the metrics, where it looked."""
    done = job.folder / "rows.json"
    if done.exists():
        return
    experts, owner = {}, _owner(job)
    if job.configuration.trained:
        for style in EXPERT_STYLES:
            say(f"{owner.configuration.name}, seed {job.seed}: training {style}")
            experts[style] = _train(owner, style)
    say(f"{job.configuration.name}, seed {job.seed}: editing")
    base = training_config(job, next(iter(EXPERT_STYLES))).model.base
    pipe = RegionRoutePipeline.from_pretrained(base, experts)
    if job.configuration.mask == "own":
        pipe.gate = fitted_gate(pipe, job.aside, owner.folder)
    looks = edit_suite(pipe, job.suite, job.configuration, job.seed, job.folder)
    results = scorer.score_folder(job.folder / "images", suite=job.suite.root, out=job.folder / "score", fresh=True)
    frame = results.to_pandas().set_index("id")
    rows = [
        {"id": sample.id, "style": sample.style, "mass": looks[sample.id].mass, "iou": looks[sample.id].iou,
         "object_error": _object_error(job, sample),
         **{name: _number(frame.loc[sample.id, name]) for name in METRICS}}
        for sample in job.suite.samples
    ]  # fmt: skip
    write_atomic(done, json.dumps(rows).encode())


def training_config(job: Job, style: str) -> TrainConfig:
    """Return the training configuration of one expert."""
    own = [f"{key}={json.dumps(value)}" for key, value in job.configuration.changes.items()]
    # What makes a row what its title says wins over what is asked of all rows.
    changes = [
        *job.changes, *own, f'data.pairs="{job.pairs}"', f'data.style="{style}"', f"run.seed={job.seed}",
        f'run.out="{job.folder / "training" / expert_name(style)}"', f'data.cache="{job.out / "cache"}"',
        "run.overlay_every=0", "run.tensorboard=false",
    ]  # fmt: skip
    return load_config(find_config("mini"), changes)


def _owner(job: Job) -> Job:
    """Return the job whose experts are used."""
    other = job.configuration.experts
    return dataclasses.replace(job, configuration=choose([other])[0]) if other else job


def _train(job: Job, style: str) -> Path:
    config = training_config(job, style)
    finished = Path(config.run.out) / f"{expert_name(style)}.safetensors"
    return finished if finished.exists() else train(config)


def _object_error(job: Job, sample: Sample) -> float:
    """Squared error in [-1, 1] to the classical drawing inside the mask: what pseudo-ground truth asks for."""
    from baselines.classical import stylize

    source, mask = read_image(sample.image), read_mask(sample.mask)
    wanted = stylize(source, sample.style, seed=0).astype(np.float64)
    edit = read_image(job.folder / "images" / f"{sample.id}.png").astype(np.float64)
    return float((np.square((edit - wanted)[mask] / 127.5)).mean())


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None

"""Train one expert: ``regionroute train --config FILE``."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from regionroute.attention import StyleAttention
from regionroute.base import base_facts, base_source, load_base
from regionroute.data import read_pairs
from regionroute.experts import LoraSettings, add_expert, expert_name, save_expert
from regionroute.styles import FINDER
from regionroute.training.checkpoint import Checkpoint, latest_checkpoint, load_optimiser, remove_old, save_checkpoint
from regionroute.training.config import TrainConfig, require_data
from regionroute.training.encoding import EncodedPair, PairEncoder, collate
from regionroute.training.journal import Journal
from regionroute.training.objective import StepLosses, draw_noise, step_losses
from regionroute.training.watch import draw_overlay
from rses.errors import InputError, Place, RsesError, require
from rses.files.atomic import remove_leftovers, require_writable, write_atomic
from rses.files.lock import holding
from rses.files.places import require_apart
from rses.images.tensors import write_png

Progress = Callable[[int, int, dict[str, float]], None]
MEASURE_EVERY = 50
"""Steps between measurements of the attention mass in a run without attention losses; recording takes time."""


def train(config: TrainConfig, *, fresh: bool = False, progress: Progress | None = None) -> Path:
    """Train an expert, going on from the newest checkpoint in ``config.run.out``.

    Args:
        config: All settings.
        fresh: Forget what the run folder holds.
        progress: Called with (done, total, values) after every step.

    Returns:
        The finished expert's file, ``<out>/<style>.safetensors``.

    Raises:
        InputError: Settings or pairs cannot be used; nothing is written.
        WeightsError: The base model cannot be had.
    """
    require_data(config)
    _require_packages(config)
    finds = config.data.style == FINDER
    pairs = read_pairs(Path(config.data.pairs), None if finds else config.data.style, targets=not finds)
    pairs = pairs[: config.data.limit] if config.data.limit else pairs
    out = Path(config.run.out)
    require_apart(out, {"training pairs": config.data.pairs})
    new = not out.exists()
    # Of several processes of one training, the first holds the folder for all.
    with holding(out) if os.environ.get("RANK", "0") == "0" else contextlib.nullcontext():
        try:
            found = None if fresh else latest_checkpoint(out / "checkpoints", config)
            require_writable(out)
            trainer = Trainer(config)
            trainer.encode(pairs)
        except BaseException:
            if new:
                with contextlib.suppress(OSError):
                    out.rmdir()
            raise
        if trainer.accelerator.is_main_process:
            remove_leftovers(out, out / "overlays", *([Path(config.data.cache)] if config.data.cache else []))
            remove_old(out / "checkpoints")
            # Only now: a mistake above must not cost the run before.
            if fresh:
                _forget(out)
        return trainer.run(found, progress)


class Trainer:
    """Base model, expert, optimiser and data of one run.

    Args:
        config: All settings.
        pipe: A loaded base model, used instead of the one that the configuration names.
    """

    def __init__(self, config: TrainConfig, pipe: Any = None):
        accelerate = require("accelerate", "methods")
        self.config = config
        precision = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}[config.model.dtype]
        self.accelerator = accelerate.Accelerator(
            mixed_precision=precision, gradient_accumulation_steps=config.optimiser.accumulation
        )
        device = self.accelerator.device
        self.pipe = pipe or load_base(
            config.model.base, dtype=config.model.dtype, device=str(device), revision=config.model.revision,
            quantise=config.model.quantise,
        )  # fmt: skip
        _require_text_length(config)
        self.transformer = self.pipe.transformer
        settings = LoraSettings(config.expert.rank, config.expert.streams, config.expert.targets)
        torch.manual_seed(config.run.seed)
        add_expert(self.transformer, config.data.style, settings)
        self.trainable = {name: p for name, p in self.transformer.named_parameters() if p.requires_grad}
        if config.model.gradient_checkpointing:
            self.transformer.enable_gradient_checkpointing()
        self.attention = StyleAttention(self.transformer, config.attention.layers or None)
        self.optimiser = _optimiser(list(self.trainable.values()), config)
        self.data: list[EncodedPair] = []
        self.out = Path(config.run.out)

    def encode(self, pairs: Any) -> None:
        """Encode all pairs, then let go of the encoders, which a large model has no room for."""
        config = self.config
        cache = Path(config.data.cache) if config.data.cache else None
        mini = config.model.base == "mini"
        identity = "mini" if mini else f"{base_source(config.model.base)}@{config.model.revision}"
        encoder = PairEncoder(self.pipe, config.data.resolution, config.model.text_length, cache, identity)
        self.grid = encoder.grid
        self.pairs = list(pairs)
        self.data = [encoder.encode(pair) for pair in self.pairs]
        if self.accelerator.device.type == "cuda":
            for part in (self.pipe.vae, self.pipe.text_encoder, self.pipe.text_encoder_2):
                part.to("cpu")
            torch.cuda.empty_cache()

    def run(self, found: Checkpoint | None = None, progress: Progress | None = None) -> Path:
        """Train to the last step, going on from a checkpoint if one was found; return the expert's file."""
        config, accelerator = self.config, self.accelerator
        done = self._resume(found)
        model, optimiser = accelerator.prepare(self.transformer, self.optimiser)
        main = accelerator.is_main_process
        journal = Journal(self.out, done, config.run.tensorboard) if main else None
        with journal or contextlib.nullcontext():
            for step in range(done, config.optimiser.steps):
                values = self._step(step, model, optimiser)
                if journal is not None:
                    journal.write(step + 1, values)
                    self._write(step + 1, journal)
                if progress is not None and main:
                    progress(step + 1, config.optimiser.steps, values)
        target = self.out / f"{expert_name(config.data.style)}.safetensors"
        if main:
            save_expert(self.transformer, config.data.style, target, _metadata(config))
            write_atomic(self.out / "config.json", (json.dumps(config.to_dict(), indent=2) + "\n").encode())
        accelerator.wait_for_everyone()
        return target

    def _step(self, step: int, model: Any, optimiser: Any) -> dict[str, float]:
        """Take one optimiser step over all micro-batches; return the mean of what was measured."""
        config, accelerator = self.config, self.accelerator
        rate = _rate(step, config)
        for group in optimiser.param_groups:
            group["lr"] = rate
        seen: list[StepLosses] = []
        for rows in self._micro_batches(step):
            with accelerator.accumulate(model), contextlib.ExitStack() as stack:
                losses = self._losses(model, rows, step, stack)
                accelerator.backward(losses.total.mean())
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(list(self.trainable.values()), config.optimiser.max_grad_norm)
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            seen.append(losses)
        names = ["total", "flow", "focus", "cover", "mass"][: 5 if self._records(step) else 4]
        means = torch.stack(
            [torch.stack([getattr(one, name).detach().mean() for one in seen]).mean() for name in names]
        )
        means = accelerator.reduce(means, "mean")
        values = {"loss" if name == "total" else name: float(v) for name, v in zip(names, means, strict=True)}
        # A finite loss can have a gradient that is not; what is written down must be fit to go on from.
        spoilt = [name for name, parameter in self.trainable.items() if not bool(parameter.isfinite().all())]
        if not math.isfinite(values["loss"]) or spoilt:
            what = f"The loss is {values['loss']}" if not spoilt else f"{len(spoilt)} weights are not finite"
            raise RsesError(
                f"{what} at step {step + 1}. Lower [optimiser] learning_rate, or use bfloat16 or float32, in another "
                "out folder or with --fresh; the last checkpoint is untouched.",
                code="not-finite",
            )
        return {**values, "learning_rate": rate}

    def _losses(self, model: Any, rows: list[int], step: int, stack: contextlib.ExitStack) -> StepLosses:
        config, accelerator = self.config, self.accelerator
        batch = collate([self.data[row] for row in rows], accelerator.device, self._dtype)
        shape = (batch.target.shape[1], batch.target.shape[2])
        noise, sigma = draw_noise(batch.ids, step, config.run.seed, shape, config.flow)
        attention = self.attention if self._records(step) else None
        with accelerator.autocast():
            return step_losses(
                model, attention, batch, noise.to(batch.target), sigma.to(accelerator.device), grid=self.grid,
                flow=config.flow, supervision=config.attention, stack=stack,
            )  # fmt: skip

    def _records(self, step: int) -> bool:
        """Whether a step needs its attention maps: always for the losses, else now and then for the log."""
        return self.config.attention.mode != "off" or step == 0 or (step + 1) % MEASURE_EVERY == 0

    @property
    def _dtype(self) -> torch.dtype:
        return getattr(torch, self.config.model.dtype)

    def _micro_batches(self, step: int) -> Iterator[list[int]]:
        """Yield this process's rows of every micro-batch of a step."""
        options, accelerator = self.config.optimiser, self.accelerator
        size, processes = options.batch_size, accelerator.num_processes
        whole = batch_indices(len(self.data), step, size * options.accumulation * processes, self.config.run.seed)
        for start in range(0, len(whole), size * processes):
            first = start + accelerator.process_index * size
            yield whole[first : first + size]

    def _resume(self, found: Checkpoint | None) -> int:
        if found is None:
            return 0
        if found.step > self.config.optimiser.steps:
            raise InputError(
                f"The checkpoint is at step {found.step}, beyond [optimiser] steps = {self.config.optimiser.steps}. "
                "Ask for more steps, or start again with --fresh.",
                code="out-of-range",
            )
        own, kept = ({k: tuple(v.shape) for k, v in part.items()} for part in (self.trainable, found.weights))
        if own != kept:
            raise InputError(
                f"The newest checkpoint in {self.out / 'checkpoints'} holds other tensors than this expert: "
                f"{len(kept)} of which {len(own.items() & kept.items())} fit, {len(own)} expected. Delete that "
                "checkpoint's folder to go on from the one before it, or start again with --fresh.",
                code="mismatch",
            )
        with torch.no_grad():
            for name, parameter in self.trainable.items():
                parameter.copy_(found.weights[name])
        load_optimiser(self.optimiser, found, self.out / "checkpoints")
        return found.step

    def _write(self, step: int, journal: Journal) -> None:
        run, last = self.config.run, step == self.config.optimiser.steps
        # Before the checkpoint: a run that goes on from it does not come by here again.
        if run.overlay_every and (step % run.overlay_every == 0 or last):
            batch = collate(self.data[: run.overlays], self.accelerator.device, self._dtype)
            with self.accelerator.autocast():
                picture = draw_overlay(
                    self.transformer, self.attention, self.pairs[: run.overlays], batch, self.grid, self.config.flow
                )
            write_png(self.out / "overlays" / f"step-{step:06d}.png", picture)
            journal.picture(step, picture)
        if step % run.checkpoint_every == 0 or last:
            save_checkpoint(
                self.out / "checkpoints", step, dict(self.trainable), self.optimiser.state_dict(), self.config
            )


def batch_indices(count: int, step: int, size: int, seed: int) -> list[int]:
    """Return the rows of one step: passes over the data in a new order each, never a row twice before all were seen.

    Example:
        >>> sorted(batch_indices(4, 0, 2, 0) + batch_indices(4, 1, 2, 0))
        [0, 1, 2, 3]
    """
    rows: list[int] = []
    position = step * size
    while len(rows) < size:
        epoch, offset = divmod(position + len(rows), count)
        order = np.random.default_rng([seed, epoch]).permutation(count)
        rows += [int(row) for row in order[offset : offset + size - len(rows)]]
    return rows


def _rate(step: int, config: TrainConfig) -> float:
    """Return the learning rate of a step."""
    options, share = config.optimiser, 1.0
    if step < options.warm_up:
        share = (step + 1) / options.warm_up
    elif options.schedule == "cosine":
        share = 0.5 * (1 + math.cos(math.pi * (step - options.warm_up) / max(1, options.steps - options.warm_up)))
    return options.learning_rate * share


def _optimiser(parameters: list[torch.nn.Parameter], config: TrainConfig) -> torch.optim.Optimizer:
    options = config.optimiser
    kind: Any = torch.optim.AdamW
    if options.name == "adamw8bit":
        kind = require("bitsandbytes", "quantised").optim.AdamW8bit
    result: torch.optim.Optimizer = kind(
        parameters, lr=options.learning_rate, betas=options.betas, eps=options.eps, weight_decay=options.weight_decay
    )
    return result


def _require_packages(config: TrainConfig) -> None:
    """Ask for what only some settings need before weights are loaded and anything is written."""
    if config.optimiser.name == "adamw8bit" or config.model.quantise != "none":
        require("bitsandbytes", "quantised")
    if config.run.tensorboard:
        require("tensorboard", "methods")


def _require_text_length(config: TrainConfig) -> None:
    """Training at another text length than inference is one of the released code's defects."""
    wanted = base_facts(base_source(config.model.base)).text_length
    if config.model.text_length != wanted:
        raise InputError(
            f"[model] text_length is {config.model.text_length}, but edits with {config.model.base} use {wanted} "
            f"tokens. Set text_length = {wanted}: an expert must be trained at the length that it is used at.",
            code="contradiction",
            place=Place(field="model.text_length"),
        )


def _metadata(config: TrainConfig) -> dict[str, str]:
    attention = config.attention
    return {
        "base": "kontext-mini" if config.model.base == "mini" else config.model.base, "revision": config.model.revision,
        "steps": str(config.optimiser.steps), "seed": str(config.run.seed),
        "attention": f"{attention.mode} focus={attention.focus} cover={attention.cover}",
    }  # fmt: skip


def _forget(out: Path) -> None:
    forgotten = out / ".forgotten.tmp"
    for name in ("checkpoints", "overlays", "tensorboard"):
        shutil.rmtree(forgotten, ignore_errors=True)
        # In one step: half a checkpoint would stand in the way of a run that goes on.
        if (out / name).is_dir():
            (out / name).rename(forgotten)
    shutil.rmtree(forgotten, ignore_errors=True)
    (out / "train.jsonl").unlink(missing_ok=True)

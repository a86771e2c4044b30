"""Run a method on a suite and score it; stopped runs go on where they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rses.errors import InputError, RsesError
from rses.files import require_writable, write_atomic
from rses.images import read_image, write_png
from rses.loading import Unit
from rses.masks import read_mask
from rses.methods import EditSample, Method, get_method, sample_seed
from rses.results import Results
from rses.scorer import RSES
from rses.suites import Sample, Suite, load_suite

__all__ = ["generate", "run_bench"]

Progress = Callable[[int, int], None]


def run_bench(
    method: str | Method,
    suite: str | Path | Suite,
    out: str | Path,
    *,
    scorer: RSES | None = None,
    protocol: str = "rses-v1",
    device: str = "auto",
    limit: int | None = None,
    seed: int = 0,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Results:
    """Edit every sample of a suite with a method, then score the edits.

    Args:
        method: Name, ``package.module:Class``, or an object.
        suite: Name, folder, or a loaded suite.
        out: Run folder; edits go to ``images/``. Finished edits are kept when the run is repeated.
        scorer: Used as it is when given; its protocol and device win.
        protocol: Protocol to score with.
        device: Where method and scorer run.
        limit: Use only the first samples.
        seed: Base seed; each sample's own seed follows from it and the sample's id.
        fresh: Forget what ``out`` holds.
        progress: Called with (done, total) over edits and scores together.

    Raises:
        RsesError: Unknown method or suite, or ``out`` holds a run with other settings.

    Returns:
        The scored run, also written to ``out``.
    """
    editor = get_method(method) if isinstance(method, str) else method
    loaded = suite if isinstance(suite, Suite) else load_suite(suite)
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}.")
    samples = loaded.samples[:limit]
    folder = Path(out)
    scorer = scorer or RSES(protocol=protocol, device=device)
    total = 2 * len(samples)
    images = generate(
        editor, samples, loaded, folder, seed=seed, device=device, fresh=fresh,
        progress=None if progress is None else lambda done, _: progress(done, total),
    )  # fmt: skip
    units = [_unit(sample, path) for sample, path in zip(samples, images, strict=True)]
    return scorer.score_units(
        units,
        suite={"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256},
        method=editor.card.name, card={**editor.card.to_dict(), "seed": seed}, out=folder, fresh=fresh,
        progress=None if progress is None else lambda done, _: progress(len(samples) + done, total),
    )  # fmt: skip


def generate(
    method: Method,
    samples: Sequence[Sample],
    suite: Suite,
    folder: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    fresh: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write one edit a sample to ``folder/images``; edits that are there already are kept.

    Raises:
        InputError: ``folder`` holds edits made with other settings.
    """
    require_writable(folder / "images")
    settings = {"method": method.card.to_dict(), "suite": suite.sha256, "seed": seed}
    _check_settings(folder, settings, fresh)
    paths = [folder / "images" / f"{sample.id}.png" for sample in samples]
    if fresh:
        for path in paths:
            path.unlink(missing_ok=True)
    loaded = False
    for done, (sample, path) in enumerate(zip(samples, paths, strict=True), start=1):
        if not path.exists():
            if not loaded:
                method.load(device, "float32")
                loaded = True
            write_png(path, _edit(method, sample, seed))
        if progress is not None:
            progress(done, len(samples))
    return paths


def _edit(method: Method, sample: Sample, seed: int) -> np.ndarray:
    source = read_image(sample.image)
    mask = read_mask(sample.mask) if method.card.mask_used else None
    request = EditSample(
        sample.id, source, sample.object, sample.style, sample.prompt, sample_seed(seed, sample.id), mask
    )
    edited = method.edit([request])[0]
    if edited.dtype != np.uint8 or edited.shape != source.shape:
        raise RsesError(
            f'{method.card.name} returned {edited.dtype} {edited.shape} for "{sample.id}", '
            f"expected uint8 {source.shape}, the source's size."
        )
    return edited


def _check_settings(folder: Path, settings: dict[str, Any], fresh: bool) -> None:
    path = folder / "generation.json"
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    if path.exists() and not fresh and path.read_text("utf-8") != text:
        raise InputError(
            f"{folder} holds edits made with another method, suite or seed. Choose another --out, or pass --fresh."
        )
    write_atomic(path, text.encode("utf-8"))


def _unit(sample: Sample, pred: Path) -> Unit:
    return Unit(
        sample.id, pred, sample.mask, sample.image, sample.style, sample.prompt, sample.object, sample.dataset,
        tuple(sample.tags),
    )  # fmt: skip

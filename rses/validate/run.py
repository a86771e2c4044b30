"""Try a protocol on edits of which it is known beforehand what each column should make of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rses.errors import InputError, Place
from rses.images.decode import read_image
from rses.images.masks import as_mask
from rses.images.nuisances import NUISANCES
from rses.inputs.sample import Sample
from rses.inputs.sources import source_names
from rses.methods import sample_seed
from rses.protocol import Protocol
from rses.scoring.options import RunOptions
from rses.scoring.scorer import RSES
from rses.suites import Suite, load_suite, verify_files
from rses.validate.ladders import LADDERS, STYLE, Scene
from rses.validate.renderers import CHOICES, RENDERERS
from rses.validate.verdict import Seen, Validity, climbs, floor, seen

__all__ = ["renderings", "validate"]


def validate(
    protocol: str | Protocol = "rses-v1",
    suite: str | Path | Suite = "photos",
    *,
    limit: int | None = None,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Validity:
    """Run all ladders, nuisances and renderings under a protocol.

    Args:
        protocol: Its weights must be on this machine.
        suite: Gives pictures and regions, and for nuisances its styles.
        limit: Use only so many samples, evenly spread.
        device: Where to score.
        progress: Called with (done, total).

    Raises:
        RsesError: Unknown protocol or suite, missing weights, or no region that can be scored.
    """
    loaded = suite if isinstance(suite, Suite) else load_suite(suite)
    samples = _spread(loaded, limit)
    verify_files(loaded, samples)
    scorer = RSES(protocol, device=device)
    pictures = list({(sample.image, sample.mask): sample for sample in samples}.values())
    drawn = len(pictures) * (2 + sum(len(ladder.steps) - 1 for ladder in LADDERS))
    rendered = len(pictures) * len(RENDERERS)
    total = drawn + rendered + len(samples) * len(NUISANCES)

    def report(before: int) -> Callable[[int], None] | None:
        return None if progress is None else lambda done: progress(before + done, total)

    results = scorer.score_stream(_drawn(pictures), RunOptions(styles=CHOICES, progress=report(0)))
    found = {sample.id: sample for sample in results.samples}
    keys = [number for number in range(len(pictures)) if found[f"{number} source"].status == "ok"]
    if not keys:
        raise InputError(f"No region of {loaded.name} can be scored: {found['0 source'].note}.", code="empty")
    pictures = [pictures[number] for number in keys]
    shown = renderings(scorer, map(_scene, pictures), report(drawn))
    options = RunOptions(styles=loaded.styles, progress=report(drawn + rendered))
    disturbed = {sample.id: sample for sample in scorer.score_stream(_disturbed(samples), options).samples}
    facts = {name: results.info[name] for name in ("protocol", "weights", "device", "versions")}
    about = {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256, "samples": len(loaded)}
    return Validity(
        {**facts, "suite": about}, len(keys), len(samples), tuple(climbs(found, keys)),
        tuple(floor(name, [disturbed[f"{name} {sample.id}"] for sample in samples]) for name in NUISANCES),
        shown, _scene(pictures[0]),
    )  # fmt: skip


def renderings(
    scorer: RSES, scenes: Iterable[Scene], progress: Callable[[int], None] | None = None
) -> tuple[Seen, ...]:
    """Try all renderings on whole pictures.

    Args:
        scorer: With ``rsm_gain``, ``leakage`` and ``style_correct`` among its metrics.
        scenes: With regions that can be scored.
        progress: Called with the number of edits that are scored.
    """
    edits = (
        _edit(f"{name} {number}", Sample(""), scene, render(scene.image), style)
        for number, scene in enumerate(scenes)
        for name, (style, render) in RENDERERS.items()
    )
    results = scorer.score_stream(edits, RunOptions(styles=CHOICES, progress=progress)).samples
    return tuple(
        seen(name, [sample for sample in results if sample.id.rpartition(" ")[0] == name]) for name in RENDERERS
    )


def _spread(suite: Suite, limit: int | None) -> list[Sample]:
    """Choose samples evenly, for neighbours share their picture or their style."""
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}.", code="out-of-range", place=Place(field="--limit"))
    count = min(limit or len(suite), len(suite))
    names = source_names(sample.image for sample in suite.samples)
    chosen = [suite.samples[number * len(suite) // count] for number in range(count)]
    return [dataclasses.replace(sample, source_name=names[sample.image]) for sample in chosen]


def _scene(sample: Sample) -> Scene:
    image = read_image(sample.image)
    mask = as_mask(sample.mask, (image.shape[0], image.shape[1]), sample.image)[0].numpy() > 0
    # As `rses bench` seeds its methods, so that nuisances are those of the boards.
    return Scene(image, mask, sample_seed(0, sample.id))


def _edit(name: str, sample: Sample, scene: Scene, pred: np.ndarray, style: str) -> Sample:
    # Protocols that compare with the prompt are asked about the style, too.
    return dataclasses.replace(
        sample, id=name, image=scene.image, mask=scene.mask, pred=pred, style=style, prompt=style
    )


def _disturbed(samples: Sequence[Sample]) -> Iterator[Sample]:
    for sample in samples:
        scene = _scene(sample)
        for name, change in NUISANCES.items():
            yield _edit(f"{name} {sample.id}", sample, scene, change(scene.image, scene.seed), sample.style)


def _drawn(pictures: Sequence[Sample]) -> Iterator[Sample]:
    for number, sample in enumerate(pictures):
        scene = _scene(sample)
        yield _edit(f"{number} source", sample, scene, scene.image, STYLE)
        yield _edit(f"{number} edit", sample, scene, scene.edited, STYLE)
        for ladder in LADDERS:
            for step in ladder.steps[1:]:
                yield _edit(f"{number} {ladder.name} {step}", sample, scene, ladder.draw(scene, step), STYLE)

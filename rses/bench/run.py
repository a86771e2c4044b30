"""Run a method on a suite and score its edits as they come."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rses.bench.background import in_background
from rses.bench.forget import nothing_left_behind
from rses.bench.generation import Generation, Settings, package_versions
from rses.bench.plan import select
from rses.bench.predictions import Predictions
from rses.errors import RsesError
from rses.files.atomic import remove_leftovers, remove_new_folders
from rses.files.lock import LOCK, exclusive
from rses.files.places import require_apart, require_utf8
from rses.images.file import FileCache
from rses.inputs.sources import source_names
from rses.methods import Method, get_method, read_card
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.shard import Shard
from rses.scoring.options import RunOptions
from rses.scoring.scorer import RSES
from rses.suites import Sample, Suite, load_suite, verify_files

__all__ = ["run_bench"]

Progress = Callable[[int, int], None]


def run_bench(
    method: str | Method,
    suite: str | Path | Suite,
    out: str | Path,
    *,
    scorer: RSES | None = None,
    protocol: str = "rses-v1",
    device: str = "auto",
    dtype: str = "auto",
    batch_size: int | str = "auto",
    limit: int | None = None,
    shard: Shard | None = None,
    seed: int = 0,
    fresh: bool = False,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> Results:
    """Edit every sample of a suite with a method, and score the edits as they come.

    Args:
        method: Name, ``package.module:Class``, or an object.
        suite: Name, folder, or a loaded suite.
        out: Run folder; edits go to ``images/``. Finished work is kept when the run is repeated.
        scorer: Used as it is when given; its protocol and device win.
        protocol: Protocol to score with.
        device: Where method and scorer run.
        dtype: Precision of the method; "auto" is float32 on a CPU and the card's own on a GPU.
        batch_size: Most samples edited together; halved on a GPU that runs out of memory.
        limit: Use only the first samples.
        shard: Of those, use only this machine's share.
        seed: Base seed; each sample's own seed follows from it and the sample's id.
        fresh: Forget what ``out`` holds.
        retry_failed: Edit samples again that failed in an earlier run.
        progress: Called with (done, total) over samples that are edited and scored, or have failed.

    Raises:
        RsesError: Unknown method or suite, files of the suite were changed, ``out`` holds a run with other settings
            or is in use, or no sample at all could be edited. What fails before the first edit leaves nothing
            in ``out``.

    Returns:
        The scored run, also written to ``out``; samples whose edit failed have the status "failed".
    """
    editor = get_method(method) if isinstance(method, str) else method
    read_card(editor)
    loaded = suite if isinstance(suite, Suite) else load_suite(suite)
    samples, folder = select(loaded.samples, limit, shard), Path(out).absolute()
    require_utf8(folder, loaded.root)
    require_apart(folder, {"the suite": loaded.root, "edits that are read": getattr(editor, "folder", None)})
    if isinstance(editor, Predictions):
        editor.check_names([sample.id for sample in loaded.samples])
    files = FileCache()
    verify_files(loaded, samples, files)
    with remove_new_folders(folder, LOCK), exclusive(folder), nothing_left_behind(folder):
        remove_leftovers(folder, folder / "images")
        scorer = scorer or RSES(protocol=protocol, device=device)
        settings = Settings(seed, device, dtype, batch_size, retry_failed, fresh)
        generation = Generation(editor, samples, loaded, folder, settings, files=files)
        results = _score(scorer, generation, folder, progress, fresh)
        if len(generation.failures) == len(samples):
            raise RsesError(_nothing_worked(generation), code="failed")
        facts = {**results.info, "generation": _facts(generation, loaded, limit, shard)}
        results = dataclasses.replace(results, info=facts)
        results.save(folder)
    return results


def _score(scorer: RSES, generation: Generation, folder: Path, progress: Progress | None, fresh: bool) -> Results:
    """Score edits while they are made; two models on one CPU would only slow each other down, so there, in turns."""
    lost: list[SampleResult] = []

    def report(scored: int) -> None:
        if progress is not None:
            progress(scored + len(generation.failures), len(generation.samples))

    def units() -> Iterator[Sample]:
        names = source_names(sample.image for sample in generation.suite.samples)
        report(0)
        for sample, path in generation:
            yield dataclasses.replace(sample, pred=path, source_name=names[sample.image])

    def arriving() -> Iterator[Sample]:
        on_gpu = generation.device.type != "cpu"
        yield from in_background(units()) if on_gpu else units()
        lost.extend(_failed(sample, generation) for sample in generation.samples if sample.id in generation.failures)

    suite, card = generation.suite, generation.method.card
    return scorer.score_stream(arriving(), RunOptions(
        styles={sample.style for sample in suite.samples}, missing=lost,
        suite={"name": suite.name, "version": suite.version, "sha256": suite.sha256},
        method=card.name, card={**card.to_dict(), "seed": generation.settings.seed}, out=folder, fresh=fresh,
        # A mask that cannot be used is the suite's fault, and no reason to lose hours of edits.
        allow_missing=True, files=generation.files,
        progress=report,
    ))  # fmt: skip


def _facts(generation: Generation, suite: Suite, limit: int | None, shard: Shard | None) -> dict[str, Any]:
    sizes = sorted({str(details["size"]) for details in generation.details.values() if "size" in details})
    return {
        "device": generation.device.type, "dtype": generation.dtype, "loaded": generation.loaded,
        "limit": limit, "shard": None if shard is None else str(shard), "suite_samples": len(suite.samples),
        "failed": len(generation.failures), "sizes": sizes, "batch_size": generation.batch_size,
        "versions": dict(package_versions()),
    }  # fmt: skip


def _failed(sample: Sample, generation: Generation) -> SampleResult:
    result = sample.result(status="failed", note=generation.failures[sample.id])
    return dataclasses.replace(result, source=None)


def _nothing_worked(generation: Generation) -> str:
    reasons = Counter(generation.failures.values())
    shown = " ".join(f"{reason} ({number} of them)." for reason, number in reasons.most_common(3))
    more = f" And {len(reasons) - 3} other reasons." if len(reasons) > 3 else ""
    return (
        f"{generation.method.card.name} edited none of {len(generation.samples)} samples: {shown}{more} "
        "Fix that and repeat; add --fresh where --out held a run before."
    )

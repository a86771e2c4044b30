"""Is a submission what it says? Protocol, suite, weights, coverage, arithmetic, images, and scores made again."""

from __future__ import annotations

import contextlib
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from rses.errors import InputError, RsesError
from rses.files.atomic import sha256_file
from rses.files.names import folded
from rses.files.untrusted import shown
from rses.functional.combined import style_success
from rses.inputs.sample import Sample
from rses.inputs.sources import source_names
from rses.leaderboard.again import RELATIVE, score_again, some_of
from rses.leaderboard.own_run import is_own_run, own_protocol, read_own_run, units_to_score
from rses.leaderboard.pack import pack_run
from rses.leaderboard.submission import MANIFEST, Submission, read_submission
from rses.protocol import PROTOCOLS, Protocol, get_protocol
from rses.report.inputs import recorded_places
from rses.runs.migrate import alike, logit_scale_of
from rses.runs.summary import summarise
from rses.suites import Suite, list_suites, load_suite
from rses.table import METRICS

__all__ = ["Verdict", "verify"]

# The summary is computed from the same doubles; a platform may add them in another order.
ARITHMETIC, SLACK = 1e-7, 1e-12
MAX_IMAGE = 64 << 20
# Mean absolute difference in 8-bit steps; the JPEG quality of previews stays well below.
MAX_PREVIEW_ERROR = 12.0
OPTIONAL = frozenset({"warnings"})
"""Keys that a summary may lack, and from which no number follows."""


@dataclass(frozen=True)
class Verdict:
    """What was checked, and what could not be."""

    method: str
    board: tuple[str, str]
    checked: tuple[str, ...]
    notes: tuple[str, ...]
    rescored: int

    def __str__(self) -> str:
        where = f" on {self.board[0]}" if self.board[0] else ""
        lines = [f"{self.method}{where} under {self.board[1]}: verified"]
        return "\n".join([*lines, *(f"  ok    {text}" for text in self.checked), *(f"  note  {n}" for n in self.notes)])


def verify(
    place: str | Path,
    *,
    rescore: int | None = None,
    suite: str | Path | None = None,
    device: str = "auto",
    seed: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Check a submission, or a run as if it were submitted.

    Args:
        place: Submission folder or run folder.
        rescore: Number of random edits to score again; all that are there by default, none for 0.
        suite: Folder of the suite, where it is not an embedded one.
        device: Where to score.
        seed: Choice of the edits to score again; at random by default, so that nobody can prepare for it.
        progress: Called with (done, total) while scoring.

    Raises:
        InputError: Lists everything that is not as it should be, naming the field.
    """
    if suite is None and is_own_run(Path(place)):
        return _verify_own(Path(place), rescore, device, seed, progress)
    with _opened(Path(place), suite) as (submission, run_images):
        known = _suite_of(submission, suite, _recorded_suite(Path(place)))
        problems = [*_protocol_problems(submission), *_weights_problems(submission)]
        problems += _suite_problems(submission, known)
        problems += recomputed_problems(submission) + _score_problems(submission)
        images = run_images if run_images is not None else _images_of(submission.folder)
        problems += _file_problems(submission.folder)
        problems += _image_problems(submission, images) or _preview_problems(submission, images)
        if problems:
            raise InputError(problems[:60], f"{place} is refused; {len(problems)} problems:")
        checked = [
            "schema, texts, numbers in range, ids used once",
            f"protocol {submission.board[1]} with hash {submission.results.info['protocol']['hash']}",
            f"suite {known.name} {known.version}, all {len(known)} ids with their styles",
            f"weights {', '.join(_weight_names(submission)) or 'none'}",
            "summary follows from the samples",
            f"hashes of {len(submission.images)} images",
        ]
        chosen = some_of(sorted(images.keys() & submission.images.keys()), rescore, seed)
        if chosen:
            names = source_names(sample.image for sample in known.samples)
            units = [
                replace(sample, pred=images[sample.id], source_name=names[sample.image])
                for sample in known.samples
                if sample.id in chosen
            ]
            protocol = get_protocol(submission.board[1])
            styles = {sample.style for sample in known.samples}
            problems = _rescore(submission, protocol, units, styles, device, progress)
            if problems:
                raise InputError(problems[:60], f"{place} is refused; scored again, it gives other numbers:")
            checked.append(f"{len(chosen)} images scored again")
        notes = [] if images else ["no images are there, so no score was made again"]
        if submission.card == {}:
            notes.append("there is no method card; whether the mask was used at inference is unknown")
        return Verdict(submission.method, submission.board, tuple(checked), tuple(notes), len(chosen))


@contextlib.contextmanager
def _opened(place: Path, suite: str | Path | None) -> Iterator[tuple[Submission, dict[str, Path] | None]]:
    with tempfile.TemporaryDirectory(prefix="rses-verify-") as folder:
        if place.is_file():
            raise InputError(f"{place} is a file, expected the folder of a submission or of a run. Unpack it first.")
        if (place / MANIFEST).exists() or not (place / "summary.json").exists():
            yield read_submission(place), None
        else:
            packed = pack_run(place, Path(folder) / "packed", previews=0, suite=suite)
            yield packed, _run_images(place, packed, suite)


def _verify_own(
    run: Path, rescore: int | None, device: str, seed: int | None, progress: Callable[[int, int], None] | None
) -> Verdict:
    """Check a run that was scored from folders of its own: it has no board, but its numbers can be made again."""
    summary, results = read_own_run(run)
    submission = Submission(run, {}, summary, results)
    problems = [*_weights_problems(submission), *recomputed_problems(submission), *_score_problems(submission)]
    if problems:
        raise InputError(problems[:60], f"{run} is refused; {len(problems)} problems:")
    protocol = own_protocol(results.info)
    checked = ["schema, texts, numbers in range, ids used once", f"protocol {protocol.id} with hash {protocol.hash}"]
    checked += [f"weights {', '.join(_weight_names(submission)) or 'none'}", "summary follows from the samples"]
    units = {unit.id: unit for unit in units_to_score(run, results)} if rescore != 0 else {}
    chosen = some_of(sorted(units), rescore, seed)
    if chosen:
        styles = {sample.style for sample in results.samples if sample.style}
        problems = _rescore(submission, protocol, [units[name] for name in chosen], styles, device, progress)
        if problems:
            raise InputError(problems[:60], f"{run} is refused; scored again, it gives other numbers:")
        checked.append(f"{len(chosen)} images scored again")
    notes = ["the run names no suite, so it has no board; sources and masks are those of its folders today"]
    return Verdict(submission.method, submission.board, tuple(checked), tuple(notes), len(chosen))


def _run_images(run: Path, submission: Submission, suite: str | Path | None) -> dict[str, Path]:
    from rses.report.inputs import run_files

    files = run_files(run, submission.results, suite) or {}
    return {name: files[name].pred for name in submission.images if files[name].pred is not None}  # type: ignore[misc]


def _images_of(folder: Path) -> dict[str, Path]:
    root = folder / "images"
    if not root.is_dir() or root.is_symlink():
        return {}
    return {folded(path.stem): path for path in sorted(root.iterdir()) if path.is_file() or path.is_symlink()}


def _recorded_suite(place: Path) -> Path | None:
    """Return the folder of a suite that a run of this machine was made on."""
    found = recorded_places(place).get("suite") if (place / "summary.json").exists() else None
    return found if isinstance(found, Path) and not (place / MANIFEST).exists() else None


def _suite_of(submission: Submission, suite: str | Path | None, recorded: Path | None) -> Suite:
    name = submission.board[0]
    if suite is None and recorded is not None:
        return load_suite(recorded)
    if suite is None and name not in list_suites():
        raise InputError(f"{shown(name)} is not an embedded suite; give its folder with --suite DIR.")
    return load_suite(suite if suite is not None else name)


def _protocol_problems(submission: Submission) -> list[str]:
    record = submission.results.info["protocol"]
    protocol = PROTOCOLS.get(str(record.get("id")))
    if protocol is None:
        return [f"protocol.id {shown(record.get('id'))} is none of {', '.join(PROTOCOLS)}"]
    problems = []
    if record.get("hash") != protocol.hash:
        problems.append(f"protocol.hash is {shown(record.get('hash'))}, {protocol.id} has {protocol.hash}")
    knobs = record.get("knobs") or {}
    changed = [key for key in {*knobs, *protocol.knobs} if knobs.get(key) != protocol.knobs.get(key)]
    return problems + [f"protocol.knobs.{key} is not that of {protocol.id}" for key in sorted(changed)]


def _weight_names(submission: Submission) -> list[str]:
    weights = submission.results.info["weights"]
    return sorted({str(entry.get("id")) for entry in weights.values() if isinstance(entry, dict)})


def _weights_problems(submission: Submission) -> list[str]:
    """Weights must be the protocol's; the embedded ones must be the very file of this version."""
    info = submission.results.info
    protocol = PROTOCOLS.get(str(info["protocol"].get("id")))
    problems = []
    for role, expected in (
        ("style", protocol.style_backbone if protocol else None),
        ("perceptual", protocol.perceptual_backbone if protocol else None),
    ):
        entry = info["weights"].get(role)
        if entry is None:
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
            problems.append(f"weights.{role} must give id and sha256")
        elif expected is not None and entry.get("id") != expected:
            problems.append(f"weights.{role}.id is {shown(entry.get('id'))}, the protocol says {expected}")
        elif entry["id"] == "rses-mini" and entry["sha256"] != embedded_digest():
            problems.append(f"weights.{role}.sha256 is not that of the embedded weights of this version")
    return problems


def embedded_digest() -> str:
    folder = resources.files("benchmark_data").joinpath("models").joinpath("rses-mini")
    return str(json.loads(folder.joinpath("config.json").read_text("utf-8"))["sha256"])


def _suite_problems(submission: Submission, suite: Suite) -> list[str]:
    record = submission.results.info["suite"]
    problems = [
        f"suite.{key} is {shown(record.get(key))}, expected {shown(expected)}"
        for key, expected in (("name", suite.name), ("version", suite.version), ("sha256", suite.sha256))
        if record.get(key) != expected
    ]
    samples = {sample.id: sample for sample in submission.results.samples}
    expected_ids = {sample.id for sample in suite.samples}
    absent, extra = sorted(expected_ids - samples.keys()), sorted(samples.keys() - expected_ids)
    if absent:
        problems.append(
            f"{len(absent)} of {len(suite)} samples of the suite are not accounted for, e.g. {shown(absent[0])}"
        )
    if extra:
        problems.append(f"{len(extra)} ids are not in the suite, e.g. {shown(extra[0])}")
    facts = submission.results.info.get("generation")
    whole = facts.get("suite_samples", len(suite)) if isinstance(facts, dict) else len(suite)
    if whole != len(suite):
        problems.append(f"generation.suite_samples is {shown(whole)}, the suite has {len(suite)}")
    names = source_names(sample.image for sample in suite.samples)
    for sample in suite.samples:
        found = samples.get(sample.id)
        if found is None or found.status == "missing":
            continue
        facts = {
            "style": sample.style, "object": sample.object, "dataset": sample.dataset, "tags": tuple(sample.tags),
        }  # fmt: skip
        problems += [
            f"{sample.id}: {key} is {shown(getattr(found, key))}, the suite says {shown(value)}"
            for key, value in facts.items()
            if getattr(found, key) != value
        ]
        # Samples of one source are one observation: without its name, intervals would be too narrow.
        if found.source != names[sample.image] and (found.source is not None or found.status == "ok"):
            problems.append(
                f"{sample.id}: source is {shown(found.source)}, the suite says {shown(names[sample.image])}"
            )
    return problems


def recomputed_problems(submission: Submission) -> list[str]:
    """Compute the summary again from the samples."""
    stored = submission.summary
    expected = summarise(submission.results.samples, submission.results.info)
    if stored.get("schema") == 2:
        stored, expected = alike(stored, expected)
    absent = expected.keys() - stored.keys() - OPTIONAL
    problems = [f"summary.json: {key} is missing" for key in sorted(absent)]
    problems += [f"summary.json: {shown(key)} is not a key of a summary" for key in stored.keys() - expected.keys()]
    for key in sorted(expected.keys() & stored.keys() - {"schema", "info"} - OPTIONAL):
        problems += _differences(stored[key], expected[key], key)
    info = submission.results.info
    wanted = {info["metrics"].index(n) if isinstance(n, str) and n in METRICS else None for n in info["metrics"]}
    if None in wanted:
        problems.append("summary.json: info.metrics names a metric that does not exist")
    return problems


def _score_problems(submission: Submission) -> list[str]:
    """What tables are sorted by must follow from the gain with the encoder's own logit scale, where that is known."""
    scale = logit_scale_of(submission.results.info)
    problems = []
    for sample in submission.results.samples:
        if scale is None or sample.style_success is None or sample.rsm_gain is None:
            continue
        expected = style_success(sample.rsm_gain, scale)
        if not math.isclose(sample.style_success, expected, abs_tol=RELATIVE):
            problems.append(f"{sample.id}: style_success is {sample.style_success:g}, rsm_gain gives {expected:g}")
    return problems


def _differences(stored: Any, expected: Any, path: str) -> list[str]:
    if isinstance(expected, dict) and isinstance(stored, dict):
        absent, extra = sorted(expected.keys() - stored.keys()), sorted(map(str, stored.keys() - expected.keys()))
        problems = [f"summary.json: {path}.{key} is missing" for key in absent]
        problems += [f"summary.json: {path}.{key[:80]} follows from no sample" for key in extra]
        for key in sorted(expected.keys() & stored.keys()):
            problems += _differences(stored[key], expected[key], f"{path}.{key}")
        return problems
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (stored, expected))
    if numbers and math.isclose(stored, expected, rel_tol=ARITHMETIC, abs_tol=SLACK):
        return []
    if type(stored) is type(expected) and stored == expected:
        return []
    return [f"summary.json: {path} is {shown(stored)}, the samples give {shown(expected)}"]


def _file_problems(folder: Path) -> list[str]:
    """Nothing but a submission may lie in its folder, and one image per sample."""
    known = {MANIFEST, "summary.json", "samples.parquet", "images", "previews"}
    problems = [
        f"{path.name} is no part of a submission" for path in sorted(folder.iterdir()) if path.name not in known
    ]
    for name in ("images", "previews"):
        stems: set[str] = set()
        for path in sorted((folder / name).iterdir()) if (folder / name).is_dir() else ():
            if path.is_dir():
                problems.append(f"{name}/{path.name} is a folder; only files belong there")
            elif folded(path.stem) in stems:
                problems.append(f"{name}/{path.name} is a second picture of {shown(path.stem)}")
            stems.add(folded(path.stem))
    return problems


def _image_problems(submission: Submission, images: dict[str, Path]) -> list[str]:
    scored = {sample.id for sample in submission.results.samples if sample.status == "ok"}
    hashes = submission.images
    problems = []
    if hashes.keys() != scored:
        some = sorted(hashes.keys() ^ scored)[0]
        problems.append(
            f"{MANIFEST}: images must have a SHA-256 for every scored sample and no other; see {shown(some)}"
        )
    for name, path in images.items():
        if path.is_symlink():
            problems.append(f"images/{path.name} is a symbolic link; put the file itself there")
        elif name not in hashes:
            problems.append(f"images/{path.name} belongs to no scored sample")
        elif path.stat().st_size > MAX_IMAGE:
            problems.append(f"images/{path.name} is larger than {MAX_IMAGE >> 20} MB")
        elif sha256_file(path) != hashes[name]:
            problems.append(f"images/{path.name} is not the image that was scored: its SHA-256 differs")
    return problems


def _preview_problems(submission: Submission, images: dict[str, Path]) -> list[str]:
    """A preview must show the edit that was scored, as far as JPEG allows."""
    import numpy as np

    from rses.images.decode import read_image
    from rses.leaderboard.pack import PREVIEW_SIDE
    from rses.report.thumbs import fit

    folder, problems = submission.folder / "previews", []
    for path in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []:
        if path.is_symlink() or path.suffix != ".jpg" or folded(path.stem) not in submission.images:
            problems.append(f"previews/{path.name} is no preview of a scored sample")
            continue
        try:
            small = read_image(path, max_pixels=PREVIEW_SIDE**2)
        except InputError as error:
            problems.append(f"previews/{path.name} cannot be read: {error}")
            continue
        if folded(path.stem) in images:
            try:
                image = fit(read_image(images[folded(path.stem)]), PREVIEW_SIDE)
            except InputError as error:
                problems.append(f"the image of previews/{path.name} cannot be read: {error}")
                continue
            same = small.shape == image.shape
            if not same or np.abs(small.astype(float) - image.astype(float)).mean() > MAX_PREVIEW_ERROR:
                problems.append(f"previews/{path.name} does not show the image that was scored")
    return problems


def _rescore(
    submission: Submission,
    protocol: Protocol,
    units: Sequence[Sample],
    styles: set[str],
    device: str,
    progress: Callable[[int, int], None] | None,
) -> list[str]:
    from rses.scoring.scorer import RSES

    scorer = RSES(protocol, device=device, metrics=submission.results.info["metrics"])
    try:
        _, changes = score_again(submission.results, scorer, units, styles, progress)
    except RsesError as error:
        return [f"the images cannot be scored: {error}"]
    return [
        f"{change.id}: {change.column} is {shown(change.said)}, scored again {shown(change.found)}"
        for change in changes
        if not change.slight
    ]

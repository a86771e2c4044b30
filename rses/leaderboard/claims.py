"""What a submission claims, compared with what is known: protocol, weights, suite, summary, images."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from rses.backbones.specs import MINI_ID
from rses.errors import InputError, Place, Problem
from rses.files.atomic import sha256_file
from rses.files.names import folded
from rses.files.untrusted import shown
from rses.functional.combined import style_success
from rses.inputs.sources import source_names
from rses.leaderboard.submission import MANIFEST, Submission
from rses.protocol import PROTOCOLS
from rses.runs.migrate import alike, logit_scale_of
from rses.runs.summary import summarise
from rses.suites import Suite

__all__ = [
    "embedded_digest", "file_problems", "image_problems", "preview_problems", "protocol_problems", "score_problems",
    "suite_problems", "summary_problems", "weight_names", "weights_problems",
]  # fmt: skip

# The summary is computed from the same doubles; a platform may add them in another order.
ARITHMETIC, SLACK = 1e-7, 1e-12
# A checkpoint may store its logit scale in half precision.
SCALE_SLACK = 2e-3
MAX_IMAGE = 64 << 20
# Mean absolute difference in 8-bit steps; the JPEG quality of previews stays well below.
MAX_PREVIEW_ERROR = 12.0


def _claim(field: str, text: str, code: str = "contradiction", file: str = "summary.json") -> Problem:
    return Problem(text, code, Place(file, field=field))


def _differs(field: str, claimed: object, expected: object, whose: str = "expected") -> Problem:
    return _claim(field, f"{field.removeprefix('info.')} is {shown(claimed)}, {whose} {shown(expected)}")


def protocol_problems(submission: Submission) -> Iterator[Problem]:
    """Protocols must be known, and unchanged."""
    record = submission.results.info["protocol"]
    protocol = PROTOCOLS.get(record["id"])
    if protocol is None:
        text = f"protocol.id {shown(record['id'])} is none of {', '.join(PROTOCOLS)}"
        yield _claim("info.protocol.id", text, "unknown-value")
        return
    if record.get("hash") != protocol.hash:
        yield _differs("info.protocol.hash", record.get("hash"), protocol.hash, f"{protocol.id} has")
    knobs = record.get("knobs") or {}
    for key in sorted({*knobs, *protocol.knobs}):
        if knobs.get(key) != protocol.knobs.get(key):
            yield _claim(f"info.protocol.knobs.{key}", f"protocol.knobs.{key} is not that of {protocol.id}")


def weight_names(submission: Submission) -> list[str]:
    """Return the ids of the weights that were used."""
    weights = submission.results.info["weights"]
    return sorted({str(entry.get("id")) for entry in weights.values() if isinstance(entry, dict)})


def weights_problems(submission: Submission) -> Iterator[Problem]:
    """Weights must be the protocol's; the embedded ones must be the very file of this version."""
    info = submission.results.info
    protocol = PROTOCOLS.get(info["protocol"]["id"])
    for role in ("style", "perceptual"):
        expected = getattr(protocol, f"{role}_backbone", None)
        entry, field = info["weights"].get(role), f"info.weights.{role}"
        if entry is None:
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
            yield _claim(field, f"weights.{role} must give id and sha256", "wrong-type")
        elif expected is not None and entry.get("id") != expected:
            yield _differs(f"{field}.id", entry.get("id"), expected, "the protocol says")
        elif entry["id"] == MINI_ID and entry["sha256"] != embedded_digest():
            text = f"weights.{role}.sha256 is not that of the embedded weights of this version"
            yield _claim(f"{field}.sha256", text)


def embedded_digest() -> str:
    """Return the SHA-256 of the embedded weights."""
    folder = resources.files("benchmark_data").joinpath("models").joinpath("rses-mini")
    return str(json.loads(folder.joinpath("config.json").read_text("utf-8"))["sha256"])


def suite_problems(submission: Submission, suite: Suite) -> Iterator[Problem]:
    """Every sample of the suite is accounted for, with the suite's own texts."""
    info = submission.results.info
    for key, value in (("name", suite.name), ("version", suite.version), ("sha256", suite.sha256)):
        if info["suite"].get(key) != value:
            yield _differs(f"info.suite.{key}", info["suite"].get(key), value)
    samples = {sample.id: sample for sample in submission.results.samples}
    known = {sample.id for sample in suite.samples}
    if absent := sorted(known - samples.keys()):
        text = f"{len(absent)} of {len(suite)} samples of the suite are not accounted for, e.g. {shown(absent[0])}"
        yield _claim("id", text, "missing-samples", "samples.parquet")
    if extra := sorted(samples.keys() - known):
        text = f"{len(extra)} ids are not in the suite, e.g. {shown(extra[0])}"
        yield _claim("id", text, "unknown-samples", "samples.parquet")
    whole = info.get("generation", {}).get("suite_samples", len(suite))
    if whole != len(suite):
        yield _differs("info.generation.suite_samples", whole, len(suite), "the suite has")
    names = source_names(sample.image for sample in suite.samples)
    for sample in suite.samples:
        found = samples.get(sample.id)
        if found is None or found.status == "missing":
            continue
        facts: dict[str, Any] = {key: getattr(sample, key) for key in ("style", "object", "dataset")}
        facts["tags"] = tuple(sample.tags)
        # Samples of one source are one observation: without its name, intervals would be too narrow.
        if found.source is not None or found.status == "ok":
            facts["source"] = names[sample.image]
        for key, value in facts.items():
            if getattr(found, key) != value:
                text = f"{sample.id}: {key} is {shown(getattr(found, key))}, the suite says {shown(value)}"
                yield _claim(key, text, file="samples.parquet")


def summary_problems(submission: Submission) -> Iterator[Problem]:
    """Compute the summary again from the samples."""
    stored = submission.summary
    expected = summarise(submission.results.samples, submission.results.info)
    if stored.get("schema") == 2:
        stored, expected = alike(stored, expected)
    # Summaries of the first version have none; their samples have none either.
    if "warnings" not in stored and not expected["warnings"]:
        del expected["warnings"]
    for key in sorted(expected.keys() - stored.keys()):
        yield _claim(key, f"summary.json: {key} is missing", "missing-key")
    for key in stored.keys() - expected.keys():
        yield _claim(key, f"summary.json: {shown(key)} is not a key of a summary", "unknown-key")
    for key in sorted(expected.keys() & stored.keys() - {"schema", "info"}):
        if key == "warnings":
            yield from _differences(_by_code(stored[key]), _by_code(expected[key]), key)
        else:
            yield from _differences(stored[key], expected[key], key)


def score_problems(submission: Submission) -> Iterator[Problem]:
    """Compute what tables are sorted by from the gain, where the logit scale of the encoder is known."""
    scale = logit_scale_of(submission.results.info)
    for sample in submission.results.samples:
        if scale is None or sample.style_success is None or sample.rsm_gain is None:
            continue
        expected = style_success(sample.rsm_gain, scale)
        if not math.isclose(sample.style_success, expected, abs_tol=SCALE_SLACK):
            text = f"{sample.id}: style_success is {sample.style_success:g}, rsm_gain gives {expected:g}"
            yield _claim("style_success", text, file="samples.parquet")


def _by_code(groups: Any) -> Any:
    """Return warnings by code, without their sentences, which another version may word otherwise."""
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        return groups
    return {str(group.get("code")): {key: group[key] for key in group if key != "text"} for group in groups}


def _differences(stored: Any, expected: Any, path: str) -> Iterator[Problem]:
    if isinstance(expected, dict) and isinstance(stored, dict):
        for key in sorted(expected.keys() - stored.keys()):
            yield _claim(f"{path}.{key}", f"summary.json: {path}.{key} is missing", "missing-key")
        for key in sorted(map(str, stored.keys() - expected.keys())):
            yield _claim(f"{path}.{key}", f"summary.json: {path}.{key[:80]} follows from no sample", "unknown-key")
        for key in sorted(expected.keys() & stored.keys()):
            yield from _differences(stored[key], expected[key], f"{path}.{key}")
        return
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (stored, expected))
    if numbers and math.isclose(stored, expected, rel_tol=ARITHMETIC, abs_tol=SLACK):
        return
    if type(stored) is not type(expected) or stored != expected:
        yield _claim(path, f"summary.json: {path} is {shown(stored)}, the samples give {shown(expected)}")


def file_problems(folder: Path) -> Iterator[Problem]:
    """Nothing but a submission may lie in its folder, and one image per sample."""
    known = {MANIFEST, "summary.json", "samples.parquet", "images", "previews"}
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            yield Problem(f"{path.name} is no part of a submission", "unknown-file", Place(path.name))
    for name in ("images", "previews"):
        stems: set[str] = set()
        for path in sorted((folder / name).iterdir()) if (folder / name).is_dir() else ():
            place = f"{name}/{path.name}"
            if path.is_dir():
                yield Problem(f"{place} is a folder; only files belong there", "unknown-file", Place(place))
            elif folded(path.stem) in stems:
                yield Problem(f"{place} is a second picture of {shown(path.stem)}", "used-twice", Place(place))
            stems.add(folded(path.stem))


def image_problems(submission: Submission, images: dict[str, Path]) -> Iterator[Problem]:
    """Images must be the very ones that were scored."""
    scored = {sample.id for sample in submission.results.samples if sample.status == "ok"}
    hashes = submission.images
    if odd := sorted(hashes.keys() ^ scored):
        text = f"{MANIFEST}: images must have a SHA-256 for every scored sample and no other; see {shown(odd[0])}"
        yield _claim("images", text, "missing-key", MANIFEST)
    for name, path in images.items():
        place = f"images/{path.name}"
        if path.is_symlink():
            yield Problem(f"{place} is a symbolic link; put the file itself there", "link", Place(place))
        elif name not in hashes:
            yield Problem(f"{place} belongs to no scored sample", "unknown-file", Place(place))
        elif path.stat().st_size > MAX_IMAGE:
            yield Problem(f"{place} is larger than {MAX_IMAGE >> 20} MB", "too-large", Place(place))
        elif sha256_file(path) != hashes[name]:
            text = f"{place} is not the image that was scored: its SHA-256 differs"
            yield Problem(text, "changed-file", Place(place))


def preview_problems(submission: Submission, images: dict[str, Path]) -> Iterator[Problem]:
    """A preview must show the edit that was scored, as far as JPEG allows."""
    folder = submission.folder / "previews"
    for path in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []:
        place = f"previews/{path.name}"
        if path.is_symlink() or path.suffix != ".jpg" or folded(path.stem) not in submission.images:
            yield Problem(f"{place} is no preview of a scored sample", "unknown-file", Place(place))
            continue
        try:
            same = _shows(path, images.get(folded(path.stem)))
        except InputError as error:
            yield Problem(f"{place}, or its image, cannot be read: {error}", "unreadable", Place(place))
            continue
        if not same:
            yield Problem(f"{place} does not show the image that was scored", "changed-file", Place(place))


def _shows(preview: Path, image: Path | None) -> bool:
    """Whether a preview is a small copy of an image; where that is not at hand, it must be a picture."""
    import numpy as np

    from rses.images.decode import read_image
    from rses.leaderboard.pack import PREVIEW_SIDE
    from rses.report.thumbs import fit

    small = read_image(preview, max_pixels=PREVIEW_SIDE**2)
    if image is None:
        return True
    whole = fit(read_image(image), PREVIEW_SIDE)
    return small.shape == whole.shape and bool(
        np.abs(small.astype(float) - whole.astype(float)).mean() <= MAX_PREVIEW_ERROR
    )

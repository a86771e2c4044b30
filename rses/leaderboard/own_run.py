"""A run that names no suite, checked against the files that it was scored from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place, Problem, RsesError
from rses.files.names import listed
from rses.inputs.pairing import Pairing, pair_folder
from rses.inputs.sample import Sample
from rses.leaderboard.submission import read_json
from rses.protocol import Protocol, get_protocol
from rses.report.inputs import INPUTS, recorded_places
from rses.runs.results import Results

__all__ = ["is_own_run", "names_no_suite", "own_protocol", "samples_to_score"]

AGAIN = "or score again with `rses score --pred DIR --masks DIR --source DIR --style TEXT --out RUN`"


def is_own_run(place: Path) -> bool:
    """Whether a folder is a run that was scored from folders of its own, so that it has no board to stand on."""
    summary = place / "summary.json"
    if not summary.is_file() or (place / "submission.json").exists():
        return False
    info = read_json(summary).get("info")
    return isinstance(info, dict) and names_no_suite(info)


def names_no_suite(info: Mapping[str, Any]) -> bool:
    """Whether what a run says of itself names a folder of its own in place of a suite.

    Example:
        >>> names_no_suite({"suite": {"name": "edits"}}), names_no_suite({"suite": {"name": "mini", "sha256": "0a"}})
        (True, False)
    """
    suite = info.get("suite")
    return isinstance(suite, dict) and suite.get("sha256") is None


def own_protocol(info: dict[str, Any]) -> Protocol:
    """Return the protocol that a run names, with the settings that it records.

    Raises:
        InputError: There is none of that name, or its settings do not give its hash.
    """
    record = info["protocol"]
    name, knobs = str(record.get("id")), record.get("knobs") or {}
    try:
        found = get_protocol(name.removesuffix("+custom")).replace(**knobs)
    except (RsesError, TypeError, ValueError) as error:
        raise InputError(f"protocol: {error}", code="unknown-name") from error
    if (found.id, found.hash) != (name, record.get("hash")):
        raise InputError(
            f"protocol.hash is {record.get('hash')}, its settings give {found.id} {found.hash}", code="contradiction"
        )
    return found


def samples_to_score(run: Path, results: Results) -> list[Sample]:
    """Find the files of a run where it says that they were.

    Raises:
        InputError: They are not there any more, or are those of other samples; says what is needed.
    """
    pairing = _pairing(run)
    samples = {sample.id: sample for sample in results.samples}
    known = {pair.id for pair in pairing.pairs}
    problems = []
    if absent := sorted(samples.keys() - known):
        text = f"{run} holds {len(absent)} samples that its folders lack: {listed(absent)}. Put them back."
        problems.append(Problem(text, "missing-samples", Place(str(run))))
    if extra := sorted(known - samples.keys()):
        text = f"The folders of {run} hold {len(extra)} samples that it lacks: {listed(extra)}. Score it again."
        problems.append(Problem(text, "unknown-samples", Place(str(run))))
    units = [unit for unit in pairing.found() if unit.id in samples and samples[unit.id].status == "ok"]
    scored = {sample.id for sample in results.samples if sample.status == "ok"}
    if lost := sorted(scored - {unit.id for unit in units}):
        text = f"The edits of {len(lost)} scored samples are gone: {listed(lost)}. Put them back."
        problems.append(Problem(text, "missing-file", Place(str(run))))
    problems += [
        Problem(
            f"{unit.id}: source is {samples[unit.id].source}, its file says {unit.source_name}",
            "mismatch",
            Place(str(run)),
        )
        for unit in units
        if samples[unit.id].source != unit.source_name
    ]
    if problems:
        raise InputError(problems, code="mismatch")
    # The styles of a run may have been flags; what it recorded of them is what it was scored with.
    return [dataclasses.replace(unit, style=samples[unit.id].style or "") for unit in units]


def _pairing(run: Path) -> Pairing:
    places = recorded_places(run)
    absent = [f"{name} ({places[name]})" for name in ("pred", "masks", "source") if name in places and not (
        Path(places[name]).is_dir()
    )]  # fmt: skip
    lacking = [name for name in ("pred", "masks") if name not in places]
    if lacking:
        raise InputError(
            f"{run} names no suite, and its {INPUTS} does not say where its {' and '.join(lacking)} lie, so nothing "
            f"can be scored again. Give what it was scored on with --suite NAME|DIR, {AGAIN}.",
            code="missing-option",
            place=Place(str(run)),
        )
    if absent:
        raise InputError(
            f"{run} was scored from folders that are gone: {', '.join(absent)}. Put them back, {AGAIN}.",
            code="missing-file",
            place=Place(str(run)),
        )
    source = places.get("source")
    return pair_folder(
        Path(places["pred"]), Path(places["masks"]), None if source is None else Path(source), allow_missing=True,
        needs=(),
    )  # fmt: skip

"""Where the images of a run lie, so that a report can show them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.files.atomic import write_atomic
from rses.files.text import parse_json
from rses.runs.results import Results

__all__ = [
    "INPUTS",
    "SampleFiles",
    "folder_files",
    "recorded_command",
    "recorded_places",
    "remember_inputs",
    "run_files",
]

INPUTS = "inputs.json"


@dataclass(frozen=True)
class SampleFiles:
    """The images of one sample; ``None`` where there is none."""

    pred: Path | None
    source: Path | None
    mask: Path | None


def folder_files(
    pred: str | Path,
    masks: str | Path | None = None,
    source: str | Path | None = None,
    suite: str | Path | None = None,
) -> dict[str, SampleFiles]:
    """Find the images of every sample, by the same rules as scoring.

    Args:
        pred: Folder of predictions.
        masks: Folder of masks, unless ``suite`` is given.
        source: Folder of sources, where metadata does not name them.
        suite: Name or folder of a suite.

    Raises:
        InputError: Folders that scoring would refuse too; missing predictions are no error here.
    """
    from rses.inputs.pairing import pair_folder

    metadata = None
    if suite is not None:
        from rses.suites import load_suite

        root = load_suite(suite).root
        masks, metadata = root / "masks", root / "metadata.jsonl"
    if masks is None:
        raise InputError("Give a folder of masks or a suite.", code="missing-option")
    pairing = pair_folder(
        Path(pred), Path(masks), None if source is None else Path(source),
        metadata=metadata, allow_missing=True, needs=(),
    )  # fmt: skip
    return {pair.id: SampleFiles(pair.pred, pair.image, pair.mask) for pair in pairing.pairs}


def remember_inputs(folder: str | Path, command: str | None = None, **places: str | Path | None) -> None:
    """Write beside a run where its images lie, relative to the run, for `rses report` and `rses verify`.

    Args:
        folder: Run folder.
        command: The command line that made the run.
        **places: ``pred``, ``masks``, ``source`` and ``suite`` as given to scoring.
    """
    root = Path(folder)
    record: dict[str, Any] = {}
    record |= {name: _relative(value, root, name) for name, value in places.items() if value is not None}
    record |= {} if command is None else {"command": [command]}
    write_atomic(root / INPUTS, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode("utf-8"))


def recorded_command(folder: str | Path) -> str | None:
    """Return the command line that made a run, where that is known."""
    try:
        record = parse_json((Path(folder) / INPUTS).read_bytes())
    except (OSError, ValueError):
        return None
    lines = record.get("command") if isinstance(record, Mapping) else None
    return lines[0] if isinstance(lines, list) and lines and isinstance(lines[0], str) else None


def _relative(value: str | Path, root: Path, name: str) -> str:
    # The name of an embedded suite is not a path.
    if name == "suite" and not Path(value).is_dir():
        return str(value)
    try:
        return Path(os.path.relpath(Path(value).resolve(), root.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return str(Path(value).resolve())


def _is_here(suite: str) -> bool:
    """Whether a suite is embedded or a folder."""
    from rses.suites import list_suites

    return suite in list_suites() or Path(suite).is_dir()


def run_files(folder: str | Path, run: Results, suite: str | Path | None = None) -> dict[str, SampleFiles] | None:
    """Find the images of a saved run.

    Args:
        folder: Run folder, with ``inputs.json`` or, from the bench, ``images/``.
        run: What was loaded from it.
        suite: Name or folder of its suite, where the run does not say or it was moved.

    Returns:
        The files by sample id, or ``None`` where they cannot be found any more.
    """
    root = Path(folder)
    places = recorded_places(root)
    if suite is not None:
        places = {**places, "suite": suite, "masks": None}
    if "pred" not in places and (root / "images").is_dir():
        places["pred"] = root / "images"
        places.setdefault("suite", (run.info.get("suite") or {}).get("name"))
    # What a run says may be anybody's word: it must not make this machine ask the network for a suite.
    if suite is None and places.get("suite") is not None and not _is_here(str(places["suite"])):
        places["suite"] = None
    if places.get("pred") is None or (places.get("suite") is None and places.get("masks") is None):
        return None
    try:
        return folder_files(places["pred"], places.get("masks"), places.get("source"), places.get("suite"))
    except InputError:
        return None


def recorded_places(root: Path) -> dict[str, Any]:
    """Return where a run says that its images lie; empty where it does not say.

    Args:
        root: Run folder.

    Returns:
        Absolute paths by ``pred``, ``masks``, ``source`` and ``suite``; the name of an embedded suite as it is.
    """
    try:
        record = parse_json((root / INPUTS).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(record, Mapping):
        return {}
    places: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, str) and "\0" not in value:
            path = (root / value).resolve()
            # A suite may be a name; a path that leads nowhere stays one, so that it is not taken for a name.
            places[name] = path if name != "suite" or path.is_dir() or value.startswith(".") else value
    return places

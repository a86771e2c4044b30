"""Folders of predictions by one or several methods, as samples and what their runs say of themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rses.arguments import require_inner_share, require_path, require_text, text_list, whole_number
from rses.errors import InputError
from rses.files.places import require_apart, require_utf8
from rses.images.file import FileCache
from rses.inputs.card import name_problem
from rses.inputs.pairing import Pairing, pair_folder
from rses.inputs.rows import METADATA
from rses.inputs.sample import Sample
from rses.runs.sample_result import SampleResult
from rses.scoring.options import RunOptions
from rses.suites import load_suite, verify_files

__all__ = ["Inputs", "folder_runs"]

Place = str | Path | None


@dataclass(frozen=True)
class Inputs:
    """What predictions are compared with, and which of them; see :meth:`rses.RSES.score_folder`."""

    masks: Place = None
    source: Place = None
    style: str | None = None
    styles: str | Path | Sequence[str] | Mapping[str, str] | None = None
    suite: Place = None
    allow_missing: bool = False
    allow_resize: bool = False
    fresh: bool = False
    limit: int | None = None
    threshold: float | None = None

    def check(self) -> None:
        """Refuse what has another type.

        Raises:
            InputError: Says what was expected and what came.
        """
        for name, path in (("masks", self.masks), ("source", self.source)):
            require_path(path, name, "folder")
        require_path(self.suite, "suite", "suite, or its name")
        require_text(self.style, "style", "pixel art")
        if self.limit is not None:
            whole_number(self.limit, "limit", 1)
        if self.threshold is not None:
            require_inner_share(self.threshold, "threshold")


def folder_runs(
    preds: Mapping[str, str | Path], outs: Mapping[str, Place], inputs: Inputs, needs: Sequence[str]
) -> list[tuple[list[Sample], RunOptions]]:
    """Pair each method's folder with masks, sources and styles.

    Args:
        preds: Folder of predictions, by the method's name.
        outs: Run folder of each method, ``None`` for none.
        inputs: What the folders have in common.
        needs: What the metrics take, of "source" and "style".

    Raises:
        InputError: With every missing, extra or misnamed file of all folders.
    """
    inputs.check()
    files = FileCache()
    for name, pred in preds.items():
        require_path(pred, "pred", "folder", optional=False)
        require_path(outs[name], "out", "folder")
        require_utf8(pred, inputs.masks, inputs.source, inputs.suite, outs[name], name)
        if fault := name_problem(name):
            text = f"The name of the method, {name[:60]!r}, {fault}. Give another with --method-name."
            raise InputError(text, code="wrong-argument")
        require_apart(outs[name], {"predictions": pred, "masks": inputs.masks, "sources": inputs.source})
    by_id = inputs.styles is None or isinstance(inputs.styles, str | Path | Mapping)
    candidates = [] if by_id else text_list(inputs.styles, "styles", "pixel art")
    suite, masks, metadata = _resolve_suite(inputs.suite, inputs.masks, files)
    runs, problems = [], []
    for name, pred in preds.items():
        require_apart(outs[name], {"the suite": None if metadata is None else metadata.parent})
        try:
            pairing = pair_folder(
                Path(pred), masks, source=None if inputs.source is None else Path(inputs.source), style=inputs.style,
                styles=inputs.styles, metadata=metadata, allow_missing=inputs.allow_missing, needs=needs,
                limit=inputs.limit,
            )  # fmt: skip
        except InputError as error:
            problems += error.problems
            continue
        out = outs[name]
        runs.append((pairing.found("source" in needs), RunOptions(
            styles={*candidates, *(pair.style for pair in (*pairing.pairs, *pairing.left_out) if pair.style)},
            suite=suite or {"name": pairing.suite_name}, method=name, missing=_missing(pairing),
            notes={"extra_files": pairing.extra, "notes": pairing.notes}, out=None if out is None else Path(out),
            fresh=inputs.fresh, allow_missing=inputs.allow_missing, allow_resize=inputs.allow_resize, files=files,
            threshold=inputs.threshold,
        )))  # fmt: skip
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return runs


def _resolve_suite(suite: Place, masks: Place, files: FileCache) -> tuple[dict[str, Any] | None, Path, Path | None]:
    """Return what identifies the suite, its masks folder, and its metadata file.

    Raises:
        InputError: Neither a suite nor a folder of masks, or a suite that is unusable or whose files were changed.
    """
    if suite is None:
        if masks is None:
            raise InputError(
                "No masks. Give a folder of masks (--masks DIR) or a suite (--suite NAME).", code="missing-option"
            )
        return None, Path(masks), None
    loaded = load_suite(suite)
    verify_files(loaded, files=files)
    info = {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256}
    return info, loaded.root / "masks", loaded.root / METADATA


def _missing(pairing: Pairing) -> list[SampleResult]:
    """Return one result for each sample without a prediction, or beyond the limit, to be counted in coverage."""
    lost = [(pair, "no prediction") for pair in pairing.pairs if pair.pred is None]
    lost += [(pair, "left out by --limit") for pair in pairing.left_out]
    return [dataclasses.replace(pair.result(status="missing", note=note), source=None) for pair, note in lost]

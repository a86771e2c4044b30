"""``rses score``: score a folder of edits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rses.cli.common import Format, elapsed, emit, keeping, note, progress, quiet_stdout, terminal, warn
from rses.cli.options import Device, Metrics, Output
from rses.cli.options import Protocol as ProtocolId
from rses.errors import InputError
from rses.files.places import require_apart

if TYPE_CHECKING:
    from rses.protocol import Protocol
    from rses.runs.results import Results
    from rses.scoring.scorer import RSES

__all__ = ["custom_protocol", "score"]

SHOWN = 5
"""Samples that are named on the screen for each reason to leave them out."""


@dataclass(frozen=True)
class Places:
    """Where the files of a scoring are."""

    pred: Path
    masks: Path | None
    source: Path | None
    suite: str | None


def score(
    pred: Annotated[Path, typer.Option(help="Folder of predictions, <id>.png.", metavar="DIR")],
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Folder of masks, white = region to edit. Sources and styles come from metadata.jsonl in it or in "
            "its parent.",
            metavar="DIR",
        ),
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="Folder of source images, without metadata.", metavar="DIR")
    ] = None,
    style: Annotated[str | None, typer.Option(help="One style for all samples.", metavar="TEXT")] = None,
    styles: Annotated[Path | None, typer.Option(help="Style of each id: JSON, JSONL or CSV.", metavar="FILE")] = None,
    suite: Annotated[
        str | None, typer.Option(help="Suite (name or folder) instead of --masks.", metavar="NAME|DIR")
    ] = None,
    protocol: ProtocolId = "rses-v1",
    out: Annotated[Path | None, typer.Option(help="Run folder to write; a stopped run goes on.", metavar="DIR")] = None,
    device: Device = "auto",
    batch_size: Annotated[str, typer.Option(help="Samples a forward pass on a GPU, or auto.")] = "auto",
    workers: Annotated[int, typer.Option(help="Threads that decode images.", min=0)] = 2,
    format: Output = Format.table,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Score what is there, and report coverage.")
    ] = False,
    allow_resize: Annotated[
        bool, typer.Option("--allow-resize", help="Resize predictions to the source's size, and mark them.")
    ] = False,
    ignore_band: Annotated[
        int | None, typer.Option(help="Leave K px around the region out of the background.", metavar="K", min=0)
    ] = None,
    lpips_form: Annotated[str | None, typer.Option(help="neutral, spatial, blackout or strict.", metavar="F")] = None,
    region: Annotated[str | None, typer.Option(help="What RSM sees: crop or masked.", metavar="R")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Style backbone, e.g. open_clip:ViT-L-14-quickgelu/openai.", metavar="SPEC")
    ] = None,
    metrics: Metrics = None,
    method_name: Annotated[
        str | None, typer.Option(help="Name in tables; by default the folder's.", metavar="NAME")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what --out holds.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Write report.html, into --out if given.")] = False,
) -> None:
    """Score a folder of edited images against sources, masks and styles.

    Results go to stdout, messages to stderr. Problems with files are all listed by name, with remedies.
    """
    _check(masks, suite, style, styles)
    places = Places(pred, masks, source, suite)
    start = time.monotonic()
    with keeping(out), progress("Scoring") as update, quiet_stdout():
        rules = custom_protocol(
            protocol, ignore_band=ignore_band, lpips_form=lpips_form, region=region, style_backbone=backbone
        )
        _look_for_files(places, out, style, styles, metrics, allow_missing)
        from rses.scoring.scorer import RSES  # imports torch: only now, so that wrong paths and names are found at once

        scorer = RSES(
            protocol=rules,
            device=device,
            batch_size=batch_size,
            metrics=metrics,
            workers=workers,
        )
        results = scorer.score_folder(
            pred, masks, source, style,
            styles=styles, suite=suite, allow_missing=allow_missing, allow_resize=allow_resize, out=out,
            fresh=fresh, method=method_name, progress=update,
        )  # fmt: skip
    _show(results, format)
    _name_left_out(results)
    warn(results)
    for text in results.info.get("notes", ()):
        note(f"note: {text}")
    note(f"{len(results.samples)} samples in {elapsed(start)}" + (f", written to {out}" if out else ""))
    if out is not None:
        from rses.report.inputs import remember_inputs

        remember_inputs(out, pred=pred, masks=masks, source=source, suite=suite)
    if report:
        write_page(results, scorer, places, (out or Path()) / "report.html")


def _look_for_files(
    places: Places, out: Path | None, style: str | None, styles: Path | None, metrics: str | None, allow_missing: bool
) -> None:
    """Find wrong names, paths and folders; the scorer looks again, but only after torch was imported."""
    from rses.inputs.pairing import pair_folder
    from rses.suites import load_suite
    from rses.table import METRICS, select_metrics

    needs = sorted({need for name in select_metrics(metrics) for need in METRICS[name].needs} - {"perceptual"})
    require_apart(out, {"predictions": places.pred, "masks": places.masks, "sources": places.source})
    masks, metadata = places.masks, None
    if masks is None:
        root = load_suite(places.suite or "").root
        require_apart(out, {"the suite": root})
        masks, metadata = root / "masks", root / "metadata.jsonl"
    pair_folder(
        places.pred, masks, source=places.source, style=style, styles=styles, metadata=metadata,
        allow_missing=allow_missing, needs=needs,
    )  # fmt: skip


def _name_left_out(results: Results) -> None:
    """Say which samples and files have no part in the numbers, and why."""
    from rses.files.escape import clean

    for status in dict.fromkeys(sample.status for sample in results.samples if sample.status != "ok"):
        found = [sample for sample in results.samples if sample.status == status]
        shown = "; ".join(clean(sample.id + (f": {sample.note}" if sample.note else "")) for sample in found[:SHOWN])
        note(f"{len(found)} {status}: {shown}" + (" ..." if len(found) > SHOWN else ""))
    extra = results.info.get("extra_files", [])
    if extra:
        shown = ", ".join(clean(name) for name in extra[:SHOWN])
        note(f"{len(extra)} files belong to no sample: {shown}" + (" ..." if len(extra) > SHOWN else ""))


def custom_protocol(name: str, **knobs: Any) -> Protocol:
    """Return the named protocol with the knobs that were given.

    Raises:
        ProtocolError: Unknown protocol or value.

    Example:
        >>> custom_protocol("rses-mini", ignore_band=None).id, custom_protocol("rses-mini", ignore_band=2).id
        ('rses-mini', 'rses-mini+custom')
    """
    from rses.protocol import get_protocol

    return get_protocol(name).replace(**{key: value for key, value in knobs.items() if value is not None})


def write_page(results: Results, scorer: RSES, places: Places, path: Path) -> None:
    """Write the report of one run, with the pictures that were just scored."""
    from rses.report.html import write_report
    from rses.report.inputs import folder_files

    with progress("Report") as update, quiet_stdout():
        files = folder_files(places.pred, places.masks, places.source, places.suite)
        heatmap = scorer.heatmap if "lpips_bg" in scorer.metrics else None
        write_report([results], path, files=[files], heatmap=heatmap, progress=update)
    note(f"report: {path}")


def _check(masks: Path | None, suite: str | None, style: str | None, styles: Path | None) -> None:
    problems = []
    if masks is not None and suite is not None:
        problems.append("Give --masks or --suite, not both: a suite brings its own masks.")
    if masks is None and suite is None:
        problems.append("No masks. Give a folder of masks (--masks DIR) or a suite (--suite NAME).")
    if style is not None and styles is not None:
        problems.append("Give --style (one for all) or --styles (a file), not both.")
    if problems:
        raise InputError(problems)


def _show(results: Results, format: Format) -> None:
    from rses.report.tables import render

    width, color = terminal()
    emit(render([results], format.value, width=width, color=color))

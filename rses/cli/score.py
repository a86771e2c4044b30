"""``rses score``: score a folder of edits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from rses.cli._output import print_results, progress_bar, say_written, split_names

if TYPE_CHECKING:
    from rses.protocol import Protocol
    from rses.results import Results
    from rses.scorer import RSES

__all__ = ["score"]


def score(
    pred: Annotated[Path, typer.Option(help="Folder of edited images, <id>.png.")],
    masks: Annotated[Optional[Path], typer.Option(help="Folder of masks, white = region to edit.")] = None,  # noqa: UP045
    source: Annotated[Optional[Path], typer.Option(help="Folder of source images.")] = None,  # noqa: UP045
    style: Annotated[Optional[str], typer.Option(help="One style text for all.")] = None,  # noqa: UP045
    styles: Annotated[Optional[Path], typer.Option(help="File with a style for each id.")] = None,  # noqa: UP045
    suite: Annotated[Optional[str], typer.Option(help="Name or folder of a suite, instead of --masks.")] = None,  # noqa: UP045
    protocol: Annotated[str, typer.Option(help="Protocol; see `rses protocols`.")] = "rses-v1",
    out: Annotated[Optional[Path], typer.Option(help="Run folder to write; a stopped run goes on.")] = None,  # noqa: UP045
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    batch_size: Annotated[str, typer.Option(help="Samples a forward pass on a GPU.")] = "auto",
    workers: Annotated[int, typer.Option(help="Threads that decode images.")] = 2,
    format: Annotated[str, typer.Option(help="table, json, csv, markdown or latex.")] = "table",
    metrics: Annotated[Optional[str], typer.Option(help="Comma-separated; see `rses metrics`.")] = None,  # noqa: UP045
    lpips_form: Annotated[Optional[str], typer.Option(help="neutral, strict, spatial or blackout.")] = None,  # noqa: UP045
    region: Annotated[Optional[str], typer.Option(help="crop or masked.")] = None,  # noqa: UP045
    ignore_band: Annotated[Optional[int], typer.Option(help="Leave this many px around the region out.")] = None,  # noqa: UP045
    backbone: Annotated[Optional[str], typer.Option(help="Style backbone, e.g. open_clip:ViT-L-14-quickgelu/openai.")] = None,  # noqa: UP045, E501
    method_name: Annotated[Optional[str], typer.Option(help="Name of the method in results.")] = None,  # noqa: UP045
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Score what is there.")] = False,
    allow_resize: Annotated[bool, typer.Option("--allow-resize", help="Resize predictions to the source.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what --out holds.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Also write report.html.")] = False,
) -> None:
    """Score a folder of edits against masks, sources and style texts.

    Sources and styles come from metadata.jsonl beside the masks, from a suite, or from flags.
    """
    from rses.report.tables import check_format
    from rses.scorer import RSES

    check_format(format)
    chosen = _protocol(
        protocol, lpips_form=lpips_form, region=region, ignore_band=ignore_band, style_backbone=backbone
    )
    scorer = RSES(chosen, device=device, batch_size=batch_size, metrics=split_names(metrics), workers=workers)
    with progress_bar("scoring") as progress:
        results = scorer.score_folder(
            pred, masks, source, style, styles=styles, suite=suite, allow_missing=allow_missing,
            allow_resize=allow_resize, out=out, fresh=fresh, method=method_name, progress=progress,
        )  # fmt: skip
    print_results([results], format)
    page = _report(results, scorer, pred, masks, source, suite, out) if report else None
    if out is not None:
        from rses.report.inputs import remember_inputs

        remember_inputs(out, pred=pred, masks=masks, source=source, suite=suite)
    say_written(out, page)


def _protocol(name: str, **knobs: Any) -> Protocol:
    from rses.protocol import get_protocol

    return get_protocol(name).replace(**{key: value for key, value in knobs.items() if value is not None})


def _report(
    results: Results,
    scorer: RSES,
    pred: Path,
    masks: Path | None,
    source: Path | None,
    suite: str | None,
    out: Path | None,
) -> Path:
    from rses.report.html import write_report
    from rses.report.inputs import folder_files

    page = (out or Path()) / "report.html"
    write_report([results], page, files=[folder_files(pred, masks, source, suite)], scorer=scorer)
    return page

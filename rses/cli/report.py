"""``rses report``: one HTML page from saved runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rses.cli.common import emit, note, progress, quiet_stdout
from rses.cli.options import SuiteOfRuns
from rses.errors import InputError, Place
from rses.files.places import require_suffix

if TYPE_CHECKING:
    from rses.report.gallery import HeatMap
    from rses.runs.results import Results


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; several are compared.", metavar="RUN...")],
    out: Annotated[
        Path | None, typer.Option(help="Page to write; by default report.html in the first run.", metavar="FILE")
    ] = None,
    suite: SuiteOfRuns = None,
    samples: Annotated[int, typer.Option(help="Samples in the gallery, worst first.", min=0, max=200)] = 24,
    device: Annotated[str, typer.Option(help="Device for the LPIPS maps.")] = "auto",
) -> None:
    """Write one self-contained page: table, distributions, and a gallery of the worst cases."""
    with progress("Report") as update, quiet_stdout():
        from rses.report.inputs import run_files
        from rses.runs.results import load_run

        page = out or runs[0] / "report.html"
        _check_page(page)
        loaded = [load_run(run) for run in runs]
        from rses.report.html import write_report  # imports torch: only now, so that a wrong path is found at once

        files = [run_files(folder, run, suite) for folder, run in zip(runs, loaded, strict=True)]
        for folder, found in zip(runs, files, strict=True):
            if found is None:
                note(f"{folder}: its images were not found, so the gallery leaves it out.")
        heatmap = _heatmap(loaded, device) if any(files) and samples else None
        target = write_report(loaded, page, files=files, heatmap=heatmap, limit=samples, progress=update)
    emit(str(target))


def _check_page(page: Path) -> None:
    """Refuse a page that would get a wrong name, or lie among the files of a suite."""
    require_suffix(page, (".html", ".htm"), "A report")
    for folder in page.absolute().parents:
        if (folder / "suite.json").is_file():
            raise InputError(
                f"{page} lies in the suite {folder}. Choose another --out, apart from what is read.",
                code="overlap",
                place=Place(str(page)),
            )


def _heatmap(runs: Sequence[Results], device: str) -> HeatMap | None:
    """Return the LPIPS map of the runs' own protocol and weights, or ``None`` where they are not at hand."""
    info = runs[0].info
    recorded = (info.get("weights") or {}).get("perceptual")
    protocol = info.get("protocol") or {}
    if not recorded or not protocol.get("knobs") or "lpips_bg" not in info.get("metrics", ()):
        return None
    from rses.backbones import load_perceptual
    from rses.errors import RsesError
    from rses.protocol import Protocol
    from rses.scoring.scorer import RSES

    try:
        scorer = RSES(Protocol(protocol["id"], **protocol["knobs"]), device=device, metrics=["lpips_bg"])
        trunk = load_perceptual(scorer.protocol.perceptual_backbone, scorer.device)
    except (RsesError, TypeError) as error:
        note(f"No LPIPS maps: {error}")
        return None
    if trunk.sha256 != recorded.get("sha256"):
        note("No LPIPS maps: the perceptual weights on this machine are not those of the run.")
        return None
    return scorer.heatmap

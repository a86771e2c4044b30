"""``rses suites mask``: masks from boxes or clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import emit, keeping, note, progress, quiet_stdout
from rses.cli.options import Device, Fresh
from rses.files.names import listed
from rses.files.places import require_apart

_SHOWN = 10


def mask(
    images: Annotated[Path, typer.Option("--images", help="Folder of photographs.", metavar="DIR")],
    out: Annotated[Path, typer.Option("--out", help="Folder of masks: new, empty, or to go on with.", metavar="DIR")],
    boxes: Annotated[
        Path | None, typer.Option("--boxes", help="CSV or JSON: file_name, x, y, width, height.", metavar="FILE")
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option(
            "--points", help="CSV or JSON: file_name, x, y; in JSON also points, and labels 1 or 0.", metavar="FILE"
        ),
    ] = None,
    segmenter: Annotated[
        str, typer.Option("--segmenter", help="segment-anything, sam, sam2, or classical, which needs no weights.")
    ] = "segment-anything",
    weights: Annotated[
        str | None, typer.Option("--weights", help="Checkpoint file; for sam and sam2 a hub id or folder.")
    ] = None,
    device: Device = "auto",
    batch_size: Annotated[int, typer.Option(help="Photographs segmented together.", metavar="N", min=1)] = 1,
    fresh: Fresh = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed photographs again.")] = False,
) -> None:
    """Make one mask per photograph from a box or from clicks, and contact sheets to check them by eye.

    A stopped run goes on where it was. Masks go to --out as `rses suites build folder --masks` takes them. Exits with
    status 1 where some photographs got none.
    """
    folder = out.expanduser()
    with keeping(folder, "masks.jsonl"), quiet_stdout():
        from rses.suites.segment import get_segmenter, make_masks, read_jobs
        from rses.suites.segment.prompts import unlisted
        from rses.suites.segment.run import require_mask_folder

        require_apart(folder, {"photographs": images})
        jobs = read_jobs(images, boxes=boxes, points=points)
        require_mask_folder(folder)
        chosen = get_segmenter(segmenter, weights, device)
        with progress(chosen.facts.title) as update:
            run = make_masks(
                jobs, folder, chosen, batch_size=batch_size, fresh=fresh, retry_failed=retry_failed, progress=update
            )
        from rses.suites.segment.contact import write_mask_sheets  # imports torch, unlike what is above

        with progress("Contact sheets") as update:
            sheets = write_mask_sheets(run, update)
        left = unlisted(images, jobs)
    failures = run.failures
    emit(f"{len(jobs) - len(failures)} masks in {folder} by {run.facts.title}; check them: {sheets[-1]}")
    if left:
        note(f"Photographs without a row, which got no mask ({len(left)}): {listed(left)}")
    if failures:
        lines = "\n".join(f"  - {key}: {reason}" for key, reason in list(failures.items())[:_SHOWN])
        more = f"\n  - and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
        note(f"{len(failures)} failed, see masks.jsonl; try them again with --retry-failed:\n{lines}{more}")
        raise typer.Exit(1)

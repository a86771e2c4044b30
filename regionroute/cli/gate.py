"""``regionroute gate``: fit what turns attention into masks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from regionroute.cli.options import Device, Dtype, Variant, check_options, open_pipeline
from rses.cli.common import elapsed, emit, note, quiet_stdout
from rses.errors import InputError, Place


def gate(
    experts: Annotated[Path, typer.Option(help="Folder with <style>.safetensors; gets gate.json.", metavar="DIR")],
    pairs: Annotated[
        Path, typer.Option(help="Pairs that no expert was trained on (`regionroute data`).", metavar="DIR|FILE")
    ],
    variant: Variant = "mini",
    steps: Annotated[int, typer.Option(help="Denoising steps that the mask is made in.", metavar="N", min=1)] = 2,
    device: Device = "auto",
    dtype: Dtype = "",
) -> None:
    """Fit the mask of routed editing to pairs with known masks; `regionroute edit --routed` then uses it.

    Prints the file written.
    """
    start = time.monotonic()
    check_options(experts, device, dtype)
    if not pairs.exists():
        raise InputError(
            f"{pairs} does not exist. Make pairs with `regionroute data`.",
            code="missing-file",
            place=Place(field="--pairs"),
        )
    with quiet_stdout():
        from regionroute.data.pairs import read_pairs
        from regionroute.fitting import fit_on_pairs
        from regionroute.gate import GATE_FILE, write_gate

        held = read_pairs(pairs, targets=False)
        pipe = open_pipeline(variant, experts, device, dtype)
        used = [pair for pair in held if pipe.has_finder or pair.style in pipe.styles]
        if held and not used:
            styles = ", ".join(sorted({pair.style for pair in held}))
            raise InputError(
                f"{experts} has experts of {', '.join(pipe.styles)}, and {pairs} has pairs of {styles}. "
                "Make pairs of the experts' styles with `regionroute data`.",
                code="mismatch",
                place=Place(field="--pairs"),
            )
        fit = fit_on_pairs(pipe, used, steps)
        write_gate(experts, fit.gate)
    emit(str(experts / GATE_FILE))
    note(
        f"slope {fit.gate.slope:g}, bias {fit.gate.bias:g}; mean IoU {fit.iou:.3f} on these {fit.pairs} pairs, "
        f"{elapsed(start)}"
    )

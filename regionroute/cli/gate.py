"""``regionroute gate``: fit what turns attention into masks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import elapsed, emit, note, quiet_stdout

__all__ = ["gate"]


def gate(
    experts: Annotated[Path, typer.Option(help="Folder with <style>.safetensors; gets gate.json.", metavar="DIR")],
    pairs: Annotated[
        Path, typer.Option(help="Pairs that no expert was trained on (`regionroute data`).", metavar="DIR|FILE")
    ],
    variant: Annotated[
        str, typer.Option(help="mini (embedded), flux-kontext, a hub id or a folder.", metavar="NAME")
    ] = "mini",
    steps: Annotated[int, typer.Option(help="Denoising steps that the mask is made in.", metavar="N", min=1)] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16; by default what the variant needs.")] = "",
) -> None:
    """Fit the mask of routed editing to pairs with known masks; `regionroute edit --routed` then uses it.

    Prints the file written.
    """
    start = time.monotonic()
    with quiet_stdout():
        from regionroute.base import choose_dtype
        from regionroute.data.pairs import read_pairs
        from regionroute.fitting import fit_on_pairs
        from regionroute.gate import GATE_FILE, write_gate
        from regionroute.pipeline import RegionRoutePipeline
        from rses.device import choose_device

        precision = choose_dtype(dtype, variant)
        held = read_pairs(pairs)
        pipe = RegionRoutePipeline.from_pretrained(variant, experts, dtype=precision, device=str(choose_device(device)))
        fit = fit_on_pairs(pipe, [pair for pair in held if pair.style in pipe.styles], steps)
        write_gate(experts, fit.gate)
    emit(str(experts / GATE_FILE))
    note(
        f"slope {fit.gate.slope:g}, bias {fit.gate.bias:g}; mean IoU {fit.iou:.3f} on these {fit.pairs} pairs, "
        f"{elapsed(start)}"
    )

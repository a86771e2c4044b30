"""Options that several commands share, and the pipeline that they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rses.cli.beforehand import require_numbers
from rses.errors import InputError, Place

if TYPE_CHECKING:
    from regionroute.pipeline import RegionRoutePipeline

Variant = Annotated[str, typer.Option(help="mini (embedded), flux-kontext, a hub id or a folder.", metavar="NAME")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16 or float16; by default what the variant needs.")]
Seed = Annotated[int, typer.Option(help="Seed of all that is drawn.", metavar="N", min=0)]


def check_options(experts: Path | None, device: str, dtype: str) -> None:
    """Refuse what can be known to be wrong before torch is imported."""
    from rses.methods import DTYPES

    require_numbers(device, "auto")
    if dtype and dtype not in DTYPES:
        raise InputError(
            f'--dtype must be float32, bfloat16 or float16, got "{dtype}".',
            code="unknown-value",
            place=Place(field="--dtype"),
        )
    if experts is not None and not experts.is_dir():
        raise InputError(
            f"{experts} holds no expert: there is no such folder.", code="missing-file", place=Place(field="--experts")
        )


def open_pipeline(variant: str, experts: Path | None, device: str, dtype: str) -> RegionRoutePipeline:
    """Load base model and experts as the options say."""
    from regionroute.base import choose_dtype
    from regionroute.pipeline import RegionRoutePipeline
    from rses.device import choose_device

    precision = choose_dtype(dtype, variant)
    return RegionRoutePipeline.from_pretrained(variant, experts, dtype=precision, device=str(choose_device(device)))

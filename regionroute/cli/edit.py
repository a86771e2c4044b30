"""``regionroute edit``: edit one picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from regionroute.cli.options import Device, Dtype, Seed, Variant, check_options, open_pipeline
from rses.cli.common import elapsed, emit, note, quiet_stdout
from rses.errors import InputError, Place
from rses.files.places import require_distinct, require_suffix


def edit(
    image: Annotated[Path, typer.Option(help="Picture to edit.", metavar="FILE")],
    prompt: Annotated[
        str, typer.Option(help='e.g. "make the cat in pixel art style, keep other area unchanged".', metavar="TEXT")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Edited picture (PNG); <image>-<style>.png by default.", metavar="FILE")
    ] = None,
    style: Annotated[
        str | None, typer.Option(help="Expert to use; by default the style named in the prompt.", metavar="S")
    ] = None,
    variant: Variant = "mini",
    experts: Annotated[
        Path | None, typer.Option(help="Folder with <style>.safetensors; embedded for mini.", metavar="DIR")
    ] = None,
    attention_map: Annotated[
        Path | None, typer.Option(help="Also write where the style words were looked for (PNG).", metavar="FILE")
    ] = None,
    routed: Annotated[
        bool, typer.Option("--routed", help="Two passes: the expert finds the object, the base restyles it.")
    ] = False,
    mask: Annotated[
        Path | None,
        typer.Option(help="With --routed: also write the mask (PNG), and FILE-overlay.png.", metavar="FILE"),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.", metavar="N", min=1)] = None,
    guidance: Annotated[float | None, typer.Option(help="Guidance scale.", metavar="G", min=0.0)] = None,
    true_cfg: Annotated[
        float,
        typer.Option(help="Above 1: also guide away from the empty prompt; twice the time.", metavar="G", min=1.0),
    ] = 1.0,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "",
) -> None:
    """Restyle the object that the prompt names, without a mask; the answer has the picture's size.

    Prints the file written.
    """
    start = time.monotonic()
    for path in (out, attention_map, mask):
        if path is not None:
            require_suffix(path, (".png",), "A picture")
    if not image.is_file():
        raise InputError(
            f"{image} is not there. Give the picture to edit with --image.",
            code="missing-file",
            place=Place(str(image)),
        )
    if mask is not None and not routed:
        raise InputError(
            "--mask writes the mask of a routed edit. Add --routed.", code="exclusive", place=Place(field="--mask")
        )
    check_options(experts, device, dtype)
    with quiet_stdout():
        from regionroute.overlay import heat_overlay, mask_files, overlay_file
        from regionroute.styles import find_style, style_key
        from rses.images.decode import read_image

        asked = None if style is None else style_key(style)
        source = read_image(image)
        chosen = asked or find_style(prompt).style
        target = out or image.with_name(f"{image.stem}-{chosen.replace(' ', '-')}.png")
        overlay = None if mask is None else overlay_file(mask)
        require_distinct(
            {"--image": image, "--out": target, "--attention-map": attention_map, "--mask": mask, "overlay": overlay}
        )
        from regionroute.base import MINI  # imports torch: only now, so that wrong names are found at once
        from rses.images.tensors import write_png

        result = open_pipeline(variant, experts, device, dtype).edit(
            [source], [prompt], seeds=[seed], styles=asked and [asked], steps=steps, guidance=guidance,
            true_cfg=true_cfg, attention=attention_map is not None, routed=routed,
        )[0]  # fmt: skip
        write_png(target, result.image)
        if attention_map is not None and result.attention is not None:
            write_png(attention_map, heat_overlay(source, result.attention))
        if mask is not None and result.mask is not None:
            for path, picture in mask_files(mask, source, result.mask).items():
                write_png(path, picture)
    if variant == MINI:
        note("kontext-mini knows drawn scenes only: it cannot restyle photographs as FLUX.1-Kontext does")
    emit(str(target))
    note(f"{chosen} expert, edited at {result.size[0]} x {result.size[1]}, {elapsed(start)}")

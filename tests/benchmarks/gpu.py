"""What a GPU makes of scoring: decoding, transfer, batches and precision, as a table in Markdown.

python -m tests.benchmarks.gpu --device cuda        # or: make bench-gpu; --tiny only shows that it runs, anywhere

Real architectures with weights that are not the published ones. Wall time, for most of it is spent on another device.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from rses import RSES, load_perceptual, load_style
from rses.images.tensors import as_image
from tests.benchmarks.scoring_cost import METHODS, STYLE, Case, write_cases

Row = tuple[str, str]


def seconds(function: Callable[[], Any], device: torch.device, rounds: int) -> float:
    """Return the least time of a few calls, after one to warm up, with everything on the device finished."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    function()
    times = []
    for _ in range(rounds):
        wait()
        start = time.perf_counter()
        function()
        wait()
        times.append(time.perf_counter() - start)
    return min(times)


def decoding(case: Case) -> list[Row]:
    """Pictures that one thread decodes."""
    took = seconds(lambda: [as_image(path) for path in case.pictures[:2]], torch.device("cpu"), 3)
    return [("decode, pictures per second and thread", f"{2 / took:.0f}")]


def transfer(side: int, device: torch.device) -> list[Row]:
    """Gigabytes per second to the device, from ordinary and from pinned memory."""
    batch = torch.rand(16, 3, side, side)
    rows = [("ordinary", batch)] + ([("pinned", batch.pin_memory())] if device.type == "cuda" else [])
    size = batch.numel() * 4 / 1e9
    return [
        (f"transfer, {kind} memory, GB/s", f"{size / seconds(lambda b=held: b.to(device), device, 3):.1f}")
        for kind, held in rows
    ]


@torch.inference_mode()
def batches(style: Any, trunk: Any, side: int, sizes: tuple[int, ...], device: torch.device) -> list[Row]:
    """Pictures per second of both networks, by batch size."""
    rows = []
    for size in sizes:
        crops = torch.rand(size, 3, style.image_size, style.image_size, device=device)
        whole = torch.rand(size, 3, side, side, device=device)
        for name, work in (
            ("encoder", lambda c=crops: style.encode_images(c)),
            ("trunk", lambda w=whole: trunk.features(w)),
        ):
            rows.append((f"{name}, batch of {size}, pictures/s", f"{size / seconds(work, device, 3):.0f}"))
    return rows


@torch.inference_mode()
def precision(style: Any, side: int, count: int, device: torch.device) -> list[Row]:
    """How far lower precision moves a cosine, and what it would gain: rses itself computes in float32 only."""
    model, crops = (
        style._model if hasattr(style, "_model") else style._images,
        torch.rand(count, 3, side, side, device=device),
    )
    encode = getattr(model, "encode_image", model)
    exact, base = encode(crops).float(), seconds(lambda: encode(crops), device, 3)
    rows = []
    for dtype in (torch.bfloat16, *((torch.float16,) if device.type == "cuda" else ())):

        def lower(dtype: torch.dtype = dtype) -> torch.Tensor:
            with torch.autocast(device.type, dtype):
                return encode(crops)

        cosine = torch.nn.functional.cosine_similarity(exact, lower().float()).min().item()
        name = str(dtype).removeprefix("torch.")
        rows.append((f"{name} beside float32: speed, largest 1 - cosine",
                     f"{base / seconds(lower, device, 3):.2f} x, {1 - cosine:.1e}"))  # fmt: skip
    return rows


def scoring(style: Any, trunk: Any, cases: list[Case], sizes: tuple[int, ...], device: torch.device) -> list[Row]:
    """Samples per second of `score_samples`, all metrics, decoding included."""
    from rses.inputs.sample import Sample
    from rses.scoring.options import RunOptions

    rows = []
    for size in sizes:
        scorer = RSES("rses-v1", device, size, workers=4, style_backbone=style, perceptual_backbone=trunk)
        samples = [
            Sample(f"{index}-{name}", *case.pictures[1:], style=STYLE, pred=case.root / "edits" / name / "0.png")
            for index, case in enumerate(cases) for name in METHODS
        ]  # fmt: skip
        took = seconds(lambda own=scorer, all=samples: own.score_samples(all, RunOptions()), device, 1)
        rows.append((f"all metrics, batch of {size}, samples/s", f"{len(samples) / took:.1f}"))
    return rows


def measure(
    device: torch.device, style: Any, trunk: Any, cases: list[Case], side: int, sizes: tuple[int, ...]
) -> list[Row]:
    """Measure everything."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return [
        ("device", name),
        *decoding(cases[0]),
        *transfer(side, device),
        *batches(style, trunk, side, sizes, device),
        *precision(style, style.image_size, min(16, sizes[-1]), device),
        *scoring(style, trunk, cases, sizes, device),
    ]


def main() -> None:
    """Measure and print."""
    from tests.rses.golden import networks

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="embedded networks, two samples of 64 px")
    options = parser.parse_args()
    device = torch.device(options.device)
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as weights:
        if options.tiny:
            style, trunk = load_style("rses-mini", device), load_perceptual("rses-mini", device)
        else:
            weights.enter_context(networks.fixed_weights(Path(place)))
            style = load_style(networks.backbone("rses-v1", Path(place)), device)
            trunk = load_perceptual("lpips:alex", device)
        side, number, sizes = (64, 2, (1, 2)) if options.tiny else (512, 22, (1, 4, 16, 64))
        cases = write_cases(Path(place) / "cases", number, side)
        rows = measure(device, style, trunk, cases, side, sizes)
    print("| what | figure |\n|---|---|")
    print("\n".join(f"| {what} | {figure} |" for what, figure in rows))


if __name__ == "__main__":
    main()

"""Values as JSON that loses no bit, compared to the bit where the arithmetic is the same, else within bounds."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional as F

ABSENT = "(absent)"
HEX = re.compile(r"-?0x[01]\.[0-9a-f]+p[+-]\d+")
REL, ABS = 1e-4, 3e-5
"""Bounds for another processor or version of torch, see :func:`differences`."""
PIXEL_REL, PIXEL_ABS = 1e-6, 1e-10
PIXEL = {"mse_bg", "mse_bg_pm1", "psnr_bg", "ssim_bg", "boundary_mse", "mask_fraction"}
"""Columns without a network, whose sums are float64."""
UNSTABLE = {"versions", "wall_time_s", "device"}
"""Keys of a summary that tell of the machine and the day, not of the numbers."""


def encoded(value: Any) -> Any:
    """Return a JSON value with floats as hexadecimal text."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): encoded(item) for key, item in value.items() if key not in UNSTABLE}
    if isinstance(value, (list, tuple)):
        return [encoded(item) for item in value]
    return value


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Pin torch to one thread: with two, sums over an image are split in two and differ in the last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def environment() -> dict[str, str]:
    """Return what decides how float32 is rounded: instruction set, version of torch, and a probe of both.

    Kernels are chosen by the model of the processor too, so that one instruction set may round in two ways; the probe
    runs the kinds of layers of the networks on whole numbers and tells.
    """
    return {
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "arithmetic": arithmetic(),
    }


@one_thread()
@torch.inference_mode()
def arithmetic() -> str:
    """Return a digest of a few layers' results."""

    def made(*shape: int) -> torch.Tensor:
        count = math.prod(shape)
        return (torch.arange(count, dtype=torch.float64) * 7919 % 1009 - 504).div(504).float().reshape(shape)

    image, tokens = made(1, 3, 120, 160), made(1, 50, 768)
    heads = tokens.reshape(1, 50, 12, 64).transpose(1, 2)
    outcomes = [
        F.conv2d(image, made(64, 3, 11, 11), stride=4, padding=2),
        F.conv2d(made(1, 64, 30, 40), made(192, 64, 5, 5), padding=2),
        F.conv2d(image, made(64, 3, 3, 3), stride=2),
        F.conv2d(made(1, 128, 30, 40), made(16, 128, 1, 1)),
        F.conv2d(made(1, 3, 224, 224), made(768, 3, 32, 32), stride=32),
        F.linear(tokens, made(3072, 768), made(3072)),
        F.scaled_dot_product_attention(heads, heads, heads),
        F.layer_norm(tokens, (768,)),
        torch.sigmoid(1.702 * tokens),
        F.gelu(tokens),
        F.normalize(tokens, dim=-1),
        F.interpolate(image, size=(224, 224), mode="bicubic", antialias=True, align_corners=False),
    ]
    state = hashlib.sha256()
    for outcome in outcomes:
        state.update(outcome.contiguous().numpy().tobytes())
    return state.hexdigest()[:16]


def differences(expected: Any, found: Any, exact: bool, place: str = "") -> list[str]:
    """List where two encoded values differ.

    With ``exact`` every bit counts. Else floats may differ by ``REL`` of themselves or by ``ABS``, those of ``PIXEL``
    by far less: another processor or version of torch adds in another order. Between AVX2 and SSE, cosines moved by
    up to 2e-7, ``lpips_bg`` by 1e-7, ``rses_p`` by 6e-6 (it sees cosines times the logit scale of 100), and pixel
    columns by 6e-9 of themselves. Everything that is not a float must be equal in any case.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        pairs = {key: (expected.get(key, ABSENT), found.get(key, ABSENT)) for key in [*expected, *found]}
        return [line for key, (a, b) in pairs.items() for line in differences(a, b, exact, f"{place}/{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        numbered = enumerate(zip(expected, found, strict=True))
        return [line for index, (a, b) in numbered for line in differences(a, b, exact, f"{place}/{index}")]
    if type(expected) is type(found) and expected == found:
        return []
    if is_float(expected) and is_float(found):
        a, b = float.fromhex(expected), float.fromhex(found)
        rel, least = (PIXEL_REL, PIXEL_ABS) if PIXEL & set(place.split("/")) else (REL, ABS)
        if not exact and math.isclose(a, b, rel_tol=rel, abs_tol=least):
            return []
        return [f"{place}: expected {expected} ({a:.9g}), found {found} ({b:.9g})"]
    return [f"{place}: expected {expected!r}, found {found!r}"]


def is_float(value: Any) -> bool:
    return isinstance(value, str) and HEX.fullmatch(value) is not None

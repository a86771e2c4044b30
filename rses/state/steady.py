"""A block in which the settings of torch are this package's, whatever the caller, or a method, made of them.

Numbers must not depend on the state of the process around them: an autocast region, TF32, another default dtype or
device, deterministic or benchmarking kernels. :func:`steady` sets all of these aside for a block and puts them back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import torch

__all__ = ["PROCESS", "helping", "quiet_rng", "shared_settings", "steady", "steady_thread"]

PROCESS = threading.RLock()
"""Held by whoever has changed what all threads share, so that of two none puts back what the other has set."""

AUTOCAST = ("cpu", "cuda", "mps", "xpu")
_here = threading.local()


@contextmanager
def steady() -> Iterator[None]:
    """Compute in full float32 and float64 with torch's own defaults; may be used as a decorator.

    Each thread computes alone: sums that are shared out among threads are rounded otherwise.

    Example:
        >>> with torch.autocast("cpu"), steady():
        ...     print((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
        torch.float32
    """
    if getattr(_here, "is_steady", False):
        yield
        return
    with PROCESS, ExitStack() as undo:
        for read, write, wanted in shared_settings():
            value = read()
            if value != wanted:
                undo.callback(write, value)
                write(wanted)
        with helping():
            yield


@contextmanager
def helping() -> Iterator[None]:
    """Be a thread that works for another one inside :func:`steady`."""
    _here.is_steady = True
    try:
        with steady_thread(), _one_thread():
            yield
    finally:
        _here.is_steady = False


@contextmanager
def steady_thread() -> Iterator[None]:
    """Set aside what torch keeps for each thread: autocast and the default device."""
    with _plain_device(), ExitStack() as undo:
        for kind in AUTOCAST:
            if torch.is_autocast_enabled(kind):
                undo.callback(torch.set_autocast_enabled, kind, True)
                torch.set_autocast_enabled(kind, False)
        yield


@contextmanager
def quiet_rng() -> Iterator[None]:
    """Leave the caller's random state alone, though layers draw their first weights in the block."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False):
        yield


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    if before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if before != 1:
            torch.set_num_threads(before)


def _plain_device() -> AbstractContextManager[Any]:
    return nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")


_Setting = tuple[Callable[[], Any], Callable[[Any], Any], Any]


def shared_settings() -> list[_Setting]:
    """List settings that all threads share: how to read one, how to write it, and the value wanted."""
    return [
        (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
        (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode, 0),
        *(_attribute(owner, name, value) for owner, name, value in [*_kernels(), *_precision()]),
        *_attention(),
    ]


def _attribute(owner: Any, name: str, wanted: Any) -> _Setting:
    def write(value: Any) -> None:
        # Also where the caller has frozen these flags.
        with getattr(torch.backends, "__allow_nonbracketed_mutation")():  # noqa: B009 (not mangled)
            setattr(owner, name, value)

    return (lambda: getattr(owner, name)), write, wanted


def _kernels() -> list[tuple[Any, str, Any]]:
    """List what chooses among kernels, which shows in the last bits."""
    backends: Any = torch.backends
    wanted = [
        (backends.cudnn, "enabled", True),
        (backends.cudnn, "benchmark", False),
        (backends.cudnn, "deterministic", False),
        (backends.mkldnn, "enabled", True),
        (backends.mkldnn, "deterministic", False),
    ]
    return [entry for entry in wanted if hasattr(entry[0], entry[1])]


def _precision() -> list[tuple[Any, str, Any]]:
    """List what decides the precision of float32 arithmetic; cuDNN's default is TF32 (10 bits)."""
    backends: Any = torch.backends
    if hasattr(backends.cudnn, "conv"):
        # torch 2.9 and later; the old switches raise an error if the caller uses the new ones.
        owners = (backends.cudnn.conv, backends.cuda.matmul, backends.mkldnn.conv, backends.mkldnn.matmul)
        return [(owner, "fp32_precision", "ieee") for owner in owners]
    return [(backends.cudnn, "allow_tf32", False), (backends.cuda.matmul, "allow_tf32", False)]


def _attention() -> list[_Setting]:
    """List what chooses the kernel of attention."""
    cuda: Any = torch.backends.cuda
    names = ("flash_sdp", "mem_efficient_sdp", "math_sdp", "cudnn_sdp")
    known = [name for name in names if hasattr(cuda, f"enable_{name}")]
    return [(getattr(cuda, f"{name}_enabled"), getattr(cuda, f"enable_{name}"), True) for name in known]

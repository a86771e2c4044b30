"""What a method of someone else's may change in the process, kept apart from the process's own.

A method may change directory, the default dtype, seeds, the locale, signal handlers, warnings, the environment. Around
each call of its code the process's state is set aside and the method's own, as its last call left it, put in place;
so nothing of it shows in what is written, and a method finds its own working directory again.
"""

from __future__ import annotations

import contextlib
import gc
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFile

from rses.state.pillow import nobody_decodes
from rses.state.steady import PROCESS, shared_settings

__all__ = ["MethodState", "give_state", "state_of"]

_ATTRIBUTE = "_rses_process_state"

_Part = tuple[Callable[[], Any], Callable[[Any], Any]]


class MethodState:
    """The state of the process as a method made it.

    Example:
        >>> import os, tempfile
        >>> state, before, place = MethodState(), os.getcwd(), os.path.realpath(tempfile.mkdtemp())
        >>> with state.own():
        ...     os.chdir(place)
        >>> os.getcwd() == before
        True
        >>> with state.own():
        ...     os.getcwd() == place
        True
    """

    def __init__(self) -> None:
        self._kept: list[Any] | None = None

    @contextmanager
    def own(self) -> Iterator[None]:
        """Run a block of the method's code in its own state, and put back the process's."""
        with PROCESS:
            signals = _signals()
            parts = [*_parts(), *signals]
            with nobody_decodes():
                before = [read() for read, _ in parts]
                if self._kept is not None:
                    _write(parts, [*self._kept, *before[len(self._kept) :]], before)
            try:
                yield
            finally:
                with nobody_decodes():
                    after = [_read(read, value) for (read, _), value in zip(parts, before, strict=True)]
                    # Not its signal handlers, which would decide what Ctrl-C does.
                    self._kept = after[: len(parts) - len(signals)]
                    _write(parts, before, after)


def state_of(method: Any) -> MethodState:
    """Return the state that belongs to a method, from the import of its code on."""
    state = getattr(method, _ATTRIBUTE, None)
    return state if isinstance(state, MethodState) else MethodState()


def give_state(method: Any, state: MethodState) -> None:
    """Let a method keep the state in which it was built; objects that take no attributes begin anew."""
    with contextlib.suppress(Exception):
        setattr(method, _ATTRIBUTE, state)


def _read(read: Callable[[], Any], otherwise: Any) -> Any:
    # A working directory that was deleted, a stream that was closed: then the process's own is kept.
    try:
        return read()
    except Exception:
        return otherwise


def _write(parts: list[_Part], wanted: list[Any], there: list[Any]) -> None:
    for (_, write), value, current in zip(parts, wanted, there, strict=True):
        if not _same(value, current):
            with contextlib.suppress(OSError, ValueError, locale.Error):
                write(value)


def _same(value: Any, other: Any) -> bool:
    if value is other:
        return True
    if isinstance(value, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(value, other)
    if isinstance(value, tuple) and isinstance(other, tuple) and len(value) == len(other):
        return all(_same(one, two) for one, two in zip(value, other, strict=True))
    if isinstance(value, np.ndarray) or isinstance(other, np.ndarray):
        return bool(np.array_equal(value, other))
    return bool(value == other)


def _parts() -> list[_Part]:
    """List the parts of the state: how to read one, and how to write it."""
    return [
        (os.getcwd, os.chdir),
        (lambda: dict(os.environ), _set_environment),
        (lambda: locale.setlocale(locale.LC_ALL), lambda value: locale.setlocale(locale.LC_ALL, value)),
        (_umask, os.umask),
        *(_attribute(sys, name) for name in ("stdin", "stdout", "stderr", "displayhook", "excepthook")),
        (sys.getrecursionlimit, sys.setrecursionlimit),
        (gc.isenabled, lambda value: gc.enable() if value else gc.disable()),
        (lambda: list(warnings.filters), _set_filters),
        _attribute(warnings, "showwarning"),
        (lambda: logging.root.manager.disable, logging.disable),
        (random.getstate, random.setstate),
        (np.random.get_state, np.random.set_state),  # noqa: NPY002
        (np.geterr, lambda value: np.seterr(**value)),
        *_torch_parts(),
        _attribute(ImageFile, "LOAD_TRUNCATED_IMAGES"),
        _attribute(Image, "MAX_IMAGE_PIXELS"),
    ]


def _torch_parts() -> list[_Part]:
    parts: list[_Part] = [
        *((read, write) for read, write, _ in shared_settings()),
        (torch.get_default_device, _set_default_device),
        (torch.is_grad_enabled, torch.set_grad_enabled),
        (torch.get_num_threads, torch.set_num_threads),
        (torch.get_rng_state, torch.set_rng_state),
    ]
    parts += [_autocast(kind) for kind in ("cpu", "cuda")]
    parts.append((_cuda_rng, _set_cuda_rng))
    return parts


def _cuda_rng() -> tuple[torch.Tensor, ...]:
    cuda: Any = torch.cuda
    return tuple(cuda.get_rng_state_all()) if cuda.is_available() and cuda.is_initialized() else ()


def _set_cuda_rng(states: tuple[torch.Tensor, ...]) -> None:
    # Empty: the method has just started CUDA, whose state is nobody's yet.
    if states:
        torch.cuda.set_rng_state_all(states)


def _autocast(kind: str) -> _Part:
    def write(value: tuple[bool, Any]) -> None:
        torch.set_autocast_enabled(kind, value[0])
        torch.set_autocast_dtype(kind, value[1])

    return (lambda: (torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind))), write


def _attribute(owner: Any, name: str) -> _Part:
    return (lambda: getattr(owner, name)), (lambda value: setattr(owner, name, value))


def _signals() -> list[_Part]:
    # Only the main thread may change handlers, so elsewhere a method cannot have done so.
    if threading.current_thread() is not threading.main_thread():
        return []
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGPIPE", "SIGCHLD", "SIGUSR1", "SIGUSR2")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [_signal(number) for number in numbers]


def _signal(number: int) -> _Part:
    def write(value: Any) -> None:
        # None: set by code that is not Python's, which cannot be put back.
        if value is not None:
            signal.signal(number, value)

    return (lambda: signal.getsignal(number)), write


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _set_environment(wanted: dict[str, str]) -> None:
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _set_filters(filters: list[Any]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]
    # Python remembers which warnings it has shown by a version of the filters.
    getattr(warnings, "_filters_mutated", lambda: None)()


def _set_default_device(device: torch.device) -> None:
    torch.set_default_device(None if device == torch.device("cpu") else device)

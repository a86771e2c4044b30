"""Pillow's process-wide switches, held at their defaults while a file is decoded.

A caller may have set them for purposes of its own (``ImageFile.LOAD_TRUNCATED_IMAGES`` is popular in training code);
they must decide neither what is refused nor which pixels are read.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, PngImagePlugin, TiffImagePlugin

try:
    from PIL import AvifImagePlugin
except ImportError:  # Pillow before 11.3
    AvifImagePlugin = None  # type: ignore[assignment]

__all__ = ["SWITCHES", "nobody_decodes", "pillow_defaults"]

SWITCHES: dict[tuple[ModuleType, str], Any] = {
    (ImageFile, "LOAD_TRUNCATED_IMAGES"): False,
    (Image, "MAX_IMAGE_PIXELS"): 1024 * 1024 * 1024 // 4 // 3,
    (Image, "WARN_POSSIBLE_FORMATS"): False,
    (PngImagePlugin, "MAX_TEXT_CHUNK"): 1024 * 1024,
    (PngImagePlugin, "MAX_TEXT_MEMORY"): 64 * 1024 * 1024,
    (GifImagePlugin, "LOADING_STRATEGY"): GifImagePlugin.LoadingStrategy.RGB_AFTER_FIRST,
    (BmpImagePlugin, "USE_RAW_ALPHA"): False,
    (TiffImagePlugin, "READ_LIBTIFF"): False,
    **({} if AvifImagePlugin is None else {(AvifImagePlugin, "DECODE_CODEC_CHOICE"): "auto"}),
}
"""Switches of Pillow that show in what is read, with their defaults; those that its version lacks are skipped."""


class _Held:
    """Counts the threads that decode: the first sets the defaults, the last puts the caller's values back.

    Whoever swaps the state of the process waits until nobody decodes; otherwise it would take the defaults for the
    caller's values, and the last thread would put back what has just been replaced.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = 0
        self._swapping = False
        self._here = threading.local()
        self._restore = contextlib.ExitStack()

    @property
    def _depth(self) -> int:
        return getattr(self._here, "depth", 0)

    @contextlib.contextmanager
    def decoding(self) -> Iterator[None]:
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextlib.contextmanager
    def swapping(self) -> Iterator[None]:
        if self._depth:
            raise RuntimeError("A thread that decodes would wait for itself.")
        with self._changed:
            self._changed.wait_for(lambda: not self._swapping)
            self._swapping = True
            self._changed.wait_for(lambda: self._users == 0)
        try:
            yield
        finally:
            with self._changed:
                self._swapping = False
                self._changed.notify_all()

    def _enter(self) -> None:
        with self._changed:
            if self._depth == 0:
                self._changed.wait_for(lambda: not self._swapping)
                if self._users == 0:
                    self._hold()
                self._users += 1
            self._here.depth = self._depth + 1

    def _leave(self) -> None:
        with self._changed:
            self._here.depth = self._depth - 1
            if self._depth == 0:
                self._users -= 1
                if self._users == 0:
                    self._restore.close()
                self._changed.notify_all()

    def _hold(self) -> None:
        for (module, name), value in SWITCHES.items():
            before = getattr(module, name, value)
            if before != value or type(before) is not type(value):
                setattr(module, name, value)
                self._restore.callback(setattr, module, name, before)
        # Swapping filters is not safe where other threads do it, too; only errors would show in what is read.
        if any(action == "error" for action, *_ in warnings.filters):
            self._restore.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")


_HELD = _Held()


@contextlib.contextmanager
def pillow_defaults() -> Iterator[None]:
    """Decode independently of Pillow's switches and of warnings that the caller turned into errors.

    Example:
        >>> ImageFile.LOAD_TRUNCATED_IMAGES = True
        >>> with pillow_defaults():
        ...     ImageFile.LOAD_TRUNCATED_IMAGES
        False
        >>> ImageFile.LOAD_TRUNCATED_IMAGES
        True
        >>> ImageFile.LOAD_TRUNCATED_IMAGES = False
    """
    with _HELD.decoding():
        yield


@contextlib.contextmanager
def nobody_decodes() -> Iterator[None]:
    """Wait until no other thread decodes, and let none begin: for whoever swaps the state of the process.

    Example:
        >>> with nobody_decodes():
        ...     ImageFile.LOAD_TRUNCATED_IMAGES
        False
    """
    with _HELD.swapping():
        yield

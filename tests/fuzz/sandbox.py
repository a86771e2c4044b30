"""Run one input and judge what came of it: right outcomes, bounded time and memory, nothing written elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from rses.errors import RsesError

__all__ = ["Fault", "Sandbox", "Target"]

Files = Mapping[str, bytes]
SECONDS, MEMORY = 10.0, 1 << 30
"""Most time an input may take, and by how much it may raise the most memory that the process ever held."""
HALF = re.compile(r"\.[0-9a-f]{32}\.tmp$|/\.packing-")
CHANGES = {"os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.link": (1,),
           "os.symlink": (1,), "os.truncate": (0,)}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Something that reads files of unknown origin.

    Attributes:
        name: What the table calls it.
        seeds: Makes sound inputs, content by path within a folder.
        run: Reads a folder; may write into its folder ``out``.
        fuzzed: Endings of the files that are changed.
        command: Words of a command line on such a folder, run now and then; none where there is no command.
    """

    name: str
    seeds: Callable[[], Sequence[Files]]
    run: Callable[[Path], object]
    fuzzed: tuple[str, ...]
    command: Callable[[Path], Sequence[str]] | None = None
    main: str = "rses"


@dataclass
class Fault:
    """One kind of fault, with the first input that showed it."""

    kind: str
    detail: str
    files: Files
    count: int = 1


class TooSlow(BaseException):
    """An input took longer than allowed."""


@dataclass
class Sandbox:
    """A folder in which inputs are laid out, run and judged.

    Args:
        target: What is tried.
        root: An empty folder.
    """

    target: Target
    root: Path
    _outside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._folder, self._cwd = self.root / "input", self.root / "cwd"
        self._cwd.mkdir(parents=True)
        self._temporary = self.root / "tmp"
        self._temporary.mkdir()
        self._laid: Files = {}
        _watch(self)

    def __call__(self, files: Files, command: bool) -> tuple[str, Fault | None]:
        """Try an input; return what came of it ("read", "refused" or "fault") and the fault."""
        self._lay_out(files)
        before = _tree(self._folder)
        outcome, kind, detail = self._guarded(command)
        if kind is None:
            kind, detail = self._left_behind(before)
        shutil.rmtree(self._folder / "out", ignore_errors=True)
        return ("fault", Fault(kind, detail, files)) if kind is not None else (outcome, None)

    def warm(self, files: Files) -> None:
        """Run a sound input without limits: the first of a process pays for imports."""
        self._lay_out(files)
        self.target.run(self._folder)
        shutil.rmtree(self._folder / "out", ignore_errors=True)
        if self.target.command is not None:
            self._command()
            shutil.rmtree(self._folder / "out", ignore_errors=True)

    def _lay_out(self, files: Files) -> None:
        if set(self._laid) != set(files):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._laid = {}
        for name, data in files.items():
            if self._laid.get(name) is not data:
                path = self._folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        self._laid = dict(files)

    def _guarded(self, command: bool) -> tuple[str, str | None, str]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._outside.clear()
        try:
            with _limits(self, self._cwd, self._temporary):
                refused = self._command() if command else self._call()
        except TooSlow:
            return "fault", f"slow in {_place(sys.exc_info()[1])}", traceback.format_exc()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return "fault", f"{type(error).__name__} in {_place(error)}", traceback.format_exc()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
        if grown > MEMORY:
            return "fault", "memory", f"the process grew by {grown >> 20} MB"
        return ("refused" if refused else "read"), None, ""

    def _call(self) -> bool:
        try:
            self.target.run(self._folder)
        except (RsesError, OSError) as error:
            # What a command line prints.
            str(error).encode("utf-8", "backslashreplace")
            return True
        return False

    def _command(self) -> bool:
        import regionroute.cli.main
        import rses.cli.main

        assert self.target.command is not None
        main = {"rses": rses.cli.main.main, "regionroute": regionroute.cli.main.main}[self.target.main]
        words = [str(word) for word in self.target.command(self._folder)]
        out, err = _Terminal(), _Terminal()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
        message = err.text()
        if code not in (0, 2):
            raise AssertionError(f"exit status {code}: {message[-500:]}")
        if "Traceback" in message or "Warning:" in message:
            raise AssertionError(f"traceback or warning: {message[-2000:]}")
        if code == 2 and not message.strip():
            raise AssertionError("exit status 2 without a message")
        return code == 2

    def _left_behind(self, before: dict[str, tuple[int, int]]) -> tuple[str | None, str]:
        after = _tree(self._folder)
        half = [name for name in after if HALF.search("/" + name)]
        changed = [n for n in {*before, *after} if before.get(n) != after.get(n) and not n.startswith("out/")]
        stray = [*self._outside, *_tree(self._cwd), *_tree(self._temporary)]
        if changed:
            # The next input finds its files as they should be.
            self._laid = {}
        if half:
            return "half-written", ", ".join(half)
        if stray:
            return "outside", ", ".join(stray)
        return ("input changed", ", ".join(changed)) if changed else (None, "")


class _Terminal(io.TextIOWrapper):
    """Like a terminal in UTF-8: a lone surrogate cannot be printed unless somebody allows for it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        return self.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]


@contextlib.contextmanager
def _limits(box: Sandbox, cwd: Path, temporary: Path) -> Iterator[None]:
    """Bound the time, turn warnings into errors, and write down what is written outside the sandbox."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TooSlow

    former, place = signal.signal(signal.SIGALRM, stop), Path.cwd()
    tempfile.tempdir = str(temporary)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    os.chdir(cwd)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning, FutureWarning):
                warnings.simplefilter("ignore", kind)
            _WATCHERS.append(box)
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
        os.chdir(place)
        tempfile.tempdir = None
        _WATCHERS.clear()


_WATCHERS: list[Sandbox] = []
_HOOKED: list[bool] = []


def _watch(box: Sandbox) -> None:
    """Listen to what Python opens for writing, renames and removes; a hook stays for good, so there is one."""
    del box
    if not _HOOKED:
        sys.addaudithook(_hear)
        _HOOKED.append(True)


def _hear(event: str, words: tuple[Any, ...]) -> None:
    if not _WATCHERS:
        return
    if event == "open":
        flags = words[2] if isinstance(words[2], int) else 0
        paths = [words[0]] if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else []
    else:
        paths = [words[place] for place in CHANGES.get(event, ())]
    box = _WATCHERS[0]
    for path in paths:
        if isinstance(path, (str, bytes, os.PathLike)):
            # Not resolve(): that asks the file system, which would be heard here, too.
            place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
            if not place.startswith((str(box.root), "/dev/")) and "__pycache__" not in place:
                box._outside.append(f"{event} {place}")


def _tree(folder: Path) -> dict[str, tuple[int, int]]:
    found, waiting = {}, [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    facts = entry.stat(follow_symlinks=False)
                    found[os.path.relpath(entry.path, folder)] = facts.st_size, facts.st_mtime_ns
    return found


def _place(error: BaseException | None) -> str:
    """Name the innermost line of this project's on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    own = [
        f for f in frames if re.search(r"/(rses|regionroute|baselines)/", f.filename) and "/tests/" not in f.filename
    ]
    if not own:
        return "tests"
    path = "/".join(Path(own[-1].filename).parts[-3:])
    return f"{path}:{own[-1].lineno} {own[-1].name}"


def digest(files: Files) -> str:
    """Return a short name of an input."""
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:10]

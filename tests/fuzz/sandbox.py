"""Run one input and judge the outcome: the right result, bounded time and memory, nothing written elsewhere."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import re
import resource
import shlex
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regionroute.cli.main
import rses.cli.main
from rses.errors import RsesError
from tests.helpers.small import write_files

Files = Mapping[str, bytes]
SECONDS, MEMORY = 10.0, 1 << 30
"""Most time for an input, and by how much it may raise the peak memory of the process."""
HALF = re.compile(r"\.[0-9a-f]{32}\.tmp$|/\.packing-")
CHANGES = {"os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.link": (1,),
           "os.symlink": (1,), "os.truncate": (0,)}  # fmt: skip
HARMLESS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning, FutureWarning)
MAINS = {"rses": rses.cli.main.main, "regionroute": regionroute.cli.main.main}


@dataclass(frozen=True)
class Target:
    """Something that reads untrusted files.

    Attributes:
        name: What the table calls it.
        seeds: Makes sound inputs, content by path within a folder.
        run: Reads a folder; may write into its folder ``out``.
        fuzzed: Endings of the files that are changed.
        command: A command line on such a folder (``@``), run now and then; empty where there is no command.
        prepare: Copies to ``out`` what is changed by reading it.
    """

    name: str
    seeds: Callable[[], Sequence[Files]]
    run: Callable[[Path], object]
    fuzzed: tuple[str, ...]
    command: str = ""
    prepare: Callable[[Path], object] = lambda folder: None


@dataclass
class Fault:
    """One kind of fault, with the first input that showed it."""

    kind: str
    detail: str
    files: Files
    count: int = 1


class TooSlow(BaseException):
    """An input took longer than allowed."""


class Sandbox:
    """A folder in which inputs are laid out, run and judged.

    Args:
        target: What is tried.
        root: An empty folder.
    """

    def __init__(self, target: Target, root: Path):
        self.target, self.root = target, root
        self.folder, self.cwd, self.temporary = (root / name for name in ("input", "cwd", "tmp"))
        for folder in (self.folder, self.cwd, self.temporary):
            folder.mkdir(parents=True)
        self.outside: list[str] = []
        install_hook()

    def __call__(self, files: Files, command: bool) -> tuple[str, Fault | None]:
        """Try an input; return the outcome ("read", "refused" or "fault") and the fault."""
        before = self._lay_out(files)
        outcome, kind, detail = self._guarded(command)
        if not kind:
            kind, detail = self._left_behind(before)
        return ("fault", Fault(kind, detail, files)) if kind else (outcome, None)

    def warm(self, files: Files) -> None:
        """Run a sound input without limits: the first one of a process pays for imports."""
        for call in (self._call, self._command)[: 2 if self.target.command else 1]:
            self._lay_out(files)
            call()

    def _lay_out(self, files: Files) -> dict[str, tuple[int, int]]:
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        write_files(self.folder, files)
        return tree(self.folder)

    def _guarded(self, command: bool) -> tuple[str, str, str]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.outside.clear()
        try:
            with limits(self):
                refused = self._command() if command else self._call()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            kind = "slow" if isinstance(error, TooSlow) else type(error).__name__
            return "fault", f"{kind} in {innermost(error)}", traceback.format_exc()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
        if grown > MEMORY:
            return "fault", "memory", f"the process grew by {grown >> 20} MB"
        return ("refused" if refused else "read"), "", ""

    def _call(self) -> bool:
        try:
            self.target.prepare(self.folder)
            self.target.run(self.folder)
        except (RsesError, OSError) as error:
            # What a command line prints.
            str(error).encode("utf-8", "backslashreplace")
            return True
        return False

    def _command(self) -> bool:
        self.target.prepare(self.folder)
        found = [re.sub(r"\S+\*", self._match, word) for word in shlex.split(self.target.command)]
        program, *words = [word.replace("@", str(self.folder)) for word in found]
        # Like terminals in UTF-8: a lone surrogate cannot be printed unless somebody allows for it.
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = MAINS[program](words)
        err.seek(0)
        message = err.read()
        assert code in (0, 2), f"exit status {code}: {message[-500:]}"
        assert not re.search("Traceback|Warning:", message), message[-2000:]
        assert code == 0 or message.strip(), "exit status 2 without a message"
        return code == 2

    def _match(self, pattern: re.Match[str]) -> str:
        return "@/" + next(self.folder.glob(pattern[0].removeprefix("@/"))).name

    def _left_behind(self, before: dict[str, tuple[int, int]]) -> tuple[str, str]:
        after = tree(self.folder)
        found = {
            "half-written": [name for name in after if HALF.search("/" + name)],
            "outside": [*self.outside, *tree(self.cwd), *tree(self.temporary)],
            "input changed": [
                name
                for name in {*before, *after}
                if before.get(name) != after.get(name) and not name.startswith("out/")
            ],
        }
        return next(((kind, ", ".join(names)) for kind, names in found.items() if names), ("", ""))


def stop(*_: object) -> None:
    raise TooSlow


@contextlib.contextmanager
def limits(box: Sandbox) -> Iterator[None]:
    """Bound the time, turn warnings into errors, and record what is written outside the sandbox."""
    former, place = signal.signal(signal.SIGALRM, stop), Path.cwd()
    tempfile.tempdir = str(box.temporary)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    os.chdir(box.cwd)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for kind in HARMLESS:
                warnings.simplefilter("ignore", kind)
            WATCHERS.append(box)
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
        os.chdir(place)
        tempfile.tempdir = None
        WATCHERS.clear()


WATCHERS: list[Sandbox] = []


@functools.cache
def install_hook() -> None:
    """Listen to what Python opens for writing, renames and removes; a hook stays for good, so there is one."""
    sys.addaudithook(hear)


def hear(event: str, words: tuple[Any, ...]) -> None:
    if not WATCHERS:
        return
    places: Sequence[int] = CHANGES.get(event, ())
    if event == "open" and isinstance(words[2], int) and words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        places = (0,)
    for path in (words[place] for place in places):
        if isinstance(path, (str, bytes, os.PathLike)):
            # Not resolve(): that asks the file system, which would be heard here, too.
            place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
            if not place.startswith((str(WATCHERS[0].root), "/dev/")) and "__pycache__" not in place:
                WATCHERS[0].outside.append(f"{event} {place}")


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of everything below a folder but folders."""
    stated = {path: path.lstat() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    return {path.relative_to(folder).as_posix(): (facts.st_size, facts.st_mtime_ns) for path, facts in stated.items()}


def innermost(error: BaseException) -> str:
    """Name the innermost line of this project on the way to an error."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if re.search(r"/(rses|regionroute|baselines)/", frame.filename) and "/tests/" not in frame.filename:
            return f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}"
    return "tests"


def digest(files: Files) -> str:
    """Return a short name of an input."""
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:10]

"""Stop a command at a moment: killed after a time, or before the n-th change to the file system, with half a line
written; or with a disk that refuses every change from then on.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rses.errors import RsesError
from tests.kill.scenarios import Scenario, outcome

__all__ = ["REFUSED", "Report", "fail_scenario", "finish", "in_child", "kill_scenario", "uninterrupted"]

REFUSED = 2
CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "shutil.rmtree"})
HALF = re.compile(r"(^|/)\.[^/]*\.([0-9a-f]{32}\.)?tmp(/|$)|(^|/)\.packing-")


@dataclass
class Report:
    """What came of killing one command."""

    name: str
    kills: int = 0
    missed: int = 0
    faults: tuple[str, ...] = ()


class Counter:
    """Counts changes to the file system, and kills its own process before one of them, or lets all from it on fail."""

    def __init__(self, fatal: int = 0, torn: bool = False, error: int = 0):
        self.count, self.fatal, self.torn, self.error = 0, fatal, torn, error
        sys.addaudithook(self)
        self._fsync = os.fsync
        os.fsync = self._synced

    def __call__(self, event: str, words: tuple[Any, ...]) -> None:
        """Hear of an event of the interpreter."""
        written = event == "open" and isinstance(words[2], int) and bool(words[2] & (os.O_WRONLY | os.O_RDWR))
        if (written and words[0] != os.devnull) or event in CHANGES:
            self._step()

    def _step(self) -> None:
        self.count += 1
        if self.error and self.count >= self.fatal:
            raise OSError(self.error, os.strerror(self.error))
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def _synced(self, descriptor: int) -> None:
        if self.count + 1 < self.fatal or self.error:
            self._step()
        elif self.count + 1 == self.fatal:
            size = os.fstat(descriptor).st_size
            # What is not flushed yet may be lost, in the middle of a line.
            if self.torn and size > 9:
                os.ftruncate(descriptor, size - 5)
            os.kill(os.getpid(), signal.SIGKILL)
        self._fsync(descriptor)


def in_child(work: Callable[[], object], log: Path, kill_after: float | None = None) -> tuple[int, float]:
    """Run work in a forked process; return its status, negative where a signal ended it, and the seconds it took."""
    sys.stdout.flush()
    sys.stderr.flush()
    began, child = time.monotonic(), os.fork()
    if child == 0:
        code = 1
        try:
            with log.open("w") as stream:
                os.dup2(stream.fileno(), 1)
                os.dup2(stream.fileno(), 2)
                work()
                code = 0
        # What a command line turns into a message and exit status 2.
        except (RsesError, OSError):
            code = REFUSED
            log.write_text(traceback.format_exc())
        except BaseException:
            log.write_text(traceback.format_exc())
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(status), time.monotonic() - began


def kill_scenario(scenario: Scenario, kills: int, seed: int, root: Path) -> Report:
    """Kill a command again and again, check what is there each time, and compare the end.

    Args:
        scenario: The command.
        kills: How often.
        seed: Decides when.
        root: An empty folder.

    Returns:
        Kills that hit, and faults.
    """
    rng, report, log = random.Random(f"{seed}:{scenario.name}"), Report(scenario.name), root / "log.txt"
    faults: list[str] = []
    whole = root / "whole"
    changes, seconds = uninterrupted(scenario, root)
    place = root / "killed"
    _prepared(scenario, place)
    while report.kills < kills and report.missed < 3 * kills:
        how = rng.randrange(3)
        fatal, after = rng.randint(1, changes), rng.uniform(0, seconds)

        def work(how: int = how, fatal: int = fatal) -> None:
            if how:
                Counter(fatal, torn=how == 2)
            scenario.run(place)

        code, _ = in_child(work, log, None if how else after)
        if code == -signal.SIGKILL:
            report.kills += 1
        else:
            report.missed += 1
            if code not in (0, REFUSED):
                faults.append(f"repeat after kill {report.kills}: {log.read_text()[-1500:]}")
                _prepared(scenario, place)
        moment = f"after {after:.3f} s" if not how else f"at change {fatal} of {changes}{' torn' if how == 2 else ''}"
        faults += [f"{moment}: {fault}" for fault in _faults(scenario, place)]
        if code in (0, REFUSED) or rng.random() < 0.3:
            faults += finish(scenario, place, whole, log)
            _prepared(scenario, place)
    faults += finish(scenario, place, whole, log)
    report.faults = tuple(dict.fromkeys(faults))
    return report


def fail_scenario(scenario: Scenario, moments: int, seed: int, root: Path) -> Report:
    """Let every change to the file system fail from a moment on: read-only, or full."""
    rng, report, log = random.Random(f"{seed}:{scenario.name}"), Report(scenario.name), root / "log.txt"
    changes, _ = uninterrupted(scenario, root)
    faults: list[str] = []
    for _ in range(moments):
        fatal, error = rng.randint(1, changes), rng.choice((errno.EROFS, errno.ENOSPC))
        place = root / "failed"
        _prepared(scenario, place)

        def work(fatal: int = fatal, error: int = error, place: Path = place) -> None:
            Counter(fatal, error=error)
            scenario.run(place)

        code, _ = in_child(work, log)
        report.kills += 1
        moment = f"{errno.errorcode[error]} from change {fatal} of {changes} on"
        if code not in (0, REFUSED):
            faults.append(f"{moment}: {log.read_text()[-1500:]}")
        found = [*_faults(scenario, place), *finish(scenario, place, root / "whole", log)]
        faults += [f"{moment}: {fault}" for fault in found]
    report.faults = tuple(dict.fromkeys(faults))
    return report


def uninterrupted(scenario: Scenario, root: Path) -> tuple[int, float]:
    """Run a command in ``whole``; return its changes to the file system and the seconds it took.

    Raises:
        AssertionError: It fails.
    """
    whole, count, log = root / "whole", root / "count", root / "log.txt"
    # Once for what is made on first use, in this process, so that children find it made.
    _prepared(scenario, whole)
    scenario.run(whole)
    _prepared(scenario, whole)

    def counted() -> None:
        counter = Counter()
        scenario.run(whole)
        changes = counter.count
        count.write_text(str(changes))

    code, seconds = in_child(counted, log)
    assert code == 0, log.read_text()[-1500:]
    return int(count.read_text()), seconds


def _prepared(scenario: Scenario, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    scenario.before(folder)


def _faults(scenario: Scenario, folder: Path) -> list[str]:
    try:
        scenario.check(folder)
    except Exception:
        return [f"not valid: {traceback.format_exc()[-1500:]}"]
    return []


def finish(scenario: Scenario, folder: Path, whole: Path, log: Path) -> list[str]:
    """Run to the end and compare with the uninterrupted run."""
    code, _ = in_child(lambda: scenario.run(folder), log)
    # A command that makes new folders refuses one that is whole already.
    if code not in (0, REFUSED):
        return [f"the repeat fails: {log.read_text()[-1500:]}"]
    own, other = outcome(folder), outcome(whole)
    different = sorted(name for name in {*own, *other} if own.get(name) != other.get(name))
    faults = sorted({f"left behind: {HALF.sub('/*tmp', name)}" for name in different if HALF.search(name)})
    changed = [name for name in different if not HALF.search(name)]
    if changed and code:
        return [f"the repeat is refused: {log.read_text()[-1500:]}"]
    return faults + ([f"other bytes than uninterrupted: {', '.join(changed)}"] if changed else [])

"""Kill a command at a moment: after a time, or before the n-th change to the file system, with half a line written."""

from __future__ import annotations

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

__all__ = ["Report", "kill_scenario"]

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
    """Counts changes to the file system, and kills its own process before one of them."""

    def __init__(self, fatal: int = 0, torn: bool = False):
        self.count, self.fatal, self.torn = 0, fatal, torn
        self.on = True
        sys.addaudithook(self)
        self._fsync = os.fsync
        os.fsync = self._synced

    def __call__(self, event: str, words: tuple[Any, ...]) -> None:
        """Hear of an event of the interpreter."""
        if not self.on:
            return
        written = event == "open" and isinstance(words[2], int) and bool(words[2] & (os.O_WRONLY | os.O_RDWR))
        if written or event in CHANGES:
            self._step()

    def _step(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def _synced(self, descriptor: int) -> None:
        self.count += 1
        if self.count == self.fatal:
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
        except RsesError:
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
    whole, count = root / "whole", root / "count"
    _prepared(scenario, whole)
    # Once for what is made on first use, in this process, so that children find it made.
    warm = root / "warm"
    _prepared(scenario, warm)
    scenario.run(warm)
    shutil.rmtree(warm)

    def counted() -> None:
        counter = Counter()
        scenario.run(whole)
        count.write_text(str(counter.count))

    code, seconds = in_child(counted, log)
    if code:
        return Report(scenario.name, faults=(f"uninterrupted: {log.read_text()[-1500:]}",))
    changes = int(count.read_text())
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
            faults += _finish(scenario, place, whole, log)
            _prepared(scenario, place)
    faults += _finish(scenario, place, whole, log)
    report.faults = tuple(dict.fromkeys(faults))
    return report


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


def _finish(scenario: Scenario, folder: Path, whole: Path, log: Path) -> list[str]:
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

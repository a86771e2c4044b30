"""Stop a command at a moment: killed after a time, or before the n-th change to the file system, with half a line
written; or with a disk that refuses every change from then on.
"""

from __future__ import annotations

import errno
import functools
import os
import random
import re
import shutil
import signal
import stat
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rses.errors import RsesError
from tests.kill.scenarios import Scenario, outcome

REFUSED = 2
CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "shutil.rmtree"})
HALF = re.compile(r"(^|/)\.[^/]*\.([0-9a-f]{32}\.)?tmp(/|$)|(^|/)\.packing-")


class Counter:
    """Counts changes to the file system, and kills its own process before one of them, or lets all from it on fail."""

    def __init__(self, fatal: int = 0, torn: bool = False, error: int = 0):
        self.count, self.fatal, self.torn, self.error = 0, fatal, torn, error
        sys.addaudithook(self)
        self.fsync = os.fsync
        os.fsync = self.synced

    def __call__(self, event: str, words: tuple[Any, ...]) -> None:
        """Hear of an event of the interpreter."""
        written = event == "open" and isinstance(words[2], int) and bool(words[2] & (os.O_WRONLY | os.O_RDWR))
        if (written and words[0] != os.devnull) or event in CHANGES:
            self.step()

    def step(self) -> None:
        self.count += 1
        if self.error and self.count >= self.fatal:
            raise OSError(self.error, os.strerror(self.error))
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def synced(self, descriptor: int) -> None:
        facts = os.fstat(descriptor)
        if self.torn and self.count + 1 == self.fatal and stat.S_ISREG(facts.st_mode) and facts.st_size > 9:
            # What is not flushed yet may be lost, in the middle of a line. This change is heard as well.
            self.fatal = 0
            os.ftruncate(descriptor, facts.st_size - 5)
            os.kill(os.getpid(), signal.SIGKILL)
        self.step()
        self.fsync(descriptor)


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
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), time.monotonic() - began


class Trial:
    """A scenario, its uninterrupted end in ``whole``, and the folder ``place`` in which it is stopped.

    Args:
        scenario: The command.
        root: An empty folder.
        seed: Decides the moments.

    Raises:
        AssertionError: The uninterrupted command fails.
    """

    def __init__(self, scenario: Scenario, root: Path, seed: int = 0):
        self.scenario, self.root = scenario, root
        self.rng = random.Random(f"{seed}:{scenario.name}")
        self.whole, self.log, self.moments = root / "whole", root / "log.txt", 0
        self.faults: dict[str, None] = {}
        self.place = self.whole
        # Once for what is made on first use, in this process, so that children find it made.
        self.prepare()
        scenario.run(self.place)
        self.prepare()
        count = root / "count"

        def counted() -> None:
            counter = Counter()
            scenario.run(self.place)
            changes = counter.count
            count.write_text(str(changes))

        code, self.seconds = in_child(counted, self.log)
        assert code == 0, self.log.read_text()[-1500:]
        self.changes, self.place = int(count.read_text()), root / "place"

    def prepare(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        self.scenario.before(self.place)

    def run(self, kill_after: float | None = None, **counted: Any) -> int:
        """Run the command in a child, with a :class:`Counter` where one is described; return its status."""

        def work() -> None:
            if counted:
                Counter(**counted)
            self.scenario.run(self.place)

        return in_child(work, self.log, kill_after)[0]

    def fault(self, moment: str, what: str) -> None:
        self.faults[f"{moment}: {what}"] = None

    def check(self, moment: str) -> None:
        """What is there must be valid."""
        try:
            self.scenario.check(self.place)
        except Exception:
            self.fault(moment, f"not valid: {traceback.format_exc()[-1500:]}")

    def finish(self, moment: str) -> None:
        """Run to the end and compare with the uninterrupted run."""
        code = self.run()
        own, other = outcome(self.place), outcome(self.whole)
        different = sorted(name for name in {*own, *other} if own.get(name) != other.get(name))
        changed = [name for name in different if not HALF.search(name)]
        # A command that makes new folders refuses one that is whole already.
        if code not in (0, REFUSED) or (changed and code):
            self.fault(moment, f"the repeat ends with status {code}: {self.log.read_text()[-1500:]}")
        elif changed:
            self.fault(moment, f"other bytes than uninterrupted: {', '.join(changed)}")
        for name in set(different) - set(changed):
            self.fault(moment, f"left behind: {HALF.sub('/*tmp', name)}")


def kill(trial: Trial, kills: int) -> int:
    """Kill a command again and again, check what is there each time, and compare the end; return the kills that hit."""
    hits = tries = 0
    trial.prepare()
    while hits < kills and tries < 4 * kills:
        tries += 1
        fatal, torn = trial.rng.randint(1, trial.changes), trial.rng.random() < 0.5
        if trial.rng.random() < 1 / 3:
            after = trial.rng.uniform(0, trial.seconds)
            moment, stopped = f"after {after:.3f} s", functools.partial(trial.run, after)
        else:
            moment = f"at change {fatal} of {trial.changes}{' torn' if torn else ''}"
            stopped = functools.partial(trial.run, fatal=fatal, torn=torn)
        code = stopped()
        hits += code == -signal.SIGKILL
        if code not in (-signal.SIGKILL, 0, REFUSED):
            trial.fault(moment, f"repeat after kill {hits}: {trial.log.read_text()[-1500:]}")
            trial.prepare()
        trial.check(moment)
        if code in (0, REFUSED) or trial.rng.random() < 0.3:
            trial.finish(moment)
            trial.prepare()
    trial.finish("at the end")
    trial.moments += hits
    return hits


def fail(trial: Trial, moments: int) -> None:
    """Let every change to the file system fail from a moment on: read-only, or full."""
    for _ in range(moments):
        fatal, error = trial.rng.randint(1, trial.changes), trial.rng.choice((errno.EROFS, errno.ENOSPC))
        moment = f"{errno.errorcode[error]} from change {fatal} of {trial.changes} on"
        trial.prepare()
        code = trial.run(fatal=fatal, error=error)
        if code not in (0, REFUSED):
            trial.fault(moment, trial.log.read_text()[-1500:])
        trial.check(moment)
        trial.finish(moment)
        trial.moments += 1

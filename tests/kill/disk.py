"""A disk that is full, and one that turns read-only in the middle: exit 2, one message, and the repeat succeeds."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.kill.killing import REFUSED, Report, finish, in_child, uninterrupted
from tests.kill.scenarios import Scenario

__all__ = ["fill_scenario"]

PAGE = 4096


@contextlib.contextmanager
def _mounted(folder: Path, size: str) -> Iterator[Path | None]:
    """Give a small file system of its own, or ``None`` where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _remount(folder: Path, option: str) -> bool:
    """Change a file system's size, or make it read-only; whether that worked."""
    return subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], capture_output=True).returncode == 0


def fill_scenario(scenario: Scenario, root: Path) -> Report | None:
    """Run a command on a disk with half the room it needs, then with enough; ``None`` where none can be mounted."""
    log, whole = root / "log.txt", root / "whole"
    uninterrupted(scenario, root)
    with _mounted(root / "disk", "64m") as disk:
        if disk is None:
            return None
        place = disk / "place"
        place.mkdir()
        scenario.before(place)
        before = _used(disk)
        needed = sum(-(-path.stat().st_size // PAGE) * PAGE for path in whole.rglob("*") if path.is_file())
        room = before + max(2 * PAGE, (needed - min(before, needed)) // 2)
        assert _remount(disk, f"size={room}")
        code, _ = in_child(lambda: scenario.run(place), log)
        said = log.read_text()
        # What replaces files may need no more room than they took.
        refused = code == 0 or (code == REFUSED and "No space left" in said)
        faults = [] if refused else [f"status {code} on a full disk: {said[-1500:]}"]
        scenario.check(place)
        assert _remount(disk, "size=64m")
        faults += finish(scenario, place, whole, log)
        return Report(scenario.name, 1, 0, tuple(faults))


def _used(disk: Path) -> int:
    facts = os.statvfs(disk)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

"""A disk with half the room that a command needs: exit 2, one message, and the repeat succeeds."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.kill.killing import REFUSED, Trial

PAGE = 4096


@contextlib.contextmanager
def mounted(folder: Path, size: str) -> Iterator[bool]:
    """Give a small file system of its own; false where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    allowed = sys.platform == "linux" and not subprocess.run(mount, capture_output=True).returncode
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True, capture_output=True)


def used(disk: Path) -> int:
    facts = os.statvfs(disk)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


def fill(trial: Trial) -> bool:
    """Run a command on a disk with half the room that it needs, then with enough; false where none can be mounted."""
    disk = trial.root / "disk"
    with mounted(disk, "64m") as allowed:
        if not allowed:
            return False
        trial.place = disk / "place"
        trial.prepare()
        before = used(disk)
        needed = sum(-(-path.stat().st_size // PAGE) * PAGE for path in trial.whole.rglob("*") if path.is_file())
        resize(disk, str(before + max(2 * PAGE, (needed - min(before, needed)) // 2)))
        code = trial.run()
        said = trial.log.read_text()
        # What replaces files may need no more room than they took.
        if code != 0 and (code != REFUSED or "No space left" not in said):
            trial.fault("full disk", f"status {code}: {said[-1500:]}")
        trial.check("full disk")
        resize(disk, "64m")
        trial.finish("full disk")
        trial.moments += 1
    return True

"""``python -m tests.fuzz``: try changed inputs on everything that reads untrusted files.

python -m tests.fuzz --seconds 60                  # a minute per target
python -m tests.fuzz --only coco --seed 7          # one target, from a seed that an earlier run printed
python -m tests.fuzz --replay .fuzz/coco/0-1a2b    # one saved input again, with its traceback
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.mutate import mutate_file
from tests.fuzz.sandbox import Fault, Files, Sandbox, Target, digest
from tests.fuzz.targets import targets
from tests.helpers.small import read_files, write_files

SAVED = Path(".fuzz")


@dataclass
class Tally:
    """Outcomes of the inputs of one target."""

    read: int = 0
    refused: int = 0
    commands: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        """Inputs in all."""
        return self.read + self.refused + sum(fault.count for fault in self.faults.values())


def changed(rng: random.Random, target: Target, files: Files) -> Files:
    """Return an input of which one file, or two, are changed."""
    names = [name for name in files if name.endswith(target.fuzzed)]
    chosen = rng.sample(names, min(len(names), rng.choice((1, 1, 1, 2))))
    return {**files, **{name: mutate_file(rng, name, files[name]) for name in chosen}}


def fuzz(target: Target, seed: int, seconds: float = 0.0, inputs: int = 0, every: int = 50) -> Tally:
    """Try the sound inputs, then changed ones for a time or up to a number; one of ``every`` by the command line.

    The n-th input depends on the seed and n alone.
    """
    tally, sound = Tally(), target.seeds()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        box = Sandbox(target, Path(folder).resolve())
        box.warm(sound[0])
        began = time.monotonic()
        while tally.tried < len(sound) + inputs or (not inputs and time.monotonic() - began < seconds):
            number = tally.tried
            files = sound[number % len(sound)]
            if number >= len(sound):
                files = changed(random.Random(f"{seed}:{target.name}:{number}"), target, files)
            command = bool(target.command) and number % every == every - 1
            tally.commands += command
            outcome, fault = box(files, command)
            if number < len(sound) and outcome != "read":
                raise SystemExit(f"{target.name}: seed {number} is not read: {outcome} {fault and fault.detail}")
            tally.read += outcome == "read"
            tally.refused += outcome == "refused"
            if fault is not None:
                known = tally.faults.setdefault(fault.kind, fault)
                known.count += known is not fault
    return tally


def save(target: Target, number: int, fault: Fault) -> Path:
    """Keep what is needed to see a fault again."""
    place = SAVED / target.name / f"{number}-{digest(fault.files)}"
    shutil.rmtree(place, ignore_errors=True)
    write_files(place / "input", fault.files)
    (place / "fault.txt").write_text(f"{fault.kind}\n\n{fault.detail}", "utf-8", "backslashreplace")
    return place


def replay(place: Path) -> int:
    """Run a saved input again, both ways."""
    target = next(one for one in targets() if one.name == place.parent.name)
    found = False
    for command in (False, True) if target.command else (False,):
        with tempfile.TemporaryDirectory() as folder:
            outcome, fault = Sandbox(target, Path(folder).resolve())(read_files(place / "input"), command)
        print(f"{'command' if command else 'call'}: {outcome}", fault.detail if fault else "")
        found = found or fault is not None
    return int(found)


def main() -> int:
    """Return 1 where a fault was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="time for each target")
    parser.add_argument("--inputs", type=int, default=0, help="changed inputs for each target, instead of a time")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="targets whose names match")
    parser.add_argument("--replay", type=Path, help="a saved input")
    options = parser.parse_args()
    if options.replay:
        return replay(options.replay)
    print(f"seed {options.seed}", flush=True)
    found = total = 0
    print(f"{'target':<22}{'inputs':>8}{'read':>8}{'refused':>9}{'commands':>9}{'faults':>8}")
    for target in (one for one in targets() if re.search(options.only, one.name)):
        tally = fuzz(target, options.seed, options.seconds, options.inputs)
        total, found = total + tally.tried, found + len(tally.faults)
        print(f"{target.name:<22}{tally.tried:>8}{tally.read:>8}{tally.refused:>9}{tally.commands:>9}"
              f"{len(tally.faults):>8}", flush=True)  # fmt: skip
        for number, fault in enumerate(tally.faults.values()):
            print(f"    {fault.count} x {fault.kind}: {save(target, number, fault)}", flush=True)
    print(f"{total} inputs, {found} kinds of faults")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())

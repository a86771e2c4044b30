"""``python -m tests.kill --kills 10``: kill -9 every command that writes, at random moments; look at what is left."""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from pathlib import Path

from tests.kill.killing import kill_scenario
from tests.kill.scenarios import scenarios


def main() -> int:
    """Return 1 where a fault was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="for each command")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="commands whose names match")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    kills = faults = 0
    for scenario in scenarios():
        if re.search(options.only, scenario.name):
            with tempfile.TemporaryDirectory() as place:
                report = kill_scenario(scenario, options.kills, options.seed, Path(place).resolve())
            kills, faults = kills + report.kills, faults + len(report.faults)
            counts = f"{report.kills:>5} kills{report.missed:>5} missed{len(report.faults):>4} faults"
            print(f"{report.name:<28}{counts}", flush=True)
            for fault in report.faults:
                print("    " + fault.replace("\n", "\n        "), flush=True)
    print(f"{kills} kills, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())

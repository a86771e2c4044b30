"""Stop every command that writes, again and again, and look at what is left.

python -m tests.kill --kills 10        # kill -9 at ten random moments, each command
python -m tests.kill --failures 10     # a disk that is full, or read-only, from ten random moments on
python -m tests.kill --full            # a real disk with half the room that is needed; needs the right to mount
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.kill.disk import fill_scenario
from tests.kill.killing import Report, fail_scenario, kill_scenario
from tests.kill.scenarios import Scenario, scenarios


def _reports(scenario: Scenario, options: argparse.Namespace) -> Iterator[tuple[str, Report | None]]:
    for what, wanted in (("kills", options.kills), ("failures", options.failures), ("full disk", options.full)):
        if wanted:
            with tempfile.TemporaryDirectory() as place:
                root = Path(place).resolve()
                if what == "full disk":
                    yield what, fill_scenario(scenario, root)
                else:
                    stop = kill_scenario if what == "kills" else fail_scenario
                    yield what, stop(scenario, wanted, options.seed, root)


def main() -> int:
    """Return 1 where a fault was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=0, help="for each command")
    parser.add_argument("--failures", type=int, default=0, help="for each command")
    parser.add_argument("--full", action="store_true", help="also on a real disk that is full")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="commands whose names match")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    moments = faults = 0
    for scenario in scenarios():
        if not re.search(options.only, scenario.name):
            continue
        for what, report in _reports(scenario, options):
            if report is None:
                print(f"{scenario.name:<28} {what} skipped: a disk cannot be mounted here", flush=True)
                continue
            moments, faults = moments + report.kills, faults + len(report.faults)
            print(f"{report.name:<28}{report.kills:>5} {what:<10}{len(report.faults):>4} faults", flush=True)
            for fault in report.faults:
                print("    " + fault.replace("\n", "\n        "), flush=True)
    print(f"{moments} moments, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())

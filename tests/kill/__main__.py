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
from pathlib import Path

from tests.kill.disk import fill
from tests.kill.killing import Trial, fail, kill
from tests.kill.scenarios import scenarios


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
    for scenario in (one for one in scenarios() if re.search(options.only, one.name)):
        with tempfile.TemporaryDirectory() as place:
            trial = Trial(scenario, Path(place).resolve(), options.seed)
            if options.kills:
                kill(trial, options.kills)
            fail(trial, options.failures)
            skipped = "" if not options.full or fill(trial) else ", full disk skipped: none can be mounted here"
        moments, faults = moments + trial.moments, faults + len(trial.faults)
        print(f"{scenario.name:<28}{trial.moments:>5} moments{len(trial.faults):>4} faults{skipped}", flush=True)
        for fault in trial.faults:
            print("    " + fault.replace("\n", "\n        "), flush=True)
    print(f"{moments} moments, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Command line of the recipe."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from benchmark_data.recipes.suites.mini import build_mini
from benchmark_data.recipes.suites.photos import build_photos
from rses.suites import verify_suite

BUILDERS = {"mini": build_mini, "photos": build_photos}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.suites", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write one folder per suite to")
    parser.add_argument("--only", choices=sorted(BUILDERS), help="build this one alone")
    options = parser.parse_args(arguments)
    for name, build in BUILDERS.items():
        if options.only in (None, name):
            shutil.rmtree(options.out / name, ignore_errors=True)
            build(options.out / name)
            suite = verify_suite(options.out / name)
            print(f"{name}: {len(suite)} samples, sha256 {suite.sha256}", file=sys.stderr)


if __name__ == "__main__":
    main()

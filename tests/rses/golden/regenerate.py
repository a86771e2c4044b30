"""Rewrite the golden files. Only for a deliberate change, see CONTRIBUTING.md.

``python -m tests.rses.golden.regenerate`` writes ``expected``; ``--inputs`` makes ``stored`` first, which old boards
must never need.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.rses.golden import EXPECTED, board, inputs, names, pictures, runs, values


def write(name: str, content: str) -> None:
    path = EXPECTED / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")


def indented(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", action="store_true", help="make the stored inputs anew, too")
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        if parser.parse_args().inputs:
            inputs.write_patches()
            inputs.write_submissions(work)
        write("environment.json", indented(values.environment()))
        write("names.json", indented(names.public_names()))
        write("commands.json", indented(names.commands()))
        write("protocols.json", indented(names.protocols()))
        write("suites.json", indented(names.suites()))
        write("pixels.json", indented(pictures.write_cases(work / "pixels")))
        for protocol in runs.PROTOCOLS:
            run = runs.score(protocol, work)
            write(f"{protocol}.json", indented(runs.table(run / "samples.parquet")))
            if protocol == "rses-mini":
                write("summary.json", indented(runs.summary(run)))
        for suite in pictures.SAMPLES:
            run = runs.bench(suite, work)
            write(f"bench-{suite}.json", indented(runs.table(run / "samples.parquet")))
            write(f"bench-{suite}-summary.json", indented(runs.summary(run)))
        for name, text in board.rendered(work).items():
            write(f"board/{name}", text)


if __name__ == "__main__":
    main()

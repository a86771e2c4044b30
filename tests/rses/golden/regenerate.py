"""``python -m tests.rses.golden.regenerate``: rewrite ``expected``. For intended changes only, see CONTRIBUTING.md."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.rses.golden import EXPECTED, names, pictures, runs, values


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        found = {
            "environment.json": values.environment(),
            "names.json": names.public_names(),
            "commands.json": names.commands(),
            "protocols.json": names.protocols(),
            "suites.json": names.suites(),
            "pixels.json": pictures.write_cases(work / "pixels"),
        }
        for protocol in runs.PROTOCOLS:
            run = runs.score(protocol, work)
            found[f"{protocol}.json"] = runs.table(run / "samples.parquet")
            if protocol == "rses-mini":
                found["summary.json"] = runs.summary(run)
        for suite in pictures.SAMPLES:
            run = runs.bench(suite, work)
            found[f"bench-{suite}.json"] = runs.table(run / "samples.parquet")
            found[f"bench-{suite}-summary.json"] = runs.summary(run)
        texts = {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in found.items()}
        texts |= {f"board/{name}": text for name, text in runs.board(work).items()}
    for name, text in texts.items():
        path = EXPECTED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""``rses suites``: list, show, build, mask, export, verify, push and pull benchmark suites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rses.cli import suite_build, suite_mask, suite_share
from rses.cli.common import emit, progress, quiet_stdout
from rses.cli.help import command
from rses.cli.lists import Lines, facts_text, listing


def _lines() -> Lines:
    from rses.suites import list_suites, load_suite

    suites = [load_suite(name) for name in list_suites()]
    return [(s.name, f"{len(s)} samples, version {s.version}, {s.licence}: {', '.join(s.styles)}") for s in suites]


def export(
    name: Annotated[str, typer.Argument(help="Name of an embedded suite, or a suite folder.", metavar="NAME|DIR")],
    folder: Annotated[Path, typer.Argument(help="New or empty folder.", metavar="DIR")],
) -> None:
    """Copy a suite to a folder; it also loads with datasets.load_dataset("imagefolder", data_dir=DIR)."""
    from rses.suites import export_suite

    with progress(f"Exporting {name}"), quiet_stdout():
        target = export_suite(name, folder)
    emit(str(target))


def verify(
    folder: Annotated[Path, typer.Argument(help="Suite folder.", metavar="DIR")],
    ids: Annotated[
        str | None,
        typer.Option("--ids", help="Frozen ids that it must hold: a SHA-256, a selection.json, or one id per line."),
    ] = None,
) -> None:
    """Compare every file of a suite with its SHA-256; all differences are listed."""
    from rses.files.escape import clean
    from rses.suites.verify import verify_ids, verify_suite

    with progress(f"Verifying {folder}"), quiet_stdout():
        suite = verify_suite(folder)
        frozen = verify_ids(suite, ids) if ids is not None else None
    title = clean(f"{suite.name} {suite.version}")
    emit(f"{title}: {len(suite.samples)} samples, every file as declared ({suite.sha256})")
    if frozen is not None:
        emit(f"ids as frozen ({frozen})")


def show(
    name: Annotated[str, typer.Argument(help="Name of an embedded suite, or a suite folder.", metavar="NAME|DIR")],
    sheet: Annotated[
        list[Path] | None, typer.Option("--sheet", help="Write a contact sheet, .png or .html; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a suite: its facts and statistics, and contact sheets with outlined regions, tags and prompts."""
    from rses.files.escape import clean
    from rses.suites import load_suite

    with progress(f"Reading {name}") as report, quiet_stdout():
        suite = load_suite(name)
        from rses.suites.sheet import suite_statistics, write_sheet  # imports torch, unlike what is above

        statistics = suite_statistics(suite)
        for path in sheet or []:
            write_sheet(suite, path, report)
    facts: dict[str, Any] = {
        "version": suite.version, "licence": suite.licence, "samples": len(suite),
        "images": len({sample.image for sample in suite.samples}), "sha256": suite.sha256, "folder": str(suite.root),
    }  # fmt: skip
    if as_json:
        emit(json.dumps({"name": suite.name, **facts, **statistics}, indent=2, ensure_ascii=False))
        return
    counted = {about: ", ".join(f"{clean(value)} ({count})" for value, count in counts.items()) or "-"
               for about, counts in statistics.items()}  # fmt: skip
    emit(facts_text(clean(suite.name), "", {key: clean(str(value)) for key, value in facts.items()} | counted))


app = listing(
    "List, show, build, check and share benchmark suites.", _lines, "rses suites", "rses suites show mini",
    "rses suites build folder --images photos/ --masks masks/ --object cat --styles ink --out suite/",
)  # fmt: skip
command(app, "show", show, "rses suites show mini", "rses suites show mini --sheet mini.html")
app.add_typer(suite_build.app, name="build")
command(app, "mask", suite_mask.mask, "rses suites mask --images photos/ --boxes boxes.csv --out masks/ "
        "--segmenter classical")  # fmt: skip
command(app, "verify", verify, "rses suites verify suite/", "rses suites verify suite/ --ids suite/selection.json")
command(app, "export", export, "rses suites export mini my-mini/")
command(app, "push", suite_share.push, "rses suites push suite/ org/name", "rses suites push suite/ ./parquet")
command(app, "pull", suite_share.pull, "rses suites pull org/name --out suite/")

"""``rses vlm``: let a vision-language model answer the paper's four questions on the edits of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Format, emit, keeping, note, progress, quiet_stdout
from rses.cli.options import Device, Dtype


def vlm(
    run: Annotated[Path, typer.Argument(help="Run folder of `rses bench`.", metavar="RUN")],
    model: Annotated[str, typer.Option(help="Hub id or folder.")] = "Qwen/Qwen2.5-VL-7B-Instruct",
    revision: Annotated[str, typer.Option(help="Revision of a hub id.")] = "main",
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: Annotated[int, typer.Option(help="Questions asked together.", min=1)] = 8,
    images: Annotated[Path | None, typer.Option(help="Edits, if not RUN/images.", metavar="DIR")] = None,
    fresh: Annotated[bool, typer.Option("--fresh/--resume", help="Forget earlier answers, or go on.")] = False,
    format: Annotated[Format, typer.Option(help="table or json.")] = Format.table,
) -> None:
    """Ask of every edit: is the object in the target style, is the background, and the same for the opposite style.

    Answers go to RUN/vlm.jsonl one by one, rates with intervals to RUN/vlm.json.
    """
    with keeping(run), progress("Asking") as update, quiet_stdout():
        from rses.runs.results import load_run

        results = load_run(run)
        from rses.vlm import YesNoJudge, judge_run, open_questions  # imports torch: only now

        open_questions(results.samples, images or run / "images")
        judge = YesNoJudge(model, device, dtype, revision=revision)
        summary = judge_run(
            run, results.samples, images or run / "images", judge, batch_size=batch_size, fresh=fresh, progress=update
        )
    emit(json.dumps(summary, indent=2) if format is Format.json else _table(summary))
    note(f"{summary['n']} samples, answers in {run / 'vlm.jsonl'}")


def _table(summary: dict) -> str:  # type: ignore[type-arg]
    lines = [f"{'question':<28} {'yes':>6}  {'95 % interval':<16} {'mass':>5}"]
    for name, entry in summary["questions"].items():
        interval = f"[{entry['low']:.3f}, {entry['high']:.3f}]" if entry["low"] is not None else ""
        lines.append(f"{name:<28} {entry['yes']:>6.3f}  {interval:<16} {entry['mass']:>5.2f}")
    return "\n".join(lines)

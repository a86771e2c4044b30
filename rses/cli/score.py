"""``rses score``: score a folder of edits."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rses.arguments import require_inner_share
from rses.cli.beforehand import require_numbers, require_weights_of
from rses.cli.common import (
    Format,
    elapsed,
    emit,
    keeping,
    note,
    progress,
    quiet_stdout,
    terminal,
    warn,
)
from rses.cli.options import Device, Engine, Gpus, Metrics, Output, RayAddress, Shards, file_or_list, require_engine
from rses.cli.options import Protocol as ProtocolId
from rses.errors import InputError, Place, Problem
from rses.files.places import require_apart

if TYPE_CHECKING:
    from rses.protocol import Protocol
    from rses.runs.results import Results
    from rses.runs.shard import Shard
    from rses.scoring.scorer import RSES

__all__ = ["custom_protocol", "score"]

SHOWN = 5
"""Samples that are named on the screen for each reason to leave them out."""


@dataclass(frozen=True)
class Places:
    """Where the files of one method are, and where its run goes."""

    method: str | None
    pred: Path
    out: Path | None
    masks: Path | None
    source: Path | None
    suite: str | None


def score(
    context: typer.Context,
    pred: Annotated[
        list[str],
        typer.Option(
            help="Folder of predictions, <id>.png. Several methods: --pred NAME=DIR for each; each has a run folder of "
            "its name in --out.",
            metavar="DIR",
        ),
    ],
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Folder of masks, white = region to edit. Sources and styles come from metadata.jsonl in it or in "
            "its parent.",
            metavar="DIR",
        ),
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="Folder of source images, without metadata.", metavar="DIR")
    ] = None,
    style: Annotated[str | None, typer.Option(help="One style for all samples.", metavar="TEXT")] = None,
    styles: Annotated[
        str | None,
        typer.Option(
            help="Style of each id: a JSON, JSONL or CSV file. Or the styles to choose among, with commas between.",
            metavar="FILE|A,B,C",
        ),
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="Suite (name or folder) instead of --masks.", metavar="NAME|DIR")
    ] = None,
    protocol: ProtocolId = "rses-v1",
    out: Annotated[Path | None, typer.Option(help="Run folder to write; a stopped run goes on.", metavar="DIR")] = None,
    device: Device = "auto",
    batch_size: Annotated[str, typer.Option(help="Samples a forward pass on a GPU, or auto.")] = "auto",
    workers: Annotated[int, typer.Option(help="Threads that decode images.", min=0)] = 2,
    format: Output = Format.table,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Score what is there, and report coverage.")
    ] = False,
    allow_resize: Annotated[
        bool, typer.Option("--allow-resize", help="Resize predictions to the source's size, and mark them.")
    ] = False,
    ignore_band: Annotated[
        int | None, typer.Option(help="Leave K px around the region out of the background.", metavar="K", min=0)
    ] = None,
    lpips_form: Annotated[str | None, typer.Option(help="neutral, spatial, blackout or strict.", metavar="F")] = None,
    region: Annotated[str | None, typer.Option(help="What RSM sees: crop or masked.", metavar="R")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Style backbone, e.g. open_clip:ViT-L-14-quickgelu/openai.", metavar="SPEC")
    ] = None,
    metrics: Metrics = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Only the first N samples, by id; the rest counts as missing.", metavar="N", min=1),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Where soft masks begin to be region, above 0 and below 1; else they are refused.", metavar="T"
        ),
    ] = None,
    method_name: Annotated[
        str | None, typer.Option(help="Name in tables; by default the folder's.", metavar="NAME")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Score only the i-th of n parts, into --out; the same command without it puts all together.",
            metavar="I/N",
        ),
    ] = None,
    engine: Engine = "local",
    shards: Shards = 2,
    ray_address: RayAddress = None,
    gpus: Gpus = 0.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what --out holds.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Write report.html, into --out if given.")] = False,
) -> None:
    """Score a folder of edited images against sources, masks and styles.

    Results go to stdout, messages to stderr. Problems with files are all listed by name, with remedies.
    """
    _check(masks, suite, style, styles)
    inputs = {
        "masks": masks, "source": source, "style": style, "styles": None if styles is None else file_or_list(styles),
        "suite": suite, "allow_missing": allow_missing, "allow_resize": allow_resize, "fresh": fresh, "limit": limit,
        "threshold": threshold,
    }  # fmt: skip
    require_numbers(device, batch_size)
    if threshold is not None:
        require_inner_share(threshold, "--threshold")
    part = _part(shard, engine, out)
    places = _places(pred, masks, source, suite, out, method_name)
    start = time.monotonic()
    named = "Scoring" if len(places) == 1 else f"Scoring {len(places)} methods"
    with keeping(out), progress(named) as update, quiet_stdout():
        rules = custom_protocol(
            protocol, ignore_band=ignore_band, lpips_form=lpips_form, region=region, style_backbone=backbone
        )
        for place in places:
            _look_for_files(place, inputs, metrics)
        require_weights_of(rules, metrics)
        from rses.scoring.scorer import RSES  # imports torch: only now, so that wrong paths and names are found at once

        settings: dict[str, Any] = {
            "protocol": rules, "device": device, "batch_size": batch_size, "metrics": metrics, "workers": workers
        }  # fmt: skip
        cluster = {"shards": shards, "address": ray_address, "gpus": gpus, "scorer": settings}
        scorer = RSES(**settings)
        runs = _run(scorer, places, out, {**inputs, "progress": update}, part, cluster if engine == "ray" else None)
    if part is not None:
        note(_counted(runs) + f" in {elapsed(start)}, kept in {out} for a run without --shard")
        return
    for results, place in zip(runs, places, strict=True):
        _tell(results, place, " ".join(map(shlex.quote, context.obj or [])))
    _show(runs, format)
    note(_counted(runs) + f" in {elapsed(start)}" + (f", written to {out}" if out else ""))
    if report:
        write_page(runs, scorer, places, (out or Path()) / "report.html")


def _places(
    preds: Sequence[str], masks: Path | None, source: Path | None, suite: str | None, out: Path | None,
    method: str | None,
) -> list[Places]:  # fmt: skip
    """Read ``DIR`` or several ``NAME=DIR``; a folder whose name holds a = is a folder."""
    pairs = [text.partition("=") if not Path(text).is_dir() else ("", "", text) for text in preds]
    if len(preds) == 1 and not pairs[0][1]:
        return [Places(method, Path(preds[0]), out, masks, source, suite)]
    names = [name.strip() for name, _, _ in pairs]
    problems = [
        Problem(f'--pred is NAME=DIR for several methods, got "{text}".', "wrong-form", Place(field="--pred"))
        for text, name in zip(preds, names, strict=True) if not name or Path(name).name != name
    ]  # fmt: skip
    problems += [
        Problem(f'Two folders have the name "{name}". Give each its own.', "used-twice", Place(field="--pred"))
        for name in names
        if names.count(name) > 1
    ]
    if method:
        text = "Give the names with --pred NAME=DIR, without --method-name."
        problems.append(Problem(text, "exclusive", Place(field="--method-name")))
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return [
        Places(name, Path(folder), out and out / name, masks, source, suite)
        for name, (_, _, folder) in zip(names, pairs, strict=True)
    ]


def _part(shard: str | None, engine: str, out: Path | None) -> Shard | None:
    """Read ``--shard``, and see that the options of large runs go together."""
    from rses.runs.shard import Shard

    require_engine(engine)
    if engine == "ray" and shard is not None:
        raise InputError(
            "--engine ray makes its own shards: leave out --shard.", code="exclusive", place=Place(field="--engine")
        )
    if out is None and (engine == "ray" or shard is not None):
        raise InputError("Shards are kept in the folder of the whole run: give --out DIR.", code="missing-option")
    return None if shard is None else Shard.parse(shard)


def _run(
    scorer: RSES, places: Sequence[Places], out: Path | None, inputs: Mapping[str, Any], part: Shard | None,
    cluster: Mapping[str, Any] | None,
) -> list[Results]:  # fmt: skip
    """Score one folder, or several together, on this machine or on a cluster."""
    preds = {str(place.method): place.pred for place in places}
    alone = places[0] if len(places) == 1 else None
    given = {**inputs, "out": out} if alone is None else {**inputs, "out": alone.out, "method": alone.method}
    if cluster is not None:
        from rses.scoring.ray_engine import score_on_ray

        return score_on_ray(preds if alone is None else alone.pred, **given, **cluster)
    if alone is not None:
        return [scorer.score_folder(alone.pred, shard=part, **given)]
    return list(scorer.score_folders(preds, shard=part, **given).values())


def _counted(runs: Sequence[Results]) -> str:
    cached = sum(run.cached for run in runs)
    return f"{sum(len(run.samples) for run in runs)} samples" + (f" ({cached} of them scored before)" if cached else "")


def _tell(results: Results, place: Places, command: str) -> None:
    """Say what concerns one run beside its numbers, and write down how it was made."""
    _name_left_out(results)
    warn(results)
    for text in results.info.get("notes", ()):
        note(f"note: {text}")
    if place.out is not None:
        from rses.report.inputs import remember_inputs

        remember_inputs(
            place.out, command or None, pred=place.pred, masks=place.masks, source=place.source, suite=place.suite
        )


def _look_for_files(places: Places, inputs: Mapping[str, Any], metrics: str | None) -> None:
    """Find wrong names, paths and folders; the scorer looks again, but only after torch was imported."""
    from rses.inputs.card import name_problem
    from rses.inputs.pairing import pair_folder
    from rses.suites import load_suite
    from rses.table import needs_of, select_metrics

    if fault := name_problem(places.method or places.pred.resolve().name):
        raise InputError(f"The name of the method {fault}. Give another with --method-name.", code="wrong-argument")
    needs = sorted(needs_of(select_metrics(metrics)) - {"perceptual"})
    require_apart(places.out, {"predictions": places.pred, "masks": places.masks, "sources": places.source})
    masks, metadata = places.masks, None
    if masks is None:
        root = load_suite(places.suite or "").root
        require_apart(places.out, {"the suite": root})
        masks, metadata = root / "masks", root / "metadata.jsonl"
    pair_folder(
        places.pred, masks, source=places.source, style=inputs["style"], styles=inputs["styles"], metadata=metadata,
        allow_missing=inputs["allow_missing"], needs=needs, limit=inputs["limit"],
    )  # fmt: skip


def _name_left_out(results: Results) -> None:
    """Say which samples and files have no part in the numbers, and why."""
    from rses.files.escape import clean

    for status in dict.fromkeys(sample.status for sample in results.samples if sample.status != "ok"):
        found = [sample for sample in results.samples if sample.status == status]
        shown = "; ".join(clean(sample.id + (f": {sample.note}" if sample.note else "")) for sample in found[:SHOWN])
        note(f"{len(found)} {status}: {shown}" + (" ..." if len(found) > SHOWN else ""))
    extra = results.info.get("extra_files", [])
    if extra:
        shown = ", ".join(clean(name) for name in extra[:SHOWN])
        note(f"{len(extra)} files belong to no sample: {shown}" + (" ..." if len(extra) > SHOWN else ""))


def custom_protocol(name: str, **knobs: Any) -> Protocol:
    """Return the named protocol with the knobs that were given.

    Raises:
        ProtocolError: Unknown protocol or value.

    Example:
        >>> custom_protocol("rses-mini", ignore_band=None).id, custom_protocol("rses-mini", ignore_band=2).id
        ('rses-mini', 'rses-mini+custom')
    """
    from rses.backbones.specs import parse_spec
    from rses.protocol import get_protocol

    if knobs.get("style_backbone") is not None:
        parse_spec(knobs["style_backbone"])
    return get_protocol(name).replace(**{key: value for key, value in knobs.items() if value is not None})


def write_page(runs: Sequence[Results], scorer: RSES, places: Sequence[Places], path: Path) -> None:
    """Write the report of what was just scored, with its pictures."""
    from rses.report.html import write_report
    from rses.report.inputs import folder_files

    with progress("Report") as update, quiet_stdout():
        files = [folder_files(place.pred, place.masks, place.source, place.suite) for place in places]
        heatmap = scorer.heatmap if "lpips_bg" in scorer.metrics else None
        write_report(runs, path, files=files, heatmap=heatmap, progress=update)
    note(f"report: {path}")


def _check(masks: Path | None, suite: str | None, style: str | None, styles: str | None) -> None:
    problems = []
    if masks is not None and suite is not None:
        text = "Give --masks or --suite, not both: a suite brings its own masks."
        problems.append(Problem(text, "exclusive", Place(field="--masks")))
    if masks is None and suite is None:
        text = "No masks. Give a folder of masks (--masks DIR) or a suite (--suite NAME)."
        problems.append(Problem(text, "missing-option", Place(field="--masks")))
    if style is not None and styles is not None:
        problems.append(
            Problem("Give --style (one for all) or --styles (a file), not both.", "exclusive", Place(field="--style"))
        )
    if problems:
        raise InputError(problems)


def _show(runs: Sequence[Results], format: Format) -> None:
    from rses.report.tables import render

    width, color = terminal()
    emit(render(runs, format.value, width=width, color=color))

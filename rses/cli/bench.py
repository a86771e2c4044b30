"""``rses bench``: run a method on a suite and score its edits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from rses.cli.options import (
    Device,
    Dtype,
    Engine,
    Fresh,
    Gpus,
    Output,
    Protocol,
    RayAddress,
    Report,
    Shards,
    require_engine,
)
from rses.errors import InputError, Place
from rses.files.text import parse_json

if TYPE_CHECKING:
    from rses.bench import Shard
    from rses.methods import Method
    from rses.protocol import Protocol as Rules
    from rses.runs.results import Results


def bench(
    method: Annotated[str | None, typer.Option(help="See `rses methods`.", metavar="NAME|pkg.module:Class")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Edits made elsewhere, <id>.png; instead of a method.", metavar="DIR")
    ] = None,
    suite: Annotated[str, typer.Option(help="See `rses suites`.", metavar="NAME|DIR")] = "mini",
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default in runs/SUITE/METHOD.", metavar="DIR")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="Weights: mini, a hub id, or a folder; by default the method's own.")
    ] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="Option of the method, e.g. steps=20.", metavar="KEY=VALUE")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N samples.", metavar="N", min=1)] = None,
    shard: Annotated[
        str | None, typer.Option(help="Only the i-th of n parts; see `rses merge`.", metavar="I/N")
    ] = None,
    seed: Annotated[int, typer.Option(help="Base seed of all samples.")] = 0,
    protocol: Protocol = "rses-v1",
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: Annotated[str, typer.Option(help="Most samples edited together.", metavar="auto|N")] = "auto",
    engine: Engine = "local",
    shards: Shards = 2,
    ray_address: RayAddress = None,
    gpus: Gpus = 0.0,
    fresh: Fresh = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Edit failed samples again.")] = False,
    format: Output = Format.table,
    report: Report = False,
) -> None:
    """Edit every sample of a suite with a method, and score the edits as they come.

    A stopped run goes on where it was. A sample whose edit fails is noted, and the run goes on.
    """
    require_numbers(device, batch_size)
    require_engine(engine)
    label = method or (predictions.name if predictions is not None else "method")
    folder = out or Path("runs") / _slug(Path(suite).name) / _slug(label) / _part(shard)
    start = time.monotonic()
    with keeping(folder), progress(label) as update, quiet_stdout():
        rules = _look_for_names(method, predictions, suite, protocol, folder)
        part = _part_of(shard, dtype)
        chosen = method_options(variant, options)
        if chosen and predictions is not None:
            raise InputError(
                "--variant and --set belong to a method; --predictions takes edits as they are.",
                code="exclusive",
                place=Place(field="--variant"),
            )
        if engine == "local":
            require_weights_of(rules)
        from rses.report.inputs import remember_inputs
        from rses.report.tables import render
        from rses.scoring.scorer import RSES  # imports torch: only now, so that wrong paths and names are found at once

        settings: dict[str, Any] = {
            "device": device, "dtype": dtype, "batch_size": _batch_size(batch_size), "limit": limit, "seed": seed,
            "fresh": fresh, "retry_failed": retry_failed,
        }  # fmt: skip
        if engine == "ray":
            cluster = {"shards": shards, "address": ray_address, "gpus": gpus}
            results = _on_ray(method, shard, suite, folder, chosen, cluster, settings | {"protocol": protocol}, update)
        else:
            from rses.bench import run_bench

            editor = _editor(method, predictions, chosen)
            scorer = RSES(protocol=protocol, device=device)
            results = run_bench(editor, suite, folder, scorer=scorer, shard=part, progress=update, **settings)
        remember_inputs(folder, pred=folder / "images", suite=suite)
    width, color = terminal()
    emit(render([results], format.value, width=width, color=color))
    warn(results)
    note(f"{_counted(results)} in {elapsed(start)}, written to {folder}")
    failed = [sample for sample in results.samples if sample.status == "failed"]
    if failed:
        again = "--retry-failed" if predictions is None else "--fresh"
        note(f'{len(failed)} failed, e.g. "{failed[0].id}": {failed[0].note} Try them again with {again}.')
    if report:
        from rses.cli.score import Places, write_page

        write_page(
            [results],
            RSES(protocol=protocol, device=device),
            [Places(None, folder / "images", folder, None, None, suite)],
            folder / "report.html",
        )


def _look_for_names(method: str | None, predictions: Path | None, suite: str, protocol: str, folder: Path) -> Rules:
    """Find wrong names, paths and folders before torch is imported."""
    from rses.files.places import require_apart
    from rses.methods import require_method
    from rses.protocol import get_protocol
    from rses.suites import load_suite

    if (method is None) == (predictions is None):
        raise InputError("Give either --method NAME (see `rses methods`) or --predictions DIR.", code="exclusive")
    if method is not None:
        require_method(method)
    rules = get_protocol(protocol)
    if predictions is not None and not predictions.is_dir():
        raise InputError(f"There is no folder of predictions {predictions}.", code="missing-file")
    require_apart(folder, {"the suite": load_suite(suite).root, "predictions": predictions})
    return rules


def _part_of(shard: str | None, dtype: str) -> Shard | None:
    from rses.methods import DTYPES
    from rses.runs.shard import Shard

    if dtype != "auto" and dtype not in DTYPES:
        raise typer.BadParameter(f"choose auto, {', '.join(DTYPES)}", param_hint="--dtype")
    return None if shard is None else Shard.parse(shard)


def _counted(results: Results) -> str:
    from rses.runs.summary import suite_size

    run, whole = len(results.samples), suite_size(results.samples, results.info)
    return f"{run} samples" if run == whole else f"{run} of {whole} samples (a part of the suite)"


def _on_ray(
    method: str | None, shard: str | None, suite: str, folder: Path, options: dict[str, Any], cluster: dict[str, Any],
    settings: dict[str, Any], update: Callable[[int, int], None],
) -> Results:  # fmt: skip
    from rses.bench.ray_engine import run_on_ray

    if method is None or shard is not None:
        raise InputError(
            "--engine ray makes its own shards of a --method: leave out --shard and --predictions.",
            code="exclusive",
            place=Place(field="--engine"),
        )
    return run_on_ray(method, suite, folder, options=options, progress=update, **cluster, **settings)


def _editor(method: str | None, predictions: Path | None, options: dict[str, Any]) -> Method:
    """Build what edits."""
    from rses.bench.predictions import Predictions
    from rses.methods import get_method

    if method is not None:
        return get_method(method, **options)
    return Predictions(predictions)


def method_options(variant: str | None, settings: Sequence[str] | None) -> dict[str, Any]:
    """Read ``--variant`` and ``--set key=value``; values are JSON where they can be read as such, else text.

    Example:
        >>> method_options("mini", ["steps=20", "inversion=direct"])
        {'steps': 20, 'inversion': 'direct', 'variant': 'mini'}
    """
    found: dict[str, Any] = {}
    for text in settings or ():
        key, separator, value = text.partition("=")
        if not separator or not key.strip().isidentifier():
            raise InputError(
                f'--set must be key=value, e.g. steps=20; got "{text}".', code="wrong-form", place=Place(field="--set")
            )
        try:
            found[key.strip()] = parse_json(value)
        except ValueError:
            found[key.strip()] = value
    return found if variant is None else {**found, "variant": variant}


def _batch_size(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _part(shard: str | None) -> Path:
    """Return where a shard's run lies below the method's, so that shards do not replace each other.

    Example:
        >>> _part("2/8").as_posix(), _part(None).as_posix()
        ('shards/2-of-8', '.')
    """
    from rses.runs.shard import Shard

    return Path() if shard is None else Shard.parse(shard).folder(Path())


def _slug(text: str) -> str:
    """Return a name for a folder.

    Example:
        >>> _slug("my.pkg:Method")
        'my.pkg-Method'
    """
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "run"

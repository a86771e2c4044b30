"""Score folders in shards that are tasks of a Ray cluster; the numbers are those of a run on one machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rses.files.lock import exclusive
from rses.runs.journal import SCORES
from rses.runs.ray_tasks import cluster, run_tasks
from rses.runs.results import Results
from rses.runs.shard import Shard
from rses.scoring.scorer import RSES
from rses.scoring.shards import forget_shards

__all__ = ["score_on_ray"]

Preds = str | Path | Mapping[str, str | Path]
PATHS = {"masks", "source", "suite", "styles"}


def score_on_ray(
    pred: Preds, out: str | Path, *, shards: int, scorer: Mapping[str, Any] | None = None, address: str | None = None,
    gpus: float = 0.0, cpus: float = 1.0, progress: Callable[[int, int], None] | None = None, **options: Any,
) -> list[Results]:  # fmt: skip
    """Score all shards as tasks, then put them together as one more task, on the same kind of node.

    Args:
        pred: Folder of predictions, or folders by the method's name; all paths are the same on every node.
        out: Run folder, or folder of run folders, on a file system that all nodes share.
        shards: How many tasks.
        scorer: Arguments of :class:`rses.RSES`.
        address: Of the cluster ("auto" finds a running one); by default a cluster on this machine is started.
        gpus: GPUs a task needs.
        cpus: CPUs a task needs.
        progress: Called with (tasks done, tasks).
        options: As in :meth:`rses.RSES.score_folder`.

    Raises:
        RsesError: As in scoring; or Ray is missing, there is no cluster, or a task's worker was lost too often.

    Returns:
        The runs in the order of ``pred``, also written to ``out``.
    """
    folder, parts = Path(out).absolute(), Shard.all(shards)
    places: Preds
    if isinstance(pred, Mapping):
        places, outs = {name: Path(own).absolute() for name, own in pred.items()}, [folder / name for name in pred]
    else:
        places, outs = Path(pred).absolute(), [folder]
    given = options | {name: _absolute(options[name]) for name in PATHS & options.keys()}
    if given.pop("fresh", False):
        # Once, and not at every try: those go on where the last one stopped.
        for own in filter(Path.exists, outs):
            with exclusive(own):
                forget_shards(own)
                (own / SCORES).unlink(missing_ok=True)
    common = (dict(scorer or {}), places, folder, given)
    with cluster(address):
        run_tasks(_work, [(*common, part) for part in parts], gpus=gpus, cpus=cpus, progress=progress)
        run_tasks(_work, [(*common, None)], gpus=gpus, cpus=cpus)
    return [Results.load(own) for own in outs]


def _work(scorer: dict[str, Any], pred: Preds, out: Path, options: dict[str, Any], shard: Shard | None) -> None:
    score = RSES(**scorer)
    if isinstance(pred, Mapping):
        score.score_folders(pred, out=out, shard=shard, **options)
    else:
        score.score_folder(pred, out=out, shard=shard, **options)


def _absolute(value: Any) -> Any:
    """Return a path as every node finds it; the name of a suite and styles by id stay."""
    return Path(value).absolute() if isinstance(value, str | Path) and Path(value).exists() else value

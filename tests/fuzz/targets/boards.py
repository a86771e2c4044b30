"""Submissions: folders, changed by accident and on purpose."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.sandbox import Files, Target
from tests.fuzz.targets.suites import read_files


@functools.cache
def _submission() -> Files:
    from baselines.reference import BackgroundOnly
    from rses.bench import Shard, run_bench
    from rses.leaderboard.pack import pack_run
    from rses.report.inputs import remember_inputs
    from rses.scoring.scorer import RSES

    with tempfile.TemporaryDirectory() as place:
        run, packed = Path(place) / "run", Path(place) / "packed"
        run_bench(BackgroundOnly(), "mini", run, scorer=RSES("rses-mini", device="cpu"), shard=Shard(1, 32))
        remember_inputs(run, pred=run / "images", suite="mini")
        pack_run(run, packed, images=True, previews=2, date="2026-02-19")
        return read_files(packed)


def _small() -> list[Files]:
    return [{name: data for name, data in _submission().items() if not name.startswith("images/")}]


def _sealed(folder: Path) -> None:
    """Renew the digests in ``submission.json``, as a forger would."""
    from rses.files.atomic import sha256_file

    path = folder / "submission.json"
    try:
        manifest = json.loads(path.read_bytes())
        manifest["files"] = {name: sha256_file(folder / name) for name in ("summary.json", "samples.parquet")}
        path.write_text(json.dumps(manifest))
    except (ValueError, TypeError, KeyError, RecursionError, OSError):
        return


def _copied(folder: Path, place: Path) -> Path:
    for name, data in read_files(folder).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    _sealed(place)
    return place


def _read(folder: Path) -> None:
    from rses.leaderboard.submission import read_submission

    read_submission(_copied(folder, folder / "out" / "submission"))


def _verify_words(folder: Path) -> Sequence[str]:
    return ("leaderboard", "verify", str(_copied(folder, folder / "out" / "submission")), "--rescore", "0")


def _boards(folder: Path) -> Path:
    boards = folder / "out" / "boards"
    _copied(folder, boards / "results" / "mini--rses-mini" / "background-only")
    return boards


def _build(folder: Path) -> None:
    from rses.leaderboard.build import build

    build(_boards(folder))


def _build_words(folder: Path) -> Sequence[str]:
    return ("leaderboard", "build", "--boards", str(_boards(folder)))


def targets() -> list[Target]:
    """All forms of submissions."""
    return [
        Target("submission", _small, _read, (".json", ".parquet"), _verify_words),
        Target("board", _small, _build, (".json", ".parquet", ".jpg"), _build_words),
    ]

"""Suite folders, suites as parquet, and the card of a folder of edits."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.sandbox import Files, Target
from tests.fuzz.targets.images import encoded, photo, region
from tests.fuzz.targets.tables import lines


def read_files(root: Path) -> Files:
    """Return all files below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def write_suite(root: Path, samples: int = 2) -> Path:
    """Write a small suite."""
    from rses.suites import write_manifest

    rows = []
    for number in range(samples):
        for kind, image in (("images", photo()), ("masks", region())):
            (root / kind).mkdir(parents=True, exist_ok=True)
            (root / kind / f"s{number}.png").write_bytes(encoded(image))
        rows.append(
            {"id": f"s{number}", "file_name": f"images/s{number}.png", "mask_file_name": f"masks/s{number}.png",
             "object": "cat", "style": "pixel art", "prompt": "make the cat in pixel art style", "dataset": "own",
             "tags": ["small"]}
        )  # fmt: skip
    (root / "metadata.jsonl").write_bytes(lines(rows))
    (root / "README.md").write_text("---\nlicense: cc0-1.0\n---\n# A suite\n")
    write_manifest(root, "tiny", "1", "CC0-1.0")
    return root


def suite_files() -> Files:
    """Return the files of a small suite."""
    with tempfile.TemporaryDirectory() as place:
        return read_files(write_suite(Path(place)))


def _resealed(folder: Path) -> None:
    """Let ``suite.json`` declare what is there, as whoever changes a suite on purpose would."""
    from rses.files.atomic import sha256_file

    path = folder / "suite.json"
    content = json.loads(path.read_bytes())
    content["files"] = {name: sha256_file(folder / name) for name in content["files"]}
    path.write_text(json.dumps(content))


def _read(folder: Path) -> None:
    from rses.suites import verify_suite
    from rses.suites.sheet import suite_statistics

    suite_statistics(verify_suite(folder))


def _rows_alone() -> list[Files]:
    return [{name: data for name, data in suite_files().items() if name != "suite.json"}]


def _read_rows(folder: Path) -> None:
    """Rows that the manifest vouches for, whatever they say."""
    from rses.suites import load_suite, verify_suite, write_manifest

    copy = folder / "out"
    for name, data in read_files(folder).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    write_manifest(copy, "tiny", "1", "CC0-1.0")
    load_suite(copy)
    verify_suite(copy)


def _verify_words(folder: Path) -> Sequence[str]:
    return ("suite", "verify", str(folder))


def _dataset() -> Files:
    from rses.suites import load_suite
    from rses.suites.parquet import write_dataset

    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_dataset(load_suite(write_suite(root / "suite")), root / "data set")
        return read_files(root / "data set")


def _pull(folder: Path) -> None:
    from rses.suites.parquet import read_dataset

    read_dataset(folder, folder / "out")


def _pull_words(folder: Path) -> Sequence[str]:
    return ("suite", "pull", str(folder), "--out", str(folder / "out"))


def _card() -> list[Files]:
    card = {"name": "mine", "title": "My method", "mask_used": False, "paper": "x", "year": 2026, "weights": "w",
            "revision": "1", "licence": "MIT", "settings": {"steps": 20}, "max_batch": 2, "dtype": "float32",
            "memory_gb": 1.5, "reference": False, "gated": False}  # fmt: skip
    suite = {f"suite/{name}": data for name, data in suite_files().items()}
    edits = {f"edits/s{number}.png": encoded(photo()) for number in range(2)}
    return [{**suite, **edits, "edits/method.json": json.dumps(card).encode()}]


def _read_card(folder: Path) -> None:
    from rses.bench.checks import check_card
    from rses.bench.predictions import Predictions

    check_card(Predictions(folder / "edits"))


def _bench_words(folder: Path) -> Sequence[str]:
    return ("bench", "--predictions", str(folder / "edits"), "--suite", str(folder / "suite"), "--protocol",
            "rses-mini", "--device", "cpu", "--out", str(folder / "out"))  # fmt: skip


def targets() -> list[Target]:
    """All that a suite is read from."""
    return [
        Target("suite.json", lambda: [suite_files()], _read, ("suite.json", "metadata.jsonl", ".png"), _verify_words),
        Target("suite rows", _rows_alone, _read_rows, ("metadata.jsonl",)),
        Target("suite as parquet", lambda: [_dataset()], _pull, (".parquet", ".json", ".jsonl", ".md"), _pull_words),
        Target("method.json", _card, _read_card, ("method.json",), _bench_words),
    ]

"""Lists that people write: metadata, styles, regions, clicks, published numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.sandbox import Files, Target
from tests.fuzz.targets.images import encoded, photo, region

IDS = ("a", "b", "c\u00e9")


def lines(rows: Sequence[object]) -> bytes:
    """Return JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _folders() -> dict[str, bytes]:
    files = {}
    for name in IDS:
        files[f"pred/{name}.png"] = files[f"images/{name}.png"] = encoded(photo())
        files[f"masks/{name}.png"] = encoded(region())
    return files


def _metadata() -> list[Files]:
    rows = [
        {"id": name, "file_name": f"images/{name}.png", "mask_file_name": f"masks/{name}.png", "style": "line art",
         "object": "cat", "prompt": "make it so", "dataset": "own", "tags": ["small"]}
        for name in IDS
    ]  # fmt: skip
    short = [{"file_name": f"images/{name}.png", "style": "pixel art"} for name in IDS]
    return [{**_folders(), "metadata.jsonl": lines(rows)}, {**_folders(), "metadata.jsonl": lines(short)}]


def _pair(folder: Path) -> None:
    from rses.inputs.pairing import pair_folder

    pair_folder(folder / "pred", folder / "masks", allow_missing=True)


def _score_words(folder: Path) -> Sequence[str]:
    return ("score", "--pred", str(folder / "pred"), "--masks", str(folder / "masks"), "--protocol", "rses-mini",
            "--metrics", "mse_bg", "--out", str(folder / "out"), "--device", "cpu", "--workers", "1")  # fmt: skip


def _styles() -> list[Files]:
    given = {"a": "pixel art", "b": "line art", "c\u00e9": "pixel art"}
    rows = [{"id": name, "style": style} for name, style in given.items()]
    table = "id,style\n" + "".join(f"{name},{style}\n" for name, style in given.items())
    files = {"styles.json": json.dumps(given).encode(), "styles.jsonl": lines(rows), "styles.csv": table.encode()}
    return [{**_folders(), name: data} for name, data in files.items()]


def _style_file(folder: Path) -> Path:
    return next(path for path in folder.iterdir() if path.name.startswith("styles."))


def _read_styles(folder: Path) -> None:
    from rses.inputs.styles import read_styles

    read_styles(_style_file(folder))


def _styles_words(folder: Path) -> Sequence[str]:
    return (*_score_words(folder), "--source", str(folder / "images"), "--styles", str(_style_file(folder)))


def _regions() -> list[Files]:
    pictures = {f"images/{name}.png": encoded(photo()) for name in IDS}
    boxes = "file_name,x,y,width,height,object\n" + "".join(f"{name}.png,2,2,6,5,cat\n" for name in IDS)
    outlines = [{"file_name": f"{n}.png", "points": [1, 1, 9, 1, 9, 8], "object": "dog"} for n in IDS]
    return [
        {**pictures, "regions.csv": boxes.encode()},
        {**pictures, "regions.json": json.dumps(outlines).encode()},
    ]


def _region_file(folder: Path) -> Path:
    return next(path for path in folder.iterdir() if path.name.startswith("regions."))


def _build(folder: Path) -> None:
    from rses.suites.own_folder import build_folder

    build_folder(folder / "images", folder / "out", ("pixel art", "line art"), regions=_region_file(folder))


def _build_words(folder: Path) -> Sequence[str]:
    return ("suite", "build", "folder", "--images", str(folder / "images"), "--regions", str(_region_file(folder)),
            "--styles", "pixel art", "--out", str(folder / "out"))  # fmt: skip


def _clicks() -> list[Files]:
    pictures = {f"images/{name}.png": encoded(photo()) for name in IDS}
    rows = [{"file_name": f"{n}.png", "points": [3, 3, 8, 8], "labels": [1, 0]} for n in IDS]
    table = "file_name,x,y\n" + "".join(f"{name}.png,4,5\n" for name in IDS)
    return [{**pictures, "regions.json": json.dumps(rows).encode()}, {**pictures, "regions.csv": table.encode()}]


def _read_clicks(folder: Path) -> None:
    from rses.suites.segment.prompts import read_jobs

    read_jobs(folder / "images", points=_region_file(folder))


def _mask_words(folder: Path) -> Sequence[str]:
    return ("suite", "mask", "--images", str(folder / "images"), "--points", str(_region_file(folder)),
            "--segmenter", "nowhere", "--out", str(folder / "out"))  # fmt: skip


def _objects() -> list[Files]:
    pictures = {f"images/{name}.png": encoded(photo()) for name in IDS}
    masks = {f"masks/{name}.png": encoded(region()) for name in IDS}
    table = "file_name,object\n" + "".join(f"{name}.png,cat\n" for name in IDS)
    return [{**pictures, **masks, "objects.csv": table.encode()}]


def _build_masks(folder: Path) -> None:
    from rses.suites.own_folder import build_folder

    build_folder(
        folder / "images", folder / "out", ("pixel art",), masks=folder / "masks", objects=folder / "objects.csv"
    )


def _objects_words(folder: Path) -> Sequence[str]:
    return ("suite", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks"),
            "--objects", str(folder / "objects.csv"), "--styles", "line art", "--out", str(folder / "out"))  # fmt: skip


def _published() -> list[Files]:
    from rses.leaderboard.published import COLUMNS

    rows = ["1,COCO,RegionRoute,0.61,0.21,0.07,,,,,the paper", "2,COCO,Other,0.6,,,1,2,3,4,a page"]
    return [{"published.csv": "\n".join([",".join(COLUMNS), *rows, ""]).encode()}]


def _read_published(folder: Path) -> None:
    from rses.leaderboard.published import read_published
    from rses.leaderboard.site import index_page

    index_page([], read_published(folder / "published.csv"))


def targets() -> list[Target]:
    """All lists."""
    return [
        Target("metadata.jsonl", _metadata, _pair, (".jsonl",), _score_words),
        Target("styles", _styles, _read_styles, ("styles.json", "styles.jsonl", "styles.csv"), _styles_words),
        Target("regions", _regions, _build, (".csv", ".json"), _build_words),
        Target("clicks", _clicks, _read_clicks, (".csv", ".json")),
        Target("masks and objects", _objects, _build_masks, (".csv", ".png"), _objects_words),
        Target("published.csv", _published, _read_published, (".csv",)),
    ]

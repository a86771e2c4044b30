"""Lists that people write: metadata, styles, regions, clicks, objects, published numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rses.inputs.pairing import pair_folder
from rses.inputs.styles import read_styles
from rses.leaderboard.published import COLUMNS, read_published
from rses.leaderboard.site import index_page
from rses.suites.own_folder import build_folder
from rses.suites.segment.prompts import read_jobs
from tests.fuzz.sandbox import Files, Target
from tests.helpers.small import encoded, lines, photo, region

IDS = ("a", "b", "c\u00e9")
MASKS = {f"masks/{name}.png": encoded(region()) for name in IDS}
IMAGES = {f"images/{name}.png": encoded(photo()) for name in IDS}
EDITS = {f"pred/{name}.png": encoded(photo()) for name in IDS}


def table(header: str, *rows: str) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def metadata() -> list[Files]:
    short = [{"file_name": f"images/{name}.png", "style": "pixel art"} for name in IDS]
    more = {"object": "cat", "prompt": "make it so", "dataset": "own", "tags": ["small"]}
    whole = [
        {**row, "id": name, "mask_file_name": f"masks/{name}.png", **more} for name, row in zip(IDS, short, strict=True)
    ]
    return [{**EDITS, **IMAGES, **MASKS, "metadata.jsonl": lines(rows)} for rows in (whole, short)]


def styles() -> list[Files]:
    given = {"a": "pixel art", "b": "line art", "c\u00e9": "pixel art"}
    forms = {
        "styles.json": json.dumps(given).encode(),
        "styles.jsonl": lines([{"id": name, "style": style} for name, style in given.items()]),
        "styles.csv": table("id,style", *(f"{name},{style}" for name, style in given.items())),
    }
    return [{**EDITS, **IMAGES, **MASKS, name: data} for name, data in forms.items()]


def listed(header: str, row: str, rows: Sequence[dict]) -> list[Files]:
    """Return the pictures with a list of regions, as a table and as JSON."""
    boxes = table(header, *(f"{name}.png,{row}" for name in IDS))
    return [{**IMAGES, "regions.csv": boxes}, {**IMAGES, "regions.json": json.dumps(rows).encode()}]


def regions() -> list[Files]:
    rows = [{"file_name": f"{name}.png", "points": [1, 1, 9, 1, 9, 8], "object": "dog"} for name in IDS]
    return listed("file_name,x,y,width,height,object", "2,2,6,5,cat", rows)


def clicks() -> list[Files]:
    return listed("file_name,x,y", "4,5", [
        {"file_name": f"{name}.png", "points": [3, 3, 8, 8], "labels": [1, 0]} for name in IDS
    ])  # fmt: skip


def objects() -> list[Files]:
    return [{**IMAGES, **MASKS, "objects.csv": table("file_name,object", *(f"{name}.png,cat" for name in IDS))}]


def published() -> list[Files]:
    rows = ["1,COCO,RegionRoute,0.61,0.21,0.07,,,,,the paper", "2,COCO,Other,0.6,,,1,2,3,4,a page"]
    return [{"published.csv": table(",".join(COLUMNS), *rows)}]


def build(folder: Path) -> None:
    regions = next(folder.glob("regions.*"))
    build_folder(folder / "images", folder / "out", ("pixel art", "line art"), regions=regions)


def build_masks(folder: Path) -> None:
    own = {"masks": folder / "masks", "objects": folder / "objects.csv"}
    build_folder(folder / "images", folder / "out", ("pixel art",), **own)


SCORE = (
    "rses score --pred @/pred --masks @/masks --protocol rses-mini --metrics mse_bg --out @/out --device cpu "
    "--workers 1"
)
BUILD = "rses suites build folder --images @/images --out @/out"
TARGETS = [
    Target("metadata.jsonl", metadata,
           lambda folder: pair_folder(folder / "pred", folder / "masks", allow_missing=True), (".jsonl",), SCORE),
    Target("styles", styles, lambda folder: read_styles(next(folder.glob("styles.*"))),
           ("styles.json", "styles.jsonl", "styles.csv"), SCORE + " --source @/images --styles @/styles.*"),
    Target("regions", regions, build, (".csv", ".json"), BUILD + " --regions @/regions.* --styles 'pixel art'"),
    Target("clicks", clicks, lambda folder: read_jobs(folder / "images", points=next(folder.glob("regions.*"))),
           (".csv", ".json")),
    Target("masks and objects", objects, build_masks, (".csv", ".png"),
           BUILD + " --masks @/masks --objects @/objects.csv --styles 'line art'"),
    Target("published.csv", published, lambda folder: index_page([], read_published(folder / "published.csv")),
           (".csv",)),
]  # fmt: skip

"""What is stored, and how it was made: patches that went through JPEG, and submissions to a small board.

Only ``python -m tests.rses.golden.regenerate --inputs`` runs this. The submissions hold numbers of the day they were
made and are to stay: boards must render old submissions the same for ever.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rses import load_suite
from rses.methods import EditSample, MethodCard
from rses.suites import write_manifest
from tests.rses.golden import STORED, pictures
from tests.rses.golden.runs import command

BOARD_SAMPLES = ("mini-000-cat", "mini-012-butterfly", "mini-024-pear", "mini-036-bottle", "mini-042-yellow-flower",
                 "mini-048-star")  # fmt: skip
SUBMISSIONS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("everywhere", {"share": 0.9}, 0),
    ("grainy & co_", {"share": 0.5, "grain": 9}, 0),
    ("grainy & co_", {"share": 0.5, "grain": 9}, 1),
    ("faint", {"share": 0.2}, 0),
    ("inside", {"share": 0.9, "mask_used": True}, 0),
    ("copy", {"share": 0.0, "reference": True}, 0),
)


class Blend:
    """A share of the styled picture over the source, with grain that the seed decides."""

    def __init__(self, label: str, share: float, grain: int = 0, mask_used: bool = False, reference: bool = False):
        self.share, self.grain, self.mask_used = share, grain, mask_used
        self.card = MethodCard(
            label, "styled picture over the source", mask_used, paper="https://example.org/blend", year=2026,
            licence="Apache-2.0", reference=reference, settings={"share": share, "grain": grain},
        )  # fmt: skip

    def load(self, device: str, dtype: str) -> None:
        """Nothing to load."""

    def edit(self, batch: Sequence[EditSample]) -> list[np.ndarray]:
        return [self._edit(sample) for sample in batch]

    def _edit(self, sample: EditSample) -> np.ndarray:
        mixed = self.share * pictures.styled(sample.image) + (1 - self.share) * sample.image
        if self.grain:
            mixed += np.random.default_rng(sample.seed).integers(-self.grain, self.grain + 1, mixed.shape)
        pred = np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)
        return np.where(sample.mask[..., None] > 0, pred, sample.image) if self.mask_used else pred


def write_patches() -> None:
    """Write what quality 12 leaves of the window around each region, decoded."""
    (STORED / "jpeg").mkdir(parents=True, exist_ok=True)
    for suite, names in pictures.SAMPLES.items():
        for sample in load_suite(suite).samples:
            if sample.id in names:
                place = pictures.window(pictures.read(sample.mask, "L") > 0)
                stream = io.BytesIO()
                Image.fromarray(pictures.read(sample.image)[place]).save(stream, "JPEG", quality=12)
                with Image.open(stream) as decoded:
                    decoded.save(STORED / "jpeg" / f"{sample.id}.png", optimize=True)


def write_submissions(work: Path) -> None:
    """Bench six methods on six samples and pack them, without previews."""
    suite = work / "suite"
    samples = [sample for sample in load_suite("mini").samples if sample.id in BOARD_SAMPLES]
    for part in ("images", "masks"):
        (suite / part).mkdir(parents=True)
    rows = []
    for sample in samples:
        for part, path in (("images", sample.image), ("masks", sample.mask)):
            shutil.copy(path, suite / part)
        rows.append({
            "id": sample.id, "file_name": f"images/{sample.image.name}", "mask_file_name": f"masks/{sample.mask.name}",
            "object": sample.object, "style": sample.style, "prompt": sample.prompt, "dataset": sample.dataset,
            "tags": list(sample.tags),
        })  # fmt: skip
    (suite / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    write_manifest(suite, "golden", "1.0.0", "CC0-1.0")
    boards = STORED / "leaderboards"
    shutil.rmtree(boards / "results", ignore_errors=True)
    for number, (name, settings, seed) in enumerate(SUBMISSIONS):
        options = [f"--set={key}={json.dumps(value)}" for key, value in {"label": name, **settings}.items()]
        run = work / f"bench-{number}"
        command("bench", "--method", "golden.inputs:Blend", "--suite", suite, "--protocol", "rses-mini", "--device",
                "cpu", "--seed", seed, "--out", run, *options)  # fmt: skip
        command("leaderboard", "add", run, "--boards", boards, "--suite", suite, "--previews", 0)

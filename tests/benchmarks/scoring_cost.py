"""What scoring costs beside the decoding and the network passes that it needs, and beside loops that others write.

python -m tests.benchmarks.scoring_cost --samples 9 --rounds 2

Real architectures with weights that are not the published ones, pictures of 512 x 512, one thread. Times are processor
times, so that other programs disturb them less; each row is the ratio of sums over interleaved samples in one run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lpips
import numpy as np
import torch
from PIL import Image

from rses import RSES, load_perceptual, load_style, load_suite
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.tensors import as_image, write_png

PAPER = "rsm,lpips_bg,mse_bg"
METHODS = ("one", "two", "three")
STYLE = "pixel art"


@dataclass(frozen=True)
class Case:
    """A folder with one sample and its edits by three methods."""

    root: Path

    @property
    def pictures(self) -> tuple[Path, Path, Path]:
        """Edit, source and mask."""
        return self.root / "edits/one/0.png", self.root / "images/0.png", self.root / "masks/0.png"


def write_cases(folder: Path, number: int, side: int) -> list[Case]:
    """Write photographs with simple edits, a region in another colour over a noisy background."""
    suite = load_suite("photos")
    samples = list({sample.image: sample for sample in suite.samples}.values())
    cases = []
    for index in range(number):
        sample, rng = samples[index % len(samples)], np.random.default_rng(index)
        source, mask = read_image(sample.image)[:side, :side], read_mask(sample.mask)[:side, :side]
        if mask.all() or not mask.any():
            mask = np.zeros_like(mask)
            mask[side // 4 : side // 2, side // 4 : side // 2] = True
        source = np.roll(source, index, axis=1)
        case = Case(folder / str(index))
        write_png(case.root / "images/0.png", source)
        write_png(case.root / "masks/0.png", mask)
        for name in METHODS:
            noisy = np.clip(source + rng.integers(-9, 10, source.shape), 0, 255)
            write_png(
                case.root / f"edits/{name}/0.png", np.where(mask[..., None], 255 - source, noisy).astype(np.uint8)
            )
        cases.append(case)
    return cases


def score(scorer: RSES, case: Case, methods: int = 1) -> None:
    """Score a case as a user does; no embedding is remembered from the round before."""
    encoder = scorer.engine.measurer._encoder
    if encoder is not None:
        encoder._sources.clear()
    preds = {name: case.root / "edits" / name for name in METHODS[:methods]}
    scorer.score_folders(preds, masks=case.root / "masks", source=case.root / "images", style=STYLE)


@torch.inference_mode()
def bare(style: Any, trunk: Any, case: Case, views: int) -> None:
    """Decode each picture once and run each network alone."""
    pred, source, mask = case.pictures
    images = [as_image(pred)[None], as_image(source)[None]]
    read_mask(mask)
    for image in images:
        trunk.features(image)
    crop = torch.rand(1, 3, style.image_size, style.image_size)
    for _ in range(views):
        style.encode_images(crop)


class Plain:
    """The loop that one writes with open_clip and lpips: crop, cosine, masked LPIPS, masked MSE."""

    def __init__(self, clip: Any, tokenizer: Any, net: str, side: int):
        self.clip, self.tokenizer, self.side = clip, tokenizer, side
        self.lpips = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False).eval()

    @torch.inference_mode()
    def __call__(self, case: Case) -> None:
        """Measure one edit."""
        pred, source, mask = (Image.open(path) for path in case.pictures)
        region = np.asarray(mask.convert("L")) > 127
        rows, columns = np.nonzero(region)
        crop = pred.convert("RGB").crop((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
        self.cosine(crop.resize((self.side, self.side), Image.Resampling.BICUBIC))
        edit, original = (
            torch.from_numpy(np.asarray(x.convert("RGB"))).permute(2, 0, 1)[None] / 255 for x in (pred, source)
        )
        keep = torch.from_numpy(~region)[None, None].float()
        self.lpips(edit * keep * 2 - 1, original * keep * 2 - 1)
        ((edit - original).square() * keep).sum() / (3 * keep.sum())

    def cosine(self, image: Image.Image) -> torch.Tensor:
        """Compare a picture with the style; the text is encoded for each, as such loops do."""
        x = torch.from_numpy(np.asarray(image)).permute(2, 0, 1)[None] / 255
        features, text = self.clip.encode_image(x), self.clip.encode_text(self.tokenizer([STYLE]))
        return torch.nn.functional.cosine_similarity(features, text)


class PieBench(Plain):
    """PIE-Bench's calculator on the same columns: PSNR, LPIPS, MSE and SSIM of the background, CLIP of the region."""

    @torch.inference_mode()
    def __call__(self, case: Case) -> None:
        """Measure one edit; every metric brings the pictures to tensors again, as the script does."""
        from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

        pred, source, mask = (Image.open(path).convert("RGB") for path in case.pictures)
        region = np.asarray(mask) > 127

        def tensors(keep: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
            both = (np.asarray(x).astype(np.float32) / 255 * keep for x in (pred, source))
            first, second = (torch.tensor(x).permute(2, 0, 1)[None] for x in both)
            return first, second

        peak_signal_noise_ratio(*tensors(~region), data_range=1.0)
        edit, original = tensors(~region)
        self.lpips(edit * 2 - 1, original * 2 - 1)
        edit, original = tensors(~region)
        (edit - original).square().mean()
        structural_similarity_index_measure(*tensors(~region), data_range=1.0)
        shown = Image.fromarray((np.asarray(pred) * region).astype(np.uint8))
        self.cosine(shown.resize((self.side, self.side), Image.Resampling.BICUBIC))


def ratios(
    pairs: dict[str, tuple[Callable[[Case], None], Callable[[Case], None]]], cases: list[Case], rounds: int
) -> dict[str, float]:
    """Return for each row the processor time of the first function over that of the second."""
    found = {}
    for name, both in pairs.items():
        times = [0.0, 0.0]
        for turn in range(rounds + 1):
            for case in cases:
                for place, function in enumerate(both):
                    start = time.process_time()
                    function(case)
                    # The first turn warms up.
                    times[place] += (time.process_time() - start) if turn else 0.0
        found[name] = times[0] / times[1]
        print(f"{name:58} {found[name]:.2f}   ({times[0]:.1f} s / {times[1]:.1f} s)", flush=True)
    return found


def measure(style: Any, trunk: Any, cases: list[Case], rounds: int, other: str = "squeeze") -> dict[str, float]:
    """Measure all rows with these networks; those of the legacy protocol share the encoder."""

    def rses(metrics: str | None, protocol: str = "rses-v1") -> RSES:
        return RSES(protocol, "cpu", metrics=metrics, workers=0, style_backbone=style, perceptual_backbone=trunk)

    paper, every, clip = rses(PAPER), rses(None), getattr(style, "_model", None)
    for case in (cases * 9)[:9]:
        score(every, case)
    rows: dict[str, tuple[Callable[[Case], None], Callable[[Case], None]]] = {
        "paper's metrics / bare": (lambda case: score(paper, case), lambda case: bare(style, trunk, case, 1)),
        "all metrics / bare": (lambda case: score(every, case), lambda case: bare(style, trunk, case, 4)),
        "all metrics: three methods / one": (lambda case: score(every, case, 3), lambda case: score(every, case)),
        "paper's metrics: three methods / one": (lambda case: score(paper, case, 3), lambda case: score(paper, case)),
    }  # fmt: skip
    if clip is not None:
        plain = Plain(clip, style._tokenizer, "alex", style.image_size)
        rows["paper's metrics / plain open_clip + lpips loop"] = (lambda case: score(paper, case), plain)
        pie = PieBench(clip, style._tokenizer, other, style.image_size)
        legacy = RSES(
            "pie-bench", "cpu", "auto", "clip_cosine,psnr_bg,lpips_bg,mse_bg,ssim_bg", 0, style_backbone=style,
            perceptual_backbone=load_perceptual(f"lpips:{other}"),
        )  # fmt: skip

        def score_legacy(case: Case) -> None:
            pred, source, mask = case.pictures
            legacy.score(pred, source, mask, STYLE, prompt=STYLE)

        rows["pie-bench columns / PIE-Bench's calculator"] = (score_legacy, pie)
    return ratios(rows, cases, rounds)


def main() -> None:
    """Measure with ViT-B/32 and AlexNet, and print."""
    from tests.rses.golden import networks

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept = os.environ.get("RSES_BENCH_WEIGHTS")
    with tempfile.TemporaryDirectory() as place:
        weights = Path(kept or place)
        weights.mkdir(parents=True, exist_ok=True)
        with networks.fixed_weights(weights):
            style, trunk = load_style(networks.backbone("rses-v1", weights)), load_perceptual("lpips:alex")
            measure(style, trunk, write_cases(Path(place), options.samples, 512), options.rounds)


if __name__ == "__main__":
    main()

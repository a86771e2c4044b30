"""Train and package the experts: ``python -m benchmark_data.recipes.regionroute_mini --work DIR``.

Trains one expert per style on 150 pairs with the trainer of :mod:`regionroute`, copies them beside kontext-mini, and
measures them on the suite ``mini``. A stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from baselines.sheets import contact_sheet
from benchmark_data.recipes.regionroute_mini.card import write_card
from benchmark_data.recipes.regionroute_mini.curves import plot
from benchmark_data.recipes.reproduce.pairs import build_scene_pairs
from benchmark_data.recipes.reproduce.run import expert_config, trained_expert
from regionroute.overlay import heat_overlay
from regionroute.pipeline import RegionRoutePipeline, embedded_experts
from regionroute.styles import EXPERT_STYLES
from rses.bench import run_bench
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.methods import sample_seed
from rses.suites import load_suite

SCENES = 150


def train_all(work: Path, out: Path, changes: Sequence[str]) -> None:
    """Train the experts that are not finished; copy them and their logs to ``out``."""
    build_scene_pairs(work / "data", SCENES)
    out.mkdir(parents=True, exist_ok=True)
    logs = {}
    for style in EXPERT_STYLES:
        print(f"expert of {style}", flush=True)
        path = trained_expert(expert_config(style, work / "data" / "pairs", work, work / "cache", changes))
        shutil.copyfile(path, out / path.name)
        lines = (path.parent / "train.jsonl").read_text().splitlines()
        logs[style] = [json.loads(line) for line in lines[9::10]]
    (out / "training.json").write_text(json.dumps(logs, separators=(",", ":")) + "\n")
    plot(logs, out / "images" / "training.png")


def show(out: Path) -> None:
    """Draw what the experts make of eight samples: source, attention, edit; two samples per row."""
    pipe, suite = RegionRoutePipeline.from_pretrained("mini", out), load_suite("mini")
    cells = []
    for sample in suite.samples[::12]:
        source = read_image(sample.image)
        edit = pipe.edit([source], [sample.prompt], seeds=[sample_seed(0, sample.id)], attention=True)[0]
        assert edit.attention is not None
        cells.append([source, heat_overlay(source, edit.attention), edit.image])
    half = len(cells) // 2
    write_png(out / "images" / "edits.png", contact_sheet([[*cells[i], *cells[half + i]] for i in range(half)]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, package, measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.regionroute_mini", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for data, checkpoints and runs")
    parser.add_argument("--out", type=Path, default=embedded_experts())
    parser.add_argument("--set", action="append", default=[], help="change a key of the configuration")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    train_all(options.work, options.out, options.set)
    show(options.out)
    suite = load_suite("mini")
    runs = {
        name: run_bench(name, suite, options.work / "bench" / name, protocol="rses-mini")
        for name in ("regionroute", "identity", "global-style", "oracle-paste")
    }
    write_card(options.out, {name: run.summary for name, run in runs.items()})


if __name__ == "__main__":
    main()

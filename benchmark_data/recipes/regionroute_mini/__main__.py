"""Train and package the experts: ``python -m benchmark_data.recipes.regionroute_mini --work DIR``.

Trains one expert per style on 150 pairs, and the finder on the masks of further scenes, with the trainer of
:mod:`regionroute`; copies them beside kontext-mini, fits the finder's gate on pairs kept aside, and measures all on
the suite ``mini``. A stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmark_data.recipes.regionroute_mini.card import renew_card, require_card
from benchmark_data.recipes.regionroute_mini.curves import plot
from benchmark_data.recipes.regionroute_mini.sheet import by_hash, draw_sheet
from benchmark_data.recipes.reproduce.pairs import ASIDE_SEED, build_finder_scenes, build_scene_pairs
from benchmark_data.recipes.reproduce.run import expert_config, trained_expert
from regionroute.data.pairs import read_pairs
from regionroute.fitting import Fit, fit_on_pairs
from regionroute.gate import write_gate
from regionroute.pipeline import RegionRoutePipeline, embedded_experts
from regionroute.styles import EXPERT_STYLES, FINDER
from rses.bench import run_bench
from rses.bench.side_by_side import side_by_side
from rses.methods import get_method
from rses.suites import load_suite

SCENES, ASIDE, FINDER_SCENES = 150, 30, 6000
FINDER_STEPS = 1
"""A finder is trained where there is nothing but noise: in a sampler's first step."""
MEASURED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("regionroute", {}), ("regionroute", {"routed": True}), ("flux-kontext", {}),
    ("segment-then-paste", {"segmenter": "classical"}), ("global-then-paste", {}), ("identity", {}),
)  # fmt: skip


def train_all(work: Path, out: Path, changes: Sequence[str], workers: int) -> None:
    """Train the experts that are not finished, ``workers`` at a time; copy them and their logs to ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    pairs = build_scene_pairs(work / "data", SCENES)
    places = dict.fromkeys(EXPERT_STYLES, pairs)
    places[FINDER] = build_finder_scenes(work / "finder-scenes", FINDER_SCENES)
    configs = [expert_config(style, place, work, work / "cache", changes) for style, place in places.items()]
    logs = {}
    for config, path in side_by_side(trained_expert, configs, workers, 1):
        print(f"expert of {config.data.style}", flush=True)
        shutil.copyfile(path, out / path.name)
        lines = (path.parent / "train.jsonl").read_text().splitlines()
        logs[config.data.style] = [json.loads(line) for line in lines[9::10]]
    logs = {style: logs[style] for style in places}
    (out / "training.json").write_text(json.dumps(logs, separators=(",", ":")) + "\n")
    plot(logs, out / "images" / "training.png")


def fit(work: Path, out: Path) -> Fit:
    """Fit the gate to pairs that no expert was trained on; write it beside the experts."""
    aside = build_scene_pairs(work / "aside", ASIDE, first=ASIDE_SEED)
    pipe = RegionRoutePipeline.from_pretrained("mini", out)
    found = fit_on_pairs(pipe, read_pairs(aside), FINDER_STEPS)
    write_gate(out, found.gate)
    return found


def measure(work: Path, out: Path) -> dict[str, Any]:
    """Bench the experts in ``out``, and what bounds them, on the suite ``mini``; return the summaries by name."""
    suite, runs = load_suite("mini"), {}
    for name, options in MEASURED:
        # The embedded ones by their own name: the boards' runs have it.
        own = {"experts": str(out)} if name == "regionroute" and out != embedded_experts() else {}
        method = get_method(name, **options, **own)
        runs[method.card.name] = run_bench(method, suite, work / "bench" / method.card.name, protocol="rses-mini")
    return {name: run.summary for name, run in runs.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, package, measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.regionroute_mini", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for data, checkpoints and runs")
    parser.add_argument("--out", type=Path, default=embedded_experts())
    parser.add_argument("--set", action="append", default=[], help="change a key of the configuration")
    parser.add_argument("--workers", type=int, default=2, help="experts trained side by side, a thread each")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.workers)
    # Before an hour of training.
    require_card(options.out)
    train_all(options.work, options.out, options.set, options.workers)
    found = fit(options.work, options.out)
    pipe = RegionRoutePipeline.from_pretrained("mini", options.out)
    draw_sheet(pipe, by_hash(load_suite("mini").samples), options.out / "images" / "edits.jpg")
    renew_card(options.out, measure(options.work, options.out), found)


if __name__ == "__main__":
    main()

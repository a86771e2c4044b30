"""By which road the style gets into kontext-mini's picture: the style words, the other words, or the pooled vector.

Run ``python -m benchmark_data.recipes.style_route_study --out docs`` to rebuild ``docs/data/style-route.json``; the
table of ``docs/reproduction.md`` is printed. Two prompts that differ in their style alone are encoded; every mixture of
their three parts is given to the model; the style of the answer tells which part decided.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmark_data.recipes.kontext_mini.data import SIZE
from benchmark_data.recipes.kontext_mini.held_out import style_questions
from benchmark_data.recipes.whole import nearest_style
from regionroute.flux import to_pixels
from regionroute.pipeline import RegionRoutePipeline
from regionroute.tokens import prompt_positions
from rses.backbones import load_style
from rses.files.atomic import write_atomic

OTHER = {
    "pixel art": "line art", "line art": "pixel art", "cyberpunk": "expressionism", "expressionism": "cyberpunk",
}  # fmt: skip
"""A style with as many tokens, so that the words of both prompts stand at the same places."""
PARTS = ("style words", "other words", "pooled")
BATCH = 16


@torch.no_grad()
def mixture(
    pipe: RegionRoutePipeline, asked: str, other: str, parts: Sequence[bool]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return states (L, D) and pooled vector (P,): the parts that are true from ``asked``, the rest from ``other``."""
    length = pipe.facts.text_length
    states, pooled, _ = pipe.pipe.encode_prompt(prompt=[asked, other], prompt_2=None, max_sequence_length=length)
    places = prompt_positions(pipe.pipe.tokenizer_2, asked, length)
    if places != prompt_positions(pipe.pipe.tokenizer_2, other, length):
        raise ValueError(f'"{asked}" and "{other}" have their style at different places')
    style = torch.zeros(length, 1, dtype=torch.bool)
    style[list(places)] = True
    chosen = torch.where(style, torch.tensor(parts[0]), torch.tensor(parts[1]))
    return torch.where(chosen, states[0], states[1]), pooled[0 if parts[2] else 1]


@torch.no_grad()
def answers(pipe: RegionRoutePipeline, count: int, parts: Sequence[bool]) -> tuple[np.ndarray, list[str]]:
    """Return pictures (count, H, W, 3) in [0, 1] for regional prompts, and the styles asked for."""
    questions, made = list(style_questions(count)), []
    for start in range(0, count, BATCH):
        part = questions[start : start + BATCH]
        both = [mixture(pipe, q.regional, q.regional.replace(q.style, OTHER[q.style]), parts) for q in part]
        made.append(
            pipe.pipe(
                image=torch.stack([to_pixels(q.source, (SIZE, SIZE)) for q in part]) / 2 + 0.5,
                prompt_embeds=torch.stack([states for states, _ in both]),
                pooled_prompt_embeds=torch.stack([pooled for _, pooled in both]),
                height=SIZE, width=SIZE, max_area=SIZE * SIZE, num_inference_steps=pipe.facts.steps,
                guidance_scale=pipe.facts.guidance, output_type="np", _auto_resize=False,
                generator=[torch.Generator().manual_seed(start + row) for row in range(len(part))],
            ).images
        )  # fmt: skip
    return np.concatenate(made), [q.style for q in questions]


def nearer_to_asked(images: np.ndarray, styles: Sequence[str]) -> float:
    """Share of pictures that ``rses-mini`` finds nearer to the style asked for than to the other one."""
    encoder = load_style("rses-mini")
    stack = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    nearer = [
        nearest_style(encoder, stack[row : row + 1], [style, OTHER[style]]).item() == 0
        for row, style in enumerate(styles)
    ]
    return float(np.mean(nearer))


def run(count: int) -> list[dict[str, object]]:
    """Return a row for every mixture."""
    pipe, rows = RegionRoutePipeline.from_pretrained("mini", {}), []
    for parts in itertools.product((True, False), repeat=len(PARTS)):
        share = nearer_to_asked(*answers(pipe, count, parts))
        rows.append({**dict(zip(PARTS, parts, strict=True)), "asked": round(share, 4)})
        print("| " + " | ".join("asked" if own else "other" for own in parts) + f" | {share:.2f} |", flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.style_route_study", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    print("| " + " | ".join(PARTS) + " | style asked for |\n| --- | --- | --- | ---: |")
    result = {"scenes": options.scenes, "mixtures": run(options.scenes)}
    write_atomic(options.out / "data" / "style-route.json", (json.dumps(result, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()

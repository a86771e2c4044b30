"""A board of many invented methods on many samples: how long it takes to build and to use, and how much memory.

python tests/benchmarks/board_scale.py --methods 200 --samples 5000
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from rses.files.atomic import sha256_file
from rses.leaderboard.pack import chosen_ids

STYLES = ("cyberpunk", "expressionism", "line art", "pixel art")
METRICS = (
    "rsm", "clip_cosine", "rsm_gain", "style_correct", "lpips_bg", "mse_bg", "mse_bg_pm1", "psnr_bg", "ssim_bg",
    "leakage", "boundary_mse", "rses_p",
)  # fmt: skip


def write_submission(folder: Path, number: int, samples: int) -> None:
    """One method, with numbers that obey the definitions; photographs come in four styles."""
    rng, photos = np.random.default_rng(number), -(-samples // len(STYLES))
    quality, damage = rng.uniform(0, 0.3), 10 ** rng.uniform(-4, -1.5)
    photo = np.repeat(np.random.default_rng(0).normal(size=photos), len(STYLES))[:samples]
    cosine = np.clip(0.2 + quality + 0.03 * photo + rng.normal(0, 0.04, samples), -1, 1)
    mse = damage * np.exp(0.3 * photo + rng.normal(0, 0.3, samples))
    places = np.arange(samples)
    columns = {
        "id": [f"sample-{k:05d}" for k in places],
        "status": ["ok"] * samples,
        "method": [f"method-{number:03d}"] * samples,
        "suite": ["invented"] * samples,
        "dataset": ["invented"] * samples,
        "style": [STYLES[k % len(STYLES)] for k in places],
        "object": [f"object {k // len(STYLES) % 40}" for k in places],
        "source": [f"photo-{k // len(STYLES):05d}.png" for k in places],
        "tags": [["small"] if k % 3 == 0 else ["occluded", "border"] for k in places],
        "note": [""] * samples,
        "rsm": (1 + cosine) / 2, "clip_cosine": cosine, "rsm_gain": cosine / 2 - 0.1,
        "style_correct": rng.random(samples) < 0.3 + quality, "leakage": rng.normal(0, 0.01, samples),
        "lpips_bg": np.minimum(mse * 10, 5), "mse_bg": mse, "mse_bg_pm1": 4 * mse, "psnr_bg": -10 * np.log10(mse),
        "ssim_bg": 1 - np.minimum(mse, 1), "boundary_mse": mse, "rses_p": np.clip(quality + cosine / 4, -1, 1),
        "mask_fraction": np.random.default_rng(1).uniform(0.01, 0.4, samples), "resized": [False] * samples,
    }  # fmt: skip
    folder.mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "samples.parquet")
    info = {
        "method": f"method-{number:03d}",
        "method_card": {"title": "invented", "mask_used": number % 4 == 0, "reference": False, "seed": 0},
        "suite": {"name": "invented", "version": "1", "sha256": "0" * 64},
        "protocol": {"id": "rses-mini", "hash": "0" * 16}, "metrics": list(METRICS), "weights": {},
        "versions": {"rses": "0"},
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps({"schema": 2, "info": info}), "utf-8")
    files = {name: sha256_file(folder / name) for name in ("summary.json", "samples.parquet")}
    manifest = {"schema": 1, "date": "2026-01-01", "files": files, "images": {}}
    (folder / "submission.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "previews").mkdir()
    worst = np.argsort(columns["rses_p"])[:5]
    for name in {*chosen_ids(columns["id"]), *(columns["id"][k] for k in worst)}:
        (folder / "previews" / f"{name}.jpg").write_bytes(preview(number))


def preview(number: int) -> bytes:
    """A picture of 256 px, about as large as one of a photograph."""
    small = np.random.default_rng(number).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(small).resize((256, 256), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=82, subsampling=0)
    return stream.getvalue()


CHILD = """
import json, resource, sys, time
import rses.cli.main
from rses.leaderboard.build import build
start = time.process_time(), time.perf_counter()
build(sys.argv[1])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.process_time() - start[0], time.perf_counter() - start[1], peak]))
"""


def build_in_a_process(boards: Path) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MB of one build on one core."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(boards)], check=True, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )  # fmt: skip
    cpu, wall, peak = json.loads(done.stdout.splitlines()[-1])
    return cpu, wall, peak


def use_in_a_browser(page_file: Path) -> dict[str, float]:
    """Milliseconds until the table stands, and until the next frame after sorting and filtering."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    press = """async ([selector, kind]) => {
      const e = document.querySelector(selector), start = performance.now();
      if (kind === "click") e.click();
      else { e.value = kind; e.dispatchEvent(new Event(selector === "#find" ? "input" : "change")); }
      await new Promise(requestAnimationFrame); await new Promise((done) => setTimeout(done));
      return performance.now() - start; }"""
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(page_file.as_uri())
        first = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        ready = "performance.timing.loadEventEnd - performance.timing.navigationStart"
        page.wait_for_function("performance.timing.loadEventEnd > 0")
        times = {"first paint": page.evaluate(first), "ready": page.evaluate(ready)}
        for name, target in (
            ("sort", ("[data-sort=rsm]", "click")), ("sort again", ("[data-sort=rsm]", "click")),
            ("mask-free only", ("#free", "click")), ("find", ("#find", "method-01")), ("find all", ("#find", "")),
            ("style", ("#group", "3")), ("museum, worst five", ("#wall-failure", "worst")),
            ("museum, next page", ("#wall-on", "click")),
        ):  # fmt: skip
            times[name] = page.evaluate(press, list(target))
        times["elements"] = page.evaluate("document.querySelectorAll('*').length")
        times["heap, MB"] = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        browser.close()
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", type=int, default=200)
    parser.add_argument("--samples", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for methods in (max(2, options.methods // 8), options.methods):
            root, start = Path(place) / str(methods), time.perf_counter()
            for number in range(methods):
                write_submission(root / "results" / "invented" / f"m{number:03d}", number, options.samples)
            written = time.perf_counter() - start
            cpu, wall, peak = build_in_a_process(root)
            size = (root / "site" / "invented.html").stat().st_size / 1e6
            pictures = [path.stat().st_size for path in (root / "site" / "previews").rglob("*.jpg")]
            print(
                f"{methods} methods x {options.samples} samples: built in {cpu:.0f} s CPU, {wall:.0f} s wall, peak "
                f"{peak:.0f} MB, page {size:.1f} MB beside {len(pictures)} pictures of {sum(pictures) / 1e6:.1f} MB "
                f"(submissions written in {written:.0f} s)",
                flush=True,
            )
        times = use_in_a_browser(root / "site" / "invented.html")
        print("browser, ms: " + ", ".join(f"{name} {value:.0f}" for name, value in times.items()))


if __name__ == "__main__":
    main()

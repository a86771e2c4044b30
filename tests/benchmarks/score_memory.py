"""How much memory `rses score` takes for many samples, beside that of few.

python -m tests.benchmarks.score_memory --samples 500 5000 50000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

EDITS, PAGE = 16, os.sysconf("SC_PAGE_SIZE")


def make(root: Path, samples: int, side: int) -> None:
    """Write sources, masks and edits: links to a few files, of which every edit damages the background differently."""
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : side // 2, side // 4 : side // 2] = 255
    edits = [np.where(mask[..., None] > 0, 255 - noise, noise ^ (1 + number)) for number in range(EDITS)]
    for folder, pictures in {"images": [noise], "masks": [mask], "edits": edits}.items():
        (root / folder).mkdir(parents=True)
        for place, pixels in enumerate(pictures):
            Image.fromarray(pixels).save(root / f"{folder}-{place}.png")
        for number in range(samples):
            os.link(root / f"{folder}-{number % len(pictures)}.png", root / folder / f"{number:06d}.png")


def resident(pid: int) -> int:
    """Return the megabytes that a process holds now, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE >> 20
    except (OSError, IndexError):
        return 0


def measure(root: Path, metrics: str, out: bool) -> tuple[int, int, int, float]:
    """Score; return megabytes at the peak, and in the middle of scoring's first and last tenth, and seconds."""
    words = [
        sys.executable,
        "-m",
        "rses.cli.main",
        "score",
        "--protocol",
        "rses-mini",
        "--metrics",
        metrics,
        "--format",
        "json",
    ]
    words += ["--pred", "edits", "--masks", "masks", "--source", "images", "--style", "pixel art"]
    words += ["--out", "run"] if out else []
    start, trace = time.monotonic(), [0]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(words, cwd=root, env=environment, stdout=subprocess.DEVNULL)

    def watch() -> None:
        while process.returncode is None:
            trace.append(resident(process.pid))
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    thread.join()
    if process.returncode:
        raise SystemExit(process.returncode)
    early, late = (trace[int(len(trace) * share)] for share in (0.5, 0.8))
    return usage.ru_maxrss >> 10, early, late, time.monotonic() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--side", type=int, default=24, help="pixels")
    parser.add_argument("--metrics", default="mse_bg,psnr_bg")
    parser.add_argument("--no-out", action="store_true", help="write no run folder")
    options = parser.parse_args()
    print("| samples | peak | after half / 80 % of the time | seconds |\n|---|---|---|---|")
    for samples in options.samples:
        with tempfile.TemporaryDirectory() as place:
            make(Path(place), samples, options.side)
            peak, early, late, seconds = measure(Path(place), options.metrics, not options.no_out)
        print(f"| {samples} | {peak} MB | {early} / {late} MB | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()

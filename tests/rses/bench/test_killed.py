"""Killed at random moments, then resumed: the same bytes as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys

import pytest

KILLS = 12
DRIVER = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
from rses import RSES
from rses.bench import run_bench
from rses.methods import Edited, MethodCard

class Slow:
    card = MethodCard("slow", "test", mask_used=False, max_batch=3)
    def load(self, device, dtype):
        pass
    def edit(self, batch):
        time.sleep(0.02)
        # Depends on the company, as batched products do: only the same batches give the same bytes.
        shift = sum(map(ord, "".join(sample.id for sample in batch))) % 7
        return [Edited(sample.image // 2 + shift, {"size": "128x128"}) for sample in batch]

folder, kills = Path(sys.argv[1]), int(sys.argv[2])

def bench(out):
    run_bench(Slow(), "mini", out, scorer=RSES("rses-mini", device="cpu", metrics=["mse_bg"]), limit=30)

chance, killed = random.Random(0), 0
for _ in range(kills):
    child = os.fork()
    if child == 0:
        bench(folder / "killed")
        os._exit(0)
    time.sleep(chance.uniform(0.02, 0.4))
    os.kill(child, signal.SIGKILL)
    killed += os.waitpid(child, 0)[1] == signal.SIGKILL
bench(folder / "killed")
bench(folder / "whole")
print(killed)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_a_run_killed_again_and_again_ends_as_an_uninterrupted_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path), str(KILLS)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5, "too few of the kills hit a running bench for the test to mean anything"
    for name in ("samples.parquet",):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    images = sorted(path.name for path in (tmp_path / "whole" / "images").iterdir())
    assert len(images) == 30
    # Not even half-written files are left.
    assert sorted(path.name for path in (tmp_path / "killed" / "images").iterdir()) == images
    for name in images:
        assert (tmp_path / "killed" / "images" / name).read_bytes() == (
            tmp_path / "whole" / "images" / name
        ).read_bytes()

"""`rses --help` and `import rses` against importing torch, in one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RSES = Path(sys.executable).with_name("rses")
COMMANDS = {
    "import torch": [sys.executable, "-c", "import torch"],
    "import rses": [sys.executable, "-c", "import rses"],
    "rses --help": [str(RSES), "--help"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_start_up(benchmark, name):
    benchmark.group = "start-up (compare with `import torch`)"
    benchmark.pedantic(
        lambda: subprocess.run(COMMANDS[name], check=True, capture_output=True), rounds=5, warmup_rounds=1
    )


@pytest.mark.parametrize("command", [["-c", "import rses; import sys; assert 'torch' not in sys.modules"]])
def test_import_does_not_import_torch(command):
    subprocess.run([sys.executable, *command], check=True)

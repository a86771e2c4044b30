"""The caller's precision settings neither reach the backbones nor are changed by them."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import torch
from rses.backbones.precision import _settings, full_precision
{setting}
read = lambda: [getattr(owner, name) for owner, name, _ in _settings()]
before = read()
assert before != [exact for _, _, exact in _settings()]
with full_precision(torch.device("cpu")):
    assert read() == [exact for _, _, exact in _settings()]
try:
    with full_precision(torch.device("cpu")):
        raise KeyError
except KeyError:
    pass
assert read() == before
print("restored")
"""


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "torch.set_float32_matmul_precision('high'); torch.backends.cudnn.allow_tf32 = True",
        "if hasattr(torch.backends, 'fp32_precision'): torch.backends.fp32_precision = 'tf32'",
    ],
)
def test_settings_are_exact_inside_and_restored_after(setting):
    """In a process of its own: the settings are global."""
    result = subprocess.run([sys.executable, "-c", CODE.format(setting=setting)], capture_output=True, text=True)
    assert result.stdout == "restored\n", result.stderr

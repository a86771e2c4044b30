"""Two runs on one folder exclude each other, and a killed one leaves nothing behind that blocks."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from rses.errors import InputError
from rses.files.lock import exclusive
from tests.helpers.refusals import refused

HOLD = """
import sys, time
from pathlib import Path
from rses.files.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_holds_the_folder(tmp_path):
    with (
        exclusive(tmp_path),
        refused(InputError, "in-use"),
        exclusive(tmp_path),
    ):
        pass
    with exclusive(tmp_path):
        pass


def test_a_killed_process_lets_go(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"process {process.pid} "), exclusive(tmp_path):
        pass
    process.kill()
    process.wait()
    time.sleep(0.1)
    with exclusive(tmp_path):
        pass

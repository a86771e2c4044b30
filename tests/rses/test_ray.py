"""Runs and scoring on a local cluster of two nodes, one of whose workers is killed halfway."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import time

import pandas
import pytest

from rses import RSES
from rses.bench import run_bench
from rses.cli.main import main
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.methods import get_method
from rses.suites import load_suite
from tests.helpers.refusals import refused

ray = pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = pytest.mark.slow

METHOD = """
import os, time
from pathlib import Path
from rses.methods import MethodCard

class Slow:
    def __init__(self, marks=""):
        self.marks = Path(marks)
        self.card = MethodCard("slow", "test", mask_used=False, max_batch=2)
    def load(self, device, dtype):
        (self.marks / f"pid-{os.getpid()}").write_text("")
    def edit(self, batch):
        time.sleep(0.3)
        return [sample.image // 2 for sample in batch]

class Dies(Slow):
    def edit(self, batch):
        os._exit(1)

class Broken(Slow):
    def edit(self, batch):
        raise ZeroDivisionError("by zero")
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("method")
    (folder / "cluster_method.py").write_text(textwrap.dedent(METHOD))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.syspath_prepend(str(folder))
        yield "cluster_method"
    sys.modules.pop("cluster_method", None)


@pytest.fixture(scope="module")
def cluster(module):
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_killed_worker_loses_nothing(cluster, module, tmp_path):
    import threading

    from rses.bench.ray_engine import run_on_ray

    marks = tmp_path / "marks"
    marks.mkdir()

    def kill_one():
        while not (found := sorted(marks.glob("pid-*"))):
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(int(found[0].name.removeprefix("pid-")), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    options = {"marks": str(marks)}
    merged = run_on_ray(
        f"{module}:Slow", "mini", tmp_path / "ray", shards=2, options=options, limit=12, device="cpu",
        protocol="rses-mini",
    )  # fmt: skip
    killer.join()
    assert len(ray.nodes()) == 2
    assert len(list(marks.glob("pid-*"))) == 3, "the killed worker's shard must have been taken up by another process"
    whole = run_bench(
        get_method(f"{module}:Slow", **options), "mini", tmp_path / "whole", limit=12, device="cpu",
        scorer=RSES("rses-mini", device="cpu"),
    )  # fmt: skip
    for path in sorted((tmp_path / "whole" / "images").glob("*.png")):
        assert (tmp_path / "ray" / "images" / path.name).read_bytes() == path.read_bytes()
    # Workers compute with one thread, this process with several, so sums may round differently.
    pandas.testing.assert_frame_equal(merged.to_pandas(), whole.to_pandas(), rtol=1e-5, atol=1e-7)


def test_folders_are_scored_on_a_cluster_as_here(cluster, tmp_path, capsys):
    preds = [text for name in ("identity", "photometric") for text in ("--pred", f"{name}={edits(tmp_path / name)}")]
    words = ["score", *preds, "--suite", "mini", "--protocol", "rses-mini", "--allow-missing", "--device", "cpu"]
    assert main([*words, "--out", str(tmp_path / "here")]) == 0
    here = capsys.readouterr().out
    assert main([*words, "--out", str(tmp_path / "ray"), "--engine", "ray", "--shards", "3"]) == 0
    assert capsys.readouterr().out == here
    for name in ("identity", "photometric"):
        ours, theirs = (json.loads((tmp_path / run / name / "summary.json").read_text()) for run in ("here", "ray"))
        assert ours.pop("info") | {"wall_time_s": 0} == theirs.pop("info") | {"wall_time_s": 0}
        assert ours == theirs
        assert sorted(path.name for path in (tmp_path / "ray" / name / "shards").iterdir()) == [
            "1-of-3", "2-of-3", "3-of-3"
        ]  # fmt: skip


def test_one_named_folder_has_the_run_folder_that_it_has_here(cluster, tmp_path):
    words = ["score", "--pred", f"mine={edits(tmp_path / 'identity')}", "--suite", "mini", "--protocol", "rses-mini"]
    words += ["--allow-missing", "--device", "cpu", "--metrics", "mse_bg"]
    assert main([*words, "--out", str(tmp_path / "here")]) == 0
    assert main([*words, "--out", str(tmp_path / "ray"), "--engine", "ray"]) == 0
    here, there = (
        sorted(path.parent.name for path in (tmp_path / run).glob("**/summary.json")) for run in ("here", "ray")
    )
    assert here == there == ["mine"]


def edits(folder):
    """Make a folder of edits of some samples of the suite: the pictures as they are, or darker."""
    folder.mkdir()
    for sample in load_suite("mini").samples[3:10]:
        pixels = read_image(sample.image)
        write_png(folder / f"{sample.id}.png", pixels if folder.name == "identity" else pixels // 2)
    return folder


def test_errors_of_a_task_reach_the_user(cluster, module, tmp_path):
    from rses.bench.ray_engine import run_on_ray

    with refused(RsesError, "failed"):
        run_on_ray(
            f"{module}:Broken", "mini", tmp_path / "ray", shards=2, options={"marks": str(tmp_path)}, limit=4,
            device="cpu", protocol="rses-mini",
        )  # fmt: skip
    with refused(InputError, "out-of-range", "--shards"):
        run_on_ray(f"{module}:Slow", "mini", tmp_path / "ray", shards=0)


def test_a_sample_that_kills_every_worker_does_not_go_on_forever(cluster, module, tmp_path, monkeypatch):
    from rses.bench import ray_engine
    from rses.runs import ray_tasks

    monkeypatch.setattr(ray_tasks, "RETRIES", 1)
    with pytest.raises(RsesError, match=r"lost 2 times.*repeat the command"):
        ray_engine.run_on_ray(
            f"{module}:Dies", "mini", tmp_path / "ray", shards=1, options={"marks": str(tmp_path)}, limit=2,
            device="cpu", protocol="rses-mini",
        )  # fmt: skip
    assert len(list(tmp_path.glob("pid-*"))) == 2


def test_fresh_forgets_the_shards_once(cluster, module, tmp_path):
    from rses.bench.ray_engine import run_on_ray

    common = {"shards": 1, "limit": 2, "device": "cpu", "protocol": "rses-mini"}
    run_on_ray("identity", "mini", tmp_path / "ray", **common)
    with pytest.raises(InputError, match="--fresh"):
        run_on_ray("jpeg-identity", "mini", tmp_path / "ray", **common)
    results = run_on_ray("jpeg-identity", "mini", tmp_path / "ray", fresh=True, **common)
    assert all(sample.mse_bg > 0 for sample in results.samples)


def test_no_cluster_is_a_clear_error(tmp_path, capsys, monkeypatch):
    # Whether or not another test of this process has one.
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    words = ["bench", "--method", "identity", "--protocol", "rses-mini", "--out", str(tmp_path), "--engine", "ray"]
    assert main([*words, "--ray-address", "127.0.0.1:1"]) == 2
    assert "no Ray cluster at 127.0.0.1:1" in capsys.readouterr().err


def test_the_command_line_refuses_what_does_not_go_together(tmp_path, capsys):
    arguments = ["bench", "--method", "identity", "--protocol", "rses-mini", "--out", str(tmp_path), "--engine"]
    assert main([*arguments, "ray", "--shard", "1/2"]) == 2
    assert "makes its own shards" in capsys.readouterr().err
    assert main([*arguments, "spark"]) == 2
    assert "choose local or ray" in capsys.readouterr().err

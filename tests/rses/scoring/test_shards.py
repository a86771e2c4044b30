"""Scoring in shards: the run of the whole takes them over, to the bit, and nothing is scored twice."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rses import RSES, load_run
from rses.cli.main import main
from rses.errors import InputError
from rses.images.tensors import write_png
from rses.runs.shard import Shard
from tests.helpers.refusals import refused

SIZE, COUNT = 48, 5
WHERE = {"masks": "masks", "source": "images", "style": "pixel art"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    mask = np.zeros((SIZE, SIZE), bool)
    mask[8:30, 10:40] = True
    for number in range(COUNT):
        source = rng.integers(0, 160, (SIZE, SIZE, 3), dtype=np.uint8)
        write_png(tmp_path / "images" / f"{number}.png", source)
        write_png(tmp_path / "masks" / f"{number}.png", mask)
        write_png(tmp_path / "edits" / f"{number}.png", source + np.uint8(number))
    return tmp_path


def scorer(**changes):
    return RSES(**{"protocol": "rses-mini", "device": "cpu", "metrics": "mse_bg,rsm", **changes})


def read(folder):
    summary = json.loads((folder / "summary.json").read_text())
    summary["info"].pop("wall_time_s")
    return summary, load_run(folder).to_pandas().to_dict("list")


def test_the_whole_is_what_its_shards_were(place):
    whole = scorer().score_folder("edits", out="here", **WHERE)
    for number in (1, 2):
        part = scorer().score_folder("edits", out="there", shard=Shard(number, 2), **WHERE)
        assert [sample.id for sample in part.samples] == [str(i) for i in range(number - 1, COUNT, 2)]
        assert not (place / "there" / "summary.json").exists()
    again = scorer().score_folder("edits", out="there", **WHERE)
    assert (whole.cached, again.cached) == (0, COUNT)
    assert read(place / "there") == read(place / "here")


def test_a_shard_that_never_ran_is_scored_with_the_whole(place):
    scorer().score_folder("edits", out="run", shard=Shard(2, 3), **WHERE)
    # Its process was killed in the middle of a line.
    with (place / "run" / "shards" / "2-of-3" / "journal.jsonl").open("a") as stream:
        stream.write('{"key": "4", "inp')
    results = scorer().score_folder("edits", out="run", **WHERE)
    assert results.cached == 2
    assert results.to_pandas().equals(scorer().score_folder("edits", **WHERE).to_pandas())


def test_shards_of_another_run_are_refused_until_they_are_forgotten(place):
    scorer(metrics="mse_bg").score_folder("edits", out="run", shard=Shard(1, 2), **WHERE)
    with refused(InputError, "other-run"):
        scorer().score_folder("edits", out="run", **WHERE)
    assert scorer().score_folder("edits", out="run", fresh=True, **WHERE).cached == 0
    assert scorer().score_folder("edits", out="run", **WHERE).cached == COUNT


def test_a_shard_needs_a_run_folder_and_a_sample(place):
    with refused(InputError, "missing-option"):
        scorer().score_folder("edits", shard=Shard(1, 2), **WHERE)
    with refused(InputError, "empty"):
        scorer().score_folder("edits", out="run", shard=Shard(6, 6), **WHERE)
    assert not (place / "run").exists()


def test_shards_by_the_command_line(place, capsys):
    words = ["score", "--pred", "edits", "--masks", "masks", "--source", "images", "--style", "pixel art"]
    words += ["--protocol", "rses-mini", "--metrics", "mse_bg"]
    for part in ("1/2", "2/2"):
        assert main([*words, "--out", "run", "--shard", part]) == 0
        assert capsys.readouterr().out == ""
    assert main([*words, "--out", "run"]) == 0
    assert f"{COUNT} of them scored before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--shard", "1/2"], "give --out"),
        (["--engine", "ray"], "give --out"),
        (["--out", "run", "--engine", "ray", "--shard", "1/2"], "leave out --shard"),
        (["--out", "run", "--engine", "spark"], "local or ray"),
        (["--out", "run", "--shard", "3/2"], "i/n"),
    ],
)
def test_what_does_not_go_together_is_refused(place, capsys, more, said):
    assert main(["score", "--pred", "edits", "--masks", "masks", "--protocol", "rses-mini", *more]) == 2
    assert said in capsys.readouterr().err

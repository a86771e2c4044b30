"""Configurations: all faults at once, nothing silently ignored."""

from __future__ import annotations

import pytest

from regionroute.training.config import find_config, load_config, parse_config
from rses.errors import InputError


def test_every_fault_is_listed_at_once():
    with pytest.raises(InputError) as caught:
        parse_config(
            {
                "optimizer": {"steps": 1},
                "expert": {"rank": "four", "stream": "both"},
                "attention": {"mode": "exakt", "layers": "double.0"},
                "run": 3,
            }
        )
    text = str(caught.value)
    for part in (
        'there is no table [optimizer]. Did you mean "optimiser"?',
        "[expert] rank: expected int, got 'four'",
        '[expert] has no key "stream". Did you mean "streams"?',
        "[attention] mode: expected one of 'exact', 'paper', 'official', 'off', got 'exakt'",
        "[attention] layers: expected a list, got 'double.0'",
        "[run] must be a table",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"expert": {"rank": 0}}, "rank must be at least 1"),
        ({"data": {"resolution": 100}}, "multiple of 16"),
        ({"attention": {"gate": [0.9, 0.1]}}, "gate must be two noise levels"),
        ({"attention": {"focus": -1}}, "must not be negative"),
        ({"optimiser": {"learning_rate": 0}}, "learning_rate must be above 0"),
        ({"optimiser": {"betas": [0.9]}}, "betas must be two numbers"),
        ({"run": {"seed": True}}, "expected int"),
    ],
)
def test_values_out_of_range(tables, message):
    with pytest.raises(InputError, match=message):
        parse_config(tables)


def test_changes_win_and_paths_are_relative_to_the_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[data]\npairs = "pairs"\nstyle = "line art"\n')
    config = load_config(path, ["optimiser.steps=7", "data.style=pixel art", "attention.gate=[0.2, 0.8]"])
    assert (config.optimiser.steps, config.data.style, config.attention.gate) == (7, "pixel art", (0.2, 0.8))
    assert config.data.pairs == str(tmp_path / "pairs")
    assert load_config(path, ["data.pairs=here"]).data.pairs == "here"


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="Cannot read the configuration"):
        load_config(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[data\n")
    with pytest.raises(InputError, match="is not valid TOML"):
        load_config(broken)
    with pytest.raises(InputError, match="write it as table.key=value"):
        load_config(find_config("mini"), ["steps"])


def test_configurations_that_come_along():
    with pytest.raises(InputError, match='Did you mean "paper"'):
        find_config("papers")
    paper = load_config(find_config("paper"))
    assert (paper.optimiser.learning_rate, paper.attention.focus, paper.attention.cover) == (1e-4, 0.1, 0.2)
    assert (paper.optimiser.steps, paper.optimiser.batch_size, paper.optimiser.accumulation) == (5000, 2, 4)
    official = load_config(find_config("official"))
    assert (official.attention.mode, official.attention.cover, official.attention.tau) == ("official", 5e-5, 0.1)
    assert official.optimiser.learning_rate == 1e-5
    assert load_config(find_config("mini")).data.resolution == 128

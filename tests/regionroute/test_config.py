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
        ({"run": {"overlays": 0}}, "overlays must be at least 1"),
        ({"run": {"overlay_every": -1}}, "overlay_every must not be negative"),
        ({"data": {"limit": -1}}, "limit must not be negative"),
        ({"attention": {"alpha": -1.0}}, "alpha must not be negative"),
        ({"optimiser": {"max_grad_norm": 0}}, "max_grad_norm must be above 0"),
        ({"optimiser": {"warm_up": -1}}, "warm_up must not be negative"),
        ({"optimiser": {"betas": [1.5, 0.9]}}, "betas must be two numbers of at least 0 and below 1"),
        ({"optimiser": {"betas": [0.9, 1]}}, "betas must be two numbers of at least 0 and below 1"),
        ({"optimiser": {"eps": -1.0}}, "eps must not be negative"),
        ({"optimiser": {"weight_decay": -1.0}}, "weight_decay must not be negative"),
        ({"optimiser": {"learning_rate": float("inf")}}, "learning_rate must be finite, got inf"),
        ({"optimiser": {"max_grad_norm": float("nan")}}, "max_grad_norm must be finite, got nan"),
        ({"flow": {"guidance": float("nan")}}, "guidance must be finite, got nan"),
        ({"optimiser": {"eps": 10**400}}, "eps: expected a number below 1e308"),
        ({"run": {"seed": -1}}, "seed must be at least 0 and below 2"),
        ({"run": {"seed": 2**63}}, "seed must be at least 0 and below 2"),
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


def test_values_at_the_edge_of_their_range():
    config = parse_config(
        {
            "optimiser": {"betas": [0, 0], "eps": 0, "weight_decay": 0, "max_grad_norm": float("inf")},
            "run": {"seed": 2**63 - 1},
        }
    )
    assert (config.optimiser.max_grad_norm, config.run.seed) == (float("inf"), 2**63 - 1)


@pytest.mark.parametrize("name", ["5", "2024", "true", "2026-01-01", '"quoted"', "[a]", "inf", " spaced "])
def test_texts_are_never_read_as_toml(tmp_path, name):
    path = tmp_path / "own.toml"
    path.write_text("[run]\nseed = 3\n")
    config = load_config(path, ["run.out=before"], {"run.out": name, "data.pairs": name})
    assert (config.run.out, config.data.pairs, config.run.seed) == (name, name, 3)


def test_a_number_too_long_to_read(tmp_path):
    with pytest.raises(InputError, match=r"\[run\] seed: expected int, got '999"):
        load_config(find_config("mini"), ["run.seed=" + "9" * 5000])


def test_a_change_to_what_is_no_table(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("run = 3\n")
    with pytest.raises(InputError, match=r"\[run\] must be a table"):
        load_config(path, ["run.out=here"])


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
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
    assert load_config(find_config("mini")).data.resolution == 128


SHARED = {
    "model.dtype": "bfloat16", "model.text_length": 512, "model.gradient_checkpointing": True,
    "model.base": "black-forest-labs/FLUX.1-Kontext-dev", "data.resolution": 1024, "expert.rank": 4,
    "expert.streams": "both", "expert.targets": ("to_q", "to_k", "to_v", "to_out.0"), "optimiser.name": "adamw8bit",
    "optimiser.betas": (0.9, 0.999), "optimiser.eps": 1e-8, "optimiser.weight_decay": 1e-4,
    "optimiser.max_grad_norm": 1.0, "optimiser.batch_size": 2, "optimiser.accumulation": 4, "optimiser.warm_up": 0,
    "optimiser.schedule": "constant", "flow.guidance": 1.0, "flow.density": "uniform", "flow.shift": 1.0,
    "flow.edited_weight": 0.0, "attention.focus": 0.1, "attention.layers": (), "attention.gate": (0.0, 1.0),
    "run.seed": 0,
}  # fmt: skip
"""What the paper and the released code have in common."""


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (
            "paper",
            {"optimiser.learning_rate": 1e-4, "optimiser.steps": 5000, "attention.cover": 0.2,
             "attention.mode": "exact", "model.quantise": "none"},
        ),
        (
            "official",
            {"optimiser.learning_rate": 1e-5, "optimiser.steps": 10000, "attention.cover": 5e-5,
             "attention.mode": "official", "attention.tau": 0.1, "attention.alpha": 2.0, "model.quantise": "nf4"},
        ),
    ],
)  # fmt: skip
def test_published_hyper_parameters(name, own):
    tables = load_config(find_config(name)).to_dict()
    found = {f"{table}.{key}": value for table, values in tables.items() for key, value in values.items()}
    expected = {**SHARED, **own}
    assert {key: found[key] for key in expected} == expected

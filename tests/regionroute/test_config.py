"""Configurations: all faults at once, nothing silently ignored."""

from __future__ import annotations

import pytest

from regionroute.training.config import find_config, load_config, parse_config
from rses.errors import InputError


def faults(call, *arguments):
    """Field and code of every problem."""
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return {problem.place.field: problem.code for problem in caught.value.problems}


def test_every_fault_is_listed_at_once():
    tables = {
        "optimizer": {"steps": 1},
        "expert": {"rank": "four", "stream": "both"},
        "attention": {"mode": "exakt", "layers": "double.0"},
        "run": 3,
    }
    assert faults(parse_config, tables) == {
        "optimizer": "unknown-key", "expert.rank": "wrong-type", "expert.stream": "unknown-key",
        "attention.mode": "unknown-value", "attention.layers": "wrong-type", "run": "wrong-type",
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        parse_config(tables)
    for name in ("optimiser", "streams", "exact"):
        assert f'Did you mean "{name}"?' in str(caught.value)


INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("field", "values", "code"),
    [
        ("expert.rank", [0], "out-of-range"),
        ("data.resolution", [0, 100], "out-of-range"),
        ("data.limit", [-1], "out-of-range"),
        ("attention.gate", [[0.9, 0.1], [0.5]], "out-of-range"),
        ("attention.focus", [-1], "out-of-range"),
        ("attention.alpha", [-1.0], "out-of-range"),
        ("optimiser.learning_rate", [0], "out-of-range"),
        ("optimiser.betas", [[0.9], [1.5, 0.9], [0.9, 1]], "out-of-range"),
        ("optimiser.max_grad_norm", [0, NAN], "out-of-range"),
        ("optimiser.warm_up", [-1], "out-of-range"),
        ("optimiser.eps", [-1.0], "out-of-range"),
        ("optimiser.weight_decay", [-1.0], "out-of-range"),
        ("optimiser.learning_rate", [INF], "not-finite"),
        ("flow.guidance", [NAN], "not-finite"),
        ("optimiser.eps", [10**400], "wrong-type"),
        ("run.overlays", [0], "out-of-range"),
        ("run.overlay_every", [-1], "out-of-range"),
        ("run.seed", [-1, 2**63], "out-of-range"),
        ("run.seed", [True], "wrong-type"),
    ],
)
def test_values_out_of_range(field, values, code):
    table, key = field.split(".")
    for value in values:
        assert faults(parse_config, {table: {key: value}}) == {field: code}


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


def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own.toml").write_text('[data]\npairs = "~/pairs"\ncache = "~"\n')
    config = load_config(tmp_path / "own.toml", ["run.out=~/runs/a"])
    assert (config.data.pairs, config.data.cache) == (str(tmp_path / "pairs"), str(tmp_path))
    assert config.run.out == str(tmp_path / "runs" / "a")


def test_what_cannot_be_read(tmp_path):
    path, broken = tmp_path / "own.toml", tmp_path / "broken.toml"
    path.write_text("run = 3\n")
    broken.write_text("[data\n")
    assert faults(load_config, find_config("mini"), ["run.seed=" + "9" * 5000]) == {"run.seed": "wrong-type"}
    assert faults(load_config, path, ["run.out=here"]) == {"run": "wrong-type"}
    assert faults(load_config, tmp_path / "none.toml") == {"": "unreadable"}
    assert faults(load_config, broken) == {"": "not-toml"}
    assert faults(load_config, find_config("mini"), ["steps"]) == {"": "wrong-form"}
    assert faults(find_config, "papers") == {"": "unknown-name"}
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

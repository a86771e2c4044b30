"""Checkpoints, logs, configurations and base facts that were damaged or made by somebody else: one error each."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from regionroute.base import base_facts
from regionroute.lora_format import ADAPTER, LoraSettings, lora_layers, lora_shapes, read_lora
from regionroute.training.checkpoint import latest_checkpoint, load_optimiser, remove_old, save_checkpoint
from regionroute.training.config import load_config, parse_config
from regionroute.training.journal import Journal
from rses.errors import InputError, WeightsError
from tests.helpers.refusals import refused


@pytest.fixture
def config():
    return parse_config({"data": {"style": "pixel art"}})


def trained():
    weight = torch.nn.Parameter(torch.ones(2, 3))
    optimiser = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimiser.step()
    return weight, optimiser


@pytest.fixture
def checkpoints(tmp_path, config):
    weight, optimiser = trained()
    save_checkpoint(tmp_path, 7, {"a": weight}, optimiser.state_dict(), config)
    return tmp_path


def edit(folder, change):
    path = next(folder.glob("step-*")) / "state.json"
    state = json.loads(path.read_text())
    change(state)
    path.write_text(json.dumps(state))


def test_a_sound_checkpoint_gives_back_the_optimiser(checkpoints, config):
    _, optimiser = trained()
    wanted = optimiser.state_dict()["state"][0]["exp_avg"].clone()
    fresh = torch.optim.AdamW([torch.nn.Parameter(torch.ones(2, 3))])
    load_optimiser(fresh, latest_checkpoint(checkpoints, config), checkpoints)
    assert torch.equal(fresh.state_dict()["state"][0]["exp_avg"], wanted)


@pytest.mark.parametrize("step", ["7", -7, 8, 7.0, True, 10**400, None])
def test_a_step_that_is_not_the_folders_is_damage(checkpoints, config, step):
    edit(checkpoints, lambda state: state.update(step=step))
    with refused(InputError, "damaged"):
        latest_checkpoint(checkpoints, config)


def test_deep_nesting_is_damage(checkpoints, config):
    (next(checkpoints.glob("step-*")) / "state.json").write_text("[" * 50_000)
    with refused(InputError, "damaged"):
        latest_checkpoint(checkpoints, config)


@pytest.mark.parametrize(
    "change",
    [
        lambda groups: groups.clear(),
        lambda groups: groups[0].update(betas=[0.1, "x"]),
        lambda groups: groups[0].update(eps=1.0),
        lambda groups: groups[0].update(params=[0, 1]),
        lambda groups: groups.append(3),
    ],
)
def test_settings_of_another_optimiser_are_damage(checkpoints, config, change):
    edit(checkpoints, lambda state: change(state["optimiser"]["param_groups"]))
    with refused(InputError, "damaged"):
        load_optimiser(
            torch.optim.AdamW([torch.nn.Parameter(torch.ones(2, 3))]),
            latest_checkpoint(checkpoints, config),
            checkpoints,
        )


def test_moments_of_another_shape_are_damage(checkpoints, config):
    found = latest_checkpoint(checkpoints, config)
    with refused(InputError, "damaged"):
        load_optimiser(torch.optim.AdamW([torch.nn.Parameter(torch.ones(3, 2))]), found, checkpoints)


def test_the_newest_of_steps_with_six_and_seven_digits(tmp_path, config):
    weight, optimiser = trained()
    for step in (999_999, 1_000_000):
        save_checkpoint(tmp_path, step, {"a": weight}, optimiser.state_dict(), config)
    assert latest_checkpoint(tmp_path, config).step == 1_000_000


def test_what_a_kill_left_of_checkpoints_is_removed(tmp_path):
    for name in (".step-000009.tmp", "step-000001", "step-000002", "step-000003"):
        (tmp_path / name).mkdir()
    remove_old(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000002", "step-000003"]


@pytest.mark.parametrize("text", ["a = " + "[" * 5_000, "a = " + "{b=" * 5_000, "[run]\nseed = " + "1" * 5_000, "\x00"])
def test_a_hostile_configuration_is_an_input_error(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(InputError):
        load_config(path)


@pytest.mark.parametrize(
    "facts",
    ['{"steps": {}}', '{"steps": 0}', '{"steps": true}', '{"text_length": 1e400}', '{"guidance": NaN}', "[" * 50_000,
     '{"guidance": "x"}', '{"buckets": [[1e400, 1]]}', '{"buckets": [[0, 64]]}', '{"buckets": 3}', '{"other": 1}'],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_hostile_facts_of_a_base_model_are_refused(tmp_path, facts):
    (tmp_path / "regionroute.json").write_text(facts)
    with refused(WeightsError, "unreadable", "regionroute.json"):
        base_facts(str(tmp_path))


@pytest.mark.parametrize("line", [b"\xff", b"[" * 50_000, b'{"step": 1e400}', b'{"step": "2"}', b"[]", b'{"step": 9}'])
def test_lines_that_are_no_log_are_dropped(tmp_path, line):
    (tmp_path / "train.jsonl").write_bytes(b'{"step": 1}\n' + line + b"\n")
    with Journal(tmp_path, 1, tensorboard=False) as journal:
        journal.write(2, {"loss": 0.5})
    steps = [json.loads(row)["step"] for row in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert steps == [1, 2]


@pytest.mark.parametrize("alpha", ["NaN", "Infinity", "1" + "0" * 400, '"x"', "[1]", "[" * 50_000])
def test_a_factor_that_is_no_number_is_refused(make_tiny, tmp_path, alpha):
    transformer = make_tiny()
    shapes = lora_shapes(lora_layers(transformer, LoraSettings()), 2)
    path = tmp_path / "expert.safetensors"
    stated = {ADAPTER: f'{{"transformer.r": 2, "transformer.lora_alpha": {alpha}}}'}
    save_file({key: torch.ones(shape) for key, shape in shapes.items()}, path, stated)
    with refused(WeightsError, "not-json", path):
        read_lora(path, transformer)

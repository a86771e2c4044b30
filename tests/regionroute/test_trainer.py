"""Training on a tiny FLUX: it learns, resumes without any difference, and says what is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import accelerate
import pytest
import safetensors.torch
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from regionroute.attention import StyleAttention
from regionroute.training import trainer as module
from regionroute.training.checkpoint import latest_checkpoint, save_checkpoint
from regionroute.training.config import parse_config
from regionroute.training.trainer import batch_indices, train
from rses.errors import InputError, RsesError
from tests.helpers.refusals import refused


def replace(record, **changes):
    return record.model_copy(update=changes)


@pytest.fixture
def config(tiny_kontext, tiny_pairs, tmp_path):
    return parse_config(
        {
            "model": {"base": str(tiny_kontext), "text_length": 24},
            "data": {
                "pairs": str(tiny_pairs),
                "style": "pixel art",
                "resolution": 64,
                "cache": str(tmp_path / "cache"),
            },
            "optimiser": {"learning_rate": 1e-2, "steps": 6, "batch_size": 2, "accumulation": 2},
            "attention": {"focus": 1.0, "cover": 1.0},
            "run": {"out": str(tmp_path / "run"), "checkpoint_every": 2, "overlay_every": 3, "overlays": 2},
        }
    )


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_without_any_difference(config, tmp_path):
    whole = train(config)
    interrupted = replace(config, run=replace(config.run, out=str(tmp_path / "other")))

    def kill(done, total, values):
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        train(interrupted, progress=kill)
    assert latest_checkpoint(tmp_path / "other" / "checkpoints", interrupted).step == 4
    resumed = train(interrupted)
    assert whole.read_bytes() == resumed.read_bytes()
    logs = [(path.parent / "train.jsonl").read_text() for path in (whole, resumed)]
    assert logs[0] == logs[1]
    assert [json.loads(line)["step"] for line in logs[0].splitlines()] == [1, 2, 3, 4, 5, 6]


def test_training_reaches_the_expert_and_writes_what_it_promises(config):
    path = train(config)
    assert path.name == "pixel-art.safetensors"
    weights = safetensors.torch.load_file(path)
    assert any(value.abs().max() > 0 for key, value in weights.items() if "lora_B" in key)
    out = path.parent
    assert sorted(p.name for p in (out / "overlays").iterdir()) == ["step-000003.png", "step-000006.png"]
    assert sorted(p.name for p in (out / "checkpoints").iterdir()) == ["step-000004", "step-000006"]
    assert not [p for p in out.rglob("*") if p.suffix in (".pt", ".bin", ".pkl")]
    board = EventAccumulator(str(out / "tensorboard")).Reload()
    lines = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    for name in ("loss", "flow", "focus", "cover", "mass", "learning_rate"):
        assert [event.value for event in board.Scalars(name)] == pytest.approx([line[name] for line in lines], abs=1e-5)
    assert [event.step for event in board.Images("attention")] == [3, 6]


def test_supervision_draws_attention_into_the_mask(config, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MEASURE_EVERY", 1)

    def last_mass(mode):
        own = replace(
            config,
            attention=replace(config.attention, mode=mode),
            optimiser=replace(config.optimiser, steps=30),
            run=replace(config.run, out=str(tmp_path / mode), overlay_every=0, tensorboard=False, checkpoint_every=30),
        )
        train(own)
        lines = (tmp_path / mode / "train.jsonl").read_text().splitlines()
        masses = [json.loads(line)["mass"] for line in lines]
        return sum(masses[-5:]) / 5

    assert last_mass("exact") > last_mass("off") + 0.1


def test_without_losses_attention_is_recorded_for_a_few_log_lines_only(config, tmp_path, monkeypatch):
    opened = []
    record = StyleAttention.record
    monkeypatch.setattr(StyleAttention, "record", lambda *a: (opened.append(1), record(*a))[1])

    def run(name, every, steps=6):
        monkeypatch.setattr(module, "MEASURE_EVERY", every)
        own = replace(
            config,
            attention=replace(config.attention, mode="off"),
            optimiser=replace(config.optimiser, steps=steps, accumulation=1),
            run=replace(config.run, out=str(tmp_path / name), overlay_every=0, tensorboard=False),
        )
        opened.clear()
        weights = safetensors.torch.load_file(train(own))
        lines = [json.loads(line) for line in (tmp_path / name / "train.jsonl").read_text().splitlines()]
        return weights, lines, len(opened)

    some, lines, count = run("some", 3)
    assert [line["step"] for line in lines if "mass" in line] == [1, 3, 6]
    assert count == 3
    always, measured, count = run("always", 1)
    assert count == 6
    for line, other in zip(lines, measured, strict=True):
        assert {**other, "mass": 0} == pytest.approx({**line, "mass": 0}, abs=1e-4)
    for key, value in always.items():
        torch.testing.assert_close(some[key], value, atol=2e-4, rtol=1e-2)


def test_gradient_checkpointing_and_batch_layout_change_nothing_much(config, tmp_path):
    results = []
    for number, (checkpointing, size, accumulation) in enumerate([(False, 4, 1), (True, 4, 1), (False, 1, 4)]):
        own = replace(
            config,
            model=replace(config.model, gradient_checkpointing=checkpointing),
            optimiser=replace(config.optimiser, batch_size=size, accumulation=accumulation, steps=2),
            run=replace(config.run, out=str(tmp_path / f"layout{number}"), overlay_every=0, tensorboard=False),
        )
        results.append(safetensors.torch.load_file(train(own)))
    for other in results[1:]:
        for key, value in results[0].items():
            torch.testing.assert_close(other[key], value, atol=2e-4, rtol=1e-2)


def test_other_settings_do_not_go_on_from_a_checkpoint(config):
    train(config)
    changed = replace(config, expert=replace(config.expert, rank=8))
    with refused(InputError, "other-run"):
        train(changed)
    longer = replace(config, optimiser=replace(config.optimiser, steps=7))
    lines = (train(longer).parent / "train.jsonl").read_text().splitlines()
    assert len(lines) == 7
    # A key that came later had its default.
    state = max((Path(config.run.out) / "checkpoints").iterdir()) / "state.json"
    kept = json.loads(state.read_text())
    del kept["config"]["flow"]["weight"]
    state.write_text(json.dumps(kept))
    assert train(longer).is_file()
    weighted = replace(longer, flow=replace(config.flow, weight=2.0))
    with refused(InputError, "other-run"):
        train(weighted)
    # A falling rate depends on where it is to end.
    with refused(InputError, "other-run"):
        train(replace(longer, optimiser=replace(longer.optimiser, schedule="cosine")))


def test_what_is_not_finite_is_not_written_down(config, monkeypatch):
    once = replace(config, run=replace(config.run, checkpoint_every=1))
    backward = accelerate.Accelerator.backward
    steps = []

    def spoil(self, loss, **options):
        steps.append(loss.item())
        backward(self, loss * (float("nan") if len(steps) > 4 else 1.0), **options)

    monkeypatch.setattr(accelerate.Accelerator, "backward", spoil)
    with refused(RsesError, "not-finite"):
        train(once)
    out = Path(once.run.out)
    assert latest_checkpoint(out / "checkpoints", once).step == 2
    assert not list(out.glob("*.safetensors"))
    monkeypatch.undo()
    assert train(once).is_file()


def test_out_of_date_and_damaged_checkpoints_are_refused(config, tmp_path):
    out = train(config).parent
    newest = out / "checkpoints" / "step-000006"
    state = json.loads((newest / "state.json").read_text())
    (newest / "state.json").write_text(json.dumps({**state, "format": 0}))
    with refused(InputError, "other-version"):
        train(config)
    (newest / "state.json").write_text(json.dumps(state))
    (newest / "lora.safetensors").write_bytes(b"nothing")
    with refused(InputError, "damaged"):
        train(config)
    safetensors.torch.save_file({"a": torch.zeros(1)}, newest / "lora.safetensors")
    with refused(InputError, "mismatch"):
        train(config)
    (newest / "state.json").write_text(json.dumps({**state, "config": 3}))
    with refused(InputError, "damaged"):
        train(config)
    train(config, fresh=True)
    fewer = replace(config, optimiser=replace(config.optimiser, steps=5))
    with refused(InputError, "out-of-range"):
        train(fewer)


def test_a_run_without_a_limit_for_its_gradients_goes_on(config, tmp_path):
    endless = replace(config, optimiser=replace(config.optimiser, max_grad_norm=float("inf")))
    save_checkpoint(tmp_path, 7, {"a": torch.ones(2)}, {"state": {}, "param_groups": []}, endless)
    assert latest_checkpoint(tmp_path, endless).step == 7
    with refused(InputError, "other-run"):
        latest_checkpoint(tmp_path, config)


def test_states_as_bitsandbytes_nests_them_are_kept(config, tmp_path):
    quantised = {"state1": torch.arange(5, dtype=torch.uint8), "qmap1": torch.rand(4)}
    again = {**quantised, "state1": torch.zeros(3, dtype=torch.uint8)}  # the map is shared
    state = {
        "state": {0: {"step": 7, "__quant__": {**quantised, "bits": 8}}, 1: {"step": torch.tensor(7.0), **again}},
        "param_groups": [{"lr": 1e-3, "params": [0, 1]}],
    }
    save_checkpoint(tmp_path, 7, {"a": torch.ones(2)}, state, config)
    found = latest_checkpoint(tmp_path, config).optimiser
    assert found["param_groups"] == state["param_groups"]
    assert (found["state"][0]["step"], found["state"][0]["__quant__"]["bits"]) == (7, 8)
    for name, value in quantised.items():
        assert torch.equal(found["state"][0]["__quant__"][name], value)
    for name, value in state["state"][1].items():
        assert torch.equal(found["state"][1][name], value)


def test_a_mistake_costs_no_earlier_run(config, tmp_path):
    out = train(replace(config, optimiser=replace(config.optimiser, steps=2))).parent
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for wrong, code in (
        (replace(config, model=replace(config.model, base="nowhere/at-all")), "missing-weights"),
        (replace(config, model=replace(config.model, text_length=77)), "contradiction"),
        (replace(config, attention=replace(config.attention, layers=("double.9",))), "unknown-name"),
    ):
        with refused(RsesError, code):
            train(wrong, fresh=True)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
        with refused(RsesError, code):
            train(replace(wrong, run=replace(wrong.run, out=str(tmp_path / "new"))))
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("table", "change", "package"),
    [
        ("optimiser", {"name": "adamw8bit"}, "bitsandbytes"),
        ("model", {"quantise": "nf4"}, "bitsandbytes"),
        ("model", {"quantise": "int8"}, "bitsandbytes"),
        ("run", {"tensorboard": True}, "tensorboard"),
    ],
)
def test_a_missing_package_is_named_before_weights_are_loaded(config, table, change, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(module, "load_base", lambda *a, **k: pytest.fail("weights were loaded"))
    with pytest.raises(RsesError, match=f'"{package}".*not installed.*pip install "rses'):
        train(replace(config, **{table: replace(getattr(config, table), **change)}))
    assert not Path(config.run.out).exists()


def test_bad_requests_write_nothing(config, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "load_base", lambda *a, **k: pytest.fail("weights were loaded"))
    for change, code in (
        ({"style": "oil"}, "unknown-value"),
        ({"style": "cyberpunk"}, "empty"),
        ({"pairs": str(tmp_path / "nowhere")}, "missing-file"),
        ({"pairs": ""}, "missing-option"),
    ):
        with refused(InputError, code):
            train(replace(config, data=replace(config.data, **change)))
    assert not (tmp_path / "run").exists()


def test_every_pair_is_seen_before_any_is_seen_twice():
    seen = [row for step in range(5) for row in batch_indices(10, step, 4, seed=1)]
    assert sorted(seen[:10]) == list(range(10))
    assert sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_the_finder_learns_from_the_masks_of_all_styles_without_targets(config, tiny_pairs):
    finder = replace(
        config, data=replace(config.data, pairs=str(tiny_pairs.parent / "suite"), style="finder"),
        flow=replace(config.flow, weight=0.0, density="start"),
        optimiser=replace(config.optimiser, steps=30, warm_up=0),
    )  # fmt: skip
    path = train(finder)
    assert path.name == "finder.safetensors"
    lines = [json.loads(line) for line in (path.parent / "train.jsonl").read_text().splitlines()]
    assert all(line["loss"] == pytest.approx(line["focus"] + line["cover"], abs=1e-4) for line in lines)
    losses = [line["loss"] for line in lines]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    # Eight pictures in two styles; an expert of one would have seen six.
    trainer = module.Trainer(finder)
    trainer.encode(module.read_pairs(Path(finder.data.pairs), None, targets=False))
    assert len(trainer.data) == 8


@pytest.mark.parametrize(
    ("style", "flow", "attention"),
    [("finder", {}, {}), ("finder", {"weight": 0.0}, {"mode": "off"}),
     ("pixel art", {"weight": 0.0}, {"focus": 0.0, "cover": 0.0})],
)  # fmt: skip
def test_losses_that_cannot_be_are_refused_before_anything_is_written(config, style, flow, attention):
    wrong = replace(
        config, data=replace(config.data, style=style), flow=replace(config.flow, **flow),
        attention=replace(config.attention, **attention),
    )  # fmt: skip
    with refused(InputError, "contradiction"):
        train(wrong)
    assert not Path(config.run.out).exists()

"""The gate: log-odds against uniform, a logistic, its fit and its file."""

from __future__ import annotations

import math

import pytest
import torch

from regionroute.gate import GATE_FILE, Gate, fit_gate, gate_of, read_gate, write_gate
from rses.errors import InputError, WeightsError
from tests.helpers.refusals import refused


def maps(rows=3, cells=16, seed=0):
    return torch.rand(rows, cells, generator=torch.Generator().manual_seed(seed)) + 0.01


def test_the_mask_is_the_logistic_of_the_log_odds_against_uniform():
    heat = maps()
    share = heat.double() / heat.double().sum(1, keepdim=True)
    odds = (share / (1 - share)).log() - math.log(1 / 15)
    for gate in (Gate(), Gate(3.0, -2.1)):
        expected = 1 / (1 + (-gate.slope * odds - gate.bias).exp())
        torch.testing.assert_close(gate.mask(heat).double(), expected, atol=1e-4, rtol=0)


def test_a_row_depends_on_itself_alone_and_not_on_the_scale_of_attention():
    heat, gate = maps(), Gate(2.0, -1.0)
    for row in range(3):
        torch.testing.assert_close(gate.mask(heat[row : row + 1])[0], gate.mask(heat)[row], atol=0, rtol=0)
    torch.testing.assert_close(gate.mask(heat * 1e-4), gate.mask(heat), atol=1e-5, rtol=0)
    assert Gate(9.0).mask(torch.eye(4)).isfinite().all()


def test_the_fit_finds_the_numbers_that_made_the_masks():
    heat, made = maps(100, 64, 1), Gate(2.5, -1.5, 3)
    fitted = fit_gate(heat, made.mask(heat), 3)
    assert fitted.slope == pytest.approx(2.5, rel=0.1)
    assert fitted.bias == pytest.approx(-1.5, rel=0.1)
    assert fitted.steps == 3


def test_the_fit_overlaps_better_than_others_even_where_attention_tells_little():
    generator = torch.Generator().manual_seed(3)
    masks = torch.zeros(60, 64)
    masks[:, 20:26] = 1
    heat = 0.1 + 0.05 * masks + 0.05 * torch.rand(60, 64, generator=generator)

    def overlap(gate):
        found = gate.mask(heat)
        return (torch.minimum(found, masks).sum(1) / torch.maximum(found, masks).sum(1)).mean().item()

    best = overlap(fit_gate(heat, masks, 2))
    assert best > 0.5
    for slope in (1.0, 3.0, 10.0):
        for threshold in (0.0, 0.2, 0.4, 0.8):
            assert overlap(Gate(slope, -slope * threshold)) <= best + 1e-3


def test_the_fit_is_finite_at_the_extremes():
    told_apart = torch.where(torch.arange(64) < 5, 9.0, 1.0).expand(4, -1)
    gate = fit_gate(told_apart, (told_apart > 5).float(), 2)
    assert gate.mask(told_apart)[0, 0] > 0.95
    assert gate.mask(told_apart)[0, -1] < 0.05
    nothing = fit_gate(torch.ones(4, 64), (told_apart > 5).float(), 2)
    assert torch.isfinite(nothing.mask(torch.ones(1, 64))).all()


def test_the_file_makes_the_round_trip_and_the_default_is_what_the_loss_supervises(tmp_path):
    assert read_gate(tmp_path) == Gate(1.0, 0.0, 2)
    for finder in (None, True, False):
        write_gate(tmp_path, Gate(3.0, -2.1, 4, finder))
        assert read_gate(tmp_path) == Gate(3.0, -2.1, 4, finder)
    # As it was written before there was a finder.
    (tmp_path / GATE_FILE).write_text('{"slope": 3.0, "bias": -2.1, "steps": 4}')
    assert gate_of([tmp_path / "a.safetensors", tmp_path / "b.safetensors"]) == Gate(3.0, -2.1, 4)
    assert gate_of([tmp_path / "a.safetensors", tmp_path / "other" / "b.safetensors"]) == Gate()
    assert gate_of([]) == Gate()


@pytest.mark.parametrize(
    "text",
    ["{", "[1, 2]", '{"slop": 1}', '{"slope": "much"}', '{"slope": NaN}', '{"steps": 0}', '{"steps": 1000000}',
     '{"finder": "yes"}', "[" * 100_000, f'{{"slope": 1{"0" * 400}}}'],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(tmp_path, text):
    (tmp_path / GATE_FILE).write_text(text)
    with refused(WeightsError, "unreadable", "gate.json"):
        read_gate(tmp_path)


def test_shapes_are_checked():
    with refused(InputError, "wrong-shape"):
        fit_gate(maps(), torch.zeros(3, 4), 2)
    with pytest.raises(InputError):
        fit_gate(maps()[:0], torch.zeros(0, 16), 2)

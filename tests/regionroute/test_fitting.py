"""Fitting the gate on pairs kept aside, in Python and as a user types it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from regionroute.base import load_base
from regionroute.cli.main import main
from regionroute.data.pairs import read_pairs
from regionroute.experts import LoraSettings, add_expert, save_expert
from regionroute.fitting import fit_on_pairs, mask_iou
from regionroute.gate import Gate, fit_gate, read_gate
from regionroute.grid import mask_to_grid
from regionroute.pipeline import RegionRoutePipeline
from rses.errors import InputError
from rses.images.decode import read_image
from rses.images.masks import read_mask
from tests.helpers.refusals import refused


@pytest.fixture
def experts(tiny_experts, tmp_path):
    return shutil.copytree(tiny_experts, tmp_path / "experts")


def test_the_fit_is_that_of_the_experts_own_maps_on_the_grid(tiny_kontext, tiny_pairs, experts):
    pipe, pairs = RegionRoutePipeline.from_pretrained(str(tiny_kontext), experts), read_pairs(tiny_pairs)
    fit = fit_on_pairs(pipe, pairs, 1)
    heats, masks = [], []
    for pair in pairs:
        heats.append(pipe.edit([read_image(pair.source)], [pair.prompt], steps=1, attention=True)[0].attention)
        masks.append(mask_to_grid(torch.from_numpy(read_mask(pair.mask).copy()), (4, 4), minimum=0.0))
    expected = fit_gate(torch.from_numpy(np.stack(heats)).flatten(1), torch.stack(masks), 1)
    assert fit.gate.slope == pytest.approx(expected.slope, abs=1e-2)
    assert fit.gate.bias == pytest.approx(expected.bias, abs=1e-2)
    assert (fit.gate.steps, fit.pairs) == (1, 8)
    assert 0 <= fit.iou <= 1
    with refused(InputError, "empty"):
        fit_on_pairs(pipe, [], 1)


def test_iou_by_hand():
    truth = np.array([[True, True, False, False]])
    assert mask_iou(np.array([[0.9, 0.2, 0.7, 0.0]]), truth) == pytest.approx(1 / 3)
    assert mask_iou(np.zeros((1, 4)), truth) == 0
    assert mask_iou(np.zeros((1, 4)), truth & False) == 0


def test_as_a_user_types_it(tiny_kontext, tiny_pairs, experts, capsys):
    command = ["gate", "--experts", str(experts), "--pairs", str(tiny_pairs), "--variant", str(tiny_kontext),
               "--dtype", "float32", "--steps", "1"]  # fmt: skip
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert out.strip() == str(experts / "gate.json")
    assert "mean IoU" in err
    written = json.loads((experts / "gate.json").read_text())
    assert read_gate(experts) == Gate(**written)
    assert written["steps"] == 1
    assert RegionRoutePipeline.from_pretrained(str(tiny_kontext), experts).gate == Gate(**written)
    # Masks are enough: a suite has them.
    assert main([*command[:4], str(tiny_pairs.parent / "suite"), *command[5:]]) == 0
    assert json.loads((experts / "gate.json").read_text()) == written
    capsys.readouterr()
    # Neither a missing folder nor a strange dtype leaves anything behind.
    (experts / "gate.json").unlink()
    for wrong in (["--pairs", "nowhere"], ["--dtype", "int8"]):
        assert main([*command, *wrong]) == 2
        assert "Traceback" not in capsys.readouterr().err
        assert not (experts / "gate.json").exists()


def test_with_a_finder_the_gate_is_fitted_to_its_maps(tiny_kontext, tiny_pairs, experts):
    def fitted():
        return fit_on_pairs(RegionRoutePipeline.from_pretrained(str(tiny_kontext), experts), read_pairs(tiny_pairs), 1)

    without = fitted()
    transformer = load_base(str(tiny_kontext)).transformer
    torch.manual_seed(7)
    for parameter in add_expert(transformer, "finder", LoraSettings()):
        torch.nn.init.normal_(parameter, std=0.5)
    save_expert(transformer, "finder", experts / "finder.safetensors")
    assert fitted().gate != without.gate
    # It looks for every style, whether or not that has an expert.
    (experts / "line-art.safetensors").unlink()
    assert fitted().pairs == 8

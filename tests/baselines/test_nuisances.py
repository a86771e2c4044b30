"""P11: what is no style scores near 0, on whole suites, as the boards say that were scored again from the edits."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from baselines import nuisances
from baselines.nuisances import Nuisance
from rses import load_run, load_suite
from rses.images.decode import read_image
from rses.images.nuisances import FLOOR, NUISANCES
from rses.methods import EditSample, get_method, sample_seed
from rses.runs.results import Results
from rses.scoring.scorer import RSES

BOARDS = Path(__file__).resolve().parents[2] / "leaderboards" / "results"
SUITES = ("mini", "photos")


def edited(name: str, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    return image, Nuisance(name).edit([EditSample("a", image, "cat", "ink", "", seed)])[0]


@pytest.mark.parametrize("name", NUISANCES)
def test_a_nuisance_changes_the_whole_picture_the_same_way_each_time(name):
    image, found = edited(name)
    assert (found.shape, found.dtype) == (image.shape, np.uint8)
    assert (found != image).any(axis=2).mean() > 0.5
    assert np.array_equal(found, edited(name)[1])
    assert np.array_equal(found, edited(name, seed=4)[1]) == (name != "noise")


def test_every_entry_point_builds_its_own_nuisance():
    built = [value for value in vars(nuisances).values() if isinstance(value, partial)]
    assert [method().card.name for method in built] == [f"{name}-identity" for name in NUISANCES]
    for name in NUISANCES:
        card = get_method(f"{name}-identity").card
        assert (card.name, card.reference, card.mask_used) == (f"{name}-identity", True, False)


def stored(suite: str, name: str) -> Results:
    return load_run(BOARDS / f"{suite}--rses-mini" / f"{name}-identity")


@pytest.mark.parametrize(("suite", "name"), itertools.product(SUITES, NUISANCES))
def test_p11_nuisances_score_near_0(suite, name):
    assert abs(stored(suite, name).summary["metrics"]["rses_p"]["mean"]) <= FLOOR


@pytest.mark.parametrize("suite", SUITES)
def test_boards_hold_what_the_present_weights_give(suite):
    scorer = RSES("rses-mini", device="cpu", metrics=["rses_p"])
    sample = load_suite(suite).samples[-1]
    image = read_image(sample.image)
    for name in NUISANCES:
        run = stored(suite, name)
        assert [one.id for one in run.samples if one.status == "ok"] == sorted(
            one.id for one in load_suite(suite).samples
        )
        before = next(one.rses_p for one in run.samples if one.id == sample.id)
        edit = NUISANCES[name](image, sample_seed(0, sample.id))
        again = scorer.score(edit, image, sample.mask, sample.style).rses_p
        assert again == pytest.approx(before, abs=1e-4)

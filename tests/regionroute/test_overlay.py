"""Pictures of attention: the colour stands where the attention is."""

from __future__ import annotations

import numpy as np

from baselines.sheets import contact_sheet
from regionroute.overlay import heat_overlay


def test_the_hottest_cell_is_coloured_and_the_rest_is_grey():
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    heat = np.zeros((4, 6), np.float32)
    heat[1, 4] = 3e-4  # its scale must not matter
    shown = heat_overlay(image, heat).astype(int)
    assert shown.shape == image.shape
    colour = np.ptp(shown, axis=-1)
    rows, columns = np.nonzero(colour > 0.5 * colour.max())
    assert 16 <= rows.mean() <= 32
    assert 64 <= columns.mean() <= 80
    assert colour[:, :32].max() == 0
    assert np.array_equal(heat_overlay(image, 1000 * heat), shown)


def test_pictures_keep_their_places_on_a_sheet():
    pictures = [np.full((8, 6, 3), value, np.uint8) for value in (10, 20, 30, 40)]
    sheet = contact_sheet([pictures[:2], pictures[2:]], gap=2)
    assert sheet.shape == (22, 18, 3)
    assert [int(sheet[r, c, 0]) for r in (3, 13) for c in (3, 11)] == [10, 20, 30, 40]
    assert (sheet[:2] == 255).all()

"""Procedural scenes: exact masks, tags that can be asked for, and pixels that depend on the arguments alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from benchmark_data.scenes import BACKDROPS, CLASSES, COLOURS, KINDS, TAGS, make_scene
from benchmark_data.scenes.catalogue import HABITATS
from benchmark_data.scenes.pen import Pen
from benchmark_data.scenes.tags import object_tags


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_target_has_the_tag_that_was_asked_for(kind, seed):
    tags = make_scene(seed, kind=kind).tags
    assert tags == () if kind == "plain" else kind in tags


@pytest.mark.parametrize("name", BACKDROPS)
def test_every_backdrop_has_structure_and_full_range(name):
    image = make_scene(2, backdrop=name, n_objects=1).image
    assert image.dtype == np.uint8
    assert image.shape == (128, 128, 3)
    assert image.std() > 8


@pytest.mark.parametrize("kind", KINDS)
def test_masks_are_shares_that_never_add_to_more_than_the_pixel(kind):
    scene = make_scene(21, kind=kind)
    masks = np.stack([thing.mask for thing in scene.objects])
    assert masks.dtype == np.float32
    assert masks.min() >= 0
    assert masks.sum(axis=0).max() <= 1 + 1e-5
    grey = ((masks > 0.05) & (masks < 0.95)).sum()
    assert 0 < grey < 0.6 * (masks > 0.05).sum()


@pytest.mark.parametrize("seed", range(5))
def test_recolouring_changes_pixels_only_where_the_mask_says(seed):
    scene = make_scene(seed, kind="occluded")
    colour = "blue" if scene.target.colour != "blue" else "red"
    other = make_scene(seed, kind="occluded", recolour={0: colour})
    changed = (scene.image != other.image).any(axis=2)
    assert not changed[scene.target.mask == 0].any()
    assert changed[scene.target.mask > 0.9].mean() > 0.5
    assert other.target.colour == colour
    for before, after in zip(scene.objects, other.objects, strict=True):
        np.testing.assert_array_equal(before.mask, after.mask)
    assert [thing.colour for thing in other.objects[1:]] == [thing.colour for thing in scene.objects[1:]]


@pytest.mark.parametrize("name", ["red", "blue", "green", "yellow"])
def test_colour_name_is_what_one_sees(name):
    scene = make_scene(8, target="balloon", kind="plain", recolour={0: name})
    seen = scene.image[scene.target.mask > 0.99].mean(axis=0) / 255
    distance = {other: np.linalg.norm(seen - COLOURS[other]) for other in ("red", "blue", "green", "yellow")}
    assert min(distance, key=distance.get) == name


def test_same_pixels_in_another_process():
    code = "from benchmark_data.scenes import make_scene; import hashlib\n"
    code += "print(hashlib.sha256(make_scene(5, kind='touching').image.tobytes()).hexdigest())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(make_scene(5, kind="touching").image.tobytes()).hexdigest()


def test_seeds_differ_and_global_state_does_not_matter():
    np.random.seed(0)  # noqa: NPY002 - the point is that it has no effect
    first = make_scene(30).image
    np.random.seed(1)  # noqa: NPY002
    np.testing.assert_array_equal(make_scene(30).image, first)
    assert (make_scene(31).image != first).mean() > 0.5


def test_drawn_disc_has_the_area_and_centre_of_a_disc():
    pen = Pen(20.0, np.random.default_rng(0), supersample=4)
    pen.layer()
    pen.ellipse(0.2, -0.1, 0.7, 0.7, (1.0, 1.0, 1.0))
    alpha = pen.render()[..., 3]
    assert alpha.sum() == pytest.approx(np.pi * (0.7 * 20) ** 2, rel=0.02)
    row, column = ndimage.center_of_mass(alpha)
    middle = (pen.side - 1) / 2
    assert (row, column) == pytest.approx((middle - 2, middle + 4), abs=0.15)


def test_touching_border_reaches_it_and_others_do_not():
    def border(mask):
        return max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max())

    assert all(border(make_scene(seed, kind="touching_border").target.mask) > 0.5 for seed in range(4))
    assert all(border(make_scene(seed, kind="plain").target.mask) <= 0.5 for seed in range(4))


def test_multi_instance_labels_tell_the_instances_apart():
    scene = make_scene(6, kind="multi-instance")
    twins = [thing for thing in scene.objects if thing.name == scene.target.name]
    assert len(twins) == 2
    assert len({thing.label for thing in twins}) == 2
    assert scene.target.label == f"{scene.target.colour} {scene.target.name}"


def test_tags_of_hand_made_masks():
    back, front = np.zeros((40, 40)), np.zeros((40, 40))
    back[10:30, 10:30] = 1
    front[10:30, 26:36] = 1
    tags = object_tags([back - back * front, front], [back, front], ["cat", "cat"])
    assert tags[0] == ("touching", "multi-instance", "occluded")
    assert tags[1] == ("touching", "multi-instance")
    apart = np.zeros((40, 40))
    apart[0:4, 0:4] = 1
    assert object_tags([front, apart], [front, apart], ["cat", "dog"]) == [(), ("small", "touching_border")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "tiny"}, "expected one of plain"),
        ({"n_objects": 5}, "expected 1 to 4"),
        ({"n_objects": 1, "kind": "occluded"}, "at least two objects"),
        ({"target": "unicorn"}, "unknown object class: unicorn"),
        ({"classes": ["cat"], "n_objects": 2, "kind": "plain"}, "at least two classes"),
        ({"backdrop": "mars"}, "unknown backdrop"),
        ({"recolour": {0: "mauve"}}, "unknown colour"),
        ({"recolour": {9: "red"}}, "names object 9"),
        ({"recolour": {-1: "red"}}, "names object -1"),
        ({"size": 8}, "at least 48"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        make_scene(0, **arguments)


def test_catalogue_is_consistent():
    assert len(CLASSES) >= 14
    assert set(HABITATS) == set(BACKDROPS)
    assert {name for names in HABITATS.values() for name in names} == set(CLASSES)
    assert {colour for entry in CLASSES.values() for colour in entry.colours} <= set(COLOURS)
    assert set(KINDS) - {"plain"} == set(TAGS)

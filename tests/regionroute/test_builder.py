"""Building pairs: exact outside the mask, resumable, and nothing written for bad input."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from baselines.classical import stylize
from baselines.reference import OraclePaste
from regionroute.data import build_pairs, builder, read_pairs
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.regions import dilate
from rses.images.tensors import write_png
from rses.suites import load_suite, write_manifest
from tests.helpers.refusals import refused

EXPERTS = ("pixel art", "cyberpunk", "expressionism", "line art")


@pytest.fixture
def suite(tmp_path):
    """Three samples of two pictures, and a function that changes rows or files and makes the suite sound again."""
    root = tmp_path / "suite"
    rows = []
    for name, style in (("cat", "pixel art"), ("dog", "line art")):
        picture = np.kron(np.random.default_rng(len(rows)).integers(0, 256, (6, 8, 3), dtype=np.uint8),
                          np.ones((4, 4, 1), np.uint8))  # fmt: skip
        mask = np.zeros((24, 32), bool)
        mask[6:18, 8:24] = True
        write_png(root / f"images/{name}.png", picture)
        write_png(root / f"masks/{name}.png", mask)
        rows.append(_row(name, name, style))
    rows.append(_row("dog-again", "dog", "cyberpunk"))

    def change(edit=None):
        if edit is not None:
            edit(rows)
        (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        write_manifest(root, "tiny", "1", "CC0-1.0")
        return root

    change()
    return root, change


def _row(identity, name, style):
    return {
        "id": identity, "file_name": f"images/{name}.png", "mask_file_name": f"masks/{name}.png", "object": name,
        "style": style, "prompt": f"turn the {name} into {style}", "dataset": "test", "tags": ["small"],
    }  # fmt: skip


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Recorder:
    """A method that inverts, and remembers what it was asked."""

    def __init__(self):
        self.card = OraclePaste.card
        self.seen, self.loads = [], []

    def load(self, device, dtype):
        self.loads.append((device, dtype))

    def edit(self, batch):
        self.seen += batch
        return [255 - sample.image for sample in batch]


@pytest.mark.parametrize("feather", [0, 3])
def test_targets_are_the_style_inside_and_the_source_outside(suite, tmp_path, feather):
    root, _ = suite
    assert build_pairs(root, tmp_path / "out", feather=feather) == 3
    pairs = read_pairs(tmp_path / "out")
    assert [(pair.id, pair.style, pair.prompt) for pair in pairs] == [
        (sample.id, sample.style, sample.prompt) for sample in load_suite(root).samples
    ]
    for pair, sample in zip(pairs, load_suite(root).samples, strict=True):
        source, target, mask = read_image(pair.source), read_image(pair.target), read_mask(pair.mask)
        np.testing.assert_array_equal(source, read_image(sample.image))
        np.testing.assert_array_equal(mask, read_mask(sample.mask))
        outside = ~dilate(torch.from_numpy(mask), feather).numpy()
        inside = ~dilate(torch.from_numpy(~mask), feather).numpy()
        np.testing.assert_array_equal(target[outside], source[outside])
        np.testing.assert_array_equal(target[inside], stylize(source, pair.style, seed=0)[inside])
        assert bool((target[mask] != source[mask]).any())


def test_one_style_for_all_drops_copies_and_writes_the_prompt(suite, tmp_path):
    root, _ = suite
    assert build_pairs(root, tmp_path / "out", style="Cyber-Punk") == 2
    pairs = read_pairs(tmp_path / "out", "cyberpunk")
    assert [pair.id for pair in pairs] == ["cat", "dog"]
    assert pairs[0].prompt == "make the cat in cyberpunk style, keep other area unchanged"


def test_all_styles(suite, tmp_path):
    root, _ = suite
    assert build_pairs(root, tmp_path / "out", style="all", limit=1) == 4
    pairs = read_pairs(tmp_path / "out")
    assert [pair.style for pair in pairs] == list(EXPERTS)
    assert [pair.id for pair in pairs] == ["cat-pixel-art", "cat-cyberpunk", "cat-expressionism", "cat-line-art"]
    assert len({pair.target.read_bytes() for pair in pairs}) == 4


def test_seeds(suite, tmp_path):
    root, _ = suite
    for name, options in {
        "a": {},
        "b": {"seed": 5},
        "c": {"style_seed": 1},
        "d": {"style_seed": None},
        "e": {"style_seed": None, "seed": 5},
    }.items():
        build_pairs(root, tmp_path / name, style="cyberpunk", **options)
    targets = {name: (tmp_path / name / "targets/cat.png").read_bytes() for name in "abcde"}
    assert targets["a"] == targets["b"]
    assert len({targets[name] for name in "acde"}) == 4


def test_a_method_is_asked_for_the_whole_picture(suite, tmp_path, monkeypatch):
    root, _ = suite
    method = Recorder()
    monkeypatch.setattr(builder, "get_method", lambda name: method)
    build_pairs(root, tmp_path / "out", style="line art", stylist="recorder", device="cpu", limit=1)
    assert method.loads == [("cpu", "float32")]
    (asked,) = method.seen
    assert asked.prompt == "make the image in line art style"
    assert asked.mask is not None
    assert bool(asked.mask.all())
    (pair,) = read_pairs(tmp_path / "out")
    source, mask = read_image(pair.source), read_mask(pair.mask)
    np.testing.assert_array_equal(read_image(pair.target), np.where(mask[..., None], 255 - source, source))


def test_an_installed_method_as_stylist(suite, tmp_path):
    root, _ = suite
    build_pairs(root, tmp_path / "a", stylist="global-style", style_seed=0)
    build_pairs(root, tmp_path / "b", stylist="classical", style_seed=0)
    assert (tmp_path / "a/targets/cat.png").read_bytes() == (tmp_path / "b/targets/cat.png").read_bytes()
    assert json.loads((tmp_path / "a/pairs.json").read_text())["stylist"]["reference"] is True


def test_a_method_that_returns_another_size(suite, tmp_path, monkeypatch):
    root, _ = suite
    method = Recorder()
    method.edit = lambda batch: [batch[0].image[::2]]
    monkeypatch.setattr(builder, "get_method", lambda name: method)
    with refused(RsesError, "wrong-result"):
        build_pairs(root, tmp_path / "out", stylist="recorder")
    assert not (tmp_path / "out/metadata.jsonl").exists()


def test_stopped_work_goes_on_and_ends_the_same(suite, tmp_path, monkeypatch):
    root, _ = suite
    build_pairs(root, tmp_path / "whole")
    out, made = tmp_path / "out", []

    def stop(done, total):
        made.append((done, total))
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_pairs(root, out, progress=stop)
    assert not (out / "metadata.jsonl").exists()
    with refused(InputError, "missing-file", "out"):
        read_pairs(out)
    # A kill within a pair: its target is missing.
    (out / "images/dog.png").write_bytes((out / "images/cat.png").read_bytes())
    (out / "targets/.dog.png.0.tmp").write_bytes(b"half")
    kept = (out / "targets/cat.png").stat().st_mtime_ns
    build_pairs(root, out, progress=stop)
    assert made == [(1, 3), (2, 3), (3, 3)]
    assert (out / "targets/cat.png").stat().st_mtime_ns == kept
    (out / "targets/.dog.png.0.tmp").unlink()
    assert contents(out) == contents(tmp_path / "whole")


def test_a_finished_folder_loads_no_weights_and_may_grow(suite, tmp_path, monkeypatch):
    root, _ = suite
    out, method = tmp_path / "out", Recorder()
    monkeypatch.setattr(builder, "get_method", lambda name: method)
    assert build_pairs(root, out, stylist="m", limit=1) == 1
    assert build_pairs(root, out, stylist="m", limit=1) == 1
    assert len(method.loads) == 1
    assert build_pairs(root, out, stylist="m") == 3
    assert [sample.id for sample in method.seen] == ["cat", "dog", "dog-again"]
    assert len(read_pairs(out)) == 3
    before = contents(out)
    with refused(InputError, "unknown-file", "out"):
        build_pairs(root, out, stylist="m", limit=1)
    assert contents(out) == before


@pytest.mark.parametrize(
    ("options", "key"),
    [({"feather": 2}, "feather"), ({"style": "line art"}, "style"), ({"style_seed": 3}, "style_seed"),
     ({"stylist": "global-style"}, "stylist"), ({"suite": "mini"}, "suite")],
)  # fmt: skip
def test_other_settings_are_refused(suite, tmp_path, options, key):
    root, _ = suite
    out = tmp_path / "out"
    build_pairs(root, out, limit=1)
    before = contents(out)
    with refused(InputError, "other-run", key):
        build_pairs(options.pop("suite", root), out, limit=1, **options)
    assert contents(out) == before


def test_folders_in_use_are_left_alone(suite, tmp_path):
    root, _ = suite
    before = contents(root)
    with refused(InputError, "overlap", "suite"):
        build_pairs(root, root)
    assert contents(root) == before
    (tmp_path / "file").touch()
    with refused(InputError, "not-a-folder", "file"):
        build_pairs(root, tmp_path / "file")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/pairs.json").write_text("{")
    with refused(InputError, "unreadable", "pairs.json"):
        build_pairs(root, tmp_path / "broken")


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda rows: rows[0].update(style="watercolor"), "unknown-name"),
        (lambda rows: rows[0].update(prompt="make it nice"), "unknown-name"),
        (lambda rows: rows[0].update(prompt="turn it into line art"), "contradiction"),
        (lambda rows: rows[0].update(prompt="turn line art into pixel art"), "ambiguous"),
        (lambda rows: rows[0].update(id="dog"), "used-twice"),
    ],
)
def test_bad_rows_write_nothing(suite, tmp_path, edit, code):
    _, change = suite
    with refused(InputError, code):
        build_pairs(change(edit), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_files_write_nothing_and_are_listed_at_once(suite, tmp_path):
    root, change = suite
    write_png(root / "masks/cat.png", np.zeros((24, 32), bool))
    write_png(root / "masks/dog.png", np.ones((24, 30), bool))
    with pytest.raises(InputError) as raised:
        build_pairs(change(), tmp_path / "out")
    assert "cat: " in raised.value.problems[0]
    assert "is empty" in raised.value.problems[0]
    assert "30x24, but dog.png is 32x24" in raised.value.problems[1]
    (root / "images/cat.png").write_bytes(b"broken")
    with refused(InputError, "wrong-content"):
        build_pairs(change(), tmp_path / "out")
    shutil.rmtree(root / "images")
    with refused(InputError, "missing-file"):
        build_pairs(root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "code", "place"),
    [
        ({"style": "watercolor"}, "unknown-name", None), ({"stylist": "clasical"}, "unknown-name", None),
        ({"feather": -1}, "out-of-range", "--feather"), ({"feather": float("nan")}, "out-of-range", "--feather"),
        ({"limit": 0}, "out-of-range", "--limit"), ({"seed": -1}, "out-of-range", "--seed"),
    ],
)  # fmt: skip
def test_bad_options_write_nothing(suite, tmp_path, options, code, place):
    root, _ = suite
    with refused(RsesError, code, place):
        build_pairs(root, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_the_card_says_how_it_was_made(suite, tmp_path):
    root, _ = suite
    build_pairs(root, tmp_path / "out", feather=2.5)
    card = (tmp_path / "out/README.md").read_text("utf-8")
    for words in ("3 pairs", "tiny 1", '"classical"', "2.5 pixels", "CC0-1.0", load_suite(root).sha256, "pixel art: 1"):
        assert words in card

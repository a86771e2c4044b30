"""PIE-Bench and BrushBench: their masks against plain loops, the suites made of them, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.suites import load_suite, verify_suite
from rses.suites.build import build_prompted
from rses.suites.readers import BrushReader, PieReader
from rses.suites.shapes import unfold_starts
from tests.helpers import layouts
from tests.helpers.refusals import refused


def plain_loop(code: list[int], width: int, height: int, base: int) -> np.ndarray:
    """The meaning of the coding, pixel by pixel."""
    mask = np.zeros((height, width), bool)
    for start, length in zip(code[::2], code[1::2], strict=True):
        for place in range(start - base, start - base + length):
            mask[place // width, place % width] = True
    return mask


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 1), st.data())
def test_coding_is_read_as_a_plain_loop_reads_it(width: int, height: int, base: int, data: st.DataObject) -> None:
    code: list[int] = []
    for _ in range(data.draw(st.integers(0, 4))):  # runs may overlap and come in any order
        start = data.draw(st.integers(0, width * height - 1))
        code += [start + base, data.draw(st.integers(0, width * height - start))]
    np.testing.assert_array_equal(unfold_starts(code, width, height, base), plain_loop(code, width, height, base))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1), st.data())
def test_coding_of_a_mask_round_trips(width: int, height: int, base: int, data: st.DataObject) -> None:
    flat = data.draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    mask = np.array(flat).reshape(height, width)
    np.testing.assert_array_equal(unfold_starts(layouts.pairs(mask, base), width, height, base), mask)
    texts = [str(number) for number in layouts.pairs(mask, base)]
    np.testing.assert_array_equal(unfold_starts(texts, width, height, base), mask)


@pytest.mark.parametrize(
    ("code", "base", "message"),
    [
        ([0, 2, 5], 0, "in pairs, found 3 numbers"),
        ([6, 1], 0, "outside the 6 pixels, the first begins at 6"),
        ([5, 2], 0, "is 2 long"),
        ([0, 1], 1, "pixels count from 1"),
        ([-1, 1], 0, "outside"),
        ([2, -1], 0, "outside"),
        ([0.5, 1], 0, "whole numbers, found 0.5"),
        ([True, 1], 0, "whole numbers"),
        (["a", 1], 0, "whole numbers"),
        ([1 << 80, 1], 0, "no image has pixels"),
        ("0 1", 0, "expected a list"),
        (None, 0, "expected a list"),
    ],
)
def test_unsound_codings(code: object, base: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unfold_starts(code, 3, 2, base)


def test_runs_past_the_end_are_cut_on_request() -> None:
    assert unfold_starts([4, 9], 3, 2, 0, cut=True).ravel().tolist() == [False] * 4 + [True] * 2
    with pytest.raises(ValueError, match="outside"):
        unfold_starts([6, 9], 3, 2, 0, cut=True)


def test_pie_suite(tmp_path: Path) -> None:
    layouts.pie(tmp_path / "pie")
    out = tmp_path / "suite"
    assert main(["suites", "build", "pie", "--root", str(tmp_path / "pie"), "--out", str(out)]) == 0
    suite = verify_suite(out)
    assert sorted(sample.id for sample in suite.samples) == [f"{k:012d}" for k in range(4)]
    for sample in suite.samples:
        k = int(sample.id)
        mask = np.asarray(Image.open(sample.mask))
        assert mask.max() == 255  # where the data set's script has 1
        np.testing.assert_array_equal(mask > 0, layouts.corner(k))
        assert (sample.object, sample.style, sample.prompt) == (
            "bicycle",
            "rusty",
            "a slanted rusty bicycle on the road",
        )
        expected = ("random",) if k % 2 == 0 else ("change_style", "artificial", "human")
        assert sample.tags == expected
        name = "0_random_140" if k % 2 == 0 else "9_change_style_80/1_artificial/2_human"
        assert sample.image.read_bytes() == (tmp_path / f"pie/annotation_images/{name}/{k:012d}.png").read_bytes()
    row = json.loads((out / "metadata.jsonl").read_text().splitlines()[0])
    assert row["instruction"] == "Make the frame rusty"
    assert row["source_prompt"] == "a slanted bicycle on the road"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    content = layouts.brushbench(tmp_path, 1)
    (tmp_path / "mapping_file.json").write_bytes(json.dumps(content).encode(encoding))
    assert BrushReader(tmp_path).keys() == ["0"]


def test_pie_as_published_marks_the_outermost_ring(tmp_path: Path) -> None:
    content = layouts.pie(tmp_path)
    content["000000000000"]["mask"] = []
    content["000000000001"]["mask"] = [512 * 512 - 2, 100]
    layouts.write_mapping(tmp_path, content)
    strict = PieReader(tmp_path)
    assert [entry.name for entry in strict.left_out] == ['entry "000000000000"', 'entry "000000000001"']
    assert "marks no pixel" in strict.left_out[0].detail
    assert strict.keys() == ["000000000002", "000000000003"]
    reader = PieReader(tmp_path, as_published=True)
    for key in content:
        mask = reader.mask(key)
        assert mask[0].all()
        assert mask[-1].all()
        assert mask[:, 0].all()
        assert mask[:, -1].all()
        inner = layouts.corner(int(key)) if int(key) > 1 else np.zeros((512, 512), bool)
        np.testing.assert_array_equal(mask[1:-1, 1:-1], inner[1:-1, 1:-1])


def test_region_of_the_whole_picture_is_left_out_unless_as_published(tmp_path: Path) -> None:
    content = layouts.pie(tmp_path / "pie")
    content["000000000001"]["mask"] = [0, 512 * 512]
    layouts.write_mapping(tmp_path / "pie", content)
    said: list[str] = []
    suite = build_prompted(PieReader(tmp_path / "pie"), tmp_path / "a", warn=said.append)
    assert {sample.id for sample in suite.samples} == set(content) - {"000000000001"}
    assert said[0].startswith("Left out, regions that cover the whole photograph (1): 000000000001.png")
    assert len(build_prompted(PieReader(tmp_path / "pie", as_published=True), tmp_path / "b")) == 4


def test_pie_types_and_instructions(tmp_path: Path) -> None:
    layouts.pie(tmp_path)
    reader = PieReader(tmp_path, types=frozenset({"9"}), instructions=True)
    suite = build_prompted(reader, tmp_path / "suite")
    assert {sample.prompt for sample in suite.samples} == {"Make the frame rusty"}
    assert len(suite) == 2
    with refused(InputError, "unknown-value"):
        PieReader(tmp_path, types=frozenset({"x"}))
    with refused(InputError, "empty"):
        build_prompted(PieReader(tmp_path, types=frozenset({"3"})), tmp_path / "none")


def test_brushbench_suite_counts_from_one(tmp_path: Path) -> None:
    layouts.brushbench(tmp_path / "brush")
    for key, inside in (("inpainting_mask", True), ("outpainting_mask", False)):
        out = tmp_path / key
        arguments = ["suites", "build", "brushbench", "--root", str(tmp_path / "brush"), "--out", str(out)]
        assert main([*arguments, "--mask-key", key]) == 0
        for sample in load_suite(out).samples:
            mask = np.asarray(Image.open(sample.mask))
            np.testing.assert_array_equal(mask == 255, layouts.corner(int(sample.id)) == inside)
            assert sample.prompt == sample.style == f"a hat, number {sample.id}"
            assert sample.tags == (key,)


def test_smaller_suite_is_a_prefix(tmp_path: Path) -> None:
    layouts.brushbench(tmp_path / "brush", 9)
    reader = BrushReader(tmp_path / "brush")
    small = build_prompted(reader, tmp_path / "a", n=4)
    large = build_prompted(reader, tmp_path / "b")
    assert [s.id for s in small.samples] == [s.id for s in large.samples][:4]
    for n in (0, 10):
        with refused(InputError, "out-of-range", "--n"):
            build_prompted(reader, tmp_path / "c", n=n)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(image="../../x.png"), "image ../../x.png"),
        (lambda e: e.update(image="/etc/passwd"), "image /etc/passwd"),
        (lambda e: e.update(image="images/none.png"), "image images/none.png"),
        (lambda e: e.update(image=3), "non-empty text"),
        (lambda e: e.update(caption=None), "caption must be a text"),
        (lambda e: e.update(caption=" "), "caption is empty"),
        (lambda e: e.pop("inpainting_mask"), "has no inpainting_mask"),
        (lambda e: e.update(inpainting_mask=[1, 2, 3]), "in pairs"),
        (lambda e: e.update(inpainting_mask=[0, 2]), "outside"),
        (lambda e: e.update(inpainting_mask=[512 * 512, 2]), "outside"),
        (lambda e: e.update(inpainting_mask=[1, 0]), "marks no pixel"),
    ],
)
def test_bad_entries_are_listed(tmp_path: Path, change: Callable[[dict], object], message: str) -> None:
    content = layouts.brushbench(tmp_path)
    change(content["0"])
    change(content["2"])
    layouts.write_mapping(tmp_path, content)
    reader = BrushReader(tmp_path)
    assert [entry.name for entry in reader.left_out] == ['entry "0"', 'entry "2"']
    assert all(message in entry.detail for entry in reader.left_out)
    assert reader.keys() == ["1"]


def test_bad_mapping_files(tmp_path: Path) -> None:
    with refused(InputError, "unreadable", "mapping_file.json"):
        PieReader(tmp_path)
    twice = '{"a": {}, "a": {}}'  # one of both entries would be lost
    for text, code in (("[1]", "wrong-content"), ("{}", "wrong-content"), ("{", "not-json"), (twice, "not-json")):
        (tmp_path / "mapping_file.json").write_text(text)
        with refused(InputError, code, "mapping_file.json"):
            BrushReader(tmp_path)
    layouts.write_mapping(tmp_path, {"../x": {}, "ok": 3})
    with pytest.raises(InputError) as caught:
        BrushReader(tmp_path)
    (problem,) = caught.value.problems
    assert 'entry "../x": its key contains "/"' in problem
    assert 'entry "ok": expected an object, found int' in problem


def test_picture_of_another_size_and_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts.brushbench(tmp_path / "brush")
    layouts.flat_photograph(tmp_path / "brush/images/1.png", side=256)
    (tmp_path / "brush/images/2.png").write_bytes(b"none")
    (tmp_path / "brush/images/0.png").rename(tmp_path / "elsewhere.png")
    (tmp_path / "brush/images/0.png").symlink_to(tmp_path / "elsewhere.png")
    arguments = ["suites", "build", "brushbench", "--root", str(tmp_path / "brush"), "--out", str(tmp_path / "s")]
    assert main([*arguments, "--n", "3"]) == 2
    assert "1 entries can be used, --n asks for 3" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
    assert main(arguments) == 0
    said = capsys.readouterr().err
    assert "1.png is 256x256, its annotation or mask is for 512x512" in said
    assert "2.png is not an image" in said
    (sample,) = load_suite(tmp_path / "s").samples
    assert sample.image.read_bytes() == (tmp_path / "elsewhere.png").read_bytes()
    assert not sample.image.is_symlink()


@pytest.mark.parametrize("dataset", ["pie", "brushbench"])
def test_legacy_protocols_on_their_own_data(dataset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the mapping file to the published score, against the scores' own definition."""
    content = getattr(layouts, dataset)(tmp_path / "in", 2)
    out = tmp_path / "suite"
    assert main(["suites", "build", dataset, "--root", str(tmp_path / "in"), "--out", str(out)]) == 0
    expected = []
    for seed, sample in enumerate(load_suite(out).samples):
        edit = np.random.default_rng(seed).integers(0, 255, (512, 512, 3), dtype=np.uint8)
        (tmp_path / "pred").mkdir(exist_ok=True)
        Image.fromarray(edit).save(tmp_path / "pred" / f"{sample.id}.png")
        entry = content[sample.id]
        edited = plain_loop(entry["mask" if dataset == "pie" else "inpainting_mask"], 512, 512, dataset != "pie")
        if dataset == "pie":
            edited[[0, -1]] = True
            edited[:, [0, -1]] = True
        source = np.asarray(Image.open(sample.image), dtype=np.float64)
        squares = ((source - edit) / 255 * ~edited[..., None]) ** 2
        expected.append(squares.mean() if dataset == "pie" else squares.sum() / (~edited).sum())
    capsys.readouterr()
    protocol = {"pie": "pie-bench"}.get(dataset, dataset)
    arguments = ["score", "--pred", str(tmp_path / "pred"), "--suite", str(out), "--protocol", protocol]
    assert main([*arguments, "--metrics", "mse_bg", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["mse_bg"]["mean"] == pytest.approx(np.mean(expected), 1e-5)

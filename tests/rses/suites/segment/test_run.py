"""Runs: what is written, what is kept, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from rses.errors import InputError
from rses.images.masks import read_mask
from rses.suites.segment import Facts, Job, Prompt, Segmented, make_masks
from rses.suites.segment.base import LEARNED
from rses.suites.segment.run import JOURNAL
from tests.helpers.refusals import refused

BOX = Prompt(box=(5, 4, 17, 14))


class Fake:
    """Fills the box; fails, finds nothing, or stops where it is told to, by the first pixel of the picture."""

    def __init__(self, sha="0" * 64, fails=(), empty=(), stops=()):
        self.facts = Facts("fake", LEARNED, "fake.pth", sha)
        self.fails, self.empty, self.stops = fails, empty, stops
        self.batches: list[list[int]] = []

    def segment(self, images, prompts):
        numbers = [int(image[0, 0, 0]) for image in images]
        self.batches.append(numbers)
        if any(number in self.stops for number in numbers):
            raise KeyboardInterrupt
        if any(number in self.fails for number in numbers):
            raise ValueError("cannot")
        return [self._fill(*pair) for pair in zip(images, prompts, strict=True)]

    def _fill(self, image, prompt):
        mask = np.zeros(image.shape[:2], bool)
        x0, y0, x1, y1 = map(int, prompt.box)
        mask[y0:y1, x0:x1] = int(image[0, 0, 0]) not in self.empty
        return Segmented(mask, 0.75)


@pytest.fixture
def jobs(photographs):
    return [Job(name, photographs / f"{name}.png", BOX) for name in "abc"]


def _records(out):
    lines = [json.loads(line) for line in (out / JOURNAL).read_text().splitlines()]
    return lines[0], {line["id"]: line for line in lines[1:]}


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def test_masks_and_journal(jobs, tmp_path):
    out, seen = tmp_path / "out", []
    run = make_masks(jobs, out, Fake(), progress=lambda *state: seen.append(state))
    assert run.failures == {}
    assert seen == [(1, 3), (2, 3), (3, 3)]
    truth = np.zeros((20, 30), bool)
    truth[4:14, 5:17] = True
    for name in "abc":
        with Image.open(out / f"{name}.png") as picture:
            assert picture.mode == "L"
            assert "fake.pth" in picture.text["Software"]
            np.testing.assert_array_equal(np.asarray(picture), truth * np.uint8(255))
        np.testing.assert_array_equal(read_mask(out / f"{name}.png"), truth)
    header, records = _records(out)
    assert header["settings"]["weights_sha256"] == "0" * 64
    record = records["b"]
    assert (record["segmenter"], record["kind"], record["weights_sha256"]) == ("fake", "learned", "0" * 64)
    assert (record["score"], record["area"], record["share"]) == (0.75, 120, 0.2)
    assert record["prompt"] == {"box": [5, 4, 17, 14]}
    assert sorted(path.name for path in out.iterdir()) == [".lock", "a.png", "b.png", "c.png", JOURNAL]


def test_failures_are_recorded_and_the_run_goes_on(jobs, tmp_path):
    out = tmp_path / "out"
    run = make_masks(jobs, out, Fake(fails=(0,), empty=(1,)), batch_size=3)
    assert run.failures["a"] == "ValueError: cannot"
    assert "mask is empty" in run.failures["b"]
    assert sorted(path.name for path in out.glob("*.png")) == ["c.png"]
    again = Fake()
    assert set(make_masks(jobs, out, again).failures) == {"a", "b"}
    assert again.batches == []
    assert make_masks(jobs, out, again, retry_failed=True).failures == {}
    assert again.batches == [[0], [1]]
    assert _records(out)[1]["a"]["status"] == "done"


def test_unreadable_pixels_fail_alone(jobs, tmp_path):
    pixels = np.zeros((20, 30, 4), np.uint8)
    Image.fromarray(pixels).save(jobs[1].path)
    run = make_masks(jobs, tmp_path / "out", Fake(), batch_size=3)
    assert list(run.failures) == ["b"]
    assert "transparent" in run.failures["b"]


def test_masks_of_a_wrong_size_fail(jobs, tmp_path):
    fake = Fake()
    fake._fill = lambda image, prompt: Segmented(np.ones((3, 3), bool))
    run = make_masks(jobs, tmp_path / "out", fake)
    assert "(3, 3)" in run.failures["a"]


def test_a_stopped_run_goes_on_with_the_same_batches(jobs, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        make_masks(jobs, out, Fake(stops=(2,)), batch_size=2)
    assert sorted(path.name for path in out.glob("*.png")) == ["a.png", "b.png"]
    # As if killed between the mask and its line, and within the next line.
    lines = (out / JOURNAL).read_bytes().splitlines(keepends=True)
    (out / JOURNAL).write_bytes(lines[0] + lines[1] + lines[2][:20])
    fake = Fake()
    make_masks(jobs, out, fake, batch_size=2)
    assert fake.batches == [[0, 1], [2]]
    assert {key: record["status"] for key, record in _records(out)[1].items()} == dict.fromkeys("abc", "done")


def test_deleted_masks_are_made_again_and_replaced_ones_kept(jobs, tmp_path):
    out = tmp_path / "out"
    make_masks(jobs, out, Fake())
    (out / "a.png").unlink()
    own = np.full((20, 30), 255, np.uint8)
    Image.fromarray(own).save(out / "b.png")
    make_masks(jobs, out, Fake())
    assert read_mask(out / "a.png").sum() == 120
    assert read_mask(out / "b.png").all()


def test_other_settings_prompts_and_photographs_are_refused(jobs, tmp_path):
    out = tmp_path / "out"
    make_masks(jobs, out, Fake())
    before = _contents(out)
    with pytest.raises(InputError, match=r"different: weights_sha256\b"):
        make_masks(jobs, out, Fake(sha="1" * 64))
    moved = [Job(job.key, job.path, Prompt(box=(0, 0, 9, 9))) for job in jobs]
    with pytest.raises(InputError) as caught:
        make_masks(moved, out, Fake())
    assert len(caught.value.problems) == 3
    Image.new("RGB", (30, 20)).save(jobs[0].path)
    with refused(InputError, "changed-file"):
        make_masks(jobs, out, Fake())
    assert _contents(out) == before


def test_fresh_forgets_what_the_journal_names_only(jobs, tmp_path):
    out = tmp_path / "out"
    make_masks(jobs, out, Fake())
    (out / "mine.png").write_bytes(b"x")
    with (out / JOURNAL).open("a") as stream:
        stream.write('{"key": "../images/a"}\n[1]\n')
    make_masks(jobs[:1], out, Fake(sha="1" * 64), fresh=True)
    assert sorted(path.name for path in out.glob("*.png")) == ["a.png", "mine.png"]
    assert jobs[0].path.is_file()
    assert list(_records(out)[1]) == ["a"]


def test_folders_in_use_are_refused(jobs, photographs, tmp_path):
    before = _contents(photographs)
    with refused(InputError, "not-empty", "images"):
        make_masks(jobs, photographs, Fake())
    assert _contents(photographs) == before
    (tmp_path / "file").write_text("x")
    with refused(InputError, "not-a-folder", "file"):
        make_masks(jobs, tmp_path / "file", Fake())


def test_one_process_at_a_time(jobs, tmp_path):
    from rses.files.lock import exclusive

    with exclusive(tmp_path / "out"), refused(InputError, "in-use", "out") as caught:
        make_masks(jobs, tmp_path / "out", Fake())
    assert "shard" not in str(caught.value)

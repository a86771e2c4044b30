"""What is wrong is found before the run, and a run that came to nothing does not block the next try."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from baselines.reference import Identity
from rses.bench import run_bench
from rses.bench.plan import fixed_batches
from rses.bench.predictions import Predictions
from rses.cli.main import main
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.inputs.card import card_problems
from rses.methods import MethodCard
from rses.suites import load_suite
from tests.helpers.refusals import refused

COMMON = ["bench", "--suite", "mini", "--protocol", "rses-mini", "--device", "cpu", "--limit", "2", "--format", "json"]


@pytest.fixture
def edits(tmp_path):
    for sample in load_suite("mini").samples[:2]:
        write_png(tmp_path / "edits" / f"{sample.id}.png", read_image(sample.image))
    return tmp_path / "edits"


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_failed_bench_of_predictions_does_not_block_the_retry(tmp_path, edits, capsys):
    words = [*COMMON, "--predictions", str(edits), "--out", str(tmp_path / "deep" / "run")]
    good = {path: path.read_bytes() for path in edits.iterdir()}
    for path in edits.iterdir():
        path.write_bytes(b"no picture")
    assert main(words) == 2
    assert "edited none of 2 samples" in capsys.readouterr().err
    assert not (tmp_path / "deep").exists()
    for path, content in good.items():
        path.write_bytes(content)
    assert main(words) == 0


@pytest.mark.parametrize(
    "card",
    [
        '{"name": 5}',
        '{"nme": "x"}',
        "[]",
        "null",
        "[" * 5000,
        '{"name": "a", "name": "b"}',
        '{"year": "2026"}',
        '{"name": "' + "x" * 200 + '"}',
        "{",
    ],
)
def test_faults_of_a_card_are_found_before_the_run(tmp_path, edits, card, capsys):
    """`leaderboard add` found them after the run."""
    (edits / "method.json").write_text(card)
    assert main([*COMMON, "--predictions", str(edits), "--out", str(tmp_path / "run")]) == 2
    message = capsys.readouterr().err
    assert "method.json" in message
    assert "NoneType" not in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"name": "x" * 101}, "unprintable"),
        ({"name": " "}, "unprintable"),
        ({"name": "a\nb"}, "unprintable"),
        ({"name": "a\u202eb"}, "unprintable"),
        ({"title": "x" * 2001}, "unprintable"),
        ({"paper": "red\x1b[31m"}, "unprintable"),
        ({"year": "2026"}, "wrong-type"),
        ({"year": True}, "wrong-type"),
        ({"year": -1}, "out-of-range"),
        ({"reference": 1}, "wrong-type"),
        ({"mask_used": "no"}, "wrong-type"),
        ({"memory_gb": float("inf")}, "not-finite"),
        ({"max_batch": 0}, "out-of-range"),
        ({"settings": []}, "wrong-type"),
        ({"settings": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}, }, "unsound-tree"),
        ({"settings": {"a": "x" * 3000}}, "unsound-tree"),
        ({"settings": {"x" * 300: 1}}, "unsound-tree"),
    ],
)  # fmt: skip
def test_a_card_is_judged_as_a_submissions_is(facts, code, tmp_path, scorer):
    (problem,) = card_problems({"name": "mine", **facts})
    assert (problem.code, problem.place.field) == (code, next(iter(facts)))
    method = Identity()
    method.card = dataclasses.replace(MethodCard("mine", "test"), **facts)
    with pytest.raises(InputError):
        run_bench(method, "mini", tmp_path / "run", scorer=scorer, limit=1)
    assert not (tmp_path / "run").exists()


def test_a_good_card_has_no_fault():
    assert (
        card_problems(
            MethodCard("mine", "One line", year=2026, settings={"steps": 28, "a": [1, {"b": None}]}).to_dict()
        )
        == []
    )
    assert card_problems({"name": "RegionRoute (r=4) \u65b9\u6cd5", "more": object()}) == []


def test_names_of_methods_are_checked_before_scoring(tmp_path, scorer):
    sample = load_suite("mini").samples[0]
    write_png(tmp_path / "pred" / f"{sample.id}.png", read_image(sample.image))
    for name in ("x" * 101, "a\nb", " "):
        with pytest.raises(InputError, match="--method-name"):
            scorer.score_folder(tmp_path / "pred", suite="mini", allow_missing=True, method=name, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Breaks(Identity):
    card = MethodCard("breaks", "test", mask_used=False)

    def __init__(self, where, error=KeyboardInterrupt):
        self.where, self.error, self.done = where, error, 0

    def load(self, device, dtype):
        if self.where == "load":
            raise self.error

    def edit(self, batch):
        self.done += 1
        if self.done > int(self.where):
            raise self.error
        return super().edit(batch)


@pytest.mark.parametrize(("where", "error"), [("load", OSError), ("load", KeyboardInterrupt), ("0", KeyboardInterrupt)])
def test_what_ends_before_the_first_edit_leaves_nothing(tmp_path, scorer, where, error):
    with pytest.raises((RsesError, KeyboardInterrupt)):
        run_bench(Breaks(where, error), "mini", tmp_path / "a" / "run", scorer=scorer, limit=2, batch_size=1)
    assert everything(tmp_path) == []
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "notes.txt").write_text("mine")
    with pytest.raises((RsesError, KeyboardInterrupt)):
        run_bench(Breaks(where, error), "mini", tmp_path / "kept", scorer=scorer, limit=2, batch_size=1)
    assert [name for name in everything(tmp_path / "kept") if name != ".lock"] == ["notes.txt"]


def test_what_ends_after_an_edit_keeps_it(tmp_path, scorer):
    with pytest.raises(KeyboardInterrupt):
        run_bench(Breaks("1"), "mini", tmp_path / "run", scorer=scorer, limit=2, batch_size=1)
    assert len(list((tmp_path / "run" / "images").iterdir())) == 1
    again = Breaks("5")
    run_bench(again, "mini", tmp_path / "run", scorer=scorer, limit=2, batch_size=1)
    assert again.done == 1


def test_settings_alone_are_no_run(tmp_path, scorer):
    """Killed after the first line of its journal, a run of other settings was blocked by nothing."""
    (tmp_path / "generation.jsonl").write_text('{"journal": 1, "settings": {"seed": 5}}\n')
    (tmp_path / "journal.jsonl").write_text('{"journal": 1}\n')
    assert len(run_bench("identity", "mini", tmp_path, scorer=scorer, limit=1).samples) == 1


def test_misnamed_edits_are_explained_before_the_run(tmp_path, edits, capsys):
    for path in edits.iterdir():
        path.rename(path.with_name(f"{path.stem}_edited.png"))
    assert main([*COMMON, "--predictions", str(edits), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "no edit of any of the 96 samples" in error
    assert 'Their names have "_edited" after the id' in error
    assert "and 86 more" in error
    assert not (tmp_path / "run").exists()


def test_a_part_of_a_suite_says_so_everywhere(tmp_path, capsys):
    words = [word if word != "json" else "table" for word in COMMON]
    assert main([*words, "--method", "identity", "--out", str(tmp_path / "run"), "--report"]) == 0
    shown = capsys.readouterr()
    assert "scored 2 of 96 (94 not run: a part of the suite)" in shown.out
    assert "2 of 96 samples (a part of the suite)" in shown.err
    found = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert found["coverage"] == {"n": 2, "N": 96, "statuses": {"ok": 2}}
    assert "2 of 96 samples of suite" in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_pictures_of_one_upright_size_are_edited_together(tmp_path):
    """A photograph on its side was put among those of its stored size, whose shape it does not have."""
    from PIL import Image

    tagged = Image.Exif()
    tagged[0x0112] = 6
    suite = load_suite("mini")
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / "side.jpg", exif=tagged)
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / "flat.jpg")
    samples = [
        dataclasses.replace(suite.samples[number], image=tmp_path / name)
        for number, name in enumerate(("side.jpg", "flat.jpg"))
    ]
    assert [len(batch) for batch in fixed_batches(samples, 8)] == [1, 1]


def test_several_files_of_one_edit_are_refused(edits):
    first = sorted(edits.iterdir())[0]
    first.with_suffix(".JPG").write_bytes(first.read_bytes())
    with refused(InputError, "ambiguous", "edits"):
        Predictions(edits)

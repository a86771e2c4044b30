"""The four questions: wording, answers against the model's own probabilities, journal, command line."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from rses import RSES
from rses.bench import run_bench
from rses.cli.main import main
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.runs.results import load_run
from rses.runs.sample_result import SampleResult
from rses.vlm import QUESTIONS, YesNoJudge, judge_run, open_questions, opposite_style, questions
from rses.vlm.questions import OPPOSITES
from tests.helpers.refusals import refused

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judge(tiny_judge):
    return YesNoJudge(str(tiny_judge), device="cpu")


@pytest.fixture
def run(tmp_path):
    run_bench("identity", "mini", tmp_path / "run", scorer=RSES("rses-mini", device="cpu", metrics=["mse_bg"]), limit=3)
    return tmp_path / "run"


def test_opposites_are_other_styles_and_questions_name_object_and_style():
    assert all(OPPOSITES[style] != style for style in OPPOSITES)
    asked = questions("cat", "pixel art", opposite_style("pixel art"))
    assert tuple(asked) == QUESTIONS
    assert all("cat" in text for text in asked.values())
    assert ["pixel art" in text for text in asked.values()] == [True, True, False, False]
    assert opposite_style("b", ["a", "b", "c"]) == "c"
    assert opposite_style("c", ["a", "b", "c"]) == "a"
    with refused(InputError, "unknown-name"):
        opposite_style("watercolour", ["watercolour"])


def test_probabilities_are_the_models_own(judge):
    rng = np.random.default_rng(0)
    image, text = rng.integers(0, 255, (40, 60, 3), np.uint8), "Is it a cat? Answer yes or no."
    answer = judge.ask([image], [text])[0]
    inputs = judge._inputs([image], [text])
    with torch.no_grad():
        logits = judge._model(**inputs).logits[0, -1].softmax(-1)
    tokenizer = judge._processor.tokenizer
    yes = sum(logits[tokenizer.convert_tokens_to_ids(word)].item() for word in ("Yes", "yes"))
    no = sum(logits[tokenizer.convert_tokens_to_ids(word)].item() for word in ("No", "no"))
    assert answer.p_yes == pytest.approx(yes / (yes + no), abs=1e-5)
    assert answer.mass == pytest.approx(yes + no, abs=1e-5)
    assert isinstance(answer.text, str)


def test_answers_do_not_depend_on_the_batch(judge):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (40, 60 + 30 * i, 3), np.uint8) for i in range(3)]
    texts = ["Is it a cat?", "Is the background of this image shown in pixel art style?", "No?"]
    together = judge.ask(images, texts)
    for image, text, answer in zip(images, texts, together, strict=True):
        alone = judge.ask([image], [text])[0]
        assert alone.p_yes == pytest.approx(answer.p_yes, abs=1e-4)
        assert alone.mass == pytest.approx(answer.mass, abs=1e-4)


def test_a_run_is_judged_once_and_goes_on(judge, run, tiny_judge, monkeypatch):
    samples = load_run(run).samples
    summary = judge_run(run, samples, run / "images", judge, batch_size=5)
    assert set(summary["questions"]) == set(QUESTIONS)
    assert all(0 <= entry["mass"] <= 1 for entry in summary["questions"].values())
    lines = (run / "vlm.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 4 * 3
    assert {"question", "p_yes", "mass", "answer"} <= set(json.loads(lines[1]))
    (run / "vlm.jsonl").write_text("\n".join(lines[:6]) + "\n" + lines[6][:10])
    asked = []
    ask = judge.ask
    monkeypatch.setattr(judge, "ask", lambda images, texts: asked.extend(texts) or ask(images, texts))
    again = judge_run(run, samples, run / "images", judge, batch_size=5)
    assert len(asked) == 4 * 3 - 5
    for name in QUESTIONS:
        assert again["questions"][name]["p_yes"] == pytest.approx(summary["questions"][name]["p_yes"], abs=1e-4)
    other = YesNoJudge(str(tiny_judge), device="cpu", max_pixels=100)
    with refused(InputError, "other-run"):
        judge_run(run, samples, run / "images", other)


def test_a_picture_edited_anew_is_asked_about_again(judge, run, monkeypatch):
    samples = load_run(run).samples
    judge_run(run, samples, run / "images", judge)
    changed = run / "images" / f"{samples[1].id}.png"
    write_png(changed, 255 - read_image(changed))
    asked = []
    ask = judge.ask
    monkeypatch.setattr(judge, "ask", lambda images, texts: asked.extend(texts) or ask(images, texts))
    judge_run(run, samples, run / "images", judge)
    opposite = opposite_style(samples[1].style, sorted({sample.style for sample in samples}))
    assert asked == list(questions(samples[1].object, samples[1].style, opposite).values())


def test_the_command_line(run, tiny_judge, capsys):
    arguments = ["vlm", str(run), "--model", str(tiny_judge), "--device", "cpu"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert out.count("q") >= 4
    assert main([*arguments, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 3
    assert main(["vlm", str(run / "nowhere"), "--model", str(tiny_judge)]) == 2
    assert "not a finished run" in capsys.readouterr().err


def test_models_that_cannot_answer_are_refused(dumb_judge, tmp_path):
    with refused(InputError, "unsupported"):
        YesNoJudge(str(dumb_judge), device="cpu")
    with refused(InputError, "unknown-value", "--dtype"):
        YesNoJudge(str(dumb_judge), device="cpu", dtype="float8")
    with refused(RsesError, "wrong-weights"):
        YesNoJudge(str(tmp_path), device="cpu")


def test_coverage_is_reported_and_lost_edits_are_named(judge, run, monkeypatch):
    samples = load_run(run).samples
    judge_run(run, samples, run / "images", judge)
    asked, ask = [], judge.ask
    monkeypatch.setattr(judge, "ask", lambda images, texts: asked.extend(texts) or ask(images, texts))
    judge_run(run, samples, run / "images", judge)
    assert not asked
    write_png(run / "images" / f"{samples[0].id}.png", np.zeros((128, 128, 3), np.uint8))
    summary = judge_run(run, [*samples, replace(samples[0], id="x", status="failed")], run / "images", judge)
    assert len(asked) == 4
    assert (summary["n"], summary["N"]) == (3, 4)
    (run / "images" / f"{samples[0].id}.png").unlink()
    with pytest.raises(InputError) as caught:
        judge_run(run, samples, run / "images", judge)
    assert (caught.value.codes, samples[0].id in str(caught.value)) == (["missing-file"], True)


def test_edits_are_named_as_for_scoring(tmp_path):
    """Any ending of an image, and accents in either Unicode form."""
    samples = [SampleResult(name, object="cat", style="pixel art") for name in ("caf\u00e9", "dog")]
    write_png(tmp_path / "cafe\u0301.png", np.zeros((8, 8, 3), np.uint8))
    Image.new("RGB", (8, 8)).save(tmp_path / "dog.webp")
    _, asked = open_questions([*samples, SampleResult("lost", status="missing")], tmp_path)
    assert [path.name for _, path, _ in asked[::4]] == ["cafe\u0301.png", "dog.webp"]
    with pytest.raises(InputError) as caught:
        open_questions([SampleResult("dog", style="ink")], tmp_path)
    assert caught.value.codes == ["missing-key"]
    with refused(InputError, "missing-file", "nowhere"):
        open_questions(samples, tmp_path / "nowhere")

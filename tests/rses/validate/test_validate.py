"""``rses validate``: verdicts on columns whose behaviour is known, and the command."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rses import get_protocol
from rses.cli.main import main
from rses.validate import run
from rses.validate.run import validate
from rses.validate.show import to_markdown, to_page
from tests.helpers.pages import Page
from tests.helpers.validity import ideal, validity

BACKGROUND = ("lpips_bg", "mse_bg", "mse_bg_pm1", "psnr_bg", "ssim_bg", "boundary_mse", "preservation")


@pytest.fixture(scope="module")
def found():
    calls = []
    result = validate("rses-mini", "mini", limit=2, device="cpu", progress=lambda *done: calls.append(done))
    assert calls[-1][0] == calls[-1][1] == len(calls)
    return result


def changed(name: str, **values: float) -> dict:
    """Ideal results but for one edit of every picture."""
    results = ideal()
    for number in range(2):
        results[f"{number} {name}"] = dataclasses.replace(results[f"{number} {name}"], **values)
    return results


def test_ideal_columns_have_nothing_to_complain_of():
    verdicts = validity().to_dict()["verdicts"]
    assert len(verdicts) == 14
    assert all(facts["fails"] == [] for facts in verdicts.values())
    assert verdicts["mse_bg"] == {"monotone": [8, 8], "sensitive": [8, 8], "blind": [2, 2], "fails": []}
    assert verdicts["rses_p"] == {"monotone": [10, 10], "sensitive": [10, 10], "blind": [7, 7], "fails": []}


@pytest.mark.parametrize(
    ("edit", "column", "value", "kind", "count"),
    [
        ("JPEG 50", "mse_bg", 0.05, "monotone", [7, 8]),
        ("noise 32", "lpips_bg", 0.0, "sensitive", [7, 8]),
        ("blending 0.5", "lpips_bg", 1e-9, "blind", [1, 2]),
        ("blending 0.5", "psnr_bg", 90.0, "blind", [1, 2]),
        ("shift 8", "rsm", 0.041, "blind", [7, 8]),
        ("shift 8", "leakage", -0.041, "blind", [6, 7]),
        ("style strength 4", "rsm_gain", 0.05, "monotone", [1, 2]),
    ],
)
def test_each_fault_is_found(edit, column, value, kind, count):
    facts = validity(changed(edit, **{column: value})).verdict(column)
    assert facts[kind] == count
    assert facts["fails"] == [edit.rpartition(" ")[0]]


def test_a_tenth_of_the_full_style_is_taken_for_nothing_but_not_for_the_background():
    assert validity(changed("shift 8", rsm=0.039)).verdict("rsm")["fails"] == []
    assert validity(changed("style strength 4", rsm=0.17)).verdict("rsm")["fails"] == []
    assert validity(changed("JPEG 50", mse_bg=0.099)).verdict("mse_bg")["fails"] == ["JPEG"]
    # Where the full style is not seen at all, nothing may move.
    assert validity(changed("blending 1", rsm=0.0)).of("rsm")["shift"].slack == 0


def test_pictures_without_a_column_are_left_out_of_it():
    results = ideal()
    without = {name: dataclasses.replace(one, lpips_bg=None) for name, one in results.items() if name.startswith("0 ")}
    some = validity({**results, **without})
    assert some.of("lpips_bg")["JPEG"].means == validity().of("lpips_bg")["JPEG"].means
    none = {name: dataclasses.replace(one, style_correct=None) for name, one in results.items()}
    assert "style_correct" not in validity(none).columns


def test_nuisances_have_a_floor():
    verdict = validity(rses_p=-0.031).verdict("rses_p")
    assert verdict["blind"] == [0, 7]
    assert "noise alone" in verdict["fails"]
    assert validity(rses_p=0.03).verdict("rses_p")["fails"] == []


def test_renderings_are_counted():
    one = validity().seen[0]
    assert (one.rises, one.nearest, one.leaks, one.gain) == (0.5, 0.5, 1.0, -0.4)
    assert validity().to_dict()["known"] == {"rises": 0.5, "nearest": 0.5, "leaks": 1.0}


def test_embedded_weights_keep_what_holds_for_any_weights(found):
    assert (found.pictures, found.samples) == (2, 2)
    for name in BACKGROUND:
        assert found.verdict(name)["blind"] == [2, 2]
    for name in ("mse_bg", "boundary_mse", "psnr_bg", "ssim_bg"):
        assert found.verdict(name)["fails"] == []
    # The region alone is shown to the encoder, so that no background matters.
    for name in ("rsm", "style_success", "rsm_gain"):
        still = [climb for climb in found.of(name).values() if climb.expected == "stay"]
        assert all(len(set(climb.means)) == 1 for climb in still)
    assert [climb.means[0] for climb in found.of("rses_p").values()][0] == 0
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["info"]["protocol"]["id"] == "rses-mini"


def test_a_form_that_sees_into_the_region_is_caught_whatever_else_the_protocol_lacks():
    knobs = {"lpips_form": "spatial", "text": "prompt", "region": "frame", "ssim_form": "none", "perfect_psnr": "1000"}
    found = validate(get_protocol("rses-mini").replace(**knobs), "mini", limit=1, device="cpu")
    assert found.verdict("lpips_bg")["blind"] == [0, 2]
    assert found.verdict("mse_bg")["blind"] == [2, 2]
    assert not {"ssim_bg", "style_correct"} & set(found.columns)
    assert {one.nearest for one in found.seen} == {None}
    assert "| 100% | - |" in to_markdown(found) or "| 0% | - |" in to_markdown(found)


def test_pages_and_markdown_show_the_same_numbers():
    found = validity(rses_p=0.04)
    for text in (Page(to_page(found)).text, to_markdown(found)):
        assert "0.040" in text
        assert "noise alone" in text


@pytest.fixture
def quick(monkeypatch):
    calls = []
    monkeypatch.setattr(run, "validate", lambda *args, **options: calls.append((args, options)) or validity())
    return calls


def test_command_writes_page_and_json_and_prints(quick, tmp_path, capsys):
    for format in ("table", "json", "markdown"):
        assert main(["validate", "--protocol", "rses-mini", "--out", str(tmp_path / "v"), "--format", format]) == 0
    assert [options["limit"] for _, options in quick] == [8] * 3
    out = capsys.readouterr().out
    content = json.loads((tmp_path / "v" / "validity.json").read_text())
    assert content == json.loads(json.dumps(validity().to_dict()))
    assert (tmp_path / "v" / "validity.html").read_text() == to_page(validity())
    assert "10 of 10" in out
    assert "| column |" in out


def test_command_refuses(quick, tmp_path, capsys):
    (tmp_path / "validity.html").write_text("mine")
    for words in (["--out", str(tmp_path)], ["--suite", "mimi"], ["--limit", "-1"], ["--protocol"]):
        assert main(["validate", *words]) == 2
    assert quick == []
    assert "is not a report" in capsys.readouterr().err

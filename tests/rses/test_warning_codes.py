"""The codes of what is suspected: grouped, ordered, kept through every file, and no part of the numbers."""

from __future__ import annotations

import json
from pathlib import Path

from rses.report.html import report_html
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.warning_codes import WARNINGS, WarningKind, grouped_warnings, in_order, warning_line


def test_groups_name_the_first_ten_in_order_of_ids() -> None:
    samples = [SampleResult(f"s{i:02}", warnings=("lossy_prediction",)) for i in reversed(range(12))]
    samples += [SampleResult("t", warnings=("lossy_prediction", "unedited")), SampleResult("u")]
    unedited, lossy = grouped_warnings(samples)
    assert (unedited["code"], unedited["count"], unedited["ids"]) == ("unedited", 1, ["t"])
    assert (lossy["code"], lossy["count"]) == ("lossy_prediction", 13)
    assert lossy["ids"] == [f"s{i:02}" for i in range(10)]
    assert "13 samples: s00, s01" in warning_line(lossy)
    assert warning_line(lossy).endswith("s09, ...")
    assert warning_line(unedited).endswith("1 sample: t")


def test_a_warning_about_a_field_names_its_values_once(monkeypatch) -> None:
    monkeypatch.setitem(WARNINGS, "odd_style", WarningKind("Odd.", field="style"))
    samples = [SampleResult(f"{style}{i}", style=style, warnings=("odd_style",)) for style in "ba" for i in range(3)]
    [group] = grouped_warnings(samples)
    assert group["values"] == ["a", "b"]
    assert group["count"] == 6
    assert warning_line(group) == "Odd. 6 samples: a, b"
    [group] = grouped_warnings([SampleResult("a", style="x" * 5000, warnings=("odd_style",))])
    assert warning_line(group) == f"Odd. 1 sample: {'x' * 80}..."


def test_unknown_codes_of_other_versions_come_last() -> None:
    assert in_order(["zzz", "unedited", "aaa"]) == ("unedited", "aaa", "zzz")
    assert [group["code"] for group in grouped_warnings([SampleResult("a", warnings=("new",))])] == ["new"]


def test_codes_survive_journal_rows_and_run_folders(tmp_path: Path) -> None:
    sample = SampleResult("a", mse_bg=0.5, warnings=("unedited",))
    assert SampleResult.from_dict(json.loads(json.dumps(sample.to_dict()))) == sample
    Results([sample, SampleResult("b", mse_bg=0.5)], {}).save(tmp_path)
    assert [s.warnings for s in Results.load(tmp_path).samples] == [("unedited",), ()]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [(group["code"], group["ids"]) for group in summary["warnings"]] == [("unedited", ["a"])]
    old = {key: value for key, value in sample.to_dict().items() if key != "warnings"}
    assert SampleResult.from_dict(old).warnings == ()


def test_the_report_lists_them_escaped() -> None:
    page = report_html([Results([SampleResult("<b>", mse_bg=0.5, warnings=("unedited",))], {"method": "m"})])
    assert 'id="warnings"' in page
    assert "&lt;b&gt;" in page.split('id="warnings"')[1].split("</section>")[0]
    assert 'id="warnings"' not in report_html([Results([SampleResult("a", mse_bg=0.5)], {"method": "m"})])

"""Golden text for each format, escaping, and what a table must refuse."""

from __future__ import annotations

import csv
import io
import json

import pytest

from rses.errors import InputError
from rses.report.columns import build_table, run_names
from rses.report.tables import render
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from tests.helpers.refusals import refused

INF = float("inf")
PROTOCOL = {"id": "rses-mini", "hash": "0123456789abcdef"}


def run(name: str, values: list[float], *, psnr: list[float] | None = None, **info) -> Results:
    samples = [
        SampleResult(f"s{index}", mse_bg=value, psnr_bg=psnr[index] if psnr else None)
        for index, value in enumerate(values)
    ]
    metrics = ["mse_bg", "psnr_bg"] if psnr else ["mse_bg"]
    return Results(samples, {"method": name, "protocol": PROTOCOL, "metrics": metrics, "suite": {"name": "s"}, **info})


MANY = 9
CONSTANT = run("mine", [0.25] * MANY)
OTHER = run("other", [0.5] * MANY)


NOTE = "Mean with 95 % bootstrap interval; ↑ higher is better, ↓ lower is better.\n"
TOY = "Embedded toy encoder, not for publication."
MARKED = "Marked: the best and all that cannot be told from it (paired tests, Holm-corrected at 5 %).\n"
CAPTION = "suite s, protocol rses-mini (0123456789abcdef)"
GOLDEN = {
    "csv": "method,suite,protocol,protocol_hash,mask_used,reference,n,N,mse_bg,mse_bg_low,mse_bg_high,mse_bg_n\n"
    "mine,s,rses-mini,0123456789abcdef,,,9,9,0.25,0.25,0.25,9\n"
    "other,s,rses-mini,0123456789abcdef,,,9,9,0.5,0.5,0.5,9\n",
    "markdown": "| method | MSE\\_bg ↓ | coverage |\n|:---|---:|---:|\n| mine | **0.25000** | 9/9 |\n"
    f"| other | 0.50000 | 9/9 |\n\n{CAPTION}  \n{TOY}  \n{NOTE[:-1]}  \n{MARKED}",
    "latex": f"% {CAPTION}\n% needs \\usepackage{{booktabs}}\n"
    "\\begin{tabular}{lrr}\n\\toprule\nmethod & MSE\\textsubscript{bg} $\\downarrow$ & $n/N$ \\\\\n\\midrule\n"
    "mine & \\textbf{0.25000} & 9/9 \\\\\nother & 0.50000 & 9/9 \\\\\n\\bottomrule\n"
    f"\\multicolumn{{3}}{{l}}{{\\emph{{{TOY}}}}} \\\\\n\\end{{tabular}}\n% {TOY}\n% {NOTE}% {MARKED}",
    "table": f"{CAPTION}\n\n method   MSE_bg ↓   n/N\n ───────────────────────\n mine     0.25000*   9/9\n"
    f" other     0.50000   9/9\n\n* best\n{TOY}\n{NOTE}{MARKED}",
}


@pytest.mark.parametrize("format", GOLDEN)
def test_golden_text_of_two_runs(format):
    assert render([CONSTANT, OTHER], format) == GOLDEN[format]


def test_table_of_one_run():
    assert render([CONSTANT], "table") == (
        f"mine · {CAPTION}\n\n metric        mean   95 % interval   n\n"
        " ──────────────────────────────────────\n"
        f" MSE_bg ↓   0.25000                   9\n\nscored 9 of 9\n{TOY}\n{NOTE}"
    )


def test_json_is_the_summary_of_one_and_a_list_of_several():
    assert json.loads(render([CONSTANT], "json")) == CONSTANT.summary
    assert [item["method"] for item in json.loads(render([CONSTANT, OTHER], "json"))] == ["mine", "other"]


def test_infinite_psnr_is_counted_and_undefined_is_a_dash():
    some = run("some", [0.0] + [0.1] * 8, psnr=[INF] + [10.0] * 8)
    every = run("every", [0.0] * 9, psnr=[INF] * 9)
    cells = {row.name: row.cells for row in build_table([some, every]).rows}
    assert cells["some"]["psnr_bg"].value == "10.00 (+1 perfect)"
    assert cells["every"]["psnr_bg"].value == "inf (9 perfect)"
    assert (cells["some"]["psnr_bg"].best, cells["every"]["psnr_bg"].best) == (False, True)
    rows = list(csv.DictReader(io.StringIO(render([some, every], "csv"))))
    assert (rows[1]["psnr_bg"], rows[1]["psnr_bg_perfect"]) == ("inf", "9")
    nothing = Results([SampleResult("a", status="missing")], {"method": "m", "metrics": ["mse_bg"]})
    assert "| m | - | 0/1 |" in render([nothing], "markdown")


def test_reference_rows_do_not_win_and_ties_share():
    reference = run("bound", [0.0] * MANY, method_card={"reference": True, "mask_used": True})
    table = build_table([reference, CONSTANT, run("tie", [0.25] * MANY), OTHER])
    assert [row.cells["mse_bg"].best for row in table.rows] == [False, True, True, False]
    assert any("mask at inference" in note for note in table.notes)
    equal = build_table([CONSTANT, run("tie", [0.25] * MANY)])
    assert not any(row.cells["mse_bg"].best for row in equal.rows)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_wide_tables_are_split_to_fit(width):
    values = {"rsm": 0.6, "clip_cosine": 0.2, "rsm_gain": 0.1, "lpips_bg": 0.1, "mse_bg": 0.01, "ssim_bg": 0.9}
    runs = [
        Results(
            [SampleResult(f"{i}", **{k: v * (1 + i / 50 + j / 9) for k, v in values.items()}) for i in range(5)],
            {"method": f"method-{j}"},
        )
        for j in range(3)
    ]
    text = render(runs, "table", width=width)
    grid = [line for line in text.splitlines() if line.startswith(" ")]
    assert max(map(len, grid)) <= width
    for heading in ("RSM ↑", "cosine ↑", "LPIPS_bg ↓", "SSIM_bg ↑"):
        assert heading in text


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"protocol": {"id": "rses-v1", "hash": "ff"}}, "protocol"),
        ({"suite": {"name": "t"}}, "suite"),
        ({"weights": {"style": {"id": "w", "sha256": "b" * 64}}}, "weights"),
    ],
)
def test_tables_never_mix_what_cannot_be_compared(changed, word):
    first = run("a", [0.1, 0.2], weights={"style": {"id": "w", "sha256": "a" * 64}})
    second = run("b", [0.1, 0.2])
    second.info.update(changed)
    with refused(InputError, "mismatch", word):
        render([first, second], "table")


def test_mistakes_are_named():
    with pytest.raises(InputError, match='Did you mean "markdown"'):
        render([CONSTANT], "markdwon")
    with refused(InputError, "missing-option"):
        render([], "table")


def test_runs_of_one_method_are_told_apart():
    assert run_names([CONSTANT, OTHER, CONSTANT]) == ["mine (1)", "other", "mine (2)"]

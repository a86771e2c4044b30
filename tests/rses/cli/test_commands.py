"""The commands as a user types them, in one process."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pytest

from rses import load_run, load_suite
from rses.cli.main import main
from rses.protocol import PROTOCOLS
from rses.table import METRICS


@pytest.fixture
def edits(tmp_path):
    """A folder of four predictions for the mini suite: copies of the sources."""
    folder = tmp_path / "edits"
    folder.mkdir()
    for sample in load_suite("mini").samples[:4]:
        shutil.copy(sample.image, folder / f"{sample.id}.png")
    return folder


MINI = ["--suite", "mini", "--protocol", "rses-mini", "--allow-missing"]


def run(capsys, *words):
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_score_prints_only_json_on_stdout(capsys, edits):
    code, out, _ = run(capsys, "score", "--pred", edits, *MINI, "--format", "json")
    summary = json.loads(out)
    assert code == 0
    assert summary["coverage"]["n"] == 4
    assert summary["coverage"]["N"] == 96
    assert summary["metrics"]["lpips_bg"]["mean"] == 0.0
    assert summary["metrics"]["psnr_bg"]["perfect"] == 4


@pytest.mark.parametrize(("format", "mark"), [("markdown", "|"), ("latex", r"\toprule"), ("table", "LPIPS")])
def test_score_in_other_formats(capsys, edits, format, mark):
    code, out, _ = run(capsys, "score", "--pred", edits, *MINI, "--format", format)
    assert code == 0
    assert mark in out


def test_score_csv_parses(capsys, edits):
    _, out, _ = run(capsys, "score", "--pred", edits, *MINI, "--format", "csv")
    row = next(csv.DictReader(io.StringIO(out)))
    assert float(row["mse_bg"]) == 0.0


def test_score_writes_a_run_and_goes_on(capsys, edits, tmp_path):
    words = ["score", "--pred", edits, *MINI, "--out", tmp_path / "run"]
    assert run(capsys, *words)[0] == 0
    first = (tmp_path / "run" / "samples.parquet").read_bytes()
    assert run(capsys, *words)[0] == 0
    assert (tmp_path / "run" / "samples.parquet").read_bytes() == first
    assert len(load_run(tmp_path / "run").samples) == 96


def test_knobs_on_the_command_line_change_the_protocol_id(capsys, edits):
    _, out, _ = run(
        capsys, "score", "--pred", edits, *MINI, "--format", "json", "--region", "masked", "--lpips-form", "strict",
        "--ignore-band", "2",
    )  # fmt: skip
    protocol = json.loads(out)["protocol"]
    assert protocol["id"] == "rses-mini+custom"
    assert (protocol["knobs"]["region"], protocol["knobs"]["ignore_band"]) == ("masked", 2)


def test_metrics_restrict_what_is_needed(capsys, edits, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for sample in load_suite("mini").samples[:4]:
        shutil.copy(sample.mask, masks / f"{sample.id}.png")
    code, _, err = run(capsys, "score", "--pred", edits, "--masks", masks, "--protocol", "rses-mini")
    assert code == 2
    assert "--source" in err
    assert "--style" in err
    code, out, _ = run(
        capsys, "score", "--pred", edits, "--masks", masks, "--protocol", "rses-mini", "--style", "pixel art",
        "--metrics", "rsm,clip_cosine", "--format", "json",
    )  # fmt: skip
    assert code == 0
    assert set(json.loads(out)["metrics"]) == {"rsm", "clip_cosine"}


def test_bench_and_compare(capsys, tmp_path):
    for name in ("oracle-paste", "global-style"):
        words = ["bench", "--method", name, "--suite", "mini", "--protocol", "rses-mini", "--limit", "6"]
        assert run(capsys, *words, "--out", tmp_path / name)[0] == 0
    code, out, _ = run(capsys, "compare", tmp_path / "oracle-paste", tmp_path / "global-style", "--format", "json")
    assert code == 0
    rows = {row["metric"]: row for row in json.loads(out)["differences"]}
    assert rows["mse_bg"]["mean"] > 0
    assert rows["mse_bg"]["n"] == 6


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["protocols"], list(PROTOCOLS)),
        (["metrics"], list(METRICS)),
        (["methods"], ["identity", "oracle-paste", "mask used", "mask-free"]),
        (["suites"], ["mini", "photos"]),
        (["protocols", "show", "pie-bench"], ["full_frame", "blackout"]),
        (["metrics", "show", "style_success"], ["encoder", "tanh"]),
        (["methods", "show", "oracle-paste"], ["mask used", "classical style inside the true mask"]),
        (["methods", "show", "flux-kontext"], ["stands in for", "FLUX.1 Kontext, arXiv 2506.15742"]),
        (["methods", "show", "qwen-image-edit"], ["paper", "Qwen-Image, arXiv 2508.02324"]),
        (["suites", "show", "mini"], ["samples  96", "line art (24)"]),
        (["suite", "show", "mini", "--json"], ['"samples": 96', '"line art": 24']),
        (["methods", "show", "oracle-paste", "--json"], ['"mask_used": true']),
        (["metrics", "show", "rsm", "--json"], ['"better": "higher"']),
        (["protocols", "show", "rses-v1", "--json"], ['"lpips_form": "neutral"']),
        (["--version"], ["rses 0."]),
        (["weights", "list"], ["lpips:alex", "rses-mini"]),
    ],
)
def test_lists_and_cards(capsys, words, names):
    code, out, _ = run(capsys, *words)
    assert code == 0
    for name in names:
        assert name in out


def test_suite_export_and_verify(capsys, tmp_path):
    assert run(capsys, "suites", "export", "mini", tmp_path / "mini")[0] == 0
    assert run(capsys, "suites", "verify", tmp_path / "mini")[0] == 0
    victim = next((tmp_path / "mini" / "images").iterdir())
    victim.write_bytes(victim.read_bytes() + b"x")
    code, _, err = run(capsys, "suites", "verify", tmp_path / "mini")
    assert code == 2
    assert victim.name in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score"], "--pred"),
        (["scor"], "score"),
        (["score", "--pred", "x", "--format", "yaml"], "yaml"),
        (["bench", "--method", "identty"], 'Did you mean "identity"'),
        (["protocols", "show", "rses-v2"], 'Did you mean "rses-v1"'),
        (["compare", "nowhere"], "nowhere"),
        (["suites", "export", "minni", "x"], 'Did you mean "mini"'),
    ],
)
def test_mistakes_exit_2_without_traceback(capsys, words, message):
    code, _, err = run(capsys, *words)
    assert code == 2
    assert message in err
    assert "Traceback" not in err

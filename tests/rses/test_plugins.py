"""Metrics and methods of other packages: found, marked, computed, and told apart."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pytest

from rses import RSES, get_method, get_metric, get_protocol, list_metrics, load_run
from rses.errors import InputError, RsesError
from rses.images.tensors import write_png
from rses.report.html import write_report
from rses.report.tables import render
from rses.table import METRICS, MetricInfo, select_metrics
from tests.helpers.refusals import refused

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "strength-metric"
NAME = "strength-metric:strength"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """``install(package, group, entries)``: what a package installer leaves on the path."""

    def place(package: str, group: str, entries: dict[str, str], *modules: Path) -> None:
        site = tmp_path / "site" / package
        about = site / f"{package.replace('-', '_')}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (about / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        for module in modules:
            (site / module.name).write_bytes(module.read_bytes())
            monkeypatch.delitem(sys.modules, module.stem, raising=False)
        monkeypatch.syspath_prepend(site)

    return place


@pytest.fixture
def example(install):
    facts = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    install(facts["name"], "rses.metrics", facts["entry-points"]["rses.metrics"], EXAMPLE / "strength_metric.py")


def score(folder: Path, metrics: str, **options):
    rng = np.random.default_rng(0)
    for index in range(2):
        source = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        mask = np.zeros((24, 24), bool)
        mask[4:12, 4:12] = True
        edit = np.where(mask[..., None], 255, source).astype(np.uint8)
        for role, array in (("source", source), ("mask", mask), ("pred", edit)):
            write_png(folder / role / f"{index}.png", array)
    scorer = RSES("rses-mini", device="cpu", metrics=metrics)
    return scorer.score_folder(folder / "pred", folder / "mask", folder / "source", **options)


def test_a_metric_is_a_function_and_a_row(example, tmp_path):
    """The package holds nothing else, and results, summary, tables and report have its column."""
    code = (EXAMPLE / "strength_metric.py").read_text("utf-8")
    assert code.count("\ndef ") == code.count("MetricInfo(\n") == 1
    run = tmp_path / "run"
    results = score(tmp_path, f"mse_bg,{NAME}", out=run)
    values = [getattr(sample, NAME) for sample in results.samples]
    assert all(0.3 < value < 0.7 for value in values)
    assert results.samples == load_run(run).samples
    assert results.metrics == ("mse_bg", NAME)
    assert results.to_pandas()[NAME].tolist() == values
    assert results.summary["metrics"][NAME]["mean"] == pytest.approx(np.mean(values))
    (row,) = csv.DictReader(io.StringIO(render([results], "csv")))
    assert float(row[NAME]) == pytest.approx(np.mean(values))
    for format in ("markdown", "latex"):
        assert "strength-metric" in render([results], format)
    write_report([results], tmp_path / "report.html")
    assert "strength [strength-metric]" in (tmp_path / "report.html").read_text("utf-8")
    assert results.info["protocol"]["hash"] == get_protocol("rses-mini").hash
    assert results.info["metrics"] == ["mse_bg", NAME]


def test_a_run_goes_on_where_it_was(example, tmp_path):
    first = score(tmp_path, NAME, out=tmp_path / "run")
    assert score(tmp_path, NAME, out=tmp_path / "run").samples == first.samples


def test_metrics_of_packages_are_asked_for(example):
    assert NAME in list_metrics()
    assert NAME not in select_metrics(None)
    assert select_metrics(f"default,{NAME}") == (*METRICS, NAME)
    assert select_metrics("strength") == (NAME,)
    assert get_metric("strength").package == "strength-metric"


def test_a_row_of_the_table_is_all_that_a_metric_of_rses_needs(monkeypatch, tmp_path):
    info = MetricInfo("brightness", "brightness", True, (), "x", "x", function=lambda batch: batch.pred.mean((1, 2, 3)))
    monkeypatch.setitem(METRICS, "brightness", info)
    results = score(tmp_path, "brightness,mse_bg", out=tmp_path / "run")
    assert 0 < results.summary["metrics"]["brightness"]["mean"] < 1
    assert load_run(tmp_path / "run").samples == results.samples
    assert "brightness" in render([results], "markdown")


def test_without_the_package_a_run_is_still_read(example, tmp_path, monkeypatch):
    results = score(tmp_path, f"mse_bg,{NAME}", out=tmp_path / "run")
    monkeypatch.setattr(sys, "path", [place for place in sys.path if "site/" not in place])
    run = load_run(tmp_path / "run")
    assert run.samples == results.samples
    assert NAME in run.summary["metrics"]
    with pytest.raises(InputError, match="pip install strength-metric"):
        METRICS[NAME]


def test_two_packages_that_bring_one_name_are_both_named(example, install):
    install("other", "rses.metrics", {"strength": "other:INFO"})
    with pytest.raises(InputError) as caught:
        get_metric("strength")
    assert all(part in str(caught.value) for part in (NAME, "other:strength"))
    assert get_metric(NAME).package == "strength-metric"
    for package in ("one", "two"):
        install(package, "rses.methods", {"mine": f"{package}:Mine"})
    with pytest.raises(InputError) as caught:
        get_method("mine")
    assert all(part in str(caught.value) for part in ("one (one:Mine)", "two (two:Mine)"))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("INFO = 3", "wrong-type"),
        ("raise ValueError('no')", "failed"),
        ("from rses.table import MetricInfo as M; INFO = M('a', 'a', True, ('sauce',), '', '')", "wrong-type"),
        ("from rses.table import MetricInfo as M; INFO = M('a', 'a', True, (), '', '', function=len)", "failed"),
        ("from rses.table import MetricInfo as M; INFO = M('a', 'a', True, (), '', '', function=lambda b: [])",
         "wrong-result"),
    ],
)  # fmt: skip
def test_what_is_no_metric_is_refused_by_name(install, tmp_path, code, fault):
    module = tmp_path / "broken_metric.py"
    module.write_text(code)
    install("broken", "rses.metrics", {"a": "broken_metric:INFO"}, module)
    with refused(RsesError, fault):
        score(tmp_path, "broken:a")

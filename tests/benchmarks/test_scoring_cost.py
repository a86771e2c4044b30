"""The measurement of scoring runs: in full with timing, else with embedded networks on small pictures."""

from __future__ import annotations

from rses import load_perceptual, load_style
from tests.benchmarks import gpu, scoring_cost


def test_scoring_cost(request, tmp_path, capsys, monkeypatch):
    if request.config.getoption("benchmark_enable"):
        monkeypatch.setattr("sys.argv", ["scoring_cost"])
        with capsys.disabled():
            scoring_cost.main()
        return
    cases = scoring_cost.write_cases(tmp_path, 1, 64)
    found = scoring_cost.measure(load_style("rses-mini"), load_perceptual("rses-mini"), cases, 1)
    assert len(found) == 4
    assert min(found.values()) > 0


def test_gpu_script_runs_without_one(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gpu", "--tiny", "--device", "cpu"])
    gpu.main()
    rows = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()]
    for start in (
        "decode",
        "transfer",
        "encoder, batch of 2",
        "trunk, batch of 2",
        "bfloat16",
        "all metrics, batch of 2",
    ):
        assert any(row.startswith(start) for row in rows), start

"""The built wheel, installed into a clean environment, does the main job from another folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    if not UV.exists():
        pytest.skip("uv is not beside this interpreter (make install puts it there)")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--wheel", "--out-dir", out, ROOT], check=True, capture_output=True)
    return next(out.glob("rses-*.whl"))


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory) -> Path:
    """A new environment that sees this one's dependencies but not this checkout; returns its bin folder."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([UV, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel], check=True)
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    # Dependencies come from a folder of links, without the editable install of the checkout.
    here = Path(sys.modules["numpy"].__file__).parents[1] if "numpy" in sys.modules else _site_packages()
    links = folder / "dependencies"
    links.mkdir()
    for entry in here.iterdir():
        name = entry.name.lower()
        if name.startswith(("rses", "_rses", "__editable__", "_virtualenv")) or name.endswith(".pth"):
            continue
        (links / entry.name).symlink_to(entry)
    (site / "dependencies.pth").write_text(f"{links}\n")
    return python.parent


def _site_packages() -> Path:
    import numpy

    return Path(numpy.__file__).parents[1]


def run(clean: Path, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [clean / args[0], *args[1:]], cwd=cwd, env=environment, capture_output=True, text=True, check=True, timeout=300
    )


def test_wheel_carries_the_embedded_data_and_neither_tests_nor_recipes(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for suite in ("mini", "photos"):
        assert f"benchmark_data/suites/{suite}/metadata.jsonl" in names
    for model in (ROOT / "benchmark_data" / "models").iterdir():
        weights = [path.relative_to(ROOT).as_posix() for path in model.rglob("*.safetensors")]
        assert weights
        assert set(weights) <= set(names)
    assert {"rses/py.typed", "benchmark_data/__init__.py", "regionroute/configs/mini.toml"} <= set(names)
    left_out = ("tests/", "docs/", "leaderboards/", "benchmark_data/recipes/", "benchmark_data/scenes/")
    assert not [name for name in names if name.startswith(left_out)]


def test_clean_install_exports_and_scores(clean, tmp_path):
    where = run(clean, tmp_path, "python", "-c", "import rses, benchmark_data; print(rses.__file__)").stdout
    assert str(ROOT) not in where
    run(clean, tmp_path, "rses", "suite", "export", "mini", "mini")
    pred = tmp_path / "pred"
    pred.mkdir()
    rows = [json.loads(line) for line in (tmp_path / "mini" / "metadata.jsonl").read_text().splitlines()][:3]
    for row in rows:
        shutil.copy(tmp_path / "mini" / row["file_name"], pred / f"{row['id']}.png")
    done = run(
        clean, tmp_path, "rses", "score", "--pred", "pred", "--masks", "mini/masks", "--protocol", "rses-mini",
        "--allow-missing", "--format", "json",
    )  # fmt: skip
    summary = json.loads(done.stdout)
    assert summary["coverage"]["n"] == 3
    assert summary["metrics"]["mse_bg"]["mean"] == 0.0
    assert summary["metrics"]["lpips_bg"]["mean"] == 0.0


def test_clean_install_edits(clean, tmp_path):
    run(clean, tmp_path, "rses", "suite", "export", "mini", "mini")
    image = sorted((tmp_path / "mini" / "images").glob("*.png"))[0]
    prompt = "make the cat in pixel art style, keep other area unchanged"
    done = run(
        clean, tmp_path, "regionroute", "edit", "--image", str(image), "--prompt", prompt, "--steps", "1",
        "--out", "e.png",
    )  # fmt: skip
    assert done.stdout.strip() == "e.png"
    assert (tmp_path / "e.png").read_bytes()[:4] == b"\x89PNG"

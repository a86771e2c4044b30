"""The code of the page on training loops runs as it stands, one block after the other."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from rses import RSES, load_perceptual
from rses.functional import masked_lpips, masked_mse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "training-loop.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text("utf-8"), re.S | re.M)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Names after all blocks that need no Lightning; the folder of logs is ``logs``."""
    pytest.importorskip("accelerate")
    pytest.importorskip("tensorboard")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("loop"))
        names: dict = {"folder": Path.cwd()}
        for code in blocks("python"):
            exec(compile(code, str(PAGE), "exec"), names)
    return names


def test_collection_gives_the_means_of_the_functions(page):
    edit, source, mask = page["edit"], page["source"], page["mask"]
    lpips = masked_lpips(edit, source, mask, load_perceptual("rses-mini")).mean()
    assert float(page["logged"]["val/lpips_bg"]) == pytest.approx(float(lpips), rel=1e-5)
    assert float(page["logged"]["val/mse_bg"]) == pytest.approx(float(masked_mse(edit, source, mask).mean()), rel=1e-5)
    # The module edits alike.
    assert page["epoch"]["val/lpips_bg"] == pytest.approx(float(page["logged"]["val/lpips_bg"]), rel=1e-5)


def test_tracker_wrote_what_was_logged(page):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = {path.parent for path in (page["folder"] / "logs").rglob("events.out*")}
    events = EventAccumulator(str(folder)).Reload()
    assert events.Scalars("val/mse_bg")[0].value == pytest.approx(page["epoch"]["val/mse_bg"], rel=1e-5)


def test_batch_gives_the_numbers_of_single_samples(page):
    edit, source, mask = page["edit"], page["source"], page["mask"]
    styles = ["line art", "pixel art"]
    alone = RSES(protocol="rses-mini").score(edit[1], source[1], mask[1], "line art", styles=styles)
    batch = page["results"][1]
    assert (batch.rsm, batch.lpips_bg, batch.style_correct) == (alone.rsm, alone.lpips_bg, alone.style_correct)
    assert (batch.status, len(page["results"])) == ("ok", 4)


def test_callback_takes_a_pipeline(page):
    logs: list[tuple] = []

    def pipe(prompt: str, image: Image.Image, generator: torch.Generator) -> SimpleNamespace:
        assert "style" in prompt
        return SimpleNamespace(images=[image])

    found = page["log_validation"](
        pipe, page["scorer"], page["samples"], 7, lambda means, step: logs.append((means, step))
    )
    assert found == {"val/rsm_gain": 0.0, "val/lpips_bg": 0.0}
    assert logs == [(found, 7)]


def test_lightning_module(page):
    pytest.importorskip("lightning")
    (code,) = blocks("python lightning")
    names = dict(page)
    exec(compile(code, str(PAGE), "exec"), names)
    assert names["epoch"]["val/mse_bg"] == pytest.approx(page["epoch"]["val/mse_bg"], rel=1e-5)

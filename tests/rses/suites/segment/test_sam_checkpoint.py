"""Sizes of SAM read off its tensors, and what is refused as a checkpoint."""

from __future__ import annotations

import hashlib
import sys

import pytest
import torch
from safetensors.torch import save_file

from rses.errors import RsesError, WeightsError
from rses.suites.segment import get_segmenter
from rses.suites.segment.segment_anything import build_for, load_checkpoint
from tests.helpers.refusals import refused


@pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h"])
def test_published_sizes_are_told_apart(name):
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        theirs = sam_model_registry[name]()
        built = build_for(theirs.state_dict())
    assert built.image_encoder.patch_embed.proj.weight.shape == theirs.image_encoder.patch_embed.proj.weight.shape
    assert len(built.image_encoder.blocks) == len(theirs.image_encoder.blocks)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_checkpoint_comes_back(sam_file, tmp_path, ending):
    state = torch.load(sam_file, weights_only=True)
    path = tmp_path / f"x.{ending}"
    if ending == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    sam, digest = load_checkpoint(path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not sam.training
    loaded = sam.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())


def test_refused_files(sam_file, tmp_path):
    with pytest.raises(WeightsError, match=r"no file .*none\.pth.*dl\.fbaipublicfiles.*Apache-2\.0"):
        load_checkpoint(tmp_path / "none.pth")
    cut = tmp_path / "cut.pth"
    cut.write_bytes(sam_file.read_bytes()[:5000])
    with refused(WeightsError, "wrong-content", "cut.pth"):
        load_checkpoint(cut)
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    with refused(WeightsError, "wrong-content", "other.pth"):
        load_checkpoint(other)
    state = torch.load(sam_file, weights_only=True)
    del state["mask_decoder.iou_token.weight"]
    torch.save(state, other)
    with refused(WeightsError, "wrong-content", "other.pth"):
        load_checkpoint(other)
    published = tmp_path / "sam_vit_b_01ec64.pth"
    published.write_bytes(sam_file.read_bytes())
    with refused(WeightsError, "changed-file", "sam_vit_b_01ec64.pth"):
        load_checkpoint(published)


class _Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def test_code_in_a_checkpoint_does_not_run(tmp_path):
    torch.save({"image_encoder": _Harmful()}, tmp_path / "x.pth")
    with refused(WeightsError, "wrong-content", "x.pth"):
        load_checkpoint(tmp_path / "x.pth")


def test_the_extra_is_named(monkeypatch, sam_file):
    monkeypatch.setitem(sys.modules, "segment_anything", None)
    with pytest.raises(RsesError, match=r'pip install "rses\[sam\]"'):
        get_segmenter("segment-anything", str(sam_file), "cpu")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(RsesError, match=r'pip install "rses\[methods\]"'):
        get_segmenter("sam2", None, "cpu")

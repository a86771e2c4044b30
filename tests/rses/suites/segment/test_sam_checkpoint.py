"""Sizes of SAM read off its tensors, and what is refused as a checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import sys

import pytest
import torch
from safetensors.torch import save_file

from rses.errors import RsesError, WeightsError
from rses.suites.segment import get_segmenter
from rses.suites.segment.sam_checkpoint import build_sam, geometry_of, load_checkpoint

PUBLISHED = {
    "vit_b": (768, 12, 12, (2, 5, 8, 11)),
    "vit_l": (1024, 24, 16, (5, 11, 17, 23)),
    "vit_h": (1280, 32, 16, (7, 15, 23, 31)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes_are_found_and_built_as_the_package_builds_them(name):
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        theirs = sam_model_registry[name]()
        sizes = geometry_of(theirs.state_dict())
        ours = build_sam(sizes)
    assert (sizes.width, sizes.depth, sizes.heads, sizes.whole) == PUBLISHED[name]
    assert (sizes.side, sizes.patch, sizes.window, sizes.channels, sizes.masks) == (1024, 16, 14, 256, 3)
    shapes = [{key: tensor.shape for key, tensor in sam.state_dict().items()} for sam in (theirs, ours)]
    assert shapes[0] == shapes[1]
    # What no tensor tells.
    for path in ("image_encoder.blocks.0.attn", "mask_decoder.transformer.layers.0.self_attn"):
        assert theirs.get_submodule(path).num_heads == ours.get_submodule(path).num_heads
    windows = [[block.window_size for block in sam.image_encoder.blocks] for sam in (theirs, ours)]
    assert windows[0] == windows[1]
    assert theirs.image_encoder.neck[1].eps == ours.image_encoder.neck[1].eps
    assert theirs.image_encoder.blocks[0].norm1.eps == ours.image_encoder.blocks[0].norm1.eps == 1e-6


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


def test_other_sizes_come_back(sam_file):
    sizes = geometry_of(torch.load(sam_file, weights_only=True))
    other = dataclasses.replace(sizes, depth=2, whole=(0, 1), window=sizes.side // sizes.patch, heads=3)
    assert geometry_of(build_sam(other).state_dict()) == other


def test_refused_files(sam_file, tmp_path):
    with pytest.raises(WeightsError, match=r"no file .*none\.pth.*dl\.fbaipublicfiles.*Apache-2\.0"):
        load_checkpoint(tmp_path / "none.pth")
    cut = tmp_path / "cut.pth"
    cut.write_bytes(sam_file.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="is not a checkpoint"):
        load_checkpoint(cut)
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    with pytest.raises(WeightsError, match=r"is not a checkpoint.*patch_embed"):
        load_checkpoint(other)
    state = torch.load(sam_file, weights_only=True)
    del state["mask_decoder.iou_token.weight"]
    torch.save(state, other)
    with pytest.raises(WeightsError, match="is not a checkpoint"):
        load_checkpoint(other)
    published = tmp_path / "sam_vit_b_01ec64.pth"
    published.write_bytes(sam_file.read_bytes())
    with pytest.raises(WeightsError, match=r"damaged.*expected ec2df627"):
        load_checkpoint(published)


class _Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def test_code_in_a_checkpoint_does_not_run(tmp_path):
    torch.save({"image_encoder": _Harmful()}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "x.pth")


def test_the_extra_is_named(monkeypatch, sam_file):
    monkeypatch.setitem(sys.modules, "segment_anything", None)
    with pytest.raises(RsesError, match=r'pip install "rses\[sam\]"'):
        get_segmenter("segment-anything", str(sam_file), "cpu")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(RsesError, match=r'pip install "rses\[methods\]"'):
        get_segmenter("sam2", None, "cpu")

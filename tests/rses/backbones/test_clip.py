"""open_clip around local files equals open_clip, fetches nothing, refuses wrong files and activations."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from rses.backbones import load_style
from rses.backbones.base import StyleBackbone
from rses.backbones.clip import OpenClipStyle, refuse_openai_without_quick_gelu
from rses.backbones.published import OPENAI_FILES, Need, Source, clip_sources, needs
from rses.backbones.specs import DEFAULT_STYLE, OPENAI_MODELS, Spec, parse_spec
from rses.backbones.weights import Located
from rses.errors import InputError, RsesError, WeightsError
from tests.helpers.refusals import refused

ARCHITECTURE = "ViT-B-32-quickgelu"
TEXTS = ["pixel art", "a cat in the style of line art", "Ölgemälde, 油画 !?"]


@pytest.fixture(scope="module")
def reference(weights_file: Path) -> torch.nn.Module:
    return open_clip.create_model(ARCHITECTURE, pretrained=str(weights_file)).eval()


@pytest.fixture(scope="module")
def style(weights_file: Path) -> OpenClipStyle:
    backbone = load_style(f"open_clip:{ARCHITECTURE}/{weights_file}")
    assert isinstance(backbone, OpenClipStyle)
    return backbone


def pinned(path: Path, digest: str = "") -> tuple[Need, ...]:
    return (Need("checkpoint", (Source(path.name, digest, path=path),)),)


def test_images_equal_open_clip(style, reference):
    images = torch.rand(3, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    preprocess = reference.visual.preprocess_cfg
    mean, std = (torch.tensor(preprocess[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        expected = reference.encode_image((images - mean) / std, normalize=True)
    result = style.encode_images(images)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(result.norm(dim=1), torch.ones(3), rtol=0, atol=1e-6)
    assert float((result[0] - result[1]).abs().max()) > 1e-4


def test_texts_equal_open_clip(style, reference):
    with torch.no_grad():
        expected = reference.encode_text(open_clip.get_tokenizer(ARCHITECTURE)(TEXTS), normalize=True)
    result = style.encode_texts(TEXTS)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)
    assert float((result[0] - result[1]).abs().max()) > 1e-4


def test_contract(style, reference, weights_file):
    assert isinstance(style, StyleBackbone)
    assert style.image_size == 224
    assert style.mean == pytest.approx((0.48145466, 0.4578275, 0.40821073))
    assert style.logit_scale == pytest.approx(reference.logit_scale.exp().item(), rel=1e-6)
    assert style.sha256 == hashlib.sha256(weights_file.read_bytes()).hexdigest()
    assert style.id == f"open_clip:{ARCHITECTURE}/random.safetensors"  # no folder of this machine
    assert style.encode_texts([]).shape == (0, 512)
    # The fill colour must come out as zero after normalisation, whatever the image.
    filled = torch.tensor(style.mean).view(1, 3, 1, 1).expand(1, 3, 224, 224)
    with torch.no_grad():
        zero = reference.encode_image(torch.zeros(1, 3, 224, 224), normalize=True)
    torch.testing.assert_close(style.encode_images(filled), zero, rtol=0, atol=1e-5)


def test_wrong_shape_is_refused(style):
    with refused(InputError, "wrong-shape"):
        style.encode_images(torch.rand(1, 3, 256, 256))


def test_text_beyond_the_context_warns(style):
    with pytest.warns(UserWarning, match="tokens; .* reads the first 77"):
        style.encode_texts(["pixel art " * 60])


def test_autocast_around_the_call_changes_nothing(style):
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = style.encode_images(images), style.encode_texts(["oil"])
    assert inside[0].dtype == inside[1].dtype == torch.float32
    assert torch.equal(inside[0], style.encode_images(images))
    assert torch.equal(inside[1], style.encode_texts(["oil"]))


def test_default_model_is_found_in_the_hugging_face_cache(
    weights_file, style, empty_caches, no_network, unpin, monkeypatch, tmp_path
):
    repo = tmp_path / "hub" / "models--timm--vit_base_patch32_clip_224.openai"
    digest = style.sha256
    for folder in ("refs", "blobs", "snapshots/abc"):
        (repo / folder).mkdir(parents=True)
    (repo / "refs/main").write_text("abc")
    (repo / "blobs" / digest).symlink_to(weights_file)
    link = repo / "snapshots/abc/open_clip_model.safetensors"
    link.symlink_to(weights_file)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))

    state = torch.get_rng_state()
    backbone = load_style(DEFAULT_STYLE, "cpu", unpin(needs(DEFAULT_STYLE)))
    assert torch.equal(state, torch.get_rng_state())
    assert no_network == []
    assert backbone.id == DEFAULT_STYLE
    assert backbone.sha256 == digest
    assert torch.equal(backbone.encode_texts(TEXTS), style.encode_texts(TEXTS))

    with refused(WeightsError, "changed-file", "open_clip_model.safetensors"):
        load_style(DEFAULT_STYLE)  # the published digest is pinned


def test_openai_archive_loads_only_with_its_digest(weights_file, style, tmp_path):
    """OpenAI's ViT-B-32.pt is a TorchScript archive with three extra entries."""
    path = tmp_path / "ViT-B-32.pt"
    _as_torchscript(load_file(weights_file)).save(str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    backbone = load_style(DEFAULT_STYLE, "cpu", pinned(path, digest))
    assert torch.equal(backbone.encode_texts(TEXTS), style.encode_texts(TEXTS))
    with refused(WeightsError, "wrong-weights", "ViT-B-32.pt"):
        load_style(DEFAULT_STYLE, "cpu", pinned(path, digest[:8]))
    path.unlink()


def _as_torchscript(tensors: dict[str, torch.Tensor]) -> Any:
    root = torch.nn.Module()
    for key, value in tensors.items():
        *parents, name = key.split(".")
        module = root
        for parent in parents:
            if parent not in dict(module.named_children()):
                module.add_module(parent, torch.nn.Module())
            module = module.get_submodule(parent)
        module.register_buffer(name, value)
    for name, number in (("input_resolution", 224), ("context_length", 77), ("vocab_size", 49408)):
        root.register_buffer(name, torch.tensor(number))
    return torch.jit.script(root)


def test_file_of_another_architecture_is_refused(weights_file):
    with refused(WeightsError, "wrong-weights", "random.safetensors"):
        load_style(f"open_clip:ViT-B-16/{weights_file}")


def test_position_table_of_another_size_is_refused_not_interpolated(weights_file):
    """open_clip itself would resize it with no more than a log line."""
    with refused(WeightsError, "wrong-weights", "random.safetensors"):
        load_style(f"open_clip:ViT-B-32-256/{weights_file}")


def test_missing_local_file(tmp_path, empty_caches):
    spec = f"open_clip:{ARCHITECTURE}/{tmp_path}/absent.safetensors"
    with refused(WeightsError, "missing-weights") as caught:
        load_style(spec)
    assert "weights pull" not in str(caught.value)


def test_openai_weights_need_quick_gelu():
    with pytest.raises(WeightsError, match="Use open_clip:ViT-B-32-quickgelu/openai"):
        load_style("open_clip:ViT-B-32/openai")


def test_every_quick_gelu_tag_is_refused_and_its_remedy_exists():
    published = set(open_clip.list_pretrained())
    mismatched = [
        (name, tag)
        for name, tag in published
        if open_clip.get_pretrained_cfg(name, tag).get("quick_gelu")
        and not open_clip.get_model_config(name).get("quick_gelu")
        and "hf_model_name" not in open_clip.get_model_config(name)["text_cfg"]
    ]
    assert len(mismatched) > 20
    for name, tag in mismatched:
        with pytest.raises(WeightsError, match="QuickGELU"):
            clip_sources(Spec("open_clip", name, tag))
        assert (f"{name}-quickgelu", tag) in published
        assert clip_sources(Spec("open_clip", f"{name}-quickgelu", tag))


OPENAI = clip_sources(Spec("open_clip", ARCHITECTURE, "openai"))


@pytest.mark.parametrize("file", [item.name for item in OPENAI])
def test_openai_file_under_another_name_is_recognised_by_its_digest(file):
    digest = next(item.sha256 for item in OPENAI if item.name == file)
    assert len(digest) == 64
    located = Located("checkpoint", Path("my.bin"), digest, Source("my.bin"), pinned=False)
    spec = parse_spec("open_clip:ViT-B-32/my.bin")
    with refused(WeightsError, "mismatch"):
        refuse_openai_without_quick_gelu(spec, {}, located)
    refuse_openai_without_quick_gelu(spec, {"quick_gelu": True}, located)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("open_clip:ViT-B-33/openai", 'no architecture "ViT-B-33". Did you mean "ViT-B-32"'),
        ("open_clip:ViT-B-32/laion2b_s34b", 'Did you mean "ViT-B-32/laion2b_s34b_b79k"'),
        ("open_clip:hf-hub:someone/model", "no architecture"),
        ("open_clip:roberta-ViT-B-32/laion2b_s12b_b32k", "text encoder"),
        ("open_clip:ViT-B-32", "There is no backbone"),
        ("openclip:ViT-B-32-quickgelu/openai", 'Did you mean "open_clip:ViT-B-32-quickgelu/openai"'),
    ],
)
def test_unknown_names(spec, message, no_network):
    with pytest.raises(WeightsError) as caught:
        load_style(spec)
    assert message in str(caught.value)
    assert no_network == []


def test_tags_are_read_as_open_clip_reads_them():
    assert parse_spec("open_clip:ViT-B-32/LAION2B-s34b-b79k") == parse_spec("open_clip:ViT-B-32/laion2b_s34b_b79k")


def test_table_of_openai_models_agrees_with_open_clip():
    assert tuple(OPENAI_FILES) == OPENAI_MODELS
    for name, (repo, tail, _) in OPENAI_FILES.items():
        config = open_clip.get_pretrained_cfg(name, "openai")
        assert config["hf_hub"] == f"{repo}/"
        assert config["url"].endswith(f"/{tail}")


def test_tokenizer_of_transformers_absent(tmp_path, monkeypatch):
    path = tmp_path / "siglip.safetensors"
    save_file({"x": torch.zeros(1)}, path)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(RsesError, match=r'pip install "rses\[methods\]"'):
        load_style(f"open_clip:ViT-B-16-SigLIP/{path}")


def test_perceptual_names_are_told_apart():
    with refused(WeightsError, "unsupported"):
        load_style("lpips:alex")

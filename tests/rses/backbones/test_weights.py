"""Where weights are looked for, what is said when they are missing, and how their digests are remembered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchvision

from rses.backbones import digests, load_perceptual, load_style, require_weights
from rses.backbones.published import LPIPS_HEADS, LPIPS_TRUNKS, Need, Source, needs
from rses.backbones.specs import DEFAULT_STYLE
from rses.backbones.weights import find, hub_cache, locate, torch_checkpoints
from rses.errors import WeightsError
from rses.files.atomic import sha256_file
from tests.helpers.refusals import refused


def test_no_cache_and_no_network_is_one_error_without_a_try_to_connect(empty_caches, no_network):
    for load, spec, file in (
        (load_style, DEFAULT_STYLE, "open_clip_model.safetensors"),
        (load_perceptual, "lpips:alex", "alexnet-owt-7be5be79.pth"),
        (load_perceptual, "lpips:vgg", "vgg16-397923af.pth"),
        (load_perceptual, "lpips:squeeze", "squeezenet1_1-b8a52dc0.pth"),
    ):
        with pytest.raises(WeightsError) as caught:
            load(spec)
        message = str(caught.value)
        assert file in message
        assert f"rses weights pull {spec}\n" in message
        assert "--protocol rses-mini" in message
        assert str(empty_caches) in message  # the folders searched
    assert no_network == []


def test_one_error_names_every_missing_file(empty_caches, no_network):
    with pytest.raises(WeightsError) as caught:
        require_weights([DEFAULT_STYLE, "lpips:alex", "rses-mini"])
    message = str(caught.value)
    for part in ("open_clip_model.safetensors", "alexnet-owt-7be5be79.pth", "huggingface", "hub/checkpoints"):
        assert part in message
    assert message.count("Looked in") == 1
    assert no_network == []


def test_published_names_and_digests():
    weights = {
        "alex": torchvision.models.AlexNet_Weights.IMAGENET1K_V1,
        "vgg": torchvision.models.VGG16_Weights.IMAGENET1K_V1,
        "squeeze": torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1,
    }
    for net, published in weights.items():
        trunk, heads = needs(f"lpips:{net}")
        name, digest = LPIPS_TRUNKS[net]
        assert published.url == trunk.sources[0].url
        assert digest.startswith(Path(name).stem.rpartition("-")[2])  # torchvision's own pin
        assert len(digest) == 64
        path = find(heads.sources[0])
        assert path is not None
        assert sha256_file(path) == LPIPS_HEADS[net]


def test_folders_are_those_of_the_publishers_loaders(empty_caches, monkeypatch, tmp_path):
    assert torch_checkpoints() == Path(torch.hub.get_dir()) / "checkpoints"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert torch_checkpoints() == Path(torch.hub.get_dir()) / "checkpoints"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert torch_checkpoints() == Path(torch.hub.get_dir()) / "checkpoints" == tmp_path / "torch/hub/checkpoints"
    code = "import huggingface_hub.constants as c; print(c.HF_HUB_CACHE)"
    for name in (None, "HF_HOME", "HF_HUB_CACHE"):
        if name:
            monkeypatch.setenv(name, str(tmp_path / name))
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert Path(result.stdout.strip()) == hub_cache()


def test_weights_folder_comes_first_and_aliases_count(empty_caches, monkeypatch, tmp_path):
    source = Source("open_clip_model.safetensors", repo="timm/model", alias="Name--tag.safetensors")
    first, second = tmp_path / "first", tmp_path / "second"
    (second / "timm/model").mkdir(parents=True)
    first.mkdir()
    monkeypatch.setenv("RSES_WEIGHTS", os.pathsep.join([str(first), str(second)]))
    (first / source.name).touch()  # does not say of which model it is
    assert find(source) is None
    nested = second / "timm/model" / source.name
    nested.touch()
    assert find(source) == nested
    (first / source.alias).touch()
    assert find(source) == first / source.alias
    monkeypatch.setenv("RSES_WEIGHTS", str(tmp_path / "absent"))
    with refused(WeightsError, "not-a-folder"):
        find(source)


def test_files_of_addresses_lie_in_the_cache_of_torch_hub(empty_caches):
    trunk = needs("lpips:squeeze")[0].sources[0]
    archive = needs(DEFAULT_STYLE)[0].sources[-1]
    for source, folder in ((trunk, ".cache/torch/hub/checkpoints"), (archive, ".cache/torch/hub/checkpoints")):
        assert find(source) is None
        path = empty_caches / folder / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        assert find(source) == path
        with refused(WeightsError, "changed-file"):  # the digest of nothing
            locate("lpips:squeeze" if source is trunk else DEFAULT_STYLE)


def test_hub_cache_is_checked_against_the_name_of_its_blob(empty_caches, tmp_path):
    source = Source("open_clip_model.safetensors", repo="someone/model")
    repo = hub_cache() / "models--someone--model"
    for folder in ("refs", "blobs", "snapshots/abc"):
        (repo / folder).mkdir(parents=True)
    (repo / "refs/main").write_text("abc")
    data = tmp_path / "data"
    data.write_bytes(b"weights")
    good, wrong = sha256_file(data), "0" * 64
    link = repo / "snapshots/abc" / source.name
    for digest in (good, wrong):
        shutil.copyfile(data, repo / "blobs" / digest)
        link.unlink(missing_ok=True)
        link.symlink_to(Path("../../blobs") / digest)
        files = (Need("checkpoint", (source,)),)
        if digest == good:
            located = locate(DEFAULT_STYLE, files)["checkpoint"]
            assert located.sha256 == good
            assert located.pinned
        else:
            with refused(WeightsError, "changed-file", "open_clip_model.safetensors"):
                locate(DEFAULT_STYLE, files)


def test_digest_is_computed_once_and_again_after_a_change(empty_caches, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(digests, "sha256_file", lambda path: calls.append(path) or sha256_file(path))
    path = tmp_path / "large.bin"
    path.write_bytes(b"a" * digests.REMEMBERED_FROM_BYTES)
    first = digests.file_digest(path)
    assert first == sha256_file(path) == digests.file_digest(path)
    assert len(calls) == 1
    digests._remembered.cache_clear()  # as in the next process
    assert digests.file_digest(path) == first
    assert len(calls) == 1
    path.write_bytes(b"b" * digests.REMEMBERED_FROM_BYTES)
    os.utime(path, ns=(1, 1))
    assert digests.file_digest(path) == sha256_file(path) != first
    assert len(calls) == 2


@pytest.mark.parametrize("content", [None, "{", "[]", '{"x": 1}'])
def test_damaged_or_unwritable_store_does_no_harm(empty_caches, tmp_path, content):
    store = empty_caches / ".cache/rses/sha256.json"
    store.parent.mkdir(parents=True)
    if content is None:
        store.mkdir()  # cannot be replaced by a file
    else:
        store.write_text(content)
    path = tmp_path / "large.bin"
    path.write_bytes(b"c" * digests.REMEMBERED_FROM_BYTES)
    assert digests.file_digest(path) == sha256_file(path)


def test_importing_the_package_and_its_command_imports_no_torch():
    code = "import sys, rses.backbones, rses.cli.weights; print([m in sys.modules for m in ('torch', 'open_clip')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[False, False]"

"""The released file format: the 380 tensors on the published configuration, and every way a file can be wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark_data.recipes.full_size import build_meta_transformer
from regionroute.experts import load_expert, save_expert
from regionroute.lora_format import (
    LoraFile,
    LoraSettings,
    block_layers,
    lora_layers,
    lora_shapes,
    read_lora,
    target_pattern,
    write_lora,
)
from rses.errors import InputError, WeightsError
from tests.helpers.refusals import refused


def released_shapes(double=19, single=38, width=3072, rank=4):
    """The keys of the paper's files, written out independently of the code under test."""
    modules = [f"transformer_blocks.{i}.attn.{t}" for i in range(double) for t in ("to_q", "to_k", "to_v", "to_out.0")]
    modules += [f"single_transformer_blocks.{i}.attn.{t}" for i in range(single) for t in ("to_q", "to_k", "to_v")]
    shapes = {}
    for module in modules:
        shapes[f"transformer.{module}.lora_A.weight"] = (rank, width)
        shapes[f"transformer.{module}.lora_B.weight"] = (width, rank)
    return shapes


def random_tensors(shapes, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(shape, generator=generator).to(dtype) for key, shape in shapes.items()}


TINY = {"double": 2, "single": 2, "width": 32}


@pytest.fixture(scope="module")
def kontext():
    return build_meta_transformer()


@pytest.fixture
def expert_file(tmp_path):
    path = tmp_path / "pixel-art.safetensors"
    save_file(random_tensors(released_shapes(**TINY)), path)
    return path


def test_published_configuration_has_the_released_tensors(kontext):
    shapes = lora_shapes(lora_layers(kontext, LoraSettings()), 4)
    assert shapes == released_shapes()
    assert len(shapes) == 380
    assert sum(a * b for a, b in shapes.values()) == 4_669_440


def test_round_trip_of_a_released_file_on_the_published_configuration(kontext, tmp_path):
    tensors = random_tensors(released_shapes())
    path, again = tmp_path / "pixel-art.safetensors", tmp_path / "again.safetensors"
    save_file(tensors, path)
    assert 18.6e6 < path.stat().st_size < 18.8e6
    file = read_lora(path, kontext)
    assert file.settings == LoraSettings(rank=4)
    write_lora(again, file, "pixel art")
    written = load_file(again)
    assert written.keys() == tensors.keys()
    assert all(torch.equal(written[key], tensors[key]) for key in tensors)
    assert all(tensor.is_meta for tensor in kontext.parameters())


@pytest.mark.parametrize(
    ("streams", "double", "single"), [("both", 2, 2), ("double", 2, 0), ("single", 0, 2)], ids=lambda x: str(x)
)
def test_settings_are_inferred(tiny_transformer, tmp_path, streams, double, single):
    path = tmp_path / "x.safetensors"
    save_file(random_tensors(released_shapes(double, single, 32, rank=8)), path)
    assert read_lora(path, tiny_transformer).settings == LoraSettings(rank=8, streams=streams)


def test_other_targets_are_inferred(tiny_transformer, tmp_path):
    settings = LoraSettings(rank=2, streams="double", targets=("add_k_proj", "ff.net.2"))
    path = tmp_path / "x.safetensors"
    save_file(random_tensors(lora_shapes(lora_layers(tiny_transformer, settings), 2)), path)
    assert read_lora(path, tiny_transformer).settings == settings


def test_streams_are_told_apart_although_one_name_contains_the_other(tiny_transformer):
    double = lora_layers(tiny_transformer, LoraSettings(streams="double"))
    single = lora_layers(tiny_transformer, LoraSettings(streams="single"))
    assert all(name.startswith("transformer_blocks.") for name in double)
    assert all(name.startswith("single_transformer_blocks.") for name in single)
    assert {**double, **single} == lora_layers(tiny_transformer, LoraSettings())
    assert not re.fullmatch(target_pattern(LoraSettings()), "transformer_blocks.0.attn.to_q.base_layer")
    assert {"to_q", "to_out.0", "add_k_proj", "ff.net.0.proj"} <= set(block_layers(tiny_transformer, "double"))
    assert "to_out.0" not in block_layers(tiny_transformer, "single")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_read_as_float32(tiny_transformer, tmp_path, dtype):
    tensors = random_tensors(released_shapes(**TINY), dtype)
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    read = read_lora(path, tiny_transformer).tensors
    assert {f"transformer.{key}" for key in read} == tensors.keys()
    for key, value in read.items():
        assert value.dtype == torch.float32
        assert torch.equal(value, tensors[f"transformer.{key}"].float())


def test_equal_experts_give_equal_bytes(tiny_transformer, expert_file, tmp_path):
    file = read_lora(expert_file, tiny_transformer)
    entries = {"zeta": "1", "base": "kontext-mini", "alpha": "2"}
    paths = [tmp_path / "a", tmp_path / "b"]
    for path, keys in zip(paths, (entries, reversed(entries)), strict=True):
        tensors = dict(reversed(file.tensors.items())) if path.name == "b" else file.tensors
        write_lora(path, LoraFile(file.settings, tensors, {key: entries[key] for key in keys}), "pixel art")
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert read_lora(paths[0], tiny_transformer).metadata == {
        **entries,
        "format": "pt",
        "regionroute.style": "pixel art",
        "regionroute.rank": "4",
        "regionroute.streams": "both",
    }


FIRST = "transformer.transformer_blocks.0.attn.to_q.lora_A.weight"
SOUND = random_tensors(released_shapes(**TINY))
WRONG = {
    "no prefix": ({key.removeprefix("transformer."): value for key, value in SOUND.items()}, r"has 28 unknown keys"),
    "alpha": ({**SOUND, FIRST.replace("lora_A.weight", "alpha"): torch.tensor(8.0)}, r"1 unknown keys: .*alpha is"),
    "other tool": ({key.replace("lora_A", "lora_down"): value for key, value in SOUND.items()}, "14 unknown"),
    "other model": ({k.replace("transformer_blocks", "blocks"): v for k, v in SOUND.items()}, "layer that this transf"),
    "more blocks": (random_tensors(released_shapes(3, 2, 32)), r"blocks\.2\.attn\.to_k\.lora_A.* is for a layer"),
    "missing": ({key: value for key, value in SOUND.items() if key != FIRST}, rf"{FIRST} is missing.*28 tensors"),
    "wider": (random_tensors(released_shapes(2, 2, 48)), r"lora_A\.weight is F32 \(4, 48\), not floats \(4, 32\)"),
    "mixed ranks": (SOUND | random_tensors({FIRST: (8, 32)}), rf"{FIRST} is F32 \(8, 32\), not"),
    "not matrices": ({**SOUND, FIRST: torch.zeros(4)}, r"F32 \(4,\)"),
    "integers": ({key: value.int() for key, value in SOUND.items()}, r"is I32 \(4, 32\), not floats"),
    "NaN": ({**SOUND, FIRST: torch.full((4, 32), torch.nan)}, r"NaN or infinite values in .*to_q\.lora_A"),
    "no rank": ({key: value[:0, :0] for key, value in SOUND.items()}, "no matrix of rank 1"),
    "empty": ({}, "holds no tensors"),
}
HEADERS = [({"regionroute.rank": "16"}, "rank 16, but its tensors say 4"),
           ({"regionroute.streams": "single"}, "streams single, but its tensors say both")]  # fmt: skip


@pytest.mark.parametrize(
    ("tensors", "header", "message"),
    [*((tensors, None, message) for tensors, message in WRONG.values()), *((SOUND, *own) for own in HEADERS)],
    ids=[*WRONG, "header rank", "header streams"],
)
def test_a_file_that_does_not_fit_is_one_clear_error(tiny_transformer, tmp_path, tensors, header, message):
    path = tmp_path / "bad.safetensors"
    save_file(tensors, path, header)
    with pytest.raises(WeightsError, match=message) as error:
        read_lora(path, tiny_transformer)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_or_damaged_file_is_one_clear_error(tiny_transformer, expert_file, tmp_path):
    with refused(WeightsError, "missing-weights"):
        read_lora(tmp_path / "absent.safetensors", tiny_transformer)
    with refused(WeightsError, "missing-weights"):
        read_lora(tmp_path, tiny_transformer)
    content = expert_file.read_bytes()
    torch.save({"a": torch.zeros(2)}, expert_file)
    for data in (expert_file.read_bytes(), content[:-100], content[:5], b"<html>" * 50, b""):
        expert_file.write_bytes(data)
        with refused(WeightsError, "damaged", "pixel-art.safetensors"):
            read_lora(expert_file, tiny_transformer)


@pytest.mark.parametrize(
    "options", [{"rank": 0}, {"rank": 2.5}, {"rank": True}, {"streams": "triple"}, {"targets": ()}, {"targets": "to_q"}]
)
def test_settings_out_of_range(options):
    with refused(InputError, "wrong-argument"):
        LoraSettings(**options)


def test_nothing_is_written_when_the_folder_cannot_be(tiny_transformer, expert_file, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        write_lora(tmp_path / "file" / "x.safetensors", read_lora(expert_file, tiny_transformer), "pixel art")


def adapter(**changes):
    facts = {"r": 4, "lora_alpha": 16, "alpha_pattern": {}, "rank_pattern": {}, "use_rslora": False} | changes
    return {"lora_adapter_metadata": json.dumps({f"transformer.{key}": value for key, value in facts.items()})}


def test_a_factor_that_diffusers_states_is_applied_as_diffusers_does(make_tiny, tmp_path):
    from diffusers import FluxKontextPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    trained = make_tiny()
    trained.add_adapter(LoraConfig(r=4, lora_alpha=16, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    for name, values in trained.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(values, std=0.05, generator=torch.Generator().manual_seed(0))
    FluxKontextPipeline.save_lora_weights(
        tmp_path, get_peft_model_state_dict(trained), weight_name="pixel-art.safetensors",
        transformer_lora_adapter_metadata=trained.peft_config["default"].to_dict(),
    )  # fmt: skip
    file = read_lora(tmp_path / "pixel-art.safetensors", make_tiny())
    stored = load_file(tmp_path / "pixel-art.safetensors")
    for key, value in file.tensors.items():
        factor = 4 if "lora_B" in key else 1
        torch.testing.assert_close(value, factor * stored[f"transformer.{key}"], rtol=0, atol=0)
    layer = trained.transformer_blocks[0].attn.to_q
    a, b = (file.tensors[f"transformer_blocks.0.attn.to_q.lora_{matrix}.weight"] for matrix in "AB")
    torch.testing.assert_close(b @ a, layer.get_delta_weight("default"))
    # Written anew it is applied once more, not twice.
    write_lora(tmp_path / "again.safetensors", file, "pixel art")
    again = read_lora(tmp_path / "again.safetensors", make_tiny())
    assert all(torch.equal(again.tensors[key], value) for key, value in file.tensors.items())


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        (adapter(alpha_pattern={"to_q": 2}), "unsupported"),
        (adapter(use_rslora=True), "unsupported"),
        (adapter(r=8), "unsupported"),
        (adapter(lora_alpha="x"), "not-json"),
        ({"lora_adapter_metadata": "[1"}, "not-json"),
    ],
)
def test_factors_that_cannot_be_applied_are_refused(tiny_transformer, tmp_path, metadata, code):
    path = tmp_path / "pixel-art.safetensors"
    save_file(random_tensors(released_shapes(**TINY)), path, metadata)
    with refused(WeightsError, code):
        read_lora(path, tiny_transformer)


OLD = Path(__file__).parent / "data" / "old-expert.safetensors"
"""Written by ``save_expert`` before diffusers named the tensors: rank 1, double blocks, to_q and to_v alone."""


def test_files_written_before_load_and_are_written_alike(make_tiny, tmp_path):
    from peft import get_peft_model_state_dict

    transformer = make_tiny()
    settings = load_expert(transformer, "line art", OLD)
    assert settings == LoraSettings(1, "double", ("to_q", "to_v"))
    loaded, stored = get_peft_model_state_dict(transformer, adapter_name="line-art"), load_file(OLD)
    assert {f"transformer.{key}" for key in loaded} == stored.keys()
    assert all(torch.equal(value, stored[f"transformer.{key}"]) for key, value in loaded.items())
    save_expert(transformer, "line art", tmp_path / "again.safetensors", {"base": "tiny", "seed": "0"})
    assert (tmp_path / "again.safetensors").read_bytes() == OLD.read_bytes()

"""Every adapter, through ``from_pretrained`` on a tiny pipeline of its true class."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from baselines.anyedit import AnyEdit
from baselines.flux import BUCKETS
from baselines.flux_kontext import FluxKontext, KontextInpaint
from baselines.icedit import IcEdit
from baselines.instruct_pix2pix import InstructPix2Pix
from baselines.ledits import LeditsPP
from baselines.prompt_to_prompt import PromptToPrompt
from baselines.qwen_image_edit import QwenImageEdit, QwenImageEdit2509
from baselines.sd2_inpainting import Sd2Inpainting
from baselines.sdedit import SdEdit
from baselines.sizes import resize, to_bytes
from rses.backbones.hub import folder_digest, weights_facts
from rses.errors import InputError, RsesError, WeightsError
from rses.methods import Method, get_method, list_methods
from tests.helpers.refusals import refused

DIFFUSERS = [
    FluxKontext, KontextInpaint, InstructPix2Pix, AnyEdit, Sd2Inpainting, SdEdit, LeditsPP, IcEdit, PromptToPrompt,
]  # fmt: skip


def loaded(kind, tiny, **options):
    method = kind(str(tiny(kind.pipeline)), **options)
    method.load("cpu", "float32")
    return method


def blind(sample):
    return dataclasses.replace(sample, mask=None)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DIFFUSERS, ids=lambda kind: kind.facts.name)
def test_contract(kind, tiny, samples):
    method = loaded(kind, tiny)
    assert isinstance(method, Method)
    assert set(method.loaded) == {"sha256"}
    shown = samples if method.card.mask_used else [blind(sample) for sample in samples]
    alone = [method.edit([sample])[0] for sample in shown]
    for sample, edited in zip(shown, alone, strict=True):
        assert edited.image.shape == sample.image.shape
        assert edited.image.dtype == np.uint8
        width, height = map(int, edited.details["size"].split("x"))
        assert (width, height) == method.size_rule.choose(48, 40)
    again = method.edit([shown[0]])[0]
    assert np.array_equal(again.image, alone[0].image)
    other = method.edit([dataclasses.replace(shown[0], seed=7)])[0]
    # The direct path of prompt-to-prompt draws no noise at all.
    assert (kind is PromptToPrompt) == np.array_equal(other.image, alone[0].image)
    if method.card.max_batch > 1:
        together = method.edit(list(reversed(shown)))
        for one, many in zip(alone, reversed(together), strict=True):
            assert np.abs(one.image.astype(int) - many.image).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in DIFFUSERS if kind.facts.mask_used], ids=lambda kind: kind.facts.name)
def test_methods_that_are_said_to_use_the_mask_do(kind, tiny, samples):
    method = loaded(kind, tiny)
    moved = dataclasses.replace(samples[0], mask=np.roll(samples[0].mask, 12, axis=0))
    assert not np.array_equal(method.edit([samples[0]])[0].image, method.edit([moved])[0].image)


def test_kontexts_sizes_are_the_pipelines():
    from diffusers.pipelines.flux.pipeline_flux_kontext import PREFERRED_KONTEXT_RESOLUTIONS

    assert tuple(PREFERRED_KONTEXT_RESOLUTIONS) == BUCKETS


def test_kontext_equals_the_stock_call_at_its_own_size(tiny, samples):
    import torch
    from diffusers import FluxKontextPipeline
    from PIL import Image

    method = loaded(FluxKontext, tiny)
    square = dataclasses.replace(samples[0], image=np.kron(samples[0].image[:8, :8], np.ones((8, 8, 1), np.uint8)))
    pipe = FluxKontextPipeline.from_pretrained(tiny("FluxKontextPipeline"))
    pipe.set_progress_bar_config(disable=True)
    stock = pipe(
        image=Image.fromarray(square.image), prompt=square.prompt, width=64, height=64, max_area=64 * 64,
        num_inference_steps=2, guidance_scale=1.0, max_sequence_length=24, _auto_resize=False,
        generator=torch.Generator().manual_seed(square.seed),
    ).images[0]  # fmt: skip
    assert np.array_equal(np.asarray(stock), method.edit([square])[0].image)


@pytest.mark.parametrize("kind", [FluxKontext, KontextInpaint, QwenImageEdit, QwenImageEdit2509, IcEdit])
def test_a_large_model_without_a_gpu_says_what_it_needs(kind):
    method = kind(kind.facts.weights)
    with pytest.raises(RsesError, match=rf"needs a GPU with about {kind.facts.memory_gb} GB.*allow_cpu=true"):
        method.load("cpu", "float32")


def test_an_unreachable_hub_says_what_to_do(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    method = InstructPix2Pix("someone/who-is-not-there")
    with pytest.raises(
        WeightsError, match=r"instruct-pix2pix: cannot load the weights someone/who-is-not-there.*hf auth login"
    ):
        method.load("cpu", "float32")


@pytest.mark.slow
def test_loading_is_silent_where_nobody_watches(tiny, capfd):
    loaded(InstructPix2Pix, tiny)
    assert "%|" not in capfd.readouterr().err


def test_gated_weights_say_how_to_log_in(monkeypatch):
    from types import SimpleNamespace

    from diffusers import FluxKontextPipeline
    from huggingface_hub.errors import GatedRepoError

    def refuse(*_, **__):
        response = SimpleNamespace(headers={}, request=None, status_code=403)
        raise GatedRepoError("Access to this model is restricted.", response=response)

    monkeypatch.setattr(FluxKontextPipeline, "from_pretrained", refuse)
    method = FluxKontext(FluxKontext.facts.weights, allow_cpu=True)
    with pytest.raises(WeightsError, match=r"restricted.*accept its licence.*`hf auth login`.*--variant mini"):
        method.load("cpu", "float32")


def test_a_broken_weight_file_is_an_error_with_the_folder(tiny, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(tiny("StableDiffusionInstructPix2PixPipeline"), folder)
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:200])
    with refused(WeightsError, "wrong-weights"):
        InstructPix2Pix(str(folder)).load("cpu", "float32")


@pytest.mark.parametrize(
    ("source", "place"), [("", ""), ("unet", ""), ("unet", "unet")], ids=["pipeline", "model", "unet"]
)
def test_weights_of_the_hub_are_recorded_by_commit_and_digest(source, place, tiny, tmp_path, monkeypatch):
    commit, cache = "0123abc", tmp_path / "models--a--b"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text(commit)
    snapshot = cache / "snapshots" / commit
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert weights_facts("a/b", "main") == {"weights": "a/b", "revision": "main"}
    shutil.copytree(tiny("StableDiffusionInstructPix2PixPipeline") / source, snapshot / place)
    facts = weights_facts("a/b", "main")
    assert facts == {"weights": "a/b", "revision": commit, "sha256": folder_digest(snapshot)}


def test_the_digest_is_over_the_weights_that_are_loaded(tiny, tmp_path):
    folder = tmp_path / "pipeline"
    shutil.copytree(tiny("StableDiffusionInstructPix2PixPipeline"), folder)
    before, parts = folder_digest(folder), ("unet", "vae", "text_encoder")
    assert folder_digest(folder, parts) == before
    assert folder_digest(folder, ("unet", "vae")) != before
    method = InstructPix2Pix(str(folder))
    method.load("cpu", "float32")
    assert method.loaded == {"sha256": before}
    for extra in ("whole.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors", "unet/pytorch_model.bin"):
        (folder / extra).write_bytes(b"not loaded")
    assert folder_digest(folder) == before
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("elsewhere.safetensors"))
    assert folder_digest(folder) != before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("kind", DIFFUSERS, ids=lambda kind: kind.facts.name)
def test_an_answer_that_is_not_finite_fails_its_own_sample_alone(kind, tiny, samples, monkeypatch):
    method = loaded(kind, tiny)
    shown = samples[: min(2, method.card.max_batch)]
    if not method.card.mask_used:
        shown = [blind(sample) for sample in shown]
    decode = method.pipe.vae.decode

    def spoilt(latents, *arguments, **options):
        latents = latents.clone()
        latents[-1] = float("nan")
        return decode(latents, *arguments, **options)

    whole = method.edit(shown)[0].image
    monkeypatch.setattr(method.pipe.vae, "decode", spoilt)
    images = [edited.image for edited in method.edit(shown)]
    assert not np.isfinite(images[-1]).any()
    assert len(images) == 1 or np.array_equal(images[0], whole)


def lanczos(pixels, count):
    """Enlarge the first axis to ``count`` with a Lanczos filter of three lobes."""
    factor = len(pixels) / count
    offsets = (np.arange(count)[:, None] + 0.5) * factor - 0.5 - np.arange(len(pixels))
    weights = np.where(np.abs(offsets) < 3, np.sinc(offsets) * np.sinc(offsets / 3), 0)
    return np.tensordot(weights / weights.sum(1, keepdims=True), pixels, 1)


def test_pixels_are_rounded_once(samples):
    pixels = samples[0].image.astype(np.float32) / 255
    assert np.array_equal(to_bytes(pixels, (48, 40)), samples[0].image)
    noise = np.random.default_rng(0).uniform(0.3, 0.7, (40, 48, 3)).astype(np.float32)
    exact = 255 * lanczos(lanczos(noise.astype(float), 80).swapaxes(0, 1), 96).swapaxes(0, 1)
    assert np.abs(to_bytes(noise, (96, 80)) - exact).max() <= 0.5 + 1e-3
    twice = resize((noise * 255).round().astype(np.uint8), (96, 80))
    assert np.abs(twice - exact).max() > 1


def test_a_mask_of_another_size_is_refused(tiny, samples):
    method = loaded(Sd2Inpainting, tiny)
    with refused(InputError, "wrong-size"):
        method.edit([dataclasses.replace(samples[0], mask=np.ones((20, 24), bool))])


@pytest.mark.parametrize(
    ("kind", "variant", "options", "code", "field"),
    [
        (QwenImageEdit, None, {"allow_cpu": "no"}, "wrong-argument", "allow_cpu"),
        (IcEdit, None, {"offload": 1}, "wrong-argument", "offload"),
        (PromptToPrompt, None, {"revision": 5}, "wrong-argument", "revision"),
        (IcEdit, None, {"revision": None}, "wrong-argument", "revision"),
        (IcEdit, 5, {}, "wrong-argument", "variant"),
        (QwenImageEdit, "mini", {}, "missing-weights", "variant"),
        (InstructPix2Pix, "x/y", {"stepz": 3}, "unknown-key", "stepz"),
        (InstructPix2Pix, "x/y", {"steps": "many"}, "wrong-argument", "steps"),
        (InstructPix2Pix, "x/y", {"steps": 0}, "out-of-range", "steps"),
        (InstructPix2Pix, "x/y", {"guidance": True}, "wrong-argument", "guidance"),
        (PromptToPrompt, "x/y", {"inversion": "magic"}, "unknown-value", "inversion"),
    ],
)
def test_arguments_are_checked_when_the_method_is_built(kind, variant, options, code, field):
    with refused(InputError, code, field):
        kind(variant, **options)


@pytest.mark.parametrize("name", list_methods())
def test_every_registered_method_has_a_card(name):
    card = get_method(name).card
    assert card.title
    assert card.reference or name in ("style-editor", "global-then-paste", "segment-then-paste") or card.year >= 2022
    assert card.memory_gb > 0 or card.reference or name in ("style-editor", "regionroute")


def test_an_answer_of_another_size_is_refused(tiny, samples, monkeypatch):
    """Otherwise it would be stretched back without a word, as Kontext's own choice of sizes would be."""
    method = loaded(InstructPix2Pix, tiny)
    monkeypatch.setattr(method, "run", lambda request: [np.zeros((8, 8, 3), np.uint8)])
    with refused(RsesError, "wrong-result"):
        method.edit([blind(samples[0])])


def test_icedits_card_names_the_lora_that_is_used(tmp_path):
    assert IcEdit().parts() == {"lora": "RiverZ/normal-lora"}
    assert IcEdit(lora="").parts() == {}
    assert [IcEdit().size_rule.choose(*size) for size in [(640, 480), (480, 640)]] == [(512, 384), (512, 688)]
    assert IcEdit().card.settings["lora"] == "RiverZ/normal-lora"
    assert IcEdit(str(tmp_path)).card.settings["lora"] == ""
    assert IcEdit(str(tmp_path), lora="a/b").card.settings["lora"] == "a/b"
    (tmp_path / "use.json").write_text('{"lora": "c/d"}')
    assert IcEdit(str(tmp_path)).card.settings["lora"] == "c/d"


@pytest.mark.slow
def test_icedits_lora_is_loaded_and_identified(tiny, samples, tmp_path):
    import torch
    from diffusers import FluxFillPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    plain = loaded(IcEdit, tiny)
    transformer = FluxFillPipeline.from_pretrained(tiny("FluxFillPipeline")).transformer
    torch.manual_seed(0)
    transformer.add_adapter(LoraConfig(r=2, lora_alpha=2, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    FluxFillPipeline.save_lora_weights(tmp_path, transformer_lora_layers=get_peft_model_state_dict(transformer))
    styled = loaded(IcEdit, tiny, lora=str(tmp_path))
    assert set(styled.loaded) == {"sha256", "lora"}
    assert len(styled.loaded["lora"]["sha256"]) == 64
    assert styled.loaded["sha256"] == plain.loaded["sha256"]
    sample = blind(samples[0])
    assert not np.array_equal(styled.edit([sample])[0].image, plain.edit([sample])[0].image)

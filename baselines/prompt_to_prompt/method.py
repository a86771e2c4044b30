"""Prompt-to-prompt as a method of the bench."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.prompt_to_prompt.alignment import refine_map, replace_map, word_positions
from baselines.prompt_to_prompt.control import Control, controlled
from baselines.prompt_to_prompt.inversion import INVERSIONS, PREDICTIONS, invert, null_text, to_noise
from baselines.sizes import Near, SizeRule
from baselines.templates import CaptionPair, caption_pair, exchanged_pair
from rses.errors import InputError, RsesError
from rses.methods import EditSample

__all__ = ["PromptToPrompt"]

EDITS = ("refine", "replace")


class PromptToPrompt(DiffusersMethod):
    """Edits by a pair of captions, one picture at a time.

    Settings: ``inversion`` is "direct" (the source's path is put back at every step: exact, no search; the idea of
    arXiv 2310.01506), "ddim" or "null-text"; ``edit`` is "refine" or "replace"; ``reweight`` multiplies the attention
    to the words that only the target caption has.

    Example:
        >>> PromptToPrompt("stable-diffusion-v1-5/stable-diffusion-v1-5").card.settings["inversion"]
        'direct'
    """

    facts = Facts(
        "prompt-to-prompt", "Prompt-to-prompt on Stable Diffusion 1.5", "arXiv 2208.01626", 2023,
        "stable-diffusion-v1-5/stable-diffusion-v1-5", "CreativeML Open RAIL-M", memory_gb=6, dtype="float16",
        max_batch=1, mini="sd-mini",
        settings={
            "steps": 50, "guidance": 7.5, "inversion": "direct", "edit": "refine", "cross_share": 0.8,
            "self_share": 0.5, "reweight": 1.0,
        },
    )  # fmt: skip
    pipeline = "StableDiffusionPipeline"

    def __init__(self, variant: str | None = None, **options: Any):
        super().__init__(variant, **options)
        for name, known in (("inversion", INVERSIONS), ("edit", EDITS)):
            if self.settings[name] not in known:
                raise InputError(f"prompt-to-prompt: {name} must be one of {', '.join(known)}.")

    def choose_sizes(self) -> SizeRule:
        """About 512 x 512."""
        return Near(int(self.use.get("side", 512)), int(self.use.get("multiple", 64)))

    def build(self, dtype: str) -> Any:
        """Inversion needs the deterministic scheduler, told the noise whatever the UNet predicts."""
        from diffusers import DDIMScheduler

        pipe = super().build(dtype)
        self._predicts = pipe.scheduler.config.get("prediction_type", "epsilon")
        if self._predicts not in PREDICTIONS:
            raise RsesError(
                f"prompt-to-prompt takes UNets that predict {' or '.join(PREDICTIONS)}; the one of {self.source} "
                f"predicts {self._predicts}."
            )
        pipe.scheduler = DDIMScheduler.from_config(
            pipe.scheduler.config, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type="epsilon"
        )
        return pipe

    def run(self, request: Request) -> list[np.ndarray]:
        """Invert, edit, decode."""
        return [self.edit_picture(request.images[0], self._captions(request.samples[0]))[1]]

    def _captions(self, sample: EditSample) -> CaptionPair:
        return exchanged_pair(sample) if self.settings["edit"] == "replace" else caption_pair(sample)

    def edit_picture(self, image: Image.Image, captions: CaptionPair) -> tuple[np.ndarray, np.ndarray]:
        """Return the source as the model gives it back, and the edit, both (H, W, 3) uint8."""
        self.pipe.scheduler.set_timesteps(self.settings["steps"])
        text = self._encode([captions.source, captions.target])
        empty = self._encode([""])
        path = invert(self._latent(image), text[:1], self._noise, self.pipe.scheduler)
        nulls = [empty] * self.settings["steps"]
        if self.settings["inversion"] == "null-text":
            nulls = null_text(
                path, text[:1], empty, self._noise, self.pipe.scheduler, guidance=self.settings["guidance"]
            )
        source, target = self._denoise(path, text, nulls, self._control(captions))
        return self._decode(source), self._decode(target)

    @torch.no_grad()
    def _denoise(
        self, path: list[torch.Tensor], text: torch.Tensor, nulls: list[torch.Tensor], control: Control
    ) -> torch.Tensor:
        latents = path[-1].repeat(2, 1, 1, 1)
        scheduler, guidance = self.pipe.scheduler, self.settings["guidance"]
        timesteps = scheduler.timesteps.tolist()
        with controlled(self.pipe.unet, control):
            for number, timestep in enumerate(timesteps):
                control.progress = number / len(timesteps)
                states = torch.cat([nulls[number].repeat(2, 1, 1), text])
                unconditional, conditional = self._noise(latents.repeat(2, 1, 1, 1), timestep, states).chunk(2)
                guided = unconditional + guidance * (conditional - unconditional)
                latents = scheduler.step(guided, timestep, latents).prev_sample
                if self.settings["inversion"] == "direct":
                    latents = torch.cat([path[-number - 2], latents[1:]])
        return latents.split(1)  # type: ignore[return-value]

    def _control(self, captions: CaptionPair) -> Control:
        source, target, added = (self._tokens(text) for text in (captions.source, captions.target, captions.added))
        align = refine_map if self.settings["edit"] == "refine" else replace_map
        index, shared = align(source, target)
        weights = torch.ones(len(target))
        weights[word_positions(target, _words(added))] = float(self.settings["reweight"])
        return Control(index, shared, weights, self.settings["cross_share"], self.settings["self_share"])

    def _tokens(self, text: str) -> list[int]:
        tokenizer = self.pipe.tokenizer
        ids: list[int] = tokenizer(
            text, padding="max_length", max_length=tokenizer.model_max_length, truncation=True
        ).input_ids
        return ids

    @torch.no_grad()
    def _encode(self, texts: list[str]) -> torch.Tensor:
        ids = torch.tensor([self._tokens(text) for text in texts], device=self.pipe.device)
        states: torch.Tensor = self.pipe.text_encoder(ids)[0]
        return states

    def _noise(self, latents: torch.Tensor, timestep: int, states: torch.Tensor) -> torch.Tensor:
        predicted = self.pipe.unet(latents, timestep, encoder_hidden_states=states).sample
        return to_noise(predicted, latents, self.pipe.scheduler.alphas_cumprod[timestep], self._predicts)

    @torch.no_grad()
    def _latent(self, image: Image.Image) -> torch.Tensor:
        vae = self.pipe.vae
        pixels = self.pipe.image_processor.preprocess(image).to(vae.device, vae.dtype)
        latent: torch.Tensor = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
        return latent

    @torch.no_grad()
    def _decode(self, latent: torch.Tensor) -> np.ndarray:
        vae = self.pipe.vae
        pixels = vae.decode(latent / vae.config.scaling_factor).sample
        return np.asarray(self.pipe.image_processor.postprocess(pixels, output_type="pil")[0])


def _words(tokens: list[int]) -> list[int]:
    """Drop begin, end and padding."""
    end = tokens.index(tokens[-1], 1)
    return tokens[1:end]

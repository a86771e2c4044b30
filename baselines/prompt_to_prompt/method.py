"""Prompt-to-prompt as a method of the bench."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.prompt_to_prompt.alignment import refine_map, replace_map, word_positions
from baselines.prompt_to_prompt.control import Control, controlled
from baselines.prompt_to_prompt.inversion import INVERSIONS, PREDICTIONS, invert, null_text, to_noise
from baselines.templates import CaptionPair, caption_pair, exchanged_pair
from rses.errors import InputError, Place, RsesError
from rses.methods import EditSample

EDITS = ("refine", "replace")


class PromptToPrompt(DiffusersMethod):
    """Edits by a pair of captions.

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
        max_batch=8, mini="sd-mini",
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
                raise InputError(
                    f"prompt-to-prompt: {name} must be one of {', '.join(known)}.",
                    code="unknown-value",
                    place=Place(field=name),
                )

    def build(self, dtype: str) -> Any:
        """Inversion needs the deterministic scheduler, told the noise whatever the UNet predicts."""
        from diffusers import DDIMScheduler

        pipe = super().build(dtype)
        self._predicts = pipe.scheduler.config.get("prediction_type", "epsilon")
        if self._predicts not in PREDICTIONS:
            raise RsesError(
                f"prompt-to-prompt takes UNets that predict {' or '.join(PREDICTIONS)}; the one of {self.source} "
                f"predicts {self._predicts}.",
                code="unsupported",
            )
        pipe.scheduler = DDIMScheduler.from_config(
            pipe.scheduler.config, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type="epsilon"
        )
        return pipe

    def run(self, request: Request) -> list[np.ndarray]:
        """Invert, edit, decode."""
        latents = self.edit_latents(request.images, [self._captions(sample) for sample in request.samples])[1]
        return self._decode(latents)

    def _captions(self, sample: EditSample) -> CaptionPair:
        return exchanged_pair(sample) if self.settings["edit"] == "replace" else caption_pair(sample)

    def edit_latents(
        self, images: Sequence[Image.Image], captions: Sequence[CaptionPair]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the latents of the sources as the model gives them back, and of the edits, both (B, C, h, w)."""
        self.pipe.scheduler.set_timesteps(self.settings["steps"])
        source = self._encode([pair.source for pair in captions])
        target = self._encode([pair.target for pair in captions])
        path = invert(self._latents(images), source, self._noise, self.pipe.scheduler)
        return self._denoise(path, source, target, self._nulls(path, source), self._control(captions))

    def _nulls(self, path: list[torch.Tensor], text: torch.Tensor) -> list[torch.Tensor]:
        """Return the text states that every step guides away from, (1, L, D) or one per picture."""
        empty = self._encode([""])
        if self.settings["inversion"] != "null-text":
            return [empty] * self.settings["steps"]
        found = [
            null_text(
                [latents[number : number + 1] for latents in path], text[number : number + 1], empty, self._noise,
                self.pipe.scheduler, guidance=self.settings["guidance"],
            )
            for number in range(len(text))
        ]  # fmt: skip
        return [torch.cat(states) for states in zip(*found, strict=True)]

    @torch.no_grad()
    def _denoise(
        self, path: list[torch.Tensor], source: torch.Tensor, target: torch.Tensor, nulls: list[torch.Tensor],
        control: Control,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        scheduler, guidance, count = self.pipe.scheduler, self.settings["guidance"], len(source)
        # A source that is put back at every step needs no guidance: its maps under its caption are all that is used.
        first = count if self.settings["inversion"] == "direct" else 0
        latents = path[-1].repeat(2, 1, 1, 1)
        timesteps = scheduler.timesteps.tolist()
        with controlled(self.pipe.unet, control):
            for number, timestep in enumerate(timesteps):
                control.progress = number / len(timesteps)
                null = nulls[number].expand_as(source)
                states = torch.cat([torch.cat([null, null])[first:], source, target])
                noise = self._noise(torch.cat([latents[first:], latents]), timestep, states)
                unconditional, conditional = noise[: -2 * count], noise[-2 * count :][first:]
                guided = unconditional + guidance * (conditional - unconditional)
                moved = scheduler.step(guided, timestep, latents[first:]).prev_sample
                latents = torch.cat([path[-number - 2][:first], moved])
        return latents[:count], latents[count:]

    def _control(self, captions: Sequence[CaptionPair]) -> Control:
        align = refine_map if self.settings["edit"] == "refine" else replace_map
        aligned, weights = [], []
        for pair in captions:
            source, target, added = (self._tokens(text) for text in (pair.source, pair.target, pair.added))
            aligned.append(align(source, target))
            factors = torch.ones(len(target))
            factors[word_positions(target, own_tokens(added, self.pipe.tokenizer.eos_token_id))] = float(
                self.settings["reweight"]
            )
            weights.append(factors)
        index, shared = (torch.stack(parts) for parts in zip(*aligned, strict=True))
        return Control(index, shared, torch.stack(weights), self.settings["cross_share"], self.settings["self_share"])

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
    def _latents(self, images: Sequence[Image.Image]) -> torch.Tensor:
        vae = self.pipe.vae
        pixels = self.pipe.image_processor.preprocess(list(images)).to(vae.device, vae.dtype)
        latents: torch.Tensor = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
        return latents

    @torch.no_grad()
    def _decode(self, latents: torch.Tensor) -> list[np.ndarray]:
        vae = self.pipe.vae
        pixels = vae.decode(latents / vae.config.scaling_factor).sample
        return list(self.pipe.image_processor.postprocess(pixels, output_type="np"))


def own_tokens(tokens: list[int], end: int) -> list[int]:
    """Drop begin, end and padding; padding need not be the end token, as in Stable Diffusion 2."""
    return tokens[1 : tokens.index(end, 1)]

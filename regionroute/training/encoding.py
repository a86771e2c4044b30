"""Encode training pairs once; what is kept is found by sample id and content, so that nothing can be mispaired."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors
import safetensors.torch
import torch

from regionroute.data import TrainingPair
from regionroute.flux import encode_pixels, pack, to_pixels
from regionroute.grid import mask_to_grid
from regionroute.tokens import prompt_positions
from rses.files.atomic import sha256_file, write_atomic
from rses.images.decode import read_image
from rses.images.masks import read_mask

if TYPE_CHECKING:
    from diffusers import FluxKontextPipeline


@dataclass(frozen=True)
class EncodedPair:
    """One pair as the transformer reads it.

    Attributes:
        id: Sample id.
        target: (N, 64) tokens of the pseudo-ground truth.
        context: (N, 64) tokens of the source.
        mask: (N,) share of every token's area inside the object.
        text: (L, D) token states of the prompt.
        pooled: (P,) pooled prompt.
        positions: Places of the style phrase among the L text tokens.
    """

    id: str
    target: torch.Tensor
    context: torch.Tensor
    mask: torch.Tensor
    text: torch.Tensor
    pooled: torch.Tensor
    positions: tuple[int, ...]


@dataclass(frozen=True)
class PairBatch:
    """Encoded pairs stacked; positions stay a list, each sample has its own."""

    ids: list[str]
    target: torch.Tensor
    context: torch.Tensor
    mask: torch.Tensor
    text: torch.Tensor
    pooled: torch.Tensor
    positions: list[tuple[int, ...]]


class PairEncoder:
    """Encodes pairs with a pipeline's own encoders.

    Args:
        pipe: Base model.
        resolution: Side of the square that images are resized to.
        text_length: T5 tokens.
        cache: Folder that keeps latents and text states between runs.
        identity: Name of the base model and revision, part of every cache key beside a digest of its encoders.
    """

    def __init__(self, pipe: FluxKontextPipeline, resolution: int, text_length: int, cache: Path | None, identity: str):
        self.grid = (resolution // (pipe.vae_scale_factor * 2),) * 2
        self._pipe, self._resolution, self._text_length = pipe, resolution, text_length
        self._cache, self._identity = cache, f"{identity}|{pipe.dtype}|{_fingerprint(pipe)}"

    def encode(self, pair: TrainingPair) -> EncodedPair:
        """Encode one pair, or read what was kept for exactly these files."""
        source = self._tokens(f"{pair.id}-source", pair.source)
        target = source if pair.target == pair.source else self._tokens(f"{pair.id}-target", pair.target)
        words = self._kept("text", f"{pair.prompt}|{self._text_length}", lambda: self._states(pair.prompt))
        positions = prompt_positions(self._pipe.tokenizer_2, pair.prompt, self._text_length)
        mask = torch.from_numpy(np.ascontiguousarray(read_mask(pair.mask)))
        return EncodedPair(
            pair.id, target, source, mask_to_grid(mask, self.grid), words["states"], words["pooled"], positions
        )

    def _tokens(self, name: str, path: Path) -> torch.Tensor:
        return self._kept(name, f"{sha256_file(path)}|{self._resolution}", lambda: self._latents(path))["tokens"]

    def _latents(self, path: Path) -> dict[str, torch.Tensor]:
        pixels = to_pixels(read_image(path), (self._resolution, self._resolution))
        return {"tokens": pack(encode_pixels(self._pipe.vae, pixels[None]))[0].float().cpu()}

    @torch.no_grad()
    def _states(self, prompt: str) -> dict[str, torch.Tensor]:
        states, pooled, _ = self._pipe.encode_prompt(
            prompt=prompt, prompt_2=None, device=self._pipe.device, max_sequence_length=self._text_length
        )
        return {"states": states[0].float().cpu(), "pooled": pooled[0].float().cpu()}

    def _kept(self, name: str, content: str, make) -> dict[str, torch.Tensor]:  # noqa: ANN001
        if self._cache is None:
            return make()
        key = hashlib.sha256(f"{self._identity}|{content}".encode()).hexdigest()[:24]
        path = self._cache / f"{name}-{key}.safetensors"
        if path.exists():
            # A damaged file is made again.
            with contextlib.suppress(safetensors.SafetensorError):
                return safetensors.torch.load_file(path)
        values = {k: v.contiguous() for k, v in make().items()}
        write_atomic(path, safetensors.torch.save(values))
        return values


@torch.no_grad()
def _fingerprint(pipe: FluxKontextPipeline) -> str:
    """Digest of the encoders' biases and norms: other weights under the same name must not meet old latents."""
    digest = hashlib.sha256(f"{pipe.vae.config.shift_factor}|{pipe.vae.config.scaling_factor}".encode())
    for part in (pipe.vae, pipe.text_encoder, pipe.text_encoder_2):
        for value in part.parameters():
            if value.ndim == 1:
                digest.update(value.float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def collate(pairs: Sequence[EncodedPair], device: torch.device | str, dtype: torch.dtype) -> PairBatch:
    """Stack pairs on a device; masks stay float32."""

    def stack(name: str) -> torch.Tensor:
        return torch.stack([getattr(pair, name) for pair in pairs]).to(device, dtype)

    return PairBatch(
        [pair.id for pair in pairs], stack("target"), stack("context"),
        torch.stack([pair.mask for pair in pairs]).to(device), stack("text"), stack("pooled"),
        [pair.positions for pair in pairs],
    )  # fmt: skip

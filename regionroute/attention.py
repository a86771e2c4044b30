"""True style-token attention beside unchanged outputs, for Flux transformers.

The probability that an image query gives a key is the attention output for a value that is one at that key and zero
elsewhere. So the values get a few more channels, one per style token, one-hot in the key; the same fused call then
returns the usual output and, in those channels, the softmax probabilities over all keys, both with ordinary gradients.
No matrix of queries by keys is ever made, and the log-sum-exp of the fused kernels, which carries no gradient, is not
needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from rses.errors import InputError, Place, Problem, RsesError, did_you_mean, require

# Fused kernels on accelerators take head widths that are multiples of eight.
WIDTH_STEP = 8


@dataclass
class AttentionMaps:
    """What one forward pass paid to its style tokens.

    Args:
        valid: (B, T) bool, false where a sample has fewer style tokens than the longest of the batch.
        by_layer: Layer name ("double.0", ..., "single.0", ...) to probabilities (B, H, N, T) over all keys, of the
            target image's N queries, in the order of the blocks; zero where not valid.

    Example:
        >>> maps = AttentionMaps(torch.ones(1, 2, dtype=torch.bool), {"single.0": torch.rand(1, 4, 16, 2)})
        >>> maps.stacked().shape
        torch.Size([1, 1, 4, 16, 2])
    """

    valid: Tensor
    by_layer: dict[str, Tensor] = field(default_factory=dict)

    def stacked(self) -> Tensor:
        """Return all layers as one tensor (layers, B, H, N, T).

        Raises:
            RsesError: No forward pass ran inside the recording.
        """
        if not self.by_layer:
            raise RsesError(
                "No attention was recorded. Run the transformer inside `with attention.record(...)`.",
                code="wrong-order",
            )
        return torch.stack(list(self.by_layer.values()))

    def clear(self) -> None:
        """Forget the maps, so that the next forward pass of the same recording is stored (a sampler's next step)."""
        self.by_layer.clear()

    def _store(self, layer: str, maps: Tensor) -> None:
        # Gradient checkpointing runs a layer again during backward: the loss hangs on the first maps.
        if layer not in self.by_layer:
            self.by_layer[layer] = maps
            self.valid = self.valid.to(maps.device)


class StyleAttention:
    """Records style-token attention of a Flux transformer.

    Its processors do what the stock ones do until :meth:`record` is open; the outputs inside differ from the stock
    ones by float rounding only.

    Args:
        transformer: A ``FluxTransformer2DModel``, with or without adapters.
        layers: Names of the layers to record, "double.0", ..., "single.0", ...; all of them by default.

    Raises:
        InputError: A layer is unknown, or does not have the stock processor.
    """

    def __init__(self, transformer: Any, layers: Sequence[str] | None = None):
        require("diffusers", "methods")
        from diffusers.models.transformers.transformer_flux import FluxAttnProcessor

        attentions = _attentions(transformer)
        _check_layers(layers, list(attentions))
        self._recording: _Recording | None = None
        self._processors: dict[str, tuple[Any, _Processor]] = {}
        for name, attention in attentions.items():
            if layers is not None and name not in layers:
                continue
            if type(attention.processor) is not FluxAttnProcessor:
                raise InputError(
                    f"Layer {name} must have the stock FluxAttnProcessor, got {type(attention.processor).__name__}. "
                    "Remove the other processor first (an earlier StyleAttention: its remove()).",
                    code="wrong-type",
                )
            self._processors[name] = (attention, _Processor(self, name, attention.processor))
        for attention, processor in self._processors.values():
            attention.set_processor(processor)

    @contextmanager
    def record(
        self, positions: Sequence[Sequence[int]], text_tokens: int, image_tokens: int
    ) -> Iterator[AttentionMaps]:
        """Record the first call of every layer while open.

        With gradient checkpointing keep it open until after ``backward``: the recomputation must repeat the very
        operations of the forward pass (torch raises ``CheckpointError`` if it does not).

        Args:
            positions: For each sample of the batch the positions of its style tokens in the text, at least one.
            text_tokens: Length of the (padded) text.
            image_tokens: Number N of target image tokens, which follow the text; what follows them (the context
                image) is attended to but is no query.

        Yields:
            The maps, filled by the forward pass.

        Raises:
            InputError: A position lies outside the text, a sample has none, or the lengths do not fit the model's call.
            RsesError: Another recording is open.
        """
        if self._recording is not None:
            raise RsesError("A recording is already open. Close it before the next one is opened.", code="wrong-order")
        _check_positions(positions, text_tokens)
        if image_tokens < 1:
            raise InputError(
                f"image_tokens must be at least 1, got {image_tokens}.",
                code="out-of-range",
                place=Place(field="image_tokens"),
            )
        self._recording = _Recording([tuple(row) for row in positions], text_tokens, image_tokens)
        try:
            yield self._recording.maps
        finally:
            self._recording = None

    def remove(self) -> None:
        """Put the stock processors back."""
        for attention, processor in self._processors.values():
            if attention.processor is processor:
                attention.set_processor(processor.stock)
        self._processors.clear()


def attend(
    query: Tensor, key: Tensor, value: Tensor, channels: Tensor, mask: Tensor | None = None, backend: Any = None
) -> tuple[Tensor, Tensor]:
    """Attention output and the attention-weighted mean of more value channels, in one fused call.

    Args:
        query: (B, L, H, d).
        key: (B, L, H, d).
        value: (B, L, H, d).
        channels: (B, L, 1 or H, C) further channels of the values; one-hot in L gives that key's probability.
        mask: Attention mask as diffusers takes it.
        backend: Attention backend of diffusers; its active one by default.

    Returns:
        Output (B, L, H, d) and channels' means (B, L, H, C).
    """
    from diffusers.models.attention_dispatch import dispatch_attention_fn

    width, extra = value.shape[-1], channels.shape[-1]
    joined = dispatch_attention_fn(
        # Fused kernels want query, key and value equally wide; zeros leave the scores as they are.
        F.pad(query, (0, extra)),
        F.pad(key, (0, extra)),
        torch.cat([value, channels.expand(-1, -1, value.shape[2], -1)], dim=-1),
        attn_mask=mask,
        scale=width**-0.5,
        backend=backend,
    )
    return joined[..., :width], joined[..., width:]


class _Recording:
    """One open recording: where the style tokens are, and the maps so far."""

    def __init__(self, positions: Sequence[tuple[int, ...]], text_tokens: int, image_tokens: int):
        self.positions = positions
        self.text_tokens = text_tokens
        self.image_tokens = image_tokens
        self.tokens = max(len(row) for row in positions)
        valid = torch.tensor([[t < len(row) for t in range(self.tokens)] for row in positions])
        self.maps = AttentionMaps(valid)
        self._one_hot: Tensor | None = None

    def channels(self, value: Tensor) -> Tensor:
        """One-hot channels (B, L, 1, C) for values (B, L, H, d), C a multiple of eight."""
        known = self._one_hot
        if known is not None and (known.dtype, known.device, known.shape[1]) == (
            value.dtype, value.device, value.shape[1],
        ):  # fmt: skip
            return known
        width = -(-self.tokens // WIDTH_STEP) * WIDTH_STEP
        one_hot = torch.zeros(value.shape[0], value.shape[1], 1, width, dtype=value.dtype)
        for sample, row in enumerate(self.positions):
            one_hot[sample, list(row), 0, list(range(len(row)))] = 1
        self._one_hot = one_hot.to(value.device)
        return self._one_hot

    def check(self, layer: str, batch: int, length: int, text: int | None) -> None:
        if batch != len(self.positions):
            raise InputError(
                f"Style positions of {len(self.positions)} samples were given for a batch of {batch}.", code="mismatch"
            )
        if text is not None and text != self.text_tokens:
            raise InputError(f"Layer {layer} has {text} text tokens, but the recording was opened for another number, "
                             f"{self.text_tokens}.", code="mismatch")  # fmt: skip
        if self.text_tokens + self.image_tokens > length:
            raise InputError(
                f"Layer {layer} sees {length} tokens, fewer than the {self.text_tokens} text tokens and "
                f"{self.image_tokens} image tokens of the recording.",
                code="wrong-length",
            )

    def store(self, layer: str, means: Tensor) -> None:
        rows = slice(self.text_tokens, self.text_tokens + self.image_tokens)
        maps = means[:, rows, :, : self.tokens].permute(0, 2, 1, 3)
        # A copy: a view would keep the layer's whole attention output alive, against gradient checkpointing.
        self.maps._store(layer, maps.clone(memory_format=torch.contiguous_format))


class _Processor:
    """The stock processor, and while a recording is open its equal with more value channels."""

    def __init__(self, owner: StyleAttention, layer: str, stock: Any):
        self.owner = owner
        self.layer = layer
        self.stock = stock

    # Set by diffusers on every processor; kept in the stock one, so that they outlive remove().
    @property
    def _attention_backend(self) -> Any:
        return self.stock._attention_backend

    @_attention_backend.setter
    def _attention_backend(self, backend: Any) -> None:
        self.stock._attention_backend = backend

    @property
    def _parallel_config(self) -> Any:
        return self.stock._parallel_config

    @_parallel_config.setter
    def _parallel_config(self, config: Any) -> None:
        self.stock._parallel_config = config

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        recording = self.owner._recording
        if recording is None:
            return self.stock(attn, hidden_states, encoder_hidden_states, attention_mask, image_rotary_emb)
        if self._parallel_config is not None:
            raise RsesError(
                "Style attention cannot be recorded under context parallelism. Switch it off for training.",
                code="unsupported",
            )
        query, key, value = project(attn, hidden_states, encoder_hidden_states, image_rotary_emb)
        text = None if encoder_hidden_states is None else encoder_hidden_states.shape[1]
        recording.check(self.layer, value.shape[0], value.shape[1], text)
        channels = recording.channels(value)
        output, means = attend(query, key, value, channels, attention_mask, self._attention_backend)
        recording.store(self.layer, means)
        output = output.flatten(2, 3).to(query.dtype)
        if text is None:
            return output
        encoder_output, output = output[:, :text], output[:, text:]
        return attn.to_out[1](attn.to_out[0](output.contiguous())), attn.to_add_out(encoder_output.contiguous())


def project(
    attn: Any, hidden: Tensor, encoder: Tensor | None, rotary: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value (B, L, H, d) as the stock processor makes them: text first, normalised, rotated."""
    from diffusers.models.embeddings import apply_rotary_emb

    fused = attn.fused_projections
    image = attn.to_qkv(hidden).chunk(3, dim=-1) if fused else (attn.to_q(hidden), attn.to_k(hidden), attn.to_v(hidden))
    query, key, value = (x.unflatten(-1, (-1, attn.head_dim)) for x in image)
    query, key = attn.norm_q(query), attn.norm_k(key)
    if encoder is not None and attn.added_kv_proj_dim is not None:
        text = (
            attn.to_added_qkv(encoder).chunk(3, dim=-1)
            if fused
            else (attn.add_q_proj(encoder), attn.add_k_proj(encoder), attn.add_v_proj(encoder))
        )
        text_query, text_key, text_value = (x.unflatten(-1, (-1, attn.head_dim)) for x in text)
        query = torch.cat([attn.norm_added_q(text_query), query], dim=1)
        key = torch.cat([attn.norm_added_k(text_key), key], dim=1)
        value = torch.cat([text_value, value], dim=1)
    if rotary is not None:
        query = apply_rotary_emb(query, rotary, sequence_dim=1)
        key = apply_rotary_emb(key, rotary, sequence_dim=1)
    return query, key, value


def _attentions(transformer: Any) -> dict[str, Any]:
    """Attention modules by layer name, in the order of the blocks."""
    streams = {"double": "transformer_blocks", "single": "single_transformer_blocks"}
    missing = [attribute for attribute in streams.values() if not hasattr(transformer, attribute)]
    if missing:
        raise InputError(
            f"Expected a FluxTransformer2DModel, got {type(transformer).__name__} without {missing[0]}.",
            code="wrong-type",
        )
    return {
        f"{stream}.{index}": block.attn
        for stream, attribute in streams.items()
        for index, block in enumerate(getattr(transformer, attribute))
    }


def _check_layers(layers: Sequence[str] | None, known: Sequence[str]) -> None:
    if layers is None:
        return
    if isinstance(layers, str) or not layers:
        raise InputError(f"layers must be a sequence of at least one layer name, got {layers!r}.", code="empty")
    unknown = [
        f'"{name}" is no layer of this transformer.{did_you_mean(name, known)}' for name in layers if name not in known
    ]
    if unknown:
        raise InputError(unknown, f"Unknown layers; this transformer has {', '.join(known)}:", code="unknown-name")


def _check_positions(positions: Sequence[Sequence[int]], text_tokens: int) -> None:
    if not positions:
        raise InputError("Style positions of at least one sample are needed, got none.", code="empty")
    problems = []
    for sample, row in enumerate(positions):
        if not row:
            problems.append(
                Problem(f"Sample {sample} has no style token. Put its style phrase into the prompt.", "empty")
            )
        outside = [position for position in row if not 0 <= position < text_tokens]
        if outside:
            text = f"Sample {sample}: positions {outside} lie outside its {text_tokens} text tokens."
            problems.append(Problem(text, "out-of-range"))
    if problems:
        raise InputError(problems, code="out-of-range")

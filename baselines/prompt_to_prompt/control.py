"""Attention control: the target takes over the source's attention maps, for words they share and for places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel


@dataclass
class Control:
    """What is taken over, and for how long, in a batch whose last rows are B sources and then their B targets.

    Attributes:
        index: (B, L) source position of every target token.
        shared: (B, L) 1 where there is one.
        weights: (B, L) factor on the attention to every target token.
        cross_share: Share of the steps, from the first, in which maps of words are taken over.
        self_share: Share of the steps in which maps between places are taken over.
        self_places: Most places (height x width) of layers whose maps between places are taken over.
        progress: Share of the steps done.
    """

    index: torch.Tensor
    shared: torch.Tensor
    weights: torch.Tensor
    cross_share: float = 0.8
    self_share: float = 0.5
    self_places: int = 256
    progress: float = 0.0

    def acts(self, is_cross: bool, places: int) -> bool:
        """Whether maps of this kind and size change at this step."""
        if is_cross:
            return self.progress < self.cross_share or not bool((self.weights == 1).all())
        return self.progress < self.self_share and places <= self.self_places

    def change(self, maps: torch.Tensor, is_cross: bool) -> torch.Tensor:
        """Return maps (rows, heads, queries, keys) with the rows of the targets changed."""
        count = len(self.index)
        rest, source, target = maps.split([len(maps) - 2 * count, count, count])
        if not is_cross:
            target = source
        else:
            if self.progress < self.cross_share:
                index = self.index.to(maps.device)[:, None, None].expand_as(target)
                shared = self.shared.to(maps)[:, None, None]
                target = source.gather(-1, index) * shared + target * (1 - shared)
            target = target * self.weights.to(maps)[:, None, None]
        return torch.cat([rest, source, target])


class _ControlledProcessor:
    """Attention of Stable Diffusion's UNets with maps in the open, where the control acts; else the fused one."""

    def __init__(self, control: Control):
        self._control = control

    def __call__(
        self, attn: Any, hidden_states: torch.Tensor, encoder_hidden_states: torch.Tensor | None = None, **_: Any
    ) -> torch.Tensor:
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        heads = attn.heads
        query, key, value = (
            states.unflatten(-1, (heads, -1)).transpose(1, 2)
            for states in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        )
        is_cross = encoder_hidden_states is not None
        if self._control.acts(is_cross, query.shape[2]):
            scores = query.float() @ key.float().transpose(-1, -2) * attn.scale
            maps = self._control.change(scores.softmax(-1), is_cross)
            states = maps.to(value) @ value
        else:
            states = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=attn.scale)
        result: torch.Tensor = attn.to_out[1](attn.to_out[0](states.transpose(1, 2).flatten(2)))
        return result / attn.rescale_output_factor


@contextlib.contextmanager
def controlled(unet: UNet2DConditionModel, control: Control) -> Iterator[None]:
    """Put the control on all attention layers of a UNet, and take it off again."""
    before = dict(unet.attn_processors)
    unet.set_attn_processor({name: _ControlledProcessor(control) for name in before})
    try:
        yield
    finally:
        unet.set_attn_processor(before)

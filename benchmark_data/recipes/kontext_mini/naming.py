"""Readers that are trained along and thrown away: from the tokens of a picture, which object does the prompt name?

Where training only ever shows one object at a time, or asks for the whole picture, a flow model may ignore names:
nothing that it is asked depends on them. The readers make names matter inside the blocks, whatever is asked. Attention
itself is not supervised: that is what RegionRoute's experts are to show.
"""

from __future__ import annotations

from functools import partial

import torch
from diffusers import FluxTransformer2DModel
from torch import nn
from torch.nn import functional

__all__ = ["NameReaders", "naming_loss"]

RARE = 4.0
"""Weight of an object's tokens, which are few."""


class NameReaders(nn.Module):
    """A linear reader on the picture's tokens behind every block but the first and the last.

    Args:
        transformer: Its blocks are listened to.
    """

    def __init__(self, transformer: FluxTransformer2DModel) -> None:
        super().__init__()
        blocks = [*transformer.transformer_blocks, *transformer.single_transformer_blocks][1:-1]
        width = transformer.config.num_attention_heads * transformer.config.attention_head_dim
        self.heads = nn.ModuleList(nn.Linear(width, 1) for _ in blocks)
        self._heard: dict[int, torch.Tensor] = {}
        for number, block in enumerate(blocks):
            # A bound method, not a closure: a deep copy of block and readers listens to itself.
            block.register_forward_hook(partial(self._hear, number))

    def _hear(self, number: int, _block: nn.Module, _inputs: object, states: tuple[torch.Tensor, torch.Tensor]) -> None:
        self._heard[number] = states[1]

    def read(self) -> torch.Tensor:
        """Return logits (blocks, B, 2, N) of the last pass, for the tokens of target and source; forget the pass."""
        logits = [
            head(functional.layer_norm(self._heard[number], self._heard[number].shape[-1:])).unflatten(1, (2, -1))
            for number, head in enumerate(self.heads)
        ]
        self._heard.clear()
        return torch.stack(logits)[..., 0]


def naming_loss(logits: torch.Tensor, named: torch.Tensor, naming: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return the readers' mean cross-entropy over the rows that name an object, and how well the last one does.

    Args:
        logits: (blocks, B, 2, N).
        named: (B, N), the tokens of the object that is named.
        naming: (B,), the rows that name one.

    Returns:
        The loss, and the overlap (intersection over union) of the last reader's tokens with the named ones.

    Example:
        >>> named = torch.tensor([[True, False], [False, False]])
        >>> logits = (named.float() * 20 - 10)[None, :, None].expand(3, 2, 2, 2)
        >>> loss, found = naming_loss(logits, named, torch.tensor([True, False]))
        >>> round(loss.item(), 3), found
        (0.0, 1.0)
    """
    if not naming.any():
        return logits.sum() * 0, 1.0
    seen = logits[:, naming]
    wanted = named[naming][None, :, None].expand_as(seen)
    loss = functional.binary_cross_entropy_with_logits(seen, wanted.float(), pos_weight=torch.tensor(RARE))
    found = seen[-1].detach() > 0
    both, either = (found & wanted[-1]).sum().item(), (found | wanted[-1]).sum().item()
    return loss, both / max(1, either)

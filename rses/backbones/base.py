"""What a metric asks of a network: two small protocols, so that any backbone can be plugged in."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch


@runtime_checkable
class StyleBackbone(Protocol):
    """A joint image/text encoder (CLIP or the embedded mini encoder).

    Attributes:
        id: Name that says which weights these are, e.g. ``"open_clip:ViT-B-32-quickgelu/openai"``.
        sha256: Digest of the weights file.
        image_size: Side S of the square input, in pixels.
        mean: Colour (r, g, b) in [0, 1] that normalises to zero; used to fill what must not be seen.
        logit_scale: Factor that turns cosines into logits.
    """

    id: str
    sha256: str
    image_size: int
    mean: tuple[float, float, float]
    logit_scale: float

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        """Embed images (N, 3, S, S) in [0, 1] as unit vectors (N, D), float32."""
        ...

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        """Embed N texts as unit vectors (N, D), float32."""
        ...


@runtime_checkable
class PerceptualBackbone(Protocol):
    """A convolutional trunk with linear heads, as in LPIPS (https://arxiv.org/abs/1801.03924, eq. 1).

    The distance map of layer l is ``sum_c weights[l][c] * (features_l(a)[c] - features_l(b)[c]) ** 2``.

    Attributes:
        id: Name that says which weights these are, e.g. ``"lpips:alex"``.
        sha256: Digest of the weights (trunk and heads).
        min_size: Smallest image side the trunk can process, in pixels.
    """

    id: str
    sha256: str
    min_size: int

    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Map images (N, 3, H, W) in [0, 1] to channel-normalised maps [(N, C_l, H_l, W_l)]."""
        ...

    def weights(self) -> list[torch.Tensor]:
        """Return the non-negative head of each layer, [(C_l,)]."""
        ...

    def touched(self, mask: torch.Tensor) -> list[torch.Tensor]:
        """Mark the cells whose receptive field meets ``mask`` (N, 1, H, W): [(N, 1, H_l, W_l)] in {0, 1}."""
        ...

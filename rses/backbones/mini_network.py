"""The networks of ``rses-mini``: plain convolutions for images, hashed words for texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from rses.backbones.mini_text import hash_texts

# Version of the networks, beside the weights in config.json: 1 is the first edition, 2 may have detail layers.
FORMAT = 2
# Keeps the gradient of a norm or a standard deviation finite where a feature map is flat.
EPSILON = 1e-6
# Responses below this are as good as none.
LOG_FLOOR = 1e-2
# Normalised pixels nearer to 0 than this in every channel are fill, not picture: views are filled with the mean colour.
FILL_TOLERANCE = 0.02


@dataclass(frozen=True)
class MiniConfig:
    """Sizes of the three networks; stored beside the weights as ``config.json``.

    Attributes:
        image_size: Side of the style encoder's input in pixels.
        mean: Colour in [0, 1] that normalises to zero.
        std: Spread per channel used in the normalisation.
        style_channels: Channels of the four stages of the style encoder.
        detail_channels: Channels of the layers that see the picture at full resolution while the stages see it at
            half; empty in the first edition, whose stages see all there is.
        embed_dim: Length of the joint embedding.
        image_hidden: Width of the image head.
        text_buckets: Rows of the hashed text table.
        text_dim: Columns of the hashed text table.
        text_hidden: Width of the text head.
        trunk_channels: Channels of the five layers of the perceptual trunk.
        logit_scale: Factor that turns cosines into logits.

    Example:
        >>> MiniConfig.from_dict(MiniConfig().to_dict()) == MiniConfig()
        True
    """

    image_size: int = 128
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    style_channels: tuple[int, ...] = (32, 64, 128, 256)
    detail_channels: tuple[int, ...] = ()
    embed_dim: int = 128
    image_hidden: int = 256
    text_buckets: int = 16384
    text_dim: int = 64
    text_hidden: int = 192
    trunk_channels: tuple[int, ...] = (32, 64, 96, 128, 128)
    logit_scale: float = 20.0

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MiniConfig:
        """Rebuild from :meth:`to_dict`; unknown keys are ignored, so that a config may carry notes."""
        known: dict[str, Any] = {key: values[key] for key in cls.__dataclass_fields__ if key in values}
        frozen: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in known.items()}
        return cls(**frozen)


def _identity(_channels: int) -> nn.Module:
    return nn.Identity()


class ConvBlock(nn.Module):
    """Convolution and rectifier; ``norm`` sits between them while training and is folded away afterwards."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, norm: Callable[[int], nn.Module] = _identity
    ):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)
        self.norm = norm(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        return F.relu(self.norm(self.conv(x)))


class ImageEncoder(nn.Module):
    """Four convolutional stages whose channel means and standard deviations are the style of an image.

    With ``detail_channels`` the stages see the picture at half its resolution, and as many further layers see it
    whole: blocks and lines a few pixels wide would be lost otherwise.

    Style as statistics of feature maps follows Gatys et al. (https://arxiv.org/abs/1508.06576) and
    AdaIN (https://arxiv.org/abs/1703.06868), where mean and deviation per channel carry it.

    Example:
        >>> ImageEncoder(MiniConfig())(torch.zeros(2, 3, 128, 128)).shape
        torch.Size([2, 128])
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: MiniConfig, norm: Callable[[int], nn.Module] = _identity):
        super().__init__()
        widths = config.style_channels
        self.register_buffer("mean", torch.tensor(config.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(1, 3, 1, 1), persistent=False)
        stages = [nn.Sequential(ConvBlock(3, widths[0], 5, 2, norm))]
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            down, keep = ConvBlock(inputs, outputs, 3, 2, norm), ConvBlock(outputs, outputs, 3, 1, norm)
            stages.append(nn.Sequential(down, keep))
        self.stages = nn.ModuleList(stages)
        fine = config.detail_channels
        kernels = (5, *(3 for _ in fine[1:]))
        self.details = nn.ModuleList(
            ConvBlock(inputs, outputs, kernel, 2, norm)
            for inputs, outputs, kernel in zip((3, *fine), fine, kernels, strict=False)
        )
        per_channel = 3 if fine else 2
        self.head = nn.Sequential(
            nn.Linear(per_channel * sum((*widths, *fine)), config.image_hidden),
            nn.GELU(),
            nn.Linear(config.image_hidden, config.embed_dim),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed images (N, 3, S, S) in [0, 1] as unit vectors (N, D)."""
        return F.normalize(self.head(self.statistics(images)).float(), dim=1)

    def statistics(self, images: torch.Tensor) -> torch.Tensor:
        """Describe images (N, 3, S, S) in [0, 1] by statistics of every channel of every layer, (N, K)."""
        x = (images - self.mean) / self.std
        if not self.details:
            return torch.cat([part for m in _maps(self.stages, x) for part in _moments(m.flatten(2))], dim=1)
        content = (x.abs().amax(dim=1, keepdim=True) > FILL_TOLERANCE).float()
        maps = [*_maps(self.stages, F.avg_pool2d(x, 2)), *_maps(self.details, x)]
        return torch.cat([part for m in maps for part in log_moments(m, content)], dim=1)


def _maps(layers: nn.ModuleList, x: torch.Tensor) -> list[torch.Tensor]:
    maps = []
    for layer in layers:
        x = layer(x)
        maps.append(x.float())
    return maps


def _moments(flat: torch.Tensor) -> list[torch.Tensor]:
    """Mean and deviation over space of maps (N, C, P)."""
    return [flat.mean(dim=2), (flat.var(dim=2, unbiased=False) + EPSILON).sqrt()]


def log_moments(maps: torch.Tensor, content: torch.Tensor) -> list[torch.Tensor]:
    """Logarithms of mean, deviation and mean root of non-negative maps (N, C, H, W), away from the fill colour.

    Their differences tell few strong responses (edges of blocks, drawn lines) from many weak ones (texture, noise),
    however strong they are. ``content`` (N, 1, S, S) is 0 where the picture was filled: how much of a view a region
    covers, and its outline, say nothing about style.
    """
    share = F.adaptive_avg_pool2d(content, (maps.shape[-2], maps.shape[-1])).square() + EPSILON
    weight = (share / share.sum(dim=(2, 3), keepdim=True)).flatten(2)
    cells = maps.permute(0, 2, 3, 1).flatten(1, 2)
    mean, square, root = ((weight @ power).squeeze(1) for power in (cells, cells * cells, (cells + EPSILON).sqrt()))
    deviation = ((square - mean * mean).clamp(min=0) + EPSILON).sqrt()
    return [(value + LOG_FLOOR).log() for value in (mean, deviation, root)]


class TextEncoder(nn.Module):
    """Hashed words and character n-grams, summed and mapped to the joint embedding.

    There is no vocabulary file: fastText's subword hashing (https://arxiv.org/abs/1607.04606) gives words never
    seen in training the vectors of their parts.

    Example:
        >>> TextEncoder(MiniConfig())(["pixel art", "line art"]).shape
        torch.Size([2, 128])
    """

    def __init__(self, config: MiniConfig):
        super().__init__()
        self.buckets = config.text_buckets
        self.table = nn.EmbeddingBag(config.text_buckets, config.text_dim, mode="sum", include_last_offset=True)
        self.head = nn.Sequential(
            nn.Linear(config.text_dim, config.text_hidden), nn.GELU(), nn.Linear(config.text_hidden, config.embed_dim)
        )

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed N texts as unit vectors (N, D)."""
        ids, offsets = hash_texts(texts, self.buckets)
        device = self.table.weight.device
        summed = self.table(ids.to(device), offsets.to(device))
        return F.normalize(self.head(summed).float(), dim=1)


class PerceptualTrunk(nn.Module):
    """Five plain convolutions at strides 2, 4, 8, 8 and 16, each followed by a non-negative linear head.

    Example:
        >>> [tuple(f.shape) for f in PerceptualTrunk(MiniConfig())(torch.zeros(1, 3, 32, 48))][-1]
        (1, 128, 2, 3)
    """

    mean: torch.Tensor
    std: torch.Tensor

    # Per layer: pooling before the convolution or not, and the convolution's kernel and stride.
    LAYERS = ((False, 5, 2), (True, 3, 1), (True, 3, 1), (False, 3, 1), (True, 3, 1))

    def __init__(self, config: MiniConfig):
        super().__init__()
        self.register_buffer("mean", torch.tensor(config.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(1, 3, 1, 1), persistent=False)
        widths = (3, *config.trunk_channels)
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)
            for inputs, outputs, (_, kernel, stride) in zip(widths, widths[1:], self.LAYERS, strict=False)
        )
        self.heads = nn.ParameterList(nn.Parameter(torch.full((n,), 1.0 / n)) for n in config.trunk_channels)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Map images (N, 3, H, W) in [0, 1] to channel-normalised maps, finest first."""
        x = (images - self.mean) / self.std
        maps = []
        for (pool, _, _), conv in zip(self.LAYERS, self.convs, strict=True):
            x = F.relu(conv(F.max_pool2d(x, 3, 2, 1) if pool else x))
            wide = x.float()
            maps.append(wide * (wide.square().sum(dim=1, keepdim=True) + EPSILON).rsqrt())
        return maps

    def touched(self, mask: torch.Tensor) -> list[torch.Tensor]:
        """Mark the cells that see any of ``mask`` (N, 1, H, W): max-pooling with each layer's window."""
        seen = (mask > 0).float()
        cells = []
        for pool, kernel, stride in self.LAYERS:
            seen = F.max_pool2d(seen, 3, 2, 1) if pool else seen
            seen = F.max_pool2d(seen, kernel, stride, kernel // 2)
            cells.append(seen)
        return cells

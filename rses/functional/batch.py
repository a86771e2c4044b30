"""What the metrics of the table are computed from: samples of one size, and what several metrics share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch

from rses.backbones.base import PerceptualBackbone, StyleBackbone
from rses.functional.legacy import brushbench_mse, pie_mse
from rses.functional.perceptual import LpipsForm, masked_lpips
from rses.functional.pixel import masked_mse
from rses.functional.style import Region, background_view, region_view
from rses.protocol import Protocol

__all__ = ["Batch", "Encoder"]

CACHE_LIMIT = 8192


class Encoder:
    """A style encoder under a protocol, which remembers the embeddings of texts and sources.

    Args:
        backbone: The network.
        protocol: Decides what it is shown.
    """

    def __init__(self, backbone: StyleBackbone, protocol: Protocol):
        self.backbone = backbone
        self._protocol = protocol
        self._texts: dict[str, torch.Tensor] = {}
        self._sources: dict[tuple[str, bytes], torch.Tensor] = {}

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed N texts one by one, (N, D)."""
        for text in texts:
            if text not in self._texts:
                self._texts[text] = self.backbone.encode_texts([text])[0]
        return torch.stack([self._texts[text] for text in texts])

    def region(self, image: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
        """Embed the edited regions (N, D)."""
        size, mean = self.backbone.image_size, self.backbone.mean
        form = cast(Region, self._protocol.region)
        return self.backbone.encode_images(region_view(image, region, size, mean, form, self._protocol.crop_pad))

    def background(self, image: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
        """Embed the backgrounds (N, D)."""
        return self.backbone.encode_images(background_view(image, region, self.backbone.image_size, self.backbone.mean))

    def source(self, kind: str, image: torch.Tensor, region: torch.Tensor, keys: Sequence[bytes]) -> torch.Tensor:
        """Embed regions or backgrounds of sources, remembered by content: methods are compared on the same sources.

        Args:
            kind: "region" or "background".
            image: (N, 3, H, W).
            region: (N, 1, H, W).
            keys: Digest of each sample's image and region.
        """
        names = [(kind, key) for key in keys]
        # Another thread may forget them at any moment.
        known = {name: value for name in names if (value := self._sources.get(name)) is not None}
        absent = [index for index, name in enumerate(names) if name not in known]
        if absent:
            found = getattr(self, kind)(image[absent], region[absent])
            if len(self._sources) > CACHE_LIMIT:
                self._sources.clear()
            fresh = dict(zip((names[index] for index in absent), found, strict=True))
            self._sources.update(fresh)
            known |= fresh
        return torch.stack([known[name] for name in names])


@dataclass(frozen=True)
class Batch:
    """N samples of one size; what is shared is computed when first asked for.

    Attributes:
        protocol: Decides every form.
        pred: Predictions (N, 3, H, W) in [0, 1].
        source: Sources of the same shape, or ``None``.
        region: Region to edit (N, 1, H, W), 0 or 1.
        mask: The region as background metrics see it: with the protocol's ignored band or forced border.
        styles: Style text of each sample.
        texts: Sentence that each region is compared with.
        candidates: All style texts of the suite.
        encoder: Style encoder, or ``None`` where no metric needs it.
        perceptual: Perceptual network, likewise.
    """

    protocol: Protocol
    pred: torch.Tensor
    source: torch.Tensor | None
    region: torch.Tensor
    mask: torch.Tensor
    styles: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    encoder: Encoder | None = None
    perceptual: PerceptualBackbone | None = None

    @cached_property
    def sources(self) -> torch.Tensor:
        """The sources, for metrics that need them."""
        assert self.source is not None
        return self.source

    @cached_property
    def style(self) -> Encoder:
        """The style encoder, for metrics that need it."""
        assert self.encoder is not None
        return self.encoder

    @cached_property
    def shown(self) -> torch.Tensor:
        """The region as the style encoder sees it: scripts that force a border show it that border, too."""
        return self.mask if self.protocol.border == "forced_edit" else self.region

    @cached_property
    def mse(self) -> torch.Tensor:
        """Squared error of the background (N,) in the protocol's form."""
        forms = {"background": masked_mse, "full_frame": pie_mse, "channel_sum": brushbench_mse}
        return forms[self.protocol.pixel_form](self.pred, self.sources, self.mask)

    @cached_property
    def lpips(self) -> torch.Tensor | None:
        """LPIPS of the background (N,) in the protocol's form; ``None`` for images too small for the network."""
        network = self.perceptual
        if network is None or min(self.pred.shape[-2:]) < network.min_size:
            return None
        return masked_lpips(self.pred, self.sources, self.mask, network, cast(LpipsForm, self.protocol.lpips_form))

    @cached_property
    def targets(self) -> torch.Tensor:
        """Embeddings of the texts (N, D)."""
        return self.style.texts(self.texts)

    @cached_property
    def features(self) -> torch.Tensor:
        """Embeddings of the edited regions (N, D)."""
        return self.style.region(self.pred, self.shown)

    @cached_property
    def cosine(self) -> torch.Tensor:
        """Similarity of region and text (N,)."""
        return (self.features * self.targets).sum(dim=1)

    @cached_property
    def source_cosine(self) -> torch.Tensor:
        """The same of the sources."""
        return (self.style.source("region", self.sources, self.shown, self._keys) * self.targets).sum(dim=1)

    @cached_property
    def background_rise(self) -> torch.Tensor:
        """How much more similar the background is to the text than that of the source (N,), a difference of cosines."""
        after = self.style.background(self.pred, self.shown)
        before = self.style.source("background", self.sources, self.shown, self._keys)
        return ((after - before) * self.targets).sum(dim=1)

    @cached_property
    def _keys(self) -> list[bytes]:
        return [_digest(image) + _digest(region) for image, region in zip(self.sources, self.shown, strict=True)]


def _digest(tensor: torch.Tensor) -> bytes:
    return hashlib.blake2b(tensor.cpu().contiguous().numpy().data, digest_size=16).digest()

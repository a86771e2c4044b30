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
from rses.functional.perceptual import LpipsForm, masked_lpips, source_features
from rses.functional.pixel import masked_mse
from rses.functional.style import Region, background_view, region_view
from rses.protocol import Protocol

__all__ = ["Batch", "Encoder", "Originals"]

CACHE_LIMIT = 8192
WORTH = 8
"""Images after which it is worth to find out whether two views may share a pass."""
VIEWS = ("region", "background")


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
        self._pairs = 0

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed N texts one by one, (N, D)."""
        for text in texts:
            if text not in self._texts:
                self._texts[text] = self.backbone.encode_texts([text])[0]
        return torch.stack([self._texts[text] for text in texts])

    def views(self, kinds: Sequence[str], image: torch.Tensor, region: torch.Tensor) -> list[torch.Tensor]:
        """Embed views of N images, each kind of :data:`VIEWS` as (N, D).

        Args:
            kinds: What to look at: the edited region, the background.
            image: (N, 3, H, W).
            region: (N, 1, H, W).
        """
        shown = [self._view(kind, image, region) for kind in kinds]
        if len(kinds) == 2 and len(image) == 1 and self._may_share():
            return list(self.backbone.encode_images(torch.cat(shown))[:, None])
        return [self.backbone.encode_images(view) for view in shown]

    def _view(self, kind: str, image: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
        size, mean = self.backbone.image_size, self.backbone.mean
        if kind == "background":
            return background_view(image, region, size, mean)
        return region_view(image, region, size, mean, cast(Region, self._protocol.region), self._protocol.crop_pad)

    def _may_share(self) -> bool:
        self._pairs += 1
        return self._pairs > WORTH and self._shares

    @cached_property
    def _shares(self) -> bool:
        """Whether a pass of two gives each the bits that it has alone, on this machine: so it is with CLIP's ViT."""
        side = self.backbone.image_size
        pair = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
        alone = torch.cat([self.backbone.encode_images(pair[:1]), self.backbone.encode_images(pair[1:])])
        return torch.equal(alone, self.backbone.encode_images(pair))

    def sources(
        self, kinds: Sequence[str], image: torch.Tensor, region: torch.Tensor, keys: Sequence[bytes]
    ) -> list[torch.Tensor]:
        """Embed views of sources as :meth:`views` does, remembered by content: samples and methods share sources.

        Args:
            kinds: As in :meth:`views`.
            image: (N, 3, H, W).
            region: (N, 1, H, W).
            keys: Digest of each sample's image and region.
        """
        names = [(kind, key) for kind in kinds for key in keys]
        # Another thread may forget them at any moment.
        known = {name: value for name in names if (value := self._sources.get(name)) is not None}
        absent = [row for row, key in enumerate(keys) if any((kind, key) not in known for kind in kinds)]
        if absent:
            found = self.views(kinds, image[absent], region[absent])
            if len(self._sources) > CACHE_LIMIT:
                self._sources.clear()
            fresh = {
                (kind, keys[row]): vector
                for kind, vectors in zip(kinds, found, strict=True)
                for row, vector in zip(absent, vectors, strict=True)
            }
            self._sources.update(fresh)
            known |= fresh
        return [torch.stack([known[kind, key] for key in keys]) for kind in kinds]


@dataclass(frozen=True)
class Originals:
    """N samples of one size before they are edited: what follows from them serves every method's predictions.

    Attributes:
        protocol: Decides every form.
        image: Sources (N, 3, H, W) in [0, 1], or ``None`` where no metric needs them.
        region: Region to edit (N, 1, H, W), 0 or 1.
        mask: The region as background metrics see it: with the protocol's ignored band or forced border.
        encoder: Style encoder, or ``None`` where no metric needs it.
        perceptual: Perceptual network, likewise.
        views: What the encoder is going to look at, of :data:`VIEWS`; two views of one image may share a pass.
    """

    protocol: Protocol
    image: torch.Tensor | None
    region: torch.Tensor
    mask: torch.Tensor
    encoder: Encoder | None = None
    perceptual: PerceptualBackbone | None = None
    views: tuple[str, ...] = ()

    @cached_property
    def shown(self) -> torch.Tensor:
        """The region as the style encoder sees it: scripts that force a border show it that border, too."""
        return self.mask if self.protocol.border == "forced_edit" else self.region

    def embedding(self, kind: str) -> torch.Tensor:
        """Embed a view of the sources (N, D)."""
        return self._embedded[kind] if kind in self.views else self._embed((kind,))[kind]

    @cached_property
    def _embedded(self) -> dict[str, torch.Tensor]:
        return self._embed(self.views)

    def _embed(self, kinds: tuple[str, ...]) -> dict[str, torch.Tensor]:
        assert self.encoder is not None
        assert self.image is not None
        return dict(zip(kinds, self.encoder.sources(kinds, self.image, self.shown, self._keys), strict=True))

    @cached_property
    def maps(self) -> list[torch.Tensor]:
        """What the perceptual network sees in the sources."""
        assert self.perceptual is not None
        assert self.image is not None
        return source_features(self.image, self.mask, self.perceptual, cast(LpipsForm, self.protocol.lpips_form))

    @cached_property
    def _keys(self) -> list[bytes]:
        assert self.image is not None
        return [_digest(image) + _digest(region) for image, region in zip(self.image, self.shown, strict=True)]


@dataclass(frozen=True)
class Batch:
    """N samples of one size; what is shared is computed when first asked for.

    Attributes:
        pred: Predictions (N, 3, H, W) in [0, 1].
        originals: What was edited, shared by the batches of several methods.
        styles: Style text of each sample.
        texts: Sentence that each region is compared with.
        candidates: All style texts of the suite.
    """

    pred: torch.Tensor
    originals: Originals
    styles: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()

    @property
    def protocol(self) -> Protocol:
        """Decides every form."""
        return self.originals.protocol

    @property
    def source(self) -> torch.Tensor | None:
        """Sources of the predictions' shape, or ``None``."""
        return self.originals.image

    @property
    def region(self) -> torch.Tensor:
        """Region to edit (N, 1, H, W), 0 or 1."""
        return self.originals.region

    @property
    def mask(self) -> torch.Tensor:
        """The region as background metrics see it."""
        return self.originals.mask

    @property
    def perceptual(self) -> PerceptualBackbone | None:
        """The perceptual network, or ``None`` where no metric needs it."""
        return self.originals.perceptual

    @property
    def sources(self) -> torch.Tensor:
        """The sources, for metrics that need them."""
        assert self.source is not None
        return self.source

    @property
    def style(self) -> Encoder:
        """The style encoder, for metrics that need it."""
        assert self.originals.encoder is not None
        return self.originals.encoder

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
        form = cast(LpipsForm, self.protocol.lpips_form)
        return masked_lpips(self.pred, self.sources, self.mask, network, form, self.originals.maps)

    @cached_property
    def targets(self) -> torch.Tensor:
        """Embeddings of the texts (N, D)."""
        return self.style.texts(self.texts)

    @cached_property
    def features(self) -> torch.Tensor:
        """Embeddings of the edited regions (N, D)."""
        return self._embedding("region")

    @cached_property
    def cosine(self) -> torch.Tensor:
        """Similarity of region and text (N,)."""
        return (self.features * self.targets).sum(dim=1)

    @cached_property
    def source_cosine(self) -> torch.Tensor:
        """The same of the sources."""
        return (self.originals.embedding("region") * self.targets).sum(dim=1)

    @cached_property
    def background_rise(self) -> torch.Tensor:
        """How much more similar the background is to the text than that of the source (N,), a difference of cosines."""
        after, before = self._embedding("background"), self.originals.embedding("background")
        return ((after - before) * self.targets).sum(dim=1)

    def _embedding(self, kind: str) -> torch.Tensor:
        if kind in self.originals.views:
            return self._embedded[kind]
        return self.style.views((kind,), self.pred, self.originals.shown)[0]

    @cached_property
    def _embedded(self) -> dict[str, torch.Tensor]:
        views = self.originals.views
        return dict(zip(views, self.style.views(views, self.pred, self.originals.shown), strict=True))


def _digest(tensor: torch.Tensor) -> bytes:
    return hashlib.blake2b(tensor.cpu().contiguous().numpy().data, digest_size=16).digest()

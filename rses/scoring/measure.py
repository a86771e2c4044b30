"""The numbers of a batch of prepared samples: the one place where metrics meet a protocol."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch

from rses.backbones.base import PerceptualBackbone, StyleBackbone
from rses.errors import InputError
from rses.functional.boundary import boundary_mse
from rses.functional.combined import combined_columns
from rses.functional.legacy import brushbench_mse, brushbench_psnr, pie_mse, pie_psnr, pie_ssim
from rses.functional.perceptual import LpipsForm, masked_lpips
from rses.functional.pixel import masked_mse, psnr_from_mse
from rses.functional.structural import masked_ssim
from rses.functional.style import Region, background_view, region_view, rsm_from_cosine
from rses.inputs.load import Prepared
from rses.inputs.sample import Sample
from rses.protocol import Protocol
from rses.state.steady import steady
from rses.texts import fold_style, text_fault

__all__ = ["STYLE_METRICS", "Measurer", "sample_text"]

STYLE_METRICS = frozenset({"rsm", "clip_cosine", "rsm_gain", "style_correct", "leakage", "style_success", "rses_p"})
LPIPS_METRICS = frozenset({"lpips_bg", "preservation", "rses_p"})
PIXEL_METRICS = frozenset({"mse_bg", "mse_bg_pm1", "psnr_bg"})
CACHE_LIMIT = 8192


def sample_text(unit: Sample, protocol: Protocol) -> str:
    """Return the sentence that the unit's region is compared with.

    Raises:
        InputError: The unit has no style, or no prompt where the protocol wants one.
    """
    if protocol.text == "prompt":
        if not unit.prompt:
            raise InputError(
                f'"{unit.id}" has no prompt, and protocol {protocol.id} compares with the whole prompt. '
                'Add a "prompt" to its row of metadata.jsonl or choose another protocol.'
            )
        _require_text(unit, "prompt", unit.prompt)
        return unit.prompt
    if not unit.style:
        raise InputError(f'"{unit.id}" has no style. Give one with --style TEXT, --styles FILE or metadata.jsonl.')
    _require_text(unit, "style", unit.style)
    return protocol.template.format(style=unit.style)


def _require_text(unit: Sample, kind: str, text: str) -> None:
    if fault := text_fault(text):
        raise InputError(f'The {kind} {text!r} of "{unit.id}" {fault}. Write it in words, e.g. "pixel art".')


@dataclass
class Measurer:
    """Computes the chosen metrics; holds the backbones and remembers embeddings of texts and sources.

    Attributes:
        protocol: Decides every form.
        metrics: Columns to fill.
        style: Encoder, or ``None`` when no chosen metric needs it.
        perceptual: Trunk, or ``None`` when no chosen metric needs it.
        device: Where the networks are.
    """

    protocol: Protocol
    metrics: frozenset[str]
    style: StyleBackbone | None
    perceptual: PerceptualBackbone | None
    device: torch.device
    _texts: dict[str, torch.Tensor] = field(default_factory=dict)
    _sources: dict[tuple[Any, ...], torch.Tensor] = field(default_factory=dict)

    @torch.inference_mode()
    @steady()
    def __call__(self, batch: Sequence[Prepared], styles: Sequence[str]) -> list[dict[str, Any]]:
        """Measure samples of one size.

        Args:
            batch: Prepared samples with status "ok", all of one size.
            styles: All style texts of the suite, the candidates of ``style_correct``.

        Returns:
            One dictionary a sample, column name -> value or ``None``.
        """
        pred = self._stack([item.pred for item in batch])
        region = self._stack([item.region for item in batch])
        edited = self._stack([item.edited for item in batch])
        has_source = all(item.source is not None for item in batch)
        source = self._stack([item.source for item in batch]) if has_source else None
        columns: dict[str, list[Any]] = {}
        if source is not None:
            columns.update(self._background(pred, source, region, edited))
        if self.style is not None and self.metrics & STYLE_METRICS:
            # The scripts that force a border show their encoder that border, too.
            shown = edited if self.protocol.border == "forced_edit" else region
            columns.update(self._style(batch, pred, source, shown, styles))
        columns.update(self._combined(columns, len(batch)))
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return [{name: _defined(row.get(name)) for name in self.metrics} for row in rows]

    def text_codes(self, unit: Sample) -> tuple[str, ...]:
        """Return the codes of warnings about a unit's text."""
        reads = getattr(self.style, "reads", None)
        if reads is None or not self.metrics & STYLE_METRICS:
            return ()
        text = unit.prompt if self.protocol.text == "prompt" else unit.style
        return () if not text or reads(text) else ("style_unknown",)

    def _stack(self, tensors: Sequence[torch.Tensor | None]) -> torch.Tensor:
        return torch.cat(cast("list[torch.Tensor]", list(tensors))).to(self.device)

    def _background(
        self, pred: torch.Tensor, source: torch.Tensor, region: torch.Tensor, edited: torch.Tensor
    ) -> dict[str, list[Any]]:
        protocol = self.protocol
        columns: dict[str, torch.Tensor] = {}
        if self.metrics & PIXEL_METRICS:
            mse, psnr = _pixel(pred, source, edited, protocol)
            columns.update(mse_bg=mse, mse_bg_pm1=4 * mse, psnr_bg=psnr)
        if "ssim_bg" in self.metrics and protocol.ssim_form != "none":
            ssim = masked_ssim if protocol.ssim_form == "normalised" else pie_ssim
            columns["ssim_bg"] = ssim(pred, source, edited)
        if self.metrics & LPIPS_METRICS and self.perceptual is not None:
            form = cast(LpipsForm, protocol.lpips_form)
            if min(pred.shape[-2:]) >= self.perceptual.min_size:
                columns["lpips_bg"] = masked_lpips(pred, source, edited, self.perceptual, form)
        if "boundary_mse" in self.metrics:
            columns["boundary_mse"] = boundary_mse(pred, source, region, protocol.boundary_width)
        return {name: values.tolist() for name, values in columns.items()}

    def _style(
        self,
        batch: Sequence[Prepared],
        pred: torch.Tensor,
        source: torch.Tensor | None,
        region: torch.Tensor,
        styles: Sequence[str],
    ) -> dict[str, list[Any]]:
        assert self.style is not None
        texts = [sample_text(item.unit, self.protocol) for item in batch]
        targets = torch.stack([self._text(text) for text in texts])
        features = self.style.encode_images(self._view(pred, region))
        cosine = (features * targets).sum(dim=1)
        columns = {"clip_cosine": cosine.tolist(), "rsm": rsm_from_cosine(cosine).tolist()}
        candidates = {fold_style(style): style for style in sorted(styles, reverse=True)}
        if "style_correct" in self.metrics and self.protocol.text == "style" and len(candidates) > 1:
            columns["style_correct"] = self._correct(features, batch, candidates)
        if source is not None and self.metrics & {"rsm_gain", "style_success", "rses_p"}:
            before = (self._source("region", batch, source, region) * targets).sum(dim=1)
            columns["rsm_gain"] = ((cosine - before) / 2).tolist()
        if source is not None and "leakage" in self.metrics:
            view = background_view(pred, region, self.style.image_size, self.style.mean)
            after = self.style.encode_images(view)
            before = self._source("background", batch, source, region)
            columns["leakage"] = (((after - before) * targets).sum(dim=1) / 2).tolist()
        return columns

    def _combined(self, columns: Mapping[str, list[Any]], size: int) -> dict[str, list[Any]]:
        scale = None if self.style is None else self.style.logit_scale
        gains, distances = (columns.get(name, [None] * size) for name in ("rsm_gain", "lpips_bg"))
        rows = [combined_columns(gain, distance, scale) for gain, distance in zip(gains, distances, strict=True)]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def _correct(self, features: torch.Tensor, batch: Sequence[Prepared], candidates: Mapping[str, str]) -> list[bool]:
        table = torch.stack([self._text(self.protocol.template.format(style=text)) for text in candidates.values()])
        names = list(candidates)
        nearest = (features @ table.T).argmax(dim=1).tolist()
        own = [fold_style(item.unit.style or "") for item in batch]
        # Texts that the encoder cannot tell apart are one candidate, whichever of them comes first.
        return [
            names[index] == name or (name in names and torch.equal(table[index], table[names.index(name)]))
            for index, name in zip(nearest, own, strict=True)
        ]

    def _view(self, image: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
        assert self.style is not None
        return region_view(
            image,
            region,
            self.style.image_size,
            self.style.mean,
            cast(Region, self.protocol.region),
            self.protocol.crop_pad,
        )

    def _text(self, text: str) -> torch.Tensor:
        assert self.style is not None
        if text not in self._texts:
            self._texts[text] = self.style.encode_texts([text])[0]
        return self._texts[text]

    def _source(self, kind: str, batch: Sequence[Prepared], source: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
        """Embeddings of the sources, remembered by content: methods are compared on the same sources."""
        assert self.style is not None
        keys = [(kind, *_fingerprint(item)) for item in batch]
        # Another thread may forget them at any moment.
        known = {key: value for key in keys if (value := self._sources.get(key)) is not None}
        absent = [index for index, key in enumerate(keys) if key not in known]
        if absent:
            some, where = source[absent], region[absent]
            if kind == "region":
                view = self._view(some, where)
            else:
                view = background_view(some, where, self.style.image_size, self.style.mean)
            if len(self._sources) > CACHE_LIMIT:
                self._sources.clear()
            found = dict(zip((keys[index] for index in absent), self.style.encode_images(view), strict=True))
            self._sources.update(found)
            known |= found
        return torch.stack([known[key] for key in keys])


def _fingerprint(item: Prepared) -> tuple[Any, ...]:
    assert item.source is not None
    assert item.region is not None
    return tuple(
        hashlib.blake2b(tensor.contiguous().numpy().tobytes(), digest_size=16).digest()
        for tensor in (item.source, item.region)
    )


def _pixel(
    pred: torch.Tensor, source: torch.Tensor, edited: torch.Tensor, protocol: Protocol
) -> tuple[torch.Tensor, torch.Tensor]:
    if protocol.pixel_form == "full_frame":
        return pie_mse(pred, source, edited), pie_psnr(pred, source, edited)
    if protocol.pixel_form == "channel_sum":
        return brushbench_mse(pred, source, edited), brushbench_psnr(pred, source, edited)
    mse = masked_mse(pred, source, edited)
    return mse, psnr_from_mse(mse)


def _defined(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value

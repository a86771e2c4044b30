"""The numbers of a batch of prepared samples: the one place where the table of metrics meets a protocol."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch

from rses.backbones.base import PerceptualBackbone, StyleBackbone
from rses.errors import InputError, RsesError
from rses.functional.batch import VIEWS, Batch, Encoder, Originals
from rses.inputs.load import Prepared
from rses.inputs.sample import Sample
from rses.protocol import Protocol
from rses.state.steady import steady
from rses.table import METRICS, MetricInfo
from rses.texts import text_fault

__all__ = ["Measurer", "sample_text"]

GAINS = {"rsm_gain", "style_success", "rses_p"}
"""Columns for which the encoder looks at the source's region, too."""


def sample_text(sample: Sample, protocol: Protocol) -> str:
    """Return the sentence that the sample's region is compared with.

    Raises:
        InputError: The sample has no style, or no prompt where the protocol wants one.
    """
    if protocol.text == "prompt":
        if not sample.prompt:
            raise InputError(
                f'"{sample.id}" has no prompt, and protocol {protocol.id} compares with the whole prompt. '
                'Add a "prompt" to its row of metadata.jsonl or choose another protocol.',
                code="missing-key",
            )
        _require_text(sample, "prompt", sample.prompt)
        return sample.prompt
    if not sample.style:
        raise InputError(
            f'"{sample.id}" has no style. Give one with --style TEXT, --styles FILE or metadata.jsonl.',
            code="missing-key",
        )
    _require_text(sample, "style", sample.style)
    return protocol.template.format(style=sample.style)


def _require_text(sample: Sample, kind: str, text: str) -> None:
    if fault := text_fault(text):
        raise InputError(
            f'The {kind} {text!r} of "{sample.id}" {fault}. Write it in words, e.g. "pixel art".', code="unprintable"
        )


class Measurer:
    """Computes the chosen metrics.

    Args:
        protocol: Decides every form.
        metrics: Columns to fill.
        style: Encoder, or ``None`` when no chosen metric needs it.
        perceptual: Perceptual network, likewise.
        device: Where the networks are.
    """

    def __init__(
        self,
        protocol: Protocol,
        metrics: Sequence[str],
        style: StyleBackbone | None,
        perceptual: PerceptualBackbone | None,
        device: torch.device,
    ):
        self.protocol = protocol
        self.metrics = tuple(metrics)
        self.style = style
        self.perceptual = perceptual
        self.device = device
        self._encoder = None if style is None else Encoder(style, protocol)

    @torch.inference_mode()
    @steady()
    def __call__(self, cases: Sequence[Sequence[Prepared]], styles: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Measure samples of one size, each edited by the same methods.

        Args:
            cases: For each sample its predictions, prepared and with status "ok"; they share source and mask.
            styles: All style texts of the suite, the candidates of ``style_correct``.

        Returns:
            For each prediction of each sample a dictionary, column name -> value or ``None``.
        """
        firsts = [case[0] for case in cases]
        originals = self._originals(firsts)
        samples = [item.sample for item in firsts]
        texts = () if self._encoder is None else tuple(sample_text(sample, self.protocol) for sample in samples)
        found: list[list[dict[str, Any]]] = [[] for _ in cases]
        for items in zip(*cases, strict=True):
            pred = self._stack([item.pred for item in items])
            batch = Batch(pred, originals, tuple(sample.style for sample in samples), texts, tuple(styles))
            columns = {name: self._column(METRICS[name], batch, len(items)) for name in self.metrics}
            for index, numbers in enumerate(found):
                numbers.append({name: values[index] for name, values in columns.items()})
        return found

    def _originals(self, items: Sequence[Prepared]) -> Originals:
        has_source = all(item.source is not None for item in items)
        # Both views of a picture are wanted by these alone.
        both = has_source and "leakage" in self.metrics and not GAINS.isdisjoint(self.metrics)
        return Originals(
            self.protocol,
            self._stack([item.source for item in items]) if has_source else None,
            self._stack([item.region for item in items]),
            self._stack([item.edited for item in items]),
            self._encoder,
            self.perceptual,
            VIEWS if both else (),
        )

    def _column(self, info: MetricInfo, batch: Batch, count: int) -> list[Any]:
        if "source" in info.needs and batch.source is None:
            return [None] * count
        try:
            values = info.compute(batch)
        except (RsesError, torch.cuda.OutOfMemoryError):
            raise
        except Exception as error:
            if not info.package:
                raise
            raise RsesError(
                f"The metric {info.name} failed: {type(error).__name__}: {error}.", code="failed"
            ) from error
        values = values.tolist() if isinstance(values, torch.Tensor) else values
        if values is None:
            return [None] * count
        if len(values) != count or not all(value is None or isinstance(value, (bool, int, float)) for value in values):
            raise RsesError(
                f"The metric {info.name} must return one number per sample, {count} in all.", code="wrong-result"
            )
        return [_defined(value) for value in values]

    def text_codes(self, sample: Sample) -> tuple[str, ...]:
        """Return the codes of warnings about a sample's text."""
        reads = getattr(self.style, "reads", None)
        if reads is None:
            return ()
        text = sample.prompt if self.protocol.text == "prompt" else sample.style
        return () if not text or reads(text) else ("style_unknown",)

    def _stack(self, tensors: Sequence[torch.Tensor | None]) -> torch.Tensor:
        return torch.cat(cast("list[torch.Tensor]", list(tensors))).to(self.device)


def _defined(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value

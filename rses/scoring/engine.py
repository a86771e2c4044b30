"""The way of samples through scoring: files are read and decoded ahead, grouped by size, measured, written down."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import torch

from rses.backbones import load_perceptual, load_style, require_weights
from rses.errors import InputError
from rses.images.file import ImageFile
from rses.inputs.load import Prepared, prepare, with_files
from rses.inputs.sample import Sample
from rses.protocol import Protocol
from rses.runs.journal import Journal
from rses.runs.sample_result import SampleResult
from rses.runs.warning_codes import in_order
from rses.scoring.measure import Measurer, needs_of
from rses.scoring.options import RunOptions
from rses.state.steady import helping, steady

__all__ = ["Engine", "map_in_order"]

T = TypeVar("T")
R = TypeVar("R")


@dataclasses.dataclass
class Engine:
    """Scores samples under one protocol; networks are loaded at the first use.

    Attributes:
        protocol: Decides every form.
        metrics: Columns to fill.
        device: Where the networks are.
        batch_size: Most samples per forward pass.
        workers: Threads that read and decode ahead.
    """

    protocol: Protocol
    metrics: tuple[str, ...]
    device: torch.device
    batch_size: int
    workers: int
    _measurer: Measurer | None = None

    @property
    def measurer(self) -> Measurer:
        """The metrics with their networks.

        Raises:
            WeightsError: Weights are not on this machine.
        """
        if self._measurer is None:
            needs = needs_of(self.metrics)
            style_id = self.protocol.style_backbone if "style" in needs else None
            trunk_id = self.protocol.perceptual_backbone if "perceptual" in needs else None
            require_weights([name for name in (style_id, trunk_id) if name is not None])
            style = None if style_id is None else load_style(style_id, self.device)
            trunk = None if trunk_id is None else load_perceptual(trunk_id, self.device)
            self._measurer = Measurer(self.protocol, self.metrics, style, trunk, self.device)
        return self._measurer

    @measurer.setter
    def measurer(self, measurer: Measurer) -> None:
        self._measurer = measurer

    def run(
        self, samples: Iterable[Sample], styles: Sequence[str], journal: Journal | None, options: RunOptions
    ) -> list[SampleResult]:
        """Score samples as they arrive, but for those that the journal holds.

        Raises:
            InputError: Files cannot be read, unless ``allow_missing``; what was scored stays in the journal.
        """
        done: list[SampleResult] = []
        problems: list[str] = []
        keys: dict[str, str] = {}

        def load(sample: Sample) -> Prepared | SampleResult:
            try:
                read = with_files(sample, options.files)
                if journal is not None:
                    keys[sample.id] = _content_key(read)
                    former = _recorded(journal.records.get(sample.id), sample, keys[sample.id])
                    if former is not None:
                        return dataclasses.replace(former, **sample.labels)
                return prepare(read, self.protocol, options.allow_resize)
            except InputError as error:
                return Prepared(sample, "unreadable", " ".join(error.problems))

        def new() -> Iterator[Prepared]:
            for item in map_in_order(load, samples, self.workers, ahead=self.batch_size + self.workers):
                if isinstance(item, Prepared):
                    yield item
                else:
                    done.append(item)

        try:
            for batch, scored in self._side_by_side(self._batches(new()), styles):
                problems.extend(item.note for item in batch if item.status == "unreadable")
                if not options.allow_missing:
                    scored = [sample for sample in scored if sample.status != "unreadable"]
                done.extend(scored)
                if journal is not None:
                    journal.append(
                        {"key": result.id, "inputs": keys.get(result.id), "sample": result.to_dict()}
                        for result in scored
                    )
                if options.progress is not None:
                    options.progress(len(done))
        finally:
            if journal is not None:
                journal.close()
        if problems and not options.allow_missing:
            raise InputError(problems)
        return done

    def _batches(self, prepared: Iterable[Prepared]) -> Iterator[list[Prepared]]:
        """Group samples of one size; whatever cannot be measured passes through alone."""
        open_groups: dict[torch.Size, list[Prepared]] = {}
        for item in prepared:
            if item.status != "ok" or item.pred is None:
                yield [item]
                continue
            group = open_groups.setdefault(item.pred.shape, [])
            group.append(item)
            if len(group) >= self.batch_size:
                yield open_groups.pop(item.pred.shape)
        yield from open_groups.values()

    def _side_by_side(
        self, batches: Iterable[list[Prepared]], styles: Sequence[str]
    ) -> Iterator[tuple[list[Prepared], list[SampleResult]]]:
        """Score batches; on a CPU as many at a time as torch has threads, each by a thread of its own.

        One that is shared out among threads is rounded otherwise for each number of threads.
        """
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        if threads == 1:
            yield from ((batch, self.score(batch, styles)) for batch in batches)
            return

        def work(batch: list[Prepared]) -> list[SampleResult]:
            with helping():
                return self.score(batch, styles)

        rest = iter(batches)
        with ThreadPoolExecutor(threads) as pool:
            while group := list(itertools.islice(rest, threads)):
                self.measurer  # noqa: B018 (loaded by one thread)
                with steady():
                    results = list(pool.map(work, group))
                yield from zip(group, results, strict=True)

    def score(self, batch: Sequence[Prepared], styles: Sequence[str]) -> list[SampleResult]:
        """Score prepared samples of one size; those that cannot be measured keep their status."""
        measurable = [item for item in batch if item.status == "ok"]
        numbers = iter(self._measure(measurable, styles) if measurable else [])
        return [
            _result(item, next(numbers), self.measurer.text_codes(item.sample))
            if item.status == "ok" else _result(item, {}, ())
            for item in batch
        ]  # fmt: skip

    def _measure(self, batch: list[Prepared], styles: Sequence[str]) -> list[dict[str, Any]]:
        measurer = self.measurer
        try:
            return measurer(batch, styles)
        except torch.cuda.OutOfMemoryError:
            if len(batch) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(batch) // 2
        return [*self._measure(batch[:half], styles), *self._measure(batch[half:], styles)]


def _result(item: Prepared, numbers: dict[str, Any], codes: tuple[str, ...]) -> SampleResult:
    return item.sample.result(
        numbers, status=item.status, note=item.note, mask_fraction=item.mask_fraction, resized=item.resized,
        warnings=in_order((*item.warnings, *codes)),
    )  # fmt: skip


def _recorded(record: dict[str, Any] | None, sample: Sample, key: str) -> SampleResult | None:
    """Return what a journal says of a sample, if it was scored from the same files; a damaged record says nothing."""
    if record is None or record.get("inputs") != key or not isinstance(record.get("sample"), dict):
        return None
    try:
        result = SampleResult.from_dict(record["sample"])
    except ValueError:
        return None
    return result if result.id == sample.id else None


def _content_key(sample: Sample) -> str:
    """Identify all that a sample's numbers follow from, the scorer's settings aside."""
    files = [file.sha256[:16] for file in (sample.pred, sample.mask, sample.image) if isinstance(file, ImageFile)]
    texts = json.dumps([sample.style or None, sample.prompt or None], ensure_ascii=False).encode()
    return "-".join([*files, hashlib.sha256(texts).hexdigest()[:16]])


def map_in_order(function: Callable[[T], R], items: Iterable[T], workers: int, ahead: int) -> Iterator[R]:
    """Apply ``function`` in threads, yielding results in order with at most ``ahead`` waiting in memory.

    Example:
        >>> list(map_in_order(abs, [-1, 2, -3], workers=2, ahead=2))
        [1, 2, 3]
    """
    if workers < 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting: list[Future[R]] = []
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= max(1, ahead):
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()

"""The way of samples through scoring: files are read and decoded ahead, grouped by size, measured, written down."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import torch

from rses.backbones import load_perceptual, load_style, require_weights
from rses.backbones.base import PerceptualBackbone, StyleBackbone
from rses.backbones.identity import identity
from rses.errors import InputError
from rses.images.file import ImageFile
from rses.inputs.load import Original, Prepared, prepare, with_files
from rses.inputs.sample import Sample
from rses.protocol import Protocol
from rses.runs.journal import Journal
from rses.runs.sample_result import SampleResult
from rses.runs.warning_codes import in_order
from rses.scoring.measure import Measurer
from rses.scoring.options import RunOptions
from rses.state.steady import helping, steady
from rses.table import needs_of

__all__ = ["Case", "Engine", "Track", "map_in_order"]

T = TypeVar("T")
R = TypeVar("R")


Case = Mapping[int, Sample]
"""One sample with its predictions, by the number of the method; source, mask and texts are the same in all."""


@dataclasses.dataclass
class Track:
    """What becomes of one method's samples.

    Attributes:
        journal: Where its results are written down, and those of a stopped run are found.
        done: Its results so far.
        cached: How many of these were in the journal.
        problems: What is wrong with its files.
    """

    journal: Journal | None = None
    done: list[SampleResult] = dataclasses.field(default_factory=list)
    cached: int = 0
    problems: list[str] = dataclasses.field(default_factory=list)
    _keys: dict[str, str] = dataclasses.field(default_factory=dict)

    def recorded(self, sample: Sample) -> SampleResult | None:
        """Return what the journal says of a sample, if it was scored from the same files."""
        if self.journal is None:
            return None
        key = _content_key(sample)
        former = _recorded(self.journal.records.pop(sample.id, None), sample, key)
        if former is not None:
            return dataclasses.replace(former, **sample.labels)
        self._keys[sample.id] = key
        return None

    def keep(self, items: Sequence[Prepared], results: Sequence[SampleResult], allow_missing: bool) -> None:
        """Take results over and write them down."""
        self.problems.extend(item.note for item in items if item.status == "unreadable")
        kept = [result for result in results if allow_missing or result.status != "unreadable"]
        self.done.extend(kept)
        if self.journal is not None and kept:
            self.journal.append(
                {"key": result.id, "inputs": self._keys.pop(result.id, None), "sample": result.to_dict()}
                for result in kept
            )
            # These are for a later run; this one has its results.
            for result in kept:
                self.journal.records.pop(result.id, None)


_Loaded = list[tuple[int, Prepared]]
_Scored = list[tuple[int, SampleResult]]


@dataclasses.dataclass
class Engine:
    """Scores samples under one protocol; networks are loaded at the first use.

    Attributes:
        protocol: Decides every form.
        metrics: Columns to fill.
        device: Where the networks are.
        batch_size: Most samples per forward pass.
        workers: Threads that read and decode ahead.
        style: Encoder to use instead of the protocol's.
        perceptual: Perceptual network to use, likewise.
    """

    protocol: Protocol
    metrics: tuple[str, ...]
    device: torch.device
    batch_size: int
    workers: int
    style: StyleBackbone | None = None
    perceptual: PerceptualBackbone | None = None
    _measurer: Measurer | None = None

    @property
    def measurer(self) -> Measurer:
        """The metrics with their networks.

        Raises:
            WeightsError: Weights are not on this machine.
        """
        if self._measurer is None:
            names = self._names()
            require_weights(list(names.values()))
            style, trunk = names.get("style"), names.get("perceptual")
            self._measurer = Measurer(
                self.protocol,
                self.metrics,
                self.style if style is None else load_style(style, self.device),
                self.perceptual if trunk is None else load_perceptual(trunk, self.device),
                self.device,
            )
        return self._measurer

    @measurer.setter
    def measurer(self, measurer: Measurer) -> None:
        self._measurer = measurer

    def weights(self) -> dict[str, dict[str, str] | None]:
        """Say which weights the numbers follow from; nothing is loaded for it.

        Raises:
            WeightsError: They are not on this machine.
        """
        names, needs = self._names(), needs_of(self.metrics)
        require_weights(list(names.values()))
        found: dict[str, dict[str, str] | None] = {"style": None, "perceptual": None}
        for role, given in (("style", self.style), ("perceptual", self.perceptual)):
            if role in names:
                found[role] = identity(names[role])
            elif given is not None and role in needs:
                found[role] = {"id": given.id, "sha256": given.sha256}
        return found

    def _names(self) -> dict[str, str]:
        """Return the names of the backbones that are loaded, by what they are for: those needed and not given."""
        known = {"style": self.protocol.style_backbone, "perceptual": self.protocol.perceptual_backbone}
        needs = needs_of(self.metrics)
        given = {"style": self.style, "perceptual": self.perceptual}
        return {role: name for role, name in known.items() if role in needs and given[role] is None}

    def run(self, cases: Iterable[Case], styles: Sequence[str], tracks: Sequence[Track], options: RunOptions) -> None:
        """Score samples as they arrive, each with its predictions by all methods; sources are read and encoded once.

        Args:
            cases: One sample after the other; what a method's journal holds is taken from there.
            styles: The candidates of ``style_correct``.
            tracks: The methods; results are put there.
            options: What they have in common.

        Raises:
            InputError: Files cannot be read, unless ``allow_missing``; what was scored stays in the journals.
        """

        def load(case: Case) -> list[tuple[int, Prepared | SampleResult]]:
            return self._load(case, tracks, options)

        def new() -> Iterator[_Loaded]:
            for loaded in map_in_order(load, cases, self.workers, ahead=self.batch_size + self.workers):
                left: _Loaded = []
                for number, item in loaded:
                    if isinstance(item, Prepared):
                        left.append((number, item))
                    else:
                        tracks[number].cached += 1
                        tracks[number].done.append(item)
                if left:
                    yield left

        try:
            for batch, scored in self._side_by_side(self._batches(new()), styles):
                for number, track in enumerate(tracks):
                    items = [item for case in batch for own, item in case if own == number]
                    results = [result for case in scored for own, result in case if own == number]
                    track.keep(items, results, options.allow_missing)
                if options.progress is not None:
                    options.progress(sum(len(track.done) for track in tracks))
        finally:
            for track in tracks:
                if track.journal is not None:
                    track.journal.close()
        problems = list(dict.fromkeys(problem for track in tracks for problem in track.problems))
        if problems and not options.allow_missing:
            raise InputError(problems, code="unreadable")

    def _load(
        self, case: Case, tracks: Sequence[Track], options: RunOptions
    ) -> list[tuple[int, Prepared | SampleResult]]:
        """Read a sample's source and mask, and what each method made of it."""
        found: list[tuple[int, Prepared | SampleResult]] = []
        first: Sample | None = None
        original: Original | None = None
        for number, sample in case.items():
            if first is not None:
                sample = dataclasses.replace(sample, image=first.image, mask=first.mask)
            try:
                read = with_files(sample, options.files)
                if first is None or original is None:
                    first, original = read, Original(read, self.protocol, options.threshold)
                former = tracks[number].recorded(read)
                found.append((number, former or prepare(read, self.protocol, options.allow_resize, original)))
            except InputError as error:
                found.append((number, Prepared(sample, "unreadable", " ".join(error.problems))))
        return found

    def _batches(self, loaded: Iterable[_Loaded]) -> Iterator[list[_Loaded]]:
        """Group samples of one size that the same methods edited; whatever cannot be measured passes through alone."""
        open_groups: dict[tuple[Any, ...], list[_Loaded]] = {}
        for case in loaded:
            sound = [(number, item) for number, item in case if item.status == "ok"]
            if len(sound) < len(case):
                yield [[(number, item) for number, item in case if item.status != "ok"]]
            shape = next((item.pred.shape for _, item in sound if item.pred is not None), None)
            if shape is None:
                continue
            key = (shape, *(number for number, _ in sound))
            group = open_groups.setdefault(key, [])
            group.append(sound)
            if len(group) >= self.batch_size:
                yield open_groups.pop(key)
        yield from open_groups.values()

    def _side_by_side(
        self, batches: Iterable[list[_Loaded]], styles: Sequence[str]
    ) -> Iterator[tuple[list[_Loaded], list[_Scored]]]:
        """Score batches; on a CPU as many at a time as torch has threads, each by a thread of its own.

        One that is shared out among threads is rounded otherwise for each number of threads.
        """
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        if threads == 1:
            yield from ((batch, self._score(batch, styles)) for batch in batches)
            return

        def work(batch: list[_Loaded]) -> list[_Scored]:
            with helping():
                return self._score(batch, styles)

        rest = iter(batches)
        with ThreadPoolExecutor(threads) as pool:
            while group := list(itertools.islice(rest, threads)):
                self.measurer  # noqa: B018 (loaded by one thread)
                with steady():
                    results = list(pool.map(work, group))
                yield from zip(group, results, strict=True)

    def _score(self, batch: list[_Loaded], styles: Sequence[str]) -> list[_Scored]:
        results = self.score([[item for _, item in case] for case in batch], styles)
        return [
            [(number, result) for (number, _), result in zip(case, scored, strict=True)]
            for case, scored in zip(batch, results, strict=True)
        ]

    def score(self, cases: Sequence[Sequence[Prepared]], styles: Sequence[str]) -> list[list[SampleResult]]:
        """Score samples of one size with their predictions; if one of these has another status than "ok", all have."""
        if not all(item.status == "ok" for case in cases for item in case):
            return [[_result(item, {}, ()) for item in case] for case in cases]
        return [
            [_result(item, own, self.measurer.text_codes(item.sample)) for item, own in zip(case, numbers, strict=True)]
            for case, numbers in zip(cases, self._measure(cases, styles), strict=True)
        ]

    def _measure(self, cases: Sequence[Sequence[Prepared]], styles: Sequence[str]) -> list[list[dict[str, Any]]]:
        measurer = self.measurer
        try:
            return measurer(cases, styles)
        except torch.cuda.OutOfMemoryError:
            if len(cases) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(cases) // 2
        return [*self._measure(cases[:half], styles), *self._measure(cases[half:], styles)]


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

"""RSES: score one edit, a folder of edits, or a stream of them."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from rses.arguments import require_path, require_text, text_list, whole_number
from rses.backbones import load_perceptual, load_style, require_weights
from rses.device import choose_batch_size, choose_device
from rses.errors import InputError, RsesError
from rses.files.atomic import remove_leftovers, remove_new_folders, require_writable, sha256_file
from rses.files.lock import LOCK, exclusive
from rses.files.places import require_apart, require_utf8
from rses.functional.perceptual import lpips_map
from rses.images.masks import as_mask
from rses.images.tensors import as_image
from rses.inputs.card import name_problem
from rses.inputs.load import Prepared, map_in_order, prepare
from rses.inputs.pairing import Pairing, pair_folder
from rses.inputs.preflight import check_units
from rses.inputs.rows import METADATA
from rses.inputs.sample import Sample
from rses.protocol import Protocol, get_protocol
from rses.runs.journal import Journal
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.warning_codes import in_order
from rses.scoring.measure import LPIPS_METRICS, STYLE_METRICS, Measurer, sample_text
from rses.state.steady import helping, steady
from rses.suites import load_suite, verify_files
from rses.table import METRICS, select_metrics
from rses.texts import require_readable

__all__ = ["RSES"]

Progress = Callable[[int, int], None]
_T = TypeVar("_T")


class RSES:
    """Scores edited images under one protocol.

    Args:
        protocol: A protocol or its id.
        device: ``"auto"`` (GPU when there is one), or any torch device name.
        batch_size: Samples a forward pass on a GPU; ``"auto"`` is 16. On a CPU every sample is measured alone,
            so that no number depends on its neighbours.
        metrics: Columns to compute; all by default.
        workers: Threads that decode images ahead.

    Raises:
        RsesError: Unknown protocol, metric or device. Weights are looked for at the first use that needs them.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        >>> m = np.zeros((64, 64), bool); m[16:48, 16:48] = True
        >>> r = RSES(protocol="rses-mini").score(pred=x, source=x, mask=m, style="pixel art")
        >>> r.status, r.mse_bg, r.lpips_bg, r.ssim_bg, r.rsm_gain
        ('ok', 0.0, 0.0, 1.0, 0.0)
    """

    def __init__(
        self,
        protocol: str | Protocol = "rses-v1",
        device: str | torch.device = "auto",
        batch_size: int | str = "auto",
        metrics: str | Iterable[str] | None = None,
        workers: int = 2,
    ):
        self.protocol = get_protocol(protocol)
        self.device = choose_device(device)
        self.metrics = select_metrics(metrics)
        self.batch_size = choose_batch_size(batch_size, self.device)
        self.workers = whole_number(workers, "workers", 0)
        self._measurer: Measurer | None = None

    def score(
        self,
        pred: Any,
        source: Any,
        mask: Any,
        style: str | None = None,
        *,
        styles: Sequence[str] = (),
        prompt: str | None = None,
        object: str | None = None,
        id: str = "sample",
        allow_resize: bool = False,
    ) -> SampleResult:
        """Score one edit.

        Args:
            pred: Edited image: path, PIL image, uint8 array (H, W, 3), or float tensor (3, H, W) in [0, 1].
            source: Source image, in any of these forms; ``None`` if no chosen metric needs it.
            mask: Region to edit, path or array (H, W), nonzero = edit.
            style: Target style text.
            styles: All style texts that ``style_correct`` chooses among.
            prompt: Whole prompt, for protocols that compare with it.
            object: Name of the edited object, copied into the result.
            id: Name of the sample, copied into the result and into messages.
            allow_resize: Resize a prediction of another size instead of refusing it.

        Returns:
            The numbers; ``status`` says why they are missing where they are.

        Raises:
            InputError: A value range, shape, size or file is wrong, or style or source is needed and absent.
        """
        for name, value in (("style", style), ("prompt", prompt), ("object", object), ("id", id)):
            require_text(value, name, "pixel art" if name == "style" else "cat")
        candidates = _candidates(styles)
        unit = Sample(id, source, mask, object or "", style or "", prompt or "", pred=pred)
        self._require_inputs([unit])
        prepared = prepare(unit, self.protocol, allow_resize)
        result = self._score_batch([prepared], [*candidates, *([style] if style else [])])[0]
        # Paths and arrays give the same result; a source matters among several samples only.
        return dataclasses.replace(result, source=None)

    def score_folder(
        self,
        pred: str | Path,
        masks: str | Path | None = None,
        source: str | Path | None = None,
        style: str | None = None,
        *,
        styles: str | Path | None = None,
        suite: str | Path | None = None,
        allow_missing: bool = False,
        allow_resize: bool = False,
        out: str | Path | None = None,
        fresh: bool = False,
        method: str | None = None,
        progress: Progress | None = None,
    ) -> Results:
        """Score a folder of predictions ``<id>.png`` against masks, sources and styles.

        Args:
            pred: Folder of predictions.
            masks: Folder of masks; sources and styles come from ``metadata.jsonl`` in it or in its parent.
            source: Folder of sources, where there is no metadata.
            style: One style text for all samples.
            styles: File with a style for each id (JSON, JSONL or CSV).
            suite: Name or folder of a suite, instead of ``masks``.
            allow_missing: Score what is there and report coverage, instead of refusing an incomplete folder.
            allow_resize: Resize predictions of another size.
            out: Run folder to write; a stopped run with the same settings is continued.
            fresh: Forget what ``out`` holds.
            method: Name of the method in results; the folder's name by default.
            progress: Called with (done, total).

        Raises:
            InputError: With every missing, extra, unreadable or mismatched file by name.
        """
        for name, path in (("masks", masks), ("source", source), ("out", out)):
            require_path(path, name, "folder")
        require_path(pred, "pred", "folder", optional=False)
        require_path(suite, "suite", "suite, or its name")
        require_path(styles, "styles", "file with a style for each id (JSON, JSONL or CSV)")
        require_text(style, "style", "pixel art")
        require_text(method, "method", "my-method")
        needs = tuple(sorted({need for name in self.metrics for need in METRICS[name].needs}))
        require_utf8(pred, masks, source, styles, suite, out, method)
        require_apart(out, {"predictions": pred, "masks": masks, "sources": source})
        suite_info, masks_folder, metadata = _resolve_suite(suite, masks)
        require_apart(out, {"the suite": None if metadata is None else metadata.parent})
        pairing = pair_folder(
            Path(pred), masks_folder,
            source=None if source is None else Path(source), style=style,
            styles=None if styles is None else Path(styles), metadata=metadata,
            allow_missing=allow_missing, needs=needs,
        )  # fmt: skip
        if suite_info is None:
            suite_info = {"name": pairing.suite_name}
        name = method or Path(pred).resolve().name
        if fault := name_problem(name):
            raise InputError(f"The name of the method is {name[:60]!r}{fault}. Give another with --method-name.")
        return self.score_units(
            pairing.found("source" in needs), styles={pair.style for pair in pairing.pairs if pair.style},
            missing=_missing(pairing), suite=suite_info, out=out, fresh=fresh,
            method=name, allow_missing=allow_missing, allow_resize=allow_resize,
            extra=pairing.extra, notes=pairing.notes, progress=progress,
        )  # fmt: skip

    def score_units(
        self,
        units: Sequence[Sample],
        *,
        styles: Iterable[str] | None = None,
        missing: Sequence[SampleResult] = (),
        extra: Sequence[str] = (),
        notes: Sequence[str] = (),
        suite: dict[str, Any] | None = None,
        method: str | None = None,
        card: dict[str, Any] | None = None,
        out: str | Path | None = None,
        fresh: bool = False,
        allow_missing: bool = False,
        allow_resize: bool = False,
        progress: Progress | None = None,
    ) -> Results:
        """Score samples given one by one; :meth:`score_folder` ends here.

        Args:
            units: Samples whose images are paths.
            styles: All style texts that ``style_correct`` chooses among; those of the units by default.
            missing: Samples without a prediction, counted in coverage.
            extra: Names of files that belong to no sample, noted in the summary.
            notes: What else the summary should say.
            suite: Name, version and sha256 of the suite.
            method: Name of the method.
            card: Method card, copied into the summary.
            out: As in :meth:`score_folder`.
            fresh: As in :meth:`score_folder`.
            allow_missing: As in :meth:`score_folder`.
            allow_resize: As in :meth:`score_folder`.
            progress: As in :meth:`score_folder`.

        Raises:
            InputError: As in :meth:`score_folder`; files found broken while decoding are listed at the end, and
                what was scored stays in the journal of ``out``.
        """
        self._require_inputs(units)
        if not allow_missing:
            check_units(units, allow_resize)
        own = [unit.style for unit in units if unit.style]
        with contextlib.nullcontext() if out is None else _run_folder(Path(out)):
            results = self.score_stream(
                units, styles=own if styles is None else styles, missing=missing, suite=suite, method=method,
                card=card, out=out, fresh=fresh, allow_missing=allow_missing, allow_resize=allow_resize,
                progress=None if progress is None else lambda done: progress(done, len(units)),
            )  # fmt: skip
            if extra:
                results.info["extra_files"] = list(extra)
            if notes:
                results.info["notes"] = list(notes)
            if out is not None:
                results.save(out)
        return results

    def score_stream(
        self,
        units: Iterable[Sample],
        *,
        styles: Iterable[str],
        missing: Sequence[SampleResult] = (),
        suite: dict[str, Any] | None = None,
        method: str | None = None,
        card: dict[str, Any] | None = None,
        out: str | Path | None = None,
        fresh: bool = False,
        allow_missing: bool = False,
        allow_resize: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Results:
        """Score samples as they arrive, for a method that is still editing; only the journal is written to ``out``.

        Args:
            units: Samples whose images are paths, each there when its unit arrives.
            styles: All style texts that ``style_correct`` chooses among.
            missing: Samples without a prediction; read when ``units`` has ended.
            suite: As in :meth:`score_units`.
            method: As in :meth:`score_units`.
            card: As in :meth:`score_units`.
            out: Run folder whose journal is continued.
            fresh: As in :meth:`score_folder`.
            allow_missing: As in :meth:`score_folder`.
            allow_resize: As in :meth:`score_folder`.
            progress: Called with the number of samples scored.
        """
        start = time.monotonic()
        info = self._info(suite or {}, method, card)
        texts = sorted(set(_candidates(styles)))
        journal = None
        if out is not None:
            require_writable(Path(out))
            settings = {"settings": info, "allow_resize": allow_resize, "styles": texts}
            journal = Journal(Path(out) / "journal.jsonl", settings, fresh)
        samples = self._run(units, texts, journal, allow_missing, allow_resize, progress)
        named = [
            dataclasses.replace(sample, method=method, suite=(suite or {}).get("name"))
            for sample in sorted([*samples, *missing], key=lambda s: s.id)
        ]
        info["wall_time_s"] = round(time.monotonic() - start, 3)
        return Results(named, info)

    @steady()
    def heatmap(self, pred: Any, source: Any, mask: Any) -> np.ndarray:
        """Return where LPIPS_bg comes from: float array (H, W), at least 0, exactly 0 inside the region.

        Raises:
            InputError: An image cannot be read, is too small for the backbone, or the sizes differ.
            RsesError: ``lpips_bg`` is not among the metrics.
        """
        measurer = self._load()
        if measurer.perceptual is None:
            raise RsesError("A heat map needs lpips_bg among the metrics.")
        x = as_image(source)[None]
        p, m = as_image(pred)[None], as_mask(mask, size=(x.shape[-2], x.shape[-1]), source=source)[None]
        _require_mappable(p, x, measurer.perceptual.min_size)
        with torch.inference_mode():
            heat = lpips_map(p.to(self.device), x.to(self.device), m.to(self.device), measurer.perceptual)
        return np.asarray(heat[0, 0].float().cpu().numpy())

    def _load(self) -> Measurer:
        if self._measurer is None:
            chosen = frozenset(self.metrics)
            style_id = self.protocol.style_backbone if chosen & STYLE_METRICS else None
            trunk_id = self.protocol.perceptual_backbone if chosen & LPIPS_METRICS else None
            require_weights([name for name in (style_id, trunk_id) if name is not None])
            style = None if style_id is None else load_style(style_id, self.device)
            trunk = None if trunk_id is None else load_perceptual(trunk_id, self.device)
            self._measurer = Measurer(self.protocol, chosen, style, trunk, self.device)
        return self._measurer

    def _require_inputs(self, units: Sequence[Sample]) -> None:
        needs_source = any("source" in METRICS[name].needs for name in self.metrics)
        needs_text = bool(set(self.metrics) & STYLE_METRICS)
        problems: list[str] = []
        for unit in units:
            if unit.image is None and needs_source:
                problems.append(
                    f'"{unit.id}" has no source image. Give one (--source DIR), or restrict the metrics to those '
                    "that need none (--metrics rsm,clip_cosine)."
                )
            if needs_text:
                try:
                    sample_text(unit, self.protocol)
                except InputError as error:
                    problems.extend(error.problems)
        if problems:
            raise InputError(problems)

    def _run(
        self,
        units: Iterable[Sample],
        styles: Sequence[str],
        journal: Journal | None,
        allow_missing: bool,
        allow_resize: bool,
        progress: Callable[[int], None] | None,
    ) -> list[SampleResult]:
        done: list[SampleResult] = []
        problems: list[str] = []
        keys: dict[str, str] = {}

        def todo() -> Iterator[Sample]:
            for unit in units:
                if journal is not None:
                    keys[unit.id] = _content_key(unit)
                    former = _recorded(journal.records.get(unit.id), unit, keys[unit.id])
                    if former is not None:
                        done.append(dataclasses.replace(former, **unit.labels))
                        continue
                yield unit

        try:
            batches = self._batches(self._prepared(todo(), allow_resize))
            for batch, scored in self._side_by_side(batches, styles):
                problems.extend(item.note for item in batch if item.status == "unreadable")
                if not allow_missing:
                    scored = [sample for sample in scored if sample.status != "unreadable"]
                done.extend(scored)
                if journal is not None:
                    journal.append(
                        {"key": sample.id, "inputs": keys[sample.id], "sample": sample.to_dict()} for sample in scored
                    )
                if progress is not None:
                    progress(len(done))
        finally:
            if journal is not None:
                journal.close()
        if problems and not allow_missing:
            raise InputError(problems)
        return done

    def _prepared(self, units: Iterable[Sample], allow_resize: bool) -> Iterator[Prepared]:
        def load(unit: Sample) -> Prepared:
            try:
                return prepare(unit, self.protocol, allow_resize)
            except InputError as error:
                return Prepared(unit, "unreadable", " ".join(error.problems))

        return map_in_order(load, units, self.workers, ahead=self.batch_size + self.workers)

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
            yield from ((batch, self._score_batch(batch, styles)) for batch in batches)
            return

        def work(batch: list[Prepared]) -> list[SampleResult]:
            with helping():
                return self._score_batch(batch, styles)

        with ThreadPoolExecutor(threads) as pool:
            for group in _groups(batches, threads):
                self._load()
                with steady():
                    results = list(pool.map(work, group))
                yield from zip(group, results, strict=True)

    def _score_batch(self, batch: Sequence[Prepared], styles: Sequence[str]) -> list[SampleResult]:
        measurable = [item for item in batch if item.status == "ok"]
        numbers = iter(self._measure(measurable, styles) if measurable else [])
        return [
            _result(item, next(numbers), self._load().text_codes(item.unit))
            if item.status == "ok" else _result(item, {}, ())
            for item in batch
        ]  # fmt: skip

    def _measure(self, batch: list[Prepared], styles: Sequence[str]) -> list[dict[str, Any]]:
        measurer = self._load()
        try:
            return measurer(batch, styles)
        except torch.cuda.OutOfMemoryError:
            if len(batch) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(batch) // 2
        return [*self._measure(batch[:half], styles), *self._measure(batch[half:], styles)]

    def _info(self, suite: dict[str, Any], method: str | None, card: dict[str, Any] | None) -> dict[str, Any]:
        import rses

        measurer = self._load()
        weights = {
            role: None if backbone is None else {"id": backbone.id, "sha256": backbone.sha256}
            for role, backbone in (("style", measurer.style), ("perceptual", measurer.perceptual))
        }
        return {
            "method": method,
            "method_card": card,
            "suite": suite,
            "protocol": {"id": self.protocol.id, "hash": self.protocol.hash, "knobs": self.protocol.knobs},
            "metrics": list(self.metrics),
            "weights": weights,
            "device": self.device.type,
            "dtype": "float32",
            "versions": {"rses": rses.__version__, "torch": torch.__version__},
        }


def _resolve_suite(
    suite: str | Path | None, masks: str | Path | None
) -> tuple[dict[str, Any] | None, Path, Path | None]:
    """Return what identifies the suite, its masks folder, and its metadata file.

    Raises:
        InputError: Neither a suite nor a folder of masks, or a suite that is unusable or whose files were changed.
    """
    if suite is None:
        if masks is None:
            raise InputError("No masks. Give a folder of masks (--masks DIR) or a suite (--suite NAME).")
        return None, Path(masks), None
    loaded = load_suite(suite)
    verify_files(loaded)
    info = {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256}
    return info, loaded.root / "masks", loaded.root / METADATA


def _missing(pairing: Pairing) -> list[SampleResult]:
    """Return one result a missing prediction, to be counted in coverage."""
    return [
        dataclasses.replace(pair.result(status="missing", note="no prediction"), source=None)
        for pair in pairing.pairs
        if pair.pred is None
    ]


def _recorded(record: dict[str, Any] | None, unit: Sample, key: str) -> SampleResult | None:
    """Return what a journal says of a unit, if it was scored from the same files; a damaged record says nothing."""
    if record is None or record.get("inputs") != key or not isinstance(record.get("sample"), dict):
        return None
    try:
        sample = SampleResult.from_dict(record["sample"])
    except ValueError:
        return None
    return sample if sample.id == unit.id else None


def _require_mappable(pred: torch.Tensor, source: torch.Tensor, smallest: int) -> None:
    (height, width), (rows, columns) = source.shape[-2:], pred.shape[-2:]
    if (rows, columns) != (height, width):
        raise InputError(
            f"The prediction is {columns}x{rows}, its source is {width}x{height} (width x height). A heat map needs "
            "pictures of one size: resize the prediction first."
        )
    if min(height, width) < smallest:
        raise InputError(f"The pictures are {width}x{height}; a heat map needs at least {smallest}x{smallest} pixels.")


@contextlib.contextmanager
def _run_folder(folder: Path) -> Iterator[None]:
    """Hold a folder for one run; one that was made for nothing is removed."""
    with remove_new_folders(folder, LOCK), exclusive(folder, ""):
        remove_leftovers(folder)
        yield


def _candidates(styles: Iterable[str]) -> list[str]:
    """Check the texts that ``style_correct`` chooses among."""
    texts = text_list(styles, "styles", "pixel art")
    require_readable(texts)
    return texts


def _groups(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield items in lists of ``size``, the last of which may be shorter."""
    rest = iter(items)
    while group := list(itertools.islice(rest, size)):
        yield group


def _result(item: Prepared, numbers: dict[str, Any], codes: tuple[str, ...]) -> SampleResult:
    return item.unit.result(
        status=item.status, note=item.note, mask_fraction=item.mask_fraction, resized=item.resized,
        warnings=in_order((*item.warnings, *codes)), **numbers,
    )  # fmt: skip


def _content_key(unit: Sample) -> str:
    """Identify all that a sample's numbers follow from, the scorer's settings aside."""
    files = [sha256_file(Path(path))[:16] for path in (unit.pred, unit.mask, unit.image) if path is not None]
    texts = json.dumps([unit.style or None, unit.prompt or None], ensure_ascii=False).encode()
    return "-".join([*files, hashlib.sha256(texts).hexdigest()[:16]])

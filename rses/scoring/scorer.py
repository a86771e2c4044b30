"""RSES: score one edit, a folder of edits, or a stream of them."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rses.arguments import require_path, require_text, text_list, whole_number
from rses.device import choose_batch_size, choose_device
from rses.errors import InputError, RsesError
from rses.files.atomic import remove_leftovers, remove_new_folders, require_writable
from rses.files.lock import LOCK, exclusive
from rses.files.places import require_apart, require_utf8
from rses.functional.perceptual import lpips_map
from rses.images.file import FileCache
from rses.images.masks import as_mask
from rses.images.tensors import as_image
from rses.inputs.card import name_problem
from rses.inputs.load import prepare, with_files
from rses.inputs.pairing import Pairing, pair_folder
from rses.inputs.preflight import check_samples
from rses.inputs.rows import METADATA
from rses.inputs.sample import Sample
from rses.protocol import Protocol, get_protocol
from rses.runs.journal import Journal
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.scoring.engine import Engine
from rses.scoring.measure import needs_of, sample_text
from rses.scoring.options import RunOptions
from rses.state.steady import steady
from rses.suites import load_suite, verify_files
from rses.table import select_metrics
from rses.texts import require_readable

__all__ = ["RSES"]

Progress = Callable[[int, int], None]


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
        size = choose_batch_size(batch_size, self.device)
        self.engine = Engine(self.protocol, self.metrics, self.device, size, whole_number(workers, "workers", 0))

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
        sample = Sample(id, source, mask, object or "", style or "", prompt or "", pred=pred)
        self._require_inputs([sample])
        prepared = prepare(with_files(sample, FileCache()), self.protocol, allow_resize)
        result = self.engine.score([prepared], [*candidates, *([style] if style else [])])[0]
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
        needs = sorted(needs_of(self.metrics) - {"perceptual"})
        require_utf8(pred, masks, source, styles, suite, out, method)
        require_apart(out, {"predictions": pred, "masks": masks, "sources": source})
        files = FileCache()
        suite_info, masks_folder, metadata = _resolve_suite(suite, masks, files)
        require_apart(out, {"the suite": None if metadata is None else metadata.parent})
        pairing = pair_folder(
            Path(pred), masks_folder,
            source=None if source is None else Path(source), style=style,
            styles=None if styles is None else Path(styles), metadata=metadata,
            allow_missing=allow_missing, needs=needs,
        )  # fmt: skip
        name = method or Path(pred).resolve().name
        if fault := name_problem(name):
            raise InputError(f"The name of the method, {name[:60]!r}, {fault}. Give another with --method-name.")
        samples = pairing.found("source" in needs)
        notes = {"extra_files": pairing.extra, "notes": pairing.notes}
        return self.score_samples(samples, RunOptions(
            styles={pair.style for pair in pairing.pairs if pair.style},
            suite=suite_info or {"name": pairing.suite_name}, method=name, missing=_missing(pairing), notes=notes,
            out=None if out is None else Path(out), fresh=fresh, allow_missing=allow_missing,
            allow_resize=allow_resize, files=files,
            progress=None if progress is None else lambda done: progress(done, len(samples)),
        ))  # fmt: skip

    def score_folders(
        self, preds: Mapping[str, str | Path], *, out: str | Path | None = None, **options: Any
    ) -> dict[str, Results]:
        """Score several methods, one after the other, with one set of loaded networks.

        Args:
            preds: Folder of predictions of each method, by its name.
            out: Folder in which each method gets a run folder of its name.
            **options: As in :meth:`score_folder`.

        Raises:
            InputError: As in :meth:`score_folder`.
        """
        return {
            name: self.score_folder(pred, method=name, out=None if out is None else Path(out) / name, **options)
            for name, pred in preds.items()
        }

    def score_batch(
        self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor, style: str | Sequence[str], **options: Any
    ) -> list[SampleResult]:
        """Score a batch of tensors, as a training loop has them.

        Args:
            pred: (N, 3, H, W), floats in [0, 1].
            source: The same shape.
            mask: (N, 1, H, W), nonzero = edit.
            style: Target style, one for all or one for each; ``style_correct`` chooses among all of them.
            **options: As in :meth:`score`, but for ``id``.

        Raises:
            InputError: As in :meth:`score`, or different lengths.

        Example:
            >>> x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
            >>> m = torch.zeros(2, 1, 64, 64); m[..., 16:48, 16:48] = 1
            >>> scorer = RSES(protocol="rses-mini", metrics="mse_bg,lpips_bg")
            >>> first, second = scorer.score_batch(x, x, m, "pixel art")
            >>> first.lpips_bg, second.lpips_bg
            (0.0, 0.0)
        """
        texts = [style] * len(pred) if isinstance(style, str) else list(style)
        lengths = {"pred": len(pred), "source": len(source), "mask": len(mask), "style": len(texts)}
        if len(set(lengths.values())) != 1:
            raise InputError(f"A batch must have one length, got {lengths}.")
        options = {"styles": sorted(set(texts)), **options}
        return [
            self.score(p.detach(), x.detach(), m.detach().cpu(), text, id=str(number), **options)
            for number, (p, x, m, text) in enumerate(zip(pred, source, mask, texts, strict=True))
        ]

    def score_samples(self, samples: Sequence[Sample], options: RunOptions | None = None) -> Results:
        """Score samples given one by one; :meth:`score_folder` ends here.

        Args:
            samples: With images as paths, PIL images or arrays; only paths may be resumed.
            options: How, and what the run says of itself.

        Raises:
            InputError: As in :meth:`score_folder`; files found broken while decoding are listed at the end, and
                what was scored stays in the journal of ``out``.
        """
        options = options or RunOptions()
        self._require_inputs(samples)
        if not options.allow_missing:
            check_samples(samples, options.allow_resize, options.files)
        out = options.out
        with contextlib.nullcontext() if out is None else _run_folder(out):
            results = self.score_stream(samples, options)
            if out is not None:
                results.save(out)
        return results

    def score_stream(self, samples: Iterable[Sample], options: RunOptions) -> Results:
        """Score samples as they arrive, for a method that is still editing; only the journal is written to ``out``.

        Args:
            samples: As in :meth:`score_samples`, each file there when its sample arrives.
            options: As in :meth:`score_samples`.
        """
        start = time.monotonic()
        info = self._info(options)
        if options.styles is None:
            samples = list(samples)
        styles = [sample.style for sample in samples if sample.style] if options.styles is None else options.styles
        texts = sorted(set(_candidates(styles)))
        journal = None
        if options.out is not None:
            require_writable(options.out)
            settings = {"settings": info, "allow_resize": options.allow_resize, "styles": texts}
            journal = Journal(options.out / "journal.jsonl", settings, options.fresh)
        scored = [*self.engine.run(samples, texts, journal, options), *options.missing]
        named = [
            dataclasses.replace(result, method=options.method, suite=options.suite.get("name"))
            for result in sorted(scored, key=lambda result: result.id)
        ]
        info["wall_time_s"] = round(time.monotonic() - start, 3)
        return Results(named, {**info, **{name: list(texts) for name, texts in options.notes.items() if texts}})

    @steady()
    def heatmap(self, pred: Any, source: Any, mask: Any) -> np.ndarray:
        """Return where LPIPS_bg comes from: float array (H, W), at least 0, exactly 0 inside the region.

        Raises:
            InputError: An image cannot be read, is too small for the backbone, or the sizes differ.
            RsesError: ``lpips_bg`` is not among the metrics.
        """
        measurer = self.engine.measurer
        if measurer.perceptual is None:
            raise RsesError("A heat map needs lpips_bg among the metrics.")
        x = as_image(source)[None]
        p, m = as_image(pred)[None], as_mask(mask, size=(x.shape[-2], x.shape[-1]), source=source)[None]
        _require_mappable(p, x, measurer.perceptual.min_size)
        with torch.inference_mode():
            heat = lpips_map(p.to(self.device), x.to(self.device), m.to(self.device), measurer.perceptual)
        return np.asarray(heat[0, 0].float().cpu().numpy())

    def _require_inputs(self, samples: Sequence[Sample]) -> None:
        needs = needs_of(self.metrics)
        problems: list[str] = []
        for sample in samples:
            if sample.image is None and "source" in needs:
                problems.append(
                    f'"{sample.id}" has no source image. Give one (--source DIR), or restrict the metrics to those '
                    "that need none (--metrics rsm,clip_cosine)."
                )
            if "style" in needs:
                try:
                    sample_text(sample, self.protocol)
                except InputError as error:
                    problems.extend(error.problems)
        if problems:
            raise InputError(problems)

    def _info(self, options: RunOptions) -> dict[str, Any]:
        import rses

        measurer = self.engine.measurer
        weights = {
            role: None if backbone is None else {"id": backbone.id, "sha256": backbone.sha256}
            for role, backbone in (("style", measurer.style), ("perceptual", measurer.perceptual))
        }
        return {
            "method": options.method,
            "method_card": options.card,
            "suite": options.suite,
            "protocol": {"id": self.protocol.id, "hash": self.protocol.hash, "knobs": self.protocol.knobs},
            "metrics": list(self.metrics),
            "weights": weights,
            "device": self.device.type,
            "dtype": "float32",
            "versions": {"rses": rses.__version__, "torch": torch.__version__},
        }


def _resolve_suite(
    suite: str | Path | None, masks: str | Path | None, files: FileCache
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
    verify_files(loaded, files=files)
    info = {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256}
    return info, loaded.root / "masks", loaded.root / METADATA


def _missing(pairing: Pairing) -> list[SampleResult]:
    """Return one result a missing prediction, to be counted in coverage."""
    return [
        dataclasses.replace(pair.result(status="missing", note="no prediction"), source=None)
        for pair in pairing.pairs
        if pair.pred is None
    ]


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

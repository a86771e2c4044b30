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

from rses.arguments import require_folders, require_path, require_text, text_list, whole_number
from rses.backbones.base import PerceptualBackbone, StyleBackbone
from rses.device import choose_batch_size, choose_device
from rses.errors import InputError, Place, Problem, RsesError
from rses.files.atomic import remove_leftovers, remove_new_folders, require_writable
from rses.files.lock import LOCK, exclusive
from rses.functional.perceptual import lpips_map
from rses.images.file import FileCache
from rses.images.masks import as_mask
from rses.images.tensors import as_image
from rses.inputs.load import prepare, with_files
from rses.inputs.preflight import check_samples
from rses.inputs.sample import Sample
from rses.protocol import Protocol, get_protocol
from rses.runs.journal import SCORES, Journal
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.shard import Shard
from rses.scoring.engine import Case, Engine, Track
from rses.scoring.folders import Inputs, folder_runs
from rses.scoring.measure import sample_text
from rses.scoring.options import RunOptions
from rses.scoring.shards import share_of_run, take_over_shards
from rses.state.steady import steady
from rses.table import needs_of, select_metrics
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
        style_backbone: Encoder of one's own in place of the protocol's, an object; marked ``+custom``.
        perceptual_backbone: Perceptual network of one's own, likewise.

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
        style_backbone: StyleBackbone | None = None,
        perceptual_backbone: PerceptualBackbone | None = None,
    ):
        own = {"style_backbone": style_backbone, "perceptual_backbone": perceptual_backbone}
        for name, method in (("style_backbone", "encode_images"), ("perceptual_backbone", "features")):
            if own[name] is not None and not hasattr(own[name], method):
                raise InputError(
                    f"{name} must be an object as in rses.backbones.base, got {type(own[name]).__name__}. A backbone "
                    f"that rses knows by name: get_protocol(...).replace({name}=...), or rses.load_style(...).",
                    code="wrong-type",
                )
        named = {name: f"custom:{given.id}" for name, given in own.items() if given is not None}
        self.protocol = get_protocol(protocol).replace(**named)
        self.device = choose_device(device)
        self.metrics = select_metrics(metrics)
        size = choose_batch_size(batch_size, self.device)
        workers = whole_number(workers, "workers", 0)
        self.engine = Engine(
            self.protocol, self.metrics, self.device, size, workers, style_backbone, perceptual_backbone
        )

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
        result = self.engine.score([[prepared]], [*candidates, *([style] if style else [])])[0][0]
        # Paths and arrays give the same result; a source matters among several samples only.
        return dataclasses.replace(result, source=None)

    def score_folder(
        self,
        pred: str | Path,
        masks: str | Path | None = None,
        source: str | Path | None = None,
        style: str | None = None,
        *,
        styles: str | Path | Sequence[str] | Mapping[str, str] | None = None,
        suite: str | Path | None = None,
        allow_missing: bool = False,
        allow_resize: bool = False,
        out: str | Path | None = None,
        fresh: bool = False,
        limit: int | None = None,
        threshold: float | None = None,
        method: str | None = None,
        shard: Shard | None = None,
        progress: Progress | None = None,
    ) -> Results:
        """Score a folder of predictions ``<id>.png`` against masks, sources and styles.

        Args:
            pred: Folder of predictions.
            masks: Folder of masks; sources and styles come from ``metadata.jsonl`` in it or in its parent.
            source: Folder of sources, where there is no metadata.
            style: One style text for all samples.
            styles: The style of each id, as a dictionary or a file (JSON, JSONL or CSV); or a list of texts that
                ``style_correct`` chooses among beside those of the samples.
            suite: Name or folder of a suite, instead of ``masks``.
            allow_missing: Score what is there and report coverage, instead of refusing an incomplete folder.
            allow_resize: Resize predictions of another size.
            out: Run folder to write; a stopped run with the same settings is continued.
            fresh: Forget what ``out`` holds.
            limit: Score only the first samples, by their ids; the others count as missing.
            threshold: In (0, 1): where a soft mask begins to be region. Soft masks are refused without it.
            method: Name of the method in results; the folder's name by default.
            shard: Score only this share of the samples, and write only what is needed to go on: the same call
                without a shard takes all finished shards over from ``out``.
            progress: Called with (done, total).

        Raises:
            InputError: With every missing, extra, unreadable or mismatched file by name.
        """
        require_text(method, "method", "my-method")
        require_path(pred, "pred", "folder", optional=False)
        name = method or Path(pred).resolve().name
        inputs = Inputs(masks, source, style, styles, suite, allow_missing, allow_resize, fresh, limit, threshold)
        return self._score_folders({name: pred}, {name: out}, inputs, progress, shard)[name]

    def score_folders(
        self,
        preds: Mapping[str, str | Path],
        *,
        out: str | Path | None = None,
        shard: Shard | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> dict[str, Results]:
        """Score several methods together: every source and mask is opened, decoded and encoded once.

        The numbers are those that each method has alone.

        Args:
            preds: Folder of predictions of each method, by its name.
            out: Folder in which each method gets a run folder of its name.
            shard: As in :meth:`score_folder`.
            progress: Called with (done, total) over the predictions of all methods.
            **options: As in :meth:`score_folder`.

        Raises:
            InputError: As in :meth:`score_folder`.
        """
        unknown = sorted(options.keys() - {field.name for field in dataclasses.fields(Inputs)})
        if unknown:
            raise TypeError(f"score_folders has no option {', '.join(unknown)}")
        require_folders(preds, "preds")
        require_path(out, "out", "folder")
        outs = {name: None if out is None else Path(out) / name for name in preds}
        return self._score_folders(preds, outs, Inputs(**options), progress, shard)

    def _score_folders(
        self,
        preds: Mapping[str, str | Path],
        outs: Mapping[str, str | Path | None],
        inputs: Inputs,
        progress: Progress | None,
        shard: Shard | None,
    ) -> dict[str, Results]:
        runs = folder_runs(preds, outs, inputs, sorted(needs_of(self.metrics) - {"perceptual"}))
        if shard is not None:
            runs = [share_of_run(samples, options, shard) for samples, options in runs]
        total = sum(len(samples) for samples, _ in runs)
        report = None if progress is None else lambda done: progress(done, total)
        runs = [(samples, dataclasses.replace(options, progress=report)) for samples, options in runs]
        return dict(zip(preds, self._score_together(runs), strict=True))

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
        for name, value in (("pred", pred), ("source", source), ("mask", mask)):
            if not isinstance(value, torch.Tensor) or not value.ndim:
                text = f"{name} must be a tensor of several images; got {type(value).__name__}."
                raise InputError(text, code="wrong-argument", place=Place(field=name))
        texts = [style] * len(pred) if isinstance(style, str) else text_list(style, "style", "pixel art")
        lengths = {"pred": len(pred), "source": len(source), "mask": len(mask), "style": len(texts)}
        if len(set(lengths.values())) != 1:
            raise InputError(f"A batch must have one length, got {lengths}.", code="mismatch")
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
        return self._score_together([(samples, options or RunOptions())])[0]

    def _score_together(self, runs: Sequence[tuple[Sequence[Sample], RunOptions]]) -> list[Results]:
        """Score the samples of several runs, those of one id side by side, and write each run to its folder."""
        problems: list[str] = []
        for samples, options in runs:
            for check in (self._require_inputs, None if options.allow_missing else self._check_files(options)):
                try:
                    if check is not None:
                        check(samples)
                except InputError as error:
                    problems += error.problems
        if problems:
            raise InputError(list(dict.fromkeys(problems)))
        cases: dict[tuple[Any, ...], dict[int, Sample]] = {}
        for number, (samples, _) in enumerate(runs):
            for place, sample in enumerate(samples):
                shared = isinstance(sample.image, str | Path | None) and isinstance(sample.mask, str | Path)
                texts = (sample.style, sample.prompt)
                key = (sample.id, sample.image, sample.mask, *texts) if shared else (number, place)
                cases.setdefault(key, {})[number] = sample
        with contextlib.ExitStack() as held:
            for _, options in runs:
                if options.out is not None:
                    held.enter_context(_run_folder(options.out))
            results = self._score(cases.values(), [self._with_styles(samples, options) for samples, options in runs])
            for scored, (_, options) in zip(results, runs, strict=True):
                if options.out is not None and options.shard is None:
                    scored.save(options.out)
        return results

    def score_stream(self, samples: Iterable[Sample], options: RunOptions) -> Results:
        """Score samples as they arrive, for a method that is still editing; only the journal is written to ``out``.

        Args:
            samples: As in :meth:`score_samples`, each file there when its sample arrives.
            options: As in :meth:`score_samples`.
        """
        if options.styles is None:
            samples = list(samples)
            options = self._with_styles(samples, options)
        return self._score(({0: sample} for sample in samples), [options])[0]

    @staticmethod
    def _with_styles(samples: Sequence[Sample], options: RunOptions) -> RunOptions:
        styles = [sample.style for sample in samples if sample.style] if options.styles is None else options.styles
        return dataclasses.replace(options, styles=sorted(set(_candidates(styles))))

    @staticmethod
    def _check_files(options: RunOptions) -> Callable[[Iterable[Sample]], None]:
        return lambda samples: check_samples(samples, options.allow_resize, options.files)

    def _score(self, cases: Iterable[Case], runs: Sequence[RunOptions]) -> list[Results]:
        start = time.monotonic()
        infos = [self._info(options) for options in runs]
        texts = sorted({text for options in runs for text in _candidates(options.styles or ())})
        tracks = []
        for info, options in zip(infos, runs, strict=True):
            journal = None
            if options.out is not None:
                require_writable(options.out)
                settings = {"settings": info, "allow_resize": options.allow_resize, "styles": texts}
                journal = Journal(options.out / SCORES, settings, options.fresh)
                take_over_shards(journal, options)
            tracks.append(Track(journal))
        self.engine.run(cases, texts, tracks, runs[0])
        return [
            _results(track, options, {**info, "wall_time_s": round(time.monotonic() - start, 3)})
            for track, options, info in zip(tracks, runs, infos, strict=True)
        ]

    @steady()
    def heatmap(self, pred: Any, source: Any, mask: Any) -> np.ndarray:
        """Return where LPIPS_bg comes from: float array (H, W), at least 0, exactly 0 inside the region.

        Raises:
            InputError: An image cannot be read, is too small for the backbone, or the sizes differ.
            RsesError: ``lpips_bg`` is not among the metrics.
        """
        measurer = self.engine.measurer
        if measurer.perceptual is None:
            raise RsesError("A heat map needs lpips_bg among the metrics.", code="missing-option")
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
                text = (
                    f'"{sample.id}" has no source image. Give one (--source DIR), or restrict the metrics to those '
                    "that need none (--metrics rsm,clip_cosine)."
                )
                problems.append(Problem(text, "missing-option"))
            if "style" in needs:
                try:
                    sample_text(sample, self.protocol)
                except InputError as error:
                    problems.extend(error.problems)
        if problems:
            raise InputError(problems, code="missing-option")

    def _info(self, options: RunOptions) -> dict[str, Any]:
        import rses

        return {
            "method": options.method,
            "method_card": options.card,
            "suite": options.suite,
            "protocol": {"id": self.protocol.id, "hash": self.protocol.hash, "knobs": self.protocol.knobs},
            "metrics": list(self.metrics),
            "weights": self.engine.weights(),
            "device": self.device.type,
            "dtype": "float32",
            "versions": {"rses": rses.__version__, "torch": torch.__version__},
            **({} if options.threshold is None else {"mask_threshold": options.threshold}),
        }


def _results(track: Track, options: RunOptions, info: dict[str, Any]) -> Results:
    named = [*track.done, *options.missing]
    track.done.clear()  # the results of a large run are not held twice
    named.sort(key=lambda result: result.id)
    for place, result in enumerate(named):
        named[place] = dataclasses.replace(result, method=options.method, suite=options.suite.get("name"))
    notes = {name: list(texts) for name, texts in options.notes.items() if texts}
    return Results(named, {**info, **notes}, cached=track.cached)


def _require_mappable(pred: torch.Tensor, source: torch.Tensor, smallest: int) -> None:
    (height, width), (rows, columns) = source.shape[-2:], pred.shape[-2:]
    if (rows, columns) != (height, width):
        raise InputError(
            f"The prediction is {columns}x{rows}, its source is {width}x{height} (width x height). A heat map needs "
            "pictures of one size: resize the prediction first.",
            code="wrong-size",
        )
    if min(height, width) < smallest:
        raise InputError(
            f"The pictures are {width}x{height}; a heat map needs at least {smallest}x{smallest} pixels.",
            code="wrong-size",
        )


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

"""Let a method edit samples, one fixed batch after the other; what is finished is kept, what fails is written down."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from rses.bench.checks import check_card, check_edit, failure_reason, require_json
from rses.bench.forget import forget_run
from rses.bench.plan import fixed_batches
from rses.device import choose_device
from rses.errors import InputError, Place, RsesError
from rses.files.atomic import require_writable
from rses.images.decode import read_image
from rses.images.file import FileCache
from rses.images.masks import read_mask
from rses.images.tensors import write_png
from rses.methods import DTYPES, Edited, EditSample, Method, sample_seed
from rses.runs.journal import EDITS, Journal
from rses.state.process import state_of
from rses.suites import Sample, Suite

__all__ = ["Generation", "Settings", "choose_dtype", "generate", "package_versions"]

PACKAGES = ("diffusers", "transformers", "peft")
"""Whose versions may show in an edit."""
CPU_BATCH, GPU_BATCH = 8, 16


@dataclass(frozen=True)
class Settings:
    """What determines the images beside the method's card and the sample.

    Attributes:
        seed: Base seed; a sample's own seed follows from it and the sample's id.
        device: "auto" or a torch device.
        dtype: "auto" (float32 on a CPU, the card's own on a GPU) or a torch dtype's name.
        batch_size: Most samples edited together; "auto" for the card's own, at most 8 on a CPU and 16 on a GPU.
        retry_failed: Edit samples again that failed before.
        fresh: Forget what the folder holds.
    """

    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int | str = "auto"
    retry_failed: bool = False
    fresh: bool = False


@dataclass
class Generation:
    """The edits of a run, made while it is iterated over.

    Iterating yields each sample with the path of its edit, finished ones included, as soon as they are there.

    Attributes:
        method: Who edits.
        samples: What is edited.
        suite: Where the samples come from.
        folder: Run folder; edits go to ``images``.
        settings: Knobs.
        failures: Reason by sample id, of those that failed; complete when the iteration has ended.
        loaded: What the method says about its weights once loaded.
        details: What the method recorded on each edit, by sample id.
        files: Reads sources and masks, each once.
        batch_size: Most samples edited together, before a GPU ran out of memory.
    """

    method: Method
    samples: Sequence[Sample]
    suite: Suite
    folder: Path
    settings: Settings = field(default_factory=Settings)
    failures: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, Any] = field(default_factory=dict)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: FileCache = field(default_factory=FileCache)

    def __post_init__(self) -> None:
        # The method may change directory.
        self.folder = self.folder.absolute()
        self._state = state_of(self.method)
        check_card(self.method)
        require_writable(self.folder / "images")
        self.device = choose_device(self.settings.device)
        self.dtype = choose_dtype(self.settings.dtype, self.device, self.method)
        self._batch_size = self.batch_size = self._choose_batch_size()
        determines = {
            "method": self.method.card.to_dict(), "suite": self.suite.sha256, "seed": self.settings.seed,
            "device": self.device.type, "dtype": self.dtype,
        }  # fmt: skip
        self._journal = Journal(self.folder / EDITS, determines, self.settings.fresh, _is_sound)
        self._is_loaded = False
        self.loaded = self._journal.records.get("", {}).get("loaded", {})
        self._same_weights()
        self._guard_pictures()
        for sample in self.samples:
            self._recall(sample)

    def path(self, sample: Sample) -> Path:
        """Return where the edit of a sample is, or will be."""
        return self.folder / "images" / f"{sample.id}.png"

    def __iter__(self) -> Iterator[tuple[Sample, Path]]:
        try:
            for batch in fixed_batches(self.samples, self._batch_size, self.files):
                if any(self._is_open(sample) for sample in batch):
                    self._edit(batch)
                for sample in batch:
                    if sample.id not in self.failures:
                        yield sample, self.path(sample)
        finally:
            self._journal.close()

    def _recall(self, sample: Sample) -> None:
        """Take over what an earlier run wrote down about a sample."""
        record = self._journal.records.get(sample.id, {})
        if record.get("status") == "failed" and not self.settings.retry_failed:
            self.failures[sample.id] = record["error"]
        if record.get("details"):
            self.details[sample.id] = record["details"]

    def _is_open(self, sample: Sample) -> bool:
        # A picture that the journal does not know may be anybody's, e.g. a former method's.
        done = self._journal.records.get(sample.id, {}).get("status") == "done"
        return sample.id not in self.failures and not (done and self.path(sample).exists())

    def _guard_pictures(self) -> None:
        """Refuse to take over, or to replace, pictures that are not of this run.

        Raises:
            InputError: ``images`` holds some of unknown origin.
        """
        there = [path for path in map(self.path, self.samples) if path.exists()]
        if there and self._journal.is_new and not self.settings.fresh:
            raise InputError(
                f"{self.folder} holds {len(there)} pictures of unknown origin, e.g. {there[0]}. Choose another --out, "
                "or pass --fresh to replace them.",
                code="unknown-file",
                place=Place(str(self.folder)),
            )

    def _edit(self, batch: Sequence[Sample]) -> None:
        """Edit a batch and keep those of its edits that are not there yet."""
        self._load()
        requests: list[EditSample] = []
        for sample in batch:
            try:
                requests.append(self._request(sample))
            except InputError as error:
                self._keep_failure(sample.id, error)
        known = {sample.id: sample for sample in batch}
        for request, outcome, seconds in self._outcomes(requests):
            if self._is_open(known[request.id]):
                self._keep(known[request.id], request, outcome, seconds)

    def _outcomes(self, requests: list[EditSample]) -> Iterator[tuple[EditSample, Any, float]]:
        """Yield what became of each request, in batches whose size may shrink on the way."""
        start = 0
        while start < len(requests):
            chunk = requests[start : start + self._batch_size]
            start += len(chunk)
            yield from self._try(chunk)

    def _try(self, requests: list[EditSample]) -> Iterator[tuple[EditSample, Any, float]]:
        """Yield what became of each request: an edit, or the error; a batch that fails is tried one by one."""
        began = time.monotonic()
        reason: BaseException | None = None
        try:
            # Copies, for a method may work in place, and a batch that fails is tried again.
            with self._state.own():
                edited = self.method.edit([_own(request) for request in requests])
                if edited is None:
                    raise RsesError(
                        f"{self.method.card.name} returned None, expected a list of images.", code="wrong-result"
                    )
                # One more than asked for is enough to know; a generator may have no end.
                edits = list(itertools.islice(edited, len(requests) + 1))
            if len(edits) != len(requests):
                number = f"{len(edits)} images" if len(edits) < len(requests) else "more images than asked for"
                raise RsesError(
                    f"{self.method.card.name} returned {number} for {len(requests)} samples.", code="wrong-result"
                )
        except torch.cuda.OutOfMemoryError as error:
            if len(requests) == 1:
                reason = RsesError(
                    f"ran out of memory on {self.device} with a single sample. {error}", code="out-of-memory"
                )
            else:
                self._batch_size = len(requests) // 2
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            reason = RsesError(f"the method wanted to end the process with {error.code}", code="failed")
        except BaseException as error:
            # Whatever a method of someone else's raises must not end the run; a cancelled task is no `Exception`.
            reason = error.with_traceback(None)
        else:
            seconds = (time.monotonic() - began) / len(requests)
            yield from ((request, edit, seconds) for request, edit in zip(requests, edits, strict=True))
            return
        if reason is None:
            # Only here, where no error holds the frames of the failed call any more, is its memory free again.
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            yield from self._outcomes(requests)
        elif len(requests) == 1:
            yield requests[0], reason, time.monotonic() - began
        else:
            reason = None
            for request in requests:
                yield from self._try([request])

    def _keep(self, sample: Sample, request: EditSample, outcome: Any, seconds: float) -> None:
        try:
            if isinstance(outcome, BaseException):
                self._keep_failure(sample.id, outcome)
                return
            edited = outcome if isinstance(outcome, Edited) else Edited(outcome)
            if not isinstance(edited.details, dict):
                raise RsesError(
                    f"recorded {type(edited.details).__name__} on its edit, expected a dictionary.", code="wrong-result"
                )
            check_edit(edited.image, request.image.shape)
            require_json(edited.details, "What the method records on its edit")
        except Exception as error:
            self._keep_failure(sample.id, error)
            return
        write_png(self.path(sample), edited.image)
        record: dict[str, Any] = {"key": sample.id, "status": "done", "seconds": round(seconds, 3)}
        if edited.details:
            self.details[sample.id] = record["details"] = edited.details
        self._journal.append([record])

    def _keep_failure(self, sample_id: str, error: BaseException) -> None:
        reason = failure_reason(error)
        self.failures[sample_id] = reason
        self._journal.append([{"key": sample_id, "status": "failed", "error": reason}])

    def _request(self, sample: Sample) -> EditSample:
        source = read_image(self.files(sample.image))
        mask = read_mask(self.files(sample.mask)) if self.method.card.mask_used else None
        seed = sample_seed(self.settings.seed, sample.id)
        return EditSample(sample.id, source, sample.object, sample.style, sample.prompt, seed, mask)

    def _load(self) -> None:
        if self._is_loaded:
            return
        try:
            with self._state.own():
                self.method.load(str(self.device), self.dtype)
        except RsesError:
            raise
        except torch.cuda.OutOfMemoryError as error:
            card = self.method.card
            raise RsesError(
                f"{card.name} does not fit into the memory of {self.device}; its card says {card.memory_gb:.0f} GB. "
                f"Some methods take --set offload=true. {error}",
                code="out-of-memory",
            ) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise RsesError(
                f"{self.method.card.name} cannot be loaded: {failure_reason(error)}", code="failed"
            ) from error
        self._is_loaded = True
        facts = self._same_weights()
        if self.settings.fresh:
            forget_run(self.folder, [sample.id for sample in self.samples])
        record: dict[str, Any] = {"key": ""}
        if facts:
            self.loaded = facts
            # Libraries that load weights may show in the edits.
            record |= {"loaded": facts, "versions": dict(package_versions())}
        # Before the first picture: from now on those in the folder are known to be this run's.
        self._journal.append([record] if facts else [])

    def _same_weights(self) -> dict[str, Any]:
        """Return what the method says about its weights, which must be those of earlier edits.

        Raises:
            InputError: They are others, or no dictionary of JSON, or libraries have other versions than then.
        """
        said: Any = getattr(self.method, "loaded", None) or {}
        if not isinstance(said, dict):
            raise InputError(
                f"{self.method.card.name}.loaded is {type(said).__name__}, expected a dictionary.", code="wrong-result"
            )
        require_json(said, f"What {self.method.card.name} says it loaded")
        # As the journal gives it back: without tuples, with texts as keys.
        facts: dict[str, Any] = json.loads(json.dumps(said))
        if facts and self.loaded and self.loaded != facts:
            raise InputError(
                f"{self.folder} holds edits made with other weights or files ({self.loaded}; now {facts}). "
                "Choose another --out, or pass --fresh.",
                code="other-run",
                place=Place(str(self.folder)),
            )
        before, now = self._journal.records.get("", {}).get("versions"), dict(package_versions())
        if facts and before is not None and before != now:
            raise InputError(
                f"{self.folder} holds edits made with other libraries ({_listed(before)}; now {_listed(now)}). "
                "Install those again, choose another --out, or pass --fresh.",
                code="other-run",
                place=Place(str(self.folder)),
            )
        return facts

    def _choose_batch_size(self) -> int:
        wanted, most = self.settings.batch_size, self.method.card.max_batch
        if wanted == "auto":
            return min(most, GPU_BATCH if self.device.type == "cuda" else CPU_BATCH)
        if not isinstance(wanted, int) or wanted < 1:
            raise InputError(
                f'--batch-size must be "auto" or at least 1, got {wanted!r}.',
                code="out-of-range",
                place=Place(field="--batch-size"),
            )
        return min(most, wanted)


def generate(
    method: Method, samples: Sequence[Sample], suite: Suite, folder: Path, settings: Settings | None = None
) -> Generation:
    """Edit all samples.

    Raises:
        InputError: ``folder`` holds edits made with other settings.

    Returns:
        The finished generation, with failures by sample id.
    """
    generation = Generation(method, samples, suite, folder, settings or Settings())
    for _ in generation:
        pass
    return generation


def _is_sound(record: dict[str, Any]) -> bool:
    """Whether a record of the journal of edits holds what is taken over from it."""
    if not all(isinstance(record.get(name, {}), dict) for name in ("loaded", "details")):
        return False
    return record["key"] == "" or record.get("status") == "done" or isinstance(record.get("error"), str)


def choose_dtype(name: str, device: torch.device, method: Method) -> str:
    """Return the precision that a method computes in.

    Raises:
        InputError: Not a precision.
    """
    if name == "auto":
        return method.card.dtype if device.type == "cuda" else "float32"
    if name not in DTYPES:
        raise InputError(
            f'--dtype must be auto, float32, bfloat16 or float16, got "{name}".',
            code="unknown-value",
            place=Place(field="--dtype"),
        )
    return name


def _own(request: EditSample) -> EditSample:
    return dataclasses.replace(
        request, image=request.image.copy(), mask=None if request.mask is None else request.mask.copy()
    )


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "none"


def package_versions() -> Iterator[tuple[str, str]]:
    """Yield name and version of each installed library that may show in an edit."""
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            yield name, version(name)

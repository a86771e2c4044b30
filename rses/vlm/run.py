"""Ask the four questions on every edit of a run; answers are kept one by one, so that a stopped run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place
from rses.files.atomic import sha256_file, write_atomic
from rses.files.lock import exclusive
from rses.files.names import listed
from rses.images.decode import read_image
from rses.inputs.image_folder import ImageFolder
from rses.runs.journal import Journal
from rses.runs.sample_result import SampleResult
from rses.statistics import mean_interval
from rses.vlm.judge import Answer, YesNoJudge
from rses.vlm.questions import QUESTIONS, opposite_style, questions, wording_hash

JOURNAL, SUMMARY = "vlm.jsonl", "vlm.json"


def judge_run(
    run: str | Path, samples: Sequence[SampleResult], images: str | Path, judge: YesNoJudge, *, batch_size: int = 8,
    fresh: bool = False, progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Ask about the edits in ``images``; every answer (``vlm.jsonl``) and rates (``vlm.json``) go to the run folder.

    Raises:
        InputError: Samples lack an object or a style, or the folder holds answers of another model or wording.
    """
    usable, asked = open_questions(samples, images)
    settings = {
        "model": judge.model_id, "loaded": judge.loaded, "dtype": judge.dtype, "max_pixels": judge.max_pixels,
        "wording": wording_hash(),
    }  # fmt: skip
    folder = Path(run)
    with exclusive(folder):
        journal = Journal(folder / JOURNAL, settings, fresh, _is_sound)
        try:
            _ask_open(asked, judge, journal, batch_size, progress)
        finally:
            journal.close()
        summary = {"N": len(samples), **_summarise(usable, journal, settings)}
        write_atomic(folder / SUMMARY, (json.dumps(summary, indent=2) + "\n").encode())
    return summary


def open_questions(
    samples: Sequence[SampleResult], images: str | Path
) -> tuple[list[SampleResult], list[tuple[str, Path, str]]]:
    """Return the samples with an edit, and key, picture and text of every question on them.

    Needs no model, so that a run that cannot be asked about is refused before one is loaded.

    Raises:
        InputError: Samples lack an object or a style, or edits are missing.
    """
    usable = [sample for sample in samples if sample.status not in ("missing", "failed", "unreadable")]
    lacking = [sample.id for sample in usable if not (sample.object and sample.style)]
    if lacking or not usable:
        text = f"The questions need an object and a style for every sample; missing for {listed(lacking) or 'all'}."
        raise InputError(text, code="missing-key")
    styles = sorted({str(sample.style) for sample in usable})
    problems: list[str] = []
    edits = ImageFolder(Path(images), "edits", problems)
    if problems:
        raise InputError(problems, code="missing-file")
    absent = [edits.shown(sample.id) for sample in usable if sample.id not in edits.files]
    if absent:
        raise InputError(
            f"{len(absent)} edits are missing in {images}: {listed(absent)}. Give --images DIR.",
            code="missing-file", place=Place(str(images)),
        )  # fmt: skip
    asked = [
        (f"{sample.id}:{name}", edits.files[sample.id], text)
        for sample in usable
        for name, text in questions(
            str(sample.object), str(sample.style), opposite_style(str(sample.style), styles)
        ).items()
    ]
    return usable, asked


def _ask_open(
    asked: Sequence[tuple[str, Path, str]], judge: YesNoJudge, journal: Journal, batch_size: int,
    progress: Callable[[int, int], None] | None,
) -> None:  # fmt: skip
    digests = {path: sha256_file(path)[:16] for path in sorted({path for _, path, _ in asked})}
    todo = [
        (key, path, text)
        for key, path, text in asked
        # An answer to another question, or on a picture that was edited anew since, is none.
        if (record := journal.records.get(key, {})).get("question") != text or record.get("image") != digests[path]
    ]
    done = len(asked) - len(todo)
    for batch in _chunks(todo, batch_size):
        answers = judge.ask([read_image(path) for _, path, _ in batch], [text for _, _, text in batch])
        journal.append(
            _record(key, text, digests[path], answer) for (key, path, text), answer in zip(batch, answers, strict=True)
        )
        done += len(batch)
        if progress is not None:
            progress(done, len(asked))


def _is_sound(record: dict[str, Any]) -> bool:
    """Whether a record of the journal of answers holds what is taken over from it."""
    numbers = all(isinstance(record.get(name), (int, float)) for name in ("p_yes", "mass"))
    return numbers and isinstance(record.get("answer"), str)


def _record(key: str, text: str, image: str, answer: Answer) -> dict[str, Any]:
    return {
        "key": key, "question": text, "image": image, "p_yes": answer.p_yes, "mass": answer.mass,
        "answer": answer.text,
    }  # fmt: skip


def _summarise(samples: Sequence[SampleResult], journal: Journal, settings: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"settings": settings, "n": len(samples), "questions": {}}
    for name in QUESTIONS:
        records = [journal.records[f"{sample.id}:{name}"] for sample in samples]
        rate = mean_interval([float(record["p_yes"] > 0.5) for record in records])
        written = [record["answer"].lower().startswith("yes") for record in records]
        result["questions"][name] = {
            "yes": rate.mean, "low": rate.low, "high": rate.high,
            "p_yes": mean_interval([record["p_yes"] for record in records]).mean,
            "mass": mean_interval([record["mass"] for record in records]).mean,
            "yes_written": sum(written) / len(written),
        }  # fmt: skip
    return result


def _chunks(items: Sequence[tuple[str, Path, str]], size: int) -> Iterator[Sequence[tuple[str, Path, str]]]:
    return (items[start : start + size] for start in range(0, len(items), size))

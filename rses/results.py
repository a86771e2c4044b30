"""Typed results: one record a sample, one summary a run, and the run folder they live in.

A run folder holds ``samples.parquet`` (one row a sample), ``summary.json`` (means with intervals and everything
that determines them) and, while scoring, ``journal.jsonl``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError
from rses.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA", "STATUSES", "Results", "SampleResult", "load_run"]

SCHEMA = 1
STATUSES = ("ok", "empty_mask", "full_mask", "unreadable", "non_finite", "missing")


@dataclass(frozen=True)
class SampleResult:
    """The numbers of one sample; a number that is undefined or was not asked for is ``None``.

    ``status`` is one of :data:`STATUSES`; only "ok" samples enter means. ``psnr_bg`` is ``inf`` for a perfect
    background. ``mask_fraction`` is the share of the image inside the region, in [0, 1]. ``resized`` is true
    where the prediction had to be brought to the source's size.
    """

    id: str
    status: str = "ok"
    method: str | None = None
    suite: str | None = None
    dataset: str | None = None
    style: str | None = None
    object: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    rsm: float | None = None
    clip_cosine: float | None = None
    rsm_gain: float | None = None
    style_correct: bool | None = None
    leakage: float | None = None
    lpips_bg: float | None = None
    mse_bg: float | None = None
    mse_bg_pm1: float | None = None
    psnr_bg: float | None = None
    ssim_bg: float | None = None
    boundary_mse: float | None = None
    rses_h: float | None = None
    mask_fraction: float | None = None
    resized: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; infinity is written as the string "inf".

        Example:
            >>> SampleResult("a", psnr_bg=float("inf")).to_dict()["psnr_bg"]
            'inf'
        """
        record = dataclasses.asdict(self)
        record["tags"] = list(self.tags)
        return {key: _encode(value) for key, value in record.items()}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> SampleResult:
        """Read :meth:`to_dict` back; unknown keys are ignored, so that newer files stay readable."""
        names = {item.name for item in dataclasses.fields(cls)}
        known = {key: _decode(value) for key, value in record.items() if key in names}
        known["tags"] = tuple(_list(known.get("tags")))
        return cls(**known)


def _encode(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, str) and value in ("inf", "-inf"):
        return float(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _list(value: Any) -> list[str]:
    return [] if value is None else [str(item) for item in value]


@dataclass
class Results:
    """All samples of one run and what determined their numbers.

    Attributes:
        samples: One record a sample, sorted by id.
        info: Protocol, weights, suite, method card, device, versions; goes into ``summary.json``.
    """

    samples: list[SampleResult]
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        """Means with 95 % intervals, overall and by style, mask size and dataset, with all provenance."""
        from rses.summary import summarise

        return summarise(self.samples, self.info)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a sample; undefined numbers are missing values.

        Example:
            >>> Results([SampleResult("a", mse_bg=0.5)]).to_pandas().loc[0, "mse_bg"].item()
            0.5
        """
        import pandas as pd

        columns = [item.name for item in dataclasses.fields(SampleResult)]
        rows = [[getattr(sample, name) for name in columns] for sample in self.samples]
        frame = pd.DataFrame(rows, columns=columns)
        frame["tags"] = [list(sample.tags) for sample in self.samples]
        return frame

    def save(self, folder: str | Path) -> Path:
        """Write ``samples.parquet`` and ``summary.json`` atomically and return the folder."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist([_row(sample) for sample in self.samples], schema=_arrow_schema(pa))
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        write_atomic(target / "samples.parquet", sink.getvalue().to_pybytes())
        text = json.dumps(self.summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomic(target / "summary.json", text.encode("utf-8"))
        return target

    @classmethod
    def load(cls, folder: str | Path) -> Results:
        """Read a run folder written by :meth:`save`.

        Raises:
            InputError: The folder is not a finished run, or was written by a newer version.
        """
        import pyarrow.parquet as pq

        root = Path(folder)
        samples, summary = root / "samples.parquet", root / "summary.json"
        absent = [path.name for path in (samples, summary) if not path.is_file()]
        if absent:
            raise InputError(
                f"{root} is not a finished run: {' and '.join(absent)} not found. "
                "Expected a folder written by `rses score --out` or `rses bench --out`."
            )
        try:
            info = json.loads(summary.read_text("utf-8"))
            rows = pq.read_table(samples).to_pylist()
        except (ValueError, OSError) as error:
            raise InputError(f"{root} cannot be read as a run: {error}") from error
        if info.get("schema", 0) > SCHEMA:
            raise InputError(f"{summary} has schema {info['schema']}, this version reads up to {SCHEMA}: upgrade rses.")
        return cls([SampleResult.from_dict(row) for row in rows], info.get("info", {}))


def load_run(folder: str | Path) -> Results:
    """Read a run folder; the same as :meth:`Results.load`."""
    return Results.load(folder)


def _row(sample: SampleResult) -> dict[str, Any]:
    record = dataclasses.asdict(sample)
    record["tags"] = list(sample.tags)
    return record


def _arrow_schema(pa: Any) -> Any:
    types = {
        "bool": pa.bool_(),
        "str": pa.string(),
        "float": pa.float64(),
        "tuple[str, ...]": pa.list_(pa.string()),
    }
    fields = [(item.name, types[str(item.type).replace(" | None", "")]) for item in dataclasses.fields(SampleResult)]
    return pa.schema(fields)


def common_ids(runs: Sequence[Results]) -> list[str]:
    """Return the ids that every run scored, sorted.

    Example:
        >>> a = Results([SampleResult("x"), SampleResult("y")])
        >>> b = Results([SampleResult("y"), SampleResult("z", status="missing")])
        >>> common_ids([a, b])
        ['y']
    """
    scored = [{sample.id for sample in run.samples if sample.status == "ok"} for run in runs]
    return sorted(set.intersection(*scored)) if scored else []

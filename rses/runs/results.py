"""Typed results: one record a sample, one summary a run, and the run folder they live in.

A run folder holds ``samples.parquet`` (one row a sample), ``summary.json`` (means with intervals and everything
that determines them) and, while scoring, ``journal.jsonl``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError
from rses.files.atomic import write_atomic
from rses.files.text import parse_json
from rses.runs.info import run_info
from rses.runs.migrate import migrated
from rses.runs.sample_result import STATUSES, SampleResult
from rses.runs.sample_table import read_samples
from rses.runs.summary import SCHEMA, schema_problem, summarise

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA", "STATUSES", "Results", "SampleResult", "load_run"]


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
        for name in ("tags", "warnings"):
            frame[name] = [list(getattr(sample, name)) for sample in self.samples]
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
        data = sink.getvalue().to_pybytes()
        if not _holds(target / "samples.parquet", data):
            # Stopped between the two files, the folder must not hold a summary of other samples.
            (target / "summary.json").unlink(missing_ok=True)
        write_atomic(target / "samples.parquet", data)
        text = json.dumps(self.summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomic(target / "summary.json", text.encode("utf-8"))
        return target

    @classmethod
    def load(cls, folder: str | Path) -> Results:
        """Read a run folder written by :meth:`save`.

        Raises:
            InputError: The folder is not a finished run, or was written by another version.
        """
        root = Path(folder)
        samples, summary = root / "samples.parquet", root / "summary.json"
        absent = [path.name for path in (samples, summary) if not path.is_file()]
        if absent:
            raise InputError(
                f"{root} is not a finished run: {' and '.join(absent)} not found. "
                "Expected a folder written by `rses score --out` or `rses bench --out`."
            )
        try:
            content = parse_json(summary.read_bytes())
            info = run_info(content)
            if fault := schema_problem(content):
                raise InputError(f"{summary}: {fault}.")
            return cls(*migrated(content["schema"], read_samples(samples), info))
        except (ValueError, OSError) as error:
            raise InputError(f"{root} cannot be read as a run: {error}") from error


def load_run(folder: str | Path) -> Results:
    """Read a run folder; the same as :meth:`Results.load`."""
    return Results.load(folder)


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _row(sample: SampleResult) -> dict[str, Any]:
    record = dataclasses.asdict(sample)
    record["tags"], record["warnings"] = list(sample.tags), list(sample.warnings)
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

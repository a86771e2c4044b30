"""Typed results: one record per sample, one summary a run, and the run folder they live in.

A run folder holds ``samples.parquet`` (one row per sample), ``summary.json`` (means with intervals and everything
that determines them) and, while scoring, ``journal.jsonl``.
"""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError, Place
from rses.files.atomic import write_atomic
from rses.files.escape import clean
from rses.files.text import parse_json
from rses.runs.info import run_info
from rses.runs.migrate import migrated
from rses.runs.sample_result import STATUSES, SampleResult, is_metric
from rses.runs.sample_table import read_samples
from rses.runs.summary import SCHEMA, columns_with_values, further_columns, schema_problem, summarise
from rses.table import in_table_order

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 1000
"""Samples that are turned into rows at once: a row takes more memory than its sample."""

__all__ = ["SCHEMA", "STATUSES", "Results", "SampleResult", "load_run"]


@dataclass(frozen=True, repr=False)
class Results:
    """All samples of one run and what determined their numbers.

    Attributes:
        samples: One record per sample, sorted by id.
        info: Protocol, weights, suite, method card, device, versions; goes into ``summary.json``.
        folder: Where it was read from or saved to.
        cached: Samples that an earlier, stopped or finished run had scored.
    """

    samples: Sequence[SampleResult]
    info: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = field(default=None, compare=False)
    cached: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", tuple(self.samples))

    def __repr__(self) -> str:
        return f"<Results of {self._heading}>"

    def __str__(self) -> str:
        rows = self._table
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([self._heading, "", *lines])

    def _repr_html_(self) -> str:
        head, *rows = (
            "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
            for tag, row in zip(("th", *["td"] * len(self._table)), self._table, strict=False)
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        heading = html.escape(self._heading)
        return f"<table><caption>{heading}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    @property
    def _heading(self) -> str:
        summary = self.summary
        about = [summary["method"], summary["suite"], (summary["protocol"] or {}).get("id")]
        named = ", ".join(clean(str(text)) for text in about if text) or "a run"
        return f"{named}: {summary['coverage']['n']}/{summary['coverage']['N']} samples scored"

    @cached_property
    def _table(self) -> list[tuple[str, str, str, str]]:
        """A heading and one row per metric: name, mean, interval, samples behind it."""
        found = self.summary["metrics"]
        rows = [
            (clean(name), _shown(entry["mean"]), f"[{_shown(entry['low'])}, {_shown(entry['high'])}]", str(entry["n"]))
            for name, entry in found.items()
        ]
        return [("metric", "mean", "95 % interval", "n"), *rows]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Means with 95 % intervals, overall and by style, mask size and dataset, with all provenance; made once."""
        return summarise(self.samples, self.info)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Columns that the run asked for; with no record of it, those that have a value.

        Example:
            >>> Results([SampleResult("a", mse_bg=0.5)]).metrics
            ('mse_bg',)
        """
        asked = self.info.get("metrics")
        if asked is None:
            return columns_with_values(self.samples)
        return tuple(name for name in in_table_order(asked) if is_metric(name))

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per sample; undefined numbers are missing values.

        Example:
            >>> Results([SampleResult("a", mse_bg=0.5)]).to_pandas().loc[0, "mse_bg"].item()
            0.5
        """
        import pandas as pd

        columns = [*SampleResult.columns(), *further_columns(self.samples)]
        rows = [sample.to_row() for sample in self.samples]
        return pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=columns)

    def table(self, *others: Results, **options: Any) -> str:
        """Return a table of a paper with this run and others as rows; options as in ``rses.render_paper_table``."""
        import rses

        return str(rses.render_paper_table([self, *others], **options))

    def figure(self, out: str | Path, *others: Results, files: Sequence[Any] | None = None, **options: Any) -> Path:
        """Write a figure of a paper with this run and others as columns.

        Args:
            out: File ending in ``.pdf``, ``.png`` or ``.svg``.
            *others: Further runs.
            files: For each run where its images lie; found beside runs that were read from or saved to a folder.
            **options: As in ``rses.write_figure``.

        Raises:
            InputError: As in ``rses.write_figure``.
        """
        import rses

        rses.write_figure([self, *others], files, out, **options)
        return Path(out)

    def save(self, folder: str | Path) -> Path:
        """Write ``samples.parquet`` and ``summary.json`` atomically and return the folder."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        schema = _arrow_schema(pa, further_columns(self.samples))
        parts = [
            pa.RecordBatch.from_pylist(
                [sample.to_row() for sample in self.samples[start : start + _ROWS]], schema=schema
            )
            for start in range(0, len(self.samples), _ROWS)
        ]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_batches(parts, schema=schema).combine_chunks(), sink)
        data = sink.getvalue().to_pybytes()
        if not _holds(target / "samples.parquet", data):
            # Stopped between the two files, the folder must not hold a summary of other samples.
            (target / "summary.json").unlink(missing_ok=True)
        write_atomic(target / "samples.parquet", data)
        text = json.dumps(self.summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomic(target / "summary.json", text.encode("utf-8"))
        object.__setattr__(self, "folder", target)
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
                "Expected a folder written by `rses score --out` or `rses bench --out`.",
                code="missing-file",
                place=Place(str(root)),
            )
        try:
            content = parse_json(summary.read_bytes())
            info = run_info(content)
            if fault := schema_problem(content):
                raise InputError(f"{summary}: {fault}.", code="unreadable", place=Place(str(summary)))
            return cls(*migrated(content["schema"], read_samples(samples), info), root)
        except (ValueError, OSError) as error:
            raise InputError(
                f"{root} cannot be read as a run: {error}", code="unreadable", place=Place(str(root))
            ) from error


def load_run(folder: str | Path) -> Results:
    """Read a run folder; the same as :meth:`Results.load`."""
    return Results.load(folder)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _arrow_schema(pa: Any, further: Sequence[str]) -> Any:
    types = {"bool": pa.bool_(), "str": pa.string(), "float": pa.float64(), "tuple[str, ...]": pa.list_(pa.string())}
    declared = {item.name: str(item.type).replace(" | None", "") for item in dataclasses.fields(SampleResult)}
    fields = [(name, types[declared[name]]) for name in SampleResult.columns()]
    return pa.schema([*fields, *((name, pa.float64()) for name in further)])


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

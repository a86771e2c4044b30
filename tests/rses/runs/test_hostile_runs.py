"""Run folders of unknown origin: refused with one error, in little memory, and nothing outside is touched."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rses import Results, SampleResult, load_run
from rses.bench import merge_runs
from rses.errors import InputError
from rses.files.parquet_pages import measure_pages
from rses.runs.journal import Journal
from rses.runs.sample_table import read_samples
from tests.helpers.refusals import refused


@pytest.fixture
def run(tmp_path):
    samples = [SampleResult("a", mse_bg=0.5, tags=("small",)), SampleResult("b", style="inf", psnr_bg=float("inf"))]
    return Results(samples, {"method": "m", "suite": {"name": "s"}}).save(tmp_path / "run")


def columns(run, **changed):
    table = pq.read_table(run / "samples.parquet")
    for name, values in changed.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, run / "samples.parquet")


@pytest.mark.parametrize(
    "changed",
    [{"id": ["a", "a"]}, {"id": ["a", None]}, {"id": ["a", "../b"]}, {"id": ["a", "/etc/passwd"]}, {"id": [1, 2]},
     {"mse_bg": ["x", "y"]}, {"mse_bg": [True, False]}, {"tags": ["x", "y"]}, {"status": [1, 2]},
     {"resized": [0.5, 1.0]}, {"mse_bg": [2**60, 1]}, {"style": [[1], [2]]}],
    ids=str,
)  # fmt: skip
def test_samples_of_other_types_are_refused(run, changed):
    columns(run, **changed)
    with pytest.raises(InputError, match=r"samples\.parquet"):
        load_run(run)


@pytest.mark.parametrize(
    "change",
    [{"info": []}, {"info": {"suite": []}}, {"info": {"suite": {"name": 3}}}, {"info": {"generation": 3}},
     {"info": {"metrics": [1]}}, {"info": {"wall_time_s": "x"}}, {"info": {"a": float("nan")}}, []],
    ids=str,
)  # fmt: skip
def test_a_summary_of_other_types_is_refused(run, change):
    (run / "summary.json").write_text(json.dumps(change))
    with refused(InputError, "unreadable", "run"):
        load_run(run)


def test_a_summary_that_is_nested_deeply_is_refused(run):
    (run / "summary.json").write_text('{"info":' * 20_000)
    with refused(InputError, "unreadable", "run"):
        load_run(run)


def test_merging_removes_nothing_outside_its_folder(run, tmp_path):
    outside = tmp_path / "precious.png"
    outside.write_bytes(b"x")
    columns(run, id=["a", "../../precious"])
    with refused(InputError, "bad-id", "samples.parquet"):
        merge_runs([run], tmp_path / "merged", allow_missing=True)
    assert outside.read_bytes() == b"x"


def delta(path, size, count):
    """A text of ``size`` letters in ``count`` rows; all but the first say that they are as the one before."""
    column = pa.array(["x" * size] * count)
    pq.write_table(
        pa.table({"id": column}), path, use_dictionary=False, column_encoding={"id": "DELTA_BYTE_ARRAY"},
        compression="zstd",
    )  # fmt: skip


def dictionary(path, size, count):
    pq.write_table(pa.table({"id": pa.array(["x" * size] * count)}), path, compression="zstd")


def long_list(path, size, count):
    lists = pa.array([[None] * (size * count)], pa.list_(pa.string()))
    pq.write_table(pa.table({"id": ["a"], "tags": lists}), path, compression="zstd")


@pytest.mark.parametrize("write", [delta, dictionary, long_list])
def test_kilobytes_that_unpack_to_gigabytes_are_refused_in_little_memory(tmp_path, write):
    path = tmp_path / "samples.parquet"
    write(path, 1 << 18, 40)
    assert path.stat().st_size < 40_000
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            read_samples(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert pool.bytes_allocated() - before < 64 << 20


def test_pages_are_measured_as_they_are(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["x" * 3_000_000]}), path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 3000
    pages = measure_pages(path)
    assert 3_000_000 < pages.largest < 3_000_100
    assert pages.values == 1
    rows = pa.table({"id": [str(i) for i in range(5000)], "tags": [["a", "b"]] * 5000})
    pq.write_table(rows, path, data_page_size=1000, row_group_size=700)
    assert measure_pages(path).values == 10_000


@pytest.mark.parametrize("cut", [0, 3, 11, 40, 200])
def test_what_is_no_parquet_cannot_be_measured(tmp_path, run, cut):
    data = (run / "samples.parquet").read_bytes()
    path = tmp_path / "cut.parquet"
    path.write_bytes(data[:cut] + data[cut + 7 :] if cut else b"")
    with pytest.raises(InputError):
        read_samples(path)


@pytest.mark.parametrize(
    "line",
    [
        b"[1]",
        b'{"key": []}',
        b'{"key": null}',
        b"[" * 50_000,
        b"\xff\xfe",
        b'{"key": "\\ud800"}',
        b'{"key": "b", "p": 1}',
    ],
)
def test_damaged_records_of_a_journal_are_done_again(tmp_path, line):
    path = tmp_path / "journal.jsonl"
    header = b'{"journal": 1, "settings": {}}\n'
    path.write_bytes(header + b'{"key": "a"}\n' + line + b'\n{"key": "c"}\n')
    assert sorted(Journal(path, {}, sound=lambda record: "p" not in record).records) == ["a", "c"]


@pytest.mark.parametrize("settings", [b"", b', "settings": 3', b', "settings": [{}]'])
def test_a_journal_without_settings_is_refused(tmp_path, settings):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"journal": 1' + settings + b'}\n{"key": "a"}\n')
    with refused(InputError, "other-version", "journal.jsonl"):
        Journal(path, {"a": 1})
    # Killed before anything was finished: nothing is lost.
    path.write_bytes(b'{"journal": 1' + settings + b"}\n")
    assert Journal(path, {"a": 1}).records == {}


def test_results_never_stand_beside_a_summary_of_others(run, monkeypatch):
    """Stopped between its two files, a save leaves a folder that is not finished."""

    def stop(path, data):
        path.write_bytes(data)
        raise KeyboardInterrupt

    monkeypatch.setattr("rses.runs.results.write_atomic", stop)
    with pytest.raises(KeyboardInterrupt):
        Results([SampleResult("a", mse_bg=0.25)], {"method": "other"}).save(run)
    with refused(InputError, "missing-file", "run"):
        load_run(run)


DAMAGE = """
import io, random, struct, sys
from pathlib import Path
import pyarrow as pa
import pyarrow.parquet as pq
from rses.errors import InputError
from rses.runs.sample_table import read_rows

stream = io.BytesIO()
pq.write_table(pa.table({"id": ["a", "b"], "mse_bg": [0.5, None], "tags": [["x"], []]}), stream)
sound, choice = stream.getvalue(), random.Random(5)
footer = len(sound) - 8 - struct.unpack("<I", sound[-8:-4])[0]
place, counts = Path(sys.argv[1]), {"read": 0, "refused": 0}
for _ in range(400):
    damaged = bytearray(sound)
    for _ in range(choice.choice([1, 1, 2, 8])):
        damaged[choice.randrange(footer, len(sound) - 8)] = choice.choice([choice.randrange(256), 0, 127, 128, 255])
    place.write_bytes(damaged)
    try:
        list(read_rows(place))
        counts["read"] += 1
    except InputError:
        counts["refused"] += 1
print(counts["read"] > 0, counts["refused"] > 100, sum(counts.values()))
"""


def test_damaged_ends_of_parquet_files_do_not_end_the_process(tmp_path):
    # In a process of its own: pyarrow calls `terminate` on some of them, if it is asked about their columns.
    done = subprocess.run(
        [sys.executable, "-c", DAMAGE, str(tmp_path / "a.parquet")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["True", "True", "400"]), done.stderr[-500:]

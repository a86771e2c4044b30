"""Submissions made by somebody who means harm, or tampered with: refused naming the field, or shown harmlessly."""

from __future__ import annotations

import contextlib
import json
import math
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.files.atomic import sha256_file
from rses.leaderboard.build import build, render_all
from rses.leaderboard.pack import add_run, pack_run
from rses.leaderboard.submission import read_submission
from rses.leaderboard.verify import verify
from rses.runs.sample_result import SampleResult
from rses.runs.sample_table import read_rows
from tests.helpers.refusals import refused

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>'\""
NAMES = (SCRIPT, r"\input{/etc/passwd}$x_y^2%", '=HYPERLINK("http://x")', "a|b](javascript:alert(1))*c*", "+1-1")


@pytest.fixture
def submission(make_run, tmp_path) -> Path:
    return pack_run(make_run("honest"), tmp_path / "submission", images=True, previews=2, date="2026-02-19").folder


def edit_summary(folder: Path, change) -> None:
    """Change summary.json as a forger would, digest included."""
    content = json.loads((folder / "summary.json").read_text("utf-8"))
    change(content)
    (folder / "summary.json").write_text(json.dumps(content), "utf-8")
    reseal(folder)


def edit_samples(folder: Path, change) -> None:
    table = pq.read_table(folder / "samples.parquet")
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), folder / "samples.parquet")
    reseal(folder)


def reseal(folder: Path) -> None:
    manifest = json.loads((folder / "submission.json").read_text("utf-8"))
    manifest["files"] = {name: sha256_file(folder / name) for name in manifest["files"]}
    (folder / "submission.json").write_text(json.dumps(manifest), "utf-8")


def found_out(folder: Path, code: str, field: str = "", file: str | None = None) -> None:
    """Verification finds a problem of that code at that place."""
    with pytest.raises(InputError) as caught:
        verify(folder, rescore=0)
    places = {(problem.code, problem.place.field) for problem in caught.value.problems}
    assert (code, field) in places, caught.value
    assert file is None or file in {place.file for place in caught.value.places}


def test_an_honest_submission_passes(submission):
    verdict = verify(submission, rescore=0)
    assert verdict.method == "honest"
    assert any("summary follows" in text for text in verdict.checked)


def test_any_change_without_new_digests_is_seen(submission):
    text = (submission / "summary.json").read_text("utf-8")
    (submission / "summary.json").write_text(text.replace("invented", "inventee", 1), "utf-8")
    found_out(submission, "changed-file", file="summary.json")


def setting(path: str, value):
    """Change what lies at a place such as "metrics.rsm.mean"."""

    def change(content):
        *parents, last = path.split(".")
        for key in parents:
            content = content[key]
        content[last] = value

    return change


DEEP = {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("metrics.rsm.mean", 0.99, "contradiction"),
        ("metrics.lpips_bg.low", 0.0, "contradiction"),
        ("metrics.mse_bg.n", 95, "contradiction"),
        ("coverage.n", 95, "contradiction"),
        ("coverage.N", 90, "contradiction"),
        ("by_style.pixel art.metrics.rsm.mean", 0.9, "contradiction"),
        ("by_style.new", {}, "unknown-key"),
        ("method", "other", "contradiction"),
        ("extra", 1, "unknown-key"),
        ("schema", 99, "other-version"),
        ("schema", 1, "other-version"),
        ("info.protocol.hash", "0" * 16, "contradiction"),
        ("info.protocol.knobs.crop_pad", 0.5, "contradiction"),
        ("info.protocol.id", "mine", "unknown-value"),
        ("info.suite.sha256", "0" * 64, "contradiction"),
        ("info.suite.version", "9", "contradiction"),
        ("info.suite.name", None, "missing-key"),
        ("info.weights.style.sha256", "0" * 64, "contradiction"),
        ("info.weights.perceptual.id", "better", "contradiction"),
        ("info.generation", {"suite_samples": 10}, "contradiction"),
        ("info.method", "x" * 10_000, "unprintable"),
        ("info.method", "abc\u202edcba", "unprintable"),
        ("info.method", "red\x1b[31m", "unprintable"),
        ("info.method_card.mask_used", "no", "wrong-type"),
        ("info.method_card.settings", DEEP, "unsound-tree"),
        ("info.metrics", ["rsm", "lpips_bg", "rsm"], "used-twice"),
        ("info.metrics", ["rsm", "beauty"], "unknown-value"),
        ("info.metrics", [["rsm"]], "wrong-type"),
    ],
)
def test_a_forged_summary_is_refused(submission, path, value, code):
    edit_summary(submission, setting(path, value))
    field = {"info.generation": "info.generation.suite_samples", "info.metrics": "info.metrics"}.get(path, path)
    found_out(submission, code, "info.metrics[0]" if value == [["rsm"]] else field, "summary.json")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_are_refused(submission, value):
    edit_summary(submission, setting("metrics.rsm.mean", value))
    found_out(submission, "unsound-tree", file="summary.json")


@pytest.mark.parametrize("forged", [[], None, [{"code": "unedited", "count": 1, "ids": ["mini-001-tree"]}]])
def test_warnings_follow_from_the_samples(submission, forged):
    """Emptied or left out, they hid what a run warned about."""
    edit_samples(submission, lambda rows: rows[0].update(warnings=["unedited"]))
    if forged is None:
        edit_summary(submission, lambda content: content.pop("warnings"))
        found_out(submission, "missing-key", "warnings")
    else:
        edit_summary(submission, setting("warnings", forged))
        found_out(
            submission,
            *(("contradiction", "warnings.unedited.ids") if forged else ("missing-key", "warnings.unedited")),
        )


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("rsm", 0.99, "contradiction"),
        ("psnr_bg", 99.0, "contradiction"),
        ("lpips_bg", -0.1, "out-of-range"),
        ("ssim_bg", math.nan, "not-finite"),
        ("rses_p", math.inf, "not-finite"),
        ("rses_p", 0.999, "contradiction"),
        ("preservation", 0.999, "contradiction"),
        ("mask_fraction", 1.5, "out-of-range"),
        ("mse_bg", -1e-6, "out-of-range"),
        ("style", "line art", "contradiction"),
        ("style", "art\u202etra", "unprintable"),
        ("object", "x" * 10_000, "unprintable"),
        ("dataset", "red\x1b[31m", "unprintable"),
        ("tags", ["small"], "contradiction"),
        ("tags", ["small"] * 100, "wrong-length"),
        ("source", "other.png", "contradiction"),
        ("source", None, "contradiction"),
        ("id", "mini-001-tree", "used-twice"),
        ("id", "invented-id", "unknown-samples"),
        ("id", "../../up", "bad-id"),
        ("id", "<img src=x>", "bad-id"),
        ("id", "\u202egpj", "unprintable"),
        ("status", "missing", "contradiction"),
        ("status", "great", "unknown-value"),
        ("method", "other", "contradiction"),
        ("note", "x" * 5000, "unprintable"),
    ],
)
def test_a_forged_sample_is_refused(submission, name, value, code):
    edit_samples(submission, lambda rows: rows[0].update({name: value}))
    found_out(submission, code, name, "samples.parquet")


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("mse_bg", 1e-9, "mse_bg_pm1"),
        ("rsm_gain", -0.01, "style_success"),
        ("rsm_gain", 0.9, "style_success"),
        ("lpips_bg", 0.0001, "preservation"),
        ("leakage", 0.5, "metrics.leakage.mean"),
        ("style_correct", None, "metrics.style_accuracy.mean"),
    ],
)
def test_a_number_that_contradicts_another_is_refused(submission, name, value, field):
    edit_samples(submission, lambda rows: rows[0].update({name: value}))
    found_out(submission, "contradiction", field)


def test_long_tags_are_refused(submission):
    edit_samples(submission, lambda rows: rows[0].update(tags=["x" * 5000]))
    found_out(submission, "unprintable", "tags[0]")


def test_dropped_samples_are_refused(submission):
    edit_samples(submission, lambda rows: rows.pop())
    found_out(submission, "missing-samples", "id")


def test_ten_megabytes_of_name_are_refused_before_they_are_parsed(submission):
    edit_summary(submission, setting("info.method", "x" * 10_000_000))
    found_out(submission, "too-large", file="summary.json")


def test_changed_swapped_extra_and_linked_images_are_refused(submission, tmp_path):
    images = sorted((submission / "images").iterdir())
    first, second = images[0].read_bytes(), images[1].read_bytes()
    images[0].write_bytes(second)
    found_out(submission, "changed-file", file=f"images/{images[0].name}")
    images[0].write_bytes(first)
    (submission / "images" / "extra.png").write_bytes(first)
    found_out(submission, "unknown-file", file="images/extra.png")
    (submission / "images" / "extra.png").unlink()
    images[0].unlink()
    (tmp_path / "secret.png").write_bytes(first)
    images[0].symlink_to(tmp_path / "secret.png")
    found_out(submission, "link")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (lambda content: content["images"].pop("mini-000-cat"), "missing-key", "images"),
        (lambda content: content.update(schema=2), "out-of-range", "schema"),
        (lambda content: content.update(date="19 February"), "wrong-form", "date"),
        (lambda content: content["files"].pop("summary.json"), "missing-key", "files.summary.json"),
        (lambda content: content["files"].update(a="0" * 64), "unknown-key", "files.a"),
        (lambda content: content["images"].update({"mini-000-cat": "E3B0"}), "not-a-digest", "images.mini-000-cat"),
        (lambda content: content["images"].update({"../up": "0" * 64}), "bad-id", "images.../up"),
        (lambda content: content["images"].update({"e\u0301": "0" * 64, "\xe9": "0" * 64}), "used-twice", "images"),
        (lambda content: content.update(more=1), "unknown-key", "more"),
    ],
)
def test_a_forged_manifest_is_refused(submission, change, code, field):
    content = json.loads((submission / "submission.json").read_text("utf-8"))
    change(content)
    (submission / "submission.json").write_text(json.dumps(content), "utf-8")
    found_out(submission, code, field, "submission.json")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"schema": 2, "schema": 1}', "not-json"),
        ("[" * 100_000, "not-json"),
        ('{"a": ' + "9" * 5000 + "}", "not-json"),
        ("[]", "wrong-type"),
    ],
)
def test_json_that_is_not_what_it_seems_is_refused(submission, text, code):
    (submission / "summary.json").write_text(text, "utf-8")
    found_out(submission, code)


def said(folder: Path, part: str) -> None:
    with pytest.raises(InputError, match=part):
        verify(folder, rescore=0)


def test_not_parquet_is_refused(submission):
    (submission / "samples.parquet").write_bytes(b"PAR1 but no")
    reseal(submission)
    said(submission, "cannot be read as parquet")


def test_a_file_is_no_submission(tmp_path, capsys):
    (tmp_path / "s.zip").write_bytes(b"PK")
    assert main(["leaderboard", "verify", str(tmp_path / "s.zip")]) == 2
    assert "is a file, expected the folder of a submission" in capsys.readouterr().err


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_and_never_run(tmp_path, make_run, name):
    root = tmp_path / "leaderboards"
    card = {"title": name, "paper": "javascript:alert(3)", "weights": name, "settings": {name: name}}
    add_run(make_run(name, **card), root, date="2026-02-19", previews=1)
    add_run(make_run("other", noise=1), root, date="2026-02-19", previews=1)
    files = render_all(root)
    page = files["site/mini--rses-mini.html"].decode()
    tags = Tags()
    tags.feed(page)
    assert sum(tag == "script" for tag, _ in tags.seen) == 2
    assert not any(key.startswith("on") for _, attributes in tags.seen for key in attributes)
    links = [attributes["href"] for tag, attributes in tags.seen if tag == "a"]
    ours = r"\.\./(tables|results)/[\w.%-]+(/[\w.%-]+)*|https://arxiv\.org/abs/2602\.19254"
    others = [link for link in links if not link.startswith(("#", "index.html", "https://example.org/"))]
    assert not [link for link in others if not re.fullmatch(ours, link)]
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1)
    assert name in json.loads(data)["names"].values()
    latex = files["tables/mini--rses-mini.tex"].decode()
    body = [line for line in latex.splitlines() if not line.startswith("%")]
    assert not any("\\input" in line or "$x_y" in line for line in body)
    for line in files["tables/mini--rses-mini.csv"].decode().splitlines()[1:]:
        assert not line.lstrip('"').startswith(("=", "+", "-", "@"))
    markdown = files["tables/mini--rses-mini.md"].decode()
    assert "<script" not in markdown.replace("\\<script", "")
    assert not re.search(r"(?<!\\)\]\(javascript", markdown)


def test_a_preview_that_is_no_picture_is_not_served(tmp_path, make_run):
    root = tmp_path / "leaderboards"
    folder = add_run(make_run("one"), root, date="2026-02-19", previews=2)
    first, second, *others = sorted((folder / "previews").iterdir())
    for path in others:
        path.unlink()
    first.write_bytes(b"<script>alert(1)</script>")
    second.unlink()
    second.symlink_to("/etc/hostname")
    build(root)
    assert not list((root / "site").rglob("*.jpg"))


def test_a_submission_needs_its_images(make_run, tmp_path):
    run = make_run("lost")
    next((run / "images").iterdir()).unlink()
    with refused(InputError, "missing-file"):
        pack_run(run, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_reading_says_what_is_missing(tmp_path):
    with pytest.raises(InputError) as caught:
        read_submission(tmp_path)
    assert set(caught.value.codes) == {"missing-file"}


def test_a_preview_of_another_picture_is_refused(submission):
    first, second, *_ = sorted((submission / "previews").iterdir())
    Image.new("RGB", (8, 8), (255, 255, 255)).save(first, "JPEG")
    found_out(submission, "changed-file", file=f"previews/{first.name}")
    first.unlink()
    second.rename(second.with_name("nobody.jpg"))
    found_out(submission, "unknown-file", file="previews/nobody.jpg")


def test_nothing_but_a_submission_lies_in_its_folder(submission):
    (submission / "run.sh").write_text("true")
    found_out(submission, "unknown-file", file="run.sh")
    (submission / "run.sh").unlink()
    (submission / "previews" / "deeper").mkdir()
    found_out(submission, "unknown-file", file="previews/deeper")
    (submission / "previews" / "deeper").rmdir()
    first = sorted((submission / "previews").iterdir())[0]
    first.with_suffix(".png").write_bytes(first.read_bytes())
    found_out(submission, "used-twice")


def test_folders_and_files_that_are_links_are_refused(submission, tmp_path):
    for name in ("previews", "images", "summary.json"):
        (submission / name).rename(tmp_path / name)
        (submission / name).symlink_to(tmp_path / name)
        found_out(submission, "link", file=name)
        (submission / name).unlink()
        (tmp_path / name).rename(submission / name)
    (tmp_path / "link").symlink_to(submission)
    found_out(tmp_path / "link", "link")
    assert verify(submission, rescore=0).method == "honest"


ODD = (None, [], {}, "x", 5, True, -1.5, ["a"], {"a": 1}, "9" * 300)


@pytest.mark.parametrize(
    "path",
    [
        "protocol", "protocol.id", "protocol.knobs", "suite.name", "weights.style", "versions.rses", "metrics",
        "method_card.seed",
    ],
)  # fmt: skip
def test_a_summary_of_odd_types_is_refused_or_shown_and_never_crashes(tmp_path, make_run, path):
    root = tmp_path / "leaderboards"
    folder = add_run(make_run("odd", suite="photos"), root, date="2026-02-19", previews=0)
    for value in ODD:
        edit_summary(folder, setting(f"info.{path}", value))
        for act in (lambda: render_all(root), lambda: verify(folder, rescore=0)):
            with contextlib.suppress(InputError):
                act()


@pytest.mark.parametrize(
    "name", ["id", "style", "tags", "style_correct", "resized", "rsm", "psnr_bg", "note", "source"]
)
def test_columns_of_odd_types_are_refused_or_shown_and_never_crash(tmp_path, make_run, name):
    root = tmp_path / "leaderboards"
    folder = add_run(make_run("odd", suite="photos"), root, date="2026-02-19", previews=0)
    table = pq.read_table(folder / "samples.parquet")
    place = table.column_names.index(name)
    rows = table.num_rows
    for column in (
        [1] * rows, ["x"] * rows, ["inf"] * rows, [["a"]] * rows, [{"a": 1}] * rows, [True] * rows, [b"x"] * rows,
        [math.nan] * rows, [math.inf] * rows, pa.nulls(rows), pa.array([1] * rows, pa.timestamp("s")),
    ):  # fmt: skip
        pq.write_table(table.set_column(place, name, pa.array(column)), folder / "samples.parquet")
        reseal(folder)
        for act in (lambda: render_all(root), lambda: verify(folder, rescore=0)):
            with contextlib.suppress(InputError):
                act()


def test_a_style_may_be_called_like_a_number():
    record = SampleResult("a", style="inf", object="-inf", psnr_bg=math.inf).to_dict()
    assert SampleResult.from_dict(record) == SampleResult("a", style="inf", object="-inf", psnr_bg=math.inf)


def test_texts_of_a_row_are_bounded_before_they_are_read(submission):
    edit_samples(submission, lambda rows: rows[0].update(object="x" * 10_000_000))
    said(submission, "longer texts than a sample can have")


def test_styles_tags_and_versions_are_shown_and_never_run(tmp_path, make_run):
    root = tmp_path / "leaderboards"
    folder = add_run(make_run("one", suite="photos"), root, date="2026-02-19", previews=0)
    edit_samples(folder, lambda rows: [row.update(style=SCRIPT, tags=[SCRIPT], object=SCRIPT) for row in rows])
    edit_summary(folder, setting("info.suite.version", SCRIPT))
    files = render_all(root)
    for page in (files["site/photos--rses-mini.html"], files["site/index.html"]):
        tags = Tags()
        tags.feed(page.decode())
        assert not any(key.startswith("on") for _, attributes in tags.seen for key in attributes)
        assert sum(tag == "script" for tag, _ in tags.seen) in (0, 2)
        assert not any(attributes.get("src") == "x" for _, attributes in tags.seen)


def test_a_long_text_that_is_stored_once_is_not_unpacked_for_every_row(submission):
    def spread(rows):
        for row in rows:
            row["note"] = "x" * 100_000

    edit_samples(submission, spread)
    assert (submission / "samples.parquet").stat().st_size < 1 << 20
    said(submission, "longer texts than a sample can have")


@pytest.mark.parametrize("content", [bytes(1 << 20), b"not a picture"])
def test_previews_are_read_even_where_no_edit_is_there_to_compare_them_with(submission, content):
    (next((submission / "previews").iterdir())).write_bytes(content)
    found_out(submission, "unreadable")


def parquet_of(folder: Path, column: str, values, **options) -> None:
    """Replace one column of the samples, written with other settings of parquet."""
    path = folder / "samples.parquet"
    table = pq.read_table(path)
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.array(values)), path, **options)
    reseal(folder)


@pytest.mark.parametrize(
    ("column", "values", "options", "pattern"),
    [
        (
            "note",
            ["x" * 1_000_000] * 96,
            {"column_encoding": {"note": "DELTA_BYTE_ARRAY"}},
            "longer texts than a sample",
        ),
        ("note", ["x" * 1_000_000] * 96, {"compression": "zstd"}, "longer texts than a sample"),
        ("note", ["x" * 20_000] * 96, {"use_dictionary": ["note"]}, "longer texts than a sample"),
        ("tags", [["x"] * 9000] + [[]] * 95, {"use_dictionary": ["tags"]}, "tags"),
    ],
)
def test_small_files_that_unpack_to_much_are_refused_before_it(submission, column, values, options, pattern):
    parquet_of(submission, column, values, **{"use_dictionary": False, **options})
    said(submission, pattern)


def test_cut_and_changed_files_are_refused_or_read_and_never_crash(tmp_path):
    path = tmp_path / "samples.parquet"
    rng = random.Random(0)
    pq.write_table(pa.table({"id": ["a", "b"], "rsm": [0.5, None], "tags": [["x"], []]}), path)
    content = path.read_bytes()
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        path.write_bytes(changed[: rng.choice([len(changed), rng.randrange(len(changed))])])
        with contextlib.suppress(InputError):
            list(read_rows(path))

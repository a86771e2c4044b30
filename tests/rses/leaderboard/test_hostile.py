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


def refused(folder: Path, pattern: str) -> None:
    with pytest.raises(InputError) as caught:
        verify(folder, rescore=0)
    assert re.search(pattern, str(caught.value)), str(caught.value)


def test_an_honest_submission_passes(submission):
    verdict = verify(submission, rescore=0)
    assert verdict.method == "honest"
    assert any("summary follows" in text for text in verdict.checked)


def test_any_change_without_new_digests_is_seen(submission):
    text = (submission / "summary.json").read_text("utf-8")
    (submission / "summary.json").write_text(text.replace("invented", "inventee", 1), "utf-8")
    refused(submission, r"summary\.json was changed after packing")


def setting(*path, value):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (setting("metrics", "rsm", "mean", value=0.99), r"metrics\.rsm\.mean is"),
        (setting("metrics", "lpips_bg", "low", value=0.0), r"metrics\.lpips_bg\.low is"),
        (setting("metrics", "mse_bg", "n", value=95), r"metrics\.mse_bg\.n is"),
        (setting("coverage", "n", value=95), r"coverage\.n is"),
        (setting("coverage", "N", value=90), r"coverage\.N is"),
        (setting("by_style", "pixel art", "metrics", "rsm", "mean", value=0.9), r"by_style\.pixel art\.metrics\.rsm"),
        (setting("by_style", "new", value={}), r"by_style\.new follows from no sample"),
        (setting("method", value="other"), r"method is .*other"),
        (setting("info", "protocol", "hash", value="0" * 16), r"protocol\.hash is"),
        (setting("info", "protocol", "knobs", "crop_pad", value=0.5), r"protocol\.knobs\.crop_pad"),
        (setting("info", "protocol", "id", value="mine"), r"protocol\.id .*mine"),
        (setting("info", "suite", "sha256", value="0" * 64), r"suite\.sha256 is"),
        (setting("info", "suite", "version", value="9"), r"suite\.version is"),
        (setting("info", "weights", "style", "sha256", value="0" * 64), r"weights\.style\.sha256"),
        (setting("info", "weights", "perceptual", "id", value="better"), r"weights\.perceptual\.id"),
        (setting("schema", value=99), r"schema is"),
        (setting("extra", value=1), r"extra.* is not a key"),
        (setting("metrics", "rsm", "mean", value=math.nan), r"metrics\.rsm\.mean is nan"),
        (setting("metrics", "rsm", "mean", value=math.inf), r"metrics\.rsm\.mean is inf"),
        (setting("info", "method", value="x" * 10_000), r"info\.method is longer"),
        (setting("info", "method", value="abc\u202edcba"), r"info\.method holds .*direction"),
        (setting("info", "method", value="red\x1b[31m"), r"info\.method holds .*control"),
        (setting("info", "method_card", "mask_used", value="no"), r"mask_used='no', expected true or false"),
        (setting("info", "method_card", "settings", value={"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}), r"nested"),
    ],
)
def test_a_forged_summary_is_refused(submission, change, pattern):
    edit_summary(submission, change)
    refused(submission, pattern)


@pytest.mark.parametrize(
    ("name", "value", "pattern"),
    [
        ("rsm", 0.99, r"rsm is 0\.99, but clip_cosine"),
        ("mse_bg", 1e-9, r"mse_bg_pm1 is .*, but mse_bg"),
        ("psnr_bg", 99.0, r"psnr_bg is 99"),
        ("lpips_bg", -0.1, r"lpips_bg is -0\.1, outside"),
        ("lpips_bg", 0.0001, r"metrics\.lpips_bg\.mean is"),
        ("ssim_bg", math.nan, r"ssim_bg is .*nan.*not a number"),
        ("rses_p", math.inf, r"rses_p is inf"),
        ("rses_p", 0.999, r"rses_p is 0\.999, but style_success and preservation give"),
        ("preservation", 0.999, r"preservation is 0\.999, but lpips_bg"),
        ("rsm_gain", -0.01, r"style_success is .*, but rsm_gain -0\.01 has not its sign"),
        ("rsm_gain", 0.9, r"style_success is .*, rsm_gain gives"),
        ("leakage", 0.5, r"metrics\.leakage\.mean is"),
        ("style_correct", None, r"style_accuracy"),
        ("style", "line art", r"style is .*the suite says"),
        ("tags", ["small"], r"tags is .*the suite says"),
        ("source", "other.png", r"source is .*the suite says"),
        ("id", "mini-001-tree", r"id .* is used before"),
        ("id", "invented-id", r"not in the suite"),
        ("id", "../../up", r"id .*cannot be part of a file name"),
        ("status", "missing", r"status is .*missing.* but rsm has a value"),
        ("status", "great", r"status .*great.* is none of"),
        ("method", "other", r"method is .*other"),
        ("note", "x" * 5000, r"note is longer"),
    ],
)
def test_a_forged_sample_is_refused(submission, name, value, pattern):
    edit_samples(submission, lambda rows: rows[0].update({name: value}))
    refused(submission, pattern)


def test_dropped_samples_and_wrong_counts_are_refused(submission):
    edit_samples(submission, lambda rows: rows.pop())
    refused(submission, r"1 of 96 samples of the suite are not accounted for")


def test_ten_megabytes_of_name_are_refused_before_they_are_parsed(submission):
    edit_summary(submission, setting("info", "method", value="x" * 10_000_000))
    refused(submission, r"summary\.json is larger than")


def test_changed_swapped_extra_and_linked_images_are_refused(submission, tmp_path):
    images = sorted((submission / "images").iterdir())
    first, second = images[0].read_bytes(), images[1].read_bytes()
    images[0].write_bytes(second)
    refused(submission, rf"images/{images[0].name} is not the image that was scored")
    images[0].write_bytes(first)
    (submission / "images" / "extra.png").write_bytes(first)
    refused(submission, r"images/extra\.png belongs to no scored sample")
    (submission / "images" / "extra.png").unlink()
    images[0].unlink()
    (tmp_path / "secret.png").write_bytes(first)
    images[0].symlink_to(tmp_path / "secret.png")
    refused(submission, r"is a symbolic link")


def test_a_missing_image_digest_is_refused(submission):
    manifest = json.loads((submission / "submission.json").read_text("utf-8"))
    del manifest["images"]["mini-000-cat"]
    (submission / "submission.json").write_text(json.dumps(manifest), "utf-8")
    refused(submission, r"SHA-256 for every scored sample")


def test_json_that_is_not_what_it_seems_is_refused(submission):
    for text, pattern in (
        ('{"schema": 2, "schema": 1}', "used twice"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a": ' + "9" * 5000 + "}", "5000 digits"),
        ("[]", "must hold a JSON object"),
    ):
        (submission / "summary.json").write_text(text, "utf-8")
        refused(submission, pattern)


def test_not_parquet_is_refused(submission):
    (submission / "samples.parquet").write_bytes(b"PAR1 but no")
    reseal(submission)
    refused(submission, "cannot be read as parquet")


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
    assert all(link.startswith(("#", "index.html", "https://example.org/")) for link in links)
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
    with pytest.raises(InputError, match="1 of 96 scored samples were not found"):
        pack_run(run, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_reading_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match="summary.json is missing"):
        read_submission(tmp_path)


def test_a_preview_of_another_picture_is_refused(submission):
    first, second, *_ = sorted((submission / "previews").iterdir())
    Image.new("RGB", (8, 8), (255, 255, 255)).save(first, "JPEG")
    refused(submission, rf"previews/{first.name} does not show the image that was scored")
    first.unlink()
    second.rename(second.with_name("nobody.jpg"))
    refused(submission, "no preview of a scored sample")


def test_nothing_but_a_submission_lies_in_its_folder(submission):
    (submission / "run.sh").write_text("true")
    refused(submission, "run.sh is no part of a submission")
    (submission / "run.sh").unlink()
    (submission / "previews" / "deeper").mkdir()
    refused(submission, "previews/deeper is a folder")
    (submission / "previews" / "deeper").rmdir()
    first = sorted((submission / "previews").iterdir())[0]
    first.with_suffix(".png").write_bytes(first.read_bytes())
    refused(submission, "is a second picture of")


def test_folders_and_files_that_are_links_are_refused(submission, tmp_path):
    for name in ("previews", "images", "summary.json"):
        (submission / name).rename(tmp_path / name)
        (submission / name).symlink_to(tmp_path / name)
        refused(submission, rf"{name} is a symbolic link")
        (submission / name).unlink()
        (tmp_path / name).rename(submission / name)
    (tmp_path / "link").symlink_to(submission)
    refused(tmp_path / "link", "link is a symbolic link")
    assert verify(submission, rescore=0).method == "honest"


ODD = (None, [], {}, "x", 5, True, -1.5, ["a"], {"a": 1}, "9" * 300)


@pytest.mark.parametrize(
    "path",
    [
        ("protocol",), ("protocol", "id"), ("protocol", "knobs"), ("suite", "name"), ("weights", "style"),
        ("versions", "rses"), ("metrics",), ("method_card", "seed"),
    ],
)  # fmt: skip
def test_a_summary_of_odd_types_is_refused_or_shown_and_never_crashes(tmp_path, make_run, path):
    root = tmp_path / "leaderboards"
    folder = add_run(make_run("odd", suite="photos"), root, date="2026-02-19", previews=0)
    for value in ODD:
        edit_summary(folder, setting("info", *path, value=value))
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


@pytest.mark.parametrize(
    ("name", "value", "pattern"),
    [
        ("style", "art\u202etra", r"style holds .*direction"),
        ("object", "x" * 10_000, r"object is longer"),
        ("object", "x" * 10_000_000, r"longer texts than a sample can have"),
        ("tags", ["x" * 5000], r"tags must be"),
        ("tags", ["small"] * 100, r"tags must be"),
        ("dataset", "red\x1b[31m", r"dataset holds .*control"),
        ("id", "<img src=x>", r"id .*cannot be part of a file name"),
        ("id", "\u202egpj", r"id holds .*direction"),
        ("mask_fraction", 1.5, r"mask_fraction is 1\.5, outside"),
        ("mse_bg", -1e-6, r"mse_bg is -1e-06, outside"),
    ],
)
def test_texts_and_numbers_of_samples_are_bounded(submission, name, value, pattern):
    edit_samples(submission, lambda rows: rows[0].update({name: value}))
    refused(submission, pattern)


def test_styles_tags_and_versions_are_shown_and_never_run(tmp_path, make_run):
    root = tmp_path / "leaderboards"
    folder = add_run(make_run("one", suite="photos"), root, date="2026-02-19", previews=0)
    edit_samples(folder, lambda rows: [row.update(style=SCRIPT, tags=[SCRIPT], object=SCRIPT) for row in rows])
    edit_summary(folder, setting("info", "suite", "version", value=SCRIPT))
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
    refused(submission, r"longer texts than a sample can have")


@pytest.mark.parametrize("content", [bytes(1 << 20), b"not a picture"])
def test_previews_are_read_even_where_no_edit_is_there_to_compare_them_with(submission, content):
    (next((submission / "previews").iterdir())).write_bytes(content)
    refused(submission, r"previews/.*\.jpg cannot be read")


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
    refused(submission, pattern)


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


def test_a_submission_of_an_older_schema_is_told_what_to_do(submission):
    """It had its intervals checked to a quarter of their width, so that a forged one passed."""
    edit_summary(submission, setting("schema", value=1))
    refused(submission, "score the run again with this version of rses")


def test_a_sample_that_hides_its_source_is_refused(submission):
    edit_samples(submission, lambda rows: [row.update(source=None) for row in rows])
    refused(submission, r"source is .*None.*, the suite says")


def test_more_samples_than_the_suite_has_are_not_claimed(submission):
    edit_summary(submission, setting("info", "generation", value={"suite_samples": 10}))
    refused(submission, r"generation.suite_samples is .*10.*, the suite has 96")

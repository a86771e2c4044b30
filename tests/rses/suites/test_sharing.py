"""Suites as parquet: lossless both ways, in a folder, through a hub that is made of folders, and untrusted ones."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.suites import load_suite, to_hf, verify_suite, write_manifest
from rses.suites import parquet as form
from rses.suites.build import build_suite, open_reader
from rses.suites.format import Suite
from rses.suites.hub import cached_suite, suite_cache
from rses.suites.registry import hub_id
from rses.suites.sharing import pull_suite, push_suite
from tests.helpers import layouts
from tests.helpers.folder_hub import FolderHub, contents
from tests.helpers.refusals import refused


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RSES_SUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Three photographs (JPEG and PNG), two styles, masks of three modes, a column and a file of its own."""
    layouts.big(tmp_path / "big")
    layouts.photograph(tmp_path / "big" / "dog_3_im.png", seed=3)
    Image.fromarray(np.pad(np.full((9, 9), 255, np.uint8), ((2, 19), (2, 29)))).save(tmp_path / "big" / "dog_3_gt.png")
    root = build_suite(open_reader("big", tmp_path / "big"), tmp_path / "suite", ["pixel art", "línea"]).root
    masks = sorted((root / "masks").iterdir())
    for mask, mode in zip(masks, ("1", "P", "L"), strict=True):
        Image.open(mask).convert(mode).save(mask)
    (root / "notes.txt").write_bytes(b"a line\r\n\xff\x00")
    write_manifest(root, "three", "2", "CC0-1.0")
    return load_suite(root)


def test_round_trip_gives_the_same_bytes(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suites", "push", str(suite.root), "./shared"]) == 0
    assert main(["suites", "pull", "./shared", "--out", "back"]) == 0
    assert suite.sha256 in capsys.readouterr().out
    assert contents(Path("back")) == contents(suite.root)
    assert verify_suite("back").sha256 == suite.sha256


@pytest.mark.parametrize("name", ["mini", "photos"])
def test_embedded_suites_round_trip(name: str) -> None:
    push_suite(name, "./shared")
    assert contents(pull_suite("./shared", "back").root) == contents(load_suite(name).root)


def test_many_row_groups_and_files(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "ROW_GROUP", 1)
    monkeypatch.setattr(form, "SHARD", 1)
    done: list[tuple[int, int]] = []
    push_suite(suite.root, "./shared", progress=lambda k, n: done.append((k, n)))
    assert len(list(Path("shared/data").iterdir())) == len(suite) == 6
    assert done == [(k, 6) for k in range(1, 7)]
    assert contents(pull_suite("./shared", "back").root) == contents(suite.root)


def test_shared_photograph_is_stored_once_in_a_row_group() -> None:
    push_suite("photos", "./shared")
    (file,) = Path("shared/data").iterdir()
    stored = file.stat().st_size
    photos = load_suite("photos")
    once = sum(path.stat().st_size for path in {sample.image for sample in photos.samples})
    assert once < stored < 1.1 * once
    assert len(photos) == 4 * len({sample.image for sample in photos.samples})


def test_parquet_loads_with_datasets(suite: Suite, tmp_path: Path) -> None:
    from datasets import load_dataset

    push_suite(suite.root, "./shared")
    rows = load_dataset("./shared", split="test", cache_dir=str(tmp_path / "hf"))
    assert rows["id"] == [sample.id for sample in suite.samples]
    assert rows.features["mask"].mode == "L"
    for row, sample in zip(rows, suite.samples, strict=True):
        assert row["mask"].mode == "L"
        assert row["tags"] == list(sample.tags)
        assert "licence" in row
        np.testing.assert_array_equal(np.asarray(row["image"]), np.asarray(Image.open(sample.image)))
        np.testing.assert_array_equal(np.asarray(row["mask"]), np.asarray(Image.open(sample.mask).convert("L")))


def test_to_hf_holds_bytes_and_no_paths_of_this_machine(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    rows = to_hf(suite)
    assert rows[0]["mask"].mode == "L"
    rows.to_parquet("rows.parquet")
    shutil.rmtree(suite.root)
    for row, sample in zip(pq.read_table("rows.parquet").to_pylist(), suite.samples, strict=True):
        assert Image.open(io.BytesIO(row["image"]["bytes"])).size == (40, 30)
        assert not Path(row["image"]["path"]).is_absolute()
        assert row["id"] == sample.id


def test_folder_of_parquet_loads_by_way_of_the_cache(suite: Suite, cache: Path) -> None:
    push_suite(suite.root, "./shared")
    loaded = load_suite("shared")
    assert loaded.sha256 == suite.sha256
    assert cache in loaded.root.parents
    stamp = loaded.samples[0].image.stat().st_mtime_ns
    assert load_suite("shared").samples[0].image.stat().st_mtime_ns == stamp
    (loaded.root / "metadata.jsonl").write_text("")  # somebody spoils the cache
    assert load_suite("shared").sha256 == suite.sha256


# -- the hub, made of folders -----------------------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderHub:
    import huggingface_hub

    fake = FolderHub(tmp_path / "the-hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: fake)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot_download)
    return fake


def test_hub_round_trip_and_cache(
    suite: Suite, hub: FolderHub, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suites", "push", str(suite.root), "org/three"]) == 0
    assert "https://huggingface.co/datasets/org/three" in capsys.readouterr().out
    assert hub.private
    assert main(["suites", "pull", "org/three", "--out", "back"]) == 0
    assert contents(Path("back")) == contents(suite.root)
    loaded = load_suite("org/three")
    assert loaded.sha256 == suite.sha256
    assert cache in loaded.root.parents
    assert load_suite("org/three").root == loaded.root
    assert load_suite("org/three", loaded.root.name).root == loaded.root
    assert hub.downloads == 2  # one for the pull, one for the cache
    push_suite("photos", "org/three")
    assert load_suite("org/three").name == "photos"
    assert load_suite("org/three", loaded.root.name).name == "three"
    hub.down = ConnectionError("no route")
    assert load_suite("org/three").name == "photos"  # what was known last
    assert not list(cache.rglob(".rses-pull-*"))


def test_a_data_set_that_is_no_suite_is_left_alone(hub: FolderHub) -> None:
    (hub.root / "org" / "mine" / "data").mkdir(parents=True)
    (hub.root / "org" / "mine" / "data" / "precious.parquet").write_text("x")
    with refused(InputError, "already-there"):
        push_suite("photos", "org/mine")
    assert (hub.root / "org" / "mine" / "data" / "precious.parquet").exists()


def test_what_the_hub_says_becomes_one_message(hub: FolderHub, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from huggingface_hub import errors

    def raised(kind, status):
        response = type("Response", (), {"status_code": status, "headers": {}, "request": None})
        try:
            return kind("went wrong\nmore", response=response)
        except TypeError:
            return kind("went wrong\nmore")

    cases = [
        (raised(errors.GatedRepoError, 403), "it is gated: accept its terms"),
        (raised(errors.RepositoryNotFoundError, 404), "the hub has none of this name"),
        (raised(errors.RevisionNotFoundError, 404), "no such revision"),
        (raised(errors.HfHubHTTPError, 403), "no permission"),
        (raised(errors.HfHubHTTPError, 503), "answered 503"),
        (errors.OfflineModeIsEnabled("offline"), "the hub cannot be reached"),
        (RuntimeError("[Errno -2] Name or service not known"), "the hub cannot be reached"),
    ]
    for error, message in cases:
        hub.down = error
        for command in (["suites", "push", "photos", "org/x"], ["suites", "pull", "org/x", "--out", "out"]):
            assert main(command) == 2
            said = capsys.readouterr().err
            assert message in said
            assert said.count("\n") == 1
        with refused(InputError, "no-network"):
            load_suite("org/x")
    assert not Path("out").exists()
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_hub_ids_and_folders(tmp_path: Path) -> None:
    assert hub_id("org/name")
    (tmp_path / "org").mkdir()
    for text in ("org/name", "./org2/name", "../a/b", "/a/b", "~/b", "a/b/c", "mini", "a/..", "-a/b", "a/b\n"):
        assert not hub_id(text)
    with refused(InputError, "unknown-name"):
        load_suite("org/name")
    with refused(InputError, "exclusive"):
        load_suite("mini", "main")
    with refused(InputError, "bad-path", "revision"):
        cached_suite("some/name", "a:b")


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert suite_cache() == tmp_path / "cache"
    monkeypatch.delenv("RSES_SUITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert suite_cache() == tmp_path / "xdg" / "rses" / "suites"


# -- untrusted data sets -----------------------------------------------------------------------------------------------


def _edit_rows(shared: Path, change: Callable[[list[dict]], None]) -> None:
    (file,) = (shared / "data").iterdir()
    table = pq.read_table(file)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)


def _edit_json(file: Path, change: Callable[[dict], None]) -> None:
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _rename_everywhere(shared: Path, new: str) -> None:
    """As somebody does who keeps all hashes right."""
    old = ""

    def rows(content: list[dict]) -> None:
        nonlocal old
        old = content[0]["image"]["path"]
        for row in content:
            if row["image"]["path"] == old:
                row["image"]["path"] = new

    _edit_rows(shared, rows)
    metadata = shared / "suite" / "metadata.jsonl"
    metadata.write_text(metadata.read_text("utf-8").replace(json.dumps(old), json.dumps(new)), encoding="utf-8")

    def manifest(content: dict) -> None:
        content["files"][new] = content["files"].pop(old)
        content["files"]["metadata.jsonl"] = hashlib.sha256(metadata.read_bytes()).hexdigest()

    _edit_json(shared / "suite" / "suite.json", manifest)


def _link(file: Path) -> None:
    file.rename(file.with_name("kept"))
    file.symlink_to(file.with_name("kept").absolute())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: _rename_everywhere(s, "../../evil.png"), "leads outside the suite"),
        (lambda s: _rename_everywhere(s, "/tmp/evil.png"), "is an absolute path"),
        (lambda s: _rename_everywhere(s, "images\\..\\evil.png"), "contains a backslash"),
        (lambda s: _edit_rows(s, lambda r: r[0]["image"].update(path="../../evil.png")), 'is called "../../evil.png"'),
        (lambda s: _edit_rows(s, lambda r: r[1]["mask"].update(bytes=b"x")), "row 2: mask .* SHA-256"),
        (lambda s: _edit_rows(s, lambda r: r[0]["image"].update(bytes=None)), "row 1: image holds no bytes"),
        (lambda s: _edit_rows(s, lambda r: r[0].update(prompt="steal")), 'row 1: prompt is "steal" in the parquet'),
        (lambda s: _edit_rows(s, lambda r: r.pop()), "holds 5 rows, metadata.jsonl has 6"),
        (lambda s: _edit_rows(s, lambda r: r.append(r[0])), "holds 7 rows"),
        (lambda s: next((s / "data").iterdir()).write_bytes(b"PAR1 no"), "is not a readable parquet file"),
        (lambda s: next((s / "data").iterdir()).unlink(), "no suite as parquet"),
        (lambda s: (s / "suite" / "metadata.jsonl").write_text("{}"), "it was changed"),
        (lambda s: (s / "suite" / "notes.txt").write_text("other"), "notes.txt: changed"),
        (lambda s: (s / "suite" / "notes.txt").unlink(), "suite/notes.txt is missing"),
        (lambda s: (s / "suite" / "suite.json").write_text("[]"), "must be an object with keys"),
        (lambda s: _link(s / "suite" / "notes.txt"), "symbolic link"),
        (lambda s: _link(s / "suite" / "suite.json"), "symbolic link"),
        (lambda s: _link(next((s / "data").glob("*.parquet"))), "symbolic link"),
    ],
)  # fmt: skip
def test_hostile_or_broken_data_sets(
    suite: Suite, tmp_path: Path, cache: Path, spoil: Callable[[Path], None], message: str
) -> None:
    push_suite(suite.root, "./shared")
    spoil(Path("shared"))
    before = set(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=message):
        pull_suite("./shared", tmp_path / "deep" / "down" / "out")
    with pytest.raises(InputError):
        load_suite("shared")
    left = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert left == set()
    assert not Path("/tmp/evil.png").exists()


def test_target_in_use_is_not_touched(suite: Suite) -> None:
    Path("mine").mkdir()
    Path("mine/kept.txt").write_text("mine")
    with refused(InputError, "not-empty"):
        push_suite(suite.root, "./mine")
    push_suite(suite.root, "./shared")
    with refused(InputError, "not-empty"):
        pull_suite("./shared", "mine")
    assert contents(Path("mine")) == {"kept.txt": b"mine"}
    with refused(InputError, "unknown-name"):
        pull_suite("./absent", "x")


def test_scoring_on_a_suite_of_the_hub(suite: Suite, hub: FolderHub, capsys: pytest.CaptureFixture[str]) -> None:
    push_suite(suite.root, "org/three")
    Path("pred").mkdir()
    for sample in suite.samples:
        Image.open(sample.image).save(Path("pred") / f"{sample.id}.png")
    arguments = ["score", "--pred", "pred", "--suite", "org/three", "--protocol", "rses-mini", "--metrics", "mse_bg"]
    assert main([*arguments, "--format", "json", "--out", "run", "--report"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["metrics"]["mse_bg"] == {"mean": 0.0, "low": None, "high": None, "n": 6}
    assert result["info"]["suite"]["sha256"] == suite.sha256
    assert main(["report", "run"]) == 0

"""``rses weights``: fetching through the publishers' own loaders, against servers on this machine."""

from __future__ import annotations

import hashlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rses.backbones.download import pull
from rses.backbones.published import Need, Source
from rses.backbones.specs import DEFAULT_STYLE
from rses.backbones.weights import torch_checkpoints
from rses.cli.weights import app
from rses.errors import InputError, RsesError, WeightsError
from tests.helpers.refusals import refused

CONTENT = b"not really weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NO_DIGEST_PINNED = "open_clip:ViT-B-16-quickgelu/openai"


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the Hugging Face Hub as ``hf_hub_download`` needs; announces ``etag`` for ``files``."""

    files: tuple[str, ...] = ("open_clip_model.safetensors",)
    etag = DIGEST
    asked: list[str]

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        found = self.path.endswith(self.files)
        self.send_response(200 if found or self.path == "/" else 404)
        if found:
            self.send_header("ETag", f'"{self.etag}"')
            self.send_header("Content-Length", str(len(CONTENT)))
        elif self.path != "/":
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", "a" * 40)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        if self.path.endswith(self.files):
            self.wfile.write(CONTENT)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[tuple[str, type[Hub]]]:
    handler = type("OneHub", (Hub,), {"asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


def run_pull(endpoint: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, because huggingface_hub reads its environment when imported."""
    code = (
        "import sys\nfrom rses.cli.weights import app\nfrom rses.errors import RsesError\n"
        "try:\n    app()\nexcept RsesError as error:\n    sys.exit(str(error))"
    )
    environment = {**os.environ, "HOME": str(home), "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def test_pull_from_the_hub_then_path(hub, empty_caches):
    endpoint, handler = hub
    result = run_pull(endpoint, empty_caches, "pull", NO_DIGEST_PINNED)
    assert result.returncode == 0, result.stderr
    path, digest = result.stdout.split()
    assert digest == f"sha256:{DIGEST}"
    assert Path(path).read_bytes() == CONTENT
    assert Path(path).is_relative_to(empty_caches / ".cache/huggingface/hub")
    assert "Fetching open_clip_model.safetensors" in result.stderr

    handler.asked.clear()
    again = run_pull(endpoint, empty_caches, "pull", NO_DIGEST_PINNED)
    assert again.stdout == result.stdout
    found = run_pull(endpoint, empty_caches, "path", NO_DIGEST_PINNED)
    assert found.stdout.strip() == path
    assert handler.asked == []  # what is here is not asked for


def test_pull_falls_back_to_the_older_file(hub, empty_caches):
    endpoint, handler = hub
    handler.files = ("open_clip_pytorch_model.bin",)
    result = run_pull(endpoint, empty_caches, "pull", NO_DIGEST_PINNED)
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.split()[0]).name == "open_clip_pytorch_model.bin"


def test_pull_refuses_a_file_that_is_not_what_the_hub_announced(hub, empty_caches):
    endpoint, handler = hub
    handler.etag = "0" * 64
    result = run_pull(endpoint, empty_caches, "pull", NO_DIGEST_PINNED)
    assert result.returncode == 1
    assert f"SHA-256 is {DIGEST}, expected {'0' * 64}" in result.stderr


def test_pull_refuses_a_file_that_is_not_the_pinned_one(hub, empty_caches):
    result = run_pull(hub[0], empty_caches, "pull", DEFAULT_STYLE)
    assert result.returncode == 1
    assert "expected e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31" in result.stderr


def trunk_at(url: str, digest: str) -> tuple[Need, ...]:
    return (Need("trunk", (Source("squeezenet1_1-b8a52dc0.pth", digest, url=url),)),)


def test_pull_through_torch_hub_checks_the_digest(empty_caches, tmp_path):
    published = tmp_path / "published.pth"
    published.write_bytes(CONTENT)
    with refused(WeightsError, "no-network"):
        pull("lpips:squeeze", trunk_at(published.as_uri(), "b8a52dc0"))
    assert list(torch_checkpoints().iterdir()) == []
    said: list[str] = []
    located = pull("lpips:squeeze", trunk_at(published.as_uri(), DIGEST[:8]), say=said.append)["trunk"]
    assert located.path == torch_checkpoints() / "squeezenet1_1-b8a52dc0.pth"
    assert located.sha256 == DIGEST
    assert said == ["Fetching squeezenet1_1-b8a52dc0.pth ..."]


@pytest.mark.parametrize("spec", [DEFAULT_STYLE, "lpips:vgg"])
def test_unreachable_network_is_one_clear_error(spec, empty_caches, no_network):
    with pytest.raises(WeightsError) as caught:
        pull(spec)
    message = str(caught.value)
    for part in ("Could not fetch", spec, "HTTPS_PROXY", "RSES_WEIGHTS", "--protocol rses-mini"):
        assert part in message
    assert no_network


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RsesError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_list_says_what_is_here(empty_caches, monkeypatch, tmp_path):
    (tmp_path / "alexnet-owt-7be5be79.pth").write_bytes(b"x" * 1_500_000)
    monkeypatch.setenv("RSES_WEIGHTS", str(tmp_path))
    lines = {line.split()[0]: line for line in invoke("list").splitlines()}
    assert "on disk" in lines["lpips:alex"]
    assert str(tmp_path) in lines["lpips:alex"]
    assert "missing   vgg16-397923af.pth" in lines["lpips:vgg"]
    assert "embedded" in lines["rses-mini/2"]


def test_list_all_names_every_model_of_open_clip(empty_caches):
    names = [line.split()[0] for line in invoke("list", "--all").splitlines()]
    assert "open_clip:ViT-B-32/laion2b_s34b_b79k" in names
    assert "open_clip:ViT-B-32/openai" not in names  # refused: it needs QuickGELU
    assert len(names) == len(set(names)) > 100


def test_path_and_pull_errors(empty_caches, no_network):
    with pytest.raises(WeightsError, match="rses weights pull lpips:alex"):
        invoke("path", "lpips:alex")
    with pytest.raises(WeightsError, match='Did you mean "lpips:alex"'):
        invoke("pull", "lpips:alexnet")
    with pytest.raises(RsesError, match='Did you mean "rses-v1"'):
        invoke("pull", "--protocol", "rses-v2")
    with refused(InputError, "missing-option"):
        invoke("pull")
    with pytest.raises(WeightsError, match=DEFAULT_STYLE):
        invoke("pull", "--protocol", "rses-v1")


def test_mini_needs_nothing(empty_caches, no_network):
    assert invoke("pull", "--protocol", "rses-mini") == ""
    assert invoke("path", "rses-mini") == ""
    assert no_network == []

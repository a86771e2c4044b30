"""Fetching weights: the only code of RSES that uses the network, and only when asked to."""

from __future__ import annotations

import os
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rses.backbones.published import Need, Source, needs
from rses.backbones.weights import Located, find, hub_cache, locate, torch_checkpoints
from rses.errors import WeightsError

# urllib waits for ever by default; a silent server should end in a message.
TIMEOUT_S = 30.0


def pull(
    spec: str, files: Sequence[Need] | None = None, *, say: Callable[[str], None] = lambda _: None
) -> dict[str, Located]:
    """Fetch what is missing for a backbone into the usual caches, verify it, and return the files by role.

    Raises:
        WeightsError: Unknown name, network unreachable, or a file is not the pinned one.
    """
    for need in needs(spec) if files is None else files:
        if not any(find(source) for source in need.sources):
            _fetch_any(spec, need, say)
    return locate(spec, files)


def _fetch_any(spec: str, need: Need, say: Callable[[str], None]) -> None:
    """Try the sources in turn; the hub lists safetensors first, and old repositories lack it."""
    failures: list[str] = []
    unreachable: set[bool] = set()
    for source in need.sources:
        on_hub = bool(source.repo)
        if on_hub in unreachable or source.path is not None:
            continue
        say(f"Fetching {source.label} ...")
        try:
            with _timeout(TIMEOUT_S):
                _fetch_from_hub(source) if on_hub else _fetch_by_address(source)
            return
        except Exception as error:  # each library raises its own kinds, some of them bare
            failures.append(f"  - {source.label}: {_reason(error)}")
            if not _is_absent(error):
                unreachable.add(on_hub)
    raise WeightsError(
        f"Could not fetch the {need.role} of {spec}:\n"
        + "\n".join(failures or ["  - it is part of a Python package that is not installed correctly"])
        + "\nCheck the network (proxy: HTTPS_PROXY; mirror of the Hugging Face Hub: HF_ENDPOINT), or fetch it "
        "on another machine\nand put it into a folder named by the environment variable RSES_WEIGHTS, as "
        f"{need.sources[0].alias or need.sources[0].name}.\nTo score without it: --protocol rses-mini.",
        code="no-network",
    )


def _fetch_from_hub(source: Source) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    _require_answer(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    if not sys.stderr.isatty():
        disable_progress_bars()
    hf_hub_download(source.repo, source.name, cache_dir=hub_cache())


def _fetch_by_address(source: Source) -> None:
    import torch

    folder = torch_checkpoints()
    folder.mkdir(parents=True, exist_ok=True)
    target = str(folder / source.name)
    torch.hub.download_url_to_file(source.url, target, hash_prefix=source.sha256 or None, progress=sys.stderr.isatty())


def _require_answer(address: str) -> None:
    """Fail at once where nothing answers; the hub's client would retry for half a minute first.

    Raises:
        URLError: The name does not resolve, or nothing listens there.
    """
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=TIMEOUT_S).close()
    except urllib.error.HTTPError:
        return  # it answered
    except urllib.error.URLError as error:
        # The hub's client may know certificates that urllib does not.
        if not isinstance(error.reason, ssl.SSLError):
            raise


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _is_absent(error: Exception) -> bool:
    """Whether the server answered that it has no such file, as opposed to not answering."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    return isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    return f"{type(error).__name__}: {text[:300]}"

"""Where weights lie on this machine, and whether they are the right ones.

They are looked for in the folders of ``$RSES_WEIGHTS``, in the cache of the Hugging Face hub, and, where they are
published at an address, in that of ``torch.hub``. Nothing here downloads or imports torch; see
:mod:`rses.backbones.download` for the only code that does.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rses.backbones.digests import cache_home, file_digest
from rses.backbones.published import Need, Source, needs
from rses.backbones.specs import parse_spec
from rses.errors import Place, WeightsError
from rses.files.atomic import is_sha256


@dataclass(frozen=True)
class Located:
    """A file found on this machine and, if a digest was pinned, verified."""

    role: str
    path: Path
    sha256: str
    source: Source
    pinned: bool


def hub_cache() -> Path:
    """Return the Hugging Face cache, by the same environment variables as ``huggingface_hub``."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    home = os.environ.get("HF_HOME")
    return (Path(home).expanduser() if home else cache_home() / "huggingface") / "hub"


def torch_checkpoints() -> Path:
    """Return the folder in which ``torch.hub`` keeps checkpoints."""
    home = os.environ.get("TORCH_HOME")
    return (Path(home).expanduser() if home else cache_home() / "torch") / "hub" / "checkpoints"


def weights_folders() -> list[Path]:
    """Return the folders named by ``$RSES_WEIGHTS`` (separated as in ``$PATH``), searched before any cache."""
    text = os.environ.get("RSES_WEIGHTS", "")
    folders = [Path(item).expanduser() for item in text.split(os.pathsep) if item]
    for folder in folders:
        if not folder.is_dir():
            raise WeightsError(
                f"RSES_WEIGHTS names {folder}, which is not a folder. Create it or unset RSES_WEIGHTS.",
                code="not-a-folder",
                place=Place(str(folder)),
            )
    return folders


def _home(source: Source) -> Path:
    """Return the folder that a file of this kind lies in."""
    if source.path is not None:
        return source.path.parent
    return hub_cache() if source.repo else torch_checkpoints()


def find(source: Source) -> Path | None:
    """Look for one file on this machine, without reading it; never opens a connection.

    Raises:
        WeightsError: ``$RSES_WEIGHTS`` names something that is not a folder.
    """
    # The name alone would not say of which model it is.
    names = [f"{source.repo}/{source.name}" if source.repo else source.name, source.alias]
    own = [] if source.path is not None and not source.alias else weights_folders()
    for place in [folder / name for folder in own for name in names if name]:
        if place.is_file():
            return place
    if source.repo:
        return _find_in_hub_cache(source)
    place = _home(source) / source.name
    return place if place.is_file() else None


def _find_in_hub_cache(source: Source) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(source.repo, source.name, cache_dir=hub_cache())
    if isinstance(cached, str) and Path(cached).is_file():
        return Path(cached)
    return None


def locate(spec: str, files: Sequence[Need] | None = None) -> dict[str, Located]:
    """Find and verify the files of one backbone, by role."""
    return locate_all({spec: files})[spec]


def locate_all(specs: dict[str, Sequence[Need] | None]) -> dict[str, dict[str, Located]]:
    """Find and verify the files of several backbones, or say in one message which are missing."""
    found: dict[str, list[tuple[Need, Source, Path]]] = {}
    missing: dict[str, list[Need]] = {}
    for spec, files in specs.items():
        found[spec] = []
        for need in needs(spec) if files is None else files:
            hit = next(((source, path) for source in need.sources if (path := find(source))), None)
            if hit is None:
                missing.setdefault(spec, []).append(need)
            else:
                found[spec].append((need, *hit))
    if missing:
        raise WeightsError(missing_message(missing), code="missing-weights")
    return {
        spec: {need.role: _verify(spec, need.role, source, path) for need, source, path in hits}
        for spec, hits in found.items()
    }


def missing_message(missing: dict[str, list[Need]]) -> str:
    """Say which files are missing, where they were looked for and what to do about it."""
    lines = ["Weights are not on this machine, and scoring never downloads them:"]
    for spec, absent in missing.items():
        for need in absent:
            first, *others = need.sources
            alternatives = f", or {' or '.join(source.name for source in others)}" if others else ""
            lines.append(f"  - {spec} needs {first.label}{alternatives}")
    sources = [source for absent in missing.values() for need in absent for source in need.sources]
    folders = dict.fromkeys([*weights_folders(), *map(_home, sources)])
    lines.append("Looked in: " + ", ".join(map(str, folders)))
    remote = [spec for spec in missing if not parse_spec(spec).is_local]
    if remote:
        lines.append("Fetch them once, with network:")
        lines += [f"    rses weights pull {spec}" for spec in remote]
        names = [need.sources[0].alias or need.sources[0].name for spec in remote for need in missing[spec]]
        lines.append(f"or put them into a folder named by RSES_WEIGHTS, as {', '.join(names)}.")
    lines.append(
        "To score without them, with the embedded weights: --protocol rses-mini "
        "(its numbers must not be compared with those of other protocols)."
    )
    return "\n".join(lines)


def _verify(spec: str, role: str, source: Source, path: Path) -> Located:
    digest = file_digest(path)
    # The Hugging Face cache names a large file by the SHA-256 that its server announced.
    blob = path.resolve().name
    expected = source.sha256 or (blob if source.repo and is_sha256(blob) else "")
    if not digest.startswith(expected):
        remedy = (
            "Name another file."
            if source.path is not None and not source.alias
            else f"Remove it and run: rses weights pull {spec}"
        )
        raise WeightsError(
            f"{path} is not the {role} of {spec}: its SHA-256 is {digest}, expected {expected}. "
            f"It is damaged, incomplete or another file. {remedy}",
            code="changed-file",
            place=Place(str(path)),
        )
    return Located(role, path, digest, source, pinned=is_sha256(expected))

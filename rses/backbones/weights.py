"""Which files each backbone needs, where they may lie on this machine, and whether they are the right ones.

Nothing here downloads or imports torch; see :mod:`rses.backbones.download` for the only code that does.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rses.backbones.digests import cache_home, file_digest, is_digest
from rses.backbones.specs import ClipSpec, clip_artifacts, parse_spec
from rses.errors import WeightsError

__all__ = [
    "LPIPS_TRUNKS",
    "Located",
    "Need",
    "Source",
    "find",
    "locate",
    "locate_all",
    "needs",
    "search_folders",
]

TORCHVISION_URL = "https://download.pytorch.org/models/"

# File name and SHA-256 of torchvision's checkpoints (its file names carry the first 8 digits).
LPIPS_TRUNKS = {
    "alex": (
        "alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    ),
    "vgg": (
        "vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    ),
    "squeeze": (
        "squeezenet1_1-b8a52dc0.pth",
        "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
    ),
}

# Linear heads v0.1 as shipped in the wheel of lpips 0.1.4.
LPIPS_HEADS = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
}


@dataclass(frozen=True)
class Source:
    """One published file that can serve a need.

    Attributes:
        name: File name.
        home: Where its publisher's own loader keeps it: ``hub`` (Hugging Face cache), ``clip`` (open_clip's
            folder), ``torch`` (checkpoints of torch.hub), ``lpips`` (inside the installed package) or
            ``file`` (at ``path``).
        sha256: Pinned SHA-256, or its first hex digits; empty where the publisher states none.
        repo: Hugging Face repository, for ``hub``.
        url: Address, for ``clip`` and ``torch``.
        alias: Unambiguous name under which the file is also accepted in ``$RSES_WEIGHTS``.
        path: The file itself, for ``file``.
    """

    name: str
    home: str
    sha256: str = ""
    repo: str = ""
    url: str = ""
    alias: str = ""
    path: Path | None = None

    @property
    def label(self) -> str:
        """Name for messages, with the repository where the name alone is ambiguous."""
        return f"{self.name} of huggingface.co/{self.repo}" if self.repo else self.name


@dataclass(frozen=True)
class Need:
    """One thing a backbone must be given; any of ``sources`` will do, the first found is taken.

    Attributes:
        role: ``checkpoint``, ``trunk`` or ``heads``.
        sources: Acceptable files, preferred first.
    """

    role: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Located:
    """A file found on this machine and, if a digest was pinned, verified.

    Attributes:
        role: What it is for.
        path: Where it lies.
        sha256: Its full SHA-256.
        source: What it was looked for as.
        pinned: Whether ``sha256`` was checked against a full published digest.
    """

    role: str
    path: Path
    sha256: str
    source: Source
    pinned: bool


def needs(spec: str) -> tuple[Need, ...]:
    """Return the files a backbone needs, in the order its loader takes them; none for ``rses-mini``.

    Raises:
        WeightsError: The name is unknown or names weights with the wrong architecture.

    Example:
        >>> [(need.role, need.sources[0].name) for need in needs("lpips:alex")]
        [('trunk', 'alexnet-owt-7be5be79.pth'), ('heads', 'alex.pth')]
    """
    parsed = parse_spec(spec)
    if parsed.kind == "lpips":
        return _lpips_needs(parsed.name)
    if isinstance(parsed, ClipSpec):
        return (Need("checkpoint", _clip_sources(parsed)),)
    return ()


def _lpips_needs(net: str) -> tuple[Need, ...]:
    name, digest = LPIPS_TRUNKS[net]
    trunk = Source(name, "torch", digest, url=TORCHVISION_URL + name)
    heads = Source(f"{net}.pth", "lpips", LPIPS_HEADS[net], alias=f"lpips-v0.1-{net}.pth")
    return (Need("trunk", (trunk,)), Need("heads", (heads,)))


def _clip_sources(spec: ClipSpec) -> tuple[Source, ...]:
    if spec.path is not None:
        return (Source(spec.path.name, "file", path=spec.path),)
    sources = []
    for item in clip_artifacts(spec.name, spec.pretrained):
        suffix = Path(item.name).suffix
        alias = f"{spec.name}--{spec.pretrained}{suffix}"
        if item.repo:
            sources.append(Source(item.name, "hub", item.sha256, repo=item.repo, alias=alias))
        else:
            sources.append(Source(item.name, "clip", item.sha256, url=item.url, alias=alias))
    return tuple(sources)


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


def clip_cache() -> Path:
    """Return the folder in which open_clip (and OpenAI's package) keeps files fetched by address."""
    return Path.home() / ".cache" / "clip"


def _lpips_weights() -> Path:
    spec = find_spec("lpips")
    locations = list(spec.submodule_search_locations or []) if spec else []
    return Path(locations[0] if locations else "lpips") / "weights" / "v0.1"


def weights_folders() -> list[Path]:
    """Return the folders named by ``$RSES_WEIGHTS`` (separated as in ``$PATH``), searched before any cache.

    Raises:
        WeightsError: One of them is not a folder.
    """
    text = os.environ.get("RSES_WEIGHTS", "")
    folders = [Path(item).expanduser() for item in text.split(os.pathsep) if item]
    for folder in folders:
        if not folder.is_dir():
            raise WeightsError(f"RSES_WEIGHTS names {folder}, which is not a folder. Create it or unset RSES_WEIGHTS.")
    return folders


def home_folder(home: str) -> Path:
    """Return the folder in which the publisher's own loader keeps files of this kind."""
    return {"hub": hub_cache, "clip": clip_cache, "torch": torch_checkpoints, "lpips": _lpips_weights}[home]()


def search_folders(sources: Sequence[Source]) -> list[Path]:
    """Return every folder in which these files are looked for, in order."""
    homes = [source.path.parent if source.path else home_folder(source.home) for source in sources]
    return list(dict.fromkeys([*weights_folders(), *homes]))


def find(source: Source) -> Path | None:
    """Look for one file on this machine, without reading it; never opens a connection.

    Raises:
        WeightsError: ``$RSES_WEIGHTS`` names something that is not a folder.
    """
    if source.path is not None:
        return source.path if source.path.is_file() else None
    for folder in weights_folders():
        if source.repo:  # open_clip_model.safetensors alone would not say of which model
            candidates = [folder / source.repo / source.name, folder / source.alias]
        else:
            candidates = [folder / name for name in (source.name, source.alias) if name]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
    if source.home == "hub":
        return _find_in_hub_cache(source)
    candidate = home_folder(source.home) / source.name
    return candidate if candidate.is_file() else None


def _find_in_hub_cache(source: Source) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(source.repo, source.name, cache_dir=hub_cache())
    if isinstance(cached, str) and Path(cached).is_file():
        return Path(cached)
    return None


def locate(spec: str, files: Sequence[Need] | None = None) -> dict[str, Located]:
    """Find and verify the files of one backbone, by role.

    Args:
        spec: Name of the backbone.
        files: What to look for instead of the published files, e.g. with other pins.

    Raises:
        WeightsError: A file is missing (one message for all of them) or is not the pinned one.
    """
    return locate_all({spec: files})[spec]


def locate_all(specs: dict[str, Sequence[Need] | None]) -> dict[str, dict[str, Located]]:
    """Find and verify the files of several backbones, or say in one message which are missing.

    Args:
        specs: Name of each backbone, with the files to use instead of the published ones, or None.

    Raises:
        WeightsError: Files are missing, or one is not the pinned one.

    Example:
        >>> locate_all({"rses-mini": None})
        {'rses-mini': {}}
    """
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
        raise WeightsError(missing_message(missing))
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
    lines.append("Looked in: " + ", ".join(str(folder) for folder in search_folders(sources)))
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
    expected = source.sha256 or (blob if source.home == "hub" and is_digest(blob) else "")
    if not digest.startswith(expected):
        remedy = "Name another file." if source.home == "file" else f"Remove it and run: rses weights pull {spec}"
        raise WeightsError(
            f"{path} is not the {role} of {spec}: its SHA-256 is {digest}, expected {expected}. "
            f"It is damaged, incomplete or another file. {remedy}"
        )
    return Located(role, path, digest, source, pinned=is_digest(expected))

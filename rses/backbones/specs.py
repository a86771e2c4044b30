"""Names of backbones (``open_clip:NAME/PRETRAINED``, ``lpips:NET``, ``rses-mini``), read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rses.errors import WeightsError, did_you_mean

__all__ = ["DEFAULT_STYLE", "KNOWN_SPECS", "Artifact", "ClipSpec", "Spec", "clip_artifacts", "parse_spec"]

DEFAULT_STYLE = "open_clip:ViT-B-32-quickgelu/openai"
MINI = "rses-mini"
LPIPS_NETS = ("alex", "vgg", "squeeze")
FILE_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
SAFE_NAME = "open_clip_model.safetensors"
PICKLE_NAME = "open_clip_pytorch_model.bin"
OPENAI_URL = "https://openaipublic.azureedge.net/clip/models/"

# Repository, address and digests of OpenAI's models, so that these need no import of open_clip (seconds).
# The digest in the address is OpenAI's own; the others are those of the files in the repository.
OPENAI_MODELS: dict[str, tuple[str, str, dict[str, str]]] = {
    "ViT-B-32-quickgelu": (
        "timm/vit_base_patch32_clip_224.openai",
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt",
        {
            SAFE_NAME: "e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
            PICKLE_NAME: "9ecdaef325b20e7283dc6a32f92aa638d100899e4f084c2462d3832eeea0b26e",
        },
    ),
    "ViT-B-16-quickgelu": (
        "timm/vit_base_patch16_clip_224.openai",
        "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f/ViT-B-16.pt",
        {},
    ),
    "ViT-L-14-quickgelu": (
        "timm/vit_large_patch14_clip_224.openai",
        "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836/ViT-L-14.pt",
        {},
    ),
    "ViT-L-14-336-quickgelu": (
        "timm/vit_large_patch14_clip_336.openai",
        "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt",
        {},
    ),
}

KNOWN_SPECS = (
    *(f"open_clip:{name}/openai" for name in OPENAI_MODELS),
    *(f"lpips:{net}" for net in LPIPS_NETS),
    MINI,
)


@dataclass(frozen=True)
class Spec:
    """A backbone by name.

    Attributes:
        kind: ``open_clip``, ``lpips`` or ``rses-mini``.
        name: Architecture or net.
    """

    kind: str
    name: str

    @property
    def is_local(self) -> bool:
        """Whether there is nothing to download for it."""
        return self.kind == MINI


@dataclass(frozen=True)
class ClipSpec(Spec):
    """An open_clip architecture with a pretrained tag, or with a file of one's own.

    Attributes:
        pretrained: Tag of open_clip, or empty.
        path: Weights file, or None.
    """

    pretrained: str = ""
    path: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether there is nothing to download for it."""
        return self.path is not None


@dataclass(frozen=True)
class Artifact:
    """A published file: in a Hugging Face repository or at an address."""

    name: str
    repo: str = ""
    url: str = ""
    sha256: str = ""


def parse_spec(spec: str) -> Spec:
    """Read the name of a backbone. Names of open_clip models are checked later, by :func:`clip_artifacts`.

    What follows ``open_clip:NAME/`` is a path, not a tag, if it is absolute, starts with ``.`` or ``~``, or
    ends like a weights file: ``open_clip:ViT-B-32//data/my.safetensors``, ``open_clip:ViT-B-32/my.bin``.

    Raises:
        WeightsError: The name has none of the three forms.

    Example:
        >>> parse_spec("open_clip:ViT-B-32-quickgelu/openai").pretrained
        'openai'
        >>> parse_spec("open_clip:ViT-B-32//data/my.safetensors").path.name
        'my.safetensors'
        >>> parse_spec("lpips:alexnet")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        rses.errors.WeightsError: There is no backbone "lpips:alexnet". Did you mean "lpips:alex"? ...
    """
    if spec == MINI:
        return Spec(MINI, MINI)
    kind, _, rest = spec.partition(":")
    if kind == "lpips" and rest in LPIPS_NETS:
        return Spec("lpips", rest)
    name, slash, weights = rest.partition("/")
    if kind != "open_clip" or not (name and slash and weights):
        raise WeightsError(
            f'There is no backbone "{spec}".{did_you_mean(spec, KNOWN_SPECS)} '
            'Use "open_clip:NAME/PRETRAINED", "open_clip:NAME//path/to/file.safetensors", '
            '"lpips:alex", "lpips:vgg", "lpips:squeeze" or "rses-mini".'
        )
    if weights.startswith(("/", ".", "~")) or weights.lower().endswith(FILE_SUFFIXES):
        return ClipSpec("open_clip", name, path=Path(weights).expanduser())
    # open_clip takes tags in any case and with either dash.
    return ClipSpec("open_clip", name, weights.lower().replace("-", "_"))


def clip_artifacts(name: str, pretrained: str) -> tuple[Artifact, ...]:
    """Return the published files of an open_clip model, preferred first.

    Raises:
        WeightsError: open_clip has no such model or tag, or the weights belong to the QuickGELU architecture.

    Example:
        >>> [item.name for item in clip_artifacts("ViT-B-32-quickgelu", "openai")]
        ['open_clip_model.safetensors', 'open_clip_pytorch_model.bin', 'ViT-B-32.pt']
    """
    if pretrained == "openai" and name in OPENAI_MODELS:
        repo, tail, digests = OPENAI_MODELS[name]
        url = OPENAI_URL + tail
        hub = [Artifact(file, repo=repo, sha256=digests.get(file, "")) for file in (SAFE_NAME, PICKLE_NAME)]
        return (*hub, _by_address(url))
    config = _checked_config(name, pretrained)
    artifacts = [Artifact(file, repo=repo) for repo, file in _hub_files(config.get("hf_hub") or "")]
    if config.get("url"):
        artifacts.append(_by_address(config["url"]))
    return tuple(artifacts)


def _hub_files(reference: str) -> list[tuple[str, str]]:
    """Split open_clip's ``owner/repo/file`` (``owner/repo/`` for its usual file), safetensors first."""
    if not reference:
        return []
    repo, _, file = reference.rpartition("/")
    if not file:
        return [(repo, SAFE_NAME), (repo, PICKLE_NAME)]
    safe = str(PurePosixPath(file).with_suffix(".safetensors"))
    return [(repo, item) for item in dict.fromkeys([safe, file])]


def _by_address(url: str) -> Artifact:
    parent, _, name = url.rpartition("/")
    digest = ""
    if "openaipublic" in url:
        digest = parent.rpartition("/")[2]
    elif "mlfoundations" in url:  # open_clip's own releases end in the first digits of the SHA-256
        digest = name.rpartition(".")[0].rpartition("-")[2]
    return Artifact(name, url=url, sha256=digest)


def check_architecture(name: str) -> dict[str, Any]:
    """Return open_clip's configuration of an architecture.

    Raises:
        WeightsError: open_clip does not know it, or it needs a text tower that only a download can describe.
    """
    import open_clip

    config = open_clip.get_model_config(name) if ":" not in name else None
    if config is None:
        choices = open_clip.list_models()
        raise WeightsError(
            f'open_clip has no architecture "{name}".{did_you_mean(name, choices)} '
            "List all of them with: rses weights list --all"
        )
    tower = config["text_cfg"].get("hf_model_name")
    if tower:
        raise WeightsError(
            f'"{name}" takes its text encoder "{tower}" from transformers, whose configuration '
            f"would have to be downloaded while scoring. Choose another one, e.g. {DEFAULT_STYLE}."
        )
    return dict(config)


def _checked_config(name: str, pretrained: str) -> dict[str, Any]:
    import open_clip

    architecture = check_architecture(name)
    config = open_clip.get_pretrained_cfg(name, pretrained)
    if not config:
        tags = open_clip.list_pretrained_tags_by_model(name)
        offers = [f"{name}/{tag}" for tag in tags] or [f"{m}/{t}" for m, t in open_clip.list_pretrained()]
        known = f"Known for {name}: {', '.join(tags)}." if tags else f"There are no published weights for {name}."
        hint = did_you_mean(f"{name}/{pretrained}", offers)
        raise WeightsError(f'open_clip has no weights "{pretrained}" for {name}.{hint} {known}')
    if config.get("quick_gelu") and not architecture.get("quick_gelu"):
        raise WeightsError(quick_gelu_message(name, pretrained))
    return dict(config)


def quick_gelu_message(name: str, weights: str) -> str:
    """Say that weights were trained with another activation than the architecture has."""
    return (
        f'The weights "{weights}" were trained with the QuickGELU activation, which the architecture '
        f'"{name}" does not have: it would load them without complaint and give slightly wrong numbers. '
        f"Use open_clip:{name}-quickgelu/{weights}"
    )

"""Names of backbones (``open_clip:NAME/PRETRAINED``, ``lpips:NET``, ``rses-mini/EDITION``), read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rses.errors import WeightsError, did_you_mean

DEFAULT_STYLE = "open_clip:ViT-B-32-quickgelu/openai"
MINI = "rses-mini"
MINI_ID = f"{MINI}/2"
"""The embedded weights of this version, by edition; ``rses-mini`` alone means these."""
LPIPS_NETS = ("alex", "vgg", "squeeze")
FILE_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
OPENAI_MODELS = ("ViT-B-32-quickgelu", "ViT-B-16-quickgelu", "ViT-L-14-quickgelu", "ViT-L-14-336-quickgelu")

KNOWN_SPECS = (
    *(f"open_clip:{name}/openai" for name in OPENAI_MODELS), *(f"lpips:{net}" for net in LPIPS_NETS), MINI_ID,
)  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A backbone by name.

    Attributes:
        kind: ``open_clip``, ``lpips`` or ``rses-mini``.
        name: Architecture, net, or the id of the embedded weights.
        pretrained: Tag of open_clip, or empty.
        path: Weights file of one's own for an open_clip architecture, or ``None``.
    """

    kind: str
    name: str
    pretrained: str = ""
    path: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether there is nothing to download for it."""
        return self.kind == MINI or self.path is not None


def parse_spec(spec: str) -> Spec:
    """Read the name of a backbone. Names of open_clip models are checked later.

    What follows ``open_clip:NAME/`` is a path, not a tag, if it is absolute, starts with ``.`` or ``~``, or
    ends like a weights file: ``open_clip:ViT-B-32//data/my.safetensors``, ``open_clip:ViT-B-32/my.bin``.
    """
    if spec in (MINI, MINI_ID):
        return Spec(MINI, MINI_ID)
    kind, _, rest = spec.partition(":")
    if kind == "lpips" and rest in LPIPS_NETS:
        return Spec("lpips", rest)
    name, slash, weights = rest.partition("/")
    if kind != "open_clip" or not (name and slash and weights):
        raise WeightsError(
            f'There is no backbone "{spec}".{did_you_mean(spec, KNOWN_SPECS)} '
            'Use "open_clip:NAME/PRETRAINED", "open_clip:NAME//path/to/file.safetensors", '
            '"lpips:alex", "lpips:vgg", "lpips:squeeze" or "rses-mini".',
            code="unknown-name",
        )
    if weights.startswith(("/", ".", "~")) or weights.lower().endswith(FILE_SUFFIXES):
        return Spec("open_clip", name, path=Path(weights).expanduser())
    # open_clip takes tags in any case and with either dash.
    return Spec("open_clip", name, weights.lower().replace("-", "_"))


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
            "List all of them with: rses weights list --all",
            code="unknown-name",
        )
    tower = config["text_cfg"].get("hf_model_name")
    if tower:
        raise WeightsError(
            f'"{name}" takes its text encoder "{tower}" from transformers, whose configuration '
            f"would have to be downloaded while scoring. Choose another one, e.g. {DEFAULT_STYLE}.",
            code="unsupported",
        )
    return dict(config)


def published_config(name: str, pretrained: str) -> dict[str, Any]:
    """Return what open_clip says of published weights: ``hf_hub``, ``url``, normalisation.

    Raises:
        WeightsError: open_clip has no such model or tag, or the weights belong to the QuickGELU architecture.
    """
    import open_clip

    architecture = check_architecture(name)
    config = open_clip.get_pretrained_cfg(name, pretrained)
    if not config:
        tags = open_clip.list_pretrained_tags_by_model(name)
        offers = [f"{name}/{tag}" for tag in tags] or [f"{m}/{t}" for m, t in open_clip.list_pretrained()]
        known = f"Known for {name}: {', '.join(tags)}." if tags else f"There are no published weights for {name}."
        hint = did_you_mean(f"{name}/{pretrained}", offers)
        raise WeightsError(f'open_clip has no weights "{pretrained}" for {name}.{hint} {known}', code="unknown-name")
    if config.get("quick_gelu") and not architecture.get("quick_gelu"):
        raise WeightsError(quick_gelu_message(name, pretrained), code="mismatch")
    return dict(config)


def quick_gelu_message(name: str, weights: str) -> str:
    """Say that weights were trained with another activation than the architecture has."""
    return (
        f'The weights "{weights}" were trained with the QuickGELU activation, which the architecture '
        f'"{name}" does not have: it would load them without complaint and give slightly wrong numbers. '
        f"Use open_clip:{name}-quickgelu/{weights}"
    )

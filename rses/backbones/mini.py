"""The embedded weights ``rses-mini``: an image/text encoder for style and a perceptual trunk, offline.

They were trained by this project on data it made itself (``python -m benchmark_data.recipes.mini.train``); what
they can and cannot do is in their model card, ``benchmark_data/models/rses-mini/README.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors.torch import load
from torch import nn

from rses.backbones.mini_network import FORMAT, ImageEncoder, MiniConfig, PerceptualTrunk, TextEncoder
from rses.backbones.specs import MINI, MINI_ID
from rses.errors import Place, TensorError, WeightsError
from rses.state.steady import quiet_rng, steady
from rses.texts import words_of

if TYPE_CHECKING:
    from importlib.abc import Traversable

STYLE_WORDS = "style_words.txt"
STEM = 4
"""Letters that two forms of one word share at least."""
REMEDY = "Reinstall the package (pip install --force-reinstall rses), or restore the file from the repository."
_Network = TypeVar("_Network", bound=nn.Module)


class MiniStyle:
    """Image/text encoder for style; a :class:`rses.backbones.base.StyleBackbone`.

    Example:
        >>> style = load_mini_style()
        >>> tuple(style.encode_texts(["pixel art", "a photo"]).shape)
        (2, 128)
    """

    def __init__(
        self, image_encoder: ImageEncoder, text_encoder: TextEncoder, config: MiniConfig, sha256: str,
        style_words: Sequence[str] = (),
    ):  # fmt: skip
        self.id = MINI_ID
        self.sha256 = sha256
        self.image_size = config.image_size
        self.mean = config.mean
        self.logit_scale = config.logit_scale
        self._style_words = frozenset(style_words)
        self._images = _frozen(image_encoder)
        self._texts = _frozen(text_encoder)

    @torch.no_grad()
    @steady()
    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        """Embed images (N, 3, S, S) in [0, 1] as unit vectors (N, D)."""
        expected = (3, self.image_size, self.image_size)
        if tuple(images.shape[1:]) != expected:
            raise TensorError(
                f"expected images (N, {', '.join(map(str, expected))}), got {tuple(images.shape)}", code="wrong-shape"
            )
        embedded: torch.Tensor = self._images(images.to(self._images.mean.device, torch.float32))
        return embedded

    @torch.no_grad()
    @steady()
    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        """Embed N texts as unit vectors (N, D); an empty list gives (0, D)."""
        embedded: torch.Tensor = self._texts(texts)
        return embedded

    def reads(self, text: str) -> bool:
        """Whether a word of the text, or one that begins or goes on like it, named a style in training."""
        return not self._style_words or any(self._knows(word) for word in words_of(text))

    def _knows(self, word: str) -> bool:
        if word in self._style_words or len(word) < STEM:
            return word in self._style_words
        stems = (known for known in self._style_words if len(known) >= STEM)
        return any(word.startswith(known) or known.startswith(word) for known in stems)

    def to(self, device: torch.device | str) -> MiniStyle:
        """Move the networks to a device and return self."""
        self._images.to(device)
        self._texts.to(device)
        return self


class MiniPerceptual:
    """Perceptual trunk with linear heads; a :class:`rses.backbones.base.PerceptualBackbone`.

    Example:
        >>> trunk = load_mini_perceptual()
        >>> [tuple(f.shape[2:]) for f in trunk.features(torch.zeros(1, 3, 64, 96))]
        [(32, 48), (16, 24), (8, 12), (8, 12), (4, 6)]
    """

    def __init__(self, trunk: PerceptualTrunk, sha256: str):
        self.id = MINI_ID
        self.sha256 = sha256
        self.min_size = 32
        self._trunk = _frozen(trunk)

    @torch.no_grad()
    @steady()
    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Map images (N, 3, H, W) in [0, 1] to channel-normalised maps [(N, C_l, H_l, W_l)], finest first.

        Raises:
            InputError: Not three channels, or a side below ``min_size``.
        """
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[-2:]) < self.min_size:
            raise TensorError(
                f"expected images (N, 3, H, W) of at least {self.min_size} px a side, got {tuple(images.shape)}",
                code="wrong-shape",
            )
        maps: list[torch.Tensor] = self._trunk(images.to(self._trunk.mean.device, torch.float32))
        return maps

    def weights(self) -> list[torch.Tensor]:
        """Return the non-negative head of each layer, [(C_l,)]."""
        return [head.detach() for head in self._trunk.heads]

    @torch.no_grad()
    @steady()
    def touched(self, mask: torch.Tensor) -> list[torch.Tensor]:
        """Mark the cells whose receptive field meets the mask (N, 1, H, W): [(N, 1, H_l, W_l)] in {0, 1}."""
        return self._trunk.touched(mask.to(self._trunk.mean.device))

    def to(self, device: torch.device | str) -> MiniPerceptual:
        """Move the network to a device and return self."""
        self._trunk.to(device)
        return self


@steady()
@quiet_rng()
def load_mini_style(folder: Path | None = None) -> MiniStyle:
    """Load the embedded image/text encoder."""
    config, tensors, digest = _read(folder)
    images = _filled(ImageEncoder(config), tensors, "image.")
    texts = _filled(TextEncoder(config), tensors, "text.")
    return MiniStyle(images, texts, config, digest, _style_words(folder))


@steady()
@quiet_rng()
def load_mini_perceptual(folder: Path | None = None) -> MiniPerceptual:
    """Load the embedded perceptual trunk."""
    config, tensors, digest = _read(folder)
    return MiniPerceptual(_filled(PerceptualTrunk(config), tensors, "trunk."), digest)


def embedded_digest() -> str:
    """Return the SHA-256 of the embedded weights, without loading them.

    Raises:
        WeightsError: The file is absent.
    """
    try:
        return hashlib.sha256(_packaged().joinpath("model.safetensors").read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(f"The embedded weights cannot be read: {error}. {REMEDY}", code="unreadable") from error


def _packaged() -> Traversable:
    try:
        return files("benchmark_data").joinpath("models").joinpath(MINI)
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"The package benchmark_data, which carries the {MINI_ID} weights, is not installed. {REMEDY}",
            code="missing-package",
        ) from error


def _read(path: Path | None) -> tuple[MiniConfig, dict[str, torch.Tensor], str]:
    """Read configuration, weights (float16 in the file, float32 here) and the file's digest."""
    folder = path or _packaged()
    try:
        settings = json.loads(folder.joinpath("config.json").read_text(encoding="utf-8"))
        content = folder.joinpath("model.safetensors").read_bytes()
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The embedded weights in {folder} cannot be read: {error}. {REMEDY}",
            code="unreadable",
            place=Place(str(folder)),
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != settings.get("sha256"):
        raise WeightsError(
            f"{folder}/model.safetensors is damaged: its SHA-256 is {digest}, config.json says "
            f"{settings.get('sha256')}. {REMEDY}",
            code="damaged",
            place=Place(str(folder)),
        )
    version = settings.get("format")
    if version not in range(1, FORMAT + 1):
        raise WeightsError(
            f"{folder}/config.json says format {version!r}, this version of rses reads 1 to {FORMAT}. "
            "Install a version of rses that is as new as the weights.",
            code="other-version",
            place=Place(str(folder)),
        )
    tensors = {name: tensor.float() for name, tensor in load(content).items()}
    return MiniConfig.from_dict(settings), tensors, digest


def _style_words(path: Path | None) -> list[str]:
    """Read the words by which training named styles; a folder without them, of an own training, has none."""
    place = (path or _packaged()).joinpath(STYLE_WORDS)
    return place.read_text(encoding="utf-8").split() if place.is_file() else []


def _filled(network: _Network, tensors: dict[str, torch.Tensor], prefix: str) -> _Network:
    own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise WeightsError(
            f"The {MINI_ID} weights do not fit their config.json: {error}. {REMEDY}", code="mismatch"
        ) from error
    return network


def _frozen(network: _Network) -> _Network:
    return network.eval().requires_grad_(False)

"""CLIP through open_clip: images and texts to unit vectors, from local weights only.

Source: https://arxiv.org/abs/2103.00020, https://github.com/mlfoundations/open_clip
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from rses.backbones.identity import clip_id
from rses.backbones.published import OPENAI_FILES, Need, clip_sources
from rses.backbones.specs import Spec, check_architecture, parse_spec, quick_gelu_message
from rses.backbones.state import load_strict, read_tensors
from rses.backbones.weights import Located, locate
from rses.errors import InputError, RsesError, WeightsError
from rses.state.steady import steady
from rses.texts import mostly_latin

Tokenizer = Callable[..., torch.Tensor]

MULTILINGUAL = ("xlm", "nllb", "i18n", "siglip2", "siglip-2", "mt5")
"""Parts of the names of models whose texts were not English alone."""
# Metadata in OpenAI's archives, not weights.
OPENAI_EXTRAS = ("input_resolution", "context_length", "vocab_size")


class OpenClipStyle:
    """A CLIP model as :class:`rses.backbones.base.StyleBackbone`.

    Args:
        model: open_clip model in evaluation mode, float32.
        tokenizer: Maps texts to token ids (N, L).
        name: Becomes ``id``.
        sha256: Digest of the weights file.
        mean: Per-channel mean of the model's normalisation, in [0, 1].
        std: Per-channel standard deviation.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        *,
        name: str,
        sha256: str,
        mean: Sequence[float],
        std: Sequence[float],
    ):
        self.id = name
        self.sha256 = sha256
        self.image_size = _square_size(model, name)
        self.mean = (float(mean[0]), float(mean[1]), float(mean[2]))
        self.std = (float(std[0]), float(std[1]), float(std[2]))
        self._model: Any = model  # Module types its attributes as tensors
        self.logit_scale = math.exp(torch.as_tensor(model.logit_scale).item())
        self._tokenizer = tokenizer
        self.device = torch.device("cpu")

    def to(self, device: torch.device | str) -> OpenClipStyle:
        """Move the model to ``device`` and return it."""
        self.device = torch.device(device)
        self._model.to(self.device)
        return self

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        """Embed images (N, 3, S, S) in [0, 1], already resized, as unit vectors (N, D), float32.

        Raises:
            InputError: The shape is not (N, 3, S, S).
        """
        side = self.image_size
        if images.ndim != 4 or tuple(images.shape[1:]) != (3, side, side):
            raise InputError(
                f"{self.id} takes images (N, 3, {side}, {side}), got {tuple(images.shape)}.", code="wrong-shape"
            )
        x = images.to(self.device, torch.float32)
        mean = x.new_tensor(self.mean).view(1, 3, 1, 1)
        std = x.new_tensor(self.std).view(1, 3, 1, 1)
        with steady():
            return F.normalize(self._model.encode_image((x - mean) / std).float(), dim=-1)

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        """Embed N texts as unit vectors (N, D), float32.

        Warns:
            UserWarning: A text is longer than the model's context, so that its end is ignored.
        """
        tokens = self._tokenizer(list(texts))
        self._warn_of_truncation(texts, tokens.shape[-1])
        with steady():
            return F.normalize(self._model.encode_text(tokens.to(self.device)).float(), dim=-1)

    def reads(self, text: str) -> bool:
        """Whether a text can be English: most of its letters are Latin ones, or the model reads other scripts, too."""
        return mostly_latin(text) or any(part in self.id.lower() for part in MULTILINGUAL)

    def _warn_of_truncation(self, texts: Sequence[str], context: int) -> None:
        from open_clip.tokenizer import SimpleTokenizer

        if not isinstance(self._tokenizer, SimpleTokenizer):
            return
        for text in texts:
            length = len(self._tokenizer.encode(text)) + 2  # start and end
            if length > context:
                warnings.warn(
                    f'"{text[:40]}..." has {length} tokens; {self.id} reads the first {context}.', stacklevel=3
                )


def load_clip(spec: str, device: torch.device | str = "cpu", files: Sequence[Need] | None = None) -> OpenClipStyle:
    """Load an open_clip model from weights that are on this machine.

    Raises:
        WeightsError: Unknown name; weights missing, damaged or of another architecture; or QuickGELU weights
            named with an architecture that has another activation.
    """
    parsed = parse_spec(spec)
    if parsed.kind != "open_clip":
        raise WeightsError(f'"{spec}" is not an open_clip model.', code="unsupported")
    if parsed.path is not None:
        check_architecture(parsed.name)
    located = locate(spec, files)["checkpoint"]
    config = check_architecture(parsed.name)
    refuse_openai_without_quick_gelu(parsed, config, located)
    tokenizer = _tokenizer(parsed.name, config)
    model = _build(config)
    tensors = _converted(model, read_tensors(located.path, pinned=located.pinned), parsed)
    load_strict(model, tensors, path=located.path, purpose=f"the weights of {parsed.name}")
    mean, std = _normalisation(parsed)
    name = clip_id(parsed, located)
    style = OpenClipStyle(model, tokenizer, name=name, sha256=located.sha256, mean=mean, std=std)
    return style.to(device)


def _square_size(model: Any, name: str) -> int:
    size = getattr(model.visual, "image_size", None)
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2 or sides[0] != sides[1] or not isinstance(sides[0], int):
        raise WeightsError(
            f"{name} takes images of size {size}; RSES crops squares. Choose another model.", code="unsupported"
        )
    return sides[0]


def _build(config: dict[str, Any]) -> nn.Module:
    """Make the architecture, fetching nothing and leaving the caller's random state alone."""
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    settings = {**config, "vision_cfg": dict(config["vision_cfg"])}
    custom_text = settings.pop("custom_text", False)
    if "timm_model_name" in settings["vision_cfg"]:
        settings["vision_cfg"]["timm_model_pretrained"] = False
    kind = (CoCa if "multimodal_cfg" in settings else CustomTextCLIP) if custom_text else CLIP
    with torch.random.fork_rng(devices=[]):
        model: nn.Module = kind(**settings)
    return model


def _converted(model: nn.Module, tensors: dict[str, torch.Tensor], spec: Spec) -> dict[str, torch.Tensor]:
    """Rename what older files call otherwise; unlike open_clip's loader, resize nothing that does not fit."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict, resize_pos_embed

    state: dict[str, torch.Tensor] = dict(convert_state_dict(model, tensors))
    for key in OPENAI_EXTRAS:
        state.pop(key, None)
    if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
        state = dict(convert_to_custom_text_state_dict(state))
    own = model.state_dict()
    for key in ("logit_scale", "logit_bias"):
        if key in state and key in own and state[key].numel() == 1:
            state[key] = state[key].reshape(own[key].shape)
    stale = "text.transformer.embeddings.position_ids"
    if stale not in own:
        state.pop(stale, None)
    # The one published model whose weights are those of another input size, by design.
    if spec.name == "ViT-SO400M-14-SigLIP-378" and spec.path is None:
        resize_pos_embed(state, model)
    return state


def _tokenizer(name: str, config: dict[str, Any]) -> Tokenizer:
    import open_clip

    source = config["text_cfg"].get("hf_tokenizer_name")
    try:
        tokenizer: Tokenizer = open_clip.get_tokenizer(name, **({"local_files_only": True} if source else {}))
    except ImportError as error:
        raise RsesError(
            f'The tokenizer of {name} needs the package "transformers". Install it with: pip install "rses[methods]"',
            code="missing-package",
        ) from error
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The tokenizer {source} of {name} is not on this machine. Fetch it once with: "
            f"huggingface-cli download {source} --include 'tokenizer*' '*.model' '*.json'",
            code="missing-weights",
        ) from error
    return tokenizer


def _normalisation(spec: Spec) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and deviation of the published weights; for a file, those of its architecture's tags."""
    import open_clip
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    tags = [spec.pretrained] if spec.pretrained else open_clip.list_pretrained_tags_by_model(spec.name)
    pairs = {
        (tuple(config["mean"]), tuple(config["std"]))
        for tag in tags
        if (config := open_clip.get_pretrained_cfg(spec.name, tag))
    }
    return pairs.pop() if len(pairs) == 1 else (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD)


def refuse_openai_without_quick_gelu(spec: Spec, config: dict[str, Any], located: Located) -> None:
    """Recognise OpenAI's files by their digest, under whatever name they were given."""
    if spec.path is None or config.get("quick_gelu"):
        return
    for name in OPENAI_FILES:
        if located.sha256 in {item.sha256 for item in clip_sources(Spec("open_clip", name, "openai"))}:
            raise WeightsError(quick_gelu_message(spec.name, "openai"), code="mismatch")

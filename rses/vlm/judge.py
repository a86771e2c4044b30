"""A vision-language model that says yes or no, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from rses.backbones.hub import load_error, weights_facts
from rses.device import choose_device
from rses.errors import InputError, Place, require
from rses.methods import DTYPES

DEFAULT_MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"
YES, NO = ("Yes", "yes", "YES"), ("No", "no", "NO")


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        p_yes: Probability of yes among yes and no, from the logits of the first word.
        mass: Probability that the first word is a yes or a no at all; where it is low, ``p_yes`` means little.
        text: What the model writes.
    """

    p_yes: float
    mass: float
    text: str

    @property
    def yes(self) -> bool:
        """Whether the answer is yes."""
        return self.p_yes > 0.5


class YesNoJudge:
    """Asks a model of the classes that transformers loads for image and text, Qwen2.5-VL by default.

    Args:
        model: Hub id or folder.
        device: Torch device, or "auto".
        dtype: "auto" is bfloat16 on a GPU and float32 on a CPU.
        max_pixels: Pictures are shrunk to this area.
        revision: Revision of a hub id.

    Raises:
        WeightsError: The model cannot be had.
        RsesError: The extra is missing.
        InputError: Its vocabulary has no single token for yes or no, or ``dtype`` is not a precision.
    """

    def __init__(
        self, model: str = DEFAULT_MODEL, device: str = "auto", dtype: str = "auto", max_pixels: int = 512 * 512,
        revision: str = "main",
    ):  # fmt: skip
        transformers = require("transformers", "vlm")
        self.device = choose_device(device)
        self.dtype = dtype if dtype != "auto" else "float32" if self.device.type == "cpu" else "bfloat16"
        if self.dtype not in DTYPES:
            raise InputError(
                f'--dtype must be auto, {", ".join(DTYPES)}; got "{dtype}".',
                code="unknown-value",
                place=Place(field="--dtype"),
            )
        self.model_id, self.revision, self.max_pixels = model, revision, max_pixels
        try:
            self._processor = transformers.AutoProcessor.from_pretrained(model, revision=revision)
            self._model = transformers.AutoModelForImageTextToText.from_pretrained(
                model, revision=revision, dtype=getattr(torch, self.dtype)
            )
        except (OSError, ValueError, KeyError) as error:
            raise load_error("vlm", model, error) from error
        self._model.to(self.device).eval()
        self._processor.tokenizer.padding_side = "left"
        self._yes, self._no = self._tokens(YES), self._tokens(NO)
        self.loaded = weights_facts(model, revision)

    @torch.inference_mode()
    def ask(self, images: Sequence[np.ndarray], texts: Sequence[str], max_words: int = 8) -> list[Answer]:
        """Ask one question per picture, all in one batch."""
        inputs = self._inputs(images, texts)
        logits = self._model(**inputs, logits_to_keep=1).logits[:, -1].float()
        log = logits.log_softmax(-1)
        yes, no = log[:, self._yes].logsumexp(-1), log[:, self._no].logsumexp(-1)
        probability, mass = (yes - no).sigmoid(), torch.logaddexp(yes, no).exp()
        written = self._model.generate(**inputs, max_new_tokens=max_words, do_sample=False)
        tails = self._processor.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return [
            Answer(float(p), float(m), text.strip())
            for p, m, text in zip(probability.cpu(), mass.cpu(), tails, strict=True)
        ]

    def _inputs(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> Any:
        prompts = [
            self._processor.apply_chat_template(
                [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}],
                tokenize=False, add_generation_prompt=True,
            )
            for text in texts
        ]  # fmt: skip
        pictures = [_shrink(image, self.max_pixels) for image in images]
        return self._processor(text=prompts, images=pictures, padding=True, return_tensors="pt").to(self.device)

    def _tokens(self, words: Sequence[str]) -> list[int]:
        """Return the ids of those words that are one token; an answer starts right after the template."""
        tokenizer = self._processor.tokenizer
        ids = [tokenizer.encode(word, add_special_tokens=False) for word in words]
        single = [entry[0] for entry in ids if len(entry) == 1]
        if not single:
            raise InputError(
                f"{self.model_id} has no single token for any of {', '.join(words)}; choose another model.",
                code="unsupported",
            )
        return single


def _shrink(image: np.ndarray, max_pixels: int) -> Image.Image:
    picture = Image.fromarray(image)
    area = picture.width * picture.height
    if area <= max_pixels:
        return picture
    factor = (max_pixels / area) ** 0.5
    size = (max(28, round(picture.width * factor)), max(28, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.LANCZOS)

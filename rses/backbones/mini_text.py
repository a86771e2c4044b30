"""Texts as bags of hashed words, word pairs and character n-grams: no vocabulary, the same on every machine."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence

import torch

NGRAM_LENGTHS = (3, 4, 5)


def text_pieces(text: str) -> list[str]:
    """Split a text into its words, pairs of neighbouring words and the character n-grams of each word.

    Letter case, accents and punctuation do not matter. Bare digits are words of their own (``8-bit`` gives ``8``
    and ``bit``). N-grams carry ``<`` and ``>`` at the ends of a word, so that a prefix differs from an infix.

    Source: Bojanowski et al. (2017), https://arxiv.org/abs/1607.04606, section 3.2.
    """
    plain = unicodedata.normalize("NFKD", text.lower())
    words = re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c)))
    pieces = [*words, *(f"{a}_{b}" for a, b in zip(words, words[1:], strict=False))]
    for word in words:
        marked = f"<{word}>"
        for length in NGRAM_LENGTHS:
            pieces += [f"#{marked[i : i + length]}" for i in range(len(marked) - length + 1)]
    return pieces


def hash_texts(texts: Sequence[str], buckets: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Hash the pieces of each text into rows of a table, in the layout of ``torch.nn.EmbeddingBag``."""
    rows: list[int] = []
    offsets = [0]
    for text in texts:
        rows += [zlib.crc32(piece.encode("utf-8")) % buckets for piece in text_pieces(text)]
        offsets.append(len(rows))
    return torch.tensor(rows, dtype=torch.int64), torch.tensor(offsets, dtype=torch.int64)

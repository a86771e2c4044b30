"""The two tokenizers, built from a list of words; other words fall apart into characters."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import CLIPTokenizer, T5Tokenizer

__all__ = ["build_clip_tokenizer", "build_t5_tokenizer"]

CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,.-'!?:;\"()/&"
SPACE = "\u2581"


def build_t5_tokenizer(words: Sequence[str], length: int) -> T5Tokenizer:
    """Unigram tokenizer with a piece per word, small or capitalised, with and without the space before it."""
    pieces = {"<pad>": 0.0, "</s>": 0.0, "<unk>": -20.0, SPACE: -4.0}
    for word in words:
        for form in (word, word.capitalize()):
            pieces.setdefault(SPACE + form, -1.0)
            if len(form) > 1:
                pieces.setdefault(form, -2.0)
    for mark in ",.-":
        pieces.setdefault(mark, -2.0)
    for character in CHARACTERS:
        pieces.setdefault(character, -8.0)
    return T5Tokenizer(vocab=list(pieces.items()), extra_ids=0, model_max_length=length)


def build_clip_tokenizer(words: Sequence[str]) -> CLIPTokenizer:
    """Byte-pair tokenizer whose merges spell the words."""
    symbols = byte_symbols()
    vocabulary = {token: i for i, token in enumerate([*symbols, *(s + "</w>" for s in symbols)])}
    merges: list[tuple[str, str]] = []
    for word in words:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            if (parts[0], parts[1]) not in merges:
                merges.append((parts[0], parts[1]))
            parts = [parts[0] + parts[1], *parts[2:]]
            vocabulary.setdefault(parts[0], len(vocabulary))
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)


def byte_symbols() -> list[str]:
    """Return the printable stand-ins of the 256 bytes that byte-level tokenizers use."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    stand_in = {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return [stand_in[byte] for byte in range(256)]

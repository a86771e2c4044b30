"""Which tokens of the text encoder's input are the style phrase.

The official code searches a lower-cased copy of the prompt and takes the first place where the words occur, so that
capitals shift the positions. Here the tokenizer itself says which characters each of its tokens came from.
"""

from __future__ import annotations

from typing import Any

from regionroute.styles import find_style
from rses.errors import InputError


def prompt_positions(tokenizer: Any, prompt: str, max_length: int) -> tuple[int, ...]:
    """Find the tokens of the style that a prompt names; see :func:`style_positions`.

    Raises:
        InputError: The prompt names no known style or several, or the phrase is cut off.
    """
    match = find_style(prompt)
    return style_positions(tokenizer, prompt, (match.start, match.end), max_length)


def style_positions(tokenizer: Any, prompt: str, span: tuple[int, int], max_length: int) -> tuple[int, ...]:
    """Find the tokens of a character span in the token ids that the model sees.

    Args:
        tokenizer: The T5 tokenizer (``tokenizer_2``) of the pipeline; a fast one.
        prompt: The instruction, exactly as the pipeline gets it.
        span: First character of the phrase and one past its last, see :func:`regionroute.styles.find_style`.
        max_length: Text length of the model input (``max_sequence_length``).

    Returns:
        Ascending positions in the ids as ``FluxKontextPipeline.encode_prompt`` makes them, padded and truncated to
        ``max_length``. A piece that only marks the beginning of the phrase's first word counts as part of it.

    Raises:
        InputError: The phrase is cut off, wholly or in part, at ``max_length``, or the tokenizer drops it or cannot
            tell where its tokens come from.
        ValueError: The span is empty or not within the prompt.
    """
    start, end = span
    if not 0 <= start < end <= len(prompt):
        raise ValueError(f"expected a span within the prompt of {len(prompt)} characters, got {span}")
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(
            f"{type(tokenizer).__name__} cannot tell which characters its tokens come from. "
            "Load the fast tokenizer (T5TokenizerFast, or T5Tokenizer of transformers 5).",
            code="unsupported",
        )
    whole = tokenizer(prompt, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    seen = tokenizer(prompt, padding="max_length", max_length=max_length, truncation=True, return_offsets_mapping=True)[
        "offset_mapping"
    ]
    wanted, found = _overlapping(whole, start, end), _overlapping(seen, start, end)
    if not wanted:
        raise InputError(
            f'The tokenizer makes no token of the style phrase "{prompt[start:end]}". Write it plainly.', code="empty"
        )
    if len(found) < len(wanted):
        raise InputError(
            f'The style phrase "{prompt[start:end]}" is cut off: {wanted[-1] + 2} tokens are needed to hold it, '
            f"the text length is {max_length}. Shorten the prompt, or raise that length.",
            code="wrong-length",
        )
    return found


def _overlapping(offsets: list[tuple[int, int]], start: int, end: int) -> tuple[int, ...]:
    # Padding and the end mark have empty spans.
    return tuple(i for i, (first, last) in enumerate(offsets) if first < last and first < end and last > start)

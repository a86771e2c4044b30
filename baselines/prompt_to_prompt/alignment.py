"""Which token of the target caption stands for which of the source caption."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import torch


def refine_map(source: Sequence[int], target: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Align two captions of which the target has words added or exchanged.

    Args:
        source: Token ids (L,), padding included.
        target: Token ids (L,).

    Returns:
        ``index`` (L,): the source position of every target position, 0 where there is none; ``shared`` (L,) float:
        1 where there is one.

    Example:
        >>> index, shared = refine_map([1, 5, 9], [1, 7, 5])
        >>> index.tolist(), shared.tolist()
        ([0, 0, 1], [1.0, 0.0, 1.0])
    """
    index, shared = torch.zeros(len(target), dtype=torch.long), torch.zeros(len(target))
    matcher = difflib.SequenceMatcher(None, list(source), list(target), autojunk=False)
    for first, second, size in matcher.get_matching_blocks():
        span = torch.arange(size)
        index[second : second + size] = first + span
        shared[second : second + size] = 1
    return index, shared


def replace_map(source: Sequence[int], target: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Align two captions of which words are exchanged, each new token taking the map of one in its place.

    Where the new words have another number of tokens than the old ones, they are stretched over them.

    Args:
        source: Token ids (L,), padding included.
        target: Token ids (L,).

    Returns:
        As :func:`refine_map`, with every position shared.

    Raises:
        ValueError: The target has words added or left out rather than exchanged.

    Example:
        >>> replace_map([1, 5, 3, 9, 9], [1, 7, 8, 3, 9])[0].tolist()
        [0, 1, 1, 2, 3]
    """
    old, new = list(source[: _length(source)]), list(target[: _length(target)])
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    lost, added = len(old) - head - tail, len(new) - head - tail
    if (lost == 0) != (added == 0):
        raise ValueError('edit "replace" needs captions of which words are exchanged, not added or left out')
    index = [*range(head), *(head + place * lost // added for place in range(added))]
    # After the exchanged words both go on alike, to the end of the padding.
    index += [min(len(source) - 1, head + lost + place) for place in range(len(target) - len(index))]
    return torch.tensor(index), torch.ones(len(target))


def word_positions(tokens: Sequence[int], words: Sequence[int]) -> list[int]:
    """Return where ``words`` stand in ``tokens``, all occurrences.

    Example:
        >>> word_positions([1, 7, 8, 5, 7, 8], [7, 8])
        [1, 2, 4, 5]
    """
    size = len(words)
    starts = [start for start in range(len(tokens) - size + 1) if list(tokens[start : start + size]) == list(words)]
    return sorted({start + offset for start in starts for offset in range(size)}) if size else []


def _shared(left: Sequence[int], right: Sequence[int]) -> int:
    """Count equal tokens from the first on."""
    return next(
        (n for n, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), min(len(left), len(right))
    )


def _length(tokens: Sequence[int]) -> int:
    """Count tokens without the repeated last one, which pads."""
    end = len(tokens)
    while end > 1 and tokens[end - 2] == tokens[-1]:
        end -= 1
    return end

"""Names of samples and files: one rule for when two are the same, and how many of them a message gives."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN = 10
"""Names that a message gives before it counts the rest."""
TRIED = 10
LONGEST = 300


def folded(name: str) -> str:
    """Return the form in which names are compared, Unicode NFC: some file systems store accents apart.

    Example:
        >>> folded("e" + chr(0x301)) == chr(0xE9)
        True
    """
    return unicodedata.normalize("NFC", name)


def listed(names: Iterable[str], most: int = SHOWN) -> str:
    """Return the first names, and how many more there are.

    Example:
        >>> listed(["a", "b", "c"], 2), listed(["a", "b"])
        ('a, b and 1 more', 'a, b')
    """
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


@dataclass(frozen=True)
class Affix:
    """What many names have before and after an id."""

    before: str
    after: str
    pairs: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        texts = [f'"{text}" {place}' for text, place in ((self.before, "before"), (self.after, "after")) if text]
        return " and ".join(texts)


def common_affix(names: Sequence[str], ids: Collection[str]) -> Affix | None:
    """Find the text that most names have around an id; the time grows with their number, not with its square.

    Example:
        >>> str(common_affix(["cat_edited", "dog_edited"], {"cat", "dog"}))
        '"_edited" after'
        >>> common_affix(["x"], {"cat"}) is None
        True
    """
    known = set(ids)
    votes: Counter[tuple[str, str]] = Counter()
    for name in names[:TRIED]:
        short = name[:LONGEST]
        votes.update(
            (short[:start], name[end:])
            for start in range(len(short))
            for end in range(start + 1, len(short) + 1)
            if short[start:end] in known and end - start < len(name)
        )
    found = [_matches(names, known, *affix) for affix, _ in votes.most_common(TRIED)]
    return max(found, key=lambda affix: (len(affix.pairs), -len(affix.before + affix.after)), default=None)


def _matches(names: Sequence[str], known: set[str], before: str, after: str) -> Affix:
    pairs = []
    for name in names:
        if name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after):
            middle = name[len(before) : len(name) - len(after)]
            if middle in known:
                pairs.append((name, middle))
    return Affix(before, after, tuple(pairs))


class Locator:
    """Finds files whose names are stored in another Unicode form than they are written in; folders are read once."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, list[Path]]] = {}

    def __call__(self, path: Path) -> Path:
        """Return the file that is meant: ``path`` itself where it exists, or where no single other one is.

        Example:
            >>> Locator()(Path("no-such-file.png")).name
            'no-such-file.png'
        """
        if str(path).isascii() or path.exists():
            return path
        parent = self(path.parent) if path.parent != path else path
        hits = self._entries(parent).get(folded(path.name), [])
        return hits[0] if len(hits) == 1 else path

    def _entries(self, folder: Path) -> dict[str, list[Path]]:
        if folder not in self._folders:
            entries: dict[str, list[Path]] = {}
            if folder.is_dir():
                for entry in folder.iterdir():
                    entries.setdefault(folded(entry.name), []).append(entry)
            self._folders[folder] = entries
        return self._folders[folder]

"""What a source image is called: the one rule for scores, clusters of samples, comparisons and verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rses.files.names import folded


def source_names(paths: Iterable[Path | None]) -> dict[Path, str]:
    """Name source images so that no two share one: by the file's name, with folders where several have the same.

    Samples that share a source count as one observation, so its name must tell it apart. Names are in form NFC, unless
    that is all that tells two files apart.
    """
    known = list(dict.fromkeys(path for path in paths if path is not None))
    counts = Counter(folded(path.name) for path in known)
    if len(counts) == len(known):
        return {path: folded(path.name) for path in known}
    depth = _shared_depth(known)
    names = {
        path: Path(*path.parts[depth:]).as_posix() if counts[folded(path.name)] > 1 else path.name for path in known
    }
    plain = Counter(map(folded, names.values()))
    return {path: folded(name) if plain[folded(name)] == 1 else name for path, name in names.items()}


def _shared_depth(paths: Iterable[Path]) -> int:
    """Return how many leading folders all paths have in common."""
    depth = 0
    for level in zip(*(path.parent.parts for path in paths), strict=False):
        if len(set(level)) > 1:
            break
        depth += 1
    return depth

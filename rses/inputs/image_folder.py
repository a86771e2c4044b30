"""The image files of a folder by id: ``<id>.<image extension>``, whatever Unicode form the names are stored in."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from rses.errors import Place, Problem
from rses.files.names import SHOWN, Affix, common_affix, folded, listed
from rses.files.places import shown_name, unwritable_name
from rses.images.decode import IMAGE_EXTENSIONS

NAMED = 3
"""Renames that a hint gives."""
MOST_COMPARED = 300
"""Ids among which a misspelt name's closest one is looked for."""


class ImageFolder:
    """Image files by id; what is wrong with the folder goes to ``problems``.

    Args:
        path: The folder.
        role: What the files are, for messages: "predictions", "masks", "sources".
        problems: Receives one sentence a fault.

    Attributes:
        files: Path by id, ids in form NFC.
        others: Names of files that are no images, by the id that they would have.
        exists: Whether the folder could be read.
    """

    def __init__(self, path: Path, role: str, problems: list[str]):
        self.path = path
        self.files: dict[str, Path] = {}
        self.others: dict[str, list[str]] = {}
        self.exists = False
        try:
            entries = sorted(path.iterdir())
        except FileNotFoundError:
            text = f"The folder of {role} {path} does not exist. Check the path."
            problems.append(Problem(text, "missing-file", Place(str(path))))
        except NotADirectoryError:
            problems.append(
                Problem(f"{path} is a file, expected the folder of {role}.", "not-a-folder", Place(str(path)))
            )
        except OSError as error:
            text = f"The folder of {role} {path} cannot be read: {error.strerror or error}."
            problems.append(Problem(text, "unreadable", Place(str(path))))
        else:
            self.exists = True
            self._index(entries, role, problems)

    def _index(self, entries: Iterable[Path], role: str, problems: list[str]) -> None:
        double: dict[str, list[str]] = {}
        folders: list[str] = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if unwritable_name(entry.name):
                text = f"{shown_name(entry.name)} in {self.path} is not a UTF-8 name. Rename the file."
                problems.append(Problem(text, "not-utf8", Place(str(self.path))))
                continue
            name = folded(entry.stem)
            if entry.suffix.lower() not in IMAGE_EXTENSIONS:
                self.others.setdefault(name, []).append(entry.name)
            elif entry.is_dir():
                folders.append(entry.name)
            elif name in self.files:
                double.setdefault(name, [self.files[name].name]).append(entry.name)
            else:
                self.files[name] = entry
        problems.extend(
            Problem(
                f"{self.path / name} is a folder, expected an image file. Rename or remove it.",
                "not-a-file",
                Place(str(self.path / name)),
            )
            for name in folders
        )
        problems.extend(
            Problem(
                f'{self.path} has several {role} with the id "{name}": {_told_apart(names)}. Keep one of them.',
                "ambiguous",
                Place(str(self.path)),
            )
            for name, names in double.items()
        )

    def shown(self, name: str) -> str:
        """Return the file name that was expected for an id, and what was found instead of an image."""
        others = self.others.get(name)
        return f"{name}.png (found {listed(others)}, which is not an image)" if others else f"{name}.png"


def _told_apart(names: list[str]) -> str:
    """List file names; those that look alike because accents are coded in two ways are written out."""
    alike = len({folded(name) for name in names}) < len(names)
    return ", ".join(ascii(name)[1:-1] if alike else name for name in names)


def name_hint(extra: Mapping[str, str], missing: Collection[str]) -> str:
    """Say how misnamed files should be called, or return an empty text."""
    stems, wanted = list(extra), sorted(missing)
    longer, shorter = common_affix(stems, wanted), common_affix(wanted, stems)
    if longer is not None and len(longer.pairs) * 2 >= len(stems) and _is_sure(longer):
        if any(len(other) > len(name) and other in stem for stem, name in longer.pairs[:NAMED] for other in wanted):
            return ""
        return f"{_who(len(longer.pairs), len(stems))} {longer} the id: rename {_renamed(extra, longer.pairs)}."
    if shorter is not None and len(shorter.pairs) * 2 >= len(stems) and _is_sure(shorter):
        pairs = tuple((stem, name) for name, stem in shorter.pairs)
        every = len(pairs) == len(stems) == len(wanted)
        if not every and any(sum(stem in name for name in wanted) > 1 for stem, _ in pairs[:NAMED]):
            return ""
        return f"The ids have {shorter} such a name: rename {_renamed(extra, pairs)}."
    lower = {name.casefold(): name for name in wanted}
    cased = tuple((stem, lower[stem.casefold()]) for stem in stems if stem.casefold() in lower)
    if cased and len(lower) == len(wanted) and len({name for _, name in cased}) == len(cased):
        return f"{len(cased)} differ from ids in capital letters alone: rename {_renamed(extra, cased)}."
    if len(wanted) > MOST_COMPARED:
        return ""
    closest = {stem: name for stem in stems[:SHOWN] if (name := _closest(stem, wanted))}
    targets = Counter(closest.values())
    return " ".join(f'{extra[stem]}: Did you mean "{name}"?' for stem, name in closest.items() if targets[name] == 1)


def _closest(stem: str, wanted: Sequence[str]) -> str | None:
    """Return the id that a misspelt name is for, unless a second one is as close or only lacks its end, too."""
    found = difflib.get_close_matches(stem, wanted, n=2, cutoff=0.5)
    alike = [difflib.SequenceMatcher(None, name, stem).ratio() for name in found]
    cut = sum(name.startswith(stem) for name in wanted) > 1
    return None if not found or cut or (len(found) > 1 and alike[0] == alike[1]) else found[0]


def _is_sure(affix: Affix) -> bool:
    """One name may hold a short id by chance; then what is around it must be set off from it."""
    return len(affix.pairs) > 1 or not (affix.before[-1:].isalnum() or affix.after[:1].isalnum())


def _who(some: int, every: int) -> str:
    return "Their names have" if some == every else f"{some} of {every} have"


def _renamed(extra: Mapping[str, str], pairs: tuple[tuple[str, str], ...]) -> str:
    texts = [
        f"{extra[stem]} to {name}{'' if extra[stem] == stem else Path(extra[stem]).suffix}"
        for stem, name in pairs[:NAMED]
    ]
    return ", ".join(texts) + (f" and {len(pairs) - NAMED} more alike" if len(pairs) > NAMED else "")

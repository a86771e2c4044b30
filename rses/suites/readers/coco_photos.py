"""The photographs that a COCO annotation lists: their files, sizes, licences and keys."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.files.paths import id_problem
from rses.images.decode import image_size
from rses.suites.left_out import LeftOut, UnusableError
from rses.suites.readers.coco_check import Region, image_facts, objects, plain_id, plain_text
from rses.suites.readers.files import FileFinder, name_parts

__all__ = ["Annotation", "Photo", "photos_by_key"]


@dataclass
class Photo:
    """One entry of ``images`` with its file, and the annotations that belong to it."""

    ids: list[int | str]
    name: str
    path: Path
    width: int
    height: int
    licence: str
    origin: str
    annotations: list[Annotation] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Annotation:
    """A sound entry of ``annotations``: its id, category and region, and whether it covers a group."""

    key: str
    category: int | str
    region: Region
    crowd: bool

    def same_as(self, other: Annotation) -> bool:
        """Whether another one says the same under another id."""
        return (self.category, self.region, self.crowd) == (other.category, other.region, other.crowd)


def photos_by_key(content: dict[str, Any], finder: FileFinder, left_out: list[LeftOut]) -> dict[str, Photo]:
    """Return the photographs that can be used, by key, in the order of ``images``.

    Args:
        content: The annotation.
        finder: Looks for the files.
        left_out: Gets the entries that cannot be used.
    """
    return _by_key(_photos(content, finder, left_out), left_out)


def _photos(content: dict[str, Any], finder: FileFinder, left_out: list[LeftOut]) -> list[Photo]:
    """Find the files of the entries of ``images``; what cannot be used is added to ``left_out``."""
    licences = {plain_id(entry["id"]): _licence(entry) for entry in objects(content.get("licenses"))}
    entries: list[tuple[dict[str, Any], int | str, str, int | None, int | None]] = []
    for image in content["images"]:
        try:
            entries.append((image, *image_facts(image)))
        except UnusableError as error:
            left_out.append(error.left_out)
    names = defaultdict(set)
    for _, number, name, _, _ in entries:
        names[number].add(name)
    files = _files({name for _, _, name, _, _ in entries}, finder)
    photos: dict[Path, list[Photo]] = defaultdict(list)
    for image, number, name, width, height in entries:
        try:
            path = files.get(name)
            if len(names[number]) > 1:
                raise UnusableError("photograph-entry", name, f"its id {number} is another's, too")
            if path is None:
                raise UnusableError("photograph-absent", name)
            if not (width and height):
                height, width = _size(path)
        except UnusableError as error:
            left_out.append(error.left_out)
            continue
        licence = licences.get(plain_id(image.get("license")), "not stated")
        addresses = (plain_text(image.get(key)) for key in ("flickr_url", "coco_url"))
        photo = Photo([number], name, path, width, height, licence, next(filter(None, addresses), ""))
        photos[path].append(photo)
    return [photo for entries in photos.values() for photo in _merged(entries, left_out)]


def _merged(entries: Sequence[Photo], left_out: list[LeftOut]) -> list[Photo]:
    """Make one of the entries that lead to one file, or leave all out where they contradict each other."""
    first = entries[0]
    if all(
        (name_parts(e.name), e.width, e.height) == (name_parts(first.name), first.width, first.height) for e in entries
    ):
        first.ids = [number for entry in entries for number in entry.ids]
        return [first]
    for entry in entries:
        detail = f"image {entry.ids[0]}, {entry.width}x{entry.height}; others lead to {entry.path.name}, too"
        left_out.append(LeftOut("photograph-twice", entry.name, detail))
    return []


def _files(names: Iterable[str], finder: FileFinder) -> dict[str, Path]:
    """Find the file of each name; a file that has just the name of one is not taken for another's."""
    found = {name: path for name in sorted(names) if (path := finder.exact(name)) is not None}
    taken = set(found.values())
    for name in sorted(set(names) - set(found)):
        path = finder.similar(name)
        if path is not None and path not in taken:
            found[name] = path
    return found


def _size(path: Path) -> tuple[int, int]:
    try:
        return image_size(path)
    except InputError as error:
        detail = " ".join(error.problems).replace(str(path), path.name)
        raise UnusableError("photograph-unreadable", path.name, detail) from error


def _by_key(photos: Sequence[Photo], left_out: list[LeftOut]) -> dict[str, Photo]:
    """Give each photograph a key: its file name without ending, and with more of its path where that is not unique."""
    waiting = list(photos)
    keyed: dict[str, Photo] = {}
    for make in (_stem, _with_folders, _with_ending):
        used = Counter(make(photo).casefold() for photo in waiting)
        used.update(key.casefold() for key in keyed)
        keyed.update({make(photo): photo for photo in waiting if used[make(photo).casefold()] == 1})
        done = {id(photo) for photo in keyed.values()}
        waiting = [photo for photo in waiting if id(photo) not in done]
    left_out += [LeftOut("name", photo.name, "has the name of another") for photo in waiting]
    bad = {key: fault for key in keyed if (fault := id_problem(key))}
    left_out += [LeftOut("name", keyed[key].name, fault) for key, fault in bad.items()]
    order = {id(photo): key for key, photo in keyed.items() if key not in bad}
    return {order[id(photo)]: photo for photo in photos if id(photo) in order}


def _stem(photo: Photo) -> str:
    return unicodedata.normalize("NFC", photo.path.stem)


def _with_folders(photo: Photo) -> str:
    return unicodedata.normalize("NFC", "-".join((*name_parts(photo.name)[:-1], photo.path.stem)))


def _with_ending(photo: Photo) -> str:
    return unicodedata.normalize("NFC", f"{_with_folders(photo)}-{photo.path.suffix[1:]}")


def _licence(entry: dict[str, Any]) -> str:
    name, url = plain_text(entry.get("name")), plain_text(entry.get("url"))
    if name and url:
        return f"{name} ({url})"
    return name or url or "not stated"

"""What an editing method is to this package, and how methods are found.

A method is found by its entry point in the group ``rses.methods`` (so any installed package can bring one) or by
``package.module:Class`` or ``file.py:Class``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

import numpy as np

from rses.errors import Place, RsesError, did_you_mean
from rses.plugins import find_entry, load_entry

__all__ = [
    "DTYPES",
    "EditSample",
    "Edited",
    "Method",
    "MethodCard",
    "get_card",
    "get_method",
    "list_methods",
    "read_card",
    "require_method",
    "sample_seed",
]

GROUP = "rses.methods"
DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class MethodCard:
    """The facts about a method that a table must show.

    Attributes:
        name: Short name, as in the entry point.
        title: One line; the name by default.
        mask_used: Whether the method sees the mask at inference; ``None`` where nobody said so, and then it is ranked
            among those that may.
        paper: Citation or URL.
        year: Year of the paper.
        weights: Id of the weights, or "none".
        revision: Revision of the weights.
        licence: Licence of the weights.
        reference: True for rows that bound the scale rather than compete.
        settings: Everything else that determines the images.
        max_batch: Most samples that ``edit`` takes at once.
        dtype: Precision on a GPU.
        memory_gb: GPU memory that the weights and a batch of one need, estimated; 0 where it does not matter.
        gated: Whether the hub asks for a login and an accepted licence.
        full_size: Where ``weights`` are embedded ones: the real weights, their licence and memory, in words.
    """

    name: str
    title: str = ""
    mask_used: bool | None = None
    paper: str = ""
    year: int | None = None
    weights: str = "none"
    revision: str = ""
    licence: str = ""
    reference: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    max_batch: int = 1
    dtype: str = "float32"
    memory_gb: float = 0.0
    gated: bool = False
    full_size: str = ""

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as a JSON-ready dictionary; what nobody said is left out."""
        return {key: value for key, value in asdict(self).items() if key != "mask_used" or value is not None}


@dataclass(frozen=True)
class EditSample:
    """One edit to make.

    Attributes:
        id: Sample id.
        image: Source (H, W, 3) uint8.
        object: What to restyle.
        style: Target style text.
        prompt: The whole instruction.
        seed: Seed of this sample; depends on the base seed and the id alone.
        mask: (H, W) bool, true = region to edit; ``None`` unless the card says ``mask_used``.
    """

    id: str
    image: np.ndarray
    object: str
    style: str
    prompt: str
    seed: int
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class Edited:
    """An edit with what is worth recording about it.

    Attributes:
        image: (H, W, 3) uint8 at the source's size.
        details: JSON-ready facts, e.g. ``{"size": "1024x1024"}``, the size at which the method worked.
    """

    image: np.ndarray
    details: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class Method(Protocol):
    """An image editing method.

    A method may also have an attribute ``loaded``: a JSON-ready dictionary, filled by ``load``, that identifies the
    weights (revision, sha256). It is recorded, and must be the same when a run is resumed.
    """

    card: MethodCard

    def load(self, device: str, dtype: str) -> None:
        """Load weights; called once before the first edit."""
        ...

    def edit(self, batch: Sequence[EditSample]) -> Sequence[np.ndarray | Edited]:
        """Return one edited image (H, W, 3) uint8 per sample, at its source's size.

        All sources of a batch have the same size, and there are at most ``card.max_batch``.
        """
        ...


def sample_seed(base: int, sample_id: str) -> int:
    """Return the seed of one sample, in [0, 2**32), independent of order and batch.

    Example:
        >>> sample_seed(0, "cat") == sample_seed(0, "cat") != sample_seed(1, "cat")
        True
    """
    digest = hashlib.sha256(f"{base}:{sample_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def list_methods() -> list[str]:
    """Return the names of all installed methods, sorted."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def get_method(name: str, /, **options: Any) -> Method:
    """Build a method by entry-point name or ``package.module:Class`` or ``file.py:Class``.

    Args:
        name: Which.
        options: Passed to its constructor, e.g. ``variant="mini"`` or ``steps=20``.

    Raises:
        RsesError: Unknown name, options the method does not have, or the object is not a method.
    """
    # Only now, for it imports torch: a wrong name is found at once.
    entry = None if ":" in name else _entry_point(name)
    from rses.state.process import MethodState, give_state

    state = MethodState()
    with state.own():
        method = _build(name, entry, options)
    give_state(method, state)
    return method


def get_card(name: str, /) -> MethodCard:
    """Return the card of a method, for lists: nothing is run, so the process's state is not guarded, nor torch needed.

    Raises:
        RsesError: As for :func:`get_method`.
    """
    return _build(name, None if ":" in name else _entry_point(name), {}).card


def require_method(name: str) -> None:
    """Check that a method of that name is installed, or its file or package there, importing nothing of it.

    Raises:
        RsesError: There is none, or two packages bring one.
    """
    module, colon, _ = name.rpartition(":")
    if not colon:
        _entry_point(name)
    elif module.endswith(".py"):
        if not Path(module).is_file():
            raise RsesError(_not_imported(name, f"there is no file {module}"), code="missing-file")
    else:
        top = module.partition(".")[0]
        known = top in sys.modules or (top and (find_spec(top) or PathFinder.find_spec(top, [str(Path.cwd())])))
        if not known:
            raise RsesError(_not_imported(name, f"there is no module {top}"), code="unknown-name")


def read_card(found: Any, name: str = "") -> None:
    """Let a card be written as a dictionary, or as a name alone.

    Raises:
        RsesError: A dictionary with other keys than :class:`MethodCard` has, or a card that cannot be replaced.
    """
    try:
        card = found.card
    except Exception:
        # There is none, or it is computed and fails: then it is no method.
        return
    try:
        if isinstance(card, str):
            found.card = MethodCard(card)
        elif isinstance(card, dict):
            found.card = MethodCard(**card)
    except (AttributeError, TypeError) as error:
        raise RsesError(
            f'The card of the method "{name or type(found).__name__}" cannot be read: {error}. See rses.MethodCard.',
            code="failed",
        ) from error


def _is_method(found: Any) -> bool:
    try:
        return isinstance(found, Method)
    except Exception:
        # A card that is computed, and fails.
        return False


def _build(name: str, entry: EntryPoint | None, options: dict[str, Any]) -> Method:
    target: Any = _import(name) if entry is None else load_entry(entry, "method")
    _check_options(name, target, options)
    try:
        method: Any = target(**options) if callable(target) else target
    except RsesError:
        raise
    except (Exception, SystemExit) as error:
        raise RsesError(
            f'The method "{name}" cannot be built: {type(error).__name__}: {error}.', code="failed"
        ) from error
    read_card(method, name)
    if not _is_method(method):
        what = "None" if method is None else f"{type(method).__name__}"
        raise RsesError(
            f'"{name}" is not a method but {what}: it must have a `card`, `load(device, dtype)` and `edit(batch)`. '
            "See rses.methods.Method.",
            code="wrong-type",
        )
    found: Method = method
    return found


def _check_options(name: str, target: Any, options: dict[str, Any]) -> None:
    """Refuse options that the constructor does not name, and the lack of those that it needs."""
    try:
        parameters = dict(inspect.signature(target).parameters) if callable(target) else {}
    except ValueError as error:
        raise RsesError(f'"{name}" is not a method: {error}. See rses.methods.Method.', code="wrong-type") from error
    named = {
        key: entry for key, entry in parameters.items() if entry.kind not in (entry.VAR_KEYWORD, entry.VAR_POSITIONAL)
    }
    unknown = [option for option in options if option not in named]
    if unknown and not any(entry.kind is entry.VAR_KEYWORD for entry in parameters.values()):
        raise RsesError(
            f'The method "{name}" has no option "{unknown[0]}".{did_you_mean(unknown[0], named)} '
            f"It has: {', '.join(named) or 'none'}.",
            code="unknown-key",
            place=Place(field=unknown[0]),
        )
    lacking = [key for key, entry in named.items() if entry.default is entry.empty and key not in options]
    if lacking:
        raise RsesError(
            f'The method "{name}" needs a value for "{lacking[0]}": --set {lacking[0]}=VALUE.',
            code="missing-option",
            place=Place(field=lacking[0]),
        )


def _entry_point(name: str) -> EntryPoint:
    """Find the one entry point of a name.

    Raises:
        InputError: There is none, or two packages bring different ones.
    """
    known = "List the installed ones with `rses methods`, or give package.module:Class."
    return find_entry(GROUP, "method", name, lambda entry: f"--method {entry.value}", known)


def _import(name: str) -> Any:
    module, _, attribute = name.rpartition(":")
    try:
        return getattr(_from_file(Path(module)) if module.endswith(".py") else _from_here(module), attribute)
    except (Exception, SystemExit) as error:
        raise RsesError(_not_imported(name, str(error)), code="failed") from error


def _not_imported(name: str, why: str) -> str:
    return (
        f'Cannot import the method "{name}": {why}. It must be file.py:Class, or package.module:Class in the '
        "current folder, on PYTHONPATH or installed."
    )


def _from_file(path: Path) -> ModuleType:
    """Import a file under a name of its own, so that it hides no module."""
    name = f"rses_method_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _from_here(module: str) -> ModuleType:
    """Import a module; the current folder is searched after all others."""
    here = str(Path.cwd())
    if here in sys.path:
        return importlib.import_module(module)
    sys.path.append(here)
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(here)

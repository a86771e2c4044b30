"""Reading weights files safely, and loading them strictly: every tensor expected, none left over."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rses.errors import Place, WeightsError


def read_tensors(path: Path, *, pinned: bool = False) -> dict[str, torch.Tensor]:
    """Read a weights file to the CPU as tensors by name; nothing in the file is executed."""
    if path.suffix.lower() == ".safetensors":
        return _read_safetensors(path)
    if _is_torchscript(path):
        if not pinned:
            raise WeightsError(
                f"{path} is a TorchScript archive whose SHA-256 is not that of a known publication. "
                "Save its state dict as safetensors and name that file.",
                code="wrong-weights",
                place=Place(str(path)),
            )
        return _read_torchscript(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} holds more than tensors, or is not a weights file, so it was not opened. "
            "Save its state dict as safetensors and name that file.",
            code="wrong-content",
            place=Place(str(path)),
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path} cannot be read as weights: {_first_line(error)} Is it complete?",
            code="unreadable",
            place=Place(str(path)),
        ) from error
    return _as_tensors(path, content)


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise WeightsError(
            f"{path} is not a complete safetensors file: {_first_line(error)}", code="damaged", place=Place(str(path))
        ) from error


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _read_torchscript(path: Path) -> dict[str, torch.Tensor]:
    load: Any = torch.jit.load
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated as a way to run models; this only reads one
        return dict(load(str(path), map_location="cpu").state_dict())


def _as_tensors(path: Path, content: Any) -> dict[str, torch.Tensor]:
    """Unwrap a training checkpoint and the prefix that DistributedDataParallel adds."""
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(
            f"{path} holds no state dict but {type(content).__name__}.", code="wrong-content", place=Place(str(path))
        )
    wrong = [str(key) for key, value in content.items() if not isinstance(value, torch.Tensor)]
    if wrong:
        raise WeightsError(
            f"{path} is not a plain state dict: {_some(wrong)} are no tensors.",
            code="wrong-content",
            place=Place(str(path)),
        )
    tensors = {str(key): value for key, value in content.items()}
    if all(key.startswith("module.") for key in tensors):
        tensors = {key.removeprefix("module."): value for key, value in tensors.items()}
    return tensors


def load_strict(module: nn.Module, tensors: Mapping[str, torch.Tensor], *, path: Path, purpose: str) -> None:
    """Fill ``module`` (it may be on the meta device) as float32; no tensor may be missing or extra."""
    expected = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    actual = {key: tuple(value.shape) for key, value in tensors.items()}
    problems = []
    if missing := sorted(expected.keys() - actual.keys()):
        problems.append(f"{len(missing)} tensors are missing ({_some(missing)})")
    if extra := sorted(actual.keys() - expected.keys()):
        problems.append(f"{len(extra)} are unexpected ({_some(extra)})")
    if shapes := sorted(key for key in expected.keys() & actual.keys() if expected[key] != actual[key]):
        key = shapes[0]
        problems.append(f"{len(shapes)} have another shape ({key}: expected {expected[key]}, got {actual[key]})")
    if problems:
        raise WeightsError(
            f"{path} is not {purpose}: {'; '.join(problems)}. Is it the file of another model?",
            code="wrong-weights",
            place=Place(str(path)),
        )
    bad = [key for key, value in tensors.items() if value.is_floating_point() and not bool(value.isfinite().all())]
    if bad:
        raise WeightsError(
            f"{path} is damaged: {_some(bad)} hold NaN or infinity.", code="not-finite", place=Place(str(path))
        )
    # A copy, because safetensors maps the file and the user may replace it while we run.
    floats = {k: v.to(torch.float32, copy=True) if v.is_floating_point() else v.clone() for k, v in tensors.items()}
    module.load_state_dict(floats, strict=True, assign=True)
    module.requires_grad_(False)
    module.eval()


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

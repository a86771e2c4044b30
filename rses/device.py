"""Where to compute and how much at once."""

from __future__ import annotations

import torch

from rses.errors import Place, RsesError

__all__ = ["choose_batch_size", "choose_device"]

GPU_BATCH = 16


def choose_device(name: str | torch.device) -> torch.device:
    """Return the named device; ``"auto"`` is the GPU when there is one.

    Raises:
        RsesError: The device does not exist here.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        # The first sentence: torch goes on about its own builds.
        reason = str(error).splitlines()[0].split(". ")[0].removesuffix(".")
        raise RsesError(
            f'Device "{name}" cannot be used: {reason}. Use --device cpu or auto.', code="no-device"
        ) from error
    if device.type == "meta":
        raise RsesError('Device "meta" computes nothing. Use --device cpu or auto.', code="no-device")
    return device


def choose_batch_size(size: int | str, device: torch.device) -> int:
    """Return how many samples share a forward pass: always 1 on a CPU, where numbers must not depend on it.

    Raises:
        RsesError: Not a whole number of at least 1, nor ``"auto"``.

    Example:
        >>> choose_batch_size(8, torch.device("cpu")), choose_batch_size("auto", torch.device("cuda"))
        (1, 16)
    """
    if size != "auto":
        try:
            size = int(size)
        except ValueError:
            size = 0
        if size < 1:
            raise RsesError(
                "--batch-size must be a whole number of at least 1, or auto.",
                code="out-of-range",
                place=Place(field="--batch-size"),
            )
    if device.type == "cpu":
        return 1
    return GPU_BATCH if size == "auto" else int(size)

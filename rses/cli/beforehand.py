"""What a command refuses before torch is imported: seconds matter where the answer is no."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rses.protocol import Protocol

__all__ = ["require_numbers", "require_weights_of"]

DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")


def require_numbers(device: str, batch_size: str) -> None:
    """Refuse what can be known to be wrong by its text.

    Raises:
        InputError: No batch size, or a kind of device that does not exist.
    """
    from rses.errors import InputError, Place, Problem

    problems = []
    if batch_size != "auto" and not (batch_size.isdecimal() and int(batch_size)):
        text = f'--batch-size must be a whole number of at least 1, or auto; got "{batch_size}".'
        problems.append(Problem(text, "wrong-argument", Place(field="--batch-size")))
    if device.partition(":")[0] not in DEVICES:
        text = f'There is no device "{device}". Use one of {", ".join(DEVICES)}, or cuda:1.'
        problems.append(Problem(text, "no-device", Place(field="--device")))
    if problems:
        raise InputError(problems)


def require_weights_of(protocol: Protocol, metrics: str | None = None) -> None:
    """Find out that weights are missing.

    Raises:
        WeightsError: Names all that are missing.
    """
    from rses.backbones import require_weights
    from rses.table import needs_of, select_metrics

    needs = needs_of(select_metrics(metrics))
    known = {"style": protocol.style_backbone, "perceptual": protocol.perceptual_backbone}
    require_weights([spec for need, spec in known.items() if need in needs])

"""Which configurations are compared, and the published rows beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rses.errors import InputError, did_you_mean

__all__ = ["CONFIGURATIONS", "Configuration", "choose"]


@dataclass(frozen=True)
class Configuration:
    """One row of the table.

    Attributes:
        name: Short name, also a folder's.
        title: As the table shows it.
        changes: Keys of the training configuration that differ from ``mini.toml``.
        trained: False runs the base model alone.
        published: RSM, LPIPS_bg and MSE_bg of the paper's row, where it has one (../shared/published.csv).
    """

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    trained: bool = True
    published: tuple[float, float, float] | None = None


CONFIGURATIONS = (
    Configuration("base", "kontext-mini as it is", trained=False, published=(0.6126, 0.4546, 0.1699)),
    Configuration("full", "full (Focus + Cover, exact), rank 4", published=(0.6128, 0.2103, 0.0729)),
    Configuration("no-focus", "without Focus", {"attention.focus": 0.0}, published=(0.6127, 0.2132, 0.0740)),
    Configuration("no-cover", "without Cover", {"attention.cover": 0.0}, published=(0.6120, 0.2174, 0.0730)),
    Configuration("none", "without both", {"attention.mode": "off"}),
    Configuration("official", "`official` losses", {"attention.mode": "official", "attention.cover": 5e-5}),
    Configuration("double", "LoRA on double blocks only", {"expert.streams": "double"},
                  published=(0.6190, 0.5203, 0.2284)),
    Configuration("single", "LoRA on single blocks only", {"expert.streams": "single"},
                  published=(0.6168, 0.4225, 0.1409)),
    Configuration("rank-8", "full, rank 8", {"expert.rank": 8}, published=(0.6137, 0.2007, 0.0752)),
    Configuration("rank-16", "full, rank 16", {"expert.rank": 16}, published=(0.6126, 0.1876, 0.0671)),
)  # fmt: skip


def choose(names: list[str] | None) -> list[Configuration]:
    """Return the named configurations, or all.

    Raises:
        InputError: A name is unknown.
    """
    known = {configuration.name: configuration for configuration in CONFIGURATIONS}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise InputError(
            [f'There is no configuration "{name}".{did_you_mean(name, known)}' for name in unknown],
            f"Choose from {', '.join(known)}:",
        )
    return [known[name] for name in names or known]

"""Which configurations are compared, and the published rows beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rses.errors import InputError, did_you_mean

__all__ = ["CONFIGURATIONS", "ROUTED", "TRIALS", "Configuration", "choose"]


@dataclass(frozen=True)
class Configuration:
    """One row of the table.

    Attributes:
        name: Short name, also a folder's.
        title: As the table shows it.
        changes: Keys of the training configuration that differ from ``mini.toml``.
        trained: False runs the base model alone.
        against: For a trial, the configuration that it is compared with.
        experts: Configuration whose experts are used, if it trains none of its own.
        true_cfg: Guidance away from the empty prompt, in editing.
        mask: "" edits plainly; "own" is routed editing; "true" puts the base's whole picture inside the true mask.
        finder: The embedded finder says where, with the embedded gate.
        published: RSM, LPIPS_bg and MSE_bg of the paper's row, where it has one.
        repeated: With every seed that is asked for; side rows have the first one alone.
    """

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    trained: bool = True
    against: str = ""
    experts: str = ""
    true_cfg: float = 1.0
    mask: Literal["", "own", "true"] = ""
    finder: bool = False
    published: tuple[float, float, float] | None = None
    repeated: bool = True


CONFIGURATIONS = (
    Configuration("base", "kontext-mini as it is", trained=False, published=(0.6126, 0.4546, 0.1699)),
    Configuration("full", "full (Focus + Cover, exact), rank 4", published=(0.6128, 0.2103, 0.0729)),
    Configuration("none", "without both", {"attention.mode": "off"}),
    Configuration("official", "`official` losses", {"attention.mode": "official", "attention.cover": 5e-5}),
    Configuration("double", "LoRA on double blocks only", {"expert.streams": "double"},
                  published=(0.6190, 0.5203, 0.2284), repeated=False),
    Configuration("single", "LoRA on single blocks only", {"expert.streams": "single"},
                  published=(0.6168, 0.4225, 0.1409), repeated=False),
    Configuration("rank-8", "full, rank 8", {"expert.rank": 8}, published=(0.6137, 0.2007, 0.0752), repeated=False),
)  # fmt: skip

"""The ablation."""

ROUTED = (
    Configuration("routed-full", "routed, experts of `full`", experts="full", mask="own", against="full"),
    Configuration("routed-finder", "routed, by the finder", trained=False, mask="own", finder=True,
                  against="routed-full"),
    Configuration("routed-none", "routed, experts without both losses", experts="none", mask="own",
                  against="routed-full"),
    Configuration("routed-official", "routed, experts with `official` losses", experts="official", mask="own",
                  against="routed-full"),
    Configuration("routed-base", "routed by the base's own attention", trained=False, mask="own",
                  against="routed-full", repeated=False),
    Configuration("true-mask", "the base's whole picture inside the true mask: the bound", trained=False, mask="true",
                  against="routed-full", repeated=False),
)  # fmt: skip
"""Routed editing, and what it is compared with; see ``docs/routing.md``."""

NO_WEIGHT, LONG = {"flow.edited_weight": 0.0}, {"optimiser.steps": 900}
TRIALS = (
    Configuration("no-focus", "without Focus", {"attention.focus": 0.0}, published=(0.6127, 0.2132, 0.0740),
                  against="full"),
    Configuration("no-cover", "without Cover", {"attention.cover": 0.0}, published=(0.6120, 0.2174, 0.0730),
                  against="full"),
    Configuration("rank-16", "full, rank 16", {"expert.rank": 16}, published=(0.6126, 0.1876, 0.0671),
                  against="full"),
    Configuration("strong", "both losses ten times as heavy", {"attention.focus": 1.0, "attention.cover": 2.0},
                  against="none"),
    Configuration("gate", "both losses at noise levels of 0.5 and more", {"attention.gate": [0.5, 1.0]},
                  against="none"),
    Configuration("layers", "both losses on double blocks alone", {"attention.layers": ["double.0", "double.1"]},
                  against="none"),
    Configuration("plain-none", "without both, flow loss that does not know the mask",
                  {**NO_WEIGHT, "attention.mode": "off"}),
    Configuration("plain-full", "full, flow loss that does not know the mask", NO_WEIGHT, against="plain-none"),
    Configuration("long-none", "without both, 900 steps", {**LONG, "attention.mode": "off"}),
    Configuration("long-full", "full, 900 steps", LONG, against="long-none"),
    Configuration("guided-base", "kontext-mini, true CFG 1.5", trained=False, true_cfg=1.5),
    Configuration("guided-full", "full, true CFG 1.5", experts="full", true_cfg=1.5, against="base"),
    Configuration("guided-long", "full, 900 steps, true CFG 1.5", experts="long-full", true_cfg=1.5, against="base"),
    Configuration("further-long", "full, 900 steps, true CFG 1.75", experts="long-full", true_cfg=1.75,
                  against="base"),
    Configuration("further-none", "without both, 900 steps, true CFG 1.75", experts="long-none", true_cfg=1.75,
                  against="base"),
)  # fmt: skip
"""What else was tried, by name only."""


def choose(names: list[str] | None) -> list[Configuration]:
    """Return what is named, or all configurations: the ablation and routed editing.

    Raises:
        InputError: A name is unknown.
    """
    known = {configuration.name: configuration for configuration in (*CONFIGURATIONS, *ROUTED, *TRIALS)}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise InputError(
            [f'There is no configuration "{name}".{did_you_mean(name, known)}' for name in unknown],
            f"Choose from {', '.join(known)}:",
        )
    return [known[name] for name in names] if names else [*CONFIGURATIONS, *ROUTED]

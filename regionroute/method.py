"""RegionRoute as a method of ``rses bench``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.flux import KONTEXT, LICENCE, MEMORY_GB
from regionroute.base import VARIANTS, base_source
from regionroute.styles import FINDER
from rses.backbones.hub import EMBEDDED_ADVICE, gpu_error, load_error, weights_facts
from rses.errors import InputError, Place
from rses.files.atomic import sha256_bytes, sha256_file
from rses.methods import Edited, EditSample, MethodCard

if TYPE_CHECKING:
    from regionroute.pipeline import Edit, RegionRoutePipeline

TITLES = {
    False: "Regional style editing from words alone, one LoRA expert per style",
    True: "The supervised attention as a mask, the base's restyled picture inside it",
}


class RegionRoute:
    """RegionRoute with one expert per style; sees no mask.

    Args:
        variant: "mini" (embedded), "flux-kontext", or any base model.
        experts: Files by style, or a folder; by default the embedded ones.
        steps: Denoising steps; by default the base model's.
        guidance: Guidance scale; by default the base model's.
        true_cfg: Above 1, also guide away from the empty prompt by so much.
        routed: Edit in two passes, see ``docs/routing.md``; the method then has a name of its own.
        revision: Revision of a hub id.

    Example:
        >>> RegionRoute().card.name, RegionRoute().card.mask_used
        ('regionroute-mini', False)
        >>> RegionRoute(routed=True).card.name
        'regionroute-routed-mini'
    """

    def __init__(
        self, variant: str = "mini", experts: Mapping[str, Path | str] | Path | str | None = None,
        steps: int | None = None, guidance: float | None = None, true_cfg: float = 1.0,
        routed: bool = False, revision: str = "main",
    ):  # fmt: skip
        _check_settings(steps, guidance, true_cfg, routed)
        self._variant, self._experts, self._steps, self._guidance = variant, experts, steps, guidance
        self._true_cfg, self._routed, self._revision = true_cfg, routed, revision
        self._pipe: RegionRoutePipeline | None = None
        self.loaded: dict[str, Any] = {}
        mini = variant == "mini"
        # The paper's editing keeps the settings that it had before there was another way.
        further = {"routed": True} if routed else {}
        self.card = MethodCard(
            name="-".join(["regionroute", *(["routed"] if routed else []), *(["mini"] if mini else [])]),
            title=TITLES[routed],
            mask_used=False, paper="arXiv 2602.19254", year=2026,
            weights="kontext-mini + regionroute-mini" if mini else VARIANTS.get(variant, variant),
            revision="" if mini else revision, licence="Apache-2.0" if mini else LICENCE,
            settings={
                "variant": variant, "experts": str(experts or "default"),
                "steps": "default" if steps is None else steps,
                "guidance": "default" if guidance is None else guidance, "true_cfg": true_cfg,
                "size_rule": "nearest aspect ratio among the base model's own sizes, resized back", **further,
            },
            max_batch=16, dtype="bfloat16", memory_gb=0.1 if mini else MEMORY_GB, gated=variant == "flux-kontext",
            full_size=f"{KONTEXT} ({LICENCE}, gated, about {MEMORY_GB:.0f} GB)" if mini else "",
        )  # fmt: skip

    def load(self, device: str, dtype: str) -> None:
        """Load base model and experts.

        Raises:
            RsesError: The weights cannot be had, or there is no GPU for those of the hub.
        """
        from regionroute.pipeline import RegionRoutePipeline

        source = base_source(self._variant)
        if device.startswith("cpu") and not Path(source).is_dir():
            raise gpu_error("regionroute", MEMORY_GB, source, EMBEDDED_ADVICE)
        try:
            self._pipe = RegionRoutePipeline.from_pretrained(
                self._variant, self._experts, dtype=dtype, device=device, revision=self._revision
            )
        except OSError as error:
            raise load_error("regionroute", source, error, "The embedded model needs no download.") from error
        used = self._pipe.facts
        self.loaded = {
            "base": weights_facts(source, self._revision),
            "steps": used.steps if self._steps is None else self._steps,
            "guidance": used.guidance if self._guidance is None else self._guidance,
        }
        if self._routed:
            self.loaded["gate"] = dataclasses.asdict(self._pipe.gate)
        self.loaded["experts"] = self._digest()

    def _digest(self) -> str:
        """Digest of the experts; of the finder, too, where it is used."""
        from regionroute.pipeline import expert_files

        files = expert_files(self._variant, self._experts)
        used = {name: path for name, path in files.items() if self._routed or name != FINDER}
        lines = [f"{name} {sha256_file(path)}\n" for name, path in sorted(used.items())]
        return sha256_bytes("".join(lines).encode())

    def edit(self, batch: Sequence[EditSample]) -> list[Edited]:
        """Edit each sample by its prompt, with the expert of its style."""
        assert self._pipe is not None, "call load first"
        edits = self._pipe.edit(
            [sample.image for sample in batch], [sample.prompt for sample in batch],
            seeds=[sample.seed for sample in batch], steps=self._steps, guidance=self._guidance,
            true_cfg=self._true_cfg, routed=self._routed,
        )  # fmt: skip
        return [Edited(edit.image, _details(edit)) for edit in edits]


def _details(edit: Edit) -> dict[str, Any]:
    details: dict[str, Any] = {"size": f"{edit.size[0]}x{edit.size[1]}", "expert": edit.style}
    if edit.mask is not None:
        details["mask_area"] = round(float(edit.mask.mean()), 4)
    return details


def _check_settings(steps: object, guidance: object, true_cfg: object, routed: object) -> None:
    """Refuse settings of other types or ranges before anything is loaded.

    Raises:
        InputError: With what was expected.
    """
    if steps is not None and (not isinstance(steps, int) or isinstance(steps, bool) or steps < 1):
        raise InputError(
            f"regionroute: steps must be a whole number of at least 1, got {steps!r}.",
            code="out-of-range",
            place=Place(field="steps"),
        )
    for name, value, least in (("guidance", guidance, 0), ("true_cfg", true_cfg, 1)):
        if value is None and name == "guidance":
            continue
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise InputError(
                f"regionroute: {name} must be a number, got {value!r}.", code="wrong-argument", place=Place(field=name)
            )
        if not least <= value < math.inf:
            raise InputError(
                f"regionroute: {name} must be at least {least}, got {value!r}.",
                code="out-of-range",
                place=Place(field=name),
            )
    if not isinstance(routed, bool):
        raise InputError(
            f"regionroute: routed must be true or false, got {routed!r}.",
            code="wrong-argument",
            place=Place(field="routed"),
        )

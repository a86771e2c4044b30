"""Protocols: frozen, named, versioned choices of every knob that changes a number.

Two numbers may be compared only if they carry the same protocol id and hash.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from rses.errors import Place, ProtocolError, did_you_mean

__all__ = ["PROTOCOLS", "Protocol", "get_protocol", "list_protocols"]

CHOICES: dict[str, tuple[str, ...]] = {
    "region": ("crop", "masked", "frame", "image"),
    "text": ("style", "prompt"),
    "lpips_form": ("neutral", "spatial", "blackout", "strict"),
    "pixel_form": ("background", "full_frame", "channel_sum"),
    "ssim_form": ("normalised", "blackout", "none"),
    "perfect_psnr": ("inf", "1000"),
    "border": ("as_is", "forced_edit"),
}


@dataclass(frozen=True)
class Protocol:
    """Everything that determines a score, apart from the images.

    Attributes:
        id: Name written into every result. Changing any knob by :meth:`replace` appends ``+custom``.
        style_backbone: Encoder of RSM, e.g. ``"open_clip:ViT-B-32-quickgelu/openai"``.
        perceptual_backbone: Trunk of LPIPS, e.g. ``"lpips:alex"``.
        template: Sentence around the style text; ``{style}`` is replaced.
        text: Whether RSM compares with the ``style`` or with the whole ``prompt``.
        region: What the encoder sees: ``crop``, ``masked``, ``frame`` or ``image``.
        crop_pad: Padding of the bounding box, as a fraction of its longer side.
        lpips_form: ``neutral``, ``spatial``, ``blackout`` or ``strict``.
        pixel_form: ``background`` (per pixel and channel), ``full_frame`` or ``channel_sum`` (legacy).
        ssim_form: ``normalised``, ``blackout`` (legacy) or ``none``.
        perfect_psnr: Value for an error of 0: ``inf`` (counted apart) or ``1000`` (legacy).
        border: ``forced_edit`` marks the outermost pixel ring as edited (legacy).
        ignore_band: Width in px of a band around the region left out of the background.
        boundary_width: Width in px of the band of ``boundary_mse``.
        force_size: Side in px to which everything is squashed first, or 0 for the source's size.
        title: One line for lists.
        notes: What to know, among it every guess.

    Example:
        >>> protocol = get_protocol("rses-v1")
        >>> protocol.lpips_form, len(protocol.hash)
        ('neutral', 16)
        >>> protocol.replace(ignore_band=2).id
        'rses-v1+custom'
    """

    id: str
    style_backbone: str = "open_clip:ViT-B-32-quickgelu/openai"
    perceptual_backbone: str = "lpips:alex"
    template: str = "{style}"
    text: str = "style"
    region: str = "crop"
    crop_pad: float = 0.1
    lpips_form: str = "neutral"
    pixel_form: str = "background"
    ssim_form: str = "normalised"
    perfect_psnr: str = "inf"
    border: str = "as_is"
    ignore_band: int = 0
    boundary_width: int = 4
    force_size: int = 0
    title: str = dataclasses.field(default="", compare=False)
    notes: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ProtocolError(
                    f'{name}="{value}" is not known.{did_you_mean(str(value), choices)} '
                    f"Choose one of: {', '.join(choices)}.",
                    code="unknown-value",
                    place=Place(field=name),
                )
        if "{style}" not in self.template:
            raise ProtocolError(
                f'The template must contain "{{style}}", got "{self.template}".',
                code="wrong-form",
                place=Place(field="template"),
            )
        if self.ignore_band < 0 or self.boundary_width < 1 or self.crop_pad < 0 or self.force_size < 0:
            raise ProtocolError(
                "ignore_band, crop_pad and force_size must be at least 0, boundary_width at least 1.",
                code="out-of-range",
            )

    @property
    def knobs(self) -> dict[str, Any]:
        """Every setting that changes a number, by name."""
        record = dataclasses.asdict(self)
        return {key: value for key, value in record.items() if key not in ("id", "title", "notes")}

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of id and knobs."""
        text = json.dumps({"id": self.id, **self.knobs}, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]

    def replace(self, **knobs: Any) -> Protocol:
        """Return a copy with other knobs; its id says that it is no longer the named protocol.

        Raises:
            ProtocolError: Unknown knob or value.
        """
        unknown = sorted(set(knobs) - set(self.knobs))
        if unknown:
            hint = did_you_mean(unknown[0], self.knobs)
            raise ProtocolError(
                f'There is no knob "{unknown[0]}".{hint} Knobs: {", ".join(self.knobs)}.',
                code="unknown-key",
                place=Place(field=unknown[0]),
            )
        changed = {key: value for key, value in knobs.items() if value != getattr(self, key)}
        if not changed:
            return self
        name = self.id if self.id.endswith("+custom") else f"{self.id}+custom"
        return dataclasses.replace(self, id=name, **changed)

    def card(self) -> str:
        """Return the protocol as text: title, hash, every knob, every note."""
        lines = [f"{self.id}  (hash {self.hash})", self.title, ""]
        width = max(map(len, self.knobs))
        lines += [f"  {key:<{width}}  {value}" for key, value in self.knobs.items()]
        if self.notes:
            lines += ["", *(f"  * {note}" for note in self.notes)]
        return "\n".join(lines)


_LEGACY_WARNING = (
    "For checking old tables only: its background scores depend on the size of the region "
    "(docs/why-masking-matters.md)."
)

PROTOCOLS: dict[str, Protocol] = {
    protocol.id: protocol
    for protocol in (
        Protocol(
            "rses-v1",
            title="The default: CLIP ViT-B/32 and LPIPS-alex on the background, undiluted and leak-free.",
            notes=(
                "The style text is taken as it is written; write the bare style name, e.g. pixel art.",
                "OpenAI's CLIP was trained with QuickGELU, hence the -quickgelu architecture.",
            ),
        ),
        Protocol(
            "rses-mini",
            style_backbone="rses-mini/2",
            perceptual_backbone="rses-mini/2",
            region="masked",
            title="Embedded weights, offline, minutes on a laptop; never comparable with rses-v1.",
            notes=(
                "Knows 20 styles; on styles it was not trained for, its style numbers mean little.",
                "RSM sees the region alone (masked): the small encoder would else judge the background in the crop.",
                "All other knobs equal those of rses-v1.",
            ),
        ),
        Protocol(
            "regionroute-paper",
            lpips_form="spatial",
            title="Closest reading of the RegionRoute paper (arXiv 2602.19254), which published no scorer.",
            notes=(
                "Guess: CLIP ViT-B/32 (OpenAI); published cosines fit ViT-L/14 equally well.",
                "Guess: the style text is the bare style name, no template.",
                'Guess: "tight bounding box plus a small padding" is 10 % of the longer side, made square.',
                "Guess: LPIPS-alex, spatial map of the raw pair averaged over the background.",
                "Guess: MSE is on [-1, 1] (column mse_bg_pm1); on [0, 1] the published values are implausible.",
                "Unknown: evaluation resolution, dilation at the boundary, number of images and seeds.",
            ),
        ),
        Protocol(
            "pie-bench",
            style_backbone="open_clip:ViT-L-14-quickgelu/openai",
            perceptual_backbone="lpips:squeeze",
            text="prompt",
            region="frame",
            lpips_form="blackout",
            pixel_form="full_frame",
            ssim_form="blackout",
            border="forced_edit",
            title="Legacy: the background scores of PIE-Bench (PnPInversion).",
            notes=(
                _LEGACY_WARNING,
                "The text is the whole prompt, as there; samples without a prompt are refused.",
                "Their CLIP score is 100 times clip_cosine. Defined for 512 x 512 images.",
                "Their LPIPS normalises features with another epsilon (torchmetrics); it differs by about 1e-5.",
            ),
        ),
        Protocol(
            "brushbench",
            style_backbone="open_clip:ViT-L-14-quickgelu/openai",
            perceptual_backbone="lpips:squeeze",
            text="prompt",
            region="image",
            lpips_form="blackout",
            pixel_form="channel_sum",
            ssim_form="none",
            perfect_psnr="1000",
            force_size=512,
            title="Legacy: the background scores of BrushBench (BrushNet).",
            notes=(
                _LEGACY_WARNING,
                "MSE is three times the per-channel error, PSNR 4.77 dB lower, 1000 dB for a perfect background.",
                "The text is the whole prompt, as there; samples without a prompt are refused.",
                "Images are squashed to 512 x 512 first; here the mask is too (nearest), there it must be 512 x 512.",
            ),
        ),
    )
}


def get_protocol(protocol: str | Protocol) -> Protocol:
    """Look a protocol up by id; a :class:`Protocol` is returned as it is.

    Raises:
        ProtocolError: Unknown id; the message names the closest one.

    Example:
        >>> get_protocol("pie-bench").pixel_form
        'full_frame'
    """
    if isinstance(protocol, Protocol):
        return protocol
    if protocol not in PROTOCOLS:
        raise ProtocolError(
            f'There is no protocol "{protocol}".{did_you_mean(protocol, PROTOCOLS)} '
            f"Known protocols: {', '.join(PROTOCOLS)}.",
            code="unknown-name",
            place=Place(field="protocol"),
        )
    return PROTOCOLS[protocol]


def list_protocols() -> list[str]:
    """Return the ids of all protocols.

    Example:
        >>> list_protocols()[:2]
        ['rses-v1', 'rses-mini']
    """
    return list(PROTOCOLS)

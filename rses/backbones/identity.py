"""Which weights a name stands for on this machine, found out without loading them."""

from __future__ import annotations

import hashlib

from rses.backbones.specs import Spec, parse_spec
from rses.backbones.weights import Located, locate

__all__ = ["clip_id", "identity", "lpips_digest"]


def identity(spec: str) -> dict[str, str]:
    """Return ``id`` and ``sha256`` that the loaded backbone has.

    Raises:
        WeightsError: Unknown name; weights missing or damaged.

    Example:
        >>> identity("rses-mini")["id"]
        'rses-mini/2'
    """
    parsed = parse_spec(spec)
    if parsed.kind == "rses-mini":
        from rses.backbones.mini import embedded_digest

        return {"id": parsed.name, "sha256": embedded_digest()}
    located = locate(spec)
    if parsed.kind == "lpips":
        return {"id": spec, "sha256": lpips_digest(located["trunk"], located["heads"])}
    return {"id": clip_id(parsed, located["checkpoint"]), "sha256": located["checkpoint"].sha256}


def clip_id(spec: Spec, located: Located) -> str:
    """Name a CLIP model: by its tag, or by the file's name without its folders."""
    return f"open_clip:{spec.name}/{spec.pretrained or located.path.name}"


def lpips_digest(trunk: Located, heads: Located) -> str:
    """Return the one digest of a trunk and its heads."""
    return hashlib.sha256(f"{trunk.sha256}\n{heads.sha256}\n".encode()).hexdigest()

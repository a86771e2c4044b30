"""Pictures of where the style tokens look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def heat_overlay(image: np.ndarray, heat: np.ndarray, strength: float = 0.75) -> np.ndarray:
    """Lay an attention map over a picture: black through red to yellow where the style tokens look.

    Example:
        >>> heat_overlay(np.zeros((4, 4, 3), np.uint8), np.eye(2)).shape
        (4, 4, 3)
    """
    height, width = image.shape[:2]
    level = heat / max(float(heat.max()), 1e-12)
    smooth = Image.fromarray((level * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    amount = np.asarray(smooth, np.float32)[..., None] / 255
    colour = np.concatenate([np.minimum(1, 2 * amount), np.clip(2 * amount - 1, 0, 1), np.zeros_like(amount)], -1)
    grey = image.astype(np.float32).mean(-1, keepdims=True) / 255
    mixed = grey * (1 - strength * amount) + colour * strength * amount
    return (mixed * 255).round().clip(0, 255).astype(np.uint8)


def mask_files(path: Path, source: np.ndarray, mask: np.ndarray) -> dict[Path, np.ndarray]:
    """Return the pictures that show a soft mask (H, W) in [0, 1]: itself, and its source, dark and grey outside.

    Example:
        >>> files = mask_files(Path("cat.png"), np.zeros((4, 4, 3), np.uint8), np.eye(4))
        >>> [str(file) for file in files]
        ['cat.png', 'cat-overlay.png']
    """
    levels = (mask * 255).round().astype(np.uint8)
    return {path: levels, overlay_file(path): mask_overlay(source, mask)}


def overlay_file(path: Path) -> Path:
    """Return the file of the overlay that goes with a mask's."""
    return path.with_name(f"{path.stem}-overlay{path.suffix}")


def mask_overlay(source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Show a picture (H, W, 3) as it is inside a soft mask (H, W) in [0, 1], dark and grey outside.

    Example:
        >>> mask_overlay(np.full((1, 2, 3), 100, np.uint8), np.array([[1.0, 0.0]]))[0, :, 0].tolist()
        [100, 50]
    """
    dimmed = np.repeat(source.mean(-1, keepdims=True) / 2, 3, -1)
    shown: np.ndarray = (dimmed + mask[..., None] * (source - dimmed)).round().astype(np.uint8)
    return shown

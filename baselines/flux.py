"""What is known about the published FLUX.1 models before anything is loaded; the only place for it."""

from __future__ import annotations

from typing import Any

KONTEXT = "black-forest-labs/FLUX.1-Kontext-dev"
FILL = "black-forest-labs/FLUX.1-Fill-dev"
LICENCE = "FLUX.1-dev non-commercial"
MEMORY_GB = 38
USE: dict[str, Any] = {"steps": 28, "guidance": 3.5, "text_length": 512}
"""How FLUX.1-Kontext is run: denoising steps, guidance scale, T5 tokens."""
BUCKETS = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104),
    (1024, 1024), (1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688),
    (1568, 672),
)  # fmt: skip
"""(width, height) that FLUX.1-Kontext was trained at; a test compares them with the pipeline's."""
KONTEXT_CONFIG: dict[str, Any] = {
    "in_channels": 64, "num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128, "num_attention_heads": 24,
    "joint_attention_dim": 4096, "pooled_projection_dim": 768, "guidance_embeds": True, "axes_dims_rope": (16, 56, 56),
}  # fmt: skip
"""The published configuration of FLUX.1-Kontext's transformer."""

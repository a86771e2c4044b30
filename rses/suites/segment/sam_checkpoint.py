"""SAM as its authors' package computes it, from a checkpoint of any size that the package's registry knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from rses.errors import WeightsError, require
from rses.files.atomic import sha256_file

__all__ = ["PUBLISHED", "build_for", "load_checkpoint"]

_URL = "https://dl.fbaipublicfiles.com/segment_anything/"
PUBLISHED = {
    "sam_vit_b_01ec64.pth": "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    "sam_vit_l_0b3195.pth": "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    "sam_vit_h_4b8939.pth": "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
}
"""SHA-256 of the checkpoints that the authors publish."""

WHERE = (
    f"Download {_URL}sam_vit_b_01ec64.pth (375 MB; also sam_vit_l_0b3195.pth and sam_vit_h_4b8939.pth; Apache-2.0) and "
    "name the file with --weights, or choose --segmenter classical, which needs none."
)


def load_checkpoint(path: Path) -> tuple[Any, str]:
    """Load a checkpoint, ``.pth`` as the authors publish it or ``.safetensors`` with the same names.

    Returns:
        The model in evaluation mode on the CPU, and the SHA-256 of the file.

    Raises:
        RsesError: The extra is missing.
        WeightsError: The file is missing, damaged, or not SAM's.
    """
    require("segment_anything", "sam")
    if not path.is_file():
        raise WeightsError(f"segment-anything: there is no file {path}. {WHERE}")
    digest = sha256_file(path)
    if digest != PUBLISHED.get(path.name, digest):
        raise WeightsError(
            f"{path} is damaged, or another file under a published name: its sha256 is {digest}, expected "
            f"{PUBLISHED[path.name]}. Download it again."
        )
    try:
        state = _read(path)
        sam = build_for(state)
        sam.load_state_dict(state)
    except Exception as error:
        # A damaged file fails in as many ways as there are kinds of damage.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{path} is not a checkpoint of segment-anything ({reason}). {WHERE}") from error
    return sam.eval(), digest


def build_for(state: dict[str, torch.Tensor]) -> Any:
    """Build the model of the package's registry whose tensors have the names and shapes of a checkpoint's.

    Raises:
        ValueError: There is none.
    """
    from segment_anything import sam_model_registry

    given = {name: tensor.shape for name, tensor in state.items()}
    for build in sam_model_registry.values():
        with torch.device("meta"):
            expected = {name: tensor.shape for name, tensor in build().state_dict().items()}
        if expected == given:
            return build()
    raise ValueError(f"its tensors are those of none of {', '.join(sam_model_registry)}")


def _read(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(path))
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, expected names and tensors")
    return state

"""SAM as its authors' package computes it, from a checkpoint of any size: the sizes are read off its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from rses.errors import WeightsError, require
from rses.files import sha256_file

__all__ = ["PUBLISHED", "Geometry", "build_sam", "geometry_of", "load_checkpoint"]

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
# No tensor tells the number of heads in the decoder; it is 8 in every published size.
_DECODER_HEADS = 8


@dataclass(frozen=True)
class Geometry:
    """Sizes of a SAM.

    Attributes:
        side: Pixels of the square that pictures are padded to.
        patch: Pixels of a patch.
        width: Channels of the image encoder.
        depth: Its blocks.
        heads: Its attention heads.
        window: Side of its attention windows, in patches.
        whole: Its blocks that attend to the whole picture.
        encoder_hidden: Hidden channels of its blocks.
        channels: Channels of embeddings and decoder.
        mask_channels: Channels that encode a mask prompt.
        decoder_depth: Layers of the decoder.
        decoder_hidden: Hidden channels of those.
        masks: Masks offered for an ambiguous prompt.
        score_depth: Layers of the head that estimates the IoU.
        score_hidden: Its hidden channels.
    """

    side: int
    patch: int
    width: int
    depth: int
    heads: int
    window: int
    whole: tuple[int, ...]
    encoder_hidden: int
    channels: int
    mask_channels: int
    decoder_depth: int
    decoder_hidden: int
    masks: int
    score_depth: int
    score_hidden: int


def geometry_of(state: Mapping[str, Any]) -> Geometry:
    """Read the sizes off a checkpoint's tensors.

    Raises:
        KeyError: It is not SAM's.
    """
    width, _, patch, _ = state["image_encoder.patch_embed.proj.weight"].shape
    grid = state["image_encoder.pos_embed"].shape[1]
    depth = _count(state, "image_encoder.blocks.")
    relative = [state[f"image_encoder.blocks.{block}.attn.rel_pos_h"].shape for block in range(depth)]
    reach = [(length + 1) // 2 for length, _ in relative]
    score_depth = _count(state, "mask_decoder.iou_prediction_head.layers.")
    return Geometry(
        side=grid * patch,
        patch=patch,
        width=width,
        depth=depth,
        heads=width // relative[0][1],
        window=min(reach),
        whole=tuple(block for block, length in enumerate(reach) if length == grid),
        encoder_hidden=state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0],
        channels=state["image_encoder.neck.0.weight"].shape[0],
        mask_channels=state["prompt_encoder.mask_downscaling.3.weight"].shape[0],
        decoder_depth=_count(state, "mask_decoder.transformer.layers."),
        decoder_hidden=state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
        masks=state["mask_decoder.mask_tokens.weight"].shape[0] - 1,
        score_depth=score_depth,
        score_hidden=state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
    )


def _count(state: Mapping[str, Any], prefix: str) -> int:
    return len({name[len(prefix) :].split(".")[0] for name in state if name.startswith(prefix)})


def build_sam(sizes: Geometry) -> Any:
    """Build the package's ``Sam`` with these sizes, its weights random.

    Raises:
        RsesError: The extra is missing.
    """
    require("segment_anything", "sam")
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    grid = sizes.side // sizes.patch
    return Sam(
        image_encoder=ImageEncoderViT(
            img_size=sizes.side, patch_size=sizes.patch, embed_dim=sizes.width, depth=sizes.depth,
            num_heads=sizes.heads, mlp_ratio=sizes.encoder_hidden / sizes.width, out_chans=sizes.channels,
            qkv_bias=True, norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), use_rel_pos=True,
            window_size=sizes.window, global_attn_indexes=sizes.whole,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=sizes.channels, image_embedding_size=(grid, grid), input_image_size=(sizes.side, sizes.side),
            mask_in_chans=sizes.mask_channels,
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=sizes.masks,
            transformer=TwoWayTransformer(
                depth=sizes.decoder_depth, embedding_dim=sizes.channels, mlp_dim=sizes.decoder_hidden,
                num_heads=_DECODER_HEADS,
            ),
            transformer_dim=sizes.channels, iou_head_depth=sizes.score_depth, iou_head_hidden_dim=sizes.score_hidden,
        ),
    )  # fmt: skip


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
        sam = build_sam(geometry_of(state))
        sam.load_state_dict(state)
    except Exception as error:
        # A damaged file fails in as many ways as there are kinds of damage.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{path} is not a checkpoint of segment-anything ({reason}). {WHERE}") from error
    return sam.eval(), digest


def _read(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(path))
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, expected names and tensors")
    return state

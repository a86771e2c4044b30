"""FLUX.1-Kontext at its published size: configuration, parameters, and the memory of one training step.

``python -m benchmark_data.recipes.full_size`` prints the estimates of ``docs/full-size.md``;
with ``--measure`` it takes real steps with random weights on a CUDA device and prints their time and peak memory.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from baselines.flux import KONTEXT_CONFIG
from regionroute.attention import WIDTH_STEP, StyleAttention, project
from regionroute.experts import LoraSettings, add_expert
from regionroute.flux import image_ids, text_ids
from regionroute.lora_format import lora_layers, lora_shapes
from regionroute.losses import cover_loss, focus_loss
from rses.errors import InputError, RsesError, require

if TYPE_CHECKING:
    from diffusers import FluxTransformer2DModel
    from torch import nn

Supervision = Literal["off", "exact", "naive"]
SUPERVISION: tuple[Supervision, ...] = ("off", "exact", "naive")
DTYPES = {"float32": 4, "bfloat16": 2, "float16": 2}
PIXELS_PER_TOKEN = 16  # the autoencoder's factor 8, then patches of 2 x 2 latent cells
STYLE_POSITIONS = [8, 9, 10, 11]
# Temporaries of the backward pass through one single-stream block, in units of its residual stream.
WORKSPACE = 13


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that one training step holds at its peak, by cause.

    Attributes:
        weights: The frozen transformer. Text encoders and autoencoder are not there: their outputs are cached.
        expert: LoRA parameters, float32.
        gradients: Their gradients, float32.
        optimiser: Two float32 moments a parameter (AdamW).
        activations: What the backward pass needs, and its temporaries.
        attention: What supervision adds.
    """

    weights: int
    expert: int
    gradients: int
    optimiser: int
    activations: int
    attention: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(dataclasses.astuple(self))


def build_meta_transformer(
    config: Mapping[str, Any] = KONTEXT_CONFIG, dtype: torch.dtype = torch.bfloat16
) -> FluxTransformer2DModel:
    """Build the transformer without storage, in seconds: names and shapes only."""
    require("diffusers", "methods")
    from diffusers import FluxTransformer2DModel

    with torch.device("meta"):
        transformer = FluxTransformer2DModel(**config)
    for parameter in transformer.parameters():
        parameter.data = parameter.data.to(dtype)
    return transformer


def parameter_count(module: nn.Module) -> int:
    """Return the number of parameters, trainable or not."""
    return sum(parameter.numel() for parameter in module.parameters())


def expert_parameter_count(transformer: nn.Module, settings: LoraSettings) -> int:
    """Return the number of parameters of an expert: 4 669 440 on FLUX.1-Kontext with the default settings."""
    return sum(a * b for a, b in lora_shapes(lora_layers(transformer, settings), settings.rank).values())


def memory_estimate(
    resolution: int = 1024, batch: int = 1, rank: int = 4, dtype: str = "bfloat16", checkpointing: bool = True,
    supervision: Supervision = "exact", *, text_tokens: int = 512, style_tokens: int = 4,
    config: Mapping[str, Any] = KONTEXT_CONFIG,
) -> MemoryEstimate:  # fmt: skip
    """Estimate the peak memory of one training step of one expert on both streams.

    The unit is the residual stream ``u = batch * L * D * bytes`` with ``L = text + 2 * image`` tokens (target and
    context) and ``D = heads * head_dim``. The base is frozen, so a linear layer keeps nothing but what its LoRA needs.
    A block keeps for the backward pass:

    - the inputs of its layer norms: 2 u in a double block (before attention and before the MLP), 1 u in a single one;
    - the inputs of its LoRA layers: one copy that q, k and v share in float32; under mixed precision each casts its
      own, so 3. In double blocks only image tokens (share ``I = 2 * image / L``) pass through them, and ``to_out``
      keeps one more copy;
    - the inputs of the RMS norms of q and k with their scales, in float32 whatever the dtype: ``2 * 4 / bytes`` u;
    - q, k, v and the output of the fused attention: 4 u, and its float32 logsumexp;
    - the input of the MLP's GELU: 4 u.

    Under checkpointing each block keeps its input, 1 u, and the block that is being recomputed keeps the above. To this
    counted sum come the temporaries of the backward pass, calibrated as 13 u (among them the gradients of the 5 u wide
    concatenation, of q, k, v, and float32 copies in the rotary embedding).

    Supervision ``exact`` adds the maps, ``blocks * batch * heads * image * style_tokens``, three times (one a layer,
    stacked, and the gradient), and the channels that widen q, k, v and output of attention from ``head_dim`` to
    ``head_dim`` + a multiple of 8: 4 u * channels / head_dim for every block that is kept. ``naive`` adds the same maps
    and ``batch * heads * L * L`` probabilities for every block that is kept (less 1 u, the fused output); its backward
    pass holds three more such matrices (gradients of probabilities, by both uses, and of scores) and 6 u, not 13.

    The sums are those of the CPU's kernels: on CUDA a fused RMS norm keeps less, an autocast layer norm more.

    Args:
        resolution: Side of the square image in pixels, a multiple of 16.
        batch: Samples per step.
        rank: LoRA rank.
        dtype: "bfloat16", "float16" (both as mixed precision with float32 experts) or "float32".
        checkpointing: Whether blocks are recomputed in the backward pass.
        supervision: "off", "exact" or "naive".
        text_tokens: Length of the padded text.
        style_tokens: Supervised tokens per sample.
        config: Transformer configuration.

    Raises:
        InputError: A value is out of range.
    """
    _check(resolution, batch, dtype, supervision)
    parameters, expert = _counts(
        tuple(sorted((key, tuple(value) if isinstance(value, list) else value) for key, value in config.items())), rank
    )
    size, double, single = DTYPES[dtype], config["num_layers"], config["num_single_layers"]
    heads, head_dim = config["num_attention_heads"], config["attention_head_dim"]
    image = (resolution // PIXELS_PER_TOKEN) ** 2
    length = text_tokens + 2 * image
    unit = batch * length * heads * head_dim * size
    per_double, per_single = _block_units(size, heads * head_dim, head_dim, rank, 2 * image / length)
    kept_blocks = 1 if checkpointing else double + single
    if checkpointing:
        activations = double + single + (per_single if single else per_double) + WORKSPACE
    else:
        activations = double * per_double + single * per_single + WORKSPACE
    attention = 0.0
    if supervision != "off":
        attention = 3 * (double + single) * batch * heads * image * style_tokens * size
    if supervision == "exact":
        channels = -(-style_tokens // WIDTH_STEP) * WIDTH_STEP
        attention += unit * 4 * kept_blocks * channels / head_dim
    elif supervision == "naive":
        matrix = unit * length / head_dim  # bytes of queries by keys, all heads
        attention += kept_blocks * (matrix - unit) + max(0, 3 * matrix - 7 * unit)
    return MemoryEstimate(
        parameters * size, expert * 4, expert * 4, expert * 8, int(activations * unit), int(attention)
    )


def attention_share(resolution: int = 1024, text_tokens: int = 512) -> float:
    """Return attention's share in the multiplications of a checkpointed training step of FLUX.1-Kontext.

    With it the cost of wider heads can be judged: from ``head_dim`` 128 to 136 attention grows by 1/16, or by 1/2 if
    the kernel works in widths of 64. The backward pass of fused attention has 5 products to the forward's 2, that of a
    frozen linear layer 1 to 1; the forward pass runs twice.
    """
    length = text_tokens + 2 * (resolution // PIXELS_PER_TOKEN) ** 2
    width = KONTEXT_CONFIG["num_attention_heads"] * KONTEXT_CONFIG["attention_head_dim"]
    attention = 2 * length * (1 + 1 + 2.5)
    # Either kind of block multiplies each token with 12 D^2 weights: 4 + 8 in a double one, 3 + 4 + 5 in a single one.
    return attention / (attention + 12 * width * (1 + 1 + 1))


@functools.lru_cache(maxsize=16)
def _counts(config: tuple[tuple[str, Any], ...], rank: int) -> tuple[int, int]:
    transformer = build_meta_transformer(dict(config))
    return parameter_count(transformer), expert_parameter_count(transformer, LoraSettings(rank))


def _block_units(size: int, width: int, head_dim: int, rank: int, image_share: float) -> tuple[float, float]:
    """Return what a double and a single block keep, in units of the residual stream."""
    copies = 1 if size == 4 else 3
    lora_rows = rank / width
    both = 2 * 4 / size * (1 + 1 / head_dim) + 4 + 4 / (size * head_dim) + 4
    return 2 + (copies + 1 + 4 * lora_rows) * image_share + both, 1 + copies + 3 * lora_rows + both


def _check(resolution: int, batch: int, dtype: str, supervision: str) -> None:
    step = PIXELS_PER_TOKEN
    checks = [
        (resolution > 0 and resolution % step == 0, f"The resolution must be a multiple of {step}, not {resolution}."),
        (batch > 0, f"The batch must hold at least one sample, not {batch}."),
        (dtype in DTYPES, f'The dtype must be one of {", ".join(DTYPES)}, not "{dtype}".'),
        (supervision in SUPERVISION, f'The supervision must be one of {", ".join(SUPERVISION)}, not "{supervision}".'),
    ]
    if problems := [problem for fine, problem in checks if not fine]:
        raise InputError(problems)


class _NaiveAttention:
    """Attention with the softmax written out, at its cheapest: one matrix of queries by keys a layer, in q's dtype."""

    _attention_backend = None
    _parallel_config = None

    def __init__(self, positions: list[int], image: int, layers: int):
        self.positions, self.image, self.layers = positions, image, layers
        self.maps: list[torch.Tensor] = []

    def __call__(
        self, attn: Any, image: Any, prompt: Any = None, _mask: Any = None, image_rotary_emb: Any = None
    ) -> Any:
        projected = project(attn, image, prompt, image_rotary_emb)
        query, key, value = (x.transpose(1, 2) for x in projected)
        scores = query * attn.head_dim**-0.5 @ key.transpose(-1, -2)
        probabilities = scores.softmax(-1, dtype=query.dtype)
        text = value.shape[2] - 2 * self.image
        chosen = probabilities[:, :, text : text + self.image, self.positions]
        if len(self.maps) < self.layers:  # recomputation repeats the operations, but the loss hangs on the first maps
            self.maps.append(chosen)
        output = (probabilities @ value).transpose(1, 2).flatten(2, 3)
        if prompt is None:
            return output
        image, prompt = output[:, text:].contiguous(), output[:, :text].contiguous()
        return attn.to_out[1](attn.to_out[0](image)), attn.to_add_out(prompt)


@contextlib.contextmanager
def _recording(
    transformer: FluxTransformer2DModel, supervision: Supervision, batch: int, text: int, image: int
) -> Iterator[Callable[[], torch.Tensor | None]]:
    """Yield a function that returns the maps of the forward pass made meanwhile, (layers, B, H, N, T), or None."""
    if supervision == "off":
        yield lambda: None
        return
    stock = dict(transformer.attn_processors)
    try:
        if supervision == "exact":
            with StyleAttention(transformer).record([STYLE_POSITIONS] * batch, text, image) as maps:
                yield maps.stacked
        else:
            naive = _NaiveAttention(STYLE_POSITIONS, image, len(stock))
            transformer.set_attn_processor(naive)
            yield lambda: torch.stack(naive.maps)
    finally:
        transformer.set_attn_processor(stock)


def training_step(
    transformer: FluxTransformer2DModel, inputs: Mapping[str, Any], image: int, supervision: Supervision
) -> None:
    """Run forward and backward once, under autocast and with the losses of ``regionroute train``.

    Args:
        transformer: With a trainable expert.
        inputs: Keyword arguments of its forward pass, target and context of ``image`` tokens each.
        image: Number of target tokens.
        supervision: "off", "exact" or "naive".
    """
    batch, text = inputs["encoder_hidden_states"].shape[:2]
    device = inputs["hidden_states"].device
    mixed = torch.autocast(device.type, transformer.dtype, enabled=transformer.dtype != torch.float32)
    with _recording(transformer, supervision, batch, text, image) as recorded:
        with mixed:
            velocity = transformer(**inputs, return_dict=False)[0][:, :image]
            loss = velocity.float().square().mean()
            maps = recorded()
            if maps is not None:
                mask = torch.zeros(batch, image, device=device)
                mask[:, : image // 5] = 1
                valid = torch.ones(batch, maps.shape[-1], dtype=torch.bool, device=device)
                loss = loss + (0.1 * focus_loss(maps, mask, valid) + 0.2 * cover_loss(maps, mask, valid)).mean()
        loss.backward()


def step_inputs(
    transformer: FluxTransformer2DModel, resolution: int, batch: int = 1, text: int = 512, device: str = "cpu"
) -> dict[str, Any]:
    """Return random inputs of a training step at ``resolution`` x ``resolution`` pixels."""
    config, grid = transformer.config, resolution // PIXELS_PER_TOKEN
    options = {"device": device, "dtype": transformer.dtype}
    return {
        "hidden_states": torch.randn(batch, 2 * grid * grid, config["in_channels"], **options),
        "encoder_hidden_states": torch.randn(batch, text, config["joint_attention_dim"], **options),
        "pooled_projections": torch.randn(batch, config["pooled_projection_dim"], **options),
        "timestep": torch.rand(batch, **options),
        "guidance": torch.ones(batch, device=device),
        "img_ids": image_ids((grid, grid)).to(device),
        "txt_ids": text_ids(text).to(device),
    }


def measure(resolution: int = 1024, batch: int = 1, steps: int = 3) -> dict[str, tuple[float, int] | None]:
    """Time training steps of the full-size transformer with random weights on a CUDA device.

    bfloat16, gradient checkpointing, rank 4, AdamW; one step to warm up, then the mean of ``steps``.

    Returns:
        Supervision -> (seconds per step, peak bytes), or None where memory ran out.

    Raises:
        RsesError: There is no CUDA device.
    """
    if not torch.cuda.is_available():
        raise RsesError(
            "Measuring needs a CUDA device with at least 40 GB, and torch sees none. "
            "Without one, `python -m benchmark_data.recipes.full_size` prints the estimates."
        )
    transformer = build_meta_transformer()
    transformer.to_empty(device="cuda")
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.normal_(std=0.02)
    parameters = add_expert(transformer, "pixel art", LoraSettings())
    transformer.enable_gradient_checkpointing()
    optimiser = torch.optim.AdamW(parameters, lr=1e-4)
    inputs = step_inputs(transformer, resolution, batch, device="cuda")

    def one(supervision: Supervision) -> None:
        training_step(transformer, inputs, len(inputs["img_ids"]) // 2, supervision)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    results: dict[str, tuple[float, int] | None] = {}
    for supervision in SUPERVISION:
        try:
            one(supervision)
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            start = time.perf_counter()
            for _ in range(steps):
                one(supervision)
            torch.cuda.synchronize()
            results[supervision] = ((time.perf_counter() - start) / steps, torch.cuda.max_memory_allocated())
        except torch.cuda.OutOfMemoryError:
            results[supervision] = None
            optimiser.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
    return results


def estimate_table() -> str:
    """Return the estimates of the documentation as a Markdown table, in GB (10^9 bytes)."""
    rows = [
        "| pixels | batch | checkpoints | supervision | weights | expert | activations | attention | total | to off |",
        "|---:|---:|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for resolution, batch, checkpointing in ((512, 1, True), (1024, 1, True), (1024, 2, True), (1024, 1, False)):
        off = memory_estimate(resolution, batch, checkpointing=checkpointing, supervision="off")
        for supervision in SUPERVISION:
            cost = memory_estimate(resolution, batch, checkpointing=checkpointing, supervision=supervision)
            expert = cost.expert + cost.gradients + cost.optimiser
            parts = (cost.weights, expert, cost.activations, cost.attention, cost.total)
            rows.append(
                f"| {resolution} | {batch} | {'yes' if checkpointing else 'no'} | {supervision} | "
                + " | ".join(f"{part / 1e9:.2f}" for part in parts)
                + f" | {100 * (cost.total / off.total - 1):+.1f} % |"
            )
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Print the estimates, or with ``--measure`` measured figures; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.full_size", description=main.__doc__)
    parser.add_argument("--measure", action="store_true", help="take real steps with random weights on a CUDA device")
    parser.add_argument("--resolution", type=int, default=1024, help="side of the measured images in pixels")
    options = parser.parse_args(arguments)
    try:
        if not options.measure:
            print(estimate_table())
            return 0
        _check(options.resolution, 1, "bfloat16", "off")
        for supervision, result in measure(options.resolution).items():
            print(supervision, "out of memory" if result is None else f"{result[0]:.3f} s {result[1] / 1e9:.2f} GB")
    except RsesError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The configuration of a training run: one TOML file, every key checked before anything is loaded."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from regionroute.styles import EXPERT_STYLES, FINDER
from rses.errors import InputError, Place, did_you_mean
from rses.files.text import read_text
from rses.schema import Numbers, Record, Texts, check, fault

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Count = Annotated[int, Field(ge=1)]
"""A whole number of at least 1."""
Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class ModelConfig(Record):
    """The frozen base model.

    Attributes:
        base: "mini", a hub id, or a folder written by ``save_pretrained``.
        revision: Revision of a hub id.
        dtype: Precision of weights and activations; LoRA weights stay float32.
        quantise: "nf4" or "int8" keep the frozen transformer in bitsandbytes's formats.
        text_length: T5 tokens, in training as at inference.
    """

    base: str = "mini"
    revision: str = "main"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    quantise: Literal["none", "nf4", "int8"] = "none"
    text_length: Count = 512
    gradient_checkpointing: bool = False


class DataConfig(Record):
    """Training pairs.

    Attributes:
        pairs: Manifest (.json) or suite folder with targets, relative to the configuration file.
        style: Expert to train; pairs of other styles are left out. "finder" trains the finder on the masks of pairs of
            all styles, whose targets are not read.
        resolution: Side of the square that images are resized to.
        cache: Folder for latents and text states; "" keeps them in memory only.
        limit: Use only the first pairs; 0 means all.
    """

    pairs: str = ""
    style: str = ""
    resolution: int = Field(default=1024, ge=16, multiple_of=16)
    cache: str = ""
    limit: Whole = 0


class ExpertConfig(Record):
    """Shape of the LoRA; alpha equals the rank."""

    rank: Count = 4
    streams: Literal["both", "double", "single"] = "both"
    targets: Texts = ("to_q", "to_k", "to_v", "to_out.0")


class OptimiserConfig(Record):
    """Optimiser and batch; one step sees ``batch_size * accumulation`` pairs on every process."""

    name: Literal["adamw", "adamw8bit"] = "adamw"
    learning_rate: Positive = 1e-4
    betas: Numbers = (0.9, 0.999)
    eps: Weight = 1e-8
    weight_decay: Weight = 1e-4
    max_grad_norm: float = Field(default=1.0, gt=0, allow_inf_nan=True)
    steps: Count = 5000
    batch_size: Count = 2
    accumulation: Count = 4
    warm_up: Whole = 0
    schedule: Literal["constant", "cosine"] = "constant"

    @field_validator("betas")
    @classmethod
    def _decays(cls, betas: tuple[float, ...]) -> tuple[float, ...]:
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise fault("out-of-range", "must be two numbers of at least 0 and below 1")
        return betas


class FlowConfig(Record):
    """Flow matching.

    Attributes:
        weight: Weight of the flow loss; 0 trains attention alone.
        guidance: Guidance scale that the distilled model is told while training.
        density: Density of noise levels; "start" is noise alone, where a sampler begins.
        shift: Shift towards noise: sigma -> shift * sigma / (1 + (shift - 1) * sigma).
        edited_weight: Extra weight of tokens inside the mask; weights are normalised to mean 1.
    """

    weight: Weight = 1.0
    guidance: float = 1.0
    density: Literal["uniform", "logit_normal", "start"] = "uniform"
    shift: Positive = 1.0
    edited_weight: Weight = 0.0


class AttentionConfig(Record):
    """Supervision of the style tokens' attention.

    Attributes:
        mode: Which losses, see :mod:`regionroute.losses`; "off" supervises nothing, and the log then has the
            attention's mass at the first and every 50th step only, because recording it takes time.
        focus: Weight of Focus.
        cover: Weight of Cover.
        tau: Temperature of Focus in the modes "paper" and "official".
        alpha: Scale of Cover's logits; 0 takes the mode's own.
        layers: Blocks to supervise ("double.3", "single.0"); empty means all.
        gate: Noise levels at which the losses count, lowest and highest.
    """

    mode: Literal["exact", "paper", "official", "off"] = "exact"
    focus: Weight = 0.1
    cover: Weight = 0.2
    tau: Positive = 0.1
    alpha: Weight = 0.0
    layers: Texts = ()
    gate: Numbers = (0.0, 1.0)

    @field_validator("gate")
    @classmethod
    def _levels(cls, gate: tuple[float, ...]) -> tuple[float, ...]:
        if len(gate) != 2 or not 0 <= gate[0] < gate[1] <= 1:
            raise fault("out-of-range", "must be two noise levels, 0 <= lowest < highest <= 1")
        return gate


class RunConfig(Record):
    """Where and how often to write.

    Attributes:
        out: Run folder, relative to the working directory.
        seed: Base seed; the noise of a sample depends on it, the step and the sample's id alone.
        checkpoint_every: Steps between checkpoints.
        overlay_every: Steps between pictures of where the style token looks; 0 means none.
        overlays: Pairs shown in such a picture.
    """

    out: str = "runs/expert"
    seed: int = Field(default=0, ge=0, lt=2**63)
    checkpoint_every: Count = 250
    overlay_every: Whole = 250
    overlays: Count = 4
    tensorboard: bool = True


class TrainConfig(Record):
    """All of a training run's choices."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    expert: ExpertConfig = ExpertConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    flow: FlowConfig = FlowConfig()
    attention: AttentionConfig = AttentionConfig()
    run: RunConfig = RunConfig()

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, ready for JSON."""
        return self.model_dump()


def find_config(name: str) -> Path:
    """Return the file of a configuration that comes with the package ("mini"), or the path itself."""
    folder = Path(__file__).resolve().parents[1] / "configs"
    known = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if name in known:
        return known[name]
    if not Path(name).is_file():
        raise InputError(
            f'There is no configuration "{name}".{did_you_mean(name, known)} '
            f"Give a TOML file, or one of {', '.join(known)}.",
            code="unknown-name",
        )
    return Path(name)


def load_config(path: Path, changes: Sequence[str] = (), texts: Mapping[str, str] | None = None) -> TrainConfig:
    """Read a TOML file; ``changes`` ("optimiser.steps=10") win over it.

    Args:
        path: The file.
        changes: Keys with values in TOML, or bare text.
        texts: Keys ("run.out") with values that are text whatever they look like, such as a folder named 2024; these
            win over all else.
    """
    try:
        tables = tomllib.loads(read_text(path))
    # Wider than TOMLDecodeError: whole numbers of thousands of digits, arrays in arrays in arrays.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.", code="not-toml", place=Place(str(path))) from error
    changed = [_split_change(change) for change in changes]
    for path_of_key, text in (texts or {}).items():
        section, _, key = path_of_key.partition(".")
        changed.append((section, key, text))
    for section, key, value in changed:
        table = tables.setdefault(section, {})
        # Else parse_config says what is wrong with it.
        if isinstance(table, dict):
            table[key] = value
    config = parse_config(tables, str(path))
    pairs, cache, out = (_at_home(folder) for folder in (config.data.pairs, config.data.cache, config.run.out))
    own = ("data", "pairs") not in {(section, key) for section, key, _ in changed}
    if pairs and own and not Path(pairs).is_absolute():
        pairs = str(path.parent / pairs)
    data = config.data.model_copy(update={"pairs": pairs, "cache": cache})
    return config.model_copy(update={"data": data, "run": config.run.model_copy(update={"out": out})})


def _at_home(folder: str) -> str:
    """Return a folder with the home directory for a leading ``~``, which no shell replaces within a file."""
    return str(Path(folder).expanduser()) if folder.startswith("~") else folder


def parse_config(tables: Mapping[str, Any], source: str = "") -> TrainConfig:
    """Build a configuration from nested dictionaries.

    Args:
        tables: Table, key and value.
        source: File that they come from, for the message.

    Raises:
        InputError: Unknown tables or keys, or values of the wrong type or range.

    Example:
        >>> parse_config({"expert": {"rank": 8}}).expert.rank
        8
    """
    return check(TrainConfig, dict(tables), source)


def _split_change(change: str) -> tuple[str, str, Any]:
    """Return table, key and value of one "table.key=value"; the value is TOML, or a bare string."""
    path, separator, text = change.partition("=")
    section, dot, key = path.strip().partition(".")
    if not (separator and dot and key):
        raise InputError(
            f'Cannot read the change "{change}": write it as table.key=value, e.g. optimiser.steps=100.',
            code="wrong-form",
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    # Wider than TOMLDecodeError: Python refuses to read whole numbers of thousands of digits.
    except (ValueError, RecursionError):
        value = text.strip()
    return section, key, value


def require_data(config: TrainConfig) -> None:
    """Check what can be known of style and pairs before torch is imported.

    Raises:
        InputError: Another style than an expert can have, no pairs, or losses that leave nothing to learn from.
    """
    data = config.data
    known = (*EXPERT_STYLES, FINDER)
    if data.style not in known:
        raise InputError(
            f'[data] style must be one of {", ".join(known)}, got "{data.style}".{did_you_mean(data.style, known)}',
            code="unknown-value",
            place=Place(field="data.style"),
        )
    _check_losses(config)
    if not data.pairs:
        raise InputError(
            "[data] pairs is missing. Give --pairs with the folder that `regionroute data` made.",
            code="missing-option",
            place=Place(field="data.pairs"),
        )
    if not Path(data.pairs).expanduser().exists():
        raise InputError(
            f"{data.pairs} does not exist. Make pairs with `regionroute data`.",
            code="missing-file",
            place=Place(field="data.pairs"),
        )


def _check_losses(config: TrainConfig) -> None:
    """The finder has no targets, so that it learns from attention alone; whoever has neither learns nothing."""
    supervised = config.attention.mode != "off" and bool(config.attention.focus or config.attention.cover)
    if config.data.style == FINDER and config.flow.weight:
        raise InputError(
            f"The {FINDER} is trained on masks alone, so there is no target for the flow loss. Set [flow] weight = 0, "
            f"as the configuration `{FINDER}` does.",
            code="contradiction",
            place=Place(field="flow.weight"),
        )
    if not supervised and not config.flow.weight:
        raise InputError(
            "All losses have weight 0. Set [flow] weight, or [attention] focus or cover in a mode other than off.",
            code="contradiction",
            place=Place(field="attention.mode" if config.attention.mode == "off" else "attention.focus"),
        )

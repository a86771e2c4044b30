"""The configuration of a training run: one TOML file, every key checked before anything is loaded."""

from __future__ import annotations

import dataclasses
import math
import sys
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rses.errors import InputError, did_you_mean
from rses.files.text import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "AttentionConfig", "DataConfig", "ExpertConfig", "FlowConfig", "ModelConfig", "OptimiserConfig", "RunConfig",
    "TrainConfig", "find_config", "load_config", "parse_config",
]  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
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
    text_length: int = 512
    gradient_checkpointing: bool = False


@dataclass(frozen=True)
class DataConfig:
    """Training pairs.

    Attributes:
        pairs: Manifest (.json) or suite folder with targets, relative to the configuration file.
        style: Expert to train; pairs of other styles are left out.
        resolution: Side of the square that images are resized to.
        cache: Folder for latents and text states; "" keeps them in memory only.
        limit: Use only the first pairs; 0 means all.
    """

    pairs: str = ""
    style: str = ""
    resolution: int = 1024
    cache: str = ""
    limit: int = 0


@dataclass(frozen=True)
class ExpertConfig:
    """Shape of the LoRA; alpha equals the rank."""

    rank: int = 4
    streams: Literal["both", "double", "single"] = "both"
    targets: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0")


@dataclass(frozen=True)
class OptimiserConfig:
    """Optimiser and batch; one step sees ``batch_size * accumulation`` pairs on every process."""

    name: Literal["adamw", "adamw8bit"] = "adamw"
    learning_rate: float = 1e-4
    betas: tuple[float, ...] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 1e-4
    max_grad_norm: float = 1.0
    steps: int = 5000
    batch_size: int = 2
    accumulation: int = 4
    warm_up: int = 0
    schedule: Literal["constant", "cosine"] = "constant"


@dataclass(frozen=True)
class FlowConfig:
    """Flow matching.

    Attributes:
        guidance: Guidance scale that the distilled model is told while training.
        density: Density of noise levels.
        shift: Shift towards noise: sigma -> shift * sigma / (1 + (shift - 1) * sigma).
        edited_weight: Extra weight of tokens inside the mask; weights are normalised to mean 1.
    """

    guidance: float = 1.0
    density: Literal["uniform", "logit_normal"] = "uniform"
    shift: float = 1.0
    edited_weight: float = 0.0


@dataclass(frozen=True)
class AttentionConfig:
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
    focus: float = 0.1
    cover: float = 0.2
    tau: float = 0.1
    alpha: float = 0.0
    layers: tuple[str, ...] = ()
    gate: tuple[float, ...] = (0.0, 1.0)


@dataclass(frozen=True)
class RunConfig:
    """Where and how often to write.

    Attributes:
        out: Run folder, relative to the working directory.
        seed: Base seed; the noise of a sample depends on it, the step and the sample's id alone.
        checkpoint_every: Steps between checkpoints.
        overlay_every: Steps between pictures of where the style token looks; 0 means none.
        overlays: Pairs shown in such a picture.
    """

    out: str = "runs/expert"
    seed: int = 0
    checkpoint_every: int = 250
    overlay_every: int = 250
    overlays: int = 4
    tensorboard: bool = True


@dataclass(frozen=True)
class TrainConfig:
    """All of a training run's choices."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    expert: ExpertConfig = field(default_factory=ExpertConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    flow: FlowConfig = field(default_factory=FlowConfig)
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, ready for JSON."""
        return dataclasses.asdict(self)


def find_config(name: str) -> Path:
    """Return the file of a configuration that comes with the package ("mini"), or the path itself.

    Raises:
        InputError: Neither a file nor one of those names.
    """
    folder = Path(__file__).resolve().parents[1] / "configs"
    known = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if name in known:
        return known[name]
    if not Path(name).is_file():
        raise InputError(
            f'There is no configuration "{name}".{did_you_mean(name, known)} '
            f"Give a TOML file, or one of {', '.join(known)}."
        )
    return Path(name)


def load_config(path: Path, changes: Sequence[str] = (), texts: Mapping[str, str] | None = None) -> TrainConfig:
    """Read a TOML file; ``changes`` ("optimiser.steps=10") win over it.

    Args:
        path: The file.
        changes: Keys with values in TOML, or bare text.
        texts: Keys ("run.out") with values that are text whatever they look like, such as a folder named 2024; these
            win over all else.

    Raises:
        InputError: The file cannot be read, or keys or values are wrong; all problems are listed at once.
    """
    try:
        tables = tomllib.loads(read_text(path))
    # Wider than TOMLDecodeError: whole numbers of thousands of digits, arrays in arrays in arrays.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error
    changed = [_split_change(change) for change in changes]
    changed += [(*key.split(".", 1), text) for key, text in (texts or {}).items()]  # type: ignore[misc]
    for section, key, value in changed:
        table = tables.setdefault(section, {})
        # Else parse_config says what is wrong with it.
        if isinstance(table, dict):
            table[key] = value
    config = parse_config(tables, str(path))
    pairs = config.data.pairs
    own = ("data", "pairs") not in {(section, key) for section, key, _ in changed}
    if pairs and own and not Path(pairs).is_absolute():
        pairs = str(path.parent / pairs)
    return dataclasses.replace(config, data=dataclasses.replace(config.data, pairs=pairs))


def parse_config(tables: Mapping[str, Any], source: str = "configuration") -> TrainConfig:
    """Build a configuration from nested dictionaries.

    Raises:
        InputError: Unknown tables or keys, or values of the wrong type or range.

    Example:
        >>> parse_config({"expert": {"rank": 8}}).expert.rank
        8
    """
    problems: list[str] = []
    parts = {}
    sections = {entry.name: entry.default_factory for entry in dataclasses.fields(TrainConfig)}
    for name, values in tables.items():
        if name not in sections:
            problems.append(f"there is no table [{name}].{did_you_mean(name, sections)}")
        elif not isinstance(values, Mapping):
            problems.append(f"[{name}] must be a table of keys, got {values!r}.")
        else:
            parts[name] = _section(name, typing.cast(type, sections[name]), values, problems)
    if not problems:
        config = TrainConfig(**parts)
        problems += _ranges(config)
    if problems:
        raise InputError(problems, f"{source} cannot be used:")
    return config


def _section(name: str, kind: type, values: Mapping[str, Any], problems: list[str]) -> Any:
    hints = typing.get_type_hints(kind)
    accepted = {}
    for key, value in values.items():
        if key not in hints:
            problems.append(f'[{name}] has no key "{key}".{did_you_mean(key, hints)}')
            continue
        try:
            accepted[key] = _convert(hints[key], value)
        except ValueError as error:
            problems.append(f"[{name}] {key}: {error}, got {value!r}.")
    return kind(**accepted)


def _convert(hint: Any, value: Any) -> Any:
    """Check a value against a type hint."""
    if typing.get_origin(hint) is Literal:
        if value not in typing.get_args(hint):
            raise ValueError("expected one of " + ", ".join(map(repr, typing.get_args(hint))))
        return value
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError("expected a list")
        return tuple(_convert(typing.get_args(hint)[0], entry) for entry in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise ValueError("expected a number below 1e308") from error
    if type(value) is not hint:
        raise ValueError(f"expected {hint.__name__}")
    return value


def _ranges(config: TrainConfig) -> list[str]:
    """Say which values make no sense."""
    checks = [
        (config.expert.rank >= 1, "[expert] rank must be at least 1"),
        (config.optimiser.steps >= 1, "[optimiser] steps must be at least 1"),
        (config.optimiser.batch_size >= 1, "[optimiser] batch_size must be at least 1"),
        (config.optimiser.accumulation >= 1, "[optimiser] accumulation must be at least 1"),
        (config.optimiser.learning_rate > 0, "[optimiser] learning_rate must be above 0"),
        (
            len(config.optimiser.betas) == 2 and all(0 <= beta < 1 for beta in config.optimiser.betas),
            "[optimiser] betas must be two numbers of at least 0 and below 1",
        ),
        (config.optimiser.eps >= 0, "[optimiser] eps must not be negative"),
        (config.optimiser.weight_decay >= 0, "[optimiser] weight_decay must not be negative"),
        (config.data.resolution >= 16, "[data] resolution must be at least 16"),
        (config.data.resolution % 16 == 0, "[data] resolution must be a multiple of 16"),
        (config.data.limit >= 0, "[data] limit must not be negative"),
        (config.optimiser.warm_up >= 0, "[optimiser] warm_up must not be negative"),
        (config.optimiser.max_grad_norm > 0, "[optimiser] max_grad_norm must be above 0"),
        (config.model.text_length >= 1, "[model] text_length must be at least 1"),
        (config.flow.shift > 0, "[flow] shift must be above 0"),
        (config.flow.edited_weight >= 0, "[flow] edited_weight must not be negative"),
        (config.attention.focus >= 0 and config.attention.cover >= 0, "[attention] weights must not be negative"),
        (config.attention.alpha >= 0, "[attention] alpha must not be negative"),
        (config.attention.tau > 0, "[attention] tau must be above 0"),
        (
            len(config.attention.gate) == 2 and 0 <= config.attention.gate[0] < config.attention.gate[1] <= 1,
            "[attention] gate must be two noise levels, 0 <= lowest < highest <= 1",
        ),
        (0 <= config.run.seed < 2**63, "[run] seed must be at least 0 and below 2^63"),
        (config.run.checkpoint_every >= 1, "[run] checkpoint_every must be at least 1"),
        (config.run.overlay_every >= 0, "[run] overlay_every must not be negative"),
        (config.run.overlays >= 1, "[run] overlays must be at least 1; overlay_every = 0 draws none"),
    ]
    return [f"{message}." for holds, message in checks if not holds] + _infinite(config)


def _infinite(config: TrainConfig) -> list[str]:
    """Say which numbers are NaN or infinite, which TOML can write."""
    problems = []
    for table, values in config.to_dict().items():
        for key, value in values.items():
            numbers = [entry for entry in (value if isinstance(value, tuple) else (value,)) if isinstance(entry, float)]
            unlimited = (table, key) == ("optimiser", "max_grad_norm") and value == math.inf
            if not unlimited and not all(map(math.isfinite, numbers)):
                problems.append(f"[{table}] {key} must be finite, got {value}.")
    return problems


def _split_change(change: str) -> tuple[str, str, Any]:
    """Return table, key and value of one "table.key=value"; the value is TOML, or a bare string."""
    path, separator, text = change.partition("=")
    section, dot, key = path.strip().partition(".")
    if not (separator and dot and key):
        raise InputError(f'Cannot read the change "{change}": write it as table.key=value, e.g. optimiser.steps=100.')
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    # Wider than TOMLDecodeError: Python refuses to read whole numbers of thousands of digits.
    except (ValueError, RecursionError):
        value = text.strip()
    return section, key, value

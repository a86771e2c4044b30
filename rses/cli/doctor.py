"""``rses doctor``: is everything here that a protocol needs, and does it give the numbers that are known?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from rses.cli.common import emit, quiet_stdout

OK, ABSENT, FAILED = "ok", "--", "FAILED"
REQUIRED = ("torch", "torchvision", "open_clip_torch", "lpips", "torchmetrics", "pillow", "numpy", "scipy", "datasets")
OPTIONAL = ("diffusers", "transformers", "peft", "accelerate", "ray", "pycocotools")


class Line(NamedTuple):
    """One finding."""

    state: str
    text: str


def doctor(
    protocol: Annotated[
        str | None, typer.Option(help="Also require all that this protocol needs.", metavar="ID")
    ] = None,
    diagram: Annotated[
        Path | None,
        typer.Option(help="CLIP.png of github.com/openai/CLIP, for a known answer.", metavar="FILE"),
    ] = None,
) -> None:
    """Check installation, device, caches, weights and known answers, one line each; exit status 1 if one fails."""
    from rses.protocol import get_protocol

    if protocol is not None:
        # Before anything is imported that takes seconds.
        get_protocol(protocol)
    with quiet_stdout():
        lines = [*_installation(), *_devices(), *_caches(), *_weights(protocol), *_answers(diagram)]
    emit("\n".join(f"{line.state:<8}{line.text}" for line in lines))
    if any(line.state == FAILED for line in lines):
        raise typer.Exit(1)


def _installation() -> Iterator[Line]:
    import rses
    from rses.suites import list_suites

    yield Line(
        OK, f"rses {rses.__version__}, Python {sys.version.split()[0]}, {sys.platform}, {Path(rses.__file__).parent}"
    )
    found, missing = _versions(REQUIRED)
    yield Line(OK, f"packages: {', '.join(found)}")
    if missing:
        yield Line(FAILED, f"packages: {', '.join(missing)} not installed")
    found, missing = _versions(OPTIONAL)
    yield Line(
        OK if found else ABSENT,
        f"optional: {', '.join(found)}" + (f"; without {', '.join(missing)}" if missing else ""),
    )
    suites = list_suites()
    yield Line(OK if suites else FAILED, f"suites: {', '.join(suites) or 'none, the package is incomplete'}")


def _versions(names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    return found, missing


def _devices() -> Iterator[Line]:
    import torch

    yield Line(OK, f"cpu: {torch.get_num_threads()} threads")
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        yield Line(OK, f"cuda:{number}: {facts.name}, {facts.total_memory / 2**30:.0f} GiB")
    if not torch.cuda.is_available():
        yield Line(ABSENT, "cuda: no device, everything runs on the CPU")


def _caches() -> Iterator[Line]:
    from rses.backbones.weights import hub_cache, torch_checkpoints, weights_folders
    from rses.errors import WeightsError

    try:
        own = weights_folders()
    except WeightsError as error:
        yield Line(FAILED, str(error))
        own = []
    for name, folder in [
        *(("RSES_WEIGHTS", folder) for folder in own), ("hub", hub_cache()), ("torch", torch_checkpoints()),
    ]:  # fmt: skip
        yield Line(OK if folder.is_dir() else ABSENT, f"cache {name}: {folder}")


def _weights(protocol: str | None) -> Iterator[Line]:
    from rses.backbones.specs import KNOWN_SPECS, MINI_ID
    from rses.backbones.weights import locate
    from rses.errors import WeightsError
    from rses.protocol import get_protocol

    chosen = None if protocol is None else get_protocol(protocol)
    needed = [] if chosen is None else [chosen.style_backbone, chosen.perceptual_backbone]
    for spec in dict.fromkeys([MINI_ID, *needed, *(KNOWN_SPECS if chosen is None else ())]):
        try:
            files = locate(spec).values()
        except WeightsError as error:
            damaged = "SHA-256" in str(error)
            state = FAILED if spec in needed or damaged else ABSENT
            reason = str(error) if damaged else f"not on this machine; fetch with: rses weights pull {spec}"
            yield Line(state, f"weights {spec}: {reason}")
            continue
        digests = ", ".join(f"{item.path.name} sha256:{item.sha256[:12]}" for item in files)
        yield Line(OK, f"weights {spec}: {digests or f'embedded, sha256:{_embedded()[:12]}'}")


def _embedded() -> str:
    from rses.backbones import load_style

    return load_style("rses-mini").sha256


def _answers(diagram: Path | None) -> Iterator[Line]:
    import numpy as np

    from rses.backbones import DEFAULT_STYLE
    from rses.backbones.known_answers import DIAGRAM, NOISE, clip_on_diagram, lpips_on_noise, present
    from rses.scoring.scorer import RSES

    image, mask = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8), np.zeros((64, 64), bool)
    mask[16:48, 16:48] = True
    same = RSES("rses-mini").score(pred=image, source=image, mask=mask, style="pixel art")
    values = (same.lpips_bg, same.mse_bg, same.ssim_bg, same.rsm_gain)
    yield Line(OK if values == (0, 0, 1, 0) else FAILED, f"answer of rses-mini for an unchanged picture: {values}")
    if not present("lpips:squeeze"):
        yield Line(ABSENT, "answer of lpips:squeeze: needs its weights")
    else:
        found = lpips_on_noise()
        state = OK if abs(found - NOISE) <= 1e-4 else FAILED
        yield Line(state, f"answer of lpips:squeeze for torchmetrics' noise: {found:.4f}, documented {NOISE}")
    if diagram is None or not present(DEFAULT_STYLE):
        yield Line(ABSENT, f"answer of {DEFAULT_STYLE}: needs its weights, and --diagram CLIP.png")
    else:
        shares = clip_on_diagram(diagram)
        near = all(abs(a - b) <= 5e-4 for a, b in zip(shares, DIAGRAM, strict=True))
        text = ", ".join(f"{share:.4f}" for share in shares)
        yield Line(OK if near else FAILED, f"answer of {DEFAULT_STYLE} for its diagram: {text}, documented {DIAGRAM}")

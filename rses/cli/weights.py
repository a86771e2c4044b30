"""``rses weights list | pull | path``: what is on this machine, and the one way to fetch what is not."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import aligned, emit, note
from rses.cli.help import command, group

app = group("List, fetch and locate the weights of the real backbones.")


def list_weights(
    all_models: Annotated[bool, typer.Option("--all", help="Also name every model of open_clip.")] = False,
) -> None:
    """List the usual backbones: whether their weights are on this machine, and where."""
    from rses.backbones.specs import KNOWN_SPECS

    states = {spec: "  ".join(_state(spec)) for spec in KNOWN_SPECS}
    emit(aligned(states.items()))
    if any(state.startswith("missing") for state in states.values()):
        note("Fetch what is missing with: rses weights pull SPEC")
    if all_models:
        for spec in _other_models(KNOWN_SPECS):
            typer.echo(spec)


def pull_weights(
    specs: Annotated[list[str] | None, typer.Argument(help="Backbones, e.g. lpips:alex", metavar="SPEC...")] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Fetch all that this protocol needs.")] = None,
) -> None:
    """Fetch weights into the usual caches and verify their SHA-256. Nothing else downloads."""
    from rses.backbones.download import pull

    for spec in _chosen(specs, protocol):
        files = pull(spec, say=lambda line: typer.echo(line, err=True))
        if not files:
            typer.echo(f"{spec}: embedded in the package, nothing to fetch", err=True)
        for item in files.values():
            typer.echo(f"{item.path}  sha256:{item.sha256}")


def weights_path(
    spec: Annotated[str, typer.Argument(help="Backbone, e.g. lpips:alex", metavar="SPEC")],
) -> None:
    """Print where the weights of a backbone lie, one file per line; an error says what is missing."""
    from rses.backbones.weights import locate

    for item in locate(spec).values():
        typer.echo(str(item.path))


def _chosen(specs: list[str] | None, protocol: str | None) -> list[str]:
    from rses.errors import InputError

    chosen = list(specs or [])
    if protocol is not None:
        from rses.protocol import get_protocol

        settings = get_protocol(protocol)
        chosen += [settings.style_backbone, settings.perceptual_backbone]
    if not chosen:
        raise InputError(
            "Say what to fetch: rses weights pull lpips:alex, or rses weights pull --protocol rses-v1",
            code="missing-option",
        )
    return list(dict.fromkeys(chosen))


def _other_models(known: Sequence[str]) -> list[str]:
    """Name the models of open_clip that can be loaded, without those whose activation or text tower is refused."""
    import open_clip

    from rses.backbones.published import needs
    from rses.errors import WeightsError

    specs = []
    for name, tag in open_clip.list_pretrained():
        spec = f"open_clip:{name}/{tag}"
        with contextlib.suppress(WeightsError):
            if needs(spec) and spec not in known:
                specs.append(spec)
    return specs


def _state(spec: str) -> tuple[str, ...]:
    """Describe a backbone in columns, without reading the files."""
    from rses.backbones.published import needs
    from rses.backbones.weights import find

    wanted = needs(spec)
    if not wanted:
        return ("embedded",)
    found: list[Path] = []
    for need in wanted:
        path = next((path for source in need.sources if (path := find(source))), None)
        if path is None:
            return ("missing ", need.sources[0].label.partition(" of ")[0])
        found.append(path)
    size = sum(path.stat().st_size for path in found) / 1e6
    return ("on disk ", f"{size:7.1f} MB", ", ".join(map(str, found)))


command(app, "list", list_weights, "rses weights list", "rses weights list --all")
command(app, "pull", pull_weights, "rses weights pull --protocol rses-v1", "rses weights pull lpips:alex")
command(app, "path", weights_path, "rses weights path lpips:alex")

"""``rses protocols | metrics | methods | suites``: list, one line each; ``show NAME`` for the card."""

from __future__ import annotations

import json

import typer

__all__ = ["methods", "metrics", "protocols", "suites"]

protocols = typer.Typer(help="Named choices of every knob that changes a number.", invoke_without_command=True)
metrics = typer.Typer(help="What is measured, and which direction is better.", invoke_without_command=True)
methods = typer.Typer(help="Installed editing methods.", invoke_without_command=True)
suites = typer.Typer(help="Embedded benchmark suites.", invoke_without_command=True)


@protocols.callback()
def list_protocols(context: typer.Context) -> None:
    """List protocols."""
    if context.invoked_subcommand is None:
        from rses.protocol import PROTOCOLS

        for protocol in PROTOCOLS.values():
            typer.echo(f"{protocol.id:<18} {protocol.hash}  {protocol.title}")


@protocols.command("show")
def show_protocol(name: str) -> None:
    """Print every knob of a protocol."""
    from rses.protocol import get_protocol

    typer.echo(get_protocol(name).card())


@metrics.callback()
def list_metrics(context: typer.Context) -> None:
    """List metrics."""
    if context.invoked_subcommand is None:
        from rses.metrics_table import METRICS

        for info in METRICS.values():
            arrow = "higher" if info.higher_is_better else "lower"
            mark = "*" if info.ours else " "
            typer.echo(f"{info.name:<14}{mark} {arrow:<7} {info.description}")
        typer.echo("* goes beyond the paper")


@metrics.command("show")
def show_metric(name: str) -> None:
    """Print a metric's definition."""
    from rses.metrics_table import metric_info

    info = metric_info(name)
    better = "higher is better" if info.higher_is_better else "lower is better"
    typer.echo(f"{info.name} ({info.title}): {better}\n{info.description}\n  {info.formula}")
    typer.echo(f"needs: prediction, mask{''.join(', ' + need for need in info.needs)}; reported as {info.aggregate}")


@methods.callback()
def list_methods(context: typer.Context) -> None:
    """List methods."""
    if context.invoked_subcommand is None:
        from rses.methods import get_method, method_names

        for name in method_names():
            card = get_method(name).card
            mask = "mask used" if card.mask_used else "mask-free"
            typer.echo(f"{name:<18} {mask:<10} {card.year or '':<5} {card.title}")


@methods.command("show")
def show_method(name: str) -> None:
    """Print a method's card."""
    from rses.methods import get_method

    typer.echo(json.dumps(get_method(name).card.to_dict(), indent=2, ensure_ascii=False))


@suites.callback()
def list_all_suites(context: typer.Context) -> None:
    """List embedded suites."""
    if context.invoked_subcommand is None:
        from rses.suites import list_suites, load_suite

        for name in list_suites():
            suite = load_suite(name)
            styles = sorted({sample.style for sample in suite.samples})
            typer.echo(f"{name:<10} {len(suite.samples):>4} samples  v{suite.version}  {', '.join(styles)}")


@suites.command("show")
def show_suite(name: str) -> None:
    """Print a suite's card."""
    from rses.suites import load_suite

    suite = load_suite(name)
    typer.echo(f"{suite.name} v{suite.version}, {len(suite.samples)} samples, {suite.licence}\nsha256 {suite.sha256}\n")
    card = suite.root / "README.md"
    if card.is_file():
        typer.echo(card.read_text("utf-8"))

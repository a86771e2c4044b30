"""Help as plain text at the terminal's width: options and commands in groups, plain words for values, examples."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

WIDEST, MANY = 120, 9
"""Columns of a line at the most; options from which on they come in groups."""

_GROUPS = {
    "Scoring": "protocol metrics ignore_band lpips_form region backbone allow_missing allow_resize",
    "Output": "out format report fresh retry_failed page sheet method_name digits intervals against as_json",
    "Computing": "device dtype batch_size workers shard engine shards ray_address gpus",
    "Other": "help version",
}
_GROUP_OF = {name: title for title, names in _GROUPS.items() for name in names.split()}
_METAVARS = {
    "N": "n seed steps workers batch_size samples best worst port previews rescore digits shards limit gpus",
    "NAME": "name device dtype segmenter engine board split mask_key variant model revision protocol",
    "FILE": "annotations classes mapping regions objects sheet weights", "FORMAT": "format", "A,B,C": "styles types",
    "ADDRESS": "ray_address",
}  # fmt: skip
_METAVAR_OF = {name: metavar for metavar, names in _METAVARS.items() for name in names.split()}


class _Plain:
    """What commands and groups of commands share; the rest is typer's."""

    params: list[Any]
    epilog: str | None

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, each value with a plain name."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for item in params:
            if item.metavar is None and not getattr(item, "is_flag", False):
                item.metavar = _METAVAR_OF.get(item.name, "TEXT")
        return params

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words after the command's name."""
        names = [item.metavar for item in self.get_params(ctx) if item.param_type_name == "argument"]
        return ["[OPTIONS]", *names]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, in groups where there are many."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        sections |= {title: [] for title in _GROUPS}
        params = self.get_params(ctx)
        grouped = len(params) >= MANY
        for item in params:
            record = item.get_help_record(ctx)
            if item.param_type_name == "argument":
                sections["Arguments"].append((item.metavar, item.help or ""))
            elif record is not None:
                title = _GROUP_OF.get(item.name, "Options") if grouped else "Options"
                sections[title].append((record[0], _plain_bounds(record[1])))
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples as they are."""
        del ctx
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(_example(line, formatter.current_indent, formatter.width))


class Command(_Plain, TyperCommand):
    """A command whose help is plain text."""


class Group(_Plain, TyperGroup):
    """Commands, listed in groups and with their whole first sentence."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words after the group's name."""
        return [*super().collect_usage_pieces(ctx), "COMMAND"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options."""
        sections: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in self.list_commands(ctx):
            found: Any = self.get_command(ctx, name)
            if not found.hidden:
                sections[getattr(found, "rich_help_panel", None) or "Commands"].append(
                    (name, found.get_short_help_str(limit=1000))
                )
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)
        super().format_options(ctx, formatter)


def group(about: str, *examples: str, bare: bool = False) -> typer.Typer:
    """Return an app without commands."""
    return typer.Typer(
        cls=Group, help=about, epilog="\n".join(examples), no_args_is_help=not bare, invoke_without_command=bare,
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    )  # fmt: skip


def command(app: typer.Typer, name: str, run: Callable[..., Any], *examples: str, part: str | None = None) -> None:
    """Add a command."""
    app.command(name, cls=Command, epilog="\n".join(examples), rich_help_panel=part)(run)


def _example(line: str, indent: int, width: int) -> str:
    r"""Return a line to type, broken before options as a shell reads it.

    Example:
        >>> print(_example("rses score --pred edits/ --suite mini", 2, 32), end="")
          rses score --pred edits/ \
            --suite mini
    """
    lines = [""]
    for part in re.split(" (?=--)", line):
        if lines[-1] and indent + len(lines[-1]) + len(part) + 3 > width:
            lines.append(f"  {part}")
        else:
            lines[-1] += f" {part}" if lines[-1] else part
    return " \\\n".join(" " * indent + text for text in lines) + "\n"


def _plain_bounds(text: str) -> str:
    """Say in words what typer says of numbers.

    Example:
        >>> _plain_bounds("Threads.  [default: 2; x>=0]"), _plain_bounds("Share.  [0<=x<=200]")
        ('Threads.  [default: 2; at least 0]', 'Share.  [0 to 200]')
    """
    text = re.sub(r"([\d.]+)<=x<=([\d.]+)", r"\1 to \2", text)
    return re.sub(r"x>=([\d.]+)", r"at least \1", text)

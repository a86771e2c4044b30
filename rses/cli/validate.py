"""``rses validate``: how far the numbers of a protocol can be trusted."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.beforehand import require_numbers, require_weights_of
from rses.cli.common import emit, note, progress, quiet_stdout, terminal
from rses.cli.options import Device
from rses.cli.options import Protocol as ProtocolId
from rses.files.places import require_apart

__all__ = ["validate"]

PAGE = "validity.html"


class Shown(str, Enum):
    """How the findings are printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


def validate(
    protocol: ProtocolId = "rses-v1",
    suite: Annotated[str, typer.Option(help="Gives pictures and regions.", metavar="NAME|DIR")] = "photos",
    limit: Annotated[
        int, typer.Option(help="Use only so many samples, evenly spread; 0 for all.", min=0, metavar="N")
    ] = 8,
    out: Annotated[Path | None, typer.Option(help="Folder for validity.html and validity.json.", metavar="DIR")] = None,
    format: Annotated[Shown, typer.Option(help="How the findings are printed.")] = Shown.table,
    device: Device = "auto",
) -> None:
    """Try a protocol on edits of which it is known what each column should make of them.

    Ladders of ever stronger edits and damage, nuisances that are no style, and renderings that no encoder of ours was
    trained with. About a minute for eight samples with the embedded weights on two cores.
    """
    require_numbers(device, "auto")
    with progress("Validating") as update, quiet_stdout():
        from rses.pages.html import refuse_other_file, write_page
        from rses.protocol import get_protocol
        from rses.suites import load_suite

        rules = get_protocol(protocol)
        loaded = load_suite(suite)
        if out is not None:
            require_apart(out, {"the suite": loaded.root})
            refuse_other_file(out / PAGE)
        require_weights_of(rules)
        from rses.validate.run import validate as run  # imports torch: only now, so that wrong names are found at once
        from rses.validate.show import to_markdown, to_page, to_text

        found = run(protocol, loaded, limit=limit or None, device=device, progress=update)
        content = json.dumps(found.to_dict(), indent=1, ensure_ascii=True, allow_nan=False) + "\n"
        if out is not None:
            from rses.files.atomic import write_atomic

            write_page(out / PAGE, to_page(found))
            write_atomic(out / "validity.json", content.encode())
            note(f"{out / PAGE} written")
        text = (
            content if format is Shown.json
            else to_markdown(found) if format is Shown.markdown
            else to_text(found, *terminal())
        )  # fmt: skip
    emit(text)

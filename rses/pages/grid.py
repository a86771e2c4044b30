r"""One table as Markdown, LaTeX, HTML, CSV or text for a terminal.

A cell is text, or :class:`Value` where more is to be said; text is escaped for the format. ``Raw`` is passed through.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rses.files.escape import clean, escape_csv, escape_latex, escape_markdown

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["MIN_WIDTH", "BOOKTABS", "Grid", "Raw", "Value", "columns_of", "latex_heading", "printed"]

MIN_WIDTH = 40
BOOKTABS = "needs \\usepackage{booktabs}"


class Raw(str):
    """Text that is already written in its format."""

    __slots__ = ()


@dataclass(frozen=True)
class Value:
    """A number of a table: ``small`` stands beside it, the best is bold and the second underlined.

    Attributes:
        text: The number.
        small: Its interval or spread.
        place: 1 for the best, 2 for the second of its column.
        style: How a terminal shows it, in the words of rich.
        mark: "+" or "−" above it, in Markdown and LaTeX: better or worse than another.
    """

    text: str
    small: str = ""
    place: int | None = None
    style: str = ""
    mark: str = ""


Cell = str | Value


@dataclass(frozen=True)
class Grid:
    r"""A table before any format.

    Attributes:
        header: Titles of the columns.
        rows: Cells; a row that is a single string is the title of those below it, in LaTeX.
        align: "l" or "r" for each column; by default all but the first are to the right.

    Example:
        >>> grid = Grid(["method", "MSE_bg"], [["a|b", Value("0.5", "[0.4, 0.6]", place=1)]])
        >>> print(grid.markdown())
        | method | MSE\_bg |
        |:---|---:|
        | a\|b | **0.5** \[0.4, 0.6\] |
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    align: str = ""

    @property
    def _align(self) -> str:
        return self.align or "l" + "r" * (len(self.header) - 1)

    @property
    def texts(self) -> list[list[str]]:
        """The rows as plain text."""
        return [[cell.text if isinstance(cell, Value) else cell for cell in row] for row in self.rows]

    def markdown(self) -> str:
        """Return the lines of a Markdown table, without a line break at their end."""
        lines = [self.header, *self.rows]
        texts = ["| " + " | ".join(map(_markdown, line)) + " |" for line in lines]
        texts.insert(1, "|" + "".join(":---|" if side == "l" else "---:|" for side in self._align))
        return "\n".join(texts)

    def latex(
        self,
        title: str,
        notes: Sequence[str] = (),
        *,
        needs: str = BOOKTABS,
        small: str = "beside",
        text: Callable[[object], str] = escape_latex,
        comments: Sequence[str] = (),
        caution: str = "",
    ) -> str:
        """Return a booktabs table.

        Args:
            title: Comment above it.
            notes: Comments below it.
            needs: Comment on the packages, and on a second title.
            small: Where intervals stand: "beside" their number, "below" it or "none".
            text: Escapes text.
            comments: One beside each row.
            caution: Line below the table that is printed with it.
        """
        lines = [f"% {clean(title)}", *(f"% {line}" for line in needs.split("\n"))]
        lines += [f"\\begin{{tabular}}{{{self._align}}}", "\\toprule"]
        lines.append(
            _latex_line([title if isinstance(title, Raw) else latex_heading(title, text) for title in self.header])
        )
        if not any(isinstance(row, str) for row in self.rows):
            lines.append("\\midrule")
        for number, row in enumerate(self.rows):
            if isinstance(row, str):
                lines += ["\\midrule", f"\\multicolumn{{{len(self.header)}}}{{l}}{{\\emph{{{text(row)}}}}} \\\\"]
                continue
            line = _latex_line([_latex(cell, text, small == "beside") for cell in row])
            lines.append(f"{line} % {clean(comments[number])}" if comments else line)
            below = [_latex_small(cell, text) for cell in row]
            if small == "below" and any(below):
                lines.append(_latex_line(below))
        lines.append("\\bottomrule")
        if caution:
            lines.append(f"\\multicolumn{{{len(self.header)}}}{{l}}{{\\emph{{{text(caution)}}}}} \\\\")
        lines += ["\\end{tabular}", *(f"% {clean(note)}" for note in notes)]
        return "\n".join(lines) + "\n"

    def html(self, caption: str) -> str:
        """Return the lines of an HTML table, to be pasted into a page."""
        from rses.pages.html import render_page

        return render_page("table.html", caption=caption, header=self.header, rows=self.rows)

    def csv(self) -> str:
        r"""Return CSV; text is guarded against formulas, ``None`` is an empty cell, numbers keep full precision.

        Example:
            >>> Grid(["a", "b"], [["=x", 0.5], [None, -1.0]]).csv()
            "a,b\n'=x,0.5\n,-1.0\n"
        """
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        for line in (self.header, *self.rows):
            writer.writerow([escape_csv(value) if isinstance(value, str) else value for value in line])
        return stream.getvalue()

    def terminal(self, color: bool, *, wrap: bool = False, grouped: bool = False) -> Table:
        """Return a table of rich; without colour, the best value is marked with ``*``.

        Args:
            color: Whether styles are shown.
            wrap: Let long cells go on in another line.
            grouped: Draw a line where the text of the first column changes.
        """
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title, side in zip(self.header, self._align, strict=True):
            table.add_column(title, justify="left" if side == "l" else "right", no_wrap=not wrap)
        for number, row in enumerate(self.rows):
            if grouped and number and row[0] != self.rows[number - 1][0]:
                table.add_section()
            table.add_row(*(_rich(cell, color) for cell in row))
        return table


def _markdown(cell: Cell) -> str:
    if not isinstance(cell, Value):
        return cell if isinstance(cell, Raw) else escape_markdown(cell)
    before, after = {1: ("**", "**"), 2: ("<ins>", "</ins>")}.get(cell.place or 0, ("", ""))
    mark = f"<sup>{cell.mark}</sup>" if cell.mark else ""
    return f"{before}{escape_markdown(cell.text)}{after}{mark} {escape_markdown(cell.small)}".strip()


def _latex_line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex(cell: Cell, text: Callable[[object], str], beside: bool) -> str:
    if not isinstance(cell, Value):
        return cell if isinstance(cell, Raw) else text(cell)
    value = "--" if cell.text == "-" else text(cell.text)
    value = {1: f"\\textbf{{{value}}}", 2: f"\\underline{{{value}}}"}.get(cell.place or 0, value)
    value += f"$^{{{cell.mark.replace('−', '-')}}}$" if cell.mark else ""
    # The space, for a bracket within a line needs no protection.
    return f"{value} {{\\scriptsize {text(' ' + cell.small).lstrip()}}}" if beside and cell.small else value


def _latex_small(cell: Cell, text: Callable[[object], str]) -> str:
    return f"{{\\scriptsize {text(cell.small.strip())}}}" if isinstance(cell, Value) and cell.small else ""


def latex_heading(title: object, text: Callable[[object], str] = escape_latex) -> str:
    r"""Return the heading of a metric, whose background is a subscript.

    Example:
        >>> print(latex_heading("MSE_bg ↓"))
        MSE\textsubscript{bg} $\downarrow$
    """
    return text(title).replace("\\_bg", "\\textsubscript{bg}")


def _rich(cell: Cell, color: bool) -> Text:
    from rich.text import Text

    if not isinstance(cell, Value):
        return Text(clean(cell))
    best = cell.place == 1
    value = Text(clean(cell.text) + ("*" if best and not color else ""), style="bold" if best else cell.style)
    return Text.assemble(value, (f"\n{cell.small}", "dim")) if cell.small else value


def columns_of(part: Text | Table) -> int:
    """Return the width that a table needs to be printed whole; 0 for text, which may wrap."""
    from rich.console import Console
    from rich.text import Text

    return 0 if isinstance(part, Text) else Console(width=10_000, file=io.StringIO()).measure(part).maximum


def printed(parts: Sequence[Text | Table], width: int, color: bool) -> str:
    """Print ``parts`` into a string: no trailing blanks, one empty line around every table.

    A table wider than ``width`` runs past it: lines that wrap can be read, numbers that are cut cannot.
    """
    return "\n".join(_print(part, width, color) for part in parts).strip("\n") + "\n"


def _print(part: Text | Table, width: int, color: bool) -> str:
    from rich.console import Console
    from rich.text import Text

    stream = io.StringIO()
    console = Console(
        file=stream, width=max(MIN_WIDTH, width, columns_of(part)), force_terminal=color,
        color_system="standard" if color else None, highlight=False, legacy_windows=False,
    )  # fmt: skip
    console.print(part, soft_wrap=isinstance(part, Text))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    text = "\n".join(line for line in lines if line)
    return text if isinstance(part, Text) else f"\n{text}\n"

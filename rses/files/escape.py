"""Untrusted text made safe for each output format.

Names of files, methods and styles come from other people's folders; none of them may run a formula in a
spreadsheet, a command in LaTeX or an escape sequence in a terminal. Pages escape by their templates.
"""

from __future__ import annotations

import unicodedata

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "°": r"$^\circ$",
    "†": r"$^\dagger$",
    "–": "--",
    "±": r"$\pm$",
    "·": r"\textperiodcentered{}",
}
_MARKDOWN = "\\`*_[]<>|~#$&!"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Right-to-left overrides and their kin can make a name read as another one.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(value: object) -> str:
    r"""Return one printable line: line breaks become spaces, control characters a replacement mark.

    Example:
        >>> clean("a\nb"), clean("red\x1b[31m") == "red\ufffd[31m"
        ('a b', True)
    """
    return "".join(map(_printable, str(value)))


def _printable(char: str) -> str:
    if char in "\n\r\t\v\f\u2028\u2029\x85":
        return " "
    if unicodedata.category(char) in ("Cc", "Cs") or char in _DIRECTION:
        return "\ufffd"
    return char


def escape_csv(value: object) -> str:
    """Return text that no spreadsheet takes for a formula; quoting is the CSV writer's job.

    Source: https://owasp.org/www-community/attacks/CSV_Injection

    Example:
        >>> escape_csv("=1+1"), escape_csv("pixel art")
        ("'=1+1", 'pixel art')
    """
    text = str(value)
    return f"'{clean(text)}" if text.lstrip(" ").startswith(_FORMULA) else clean(text)


def escape_latex(value: object) -> str:
    r"""Return text that LaTeX typesets as written.

    Example:
        >>> print(escape_latex("50% of a_b & {c}"))
        50\% of a\_b \& \{c\}
        >>> escape_latex("[1pt] x")
        '{[}1pt] x'
    """
    text = "".join(_LATEX.get(char, char) for char in clean(value))
    # At the start of a row the end of the row before it would take these for an argument of its own.
    return f"{{{text[0]}}}{text[1:]}" if text.startswith(("[", "*")) else text


def escape_markdown(value: object) -> str:
    r"""Return text that Markdown shows as written, also inside a table.

    Example:
        >>> print(escape_markdown("a|b *c*"))
        a\|b \*c\*
    """
    return "".join(f"\\{char}" if char in _MARKDOWN else char for char in clean(value))

"""Pages of which one part is made by a program."""

from __future__ import annotations

import pytest

from rses.errors import InputError
from rses.report.marked import marks, replace_marked
from tests.helpers.refusals import refused

BEGIN, END = marks("study")


def test_what_stands_between_the_marks_is_replaced_and_the_page_itself_is_left(tmp_path):
    page = tmp_path / "page.md"
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    page.write_text(text)
    assert replace_marked(page, "study", "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert page.read_text() == text


@pytest.mark.parametrize("text", ["no marks", f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_pages_without_the_marks_are_refused(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with refused(InputError, "missing-key", "page.md"):
        replace_marked(page, "study", "new")


def test_a_missing_page_is_named(tmp_path):
    with refused(InputError, "unreadable"):
        replace_marked(tmp_path / "none.md", "study", "new")

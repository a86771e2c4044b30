"""Published numbers in files that are no tables of them."""

from __future__ import annotations

import pytest

from rses.errors import InputError
from rses.leaderboard.published import COLUMNS, read_published


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a,b\n", (",".join(COLUMNS) + "\n" + "x" * 200_000).encode()])
def test_files_that_cannot_be_used_are_input_errors(tmp_path, content):
    path = tmp_path / "published.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"published\.csv"):
        read_published(path)

"""A method of one's own without a package: a file, or a module in the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from rses.errors import RsesError
from rses.methods import MethodCard, get_method

CODE = """
from rses.methods import Edited

class Mine:
    card = {"name": "mine-alone"}

    def load(self, device, dtype):
        pass

    def edit(self, batch):
        return [Edited(sample.image) for sample in batch]
"""


@pytest.mark.parametrize("name", ["my_only_method.py:Mine", "{folder}/my_only_method.py:Mine", "my_only_method:Mine"])
def test_file_and_module_of_the_current_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "my_only_method.py").write_text(CODE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "my_only_method", raising=False)
    card = get_method(name.format(folder=tmp_path)).card
    assert (card.name, card.title, card.mask_used) == ("mine-alone", "mine-alone", None)


def test_a_name_alone_is_a_card(tmp_path: Path):
    (tmp_path / "named.py").write_text(CODE.replace('{"name": "mine-alone"}', '"mine-alone"'), "utf-8")
    method = get_method(f"{tmp_path}/named.py:Mine")
    assert method.card == MethodCard("mine-alone")


def test_keys_that_no_card_has_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "wrong.py").write_text(CODE.replace('"name": "mine-alone"', '"nmae": "x"'), "utf-8")
    with pytest.raises(RsesError, match="nmae"):
        get_method(f"{tmp_path}/wrong.py:Mine")


@pytest.mark.parametrize("name", ["absent.py:Mine", "my_only_method.py:Other", "absent_module:Mine"])
def test_what_is_not_there_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "my_only_method.py").write_text(CODE, "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RsesError, match="file.py:Class"):
        get_method(name)

"""A broken layout file never keeps the window from opening."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from app.gui.window_memory import WindowMemory


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    memory = WindowMemory(tmp_path / "window.json")
    memory.keep_bytes("window", QByteArray(b"\x00\x01state"))
    memory.keep_text("page", "rig")
    memory.save()
    again = WindowMemory(tmp_path / "window.json")
    assert again.bytes("window") == QByteArray(b"\x00\x01state")
    assert again.text("page") == "rig"


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "null", '"x"', "\x00\xff"])
@pytest.mark.expects_warnings
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "window.json").write_text(content, encoding="latin-1")
    memory = WindowMemory(tmp_path / "window.json")
    assert memory.bytes("window") is None
    assert memory.text("page", "dream") == "dream"


@pytest.mark.expects_warnings
def test_a_broken_key_is_dropped_and_the_others_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "window.json").write_text(json.dumps({"window": "%%%", "page": "rig", "body": 7}))
    memory = WindowMemory(tmp_path / "window.json")
    assert memory.bytes("window") is None
    assert memory.bytes("body") is None
    assert memory.text("page") == "rig"
    assert "body" in caplog.text


@pytest.mark.expects_warnings
def test_a_folder_that_cannot_be_written_does_not_keep_the_window_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = WindowMemory(tmp_path / "file" / "window.json")
    memory.keep_text("page", "rig")
    memory.save()

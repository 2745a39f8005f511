"""Preferences never keep the program from starting, and nothing of a person's is lost silently."""

import os
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.setting_rows import ROWS, SETTINGS
from app.settings import Settings, ledger_file, load_settings, read_settings, save_settings
from app.workspace import WorkspaceError, open_workspace
from models.data.text_files import to_toml

many = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]))
plain = st.one_of(st.text(st.characters(codec="utf-8")), st.integers(), st.floats(), st.booleans(), st.lists(words))
keys = st.one_of(words, st.sampled_from([row.key.split(".")[1] for row in SETTINGS]))
sections = st.one_of(words, st.sampled_from(sorted({row.section for row in SETTINGS} | {"shortcuts"})))


def _valid(settings: Settings) -> bool:
    return not any(ROWS[row.name].problem(settings.value(row.name)) for row in SETTINGS)


def test_every_preference_has_one_row_and_its_default() -> None:
    assert set(ROWS) | {"shortcuts"} == {f.name for f in fields(Settings)}
    assert [row.name for row in SETTINGS if getattr(Settings(), row.name) != row.default] == []


@many
@given(person=words, rig=words, speed=st.floats(0.02, 0.25), shortcuts=st.dictionaries(words, words))
def test_settings_come_back(tmp_path: Path, person: str, rig: str, speed: float, shortcuts: dict[str, str]) -> None:
    saved = Settings(person=person, rig=rig, tip_speed=speed, shortcuts=shortcuts, theme="contrast")
    assert save_settings(tmp_path / "settings.toml", saved) == ""
    assert read_settings(tmp_path / "settings.toml") == (saved, ())


@many
@given(content=st.binary(max_size=300))
def test_no_file_however_broken_keeps_the_program_from_starting(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    settings, problems = read_settings(path)
    assert _valid(settings)
    kept = [file.read_bytes() for file in tmp_path.iterdir()]
    assert content in kept
    assert problems or settings == Settings()


@many
@given(table=st.dictionaries(sections, st.one_of(plain, st.dictionaries(keys, plain, max_size=4)), max_size=5))
def test_whatever_stands_in_the_file_only_good_values_are_used(tmp_path: Path, table: dict[str, object]) -> None:
    path = tmp_path / "settings.toml"
    text = to_toml(table)
    path.write_text(text, encoding="utf-8", newline="\n")
    settings, problems = read_settings(path)
    assert _valid(settings)
    before = set(tmp_path.iterdir())
    save_settings(path, settings)
    assert read_settings(path) == (settings, ())
    new = [file.read_text(encoding="utf-8") for file in set(tmp_path.iterdir()) - before]
    assert new == ([text] if problems else [])


@pytest.mark.expects_warnings
def test_a_broken_file_is_set_aside_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "settings.toml"
    for content in ("person = ", "rig = "):
        path.write_text(content)
        assert load_settings(path) == Settings()
    assert (tmp_path / "settings.toml.broken").read_text() == "person = "
    assert (tmp_path / "settings.toml.broken-2").read_text() == "rig = "
    assert not path.exists()
    assert "set aside" in caplog.text


def test_a_broken_key_is_dropped_by_name_and_the_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        '[general]\nperson = 7\nmood = "good"\n[devices]\nrig = "lab.toml"\n[safety]\ntip_speed = 9.0\n'
        '[appearance]\ntheme = "pink"\n[shortcuts]\n"dream.plan" = 3\n"dream.box" = "K"\n'
    )
    settings, problems = read_settings(path)
    assert settings == Settings(rig="lab.toml", shortcuts={"dream.box": "K"})
    for key in ("general.person", "general.mood", "safety.tip_speed", "appearance.theme", "shortcuts.dream.plan"):
        assert sum(problem.startswith(f"{path}: {key}") for problem in problems) == 1


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling link"])
def test_what_is_no_file_at_all_does_not_block_the_start(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "settings.toml"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "dangling link": lambda: path.symlink_to("x")}[kind]()
    assert read_settings(path)[0] == Settings()


@pytest.mark.expects_warnings
def test_a_folder_that_cannot_be_written_is_said_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    save_settings(path, Settings(person="anna"))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in save_settings(path, Settings(person="ben"))
    assert load_settings(path) == Settings(person="anna")
    assert [file.name for file in tmp_path.iterdir()] == ["settings.toml"]
    assert "not saved" in save_settings(tmp_path / "nowhere" / "settings.toml", Settings())


def test_a_value_that_is_refused_names_key_value_and_what_is_valid() -> None:
    with pytest.raises(ValueError, match=r"safety.tip_speed: 3.0 is out of bounds; valid: 0.02 to 0.25 m/s"):
        Settings().with_value("tip_speed", 3.0)
    with pytest.raises(ValueError, match=r"appearance.theme: 'pink' is unknown; valid: .*'dark'"):
        Settings().with_value("theme", "pink")


def test_window_and_verbs_share_the_ledger_that_the_settings_name(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "ws")
    assert ledger_file(workspace) == workspace.ledger
    save_settings(workspace.settings, Settings(ledger=str(tmp_path / "lab.sqlite")))
    assert ledger_file(workspace) == tmp_path / "lab.sqlite"


def test_a_workspace_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="--workspace"):
        open_workspace(tmp_path / "file" / "below")
    assert open_workspace(tmp_path / "new").dreams.is_dir()

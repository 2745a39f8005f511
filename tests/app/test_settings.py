"""Preferences never keep the program from starting."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.settings import Settings, load_settings, save_settings
from app.workspace import WorkspaceError, open_workspace


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(person=st.text(st.characters(codec="utf-8")), rig=st.text(st.characters(codec="utf-8")))
def test_settings_come_back(tmp_path: Path, person: str, rig: str) -> None:
    saved = Settings(person=person, rig=rig)
    save_settings(tmp_path / "settings.toml", saved)
    assert load_settings(tmp_path / "settings.toml") == saved


@pytest.mark.expects_warnings
def test_a_broken_file_is_set_aside_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("person = ")
    assert load_settings(path) == Settings()
    assert (tmp_path / "settings.toml.broken").read_text() == "person = "
    assert not path.exists()
    assert "set aside" in caplog.text


@pytest.mark.expects_warnings
def test_a_broken_key_is_dropped_and_the_others_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "settings.toml").write_text('person = 7\nrig = "lab.toml"\nmood = "good"\n')
    assert load_settings(tmp_path / "settings.toml") == Settings(rig="lab.toml")
    assert "mood" in caplog.text
    assert "person" in caplog.text


def test_a_workspace_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="--workspace"):
        open_workspace(tmp_path / "file" / "below")
    assert open_workspace(tmp_path / "new").dreams.is_dir()

"""Preferences are kept at every change, and can make the rules of motion stricter, never looser."""

from dataclasses import fields
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.preferences import Preferences
from app.setting_rows import SETTINGS
from app.settings import Settings, load_settings, save_settings
from app.window_start import rig_file, stricter, window_rig, window_workspace
from hardware.rig import SafetyConfig, load_rig

LOWER = {"tip_speed", "first_run_tip_speed", "tip_acceleration", "max_force"}
number = st.one_of(st.just(0.0), st.floats(0.0, 1e6, allow_nan=False))


def test_a_change_is_on_the_disk_at_once_and_told(tmp_path: Path) -> None:
    preferences, told = Preferences(tmp_path / "settings.toml", tmp_path / "settings.toml"), []
    preferences.on_change(told.append)
    preferences.set("theme", "light")
    preferences.set("theme", "light")
    assert load_settings(tmp_path / "settings.toml").theme == "light"
    preferences.reset("theme")
    preferences.set_shortcut("dream.plan", "Ctrl+P")
    assert load_settings(tmp_path / "settings.toml") == Settings(shortcuts={"dream.plan": "Ctrl+P"})
    preferences.set_shortcut("dream.plan", None)
    assert load_settings(tmp_path / "settings.toml") == Settings()
    assert told == ["theme", "theme", "shortcuts", "shortcuts"]
    assert preferences.waiting == ()


def test_what_waits_for_a_restart_is_known_until_it_is_changed_back(tmp_path: Path) -> None:
    preferences = Preferences(tmp_path / "settings.toml", tmp_path / "settings.toml")
    preferences.set("rig", "lab.toml")
    assert preferences.waiting == ("rig",)
    preferences.reset("rig")
    assert preferences.waiting == ()


def test_the_chosen_workspace_is_written_where_the_next_start_looks_for_it(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    preferences = Preferences(other / "settings.toml", home / "settings.toml")
    preferences.set("workspace", str(other))
    assert window_workspace(home)[0].root == other
    again = Preferences(other / "settings.toml", home / "settings.toml")
    again.set("person", "anna")
    assert again.settings.workspace == str(other)
    assert load_settings(other / "settings.toml") == Settings(person="anna")


def test_a_chosen_workspace_that_is_gone_does_not_block_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    home = tmp_path / "home"
    window_workspace(home)
    save_settings(home / "settings.toml", Settings(workspace=str(tmp_path / "file" / "below")))
    workspace, notice = window_workspace(home)
    assert workspace.root == home
    assert str(tmp_path / "file" / "below") in notice


def test_a_broken_rig_file_of_the_settings_opens_the_simulated_one_and_says_where_it_broke(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text('name = "lab"\n[table]\nsize = [1.0]\n[safety]\n')
    rig, notice = window_rig(Settings(rig="lab.toml", rig_folder=str(tmp_path)))
    assert rig.simulated
    assert f"{tmp_path / 'lab.toml'}: line 3: table.size" in notice
    assert window_rig(Settings())[1] == ""
    assert rig_file(Settings(rig="/etc/lab.toml", rig_folder="/home")) == Path("/etc/lab.toml")


@hypothesis_settings(max_examples=200, deadline=None)
@given(values=st.fixed_dictionaries({row.name: number for row in SETTINGS if row.section == "safety"}))
def test_no_preference_makes_a_limit_looser(values: dict[str, float]) -> None:
    rig = load_rig()
    kept = stricter(rig, Settings(**values)).safety
    for name in (f.name for f in fields(SafetyConfig)):
        was, now = getattr(rig.safety, name), getattr(kept, name)
        if name in LOWER:
            assert now <= was
        elif name == "min_tip_height":
            assert now >= was
        else:
            assert np.array_equal(now, was)
    assert kept.first_run_tip_speed <= kept.tip_speed


def test_a_stricter_limit_reaches_the_rig_that_the_window_drives() -> None:
    rig = stricter(load_rig(), Settings(tip_speed=0.05, min_tip_height=0.02))
    assert (rig.safety.tip_speed, rig.safety.first_run_tip_speed, rig.safety.min_tip_height) == (0.05, 0.05, 0.02)

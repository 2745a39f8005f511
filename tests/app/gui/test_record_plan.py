"""The plan on page Record: what the next take is sampled from, and that it is in use again at the next start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.plan_words import read_plan_words
from app.workspace import open_workspace
from tests.app.gui.test_record import Stage


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(open_workspace(tmp_path))
    stage.cameras_on()
    yield stage
    stage.close()


def fill(stage: Stage, **words: str) -> None:
    for title, word in words.items():
        (field,) = [f for f in stage.page.plan.findChildren(QLineEdit) if f.accessibleName() == f"Plan: {title}"]
        field.setText(word)


def push(stage: Stage, text: str) -> None:
    (knob,) = [b for b in stage.page.plan.findChildren(QPushButton) if b.text() == text]
    knob.click()
    stage.look_on(0.05)


def test_takes_are_sampled_from_a_plan_until_it_is_stopped_and_it_is_remembered(
    stage: Stage, tmp_path: Path
) -> None:
    fill(stage, Tasks="pour", Objects="cup, bowl", Instruction="fill the {object}", Goal="12")
    push(stage, "Sample from this plan")
    first = stage.session.choice
    assert (first.task, first.instruction) == ("pour", f"fill the {first.object}")
    assert stage.session.goal == 12
    stage.take()
    stage.session.keep()
    stage.state("idle")
    assert {first.object, stage.session.choice.object} == {"cup", "bowl"}, "what was recorded least comes next"
    assert read_plan_words(tmp_path / "recording_plan.json").used
    stage.recording.turn_off()
    stage.recording.open()
    stage.until(lambda: stage.recording.devices == "on")
    assert stage.session.choice.object != first.object
    push(stage, "Stop sampling")
    assert not read_plan_words(tmp_path / "recording_plan.json").used


def test_a_plan_without_a_task_says_so_and_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    before = stage.session.choice
    fill(stage, Tasks=" , ", Objects="cup")
    push(stage, "Sample from this plan")
    assert stage.session.choice == before
    assert not (tmp_path / "recording_plan.json").exists()
    said = [shown.text() for shown in stage.page.plan.findChildren(QLabel)]
    assert any(text.startswith("plan: tasks: there are none") for text in said)

"""The plan on page Record: what the next take is sampled from, and that it is in use again at the next start."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.recording.plan import Choice
from app.recording.plan_words import read_plan_words
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


def test_a_plan_without_a_task_says_so_and_the_one_before_goes_on(stage: Stage, tmp_path: Path) -> None:
    fill(stage, Tasks="pour", Objects="cup, bowl")
    push(stage, "Sample from this plan")
    before, file = stage.session.choice, (tmp_path / "recording_plan.json").read_bytes()
    fill(stage, Tasks=" , ", Objects="plate")
    push(stage, "Sample from this plan")
    said = [shown.text() for shown in stage.page.plan.findChildren(QLabel)]
    assert any(text.startswith("plan: tasks: there are none") for text in said)
    assert (tmp_path / "recording_plan.json").read_bytes() == file
    assert stage.session.choice == before
    stage.take()
    stage.session.keep()
    stage.state("idle")
    assert {before.object, stage.session.choice.object} == {"cup", "bowl"}


def test_on_a_simulated_table_the_next_take_is_of_what_lies_there(stage: Stage) -> None:
    laid = Choice("push-shape", "letter K", "table 1", "push the letter K")
    table = SimpleNamespace(
        busy=False, shown=False, tasks=("push-shape",), task="push-shape", laid=laid, shown_by="nobody",
        close=lambda: None,
    )  # fmt: skip
    stage.recording.table = table  # type: ignore[assignment]
    fill(stage, Tasks="push-shape, pour")
    push(stage, "Sample from this plan")
    assert stage.session.choice.task != "push-shape", "a task that the rig cannot lay is refused"
    fill(stage, Tasks="push-shape")
    push(stage, "Sample from this plan")
    assert stage.session.choice == laid

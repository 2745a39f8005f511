"""Page Train by keys alone, over jobs that are only written down: what is shown, asked, queued and told."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from app.gui.actions import ActionBoard
from app.gui.binders.binder import Shell
from app.gui.binders.train import TrainBinder
from app.gui.binders.train_form import TrainFormBinder
from app.jobs.desk import JobsDesk
from app.jobs.kinds import KINDS
from app.jobs.types import JobError, JobRecord, JobSpec, Machine, Slots, State
from app.training.draft import Draft
from app.training.order import cloned_config, train_spec
from app.training.watch import Wish
from app.workspace import open_workspace
from models.training.config import TrainConfig
from tests.app.training.runs import draw, new_run, note, sheet
from tests.models.data.sessions import new_session
from widgets.pages.train import TRAIN_ACTIONS, TrainPage

NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
CONFIG = Draft.of(TrainConfig()).edit("train.steps", "400").edit("gallery.every", "100").config


class WrittenJobs:
    """The facade over no jobs at all: it notes what it is asked for and changes its list."""

    kinds = KINDS

    def __init__(self) -> None:
        self.list: list[JobRecord] = []
        self.asked: list[tuple[str, str]] = []
        self.submitted: list[JobSpec] = []

    def records(self) -> tuple[JobRecord, ...]:
        return tuple(self.list)

    def machine(self) -> Machine:
        return Machine(4, 3.2, 8 * 10**9, 3 * 10**9)

    def slots(self) -> Slots:
        return Slots(0, 1)

    def wake(self) -> None:
        pass

    def close(self) -> None:
        pass

    def submit_all(self, specs: list[JobSpec]) -> list[str]:
        self.submitted += specs
        for spec in specs:
            number = f"{len(self.list) + 1:04d}"
            self.list.insert(0, JobRecord(number, Path("/jobs") / number, spec, "queued"))
        return [self.list[0].id]

    def pause(self, id: str) -> None:
        self.asked.append(("pause", id))
        self.become(id, "paused")

    def resume(self, id: str) -> None:
        self.asked.append(("resume", id))
        self.become(id, "running")

    def cancel(self, id: str, *, now: bool = False) -> None:
        self.asked.append(("cancel", id))
        self.become(id, "cancelled")

    def retry(self, id: str) -> None:
        self.asked.append(("retry", id))
        raise JobError("its folder is gone")

    def remove(self, id: str) -> None:
        self.asked.append(("remove", id))
        self.list = [record for record in self.list if record.id != id]

    def become(self, id: str, state: State, **changes: object) -> None:
        self.list = [replace(r, state=state, **changes) if r.id == id else r for r in self.list]  # type: ignore[arg-type]


class Room:
    """The page in a window of its own, with the keys of the table of actions."""

    def __init__(self, root: Path) -> None:
        self.workspace = open_workspace(root)
        self.board, self.window, self.said = ActionBoard(), QMainWindow(), []
        here = {row.id.split(".")[1]: action for row, action in self.board if row.page == "train"}
        self.page = TrainPage(here | {"record": self.board["go.record"]})
        self.jobs = WrittenJobs()
        self.desk = JobsDesk(self.jobs, every_s=0.02)  # type: ignore[arg-type]
        shell = Shell(
            lambda text, level: self.said.append((level, text)), lambda _: None, lambda _t, _f: "", lambda _: ""
        )
        self.form = TrainFormBinder(self.page, self.desk, self.workspace, shell)
        self.binder = TrainBinder(self.page, self.desk, self.form, shell)
        handlers = {**self.binder.handlers(), **self.form.handlers()}
        self.window.setCentralWidget(self.page)
        for _, action in self.board:
            self.window.addAction(action)
        self.board.wanted.connect(lambda id: handlers[id]())
        self.board.show_page("train")
        self.window.resize(1500, 850)
        self.window.show()
        self.window.activateWindow()

    def until(self, there: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while True:
            QApplication.processEvents()
            self.binder.tick()
            self.form.tick()
            self.board.show_facts(self.binder.facts() | self.form.facts())
            if there():
                return
            assert time.monotonic() < end, self.said
            time.sleep(0.003)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(QApplication.focusWidget() or self.window, key, held)
        self.until(lambda: True)

    def queue(self, title: str, state: State = "running", **changes: object) -> Path:
        """Put a training into the list; return the folder that it writes to."""
        spec = train_spec(CONFIG, title, self.workspace.recordings, self.workspace, gpus=False)
        self.jobs.submit_all([spec])
        self.jobs.become(self.jobs.list[0].id, state, **changes)
        assert spec.out is not None
        new_run(spec.out, CONFIG)
        before = len(self.jobs.list)
        self.until(lambda: len(self.page.table.lines) == before)
        return spec.out

    def close(self) -> None:
        self.binder.close()
        self.form.close()
        self.desk.close()
        self.window.close()
        self.window.deleteLater()
        QApplication.processEvents()


@pytest.fixture
def room(qtbot: QtBot, tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path / "workspace")
    made.until(lambda: made.desk.machine is not None)
    yield made
    made.close()


def _focus(widget: QWidget) -> None:
    widget.setFocus()
    QApplication.processEvents()


def test_every_action_that_the_page_shows_is_in_the_table(qapp: QApplication) -> None:
    ids = {row.id for row, _ in ActionBoard()}
    assert {f"train.{name}" for name in TRAIN_ACTIONS} <= ids


def test_a_training_is_written_and_queued_by_keys_and_is_then_looked_at(room: Room) -> None:
    new_session(room.workspace.recordings / "2026-01-01", episodes=6, count=8)
    room.press(Qt.Key.Key_N)
    assert room.page.form_shown
    room.until(lambda: room.page.form._data.count() and room.page.form.state.data)
    assert room.page.form.state.title.startswith("rotation")
    room.page.form._title.selectAll()
    QTest.keyClicks(room.page.form._title, "p n r")
    assert room.page.form_shown, "letters belong to the name, not to the page"
    room.until(lambda: "train_ready" in room.form.facts())
    room.press(Qt.Key.Key_S, CTRL)
    room.until(lambda: room.jobs.submitted)
    (spec,) = room.jobs.submitted
    assert (spec.kind, spec.title, spec.needs_gpu) == ("train", "p n r", False)
    assert spec.out == room.workspace.trainings / "p-n-r"
    assert not room.page.form_shown
    room.until(lambda: room.page.table.current == "0001")


def test_a_config_that_cannot_be_used_is_not_queued(room: Room) -> None:
    new_session(room.workspace.recordings / "2026-01-01", episodes=6, count=8)
    room.press(Qt.Key.Key_N)
    room.until(lambda: room.page.form.state.data)
    room.page.form.edited.emit("train.steps", "many")
    room.until(lambda: room.page.form.state.problems == 1)
    assert "train_ready" not in room.form.facts()
    room.press(Qt.Key.Key_S, CTRL)
    assert not room.jobs.submitted
    room.page.form.edited.emit("train.steps", "5")
    room.until(lambda: "train_ready" in room.form.facts())
    room.press(Qt.Key.Key_Escape)
    assert not room.page.form_shown


def test_too_few_demos_are_said_before_anything_is_queued(room: Room) -> None:
    new_session(room.workspace.recordings / "2026-01-01", episodes=2, count=8)
    room.press(Qt.Key.Key_N)
    room.until(lambda: room.page.form.state.data)
    room.page.form.edited.emit("data.held_out", "2")
    room.until(lambda: "held out" in room.page.form.state.data_problem)
    assert "train_ready" not in room.form.facts()


def test_jobs_are_paused_resumed_cancelled_and_what_is_refused_is_said(room: Room) -> None:
    room.queue("push", values={"loss": 0.5})
    for key, held, state in (
        (Qt.Key.Key_P, NONE, "paused"), (Qt.Key.Key_R, NONE, "running"), (Qt.Key.Key_Period, CTRL, "cancelled")
    ):  # fmt: skip
        room.until(lambda: room.board["train.cancel"].isEnabled())
        room.press(key, held)
        room.until(lambda state=state: room.desk.records[0].state == state)  # type: ignore[misc]
    room.until(lambda: room.board["train.retry"].isEnabled())
    room.press(Qt.Key.Key_T)
    room.until(lambda: ("warning", "its folder is gone") in room.said)


def test_taking_a_job_out_asks_first_and_escape_keeps_it(room: Room) -> None:
    room.queue("push", "done")
    room.until(lambda: room.board["train.remove"].isEnabled())
    room.press(Qt.Key.Key_Delete)
    assert "push" in room.page.question.text
    room.press(Qt.Key.Key_Escape)
    assert not room.page.question.text
    assert not room.jobs.asked
    room.press(Qt.Key.Key_Delete)
    room.page.question._yes.click()
    room.until(lambda: not room.page.table.lines)
    assert room.jobs.asked == [("remove", "0001")]


def test_curves_dreams_and_log_of_the_chosen_training_come_while_it_runs(room: Room) -> None:
    run = room.queue("push")
    assert "100" in room.page.gallery._nothing.accessibleName() or not room.page.gallery.scenes
    note(run, 1, loss=0.5)
    (run / "log.txt").write_text("goes on from step_000100\nwarning: the disk is nearly full\n")
    room.until(lambda: room.page.curves._runs and "loss" in room.page.curves._runs[0].series)
    room.until(lambda: "nearly full" in room.page.log.text)
    draw(run, 100, {"demo 7": sheet(2, 13)})
    draw(run, 200, {"demo 7": sheet(2, 13, 50)})
    room.until(lambda: room.page.gallery.step == 200 and room.page.gallery.scenes)
    _focus(room.page.table)
    room.press(Qt.Key.Key_Left)
    room.until(lambda: room.page.gallery.step == 100)


def test_several_trainings_are_compared_by_what_they_were_told_and_what_came_of_it(room: Room) -> None:
    for title, loss in (("one", 0.5), ("two", 0.25)):
        note(room.queue(title), 10, loss=loss)
    _focus(room.page.table)
    room.press(Qt.Key.Key_A, CTRL)
    room.until(lambda: len(room.page.curves._runs) == 2 and all(run.series for run in room.page.curves._runs))
    rows = [room.page.job._table.topLevelItem(i) for i in range(room.page.job._table.topLevelItemCount())]
    texts = [[item.text(k) for k in range(3)] for item in rows if item is not None]
    assert ["loss, last", "0.25 at 10", "0.5 at 10"] in texts
    assert not [row for row in texts if row[0] == "train.steps"], "what is the same is not listed"


def test_a_clone_begins_as_the_training_that_it_is_of(room: Room) -> None:
    new_session(room.workspace.recordings / "2026-01-01", episodes=6, count=8)
    room.queue("push", "done")
    room.until(lambda: room.board["train.clone"].isEnabled())
    room.press(Qt.Key.Key_C)
    assert room.page.form_shown
    room.until(lambda: room.page.form.state.data)
    room.page.form.edited.emit("train.steps", "800")
    room.until(lambda: "train_ready" in room.form.facts())
    room.press(Qt.Key.Key_S, CTRL)
    room.until(lambda: len(room.jobs.submitted) == 2)
    clone = room.jobs.submitted[1]
    assert clone.cloned_from == "0001"
    assert clone.out != room.jobs.submitted[0].out
    config, _ = cloned_config(JobRecord("2", Path(), clone, "queued"))
    assert (config.train.steps, config.gallery.every) == (800, 100)


def test_the_bottom_line_says_what_runs_and_its_end_is_told(room: Room) -> None:
    room.queue("push", fraction=0.41, left_s=7200.0)
    room.queue("sweep", "queued")
    room.until(lambda: len(room.binder.line()["training"]) == 1)
    (item,) = room.binder.line()["training"]
    assert item.text == "push 41 % · 2 h 00 min left"
    room.jobs.become("0001", "interrupted", problem="it was killed; resume it")
    room.until(lambda: ("warning", "push was interrupted: it was killed; resume it") in room.said)
    assert room.binder.line()["training"][0].text == "1 job waits"


def test_an_unseen_page_reads_nothing(room: Room) -> None:
    run = room.queue("push")
    note(run, 1, loss=0.5)
    room.until(lambda: room.page.curves._runs and room.page.curves._runs[0].series)
    room.window.hide()
    room.until(lambda: room.binder._watch is not None and room.binder._watch._wish == Wish())
    room.window.show()
    note(run, 2, loss=0.25)
    room.until(lambda: len(room.page.curves._runs[0].series["loss"][0]) == 2)


def test_fields_of_the_form_keep_their_keys(room: Room) -> None:
    room.press(Qt.Key.Key_N)
    find = next(f for f in room.page.form.findChildren(QLineEdit) if f.accessibleName() == "Find a value")
    _focus(find)
    QTest.keyClicks(find, "rate")
    room.until(lambda: True)
    assert find.text() == "rate"
    assert room.page.form_shown

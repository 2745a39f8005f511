"""Dreaming from the window: the form, the strip of candidates, and what is said where it goes wrong."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.dreams import video_models
from app.dreams.candidate_session import CandidateSession
from app.dreams.example import example_folder
from app.dreams.new_dream import DREAM
from app.dreams.session import DreamSession
from app.execution.session import ExecutionSession
from app.gui.desk import Desk
from app.gui.program import Program
from app.gui.start import application
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.rig import load_rig
from models.data.dream_folder import load_dream
from models.video.config import small
from models.video.config_file import write_config
from widgets.dream_form import NO_MODEL

WAIT_S = 300.0


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def desk(qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The window with stand-ins for sampler and tracker, and no shipped model."""
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    monkeypatch.setattr(video_models, "SHIPPED", workspace.root / "none")
    monkeypatch.setattr(video_models.video_models, "__defaults__", ((), workspace.root / "none"))
    ledger, rig, jobs = Ledger(workspace.ledger), load_rig(), "tests.app.jobs"
    dreaming = DreamSession(workspace, ledger, track_job=f"{jobs}:moving_track")
    program = Program(workspace, rig, ledger, dreaming, ExecutionSession(rig, workspace, ledger))
    program.__dict__["candidates"] = CandidateSession(
        workspace, ledger, dream_job=f"{jobs}:copied_dream", track_job=f"{jobs}:moving_track"
    )
    desk = Desk(application(), program, remember=False)
    desk.show()
    desk.window.show_page("dream")
    yield desk
    desk.close()


def until(app: QApplication, there: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_S
    while not there():
        assert time.monotonic() < end
        app.processEvents()
        time.sleep(0.005)


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def start(desk: Desk, qapp: QApplication, seed: int, larger: int = 1) -> None:
    """Ask for two dreams of the scene that the example began with; larger: the model's pictures than its."""
    fill(desk, qapp, larger, seed=str(seed), candidates="2")
    desk.board.trigger("dream.start")


def fill(desk: Desk, qapp: QApplication, larger: int = 1, **fields: str) -> None:
    """Fill the form for the scene that the example began with."""
    workspace = desk.program.workspace
    folder = example_folder(workspace)
    model = workspace.root / "models" / "small"
    if not model.is_dir():
        model.mkdir(parents=True)
        width, height = load_dream(folder).views[0].camera.size
        write_config(model, small(length=13, size=(larger * width, larger * height)))
    desk.board.trigger("dream.new")
    form = desk.dream_page.new_form
    until(qapp, desk.board["dream.start"].isEnabled)
    for name, text in (("source", f"{DREAM}:{folder}"), *fields.items()):
        form.edited.emit(name, text)


def test_candidates_come_are_ranked_and_open_with_their_plan(desk: Desk, qapp: QApplication) -> None:
    program, page = desk.program, desk.dream_page
    start(desk, qapp, seed=3)
    until(qapp, lambda: program.candidates.candidates and not program.candidates.busy)
    assert page.candidates.isVisible()
    assert page.candidates.seeds == (3, 4)
    first, second = program.candidates.ranked
    assert program.dreaming.folder == first.folder
    assert program.dreaming.plan is first.plan
    assert not page.new_shown
    desk._tick()
    desk.board.trigger("dream.pick_2")
    assert program.dreaming.folder == second.folder
    assert (program.dreaming.plan is second.plan, program.dreaming.progress) == (True, None)
    desk._tick()
    desk.board.trigger("dream.keep")
    assert [c.kept for c in program.candidates.candidates] == [False, True]
    page.candidates.opened.emit(first.seed)
    assert program.dreaming.folder == first.folder
    program.execution.approval = object()  # type: ignore[assignment]
    program.execution._listeners.tell("approval")  # what is approved is kept by itself
    program.execution.approval = None
    assert [c.kept for c in program.candidates.candidates] == [True, True]
    desk._tick()
    desk.board.trigger("dream.vary")
    until(qapp, lambda: program.candidates.candidates and not program.candidates.busy)
    assert sorted(page.candidates.seeds) == [5, 6]
    desk._tick()
    desk.board.trigger("dream.earlier")
    until(qapp, lambda: not program.candidates.busy)
    assert [c.kept for c in program.candidates.candidates] == [True, True]


def test_a_goal_posed_in_the_form_is_what_the_model_is_shown(desk: Desk, qapp: QApplication) -> None:
    program, form = desk.program, desk.dream_page.new_form
    fill(desk, qapp, task="push-shape", candidates="1")
    assert not form.goal.isVisible()
    form.look_wanted.emit()
    until(qapp, lambda: form.goal.isVisible() and form.goal._x.isEnabled())
    assert not any(view.isVisible() for view in form.views.values())
    form.goal.nudged.emit(0.0, 2.0, 1.0)
    desk.board.trigger("dream.start")
    until(qapp, lambda: program.candidates.candidates and not program.candidates.busy)
    order = program.candidates._order
    assert order is not None
    told = order.scene.origin["goal"]
    assert isinstance(told, dict)
    assert (told["how"], told["turn_deg"]) == ("posed", pytest.approx(5))
    assert program.horizon.state == "off"  # nobody executes a dream of what was seen long ago


def test_a_worker_that_dies_leaves_what_was_dreamt_and_a_way_out(desk: Desk, qapp: QApplication) -> None:
    program, page = desk.program, desk.dream_page
    start(desk, qapp, seed=12)
    until(qapp, lambda: program.candidates.can_retry and not program.candidates.busy)
    assert "SIGKILL" in page.question.text
    assert program.dreaming.folder == program.candidates.find(12).folder
    page.question.refused.emit()
    assert page.question.text == ""


def test_without_a_model_the_form_says_where_models_come_from(desk: Desk, qapp: QApplication) -> None:
    desk.board.trigger("dream.new")
    assert desk.dream_page.new_shown
    assert NO_MODEL in texts(desk.dream_page.new_form)
    desk._tick()
    desk.board.trigger("dream.leave")
    assert not desk.dream_page.new_shown


def test_a_scene_that_does_not_fit_is_told_in_the_form(desk: Desk, qapp: QApplication) -> None:
    start(desk, qapp, seed=1, larger=4)
    until(qapp, lambda: desk.dream_page.new_form._problem.text())
    assert "scene photo" in desk.dream_page.new_form._problem.text()
    assert desk.dream_page.new_shown

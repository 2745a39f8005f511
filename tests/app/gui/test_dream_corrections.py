"""Correcting a track in the real window, by mouse and by key: what is done is seen at once, kept, and undone."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from app.dreams.example import example_folder
from app.dreams.session import DreamSession
from app.execution.session import ExecutionSession
from app.gui.desk import Desk
from app.gui.program import Program
from app.gui.start import application
from app.ledger import Ledger
from app.workspace import open_workspace
from hardware.geometry import Array, rotation_angle
from hardware.rig import load_rig
from models.data.dream_folder import load_dream, save_track
from models.tracking.trackers import TrackerChoice
from models.types import Hint
from tests.app.jobs import moving_track
from widgets.views import gizmo
from widgets.views.types import ToolOverlay
from widgets.views.video_view import VideoView

FRAME = 6
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class _Unplanned(DreamSession):
    """Plans nothing: every correction would be planned again, a second of work each time."""

    def make_plan(self, *_: object, **__: object) -> None:
        return


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The built-in example with tools that go side by side; one window for all tests: opening takes seconds."""
    workspace = open_workspace(tmp_path_factory.mktemp("workspace"))
    folder = example_folder(workspace)
    track = moving_track(folder, (), None, TrackerChoice(), lambda _f, _t: None, lambda: False)
    save_track(folder, load_dream(folder), track)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[3])
        ledger, rig = Ledger(workspace.ledger), load_rig()
        dreaming = _Unplanned(
            workspace,
            ledger,
            track_job="tests.app.jobs:moving_track",
            cut_job="tests.app.jobs:still_track_with_cuts",
        )
        arms = ExecutionSession(rig, workspace, ledger)
        desk = Desk(application(), Program(workspace, rig, ledger, dreaming, arms), remember=False)
        desk.show()
        desk.window.resize(1600, 900)
        desk.window.choose("dream.example")
        _wait(lambda: dreaming.progress is None and dreaming.track is not None)
        yield desk
        desk.window.close()


@pytest.fixture
def desk(window: Desk) -> Iterator[Desk]:
    """Frame 6 of the uncorrected example, its left tool chosen, nothing switched on."""
    page, session = window.dream_page, window.program.dreaming
    window.window.show_page("dream")
    page.playback.pause()
    page.tools.choose("left")
    page.playback.seek((FRAME + 0.01) / 6)
    QApplication.processEvents()
    yield window
    QTest.keyClick(page, Qt.Key.Key_Escape)
    if page._actions["before"].isChecked():
        window.board.trigger("dream.before")
    while session.can_undo:
        session.undo()
    _wait(lambda: session.progress is None)


def _wait(there: Callable[[], bool], limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not there():
        assert time.monotonic() < end
        QApplication.processEvents()
        time.sleep(0.005)


def _do(desk: Desk, name: str) -> None:
    """As the key would, once the table has looked at what holds."""
    _wait(lambda: desk.board[f"dream.{name}"].isEnabled())
    desk.board.trigger(f"dream.{name}")
    QApplication.processEvents()


def _pose(desk: Desk, frame: int = FRAME) -> Array:
    track = desk.program.dreaming.track
    assert track is not None
    return track.tools["left"].T_view1_tool[frame].copy()


def _source(desk: Desk, frame: int = FRAME) -> str:
    track = desk.program.dreaming.track
    assert track is not None
    return track.tools["left"].source[frame]


def _drag(
    widget: QWidget, start: QPoint, by: QPoint, keys: Qt.KeyboardModifier = NONE, let_go: bool = True
) -> None:
    QTest.mouseMove(widget, start)
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, keys, start)
    for step in range(1, 5):
        QTest.mouseMove(widget, start + by * step / 4)
        QApplication.processEvents()
    if let_go:
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, keys, start + by)
        QApplication.processEvents()


def _handle(desk: Desk, handle: gizmo.Handle) -> QPoint:
    scene = desk.dream_page.scene
    assert scene._handles.gizmo is not None
    line = gizmo.lines(scene._handles.gizmo, scene._eye())[handle]
    x, y = line[-1] if handle.startswith("move") else line[7]
    return QPoint(round(x), round(y))


def _overlay(video: VideoView, state: str = "") -> ToolOverlay:
    return next(t for t in video._tools if t.tool == "left" and (t.state == state or not state))


def _middle(video: VideoView) -> QPoint:
    x, y = video._zoom.to_widget(np.vstack(list(_overlay(video).outline))).mean(axis=0)
    return QPoint(round(x), round(y))


def test_an_arrow_in_the_scene_moves_the_tool_along_its_axis_only(desk: Desk) -> None:
    before, others = _pose(desk), _pose(desk, FRAME + 1)
    _do(desk, "correct")
    _drag(desk.dream_page.scene, _handle(desk, "move z"), QPoint(0, -12))
    moved = before[:3, :3].T @ (_pose(desk)[:3, 3] - before[:3, 3])
    assert abs(moved[2]) > 0.003
    assert np.allclose(moved[:2], 0, atol=1e-9)
    assert np.allclose(_pose(desk)[:3, :3], before[:3, :3])
    assert np.array_equal(_pose(desk, FRAME + 1), others)
    assert _source(desk) == "corrected"


def test_a_ring_in_the_scene_turns_the_tool_where_it_is(desk: Desk) -> None:
    before = _pose(desk)
    _do(desk, "correct")
    _drag(desk.dream_page.scene, _handle(desk, "turn z"), QPoint(9, 9))
    assert np.allclose(_pose(desk)[:3, 3], before[:3, 3])
    assert np.radians(1) < rotation_angle(_pose(desk)[:3, :3], before[:3, :3]) < np.radians(120)


def test_fine_goes_a_tenth_of_the_way(desk: Desk) -> None:
    ways = []
    for fine in (False, True):
        before = _pose(desk)
        _do(desk, "correct")
        if fine:
            _do(desk, "fine")
        _drag(desk.dream_page.scene, _handle(desk, "move z"), QPoint(0, -12))
        ways.append(float(np.linalg.norm(_pose(desk)[:3, 3] - before[:3, 3])))
        desk.program.dreaming.undo()
        QTest.keyClick(desk.dream_page, Qt.Key.Key_Escape)
    _do(desk, "correct")
    _do(desk, "fine")
    assert ways[1] == pytest.approx(ways[0] / 10, rel=0.2)


def test_an_outline_is_dragged_in_one_view_and_followed_live_in_the_other(desk: Desk) -> None:
    before, videos = _pose(desk), desk.dream_page.videos
    _do(desk, "correct")
    QApplication.processEvents()
    there = _overlay(videos["side"]).outline[0]
    start = _middle(videos["top"])
    _drag(videos["top"], start, QPoint(24, 0), let_go=False)
    assert _overlay(videos["side"]).outline[0].shape != there.shape or not np.allclose(
        _overlay(videos["side"]).outline[0], there
    )
    assert np.array_equal(_pose(desk), before)  # only shown, as long as it is held
    QTest.mouseRelease(videos["top"], Qt.MouseButton.LeftButton, NONE, start + QPoint(24, 0))
    moved = _pose(desk)[:3, 3] - before[:3, 3]
    assert moved[0] > 0.005
    assert abs(moved[2]) < 1e-6  # across the sight of the first view, not along it
    desk.program.dreaming.undo()
    assert np.array_equal(_pose(desk), before)


def test_with_shift_an_outline_turns_and_with_ctrl_it_goes_near_or_far(desk: Desk) -> None:
    before, top = _pose(desk), desk.dream_page.videos["top"]
    _do(desk, "correct")
    QApplication.processEvents()
    _drag(top, _middle(top) + QPoint(10, 0), QPoint(0, 16), SHIFT)
    assert rotation_angle(_pose(desk)[:3, :3], before[:3, :3]) > np.radians(3)
    turned = _pose(desk)
    _drag(top, _middle(top), QPoint(0, -20), CTRL)
    far = [float(np.linalg.norm(T[:3, 3])) for T in (turned, _pose(desk))]
    assert far[1] > far[0] + 0.005


def test_esc_gives_a_drag_up_and_nothing_is_corrected(desk: Desk) -> None:
    before, top = _pose(desk), desk.dream_page.videos["top"]
    _do(desk, "correct")
    QApplication.processEvents()
    _drag(top, _middle(top), QPoint(30, 10), let_go=False)
    QTest.keyClick(top, Qt.Key.Key_Escape)
    assert np.array_equal(_pose(desk), before)
    assert not desk.program.dreaming.can_undo
    QTest.mouseRelease(top, Qt.MouseButton.LeftButton, NONE, QPoint(5, 5))
    assert not desk.program.dreaming.can_undo


def test_steps_by_key_in_a_row_are_one_correction(desk: Desk) -> None:
    before = _pose(desk)
    _do(desk, "correct")
    for _ in range(3):
        _do(desk, "move_x_plus")
    _wait(lambda: _source(desk) == "corrected")
    moved = before[:3, :3].T @ (_pose(desk)[:3, 3] - before[:3, 3])
    assert np.allclose(moved, [0.006, 0, 0], atol=1e-9)
    _do(desk, "undo")
    assert np.array_equal(_pose(desk), before)


def test_a_step_is_kept_when_the_frame_is_left_and_can_be_undone_at_once(desk: Desk) -> None:
    before = _pose(desk)
    _do(desk, "correct")
    _do(desk, "turn_z_minus")
    _do(desk, "next")
    assert _source(desk) == "corrected"
    assert rotation_angle(_pose(desk)[:3, :3], before[:3, :3]) == pytest.approx(np.radians(2))
    _do(desk, "undo")
    assert np.array_equal(_pose(desk), before)


def test_marked_frames_are_drawn_and_said_to_be_interpolated(desk: Desk) -> None:
    _do(desk, "untracked")
    _do(desk, "next")
    _do(desk, "untracked_to")
    QApplication.processEvents()
    assert [_source(desk, t) for t in range(FRAME - 1, FRAME + 3)] == ["tracked", *["interpolated"] * 2, "tracked"]
    assert _overlay(desk.dream_page.videos["top"]).state == "interpolated"
    assert [row.frames for row in desk.dream_page.corrections._shown or ()] == [f"frames {FRAME} to {FRAME + 1}"]
    _do(desk, "untracked")
    assert _source(desk, FRAME + 1) == "tracked"


def test_the_track_before_is_shown_under_the_corrected_with_the_difference(desk: Desk) -> None:
    _do(desk, "correct")
    _do(desk, "move_x_plus")
    _do(desk, "turn_y_plus")
    _wait(lambda: _source(desk) == "corrected")
    top = desk.dream_page.videos["top"]
    assert all(tool.state != "original" for tool in top._tools)
    _do(desk, "before")
    assert len(_overlay(top, "original").outline)
    assert _overlay(top, "corrected").note == "2.0 mm, 2.0° moved"
    assert desk.dream_page.scene._moment.T_world_before["left"] is not None


def test_every_correction_is_listed_leads_to_its_frame_and_can_be_taken_back(desk: Desk) -> None:
    session, page = desk.program.dreaming, desk.dream_page
    session.add_hint(Hint("right", "side", 3, (10.0, 10.0, 90.0, 90.0)))
    session.retrack()
    _wait(lambda: session.progress is None)
    session.set_pose("left", FRAME, _pose(desk))
    rows = page.corrections._shown
    assert rows is not None
    assert [(row.kind, row.tool, row.view, row.frames) for row in rows] == [
        ("box", "right", "side", "frame 3"),
        ("pose", "left", "", f"frame {FRAME}"),
    ]
    assert all("UTC" in row.by for row in rows)
    page.corrections.row_picked.emit(0)
    assert (page.tools.chosen, page.transport._where.text().split("/")[0]) == ("right", "3")
    away = page.corrections.findChildren(QToolButton)[-1]
    assert away.accessibleName().startswith("Remove: pose")
    away.click()
    assert _source(desk) == "tracked"
    assert len(page.corrections._shown or ()) == 1
    _do(desk, "undo")
    assert _source(desk) == "corrected"


def test_a_box_in_one_view_is_copied_to_the_other_and_the_dream_tracked_again(desk: Desk) -> None:
    session = desk.program.dreaming
    session.add_hint(Hint("left", "top", FRAME, (100.0, 100.0, 220.0, 220.0)))
    session.retrack()
    _wait(lambda: session.progress is None)
    _do(desk, "copy_view")
    _wait(lambda: session.progress is None and not session.stale)
    assert [(hint.view, hint.kind) for hint in session.hints] == [("top", "box"), ("side", "copied")]


def test_a_split_is_tracked_by_itself(desk: Desk) -> None:
    session = desk.program.dreaming
    _do(desk, "split")
    _wait(lambda: session.progress is None and not session.stale)
    assert session.track is not None
    assert [cut.kind for cut in session.track.cuts] == ["split"]
    assert [row.kind for row in desk.dream_page.corrections._shown or ()] == ["split"]


def test_where_a_tool_is_lost_it_can_be_put_and_then_moved(desk: Desk) -> None:
    desk.dream_page.playback.to_start()
    assert _source(desk, 0) == "lost"
    _do(desk, "take_pose")
    assert _source(desk, 0) == "corrected"
    assert np.allclose(_pose(desk, 0), _pose(desk, 1))
    assert desk.dream_page.scene._handles.gizmo is not None


def test_a_dream_dropped_on_any_page_is_opened_on_page_dream(desk: Desk) -> None:
    folder = desk.program.dreaming.folder
    assert folder is not None
    heard: list[str] = []
    forget = desk.program.dreaming.on_change(heard.append)
    desk.window.show_page("inspect")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(folder))])
    left, copy = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(300, 300), copy, mime, left, NONE)
    QApplication.sendEvent(desk.window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(desk.window, QDropEvent(QPointF(300, 300), copy, mime, left, NONE))
    forget()
    assert desk.window.page == "dream"
    assert "dream" in heard

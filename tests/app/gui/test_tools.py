"""The tool library in the real window: import, change, save, take back, touch, and into a dream's import."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from pytestqt.qtbot import QtBot

from app.gui.binders.tools import ToolsBinder
from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import open_workspace
from hardware.geometry import rotation_from_vector, transform
from hardware.rig import load_rig


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(application(), open_program(open_workspace(tmp_path / "ws"), load_rig()), remember=False)
    made.show()
    yield made
    made.close()


@pytest.fixture
def tools(desk: Desk, qtbot: QtBot) -> ToolsBinder:
    desk.board.trigger("tools.show")
    binder = next(binder for binder in desk.binders if isinstance(binder, ToolsBinder))
    qtbot.waitUntil(lambda: binder.bench.draft is not None, timeout=20_000)
    return binder


def spatula(folder: Path) -> Path:
    handle = trimesh.creation.cylinder(8.0, 120.0, sections=16)
    plate = trimesh.creation.box((80.0, 4.0, 60.0))
    plate.apply_translation([0, 0, -95.0])
    whole = trimesh.util.concatenate([handle, plate])
    path = folder / "spatula.stl"
    trimesh.Trimesh(whole.vertices, whole.faces[1:]).export(path)
    return path


def names(tools: ToolsBinder) -> list[str]:
    return [entry.name for entry in tools.library.entries() if not entry.built_in]


def test_a_cad_file_becomes_a_tool_that_an_import_can_choose(
    desk: Desk, tools: ToolsBinder, tmp_path: Path, qtbot: QtBot
) -> None:
    assert desk.window.page == "rig"
    assert tools.view.isVisible()
    tools.view.dropped.emit([str(spatula(tmp_path))])
    qtbot.waitUntil(lambda: tools.bench.draft is not None and not tools.bench.name, timeout=60_000)
    form = tools.view.form
    form.wanted.emit("repair", None)
    form.wanted.emit("track", ("Piece 2", ""))
    form.wanted.emit("symmetry", None)
    form._edits["tip"].setText("0, 0, 900")
    form.give()
    assert "outside the tool" in form._problems["tip"].text()
    form.wanted.emit("save", None)
    assert names(tools) == []
    form._edits["tip"].setText("0, 0, -125")
    form.wanted.emit("save", None)
    assert names(tools) == ["spatula"]
    saved = tools.library.load("spatula")
    assert saved.tip == pytest.approx([0, 0, -0.125])
    assert len(saved.symmetry) == 35
    assert saved.trackable is not None
    offered: list[object] = []
    tools.offered.disconnect(desk.dream_page.form.show_tools)
    tools.offered.connect(offered.append)
    desk.dream_page.form._ask_tools("left")
    assert offered[0][0] == ("spatula", str(tools.library.root / "spatula" / "tool.toml"))  # type: ignore[index]
    tools.view.delete_wanted.emit("spatula")
    assert names(tools) == []
    form.wanted.emit("undo", None)
    assert names(tools) == ["spatula"]
    assert tools.bench.name == "spatula"


def test_a_broken_file_is_refused_above_the_picture_and_the_window_goes_on(
    tools: ToolsBinder, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "broken.stl"
    path.write_bytes(b"\0" * 80 + b"\xff" * 4 + b"\0" * 100)
    tools.view.dropped.emit([str(path)])
    qtbot.waitUntil(lambda: tools.view._problem.isVisible(), timeout=60_000)
    assert tools.view._problem_text.text().startswith(str(path))
    assert "4294967295" in tools.view._problem_text.text()
    tools.view.duplicate_wanted.emit("brush")
    assert not tools.view._problem.isVisible()
    assert names(tools) == ["brush_copy"]


def test_four_touches_give_the_tool_its_tip_and_undo_takes_it_back(tools: ToolsBinder) -> None:
    tools.view.duplicate_wanted.emit("rotation_gripper_left")
    before = tools.library.load("rotation_gripper_left_copy")
    leans = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0.4], [-0.4, 0.3, 1.0]])
    R, tip = rotation_from_vector(leans) @ np.diag([1.0, -1.0, -1.0]), np.array([0.01, -0.02, 0.14])
    poses = list(transform(R, np.array([0.4, 0.0, 0.01]) - R @ tip))
    tools.view.form.wanted.emit("touch_tip", None)
    touch = tools.view.touch
    assert tools.view.touching
    touch.take_wanted.emit()
    assert "connect the arms" in touch._verdict.text()
    now = poses[:1]
    tools.touching.flange_pose = lambda _arm: now[0]
    for pose in poses:
        now[0] = pose
        touch.take_wanted.emit()
    assert touch._verdict.text().startswith("Good")
    touch.save_wanted.emit()
    after = tools.library.load("rotation_gripper_left_copy")
    np.testing.assert_allclose((after.T_flange_tool @ [*after.tip, 1.0])[:3], tip, atol=1e-9)
    assert not tools.view.touching
    tools.view.form.wanted.emit("undo", None)
    np.testing.assert_array_equal(tools.library.load("rotation_gripper_left_copy").tip, before.tip)


def test_the_touched_table_is_saved_for_its_arm(desk: Desk, tools: ToolsBinder) -> None:
    R, now = np.diag([1.0, -1.0, -1.0]), [np.eye(4)]
    tools.touching.flange_pose = lambda _arm: now[0]
    tools.view.table_wanted.emit()
    for x in (0.2, 0.4, 0.6):
        now[0] = transform(R, [x, 0.0, 0.14])
        tools.view.touch.take_wanted.emit()
    assert "one line" in tools.view.touch._verdict.text()
    assert not tools.view.touch._save.isEnabled()
    for y in (-0.3, 0.3):
        now[0] = transform(R, [0.4, y, 0.14])
        tools.view.touch.take_wanted.emit()
    tools.view.touch.save_wanted.emit()
    folder = desk.program.workspace.root / "calibration"
    assert [path.name for path in folder.iterdir()] == [f"table_{desk.program.rig.arms[0].name}.toml"]


def test_the_trash_is_emptied_only_after_a_person_was_asked(tools: ToolsBinder) -> None:
    view = tools.view
    view._trash.click()
    assert not view._trash_question.isVisible()  # there is nothing in it
    view.duplicate_wanted.emit("brush")
    view.delete_wanted.emit("brush_copy")
    view._trash.click()
    assert view._trash_question.isVisible()
    view._trash_keep.click()
    assert tools.library.in_trash == 1
    view._trash.click()
    view._trash_gone.click()
    assert not view._trash_question.isVisible()
    assert tools.library.in_trash == 0
    assert tools.library.undo_words == ""


def test_another_tool_is_not_shown_before_a_doubtful_unit_is_settled(
    tools: ToolsBinder, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "small.stl"
    trimesh.creation.box((5.5, 1.0, 1.0)).export(path)
    tools.view.dropped.emit([str(path)])
    qtbot.waitUntil(lambda: tools.bench.draft is not None and not tools.bench.name, timeout=60_000)
    tools.view.chosen.emit("brush")
    assert "unit" in tools.view._problem_text.text()
    assert tools.bench.name == ""
    tools.view.form.wanted.emit("unit", "inch")
    tools.view.chosen.emit("brush")
    assert tools.bench.name == "brush"
    assert names(tools) == ["small"]

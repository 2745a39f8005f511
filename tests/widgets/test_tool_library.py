"""The tool library's widgets: the form keeps what was typed, the wizard obeys keys, the picture shows the tool."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from pytestqt.qtbot import QtBot

from widgets.tool_form import ToolForm
from widgets.tool_library import ToolLibrary
from widgets.tool_values import FieldRow, ToolItem, ToolSheet, TouchSheet
from widgets.touch_panel import TouchPanel
from widgets.views.gl_context import why_not
from widgets.views.mesh_view import MeshView, made_up_tool

FIELDS = [FieldRow("name", "Name", "a name"), FieldRow("tip", "Tip", "x, y, z mm")]
SHEET = ToolSheet({"name": "wedge", "tip": "0, 0, -80"}, report="8 faces, watertight", pieces=2, unsaved=True)
needs_gl = pytest.mark.skipif(bool(why_not()), reason="no off-screen OpenGL")


def pixels(view: MeshView) -> np.ndarray:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return data[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


@pytest.fixture
def view(qtbot: QtBot) -> MeshView:
    made = MeshView()
    qtbot.addWidget(made, before_close_func=lambda v: v.release())
    made.resize(300, 420)
    made.show()
    qtbot.waitExposed(made)
    return made


@needs_gl
def test_the_tracked_part_is_coloured_and_the_rest_is_grey(view: MeshView) -> None:
    tool = made_up_tool()

    def coloured() -> int:
        rgb = pixels(view)
        return int((rgb[..., 2] - rgb[..., 0] > 60).sum())

    view.show_tool(replace(tool, trackable=None))
    whole = coloured()
    view.show_tool(tool)
    assert 0.05 * whole < coloured() < 0.9 * whole


@needs_gl
def test_a_tool_of_any_size_fills_the_picture(view: MeshView) -> None:
    tool = made_up_tool()
    shares = []
    for factor in (0.1, 1.0, 4.0):
        T = tool.T_flange_tool.copy()
        T[:3, 3] *= factor
        mesh = replace(tool.mesh, vertices=tool.mesh.vertices * factor)
        view.show_tool(replace(tool, mesh=mesh, tip=tool.tip * factor, T_flange_tool=T, trackable=None))
        rgb = pixels(view)
        shares.append(float((np.abs(rgb - rgb[30, 150]).max(axis=2) > 40).mean()))
    assert min(shares) > 0.06
    assert max(shares) < 1.6 * min(shares) + 0.08


@needs_gl
def test_dragging_turns_the_tool_and_a_double_click_turns_it_back(view: MeshView, qtbot: QtBot) -> None:
    view.show_tool(made_up_tool())
    first = pixels(view)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 200))
    view.mouseMoveEvent(_move(180, 120))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(180, 120))
    assert (np.abs(pixels(view) - first).max(axis=2) > 30).mean() > 0.02
    view.look_from_start()
    assert np.abs(pixels(view) - first).max() < 3


def _move(x: float, y: float) -> object:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    left = Qt.MouseButton.LeftButton
    no = Qt.KeyboardModifier.NoModifier
    return QMouseEvent(QEvent.Type.MouseMove, QPointF(x, y), QPointF(x, y), left, left, no)


@pytest.fixture
def form(qtbot: QtBot) -> ToolForm:
    made = ToolForm(FIELDS, ["its centre"])
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_wrong_field_keeps_what_was_typed_and_says_why(form: ToolForm) -> None:
    form.show_sheet(SHEET)
    form._edits["tip"].setText("far away")
    form.show_sheet(replace(SHEET, problems={"tip": "is not 3 numbers"}))
    assert form._edits["tip"].text() == "far away"
    assert form._problems["tip"].isVisibleTo(form)
    assert form._problems["tip"].text() == "is not 3 numbers"
    assert not form._save.isEnabled()
    form.show_sheet(SHEET)
    assert form._edits["tip"].text() == "0, 0, -80"
    assert form._save.isEnabled()


def test_a_locked_tool_says_why_and_offers_no_change(form: ToolForm) -> None:
    form.show_sheet(replace(SHEET, locked="This tool is built in.", unsaved=False))
    assert form._locked.isVisibleTo(form)
    assert not any(edit.isEnabled() for edit in form._edits.values())
    assert not form._save.isEnabled()


def test_what_is_asked_of_the_form_is_said(form: ToolForm, qtbot: QtBot) -> None:
    form.show_sheet(replace(SHEET, can_choose_unit=True, can_repair=True))
    wanted: list[tuple[str, object]] = []
    form.wanted.connect(lambda what, value: wanted.append((what, value)))
    form._repair.click()
    form._part.setCurrentText("Below a cut")
    form._part_text.setText("z -20")
    qtbot.keyClick(form._part_text, Qt.Key.Key_Return)
    form._unit.textActivated.emit("inch")
    assert wanted == [("repair", None), ("track", ("Below a cut", "z -20")), ("unit", "inch")]
    assert form._part.findText("Piece 2") >= 0


def test_the_wizard_is_driven_by_keys(qtbot: QtBot) -> None:
    panel = TouchPanel()
    qtbot.addWidget(panel)
    panel.show()
    done: list[object] = []
    panel.take_wanted.connect(lambda: done.append("take"))
    panel.redo_wanted.connect(lambda at: done.append(("again", at)))
    panel.remove_wanted.connect(lambda at: done.append(("remove", at)))
    sheet = TouchSheet("TOOL TIP", "Lean it.", ("1", "2", "3"), can_take=True)
    panel.show_sheet(sheet)
    keys = Qt.Key
    for key in (keys.Key_Return, keys.Key_Down, keys.Key_Down, keys.Key_R, keys.Key_Delete):
        qtbot.keyClick(panel, key)
    assert done == ["take", ("again", 1), ("remove", 1)]
    panel.show_sheet(replace(sheet, can_take=False))
    qtbot.keyClick(panel, keys.Key_Return)
    qtbot.keyClick(panel, keys.Key_R)
    assert len(done) == 3


def test_dropped_cad_files_are_taken_and_others_left(qtbot: QtBot) -> None:
    library = ToolLibrary(FIELDS, ["its centre"])
    qtbot.addWidget(library, before_close_func=lambda w: w.view.release())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in ("/a/tool.STL", "/a/photo.png", "/a/b.3mf")])
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    with qtbot.waitSignal(library.dropped) as caught:
        library.dropEvent(drop)
    assert caught.args == [["/a/tool.STL", "/a/b.3mf"]]


def test_an_empty_library_says_what_to_do_and_a_broken_tool_why(qtbot: QtBot) -> None:
    library = ToolLibrary(FIELDS, ["its centre"])
    qtbot.addWidget(library, before_close_func=lambda w: w.view.release())
    library.show_tools([ToolItem("brush", "built in")], "brush")
    assert library._hint.isVisibleTo(library)
    library.show_tools([ToolItem("bad", "", "bad/tool.toml: syntax"), ToolItem("brush", "built in")], "brush")
    assert not library._hint.isVisibleTo(library)
    assert library.name == "brush"
    assert library._list.item(0).toolTip() == "bad/tool.toml: syntax"

"""The goal of a task on the scene's pictures: dragged, turned, typed in, nudged by keys or painted with a brush."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from hardware.geometry import Array
from hardware.types import Image
from widgets.demo import demo
from widgets.own_keys import keep_own_keys
from widgets.panel import button, clear, label, row
from widgets.views.goal_view import GOAL, GoalView

BRUSH = (2, 80)  # radius [px of the picture]
FINE = 0.2
_NUDGES: Mapping[Qt.Key, tuple[float, float, float]] = {
    Qt.Key.Key_Left: (-1, 0, 0),
    Qt.Key.Key_Right: (1, 0, 0),
    Qt.Key.Key_Up: (0, 1, 0),
    Qt.Key.Key_Down: (0, -1, 0),
    Qt.Key.Key_Q: (0, 0, 1),
    Qt.Key.Key_E: (0, 0, -1),
}
_OWN = {*_NUDGES, Qt.Key.Key_B, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight}
_UNDOING = {Qt.Key.Key_Z, Qt.Key.Key_Y}


@dataclass(frozen=True, eq=False)
class GoalShown:
    """What the editor shows.

    outlines: by view, closed (N, 2) [px]; masks by view (H, W), 0 or 255, () while it is moved; pose: x, y [mm] and
    degrees, None where there is no object; words: what it is; note: the same beside it; part: what the model is
    shown of the pictures (left, top, width, height) [px].
    """

    outlines: Sequence[Sequence[Array]] = ()
    masks: Sequence[Image] = ()
    pose: tuple[float, float, float] | None = None
    words: str = ""
    note: str = ""
    part: tuple[int, int, int, int] | None = None
    can_pose: bool = True
    can_undo: bool = False
    can_redo: bool = False


class GoalEditor(QWidget):
    """Tells what a person wants: `dragged(OutlineDrag)`; `nudged(right, up, turn)` in steps, counterclockwise;
    `pose_typed(x, y, degrees)` [mm]; `stroke_drawn(add, radius, points)` [px of view 1's picture]; `undo_wanted`,
    `redo_wanted`, `clear_wanted`."""

    dragged = Signal(object)
    nudged = Signal(float, float, float)
    pose_typed = Signal(float, float, float)
    stroke_drawn = Signal(bool, float, object)
    undo_wanted = Signal()
    redo_wanted = Signal()
    clear_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views: dict[str, GoalView] = {}
        self._pictures = QHBoxLayout()
        self._pictures.setSpacing(6)
        self._words = label("", "muted", wrap=True)
        self._x, self._y = _number("x", " mm", 2000), _number("y", " mm", 2000)
        self._turn = _number("turn", "°", 360)
        for spin in (self._x, self._y, self._turn):
            spin.editingFinished.connect(self._typed)
        self._can_pose = True
        tip = "Paint in the first view where the object is to go; the right button erases (B)"
        self._brush = button("Brush", tip=tip, checkable=True)
        self._brush.toggled.connect(self._take_brush)
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(*BRUSH)
        self._size.setValue(12)
        self._size.setAccessibleName("Brush size")
        self._size.setMaximumWidth(120)
        self._size.valueChanged.connect(self._take_brush)
        self._undo, self._redo = button("Undo", tip="Ctrl+Z"), button("Redo", tip="Ctrl+Shift+Z")
        self._clear = button("Clear", tip="Take away what you posed and painted")
        for one, wanted in (
            (self._undo, self.undo_wanted),
            (self._redo, self.redo_wanted),
            (self._clear, self.clear_wanted),
        ):
            one.clicked.connect(wanted)
        place = row(label("Goal", "muted"), self._x, self._y, self._turn, 1)
        tools = row(self._brush, self._size, self._undo, self._redo, self._clear)
        place.addLayout(tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._pictures, 1)
        layout.addLayout(place)
        layout.addWidget(self._words)

    def show_pictures(self, pictures: Mapping[str, Image]) -> None:
        """Show the scene's photos (H, W, 3) by view."""
        if list(self.views) != list(pictures):
            clear(self._pictures)
            self.views = {name: GoalView(name, f"View {i} · {name}") for i, name in enumerate(pictures, 1)}
            for view in self.views.values():
                view.outline_dragged.connect(self.dragged)
                view.stroke_drawn.connect(self._stroke)
                view.installEventFilter(self)
                self._pictures.addWidget(view)
        for name, picture in pictures.items():
            self.views[name].show_picture(picture)
        self._brush.setChecked(False)

    def show_goal(self, goal: GoalShown) -> None:
        """Show the goal as it is now; a number that somebody types is left alone."""
        for k, view in enumerate(self.views.values()):
            outline = goal.outlines[k] if goal.outlines else ()
            view.show_goal(outline, goal.masks[k] if goal.masks else None, goal.note, goal.part)
        for spin, value in zip((self._x, self._y, self._turn), goal.pose or (0.0, 0.0, 0.0), strict=True):
            spin.setEnabled(goal.can_pose)
            if not spin.hasFocus():
                _set(spin, value)
        self._can_pose = goal.can_pose
        self._let_drag()
        self._words.setText(goal.words)
        self._undo.setEnabled(goal.can_undo)
        self._redo.setEnabled(goal.can_redo)
        self._clear.setEnabled(goal.can_undo)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of a picture that has the focus, before any shortcut."""
        if not isinstance(event, QKeyEvent) or not self._own(event):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress:
            self._press(event)
            return True
        return False

    def _own(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape:
            return self._brush.isChecked()
        held = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        if held == Qt.KeyboardModifier.ControlModifier:
            return event.key() in _UNDOING
        return held == Qt.KeyboardModifier.NoModifier and event.key() in _OWN

    def _press(self, event: QKeyEvent) -> None:
        key, shift = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key in _UNDOING:
            redo = shift or key == Qt.Key.Key_Y
            (self.redo_wanted if redo else self.undo_wanted).emit()
        elif key in _NUDGES:
            self.nudged.emit(*(step * (FINE if shift else 1.0) for step in _NUDGES[key]))
        elif key in (Qt.Key.Key_B, Qt.Key.Key_Escape):
            self._brush.toggle()
        else:
            self._size.setValue(self._size.value() + (2 if key == Qt.Key.Key_BracketRight else -2))

    @Slot()
    def _take_brush(self) -> None:
        for k, view in enumerate(self.views.values()):
            view.take_brush(self._size.value() if self._brush.isChecked() and k == 0 else None)
        self._let_drag()

    def _let_drag(self) -> None:
        for view in self.views.values():
            view.let_drag(GOAL if self._can_pose and not self._brush.isChecked() else "")

    @Slot(str, bool, object)
    def _stroke(self, _view: str, add: bool, points: object) -> None:
        self.stroke_drawn.emit(add, float(self._size.value()), points)

    @Slot()
    def _typed(self) -> None:
        self.pose_typed.emit(self._x.value(), self._y.value(), self._turn.value())


def _number(name: str, unit: str, most: float) -> QDoubleSpinBox:
    spin = QDoubleSpinBox(decimals=0, minimum=-most, maximum=most)
    spin.setPrefix(f"{name} ")
    spin.setSuffix(unit)
    spin.setAccessibleName(f"Goal {name}")
    spin.setKeyboardTracking(False)
    spin.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    keep_own_keys(spin)
    return spin


def _set(spin: QDoubleSpinBox, value: float) -> None:
    with QSignalBlocker(spin):
        spin.setValue(value)


def main() -> None:
    """Show a goal to be moved; it prints what is wanted."""
    from widgets.views import made_up

    def make() -> QWidget:
        editor, source = GoalEditor(), made_up.MadeUpSource()
        pictures = {view: source.frame_at(view, 0.0) for view in made_up.VIEWS}
        editor.show_pictures({view: rgb for view, rgb in pictures.items() if rgb is not None})
        outline = [np.array([[80.0, 60.0], [160.0, 60.0], [160.0, 120.0], [80.0, 120.0]])]
        editor.show_goal(GoalShown((outline, outline), pose=(40.0, 120.0, 30.0), words="Posed by hand"))
        for signal in (editor.dragged, editor.nudged, editor.pose_typed, editor.stroke_drawn):
            signal.connect(print)
        return editor

    demo(make)


if __name__ == "__main__":
    main()

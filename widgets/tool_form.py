"""The form of one tool: its mesh, what of it is tracked, and its numbers, with what is wrong beside each field."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from widgets.demo import demo
from widgets.panel import Panel, button, label, row, scrolled
from widgets.theme import set_state
from widgets.tool_values import FieldRow, ToolSheet

UNITS = ("mm", "cm", "m", "inch")
PARTS = ("Whole tool", "Above a cut", "Below a cut", "Inside a box")
_PART_HINTS = {"Above a cut": "axis and mm, such as z -20", "Below a cut": "axis and mm, such as z -20"}
_BOX_HINT = "x y z of one corner, x y z of the other, mm"


class ToolForm(QWidget):
    """`edited(texts)` when a field is left; `wanted(what, value)` for all else that a person asks for: unit, scale,
    origin, turn, repair, thin, track (part, text), symmetry, save, undo, redo, touch_tip."""

    edited = Signal(dict)
    wanted = Signal(str, object)

    def __init__(self, fields: Sequence[FieldRow], origins: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edits: dict[str, QLineEdit] = {}
        self._problems: dict[str, QLabel] = {}
        self._locked = label("", "chip", wrap=True)
        self._body = QWidget()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(8)
        self._groups = [self._mesh(origins), self._tracked(), self._numbers(fields)]
        column.addWidget(self._locked)
        for group in self._groups:
            column.addWidget(group)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(self._body), 1)
        layout.addLayout(self._ends())

    def show_sheet(self, sheet: ToolSheet) -> None:
        """Fill the form; a field that a person is typing in, or whose text is wrong, keeps what was typed."""
        for key, edit in self._edits.items():
            problem = sheet.problems.get(key, "")
            if not problem and not (edit.hasFocus() and edit.isModified()):
                edit.setText(sheet.texts.get(key, ""))
                edit.setCursorPosition(0)
            self._problems[key].setText(problem)
            self._problems[key].setVisible(bool(problem))
            set_state(edit, state="alarm" if problem else "")
        self._show_mesh(sheet)
        for group in self._groups:
            group.setEnabled(not sheet.locked)
        self._locked.setText(sheet.locked)
        self._locked.setVisible(bool(sheet.locked))
        self._save.setEnabled(sheet.unsaved and not sheet.problems and not sheet.locked)
        self._save.setText("Save   Ctrl+S" if sheet.unsaved else "Saved")
        self._undo.setEnabled(bool(sheet.can_undo))
        self._undo.setToolTip(f"Take back: {sheet.can_undo} (Ctrl+Z)" if sheet.can_undo else "")
        self._redo.setEnabled(bool(sheet.can_redo))
        self._redo.setToolTip(f"Do again: {sheet.can_redo} (Ctrl+Shift+Z)" if sheet.can_redo else "")

    def give(self) -> None:
        """Hand over what is typed, before something else is done with it."""
        self.edited.emit({key: edit.text() for key, edit in self._edits.items()})

    def _show_mesh(self, sheet: ToolSheet) -> None:
        self._report.setText(sheet.report)
        set_state(self._report, state=sheet.report_level)
        self._repair.setVisible(sheet.can_repair)
        self._thin.setVisible(sheet.can_thin)
        self._unit.blockSignals(True)
        self._unit.setCurrentText(sheet.unit)
        self._unit.blockSignals(False)
        self._unit.setEnabled(sheet.can_choose_unit)
        self._why.setText(sheet.unit_words)
        set_state(self._why, state=sheet.unit_level)
        self._changes.setText("Changed: " + "; ".join(sheet.changes[-4:]) if sheet.changes else "")
        self._changes.setVisible(bool(sheet.changes))
        self._users.setText("Used by: " + ", ".join(sheet.used_by))
        self._users.setVisible(bool(sheet.used_by))
        self._tracked_now.setText(sheet.tracked)
        self._show_parts(sheet.pieces)

    def _show_parts(self, pieces: int) -> None:
        shown = [*PARTS, *(f"Piece {k + 1}" for k in range(min(pieces, 12)) if pieces > 1)]
        if [self._part.itemText(i) for i in range(self._part.count())] != shown:
            self._part.clear()
            self._part.addItems(shown)

    def _mesh(self, origins: Sequence[str]) -> Panel:
        panel = Panel("MESH")
        self._report, self._why = label(wrap=True), label("", "muted", wrap=True)
        self._changes, self._users = label("", "faint", wrap=True), label("", "muted", wrap=True)
        self._repair = self._asking("Repair", "repair", "Close holes, turn faces outwards, drop doubled faces")
        self._thin = self._asking("Thin", "thin", "Take faces away until the tracker is quick")
        self._unit = QComboBox()
        self._unit.addItems(UNITS)
        self._unit.setAccessibleName("Unit of the file")
        self._unit.textActivated.connect(lambda unit: self.wanted.emit("unit", unit))
        self._scale = QLineEdit(placeholderText="factor")
        self._scale.setFixedWidth(84)
        scale = button("Scale", tip="Make the tool larger or smaller by this factor")
        scale.clicked.connect(lambda: self.wanted.emit("scale", self._scale.text()))
        self._origin = QComboBox()
        self._origin.addItems(list(origins))
        move = button("Move", tip="Put the origin there; where the tool is mounted stays")
        move.clicked.connect(lambda: self.wanted.emit("origin", self._origin.currentText()))
        panel.body.addWidget(self._report)
        panel.body.addLayout(row(self._repair, self._thin, 1))
        panel.body.addLayout(row(label("File is in"), self._unit, 1, self._scale, scale))
        panel.body.addWidget(self._why)
        panel.body.addLayout(row(label("Origin to"), self._origin, move, 1))
        turns = [self._turn(axis) for axis in range(3)]
        panel.body.addLayout(row(label("Turn by 90° about"), *turns, 1))
        panel.body.addWidget(self._changes)
        panel.body.addWidget(self._users)
        return panel

    def _turn(self, axis: int) -> QPushButton:
        made = button("xyz"[axis], tip=f"Turn the tool's axes by 90 degrees about {'xyz'[axis]}")
        made.setFixedWidth(40)
        made.clicked.connect(partial(self._ask, "turn", axis))
        return made

    def _ask(self, what: str, value: object = None, _checked: bool = False) -> None:
        self.wanted.emit(what, value)

    def _asking(self, text: str, what: str, tip: str) -> QPushButton:
        made = button(text, tip=tip)
        made.clicked.connect(partial(self._ask, what, None))
        return made

    def _tracked(self) -> Panel:
        panel = Panel("TRACKED PART")
        self._part, self._part_text = QComboBox(), QLineEdit()
        self._part.addItems(list(PARTS))
        self._part.setAccessibleName("Tracked part")
        self._part.currentTextChanged.connect(self._part_chosen)
        use = button("Use", tip="Let the tracker look at this part only; leave out what the hand covers")
        use.clicked.connect(self._give_part)
        self._part_text.returnPressed.connect(self._give_part)
        self._part_text.hide()
        self._tracked_now = label("", "muted", wrap=True)
        panel.body.addWidget(self._tracked_now)
        panel.body.addLayout(row(self._part, 1, use))
        panel.body.addWidget(self._part_text)
        return panel

    @Slot(str)
    def _part_chosen(self, part: str) -> None:
        hint = _BOX_HINT if part == PARTS[3] else _PART_HINTS.get(part, "")
        self._part_text.setPlaceholderText(hint)
        self._part_text.setVisible(bool(hint))

    @Slot()
    def _give_part(self) -> None:
        self.wanted.emit("track", (self._part.currentText(), self._part_text.text()))

    def _numbers(self, fields: Sequence[FieldRow]) -> Panel:
        panel = Panel("NUMBERS")
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for line, spec in enumerate(fields):
            edit, problem = QLineEdit(placeholderText=spec.hint), label("", state="alarm", wrap=True)
            edit.setToolTip(spec.hint)
            edit.setAccessibleName(spec.title)
            edit.editingFinished.connect(self.give)
            problem.hide()
            grid.addWidget(label(spec.title), 2 * line, 0)
            grid.addWidget(edit, 2 * line, 1, 1, 1 if spec.key in ("symmetry", "tip") else 2)
            grid.addWidget(problem, 2 * line + 1, 0, 1, 3)
            self._edits[spec.key], self._problems[spec.key] = edit, problem
            if spec.key == "symmetry":
                grid.addWidget(self._asking("Propose", "symmetry", "Look at the tracked part's shape"), 2 * line, 2)
            if spec.key == "tip":
                grid.addWidget(self._asking("Touch…", "touch_tip", "Find the tip with the arm"), 2 * line, 2)
        panel.body.addLayout(grid)
        return panel

    def _ends(self) -> QGridLayout:
        self._save = self._asking("Save", "save", "Write the tool into the workspace")
        set_state(self._save, role="primary")
        self._undo, self._redo = self._asking("Undo", "undo", ""), self._asking("Redo", "redo", "")
        grid = QGridLayout()
        grid.setContentsMargins(0, 6, 6, 0)
        for column, made in enumerate((self._undo, self._redo, self._save)):
            grid.addWidget(made, 0, column)
        grid.setColumnStretch(2, 1)
        return grid


def main() -> None:
    """Show a form with two fields; it prints what is wanted."""

    def make() -> QWidget:
        form = ToolForm([FieldRow("name", "Name", "a name"), FieldRow("tip", "Tip", "x, y, z mm")], ["its centre"])
        form.show_sheet(ToolSheet({"name": "brush"}, {"tip": "is not 3 numbers"}, report="12 faces", unsaved=True))
        form.wanted.connect(print)
        return form

    demo(make)


if __name__ == "__main__":
    main()

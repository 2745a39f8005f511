"""The calibration wizard: what to calibrate, the live picture with its coverage, the views taken, the verdict."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QWidget,
)

from hardware.types import Frame
from widgets.calibration_values import CalibrationSheet, Choice, Number, ViewRow
from widgets.demo import demo
from widgets.panel import Panel, button, label, row
from widgets.theme import level_color, set_state
from widgets.views.calibration_picture import CalibrationPicture

SIDE_WIDTH = 340
STACKED = 2  # pictures, one over the other; more stand in two columns


class CalibrationPanel(QWidget):
    """Keys: Return takes what is seen, Delete removes the chosen view. Nothing here moves an arm."""

    chosen = Signal(str, str, str)  # task, camera, board: one of them was changed
    start_wanted = Signal()
    stop_wanted = Signal()
    take_wanted = Signal()
    remove_wanted = Signal(int)
    save_wanted = Signal()
    print_wanted = Signal(str)  # board
    automatic_wanted = Signal(bool)
    person_wanted = Signal(bool)
    plan_wanted = Signal()
    number_given = Signal(float)  # what was asked for, in SI

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._task, self._camera, self._board = _box("What"), _box("Camera"), _box("Board")
        self._pictures: dict[str, CalibrationPicture] = {}
        self._sheet = CalibrationSheet()
        self._print = button("Print board…", tip="A PDF at true scale, with a ruler to check the print")
        self._start = button("Start", "primary")
        self._stop = button("Stop looking", tip="The views taken so far are let go")
        self._take = button("Take it now   ⏎", tip="What is seen now, also where it is not taken by itself")
        self._remove = button("Remove   Del", tip="Take the chosen view out")
        self._save = button("Save and use", "approve", "Keep this calibration, dated, and use it from now on")
        self._plan = button(
            "Plan the stops", tip="A plan from where the arm stands, to be approved in Move by hand"
        )
        self._automatic = QCheckBox("Take by itself what rests somewhere new")
        self._person = QCheckBox()
        self._asked, self._number = label(""), QDoubleSpinBox(decimals=1)
        self._number.setKeyboardTracking(False)
        self._shown_number: Number | None = None
        self._step, self._live = label("", "title", wrap=True), label("", "muted", wrap=True)
        self._verdict, self._kept = label("", wrap=True), label("", "muted", wrap=True)
        self._figure = label("", "big", wrap=True)
        self._list = QListWidget()
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.setAccessibleName("Views")
        self._lay_out()
        self._connect()
        self.show_sheet(self._sheet)

    def show_choices(
        self,
        tasks: Sequence[Choice],
        cameras: Sequence[Choice],
        boards: Sequence[Choice],
        chosen: tuple[str, str, str],
    ) -> None:
        """Offer these; chosen: task, camera, board."""
        boxes = (self._task, self._camera, self._board)
        for box, offered, key in zip(boxes, (tasks, cameras, boards), chosen, strict=True):
            if [box.itemData(i) for i in range(box.count())] != [choice.key for choice in offered]:
                box.clear()
                for choice in offered:
                    box.addItem(choice.text, choice.key)
            box.setCurrentIndex(max(0, box.findData(key)))

    def show_sheet(self, sheet: CalibrationSheet) -> None:
        """Show where the wizard stands; the chosen view stays chosen."""
        self._sheet = sheet
        self._step.setText(sheet.step)
        live = " · ".join(filter(None, (sheet.live, sheet.figure if sheet.pictures else "")))
        self._live.setText(live)
        self._live.setVisible(bool(live))
        self._show_number(sheet.number)
        self._show_views(sheet.views)
        self._verdict.setText(sheet.verdict)
        set_state(self._verdict, state=sheet.level)
        self._kept.setText(sheet.kept)
        self._kept.setVisible(bool(sheet.kept))
        for box in (self._task, self._camera, self._board):
            box.setEnabled(not sheet.running)
        self._camera.setVisible(sheet.needs_camera)
        self._board.setVisible(sheet.needs_board)
        self._print.setVisible(sheet.needs_board)
        self._start.setVisible(not sheet.running)
        self._start.setEnabled(sheet.can_start)
        self._stop.setVisible(sheet.running)
        self._take.setEnabled(sheet.can_take)
        self._plan.setVisible(sheet.can_plan is not None)
        self._plan.setEnabled(bool(sheet.can_plan))
        self._save.setEnabled(sheet.can_save)
        self._automatic.setChecked(sheet.automatic)
        self._person.setVisible(sheet.person is not None)
        self._person.setText(sheet.person_words)
        self._person.setChecked(bool(sheet.person))
        self._show_pictures(sheet)
        self._picked()

    def show_frame(self, frame: Frame) -> None:
        """Show a camera's newest picture."""
        if frame.camera in self._pictures:
            self._pictures[frame.camera].show_frame(frame)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._take.isEnabled():
            if not self._number.hasFocus():  # there it ends the number
                self.take_wanted.emit()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._drop()
        else:
            super().keyPressEvent(event)

    # inside ----------------------------------------------------------------------------------------------------
    def _lay_out(self) -> None:
        side = Panel("CALIBRATE")
        side.setFixedWidth(SIDE_WIDTH)
        for box in (self._task, self._camera, self._board):
            side.body.addWidget(box)
        side.body.addLayout(row(self._start, self._stop, self._print))
        for line in (self._person, self._automatic, self._step):
            side.body.addWidget(line)
        side.body.addLayout(row(self._asked, self._number, 1))
        for widget in (self._live, self._plan, self._take):
            side.body.addWidget(widget)
        side.body.addWidget(self._list, 1)
        side.body.addLayout(row(self._remove, 1))
        for widget in (self._verdict, self._save, self._kept):
            side.body.addWidget(widget)
        self._shown = QGridLayout()
        self._shown.setSpacing(6)
        self._empty = label(
            "Start shows the cameras here, and which part of the picture the board has covered.", "muted", wrap=True
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._shown.addWidget(self._empty, 0, 0)
        self._shown.addWidget(self._figure, 0, 0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._shown, 1)
        layout.addWidget(side)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _connect(self) -> None:
        for box in (self._task, self._camera, self._board):
            box.activated.connect(self._choose)
        self._start.clicked.connect(lambda: self.start_wanted.emit())
        self._stop.clicked.connect(lambda: self.stop_wanted.emit())
        self._take.clicked.connect(lambda: self.take_wanted.emit())
        self._remove.clicked.connect(self._drop)
        self._save.clicked.connect(lambda: self.save_wanted.emit())
        self._print.clicked.connect(lambda: self.print_wanted.emit(str(self._board.currentData())))
        self._plan.clicked.connect(lambda: self.plan_wanted.emit())
        self._automatic.clicked.connect(self.automatic_wanted)
        self._person.clicked.connect(self.person_wanted)
        self._list.currentRowChanged.connect(self._picked)
        self._number.valueChanged.connect(self._give_number)

    def _show_number(self, number: Number | None) -> None:
        self._asked.setVisible(number is not None)
        self._number.setVisible(number is not None)
        if number is None or number == self._shown_number:
            return
        self._asked.setText(number.what)
        self._number.setAccessibleName(number.what)
        self._number.blockSignals(True)
        self._number.setRange(number.low, number.high)
        self._number.setSuffix(f" {number.unit}")
        self._number.setValue(number.value)
        self._number.blockSignals(False)
        self._shown_number = number

    def _show_views(self, views: Sequence[ViewRow]) -> None:
        if [self._list.item(i).text() for i in range(self._list.count())] != [view.text for view in views]:
            kept = self._list.currentRow()
            self._list.clear()
            self._list.addItems([view.text for view in views])
            self._list.setCurrentRow(min(kept, len(views) - 1))
            if kept < 0:
                self._list.scrollToBottom()
        for i, view in enumerate(views):
            if view.level:
                self._list.item(i).setForeground(_ink(view.level))

    def _show_pictures(self, sheet: CalibrationSheet) -> None:
        if list(self._pictures) != list(sheet.pictures):
            for gone in self._pictures.values():
                self._shown.removeWidget(gone)
                gone.hide()
                gone.deleteLater()
            self._pictures = {name: CalibrationPicture() for name in sheet.pictures}
            columns = 1 if len(self._pictures) <= STACKED else 2
            for k, (name, picture) in enumerate(self._pictures.items()):
                picture.setAccessibleName(f"Camera {name}")
                self._shown.addWidget(picture, *divmod(k, columns))
        self._figure.setText(sheet.figure)
        self._figure.setVisible(bool(sheet.figure) and not self._pictures)
        self._empty.setVisible(not self._pictures and not sheet.figure)
        for name, state in sheet.pictures.items():
            self._pictures[name].show_state(state)

    @Slot()
    def _choose(self) -> None:
        self.chosen.emit(*(str(box.currentData()) for box in (self._task, self._camera, self._board)))

    @Slot(float)
    def _give_number(self, value: float) -> None:
        if self._shown_number is not None:
            self.number_given.emit(value / self._shown_number.per_si)

    @Slot()
    def _picked(self) -> None:
        self._remove.setEnabled(self._list.currentRow() >= 0)

    @Slot()
    def _drop(self) -> None:
        if self._remove.isEnabled():
            self.remove_wanted.emit(self._list.currentRow())


def _box(name: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    return made


def _ink(level: str) -> QColor:
    return QColor(level_color(level))


def main() -> None:
    """Show a wizard with two views."""

    def make() -> QWidget:
        panel = CalibrationPanel()
        panel.show_choices([Choice("lens", "Lens of one camera")], [Choice("top", "top")], [Choice("a4", "A4")],
                           ("lens", "top", "a4"))  # fmt: skip
        views = (ViewRow("1   0.21 px"), ViewRow("2   3.10 px, left out", "warning"))
        panel.show_sheet(CalibrationSheet(True, "Tilt the board left. 6 more at least.", views, can_take=True))
        return panel

    demo(make)


if __name__ == "__main__":
    main()

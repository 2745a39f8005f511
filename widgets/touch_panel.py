"""A wizard in which the arm touches something: what to do, the touches so far, how well they agree."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QListWidget, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import Panel, button, label, row
from widgets.theme import set_state
from widgets.tool_values import TouchSheet


class TouchPanel(QWidget):
    """Keys: Return takes a touch, R takes the chosen one again, Delete removes it. Nothing here moves the arm."""

    take_wanted = Signal()
    redo_wanted = Signal(int)
    remove_wanted = Signal(int)
    save_wanted = Signal()
    closed = Signal()
    arm_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel = Panel("TOUCH")
        self._step, self._live = label("", "title", wrap=True), label("", "number", wrap=True)
        self._verdict = label("", wrap=True)
        self._arm, self._list = QComboBox(), QListWidget()
        self._arm.setAccessibleName("Arm")
        self._arm.textActivated.connect(self.arm_chosen)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._take = button("Take this touch   ⏎", "primary", "Where the flange is now counts as a touch")
        self._redo = button("Take again   R", tip="Put the flange's pose now in place of the chosen touch")
        self._remove = button("Remove   Del")
        self._save = button("Save the result", "approve")
        close = button("Close")
        self._take.clicked.connect(lambda: self.take_wanted.emit())
        self._redo.clicked.connect(self._again)
        self._remove.clicked.connect(self._drop)
        self._save.clicked.connect(lambda: self.save_wanted.emit())
        close.clicked.connect(lambda: self.closed.emit())
        self._list.currentRowChanged.connect(self._chosen)
        for pushed in (self._take, self._redo, self._remove):
            pushed.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click must not take the keys from the jog pad
        body = self._panel.body
        body.addLayout(row(label("Arm"), self._arm, 1, close))
        for widget in (self._step, self._live, self._take, self._list):
            body.addWidget(widget, 1 if widget is self._list else 0)
        body.addLayout(row(self._redo, self._remove, 1))
        for widget in (self._verdict, self._save):
            body.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._panel)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # as its buttons

    def show_arms(self, arms: tuple[str, ...], chosen: str) -> None:
        """Offer these arms."""
        if [self._arm.itemText(i) for i in range(self._arm.count())] != list(arms):
            self._arm.clear()
            self._arm.addItems(list(arms))
        self._arm.setCurrentText(chosen)

    def show_sheet(self, sheet: TouchSheet) -> None:
        """Show where the wizard stands; the chosen touch stays chosen."""
        self._panel.heading.setText(sheet.title)
        self._step.setText(sheet.step)
        self._live.setText(sheet.live)
        if [self._list.item(i).text() for i in range(self._list.count())] != list(sheet.touches):
            kept = self._list.currentRow()
            self._list.clear()
            self._list.addItems(list(sheet.touches))
            self._list.setCurrentRow(min(kept, len(sheet.touches) - 1))
        self._verdict.setText(sheet.verdict)
        set_state(self._verdict, state=sheet.level)
        self._take.setEnabled(sheet.can_take)
        self._can_take = sheet.can_take
        self._save.setEnabled(sheet.can_save)
        self._chosen()

    _can_take = False

    @Slot()
    def _chosen(self) -> None:
        chosen = self._list.currentRow() >= 0
        self._redo.setEnabled(chosen and self._can_take)
        self._remove.setEnabled(chosen)

    @Slot()
    def _again(self) -> None:
        if self._redo.isEnabled():
            self.redo_wanted.emit(self._list.currentRow())

    @Slot()
    def _drop(self) -> None:
        if self._remove.isEnabled():
            self.remove_wanted.emit(self._list.currentRow())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._take.isEnabled():
                self.take_wanted.emit()
        elif event.key() == Qt.Key.Key_R:
            self._again()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._drop()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self._list.count():
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self._list.setCurrentRow(max(0, min(self._list.currentRow() + step, self._list.count() - 1)))
        else:
            super().keyPressEvent(event)


def main() -> None:
    """Show a wizard with two touches."""

    def make() -> QWidget:
        panel = TouchPanel()
        touches = ("1   off by 0.12 mm", "2   off by 0.31 mm")
        panel.show_sheet(TouchSheet("TOOL TIP", "Lean the tool. 2 more.", touches, live="x 400 mm", can_take=True))
        return panel

    demo(make)


if __name__ == "__main__":
    main()

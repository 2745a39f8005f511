"""The corrections of a dream: what a person did where, to go there or to take it back."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.icons import icon
from widgets.panel import ElidedLabel, clear, label, row, scrolled
from widgets.theme import set_state
from widgets.transport import action_button
from widgets.views.types import CorrectionRow

BUTTONS = ("correct", "before", "untracked", "take_pose", "split", "restart", "copy_view", "fine")
_PER_ROW = 4
_NOTHING = (
    "Nothing is corrected yet. Draw a box (B) where a tool is not found, correct its pose (C) where it lies wrong, "
    "or mark a frame untracked (X)."
)


class _Dot(QWidget):
    def __init__(self, ink: str) -> None:
        super().__init__()
        self._ink = QColor(ink)
        self.setFixedSize(12, 12)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ink)
        painter.drawEllipse(2, 2, 8, 8)


class _Row(QFrame):
    picked = Signal(int)
    removed = Signal(int)

    def __init__(self, made: CorrectionRow) -> None:
        super().__init__()
        self._id = made.id
        dot = _Dot(made.color)
        where = " · ".join(part for part in (made.tool, made.view, made.frames) if part)
        text = ElidedLabel(f"{made.kind} · {where}")
        self.setToolTip(f"{made.kind}, {where}{f': {made.by}' if made.by else ''}. Click to go there.")
        away = QToolButton()
        away.setIcon(icon("close", "muted"))
        set_state(away, role="tiny")
        away.setToolTip("Remove this correction (Delete); undo brings it back (Ctrl+Z)")
        away.setAccessibleName(f"Remove: {made.kind}, {where}")
        away.clicked.connect(self._remove)
        line = row(dot, text, away)
        line.setStretch(1, 1)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"{made.kind}, {where}")

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.picked.emit(self._id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.picked.emit(self._id)
        elif event.key() == Qt.Key.Key_Delete:
            self._remove()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _remove(self) -> None:
        self.removed.emit(self._id)


class CorrectionsPanel(QWidget):
    """Buttons for what a person corrects with, and the list. Emits row_picked(id) and remove_wanted(id)."""

    row_picked = Signal(int)
    remove_wanted = Signal(int)

    def __init__(
        self,
        actions: Mapping[str, QAction],
        parent: QWidget | None = None,
        buttons: Sequence[str] = BUTTONS,
        nothing: str = _NOTHING,
    ) -> None:
        """buttons: which of the actions are offered; nothing: what is said while nothing is corrected."""
        super().__init__(parent)
        self._nothing = nothing
        self._shown: tuple[CorrectionRow, ...] | None = None
        self._note = label("", "muted", wrap=True)
        grid = QGridLayout()
        grid.setSpacing(4)
        for i, name in enumerate(name for name in buttons if name in actions):
            button = action_button(actions[name])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            grid.addWidget(button, i // _PER_ROW, i % _PER_ROW)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        inner = QWidget()
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(0, 0, 6, 0)
        inside.addWidget(self._note)
        inside.addLayout(self._rows)
        inside.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addLayout(grid)
        outer.addWidget(scrolled(inner))
        self.show_corrections(())

    def show_corrections(self, rows: Sequence[CorrectionRow]) -> None:
        """Show these corrections in the order given."""
        if tuple(rows) == self._shown:
            return
        self._shown = tuple(rows)
        self._note.setText("" if rows else self._nothing)
        self._note.setVisible(not rows)
        clear(self._rows)
        for made in rows:
            line = _Row(made)
            line.picked.connect(self.row_picked)
            line.removed.connect(self.remove_wanted)
            self._rows.addWidget(line)


def main() -> None:
    """Show a box and a marked span."""

    def make() -> QWidget:
        panel = CorrectionsPanel({name: QAction(name) for name in BUTTONS})
        rows = [CorrectionRow(0, "box", "left", "#33aaff", "frame 4", "top", "Ada, 10:32")]
        panel.show_corrections([*rows, CorrectionRow(1, "untracked", "right", "#ffaa33", "frames 5 to 7")])
        return panel

    demo(make)


if __name__ == "__main__":
    main()

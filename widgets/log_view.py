"""The log for a person: levels, words to look for, copy, and the way to a problem report."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QAction, QColor, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.demo import demo
from widgets.panel import button, row
from widgets.theme import COLORS, set_state

_ENTRIES = 2000
LEVELS = ("info", "warning", "error")
_NAMES = {"info": "Notes", "warning": "Warnings", "error": "Errors"}
_INKS = {"info": "muted", "warning": "warning", "error": "alarm"}


@dataclass(frozen=True)
class Entry:
    """One report; text may have several lines."""

    text: str
    level: str


class LogView(QWidget):
    """Keeps the last 2,000 entries; shows those of the chosen levels that hold every word looked for."""

    def __init__(self, actions: Sequence[QAction] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES)
        self._text = QPlainTextEdit(readOnly=True)
        self._text.setMaximumBlockCount(20 * _ENTRIES)
        self._text.setObjectName("log")
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._levels = {level: self._level_button(level) for level in LEVELS}
        self._find = QLineEdit(placeholderText="Find in the log")
        self._find.setClearButtonEnabled(True)
        self._find.setMaximumWidth(360)
        self._find.textChanged.connect(self._show_again)
        copy, clear = button("Copy", tip="Copy the chosen lines, or all that are shown"), button("Clear")
        copy.clicked.connect(self._copy)
        clear.clicked.connect(self.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 8)
        others = [_plain_button(action) for action in actions]
        layout.addLayout(row(*self._levels.values(), self._find, 1, *others, copy, clear))
        layout.addWidget(self._text)
        self._count()

    @property
    def text(self) -> str:
        """Everything that is kept, whatever is shown."""
        return "\n".join(entry.text for entry in self._entries)

    @property
    def shown(self) -> str:
        return self._text.toPlainText().rstrip("\n")

    def add(self, text: str, level: str = "info") -> None:
        """Append a report; level: info, warning or error."""
        entry = Entry(text.rstrip(), level if level in LEVELS else "info")
        self._entries.append(entry)
        if self._wanted(entry):
            bar = self._text.verticalScrollBar()
            at_end = bar.value() >= bar.maximum() - 2
            self._write(entry)
            if at_end:
                bar.setValue(bar.maximum())
        self._count()

    def show_last(self, text: str) -> None:
        """Show everything again and the newest entry that holds this text, whatever was filtered before."""
        for switch in self._levels.values():
            switch.setChecked(True)
        self._find.clear()
        self._show_again()
        cursor = QTextCursor(self._text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        backward = QTextDocument.FindFlag.FindBackward
        found = self._text.document().find(text.split("\n", 1)[0], cursor, backward)
        if not found.isNull():
            found.movePosition(QTextCursor.MoveOperation.StartOfLine)
            self._text.setTextCursor(found)
            self._text.centerCursor()

    @Slot()
    def clear(self) -> None:
        """Forget what is shown here; the log file keeps it."""
        self._entries.clear()
        self._text.clear()
        self._count()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_find"):
            self._show_again()

    def _level_button(self, level: str) -> QToolButton:
        made = QToolButton()
        made.setCheckable(True)
        made.setChecked(True)
        set_state(made, role="flat")
        made.toggled.connect(self._show_again)
        return made

    def _wanted(self, entry: Entry) -> bool:
        words = self._find.text().lower().split()
        return self._levels[entry.level].isChecked() and all(word in entry.text.lower() for word in words)

    @Slot()
    def _show_again(self) -> None:
        self._text.clear()
        for entry in self._entries:
            if self._wanted(entry):
                self._write(entry)
        self._text.verticalScrollBar().setValue(self._text.verticalScrollBar().maximum())

    def _write(self, entry: Entry) -> None:
        ink = QTextCharFormat()
        ink.setForeground(QColor(COLORS[_INKS[entry.level]]))
        cursor = QTextCursor(self._text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(f"{entry.text}\n", ink)

    def _count(self) -> None:
        for level, switch in self._levels.items():
            number = sum(entry.level == level for entry in self._entries)
            switch.setText(f"{_NAMES[level]}  {number}")

    @Slot()
    def _copy(self) -> None:
        chosen = self._text.textCursor().selectedText().replace("\u2029", "\n")
        QApplication.clipboard().setText(chosen or self.shown)


def _plain_button(action: QAction) -> QPushButton:
    made = button(action.text(), tip=action.toolTip())
    made.clicked.connect(action.trigger)
    return made


def main() -> None:
    """Show a log with an error."""

    def make() -> QWidget:
        log = LogView()
        log.add("the left arm is ready")
        log.add("error 31: something was hit", "error")
        return log

    demo(make)


if __name__ == "__main__":
    main()

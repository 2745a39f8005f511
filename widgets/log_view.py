"""The log for a person: the newest lines, errors in colour, one button to copy it."""

from PySide6.QtCore import Slot
from PySide6.QtGui import QColor, QFontDatabase, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from widgets.panel import label, row
from widgets.theme import COLORS

_LINES = 2000
_INKS = {"warning": "warning", "error": "alarm"}


class LogView(QWidget):
    """Keeps the last 2,000 lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QPlainTextEdit(readOnly=True)
        self._text.setMaximumBlockCount(_LINES)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        copy, clear = QPushButton("Copy all"), QPushButton("Clear")
        copy.clicked.connect(self._copy)
        clear.clicked.connect(self._text.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 8)
        layout.addLayout(row(label("What the program and the devices reported", "muted"), 1, copy, clear))
        layout.addWidget(self._text)

    @property
    def text(self) -> str:
        return self._text.toPlainText()

    def add(self, text: str, level: str = "info") -> None:
        """Append a line (or several); level: info, warning or error."""
        ink = QTextCharFormat()
        ink.setForeground(QColor(COLORS[_INKS.get(level, "muted")]))
        cursor = QTextCursor(self._text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text.rstrip() + "\n", ink)
        self._text.verticalScrollBar().setValue(self._text.verticalScrollBar().maximum())

    @Slot()
    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text)

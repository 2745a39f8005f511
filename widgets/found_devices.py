"""What is plugged in: the lines of a rig.toml to copy, and what installs an SDK that is missing."""

from dataclasses import dataclass

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from widgets.demo import demo
from widgets.panel import Panel, button, label

MOST_LINES = 14


@dataclass(frozen=True)
class FoundState:
    """title: how many there are; lines: of a rig.toml, "" for none; missing: a sentence for each driver that cannot
    look."""

    title: str = ""
    lines: str = ""
    missing: tuple[str, ...] = ()


class FoundDevices(Panel):
    """`show_found` shows what was found; a person copies it, or closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("PLUGGED IN", parent)
        self._copy, close = button("Copy the lines"), button("Close")
        self._copy.clicked.connect(self._copy_lines)
        close.clicked.connect(self.hide)
        self.corner.addWidget(self._copy)
        self.corner.addWidget(close)
        self._title = label(wrap=True)
        self._lines = QPlainTextEdit(readOnly=True, tabChangesFocus=True)
        self._lines.setAccessibleName("Lines for rig.toml")
        self._missing = label("", "muted", wrap=True)
        for widget in (self._title, self._lines, self._missing):
            self.body.addWidget(widget)
        self.hide()

    def show_found(self, state: FoundState) -> None:
        self._title.setText(state.title)
        self._lines.setPlainText(state.lines)
        shown = min(state.lines.count("\n") + 1, MOST_LINES)
        self._lines.setFixedHeight(round((shown + 1) * self._lines.fontMetrics().lineSpacing()) + 8)
        self._lines.setVisible(bool(state.lines))
        self._copy.setVisible(bool(state.lines))
        self._missing.setText("\n".join(state.missing))
        self._missing.setVisible(bool(state.missing))
        self.show()

    @Slot()
    def _copy_lines(self) -> None:
        QGuiApplication.clipboard().setText(self._lines.toPlainText() + "\n")


def main() -> None:
    """Show one camera, and an SDK that is missing."""

    def make() -> QWidget:
        found = FoundDevices()
        lines = '[[cameras]]  # a webcam\nname = "webcam1"\ndriver = "webcam"\nserial = "0"'
        found.show_found(FoundState("1 device is plugged in", lines, ("basler: pypylon is missing",)))
        return found

    demo(make)


if __name__ == "__main__":
    main()

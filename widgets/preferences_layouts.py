"""The layouts that a person keeps under names."""

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import button, clear, label, row
from widgets.theme import set_state

_ABOUT = (
    "The panes of every page and the log lie as you left them. Keep how they lie now under a name, such as one to "
    "record with and one to inspect with; the palette finds it."
)


class LayoutList(QWidget):
    """`keep_wanted(name)`, `use_wanted(name)`, `remove_wanted(name)`, `usual_wanted()` for all pages."""

    keep_wanted = Signal(str)
    use_wanted = Signal(str)
    remove_wanted = Signal(str)
    usual_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = QLineEdit(placeholderText="Name of the layout")
        self._name.setMaximumWidth(320)
        self._name.setMaxLength(40)
        self._name.returnPressed.connect(self._keep)
        keep, usual = button("Keep the present layout", "primary"), button("Usual layout for all pages")
        keep.clicked.connect(self._keep)
        usual.clicked.connect(self.usual_wanted)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 8, 4, 8)
        layout.setSpacing(12)
        layout.addWidget(label(_ABOUT, "muted", wrap=True))
        layout.addLayout(row(self._name, keep, 1, usual))
        layout.addLayout(self._lines)
        layout.addStretch(1)

    def show_layouts(self, names: Sequence[str]) -> None:
        """List the kept ones."""
        clear(self._lines)
        if not names:
            self._lines.addWidget(label("No layout is kept yet.", "faint"))
        for name in names:
            self._lines.addWidget(self._line(name))

    def _line(self, name: str) -> QWidget:
        frame = QFrame()
        set_state(frame, role="pane")
        use, remove = button("Use"), button("Forget", "flat")
        use.clicked.connect(lambda: self.use_wanted.emit(name))
        remove.clicked.connect(lambda: self.remove_wanted.emit(name))
        inner = row(label(name), 1, use, remove)
        inner.setContentsMargins(12, 6, 8, 6)
        frame.setLayout(inner)
        return frame

    @Slot()
    def _keep(self) -> None:
        if self._name.text().strip():
            self.keep_wanted.emit(self._name.text().strip())
            self._name.clear()


def main() -> None:
    """Show one layout."""

    def make() -> QWidget:
        shown = LayoutList()
        shown.show_layouts(["inspecting"])
        return shown

    demo(make)


if __name__ == "__main__":
    main()

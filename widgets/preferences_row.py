"""One preference: what it is, its value, and the way back to the usual one."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import button, label, row
from widgets.preferences_values import PrefRow, PrefValue

_EDITOR_PX, _BOUNDS_PX = 400, 120


class PreferenceRow(QFrame):
    """`changed(name, value)`, `reset_wanted(name)`, `browse_wanted(name)`, `test_wanted(name)`."""

    changed = Signal(str, object)
    reset_wanted = Signal(str)
    browse_wanted = Signal(str)
    test_wanted = Signal(str)

    def __init__(self, pref: PrefRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pref = pref
        self._waiting = label("needs a restart", "chip", "warning")
        self._reset = button("Usual value", "flat")
        self._reset.clicked.connect(lambda: self.reset_wanted.emit(self.pref.name))
        self._problem = label("", state="alarm", wrap=True)
        left = QVBoxLayout()
        left.setSpacing(2)
        left.addLayout(row(label(pref.title), self._waiting, 1))
        left.addWidget(label(pref.about, "muted", wrap=True))
        left.addWidget(self._problem)
        editor = QWidget()
        editor.setFixedWidth(_EDITOR_PX)
        inner = QHBoxLayout(editor)
        inner.setContentsMargins(0, 0, 0, 0)
        self._show_value = _EDITORS[pref.kind](self, inner)
        if pref.test:
            self._add_test(inner, pref.test)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 8, 4, 8)
        layout.setSpacing(20)
        layout.addLayout(left, 1)
        layout.addWidget(editor, alignment=Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self._room_for_reset(), alignment=Qt.AlignmentFlag.AlignVCenter)
        self.show_row(pref)

    def show_row(self, pref: PrefRow, problem: str = "") -> None:
        """Show the row as it is now; problem: why the last try was refused."""
        self.pref = pref
        self._show_value(pref.value)
        self._waiting.setVisible(pref.waiting)
        self._reset.setVisible(pref.value != pref.default)
        self._reset.setToolTip(f"Back to {self._words(pref.default)}")
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))

    def send(self, value: PrefValue) -> None:
        """Tell a value that a person gave, when it is another one."""
        if value != self.pref.value:
            self.changed.emit(self.pref.name, value)

    def _words(self, value: PrefValue) -> str:
        if self.pref.kind == "number":
            return f"{value:g} {self.pref.unit}" if value else self.pref.zero
        return self.pref.choices.get(str(value), str(value)) or "nothing"

    def _room_for_reset(self) -> QWidget:
        room = QWidget()
        room.setFixedWidth(110)
        inner = QHBoxLayout(room)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self._reset)
        return room

    def _add_test(self, layout: QHBoxLayout, words: str) -> None:
        made = button(words, tip="Try whether this works")
        made.clicked.connect(lambda: self.test_wanted.emit(self.pref.name))
        layout.addWidget(made)


class _Field(QLineEdit):
    """Takes what is typed when it is left or Return is pressed."""

    def __init__(self, owner: PreferenceRow) -> None:
        super().__init__()
        self._owner = owner
        self.setAccessibleName(owner.pref.title)
        self.editingFinished.connect(self._done)

    @Slot()
    def _done(self) -> None:
        self._owner.send(self.text().strip())


class _Choice(QComboBox):
    """The wheel scrolls the page, it does not change a preference."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _Number(_Field):
    """A number as a person writes it, with a point or a comma; nothing stands for 0."""

    @Slot()
    def _done(self) -> None:
        text = self.text().strip().replace(",", ".")
        try:
            self._owner.send(float(text or 0.0))
        except ValueError:
            self._owner.send(self.text().strip())  # refused with the words that say what is valid


def _text(owner: PreferenceRow, layout: QHBoxLayout) -> Callable[[PrefValue], None]:
    field = _Field(owner)
    layout.addWidget(field)
    return lambda value: field.setText(str(value))


def _path(owner: PreferenceRow, layout: QHBoxLayout) -> Callable[[PrefValue], None]:
    show = _text(owner, layout)
    browse = button("Choose…")
    browse.clicked.connect(lambda: owner.browse_wanted.emit(owner.pref.name))
    layout.addWidget(browse)
    return show


def _choice(owner: PreferenceRow, layout: QHBoxLayout) -> Callable[[PrefValue], None]:
    box = _Choice()
    box.setAccessibleName(owner.pref.title)
    for value, words in owner.pref.choices.items():
        box.addItem(words, value)
    box.activated.connect(lambda index: owner.send(box.itemData(index)))
    layout.addWidget(box)
    return lambda value: box.setCurrentIndex(max(box.findData(value), 0))


def _number(owner: PreferenceRow, layout: QHBoxLayout) -> Callable[[PrefValue], None]:
    field, pref = _Number(owner), owner.pref
    field.setPlaceholderText(pref.zero)
    layout.addWidget(field)
    bounds = label(f"{pref.low:g} … {pref.high:g} {pref.unit}", "muted")
    bounds.setMinimumWidth(_BOUNDS_PX)
    layout.addWidget(bounds)
    return lambda value: field.setText(f"{value:g}" if isinstance(value, float) and value else "")


_EDITORS: Mapping[str, Callable[[PreferenceRow, QHBoxLayout], Callable[[PrefValue], None]]] = {
    "text": _text,
    "file": _path,
    "folder": _path,
    "choice": _choice,
    "number": _number,
}


def main() -> None:
    """Show a limit that was lowered."""
    about = "Lowers the rig's limit of tool-tip speed."
    demo(
        lambda: PreferenceRow(
            PrefRow("tip_speed", "safety", "Fastest tool tip", about, "number", 0.1, 0.0, {}, 0.02, 0.25, "m/s")
        )
    )


if __name__ == "__main__":
    main()

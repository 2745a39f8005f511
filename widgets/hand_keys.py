"""Keys that drive a held tool for as long as they are held, wherever the keyboard's focus is in a window."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

Wish = tuple[float, float, float, float]
STILL: Wish = (0.0, 0.0, 0.0, 0.0)
_K = Qt.Key
_MOVES: Mapping[int, Wish] = {
    _K.Key_Right: (1, 0, 0, 0), _K.Key_Left: (-1, 0, 0, 0), _K.Key_Up: (0, 1, 0, 0), _K.Key_Down: (0, -1, 0, 0),
    _K.Key_Q: (0, 0, 0, 1), _K.Key_E: (0, 0, 0, -1),
}  # fmt: skip
_LIFTS: Mapping[int, Wish] = {_K.Key_Up: (0, 0, 1, 0), _K.Key_Down: (0, 0, -1, 0)}  # with Shift
SECOND = _K.Key_F
_KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
_OURS = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier,
         Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)  # fmt: skip


class HandKeys(QObject):
    """While `listen` is on, arrows, Q and E belong to the tool: `wish` is right, away, up and counterclockwise,
    each -1..1. F emits `second`. A window that is left lets go of everything."""

    second = Signal()

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page, self._listening, self._shift = page, False, False
        self._held: set[int] = set()

    @property
    def wish(self) -> Wish:
        moves = {**_MOVES, **_LIFTS} if self._shift else _MOVES
        total = [sum(axis) for axis in zip(STILL, *(moves[key] for key in self._held), strict=True)]
        x, y, z, turn = (min(max(value, -1.0), 1.0) for value in total)
        return x, y, z, turn

    def listen(self, on: bool) -> None:
        """Take the keys, or give them back."""
        app = QCoreApplication.instance()
        if on == self._listening or app is None:
            return
        self._listening = on
        self._held.clear()
        if on:
            app.installEventFilter(self)
        else:
            app.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self._held.clear()
        if event.type() not in _KEYS or not isinstance(event, QKeyEvent):
            return False
        self._shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        mine = event.key() in _MOVES or event.key() == SECOND
        if not mine:
            return False
        if event.type() == QEvent.Type.KeyRelease:
            if not event.isAutoRepeat():
                self._held.discard(event.key())
            return False
        if event.modifiers() not in _OURS or QApplication.activeWindow() is not self._page.window():
            return False
        if event.type() == QEvent.Type.KeyPress and not event.isAutoRepeat():
            self._press(event.key())
        event.accept()
        return True

    def _press(self, key: int) -> None:
        if key == SECOND:
            self.second.emit()
        else:
            self._held.add(key)

"""While anything moves, Esc and Space stop from everywhere: above dialogs, menus and text fields."""

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent

STOP_KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Space)
STOP_TEXT = "Esc and Space always stop while anything moves; these keys cannot be changed"
_KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease)


class KeyGuard(QObject):
    """An event filter for the whole application.

    moving() is asked at every Esc and Space, so a late signal cannot open a gap; stop() is called at once, from the
    window's thread. The key goes no further: it neither closes a dialog nor types a blank. A key that stopped
    something is swallowed until it is let go, so that its repeats and its release do nothing else.
    """

    def __init__(self, moving: Callable[[], bool], stop: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._moving, self._stop = moving, stop
        self._swallowing: set[int] = set()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() not in _KEYS:
            return False
        key = cast(QKeyEvent, event)
        if key.key() not in STOP_KEYS:
            return False
        if event.type() == QEvent.Type.KeyRelease:
            return self._release(key)
        return self._press(key)

    def _press(self, key: QKeyEvent) -> bool:
        if not key.isAutoRepeat() and self._moving():
            self._swallowing.add(key.key())
            self._stop()
        if key.key() not in self._swallowing:
            return False
        key.accept()
        return True

    def _release(self, key: QKeyEvent) -> bool:
        if key.key() not in self._swallowing:
            return False
        if not key.isAutoRepeat():
            self._swallowing.discard(key.key())
        return True

"""Text fields on a page whose shortcuts are plain keys: while one has the focus, its keys are its own."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier)


class _OwnKeys(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        asked = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if asked and event.modifiers() in _PLAIN:  # type: ignore[attr-defined]
            event.accept()
            return True
        return False


def keep_own_keys(field: QWidget) -> None:
    """Let keys without Ctrl or Alt reach this field before any shortcut: Return in it does not keep a take."""
    field.installEventFilter(_OwnKeys(field))

"""Text fields on a page whose shortcuts are plain keys: while one has the focus, its keys are its own."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier)
_EDITING = {
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
    Qt.Key.Key_Backspace,
    Qt.Key.Key_Delete,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
}


class _OwnKeys(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        types = bool(event.text()) and event.text().isprintable()
        if event.modifiers() in _PLAIN and (types or event.key() in _EDITING):
            event.accept()
            return True
        return False


def keep_own_keys(field: QWidget) -> None:
    """Let what is typed reach this field before any shortcut: Return in it does not keep a take.

    Keys that type nothing, as many a foot pedal sends, go on to their shortcuts.
    """
    field.installEventFilter(_OwnKeys(field))

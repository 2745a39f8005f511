"""Find an action by a few letters: type, arrows, Enter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from widgets.panel import label
from widgets.theme import color, set_state

_ID = Qt.ItemDataRole.UserRole
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8, Qt.Key.Key_PageDown: 8}


@dataclass(frozen=True)
class Offer:
    """One line of the palette. reason: why it cannot be done right now, "" where it can."""

    id: str
    text: str
    place: str
    shortcut: str
    reason: str = ""


class Palette(QFrame):
    """Lies over its parent until something is chosen, Esc is pressed or the focus goes elsewhere."""

    chosen = Signal(str)

    def __init__(self, search: Callable[[str], Sequence[Offer]], parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        set_state(self, role="banner")
        self._search = search
        self._field = QLineEdit(placeholderText="What do you want to do?")
        self._field.textChanged.connect(self._look)
        self._field.installEventFilter(self)
        self._list = QTreeWidget()
        self._list.setColumnCount(3)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setUniformRowHeights(True)
        self._list.itemClicked.connect(self._take)
        self._nothing = label("Nothing is called that. Try fewer letters.", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self._field)
        layout.addWidget(self._nothing)
        layout.addWidget(self._list, 1)
        self.hide()

    def open(self) -> None:
        """Show it empty, with everything listed."""
        parent = self._over
        width = min(760, parent.width() - 40)
        self.setGeometry((parent.width() - width) // 2, 56, width, min(460, parent.height() - 120))
        self._list.setColumnWidth(0, 290)
        self._list.setColumnWidth(1, width - 290 - 150)
        self._field.clear()
        self._look("")
        self.show()
        self.raise_()
        self._field.setFocus()

    @property
    def offers(self) -> list[str]:
        """The ids listed now, best first."""
        items = (self._list.topLevelItem(i) for i in range(self._list.topLevelItemCount()))
        return [str(item.data(0, _ID)) for item in items if item is not None]

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        return self._key(Qt.Key(event.key()))

    def _key(self, key: Qt.Key) -> bool:
        if key == Qt.Key.Key_Escape:
            self._end()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(self._list.currentItem())
        elif key in _STEPS:
            self._move(_STEPS[key])
        else:
            return False
        return True

    def _move(self, rows: int) -> None:
        here = self._list.currentItem()
        row = self._list.indexOfTopLevelItem(here) + rows if here is not None else 0
        self._choose(min(max(row, 0), self._list.topLevelItemCount() - 1))

    def _choose(self, row: int) -> None:
        item = self._list.topLevelItem(row)
        if item is not None:
            self._list.setCurrentItem(item)

    @Slot(str)
    def _look(self, words: str) -> None:
        self._list.clear()
        for offer in self._search(words):
            self._list.addTopLevelItem(_line(offer))
        self._choose(0)
        self._nothing.setVisible(not self._list.topLevelItemCount())

    @Slot("QTreeWidgetItem*")
    def _take(self, item: QTreeWidgetItem | None) -> None:
        if item is None:
            return
        chosen = item.data(0, _ID)
        self._end()
        self.chosen.emit(chosen)

    def _end(self) -> None:
        self.hide()
        self._over.setFocus()


def _line(offer: Offer) -> QTreeWidgetItem:
    """What cannot be done now stays in the list, faint, with its reason where the others have their place."""
    item = QTreeWidgetItem([offer.text, offer.reason or offer.place, offer.shortcut])
    item.setData(0, _ID, offer.id)
    item.setForeground(0, color("faint" if offer.reason else "text"))
    item.setForeground(1, color("warning" if offer.reason else "muted"))
    item.setForeground(2, color("faint" if offer.reason else "muted"))
    item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item

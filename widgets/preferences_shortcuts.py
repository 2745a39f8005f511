"""Which keys do what, and other keys for it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHeaderView, QKeySequenceEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import button, label, row
from widgets.preferences_values import ShortcutRow
from widgets.theme import color, set_state

_ID = Qt.ItemDataRole.UserRole


class ShortcutEditor(QWidget):
    """`keys_tried(id, keys)` at every key pressed in the field, answered by `show_verdict`; `keys_wanted(id, keys)`
    for keys that a person takes; `usual_wanted(id)`, "" for all."""

    keys_tried = Signal(str, str)
    keys_wanted = Signal(str, str)
    usual_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, ShortcutRow] = {}
        self._words = ""
        self._list = QTreeWidget()
        self._list.setColumnCount(4)
        self._list.setHeaderLabels(["Action", "Where", "Keys", "Usual keys"])
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.setAccessibleName("Shortcuts")
        header = self._list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 150), (2, 190), (3, 190)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self._list.setColumnWidth(column, width)
        self._list.currentItemChanged.connect(self._chosen)
        self._name, self._verdict = label("", "heading"), label("", "muted", wrap=True)
        self._field = QKeySequenceEdit()
        self._field.setMaximumSequenceLength(1)
        self._field.setAccessibleName("Press the new keys")
        self._field.setFixedWidth(220)
        self._field.keySequenceChanged.connect(self._typed)
        self._take = button("Use these keys", "primary")
        self._none, self._usual = button("No keys"), button("Usual keys")
        self._all = button("Usual keys for all", "flat")
        self._take.clicked.connect(lambda: self.keys_wanted.emit(self.chosen, self._pressed))
        self._none.clicked.connect(lambda: self.keys_wanted.emit(self.chosen, ""))
        self._usual.clicked.connect(lambda: self.usual_wanted.emit(self.chosen))
        self._all.clicked.connect(lambda: self.usual_wanted.emit(""))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._name)
        layout.addLayout(row(self._field, self._take, self._none, self._usual, 1, self._all))
        layout.addWidget(self._verdict)
        self._verdict.setMinimumHeight(24)

    @property
    def chosen(self) -> str:
        """The id of the chosen action, "" where there is none."""
        item = self._list.currentItem()
        return str(item.data(0, _ID)) if item is not None else ""

    @property
    def listed(self) -> dict[str, str]:
        """The shown keys by id."""
        items = (self._list.topLevelItem(i) for i in range(self._list.topLevelItemCount()))
        return {str(i.data(0, _ID)): i.text(2) for i in items if i is not None and not i.isHidden()}

    def show_shortcuts(self, rows: Sequence[ShortcutRow]) -> None:
        """Show every action with its keys; the chosen one stays chosen."""
        chosen = self.chosen
        self._rows = {r.id: r for r in rows}
        self._list.blockSignals(True)
        self._list.clear()
        for shortcut in rows:
            self._list.addTopLevelItem(_line(shortcut))
        self._list.blockSignals(False)
        self.look_for(self._words)
        self.choose(chosen or (rows[0].id if rows else ""))

    def choose(self, id: str) -> None:
        """Choose an action as a person would."""
        for index in range(self._list.topLevelItemCount()):
            item = self._list.topLevelItem(index)
            if item is not None and item.data(0, _ID) == id:
                self._list.setCurrentItem(item)
        self._chosen()

    def look_for(self, words: str) -> None:
        """List only the actions that hold every word; keys count as words."""
        self._words = words
        for index in range(self._list.topLevelItemCount()):
            item = self._list.topLevelItem(index)
            if item is not None:
                text = " ".join(item.text(column) for column in range(3)).lower()
                item.setHidden(not all(word in text for word in words.lower().split()))

    def show_verdict(self, text: str, possible: bool) -> None:
        """Say what becomes of the keys in the field; possible: whether they may be taken."""
        self._verdict.setText(text)
        set_state(self._verdict, role="muted" if possible else "", state="" if possible else "alarm")
        self._take.setEnabled(possible and bool(self._pressed))

    @property
    def _pressed(self) -> str:
        return self._field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    @Slot()
    def _chosen(self) -> None:
        shortcut = self._rows.get(self.chosen)
        self._field.clear()
        self._name.setText(f"Keys of “{shortcut.text}”" if shortcut else "")
        free = shortcut is not None and not shortcut.fixed
        for widget in (self._field, self._none, self._usual):
            widget.setEnabled(free)
        self._none.setEnabled(free and bool(shortcut and shortcut.keys))
        self._usual.setEnabled(free and bool(shortcut and shortcut.keys != shortcut.usual))
        self.show_verdict(
            shortcut.fixed if shortcut and shortcut.fixed else "Press the new keys in the field", True
        )

    @Slot()
    def _typed(self) -> None:
        if self._pressed and self.chosen:
            self.keys_tried.emit(self.chosen, self._pressed)


def _line(shortcut: ShortcutRow) -> QTreeWidgetItem:
    keys = f"{shortcut.keys}  · fixed" if shortcut.fixed else shortcut.keys or "–"
    item = QTreeWidgetItem([shortcut.text, shortcut.place, keys, shortcut.usual or "–"])
    item.setData(0, _ID, shortcut.id)
    item.setToolTip(2, shortcut.fixed)
    item.setForeground(1, color("muted"))
    item.setForeground(3, color("muted"))
    if shortcut.keys != shortcut.usual and not shortcut.fixed:
        item.setForeground(2, color("accent"))
    return item


def main() -> None:
    """Show two actions."""

    def make() -> QWidget:
        editor = ShortcutEditor()
        stop = ShortcutRow("stop", "Stop", "Motion", "Esc", "Esc", "always Esc, and Space while anything moves")
        editor.show_shortcuts([ShortcutRow("plan", "Plan", "Dream", "P", "P"), stop])
        return editor

    demo(make)


if __name__ == "__main__":
    main()

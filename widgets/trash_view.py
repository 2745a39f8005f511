"""The takes that were deleted: to bring back, or to destroy after a confirmation that no accident gives."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QFrame, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.own_keys import keep_own_keys
from widgets.panel import button, label, row
from widgets.theme import level_color, set_state

TakeKey = tuple[str, int]
"""What the binder calls a deleted take by."""
_HEADINGS = ("No.", "Task", "Session", "Recorded", "Length", "Size", "Deleted", "Copies")
_KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class TrashLine:
    """A deleted take as texts. only: no other copy of it is known."""

    key: TakeKey
    number: str
    task: str = ""
    session: str = ""
    started: str = ""
    duration: str = ""
    size: str = ""
    deleted: str = ""
    copies: str = ""
    only: bool = True


@dataclass(frozen=True)
class Destruction:
    """What is to be destroyed. text: all of it, in words; word: what has to be typed for it."""

    keys: tuple[TakeKey, ...]
    text: str
    word: str


class TrashView(QWidget):
    """`restore_wanted(keys)`; `destroy_asked(keys)`: the binder answers with `ask`; `destroy_wanted(keys)` after
    the word was typed; `closed()`."""

    restore_wanted = Signal(object)
    destroy_asked = Signal(object)
    destroy_wanted = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._note = label(
            "Deleted takes stay here, whole, until somebody destroys them. Parts that were cut off are not here: "
            "they are in their recording still, and As recorded brings them back.",
            "muted",
            wrap=True,
        )
        self._rows = QTreeWidget()
        self._rows.setHeaderLabels(list(_HEADINGS))
        self._rows.setRootIsDecorated(False)
        self._rows.setUniformRowHeights(True)
        self._rows.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self._rows.setAccessibleName("Deleted takes")
        self._rows.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._rows.header().setStretchLastSection(True)
        self._rows.itemSelectionChanged.connect(self._chosen_changed)
        self._restore, self._destroy = button("Bring back", "primary"), button("Destroy…")
        self._restore.clicked.connect(lambda: self.restore_wanted.emit(self.chosen))
        self._destroy.clicked.connect(lambda: self.destroy_asked.emit(self.chosen or self._all))
        close = button("Close")
        close.clicked.connect(self.closed)
        self._question = _Question()
        self._question.yes.clicked.connect(self._confirmed)
        self._question.no.clicked.connect(lambda: self.ask(None))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)
        layout.addWidget(self._note)
        layout.addWidget(self._rows, 1)
        layout.addWidget(self._question)
        layout.addLayout(row(self._restore, self._destroy, close, 1))
        self.show_lines(())

    def show_lines(self, lines: Sequence[TrashLine]) -> None:
        """Show what lies in the trash."""
        chosen = set(self.chosen)
        self._rows.clear()
        for line in lines:
            texts = [line.number, line.task, line.session, line.started, line.duration, line.size, line.deleted]
            made = QTreeWidgetItem([*texts, line.copies])
            made.setData(0, _KEY, line.key)
            if line.only:
                made.setForeground(len(_HEADINGS) - 1, QColor(level_color("warning")))
            self._rows.addTopLevelItem(made)
            made.setSelected(line.key in chosen)
        self.ask(None)
        self._chosen_changed()

    def ask(self, destruction: Destruction | None) -> None:
        """Ask for the word that destroys takes; None: nothing is asked."""
        self._question.show_destruction(destruction)
        self._rows.setEnabled(destruction is None)

    @property
    def chosen(self) -> tuple[TakeKey, ...]:
        return tuple(item.data(0, _KEY) for item in self._rows.selectedItems())

    @property
    def _all(self) -> tuple[TakeKey, ...]:
        return tuple(self._rows.topLevelItem(k).data(0, _KEY) for k in range(self._rows.topLevelItemCount()))  # type: ignore[union-attr]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc takes the question back, then closes."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self._question.isVisible():
            self.ask(None)
        else:
            self.closed.emit()

    @Slot()
    def _chosen_changed(self) -> None:
        count, of = len(self.chosen), self._rows.topLevelItemCount()
        self._restore.setEnabled(count > 0)
        self._restore.setText(f"Bring {count} back" if count > 1 else "Bring back")
        self._destroy.setEnabled(of > 0)
        self._destroy.setText(f"Destroy {count}…" if count else "Empty the trash…")

    @Slot()
    def _confirmed(self) -> None:
        asked = self._question.asked
        if asked is not None and self._question.typed:
            self.ask(None)
            self.destroy_wanted.emit(asked.keys)


class _Question(QFrame):
    """The confirmation: what is destroyed, and a word to type."""

    def __init__(self) -> None:
        super().__init__()
        set_state(self, role="banner")
        self.asked: Destruction | None = None
        self._text, self._ask = label("", state="alarm", wrap=True), label()
        self._word = QLineEdit()
        self._word.setMaximumWidth(120)
        self._word.setAccessibleName("Confirmation")
        keep_own_keys(self._word)
        self.yes, self.no = button("Destroy for ever"), button("Keep them", "primary")
        self._word.textChanged.connect(lambda: self.yes.setEnabled(self.typed))
        inside = QVBoxLayout(self)
        inside.setContentsMargins(10, 6, 6, 6)
        inside.addWidget(self._text)
        inside.addLayout(row(self._ask, self._word, self.yes, self.no, 1))
        self.hide()

    @property
    def typed(self) -> bool:
        return self.asked is not None and self._word.text().strip() == self.asked.word

    def show_destruction(self, asked: Destruction | None) -> None:
        self.asked = asked
        self.setVisible(asked is not None)
        self._word.clear()
        self.yes.setEnabled(False)
        if asked is not None:
            self._text.setText(asked.text)
            self._ask.setText(f"Type {asked.word} to destroy:")
            self._word.setFocus()


def main() -> None:
    """Show two deleted takes."""

    def make() -> QWidget:
        view = TrashView()
        view.show_lines(
            [
                TrashLine(("s", 3), "3", "rotation", "monday", "10:32", "4.1 s", "12 MB", "today", "the only one"),
                TrashLine(("s", 4), "4", "rotation", "monday", copies="also in tuesday", only=False),
            ]
        )
        view.ask(Destruction((("s", 3),), "This destroys one take for ever.", "1"))
        return view

    demo(make)


if __name__ == "__main__":
    main()

"""The tool library: the list, the chosen tool in 3-D, and its form or a wizard beside it."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QIcon, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hardware.types import Tool
from widgets.demo import demo
from widgets.panel import button, label, row
from widgets.theme import set_state
from widgets.tool_form import ToolForm
from widgets.tool_values import FieldRow, ToolItem, ToolSheet
from widgets.touch_panel import TouchPanel
from widgets.views.mesh_view import MeshView, made_up_tool

SUFFIXES = (".stl", ".obj", ".ply", ".3mf")
WIDTH_PX, THUMBNAIL_PX = 236, 56
# its margins
BESIDE_PX = 24
_EMPTY = (
    "No tool of your own yet. Drop a CAD file here (STL, OBJ, PLY or 3MF), or press Import. "
    "A built-in tool can be duplicated and changed."
)


class ToolLibrary(QWidget):
    """`chosen(name)`, `import_wanted`, `dropped(paths)`, `duplicate_wanted(name)`, `delete_wanted(name)`,
    `table_wanted`, `trash_wanted` and, once a person was asked beside the list, `trash_confirmed`; what the form
    and the wizard ask for they say themselves."""

    chosen = Signal(str)
    import_wanted = Signal()
    dropped = Signal(list)
    duplicate_wanted = Signal(str)
    delete_wanted = Signal(str)
    table_wanted = Signal()
    trash_wanted = Signal()
    trash_confirmed = Signal()

    def __init__(self, fields: Sequence[FieldRow], origins: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.form, self.touch, self.view = ToolForm(fields, origins), TouchPanel(), MeshView()
        self._list = QListWidget()
        self._list.setIconSize(QSize(THUMBNAIL_PX, THUMBNAIL_PX))
        self._list.setSpacing(1)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setAccessibleName("Tools")
        self._list.currentItemChanged.connect(self._row_changed)
        self._hint = label(_EMPTY, "muted", wrap=True)
        self._problem = QFrame()
        self._problem_text = label("", wrap=True)
        set_state(self._problem, role="banner", state="alarm")
        QVBoxLayout(self._problem).addWidget(self._problem_text)
        self._problem.hide()
        self._duplicate, self._delete = button("Duplicate"), button("Delete")
        self._trash = button("Empty the trash…", tip="Delete for good what was deleted or replaced")
        self._trash.clicked.connect(lambda: self.trash_wanted.emit())
        self._trash_question, self._trash_words = QFrame(), label("", wrap=True)
        self._trash_keep, self._trash_gone = button("Keep it"), button("Delete for good")
        set_state(self._trash_question, role="banner", state="warning")
        asked = QVBoxLayout(self._trash_question)
        asked.addWidget(self._trash_words)
        asked.addLayout(_pair(self._trash_keep, self._trash_gone))
        self._trash_keep.clicked.connect(lambda: self.show_trash(""))
        self._trash_gone.clicked.connect(lambda: self.trash_confirmed.emit())
        self._trash_question.hide()
        self._right = QStackedWidget()
        self._right.addWidget(self.form)
        self._right.addWidget(self.touch)
        self._right.setFixedWidth(392)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(self._left())
        layout.addLayout(self._middle(), 1)
        layout.addWidget(self._right)
        self._add_keys()

    def show_tools(self, items: Sequence[ToolItem], chosen: str) -> None:
        """Show the list with one of them chosen."""
        self._list.blockSignals(True)
        self._list.clear()
        for item in items:
            self._list.addItem(_list_item(item, self._name_of(item)))
            if item.name == chosen:
                self._list.setCurrentRow(self._list.count() - 1)
        self._list.blockSignals(False)
        self._hint.setVisible(all(item.note == "built in" for item in items))

    def show_tool(self, tool: Tool | None, sheet: ToolSheet, words: str = "Choose a tool") -> None:
        """Show the chosen tool."""
        self.view.show_tool(tool, words)
        self.form.show_sheet(sheet)
        self.form.setVisible(tool is not None)
        self._duplicate.setEnabled(tool is not None)
        self._delete.setEnabled(not sheet.locked and bool(self.name))

    def show_trash(self, question: str) -> None:
        """Ask beside the list before the trash is emptied; "": nothing is asked any more."""
        self._trash_words.setText(question)
        self._trash_question.setVisible(bool(question))
        self._trash.setVisible(not question)
        if question:
            self._trash_keep.setFocus()

    def show_problem(self, text: str) -> None:
        """Say what went wrong with an import or a change, until the next one."""
        self._problem_text.setText(text)
        self._problem.setVisible(bool(text))

    def show_touch(self, on: bool) -> None:
        """Put the wizard in the form's place, or the form back."""
        self._right.setCurrentWidget(self.touch if on else self.form)
        if on:
            self.touch.setFocus()

    def _name_of(self, item: ToolItem) -> str:
        """A name as wide as the list has room for; its tooltip has it whole."""
        room = WIDTH_PX - THUMBNAIL_PX - BESIDE_PX
        return self._list.fontMetrics().elidedText(item.name, Qt.TextElideMode.ElideMiddle, room)

    @property
    def touching(self) -> bool:
        """Whether the wizard is shown."""
        return self._right.currentWidget() is self.touch

    @property
    def name(self) -> str:
        """The tool that is chosen, "" for none."""
        item = self._list.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(6)
        new = button("Import…", "primary", "STL, OBJ, PLY or 3MF; files can be dropped here too")
        new.clicked.connect(lambda: self.import_wanted.emit())
        self._duplicate.clicked.connect(lambda: self.duplicate_wanted.emit(self.name))
        self._delete.clicked.connect(lambda: self.delete_wanted.emit(self.name))
        table = button("Touch the table…", tip="Find where the table is, with the arm")
        table.clicked.connect(lambda: self.table_wanted.emit())
        column.addWidget(new)
        column.addWidget(self._trash_question)
        column.addWidget(self._list, 1)
        column.addWidget(self._hint)
        column.addLayout(_pair(self._duplicate, self._delete))
        column.addWidget(table)
        column.addWidget(self._trash)
        for widget in (self._list, new, table, self._trash, self._trash_question, self._hint):
            widget.setFixedWidth(WIDTH_PX)
        return column

    def _middle(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self._problem)
        column.addWidget(self.view, 1)
        return column

    def _add_keys(self) -> None:
        for keys, what in (("Ctrl+S", "save"), ("Ctrl+Z", "undo"), ("Ctrl+Shift+Z", "redo")):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda what=what: self.form.wanted.emit(what, None))

    @Slot()
    def _row_changed(self) -> None:
        if self.name:
            self.chosen.emit(self.name)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _meshes(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.dropped.emit(_meshes(event))
        event.acceptProposedAction()


def _meshes(event: QDropEvent) -> list[str]:
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    return [path for path in paths if path.lower().endswith(SUFFIXES)]


def _pair(first: QPushButton, second: QPushButton) -> QHBoxLayout:
    made = row(first, second)
    made.setStretch(0, 1)
    made.setStretch(1, 1)
    return made


def _list_item(item: ToolItem, name: str) -> QListWidgetItem:
    made = QListWidgetItem(f"{name}\n{'cannot be read' if item.problem else item.note}")
    made.setData(Qt.ItemDataRole.UserRole, item.name)
    made.setToolTip(item.problem or item.name)
    if item.picture is not None and not item.picture.isNull():
        made.setIcon(QIcon(QPixmap.fromImage(item.picture)))
    return made


def main() -> None:
    """Show a library of one made-up tool."""

    def make() -> QWidget:
        library = ToolLibrary([FieldRow("name", "Name", "a name")], ["its centre"])
        library.show_tools([ToolItem("wedge", "built in")], "wedge")
        library.show_tool(made_up_tool(), ToolSheet({"name": "wedge"}, report="8 faces, watertight"))
        return library

    demo(make)


if __name__ == "__main__":
    main()

"""The small form of an import: what was recognised among the dropped files, and what is still missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import Panel, label, row
from widgets.theme import set_state
from widgets.values import DroppedDream


@dataclass(frozen=True)
class _Field:
    title: str
    hint: str


FIELDS = {
    "video": _Field("Video", "one mp4 of 25 frames: view 1, then view 2"),
    "scene1": _Field("Scene photo, view 1", "the first camera's photo"),
    "scene2": _Field("Scene photo, view 2", "the second camera's photo"),
    "calibration": _Field("Calibration", "TOML or JSON: K of each camera, their poses"),
    "left": _Field("Left tool", "a tool of the library, or a mesh (obj, stl, ply, 3mf)"),
    "right": _Field("Right tool", "mesh; empty where the dream has one tool"),
}
_OPTIONAL = ("right", "left")


class ImportForm(QWidget):
    """`browse_wanted(field)` asks for a file, answered by `set_path`; `import_wanted` gives every path by field."""

    browse_wanted = Signal(str)
    import_wanted = Signal(dict)
    cancelled = Signal()
    tools_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths: dict[str, QLineEdit] = {}
        self._signs: dict[str, QLabel] = {}
        self._library: dict[str, QPushButton] = {}
        self._role = "left"
        grid = QGridLayout()
        grid.setVerticalSpacing(8)
        for line, (name, field) in enumerate(FIELDS.items()):
            self._add(grid, line, name, field)
        self._problem = label("", wrap=True, state="alarm")
        self._import = QPushButton("Import and track  ⏎")
        set_state(self._import, role="primary")
        self._import.clicked.connect(self._give)
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(lambda: self.cancelled.emit())
        pane = Panel("IMPORT A PUBLISHED DREAM")
        pane.setFixedWidth(760)
        pane.body.addWidget(
            label("The files stay where they are; the dream is copied into the workspace.", "muted")
        )
        pane.body.addLayout(grid)
        pane.body.addWidget(self._problem)
        pane.body.addLayout(row(1, cancel, self._import))
        layout = QVBoxLayout(self)
        layout.addWidget(pane, alignment=Qt.AlignmentFlag.AlignCenter)
        self.show_dropped(DroppedDream())

    def show_dropped(self, dropped: DroppedDream) -> None:
        """Fill the form."""
        scenes = (*dropped.scenes, "", "")
        meshes = dict(dropped.meshes)
        values = {
            "video": dropped.video,
            "scene1": scenes[0],
            "scene2": scenes[1],
            "calibration": dropped.calibration,
            "left": meshes.get("left", ""),
            "right": meshes.get("right", ""),
        }
        for name, value in values.items():
            self._paths[name].setText(value)
        self._refresh()
        self.show_problem(dropped.problem)

    def show_problem(self, text: str) -> None:
        """Say what is wrong with the import, naming file and field."""
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    def set_path(self, field: str, path: str) -> None:
        """Fill one field in."""
        self._paths[field].setText(path)

    def show_tools(self, tools: Sequence[tuple[str, str]]) -> None:
        """Offer the library's tools, (name, path) each, for the role whose button was pressed."""
        menu = QMenu(self)
        for name, path in tools:
            menu.addAction(name, partial(self.set_path, self._role, path))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._library[self._role].mapToGlobal(self._library[self._role].rect().bottomLeft()))

    def _ask_tools(self, role: str) -> None:
        self._role = role
        self.tools_wanted.emit()

    @property
    def missing(self) -> list[str]:
        """Titles of the fields without which nothing can be imported."""
        empty = [name for name, edit in self._paths.items() if not edit.text().strip()]
        tools = [] if set(_OPTIONAL) - set(empty) else ["One tool"]
        return [FIELDS[name].title for name in empty if name not in _OPTIONAL] + tools

    def _add(self, grid: QGridLayout, line: int, name: str, field: _Field) -> None:
        sign, edit, browse = label("·"), QLineEdit(placeholderText=field.hint), QPushButton("Choose…")
        sign.setFixedWidth(18)
        edit.textChanged.connect(self._refresh)
        browse.clicked.connect(lambda: self.browse_wanted.emit(name))
        for column, widget in enumerate((sign, label(field.title), edit, browse)):
            grid.addWidget(widget, line, column)
        if name in _OPTIONAL:
            self._library[name] = library = QPushButton("Library…")
            library.setToolTip("A tool of the library, with its mount and tip")
            library.clicked.connect(lambda: self._ask_tools(name))
            grid.addWidget(library, line, 4)
        self._paths[name], self._signs[name] = edit, sign

    @Slot()
    def _refresh(self) -> None:
        for name, edit in self._paths.items():
            filled, optional = bool(edit.text().strip()), name in _OPTIONAL
            self._signs[name].setText("✓" if filled else "·" if optional else "!")
            set_state(self._signs[name], state="ok" if filled else "" if optional else "warning")
        self._import.setEnabled(not self.missing)
        self._import.setToolTip(f"Still missing: {', '.join(self.missing)}" if self.missing else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.missing:
            self._give()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _give(self) -> None:
        self.import_wanted.emit({name: edit.text().strip() for name, edit in self._paths.items()})


def main() -> None:
    """Show an empty form; it prints what would be imported."""

    def make() -> QWidget:
        form = ImportForm()
        form.import_wanted.connect(print)
        return form

    demo(make)


if __name__ == "__main__":
    main()

"""Demos to and from other programs' formats: which, where to, what is kept and lost, and only then the button."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from widgets.demo import demo
from widgets.own_keys import keep_own_keys
from widgets.panel import button, clear, label, row, scrolled
from widgets.theme import set_state

Direction = Literal["export", "import"]
Asked = Literal["out", "file", "folder"]
_SETTLED_MS = 350  # what is typed is looked into once it rests


@dataclass(frozen=True)
class ExchangeWish:
    """What stands in the form. everything: all that the filter shows, else the chosen ones; form: a format's name;
    source: of an import; fps: rows a second, 0 as they come."""

    direction: Direction = "export"
    everything: bool = False
    form: str = ""
    source: str = ""
    out: str = ""
    fps: float = 0.0
    robot: str = ""


@dataclass(frozen=True)
class ExchangeSaid:
    """What is known of it. note: how many, how long; room: what it takes; problem: why not; ready: it can begin;
    go_on: a half-done one is gone on with; looking: it is being looked into."""

    note: str = ""
    kept: Sequence[str] = ()
    lost: Sequence[str] = ()
    room: str = ""
    problem: str = ""
    ready: bool = False
    go_on: bool = False
    looking: bool = False


class ExchangeForm(QWidget):
    """`changed(ExchangeWish)`: look into it; `path_wanted("out"|"file"|"folder")`: ask for one, `take_path` gives
    it; `start_wanted()`, `closed()`; of what a crash left `go_on_wanted()` and `give_up_wanted()`."""

    changed = Signal(object)
    path_wanted = Signal(str)
    start_wanted = Signal()
    closed = Signal()
    go_on_wanted = Signal()
    give_up_wanted = Signal()

    def __init__(self, formats: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        """formats: name and words of those that are written."""
        super().__init__(parent)
        self._direction: Direction = "export"
        self._settle = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settle.timeout.connect(self._tell)
        self._chosen, self._all = (button("", "tag", checkable=True) for _ in range(2))
        self._formats = QComboBox()
        self._formats.setAccessibleName("Format")
        for name, words in formats:
            self._formats.addItem(words, name)
        self._source, self._out = _line("Source"), _line("Folder")
        self._robot = _line("Robot", "Such as ur5e; LeRobot's robot_type")
        self._fps = QDoubleSpinBox()
        self._fps.setRange(0.0, 1000.0)
        self._fps.setAccessibleName("Rows a second")
        keep_own_keys(self._fps)
        self._note, self._room, self._problem = (label("", wrap=True) for _ in range(3))
        set_state(self._problem, state="warning")
        self._kept, self._lost = QVBoxLayout(), QVBoxLayout()
        self._start = button("Export", "primary")
        self._start.clicked.connect(self.start_wanted)
        close = button("Close")
        close.clicked.connect(self.closed)
        self._left = _Left()
        self._left.go_on.clicked.connect(self.go_on_wanted)
        self._left.away.clicked.connect(self.give_up_wanted)
        inner = QWidget()
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(4, 2, 10, 4)
        inside.addWidget(self._left)
        inside.addLayout(self._fields())
        inside.addWidget(self._note)
        inside.addWidget(self._problem)
        inside.addLayout(self._told())
        inside.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(inner), 1)
        under = row(self._start, close, self._room)
        under.setStretch(2, 1)
        layout.addLayout(under)
        self._connect()
        self.show_said(ExchangeSaid())

    def show_direction(self, direction: Direction, out: str, source: str = "") -> None:
        """Begin an export or an import; out: where to, unless a person says otherwise."""
        self._direction = direction
        exports = direction == "export"
        for widgets, shown in ((self._of_export, exports), (self._of_import, not exports)):
            for widget in widgets:
                widget.setVisible(shown)
        self._out_title.setText("New folder" if exports else "Into the session")
        self._fps.setSpecialValueText("as the fastest camera" if exports else "as the file says (UMI)")
        self._out.setText(out)
        self._source.setText(source)
        self._follow_format()
        self._tell()

    def show_counts(self, chosen: int, everything: int) -> None:
        """Say how many demos are chosen, and how many the filter shows."""
        self._chosen.setText(f"{chosen} chosen")
        self._all.setText(f"All {everything} that the filter shows")

    def choose(self, everything: bool) -> None:
        self._chosen.setChecked(not everything)
        self._all.setChecked(everything)

    def take_path(self, which: Asked, path: str) -> None:
        """Put a path where it was asked for."""
        (self._out if which == "out" else self._source).setText(path)

    def show_said(self, said: ExchangeSaid) -> None:
        """Show what is known of what stands in the form."""
        self._note.setText("Looking into it" if said.looking else said.note)
        _fill(self._kept, said.kept)
        _fill(self._lost, said.lost)
        for shown, titles in ((said.kept, self._kept_title), (said.lost, self._lost_title)):
            titles.setVisible(bool(shown))
        self._room.setText(said.room)
        self._problem.setText(said.problem)
        self._problem.setVisible(bool(said.problem))
        self._start.setEnabled(said.ready)
        self._start.setText("Go on" if said.go_on else self._direction.capitalize())

    def show_unfinished(self, text: str) -> None:
        """Say what a crash left half done, "" for nothing."""
        self._left.show_text(text)

    @property
    def wish(self) -> ExchangeWish:
        """What stands in the form."""
        exports = self._direction == "export"
        return ExchangeWish(
            self._direction,
            self._all.isChecked(),
            str(self._formats.currentData()) if exports else "",
            "" if exports else self._source.text().strip(),
            self._out.text().strip(),
            self._fps.value(),
            self._robot.text().strip() if exports else "",
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _fields(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        which = QWidget()
        which.setLayout(row(self._chosen, self._all, 1, spacing=6))
        self._out_title = label("New folder", "muted")
        titles = {name: label(name, "muted") for name in ("Demos", "From", "Format", "Rows a second", "Robot")}
        files = QWidget()
        files.setLayout(
            row(*(self._asking(text, path) for text, path in (("File…", "file"), ("Folder…", "folder"))))
        )
        self._of_export: list[QWidget] = [titles["Demos"], which, titles["Format"], self._formats]
        self._of_lerobot = [titles["Robot"], self._robot]
        self._of_import = [titles["From"], self._source, files]
        rows: Sequence[tuple[QLabel, QWidget, QWidget | None]] = (
            (titles["Demos"], which, None),
            (titles["From"], self._source, files),
            (titles["Format"], self._formats, None),
            (self._out_title, self._out, self._asking("Choose…", "out")),
            (titles["Rows a second"], self._fps, None),
            (titles["Robot"], self._robot, None),
        )
        for k, (title, field, more) in enumerate(rows):
            grid.addWidget(title, k, 0)
            grid.addWidget(field, k, 1)
            if more is not None:
                grid.addWidget(more, k, 2)
        return grid

    def _asking(self, text: str, which: str) -> QPushButton:
        made = button(text)
        made.clicked.connect(lambda: self.path_wanted.emit(which))
        return made

    def _told(self) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(24)
        self._kept_title, self._lost_title = label("KEPT", "heading"), label("LOST", "heading")
        for title, column in ((self._kept_title, self._kept), (self._lost_title, self._lost)):
            column.setSpacing(4)
            outer = QVBoxLayout()
            outer.addWidget(title)
            outer.addLayout(column)
            outer.addStretch(1)
            across.addLayout(outer, 1)
        return across

    def _connect(self) -> None:
        self._chosen.clicked.connect(lambda: self._pick(everything=False))
        self._all.clicked.connect(lambda: self._pick(everything=True))
        self._formats.currentIndexChanged.connect(self._pick_format)
        self._fps.valueChanged.connect(self._settle_again)
        for line in (self._source, self._out, self._robot):
            line.textChanged.connect(self._settle_again)

    def _pick(self, everything: bool) -> None:
        self.choose(everything)
        self._tell()

    @Slot()
    def _pick_format(self) -> None:
        self._follow_format()
        self._tell()

    def _follow_format(self) -> None:
        lerobot = self._direction == "export" and self._formats.currentData() == "lerobot"
        for widget in self._of_lerobot:
            widget.setVisible(lerobot)
        mcap = self._direction == "export" and self._formats.currentData() == "mcap"
        self._fps.setEnabled(not mcap)

    @Slot()
    def _settle_again(self) -> None:
        self._start.setEnabled(False)
        self._settle.start()

    @Slot()
    def _tell(self) -> None:
        self._settle.stop()
        self.changed.emit(self.wish)


class _Left(QFrame):
    """What a crash left half done."""

    def __init__(self) -> None:
        super().__init__()
        set_state(self, role="banner")
        self._text = label("", state="warning", wrap=True)
        self.go_on, self.away = button("Go on"), button("Throw it away")
        line = row(self._text, self.go_on, self.away)
        line.setContentsMargins(10, 4, 6, 4)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.hide()

    def show_text(self, text: str) -> None:
        self._text.setText(text)
        self.setVisible(bool(text))


def _line(name: str, hint: str = "") -> QLineEdit:
    made = QLineEdit(placeholderText=hint)
    made.setAccessibleName(name)
    keep_own_keys(made)
    return made


def _fill(column: QVBoxLayout, sentences: Sequence[str]) -> None:
    clear(column)
    for sentence in sentences:
        column.addWidget(label(sentence, wrap=True))


def main() -> None:
    """Show an export that could begin."""

    def make() -> QWidget:
        form = ExchangeForm((("lerobot", "LeRobot dataset v3.0"), ("umi", "UMI (.zarr.zip)")))
        form.show_counts(2, 30)
        form.choose(everything=False)
        form.show_direction("export", "/data/rotation-lerobot")
        said = ExchangeSaid(
            "2 demos, 8.1 s", ["Videos: top, side"], ["Object masks"], "0.2 GB of 80 GB", ready=True
        )
        form.show_said(said)
        return form

    demo(make)


if __name__ == "__main__":
    main()

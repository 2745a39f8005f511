"""A new training: on which demos, how it is called, and every value of its config with what the paper says."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from widgets.demo import demo
from widgets.empty_state import push_button
from widgets.own_keys import keep_own_keys
from widgets.panel import Panel, button, clear, label, row, scrolled
from widgets.train_field import TrainField
from widgets.train_values import DataChoice, FormField, FormState

SIDE_PX = 430
_PATH = Qt.ItemDataRole.UserRole


class TrainForm(QWidget):
    """actions: `start` and `back`. What a person writes comes out as `edited(name, text)`, `titled(text)`,
    `data_picked(path)`, `start_picked(name)`; `folder_wanted()` asks for a data set elsewhere."""

    edited = Signal(str, str)
    titled = Signal(str)
    data_picked = Signal(str)
    start_picked = Signal(str)
    folder_wanted = Signal()

    def __init__(self, start: QAction, back: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = FormState()
        self._rows: dict[str, TrainField] = {}
        self._headings: dict[str, QWidget] = {}
        self._starts, self._title = QComboBox(), QLineEdit(placeholderText="What it is called in the list")
        self._starts.setAccessibleName("Begin from")
        self._title.setAccessibleName("Name")
        self._title.setMaxLength(120)
        self._data = QListWidget()
        self._data.setAccessibleName("Data sets")
        self._data.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._data.setMinimumHeight(120)
        self._data_problem, self._problem = (label("", state="alarm", wrap=True) for _ in range(2))
        self._about, self._count = label("", "muted", wrap=True), label("", "muted")
        self._find = QLineEdit(placeholderText="Find a value")
        self._find.setClearButtonEnabled(True)
        self._find.setAccessibleName("Find a value")
        self._only = button("Only what differs", tip="From the published values", checkable=True)
        for field in (self._title, self._find):
            keep_own_keys(field)
        self._start, self._back = push_button(start, primary=True), push_button(back)
        self._browse = button("Another folder…", tip="A session, or a folder of sessions, anywhere on this machine")
        self._lay_out()
        self._title.textEdited.connect(self.titled)
        self._starts.activated.connect(self._pick_start)
        self._data.currentItemChanged.connect(self._pick_data)
        self._browse.clicked.connect(self.folder_wanted)
        self._find.textChanged.connect(self._sift)
        self._only.toggled.connect(self._sift)

    @property
    def state(self) -> FormState:
        """What is shown."""
        return self._state

    def show_data(self, choices: Sequence[DataChoice], empty: str = "") -> None:
        """Offer these data sets; empty: what to do where there is none."""
        with QSignalBlocker(self._data):
            self._data.clear()
            for choice in choices:
                item = QListWidgetItem(f"{choice.name}   {choice.about}" if choice.about else choice.name)
                item.setData(_PATH, choice.path)
                item.setToolTip(choice.path)
                self._data.addItem(item)
            if not choices:
                item = QListWidgetItem(empty)
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                self._data.addItem(item)
        self._mark_data()

    def show_form(self, state: FormState) -> None:
        """Show the config as it is now; fields that somebody writes in are left alone."""
        before, self._state = self._state, state
        if state.starts != before.starts:
            self._starts.clear()
            for name, words in state.starts.items():
                self._starts.addItem(words, name)
        self._starts.setCurrentIndex(self._starts.findData(state.start))
        if not self._title.hasFocus():
            self._title.setText(state.title)
        if [f.name for f in state.fields] != list(self._rows):
            self._fill(state.fields)
        for field in state.fields:
            if self._rows[field.name].shown != field:
                self._rows[field.name].show_field(field)
        self._mark_data()
        self._say(state)
        self._sift()

    def write_title(self) -> None:
        """Put the cursor into the name, all of it chosen."""
        self._title.setFocus()
        self._title.selectAll()

    def show_field(self, name: str) -> None:
        """Scroll to a field and put the cursor into it."""
        if row_ := self._rows.get(name):
            self._area.ensureWidgetVisible(row_)
            row_.editor.setFocus()

    # inside ----------------------------------------------------------------------------------------------------
    def _say(self, state: FormState) -> None:
        differing = state.differing
        published = "all published values" if not differing else f"{differing} differ from the published values"
        self._count.setText(f"{len(state.fields)} values · {published}")
        self._about.setText(state.about)
        for widget, text in ((self._data_problem, state.data_problem), (self._problem, _trouble(state))):
            widget.setText(text)
            widget.setVisible(bool(text))

    def _mark_data(self) -> None:
        with QSignalBlocker(self._data):
            paths = [self._data.item(i).data(_PATH) for i in range(self._data.count())]
            self._data.setCurrentRow(paths.index(self._state.data) if self._state.data in paths else -1)

    @Slot(int)
    def _pick_start(self, index: int) -> None:
        self.start_picked.emit(str(self._starts.itemData(index)))

    @Slot()
    def _pick_data(self) -> None:
        item = self._data.currentItem()
        if item is not None and item.data(_PATH):
            self.data_picked.emit(str(item.data(_PATH)))

    @Slot()
    def _sift(self) -> None:
        """Show the rows that are looked for, and the headings of sections that have some."""
        words, only = self._find.text().lower().split(), self._only.isChecked()
        seen: set[str] = set()
        for name, row_ in self._rows.items():
            text = f"{name} {row_.shown.title} {row_.shown.help} {row_.shown.section}".lower()
            shown = all(word in text for word in words) and (row_.shown.differs or not only)
            shown = shown or bool(row_.shown.problem)
            row_.setVisible(shown)
            if shown:
                seen.add(row_.shown.section)
        for section, heading in self._headings.items():
            heading.setVisible(section in seen)
        self._none.setVisible(not seen and bool(self._rows))

    def _fill(self, fields: Sequence[FormField]) -> None:
        clear(self._column)
        self._rows, self._headings = {}, {}
        for field in fields:
            if field.section not in self._headings:
                heading = label(field.section, "heading")
                heading.setContentsMargins(0, 10, 0, 2)
                self._headings[field.section] = heading
                self._column.addWidget(heading)
            made = TrainField(field)
            made.edited.connect(self.edited)
            self._rows[field.name] = made
            self._column.addWidget(made)
        self._none = label("Nothing here", "muted")
        self._column.addWidget(self._none)
        self._column.addStretch(1)

    def _lay_out(self) -> None:
        values = Panel("VALUES")
        values.body.addLayout(row(self._find, self._only, spacing=12))
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 12, 0)
        self._column.setSpacing(2)
        self._none = label()
        self._area: QScrollArea = scrolled(inner)
        values.body.addWidget(self._area, 1)
        values.corner.addWidget(self._count)
        side = QWidget()
        side.setFixedWidth(SIDE_PX)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        what = Panel("NEW TRAINING")
        for words, field in (("Begin from", self._starts), ("Name", self._title)):
            what.body.addWidget(label(words, "muted"))
            what.body.addWidget(field)
        what.body.addWidget(self._about)
        data = Panel("ON WHICH DEMOS")
        data.corner.addWidget(self._browse)
        data.body.addWidget(self._data, 1)
        data.body.addWidget(self._data_problem)
        column.addWidget(what)
        column.addWidget(data, 1)
        column.addWidget(self._problem)
        column.addLayout(row(self._back, 1, self._start))
        layout = row(side, values, spacing=8)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setStretch(1, 1)
        self.setLayout(layout)


def _trouble(state: FormState) -> str:
    wrong = [f.title for f in state.fields if f.problem]
    if state.problem:
        return state.problem
    return f"Cannot be used: {', '.join(wrong[:4])}{' ..' if len(wrong) > 4 else ''}" if wrong else ""


def main() -> None:
    """Show a made-up config; it prints what is edited."""

    def make() -> QWidget:
        form = TrainForm(QAction("Start training"), QAction("Back"))
        fields = tuple(
            FormField(f"train.value_{k}", "How it is trained", f"value {k}", "what it does", "text", str(k), "3")
            for k in range(12)
        )
        form.show_data([DataChoice("/a", "2026-01-01", "100 demos · push-shape")])
        form.show_form(FormState({"small": "small, for a CPU"}, "small", "push-shape 1", "/a", fields=fields))
        form.edited.connect(print)
        form.resize(1400, 800)
        return form

    demo(make)


if __name__ == "__main__":
    main()

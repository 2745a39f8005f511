"""A new dream: which model, of which scene, how many candidates; and the scene's pictures as they were taken."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QStackedLayout,
    QWidget,
)

from hardware.types import Image
from widgets.demo import demo
from widgets.dream_values import AS_IT_LIES, DreamForm, Option
from widgets.empty_state import EmptyState, push_button
from widgets.goal_editor import GoalEditor
from widgets.own_keys import keep_own_keys
from widgets.panel import Panel, button, clear, label, row
from widgets.views.video_view import VideoView

SIDE_PX, MOST_CANDIDATES, MOST_STEPS, MOST_SEED = 430, 8, 200, 2**31 - 1
NO_MODEL = "No video model yet"
WHENCE = (
    "Dreaming takes a video model that has seen the task. The ones in assets/checkpoints come with the program. "
    "Page Train (Ctrl+4) trains one on your demos: its newest checkpoint is offered here. Other model folders are "
    "found in WORKSPACE/models, or wherever you choose; main.py model import makes one of the papers' checkpoints."
)


class _Choice(QComboBox):
    """The wheel scrolls past it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class NewDreamForm(QWidget):
    """actions: `start`, `leave`, `model_folder`. `edited(name, text)` tells every change, `look_wanted`
    asks for the scene's pictures, `left` goes back.

    goal: in the pictures' place where the task has one that can be posed on the scene.
    """

    edited = Signal(str, str)
    look_wanted = Signal()
    left = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model, self._source = _combo(self, "model"), _combo(self, "source")
        self._task, self._device = _combo(self, "task"), _combo(self, "device")
        self._table = _number(self, "table", AS_IT_LIES, 99_999)
        self._table.setSpecialValueText("as it lies")
        self._candidates = _number(self, "candidates", 1, MOST_CANDIDATES)
        self._seed = _number(self, "seed", 0, MOST_SEED)
        self._steps = _number(self, "steps", 1, MOST_STEPS)
        self._text = _line(self, "text", "What is to be done, in words")
        self._override = _line(self, "override", "Why it may be in the picture")
        self._about, self._table_words = label("", "muted", wrap=True), label("", "muted", wrap=True)
        self._note, self._problem = label("", "muted", wrap=True), label("", wrap=True, state="alarm")
        self._look = button("")
        self._look.clicked.connect(self.look_wanted)
        self._rows: dict[str, tuple[QLabel, QWidget]] = {}
        self.views: dict[str, VideoView] = {}
        self.goal = GoalEditor()
        self.goal.hide()
        self._shown = QWidget()
        self._pictures = QHBoxLayout(self._shown)
        self._pictures.setContentsMargins(0, 0, 0, 0)
        self._pictures.setSpacing(6)
        self._no_picture = label("Look at the scene to see what will be dreamt of.", "muted")
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState(NO_MODEL, WHENCE, (actions["model_folder"], actions["leave"])))
        self._pages.addWidget(self._laid_out(actions))

    def show_form(self, form: DreamForm) -> None:
        """Show the form as it is now; a field that somebody types in is left alone."""
        self._pages.setCurrentIndex(int(bool(form.models)))
        _fill(self._model, form.models, form.model)
        _fill(self._source, form.sources, form.source)
        _fill(self._task, form.tasks, form.task)
        _fill(self._device, form.devices, form.device)
        self._about.setText(next((o.tip for o in form.models if o.value == form.model), ""))
        _set(self._table, AS_IT_LIES if form.table is None else form.table)
        self._table_words.setText(form.table_words)
        for spin, value in (
            (self._candidates, form.candidates),
            (self._seed, form.seed),
            (self._steps, form.steps),
        ):
            _set(spin, value)
        for edit, text in ((self._text, form.text), (self._override, form.override)):
            if not edit.hasFocus():
                edit.setText(text or "")
        for name, shown in (
            ("table", form.table is not None),
            ("text", form.text is not None),
            ("override", form.override is not None),
        ):
            self._show_row(name, shown)
        self._table_words.setVisible(form.table is not None and bool(form.table_words))
        self._look.setText(form.look)
        self._look.setVisible(bool(form.look))
        self._note.setText(form.note)
        self._problem.setText(form.problem)
        self._problem.setVisible(bool(form.problem))

    def show_pictures(self, pictures: Mapping[str, Image], with_goal: bool = False) -> None:
        """Show the scene (H, W, 3) by view, as the model will see it; none takes it away. with_goal: `goal` shows
        it instead."""
        if list(self.views) != list(pictures):
            clear(self._pictures)
            self.views = {name: VideoView(name, f"View {i} · {name}") for i, name in enumerate(pictures, 1)}
            for view in self.views.values():
                self._pictures.addWidget(view)
        for name, picture in pictures.items():
            self.views[name].show_picture(picture)
        self._no_picture.setVisible(not pictures)
        self._shown.setVisible(bool(pictures) and not with_goal)

    def focus_first(self) -> None:
        """Put the keys where a person begins."""
        self._model.setFocus()

    # inside ----------------------------------------------------------------------------------------------------
    def _laid_out(self, actions: Mapping[str, QAction]) -> QWidget:
        what = Panel("NEW DREAM")
        grid = QGridLayout()
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        other = button("Other…", tip=actions["model_folder"].toolTip())
        other.clicked.connect(actions["model_folder"].trigger)
        model = QWidget()
        inside = row(self._model, other)
        inside.setStretch(0, 1)
        model.setLayout(inside)
        for name, title, field in (
            ("model", "Model", model),
            ("about", "", self._about),
            ("source", "Scene", self._source),
            ("task", "Task", self._task),
            ("table", "Table", self._table),
            ("table_words", "", self._table_words),
            ("text", "In words", self._text),
            ("candidates", "Candidates", self._candidates),
            ("seed", "First seed", self._seed),
            ("steps", "Steps", self._steps),
            ("device", "Computes on", self._device),
            ("override", "Override", self._override),
        ):
            self._add(grid, name, title, field)
        what.body.addLayout(grid)
        what.body.addWidget(self._problem)
        what.body.addStretch(1)
        what.body.addWidget(self._note)
        what.body.addLayout(row(push_button(actions["leave"]), 1, push_button(actions["start"], primary=True)))
        what.setFixedWidth(SIDE_PX)
        scene = Panel("THE SCENE")
        scene.corner.addWidget(self._look)
        scene.body.addWidget(self._no_picture, 1, Qt.AlignmentFlag.AlignCenter)
        scene.body.addWidget(self._shown, 1)
        scene.body.addWidget(self.goal, 1)
        made = QWidget()
        layout = row(what, scene)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setStretch(1, 1)
        made.setLayout(layout)
        return made

    def _add(self, grid: QGridLayout, name: str, title: str, field: QWidget) -> None:
        line, words = grid.rowCount(), label(title, "muted")
        grid.addWidget(words, line, 0, Qt.AlignmentFlag.AlignTop)
        words.setContentsMargins(0, 6, 8, 0)
        grid.addWidget(field, line, 1)
        field.setAccessibleName(title)
        self._rows[name] = words, field

    def _show_row(self, name: str, shown: bool) -> None:
        for part in self._rows[name]:
            part.setVisible(shown)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


def _combo(form: NewDreamForm, name: str) -> QComboBox:
    made = _Choice()
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(8)
    made.activated.connect(lambda index: form.edited.emit(name, str(made.itemData(index))))
    return made


def _number(form: NewDreamForm, name: str, least: int, most: int) -> QSpinBox:
    made = QSpinBox()
    made.setRange(least, most)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel scrolls past it
    keep_own_keys(made)
    made.valueChanged.connect(lambda value: form.edited.emit(name, str(value)))
    return made


def _line(form: NewDreamForm, name: str, hint: str) -> QLineEdit:
    made = QLineEdit(placeholderText=hint)
    keep_own_keys(made)
    made.textEdited.connect(lambda text: form.edited.emit(name, text))
    return made


def _fill(combo: QComboBox, options: Sequence[Option], chosen: str) -> None:
    with QSignalBlocker(combo):
        if [combo.itemData(i) for i in range(combo.count())] != [o.value for o in options]:
            combo.clear()
            for option in options:
                combo.addItem(option.text, option.value)
                combo.setItemData(combo.count() - 1, option.tip, Qt.ItemDataRole.ToolTipRole)
        combo.setCurrentIndex(combo.findData(chosen))


def _set(spin: QSpinBox, value: int) -> None:
    if not spin.hasFocus() and spin.value() != value:
        with QSignalBlocker(spin):
            spin.setValue(value)


def main() -> None:
    """Show a form; it prints what is edited."""

    def make() -> QWidget:
        form = NewDreamForm({name: QAction(name) for name in ("start", "leave", "model_folder")})
        form.show_form(
            DreamForm(
                models=(Option("a", "tabletop_push", "shipped · 2 views"),),
                model="a",
                sources=(Option("live", "What the cameras see now"),),
                source="live",
                tasks=(Option("push-shape", "push-shape"),),
                task="push-shape",
                table=3,
                look="Look again",
                note="4 dreams of 30 steps each",
            )
        )
        form.edited.connect(print)
        return form

    demo(make)


if __name__ == "__main__":
    main()

"""The line of buttons over the timeline. Every button is an action of the one table."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QComboBox, QToolButton, QWidget

from widgets.icons import icon
from widgets.panel import label, row
from widgets.playback import SPEEDS, Playback
from widgets.theme import set_state

_SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0)
_LEFT = ("previous", "play", "next", "loop")
_RIGHT = ("worst", "box", "correct", "trim_start", "trim_end", "undo", "redo")
_NAMED = ("worst", "box", "correct", "split", "merge")  # what a person edits with: named where there is room
_BESIDE = Qt.ToolButtonStyle.ToolButtonTextBesideIcon


def action_button(action: QAction, picture: str = "", text: bool = True) -> QToolButton:
    """Return a button that is the action: text, tooltip and enabled state follow it."""
    button = QToolButton()
    if picture:
        action.setIcon(icon(picture))  # on the action: the button takes it from there at every change
    button.setDefaultAction(action)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if picture:
        # the icon stands in the middle of its place: Qt leaves no room between it and the words
        button.setIconSize(QSize(26, 18) if text else QSize(18, 18))
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly
        button.setToolButtonStyle(style)
    return button


def _name_width(button: QToolButton) -> int:
    """What a button's name beside its icon adds to it [px], as Qt reckons: a gap, the text, two spaces."""
    metrics = button.fontMetrics()
    return 4 + metrics.horizontalAdvance(button.text()) + 2 * metrics.horizontalAdvance(" ")


class Transport(QWidget):
    """Play, step, loop, speed, worst frame, edits; `clock_picked` asks for the dream's or the plan's time."""

    clock_picked = Signal(str)

    def __init__(
        self,
        actions: Mapping[str, QAction],
        playback: Playback,
        parent: QWidget | None = None,
        right: Sequence[str] = _RIGHT,
    ) -> None:
        """right: the actions that edit, by the names of their icons."""
        super().__init__(parent)
        self._playback = playback
        self._where = label("", "number")
        self._where.setMinimumWidth(116)
        self._speed = QComboBox()
        for speed in _SPEEDS:
            self._speed.addItem(f"{speed:g}×", speed)
        self._speed.setToolTip("Playing speed  ( [ and ] )")
        self._speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._speed.activated.connect(self._pick_speed)
        self._clocks = {name: self._clock_button(name) for name in ("dream", "plan")}
        self._play, self._loop = actions["play"], actions["loop"]
        self._loop.setCheckable(True)
        buttons = {n: action_button(actions[n], n, text=False) for n in (*_LEFT, *right)}
        self._named = [buttons[n] for n in _NAMED if n in buttons]
        before, behind = ([buttons[n] for n in names] for names in (_LEFT, right))
        self.setLayout(row(*before, self._speed, self._where, *self._clocks.values(), 1, *behind, spacing=4))
        playback.playing_changed.connect(self._show_playing)
        playback.loop_changed.connect(self._show_loop)
        playback.speed_changed.connect(self._show_speed)
        self._show_loop(playback.loop)
        self._show_speed(playback.speed)
        self.show_clock("dream", has_plan=False)

    def show_where(self, text: str) -> None:
        """Such as "6/12 · 1.00 s"."""
        self._where.setText(text)

    def show_clock(self, clock: str, has_plan: bool) -> None:
        """Say whose time the timeline shows: dream or plan."""
        for name, button in self._clocks.items():
            button.setChecked(name == clock)
            button.setVisible(has_plan)
        self._name_buttons()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._name_buttons()

    def minimumSizeHint(self) -> QSize:
        """The width without names: they come only where there is room for them."""
        least = super().minimumSizeHint()
        return QSize(least.width() - self._names_width(), least.height())

    def _names_width(self) -> int:
        shown = [b for b in self._named if b.toolButtonStyle() == _BESIDE]
        return sum(_name_width(button) for button in shown)

    def _name_buttons(self) -> None:
        """Name as many as there is room for, in their order."""
        room = self.width() - super().minimumSizeHint().width() + self._names_width()
        for button in self._named:
            room -= _name_width(button)
            button.setToolButtonStyle(_BESIDE if room >= 0 else Qt.ToolButtonStyle.ToolButtonIconOnly)

    def change_speed(self, steps: int) -> None:
        """Faster or slower by that many notches."""
        notches = [s for s in _SPEEDS if SPEEDS[0] <= s <= SPEEDS[1]]
        nearest = min(range(len(notches)), key=lambda i: abs(notches[i] - self._playback.speed))
        self._playback.set_speed(notches[min(max(nearest + steps, 0), len(notches) - 1)])

    def _clock_button(self, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(name.capitalize())
        button.setCheckable(True)
        set_state(button, role="flat")
        button.setToolTip(f"Show the {name}'s time on the timeline")
        button.clicked.connect(lambda: self.clock_picked.emit(name))
        return button

    @Slot(int)
    def _pick_speed(self, index: int) -> None:
        self._playback.set_speed(float(self._speed.itemData(index)))

    @Slot(bool)
    def _show_playing(self, playing: bool) -> None:
        self._play.setIcon(icon("pause" if playing else "play"))

    @Slot(bool)
    def _show_loop(self, loop: bool) -> None:
        self._loop.setChecked(loop)

    @Slot(float)
    def _show_speed(self, speed: float) -> None:
        index = next((i for i, s in enumerate(_SPEEDS) if abs(s - speed) < 1e-6), -1)
        if index < 0:
            return
        self._speed.setCurrentIndex(index)

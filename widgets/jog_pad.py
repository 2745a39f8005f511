"""The pad that a person holds to move an arm: sticks for the mouse, keys for the keyboard; letting go is rest."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from widgets.demo import demo
from widgets.jog_stick import JogStick
from widgets.panel import label
from widgets.theme import color

Wish = tuple[float, float, float, float, float, float]
STILL: Wish = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_K = Qt.Key
# axis 0..5 (x, y, z, about x, about y, about z) and direction; with Shift the first four turn instead
_KEYS: Mapping[int, tuple[int, float]] = {
    _K.Key_D: (0, 1.0), _K.Key_A: (0, -1.0), _K.Key_W: (1, 1.0), _K.Key_S: (1, -1.0),
    _K.Key_R: (2, 1.0), _K.Key_F: (2, -1.0), _K.Key_Q: (5, 1.0), _K.Key_E: (5, -1.0),
}  # fmt: skip
_TURNED = {0: (4, 1.0), 1: (3, -1.0)}
KEYS_IN_WORDS = "W A S D and R F move, Q E turn, Shift with W A S D tilts"


class JogPad(QWidget):
    """`wish` is what is held now: x, y, z and the turns about them, -1..1 of the chosen speed, in the chosen frame.

    `let_go` is emitted the moment nothing is held any more; losing the keyboard's focus lets go of the keys.
    """

    let_go = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jog_pad")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._held: set[int] = set()
        self._shift = False
        self._move = JogStick(("+x", "+y", "−x", "−y"), tip="Move along x and y")
        self._lift = JogStick(("", "+z", "", "−z"), (False, True), tip="Move along z")
        self._tilt = JogStick(("+ry", "−rx", "−ry", "+rx"), tip="Turn about x and y")
        self._spin = JogStick(("", "+rz", "", "−rz"), (False, True), tip="Turn about z")
        self._hint = label("", "faint")
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 6, 8, 6)
        grid.setHorizontalSpacing(6)
        for column, (stick, name) in enumerate(self._sticks()):
            stick.let_go.connect(self._stick_let_go)
            grid.addWidget(stick, 0, column, Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(label(name, "faint"), 1, column, Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(self._hint, 2, 0, 1, 4, Qt.AlignmentFlag.AlignCenter)
        self._say_keys()

    def _sticks(self) -> tuple[tuple[JogStick, str], ...]:
        return (self._move, "move"), (self._lift, "lift"), (self._tilt, "tilt"), (self._spin, "spin")

    @property
    def wish(self) -> Wish:
        """What mouse and keys ask for together."""
        if not self.isEnabled():
            return STILL
        (x, y), (_, z), (ry, rx), (_, rz) = (stick.value for stick, _ in self._sticks())
        total = [x, y, z, -rx, ry, rz]
        for key in self._held:
            axis, way = _KEYS[key]
            if self._shift and axis in _TURNED:
                axis, sign = _TURNED[axis]
                way *= sign
            total[axis] += way
        a, b, c, d, e, f = (min(max(v, -1.0), 1.0) for v in total)
        return a, b, c, d, e, f

    def show_wish(self, wish: Sequence[float]) -> None:
        """Show on the sticks what is asked for, wherever it comes from."""
        x, y, z, rx, ry, rz = wish
        for (stick, _), value in zip(self._sticks(), ((x, y), (0.0, z), (ry, -rx), (0.0, rz)), strict=True):
            stick.show_value(value)

    def drop(self) -> None:
        """Let go of everything."""
        self._drop_keys()
        for stick, _ in self._sticks():
            stick.spring_back()

    def event(self, event: QEvent) -> bool:
        # a letter that a person gave to an action must not take the key from a held arm
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._look_at_shift(event)
        if event.key() not in _KEYS or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self._held.add(event.key())

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._look_at_shift(event)
        if event.key() not in _KEYS:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self._held.discard(event.key())
            self._tell_if_still()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._say_keys()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._drop_keys()
        self._say_keys()
        super().focusOutEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        # a key that comes up while the pad is off is not told: it would count as held for ever
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self.drop()
        super().changeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.drop()
        super().hideEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color("accent" if self.hasFocus() else "border"), 1))
        painter.setBrush(color("panel"))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -2, -2), 8, 8)

    def _say_keys(self) -> None:
        self._hint.setText(
            KEYS_IN_WORDS if self.hasFocus() else "Push and hold a stick, or click here for the keys"
        )
        self.update()

    def _look_at_shift(self, event: QKeyEvent) -> None:
        pressed = event.type() == QKeyEvent.Type.KeyPress
        if event.key() == Qt.Key.Key_Shift:
            self._shift = pressed
        else:
            self._shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)

    def _drop_keys(self) -> None:
        self._held.clear()
        self._shift = False
        self._tell_if_still()

    @Slot()
    def _stick_let_go(self) -> None:
        self._tell_if_still()

    def _tell_if_still(self) -> None:
        if self.wish == STILL:
            self.let_go.emit()


def main() -> None:
    """Push the sticks, or click and hold the keys."""
    demo(JogPad)


if __name__ == "__main__":
    main()

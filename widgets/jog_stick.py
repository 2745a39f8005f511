"""A stick on the screen: push it with the mouse and it says how far; let go and it springs back."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.demo import demo
from widgets.theme import color, font

_KNOB = 17.0


class JogStick(QWidget):
    """Two axes in a round field, or one (`upright`: up and down only; `flat`: left and right only).

    `value` is (x, y) -1..1, y up; `let_go` is emitted when it springs back.
    names: what is written at right, top, left, bottom.
    """

    let_go = Signal()

    def __init__(
        self,
        names: tuple[str, str, str, str],
        axes: tuple[bool, bool] = (True, True),
        tip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._names, self._axes = names, axes
        self._value, self._shown = (0.0, 0.0), (0.0, 0.0)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setFixedSize(self.sizeHint())

    @property
    def value(self) -> tuple[float, float]:
        """Where the mouse holds it."""
        return self._value

    def show_value(self, value: tuple[float, float]) -> None:
        """Show where keys or a gamepad hold it while the mouse does not."""
        if value != self._shown:
            self._shown = value
            self.update()

    def sizeHint(self) -> QSize:
        x, y = self._axes
        return QSize(132 if x else 56, 132 if y else 56)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._push(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._push(event.position())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self.spring_back()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self.spring_back()
        super().changeEvent(event)

    def hideEvent(self, event: QEvent) -> None:
        self.spring_back()
        super().hideEvent(event)  # type: ignore[arg-type]

    def spring_back(self) -> None:
        """Let go of it, whoever held it."""
        held, self._value = self._value != (0.0, 0.0), (0.0, 0.0)
        self.update()
        if held:
            self.let_go.emit()

    def _push(self, at: QPointF) -> None:
        if not self.isEnabled():
            return
        field = self._field()
        reach = QPointF(max(field.width() / 2, 1), max(field.height() / 2, 1))
        x = (at.x() - field.center().x()) / reach.x() if self._axes[0] else 0.0
        y = (field.center().y() - at.y()) / reach.y() if self._axes[1] else 0.0
        way = max((x * x + y * y) ** 0.5, 1.0)
        self._value = (x / way, y / way)
        self.update()

    def _field(self) -> QRectF:
        """Where the knob's centre may be."""
        x, y = self._axes
        margin = _KNOB + 12
        all = QRectF(self.rect())
        return all.adjusted(margin if x else all.width() / 2, margin if y else all.height() / 2,
                            -margin if x else -all.width() / 2, -margin if y else -all.height() / 2)  # fmt: skip

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(color("border"), 1))
        painter.setBrush(color("well"))
        painter.drawRoundedRect(
            frame, min(frame.width(), frame.height()) / 2, min(frame.width(), frame.height()) / 2
        )
        self._write_names(painter, frame)
        value = self._value if self._value != (0.0, 0.0) else self._shown
        held = value != (0.0, 0.0)
        field = self._field()
        knob = QPointF(
            field.center().x() + value[0] * field.width() / 2, field.center().y() - value[1] * field.height() / 2
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("accent" if held else "hover" if self.isEnabled() else "raised"))
        painter.drawEllipse(knob, _KNOB, _KNOB)

    def _write_names(self, painter: QPainter, frame: QRectF) -> None:
        painter.setPen(color("muted" if self.isEnabled() else "faint"))
        painter.setFont(font(11))
        flags = Qt.AlignmentFlag
        places = (flags.AlignRight | flags.AlignVCenter, flags.AlignTop | flags.AlignHCenter,
                  flags.AlignLeft | flags.AlignVCenter, flags.AlignBottom | flags.AlignHCenter)  # fmt: skip
        for name, place in zip(self._names, places, strict=True):
            painter.drawText(frame.adjusted(7, 3, -7, -3), int(place), name)


def main() -> None:
    """Push it."""
    make: Callable[[], QWidget] = lambda: JogStick(("+x", "+y", "−x", "−y"))  # noqa: E731
    demo(make)


if __name__ == "__main__":
    main()

"""One sensor of the rig: its name, what it says now in large figures, what can be done, and how its stream does."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.health_strip import HEIGHT, HealthStrip
from widgets.panel import button
from widgets.record_values import Fact, StreamRow
from widgets.theme import color, font, level_color
from widgets.views.paint import elided

VALUE_HEIGHT = 40
TILE_HEIGHT = VALUE_HEIGHT + HEIGHT


class SensorTile(QWidget):
    """Shows a StreamRow of shape "number"; emits `pressed` where its button is clicked."""

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value, self._strip = _Value(), HealthStrip()
        self._button = button("")
        self._button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the page
        self._button.clicked.connect(self.pressed)
        self._button.hide()
        above = QHBoxLayout()
        above.setSpacing(0)
        above.addWidget(self._value, 1)
        above.addWidget(self._button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(above)
        layout.addWidget(self._strip)

    def show_stream(self, row: StreamRow) -> None:
        """Show the sensor as it is now."""
        self.setAccessibleName(f"Sensor {row.name}")
        self._value.show_value(row.problem or row.value or "no value yet", row.mood, large=not row.problem)
        self._strip.show_stream(row)
        if row.button != self._button.text():
            self._button.setText(row.button)
            self._button.setAccessibleName(f"{row.button} {row.name}")
            self._button.setVisible(bool(row.button))


class _Value(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._text, self._mood, self._large = "", "idle", True
        self.setFixedHeight(VALUE_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_value(self, text: str, mood: str, large: bool) -> None:
        if (text, mood, large) != (self._text, self._mood, self._large):
            self._text, self._mood, self._large = text, mood, large
            self.setToolTip(text)
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("well"))
        loud = self._mood in ("warning", "alarm")
        painter.setPen(level_color(self._mood) if loud else color("text"))
        pixels = 22 if self._large else 13
        painter.setFont(font(pixels, bold=self._large))
        area = QRectF(10, 0, self.width() - 18, VALUE_HEIGHT)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, elided(self._text, area.width(), pixels, self._large))


def main() -> None:
    """Show a force sensor."""

    def make() -> QWidget:
        tile = SensorTile()
        facts = (Fact("30.0 Hz", "ok"), Fact("zeroed"))
        tile.show_stream(StreamRow("force", "number", "ok", facts, value="0.4 N", button="Zero"))
        return tile

    demo(make)


if __name__ == "__main__":
    main()

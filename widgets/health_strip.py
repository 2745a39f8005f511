"""One line that says how well a stream does: name, rate, age, drops; what is wrong comes first."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.demo import demo
from widgets.record_values import Fact, StreamRow
from widgets.theme import color, font, level_color
from widgets.views.paint import elided, text_size

HEIGHT = 30
_PIXELS, _GAP, _PAD = 14, 16.0, 10.0
_URGENT = {"alarm": 0, "warning": 1}


class HealthStrip(QWidget):
    """As many facts as fit, those that are amber or red first; all of them in the tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = StreamRow("")
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_stream(self, row: StreamRow) -> None:
        """Show this stream; nothing is painted where nothing changed."""
        if row == self._row:
            return
        self._row = row
        lines = [row.name, *([row.problem] if row.problem else [])]
        self.setToolTip("\n".join([*lines, *(f"{f.text}: {f.tip}" if f.tip else f.text for f in row.facts)]))
        self.update()

    @property
    def shown(self) -> list[str]:
        """The texts that fit, in their order."""
        return [fact.text for fact, _ in self._laid_out()]

    def sizeHint(self) -> QSize:
        return QSize(320, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("rail"))
        painter.setFont(font(_PIXELS, bold=True))
        name = self._name()
        painter.setPen(color("text"))
        painter.drawText(self._area(_PAD), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(font(_PIXELS))
        for fact, x in self._laid_out():
            painter.setPen(color("text") if fact.mood == "idle" else level_color(fact.mood))
            painter.drawText(self._area(x), Qt.AlignmentFlag.AlignVCenter, fact.text)

    def _area(self, x: float) -> QRectF:
        return QRectF(x, 0, self.width() - x - 4, HEIGHT)

    def _name(self) -> str:
        return elided(self._row.name, self.width() - 2 * _PAD, _PIXELS, bold=True)

    def _laid_out(self) -> list[tuple[Fact, float]]:
        """What fits beside the name, and where: urgent facts may push the others out, but keep their place."""
        room = self.width() - 2 * _PAD - text_size(self._name(), _PIXELS, bold=True)[0]
        kept: set[int] = set()
        facts = self._row.facts
        for index in sorted(range(len(facts)), key=lambda i: (_URGENT.get(facts[i].mood, 2), i)):
            width = text_size(facts[index].text, _PIXELS)[0] + _GAP
            if width <= room:
                kept.add(index)
                room -= width
        placed, x = [], _PAD + text_size(self._name(), _PIXELS, bold=True)[0] + _GAP
        for index in sorted(kept):
            placed.append((facts[index], x))
            x += text_size(facts[index].text, _PIXELS)[0] + _GAP
        return placed


def main() -> None:
    """Show a stream that drops."""

    def make() -> QWidget:
        strip = HealthStrip()
        facts = (Fact("29.4 fps", "warning"), Fact("age 31 ms"), Fact("2 drops", "alarm"), Fact("USB 3.2"))
        strip.show_stream(StreamRow("side", mood="warning", facts=facts))
        return strip

    demo(make)


if __name__ == "__main__":
    main()

"""The last takes, newest first: a small picture of each, and what became of it."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.demo import demo
from widgets.record_values import TakeRow
from widgets.theme import color, font, level_color
from widgets.views.live_picture import scaled
from widgets.views.paint import elided

PICTURE = (132, 77)
_LINE, _GAP = 20, 12
HEIGHT = PICTURE[1] + 2 * _LINE + 4


class TakesStrip(QWidget):
    """As many as fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._takes: tuple[TakeRow, ...] = ()
        self._pictures: dict[int, QImage] = {}
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Last takes")

    def show_takes(self, takes: Sequence[TakeRow]) -> None:
        """Show these, newest first."""
        self._pictures = {
            take.number: self._pictures.get(take.number) or _thumbnail(take)
            for take in takes
            if take.picture is not None
        }
        self._takes = tuple(takes)
        words = ", ".join(f"{take.number} {take.outcome}" for take in takes[:8])
        self.setAccessibleDescription(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(600, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._takes:
            painter.setPen(color("muted"))
            painter.setFont(font(14))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, "No takes yet today")
            return
        for i, take in enumerate(self._takes):
            left = i * (PICTURE[0] + _GAP)
            if left + PICTURE[0] > self.width():
                return
            self._paint(painter, take, left)

    def _paint(self, painter: QPainter, take: TakeRow, left: int) -> None:
        picture = self._pictures.get(take.number)
        area = QRectF(left, 0, *PICTURE)
        painter.fillRect(area, color("well"))
        if picture is not None:
            painter.setOpacity(0.35 if take.mood == "idle" else 1.0)
            painter.drawImage(int(area.center().x() - picture.width() / 2), 0, picture)
            painter.setOpacity(1.0)
        painter.setFont(font(13, bold=True))
        painter.setPen(level_color(take.mood))
        line = QRectF(left, PICTURE[1] + 2, PICTURE[0], _LINE)
        words = elided(f"{take.number}  {take.outcome}", line.width(), 13, bold=True)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(font(12))
        painter.setPen(color("muted"))
        line = line.translated(0, _LINE)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, elided(take.note, line.width(), 12))


def _thumbnail(take: TakeRow) -> QImage:
    picture = take.picture
    if picture is None:
        return QImage()
    height, width = picture.shape[:2]
    scale = min(PICTURE[0] / width, PICTURE[1] / height)
    return scaled(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def main() -> None:
    """Show three takes without pictures."""

    def make() -> QWidget:
        strip = TakesStrip()
        strip.show_takes(
            [TakeRow(3, "kept", "ok", "4.1 s"), TakeRow(2, "discarded", "idle", "Ctrl+Z brings it back")]
        )
        return strip

    demo(make)


if __name__ == "__main__":
    main()

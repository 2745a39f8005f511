"""The program's own line icons, drawn in the theme's colours."""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from widgets.theme import COLORS, ICONS

_PIXELS = 96


def _pixmap(name: str, color: str) -> QPixmap:
    text = (ICONS / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", color)
    pixmap = QPixmap(_PIXELS, _PIXELS)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, _PIXELS, _PIXELS))
    painter.end()
    return pixmap


@cache
def icon(name: str, color: str = "text") -> QIcon:
    """Return assets/icons/NAME.svg in a colour of the theme, faint while disabled."""
    made = QIcon(_pixmap(name, COLORS[color]))
    made.addPixmap(_pixmap(name, COLORS["faint"]), QIcon.Mode.Disabled)
    made.addPixmap(_pixmap(name, COLORS["text"]), QIcon.Mode.Normal, QIcon.State.On)
    return made

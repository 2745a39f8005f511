"""The program's own line icons, drawn in the colours of the theme that is on."""

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from widgets.theme import COLORS, ICONS


@cache
def _drawing(name: str, color: str) -> QSvgRenderer:
    text = (ICONS / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", color)
    return QSvgRenderer(QByteArray(text.encode()))


class _Engine(QIconEngine):
    """Looks up its colour when it is painted: a change of theme needs no new icons."""

    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._name, self._color = name, color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        on = state == QIcon.State.On
        ink = "faint" if mode == QIcon.Mode.Disabled else "text" if on else self._color
        side = min(rect.width(), rect.height())
        place = QRect(QPoint(), QSize(side, side))
        place.moveCenter(rect.center())
        _drawing(self._name, COLORS[ink]).render(painter, QRectF(place))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(QPoint(), size), mode, state)
        painter.end()
        return made

    def clone(self) -> QIconEngine:
        return _engine(self._name, self._color)


_engines: list[_Engine] = []  # Qt owns them, but does not keep their Python half alive


def _engine(name: str, color: str) -> _Engine:
    _engines.append(_Engine(name, color))
    return _engines[-1]


@cache
def icon(name: str, color: str = "text") -> QIcon:
    """Return assets/icons/NAME.svg in a colour of the theme, faint while disabled."""
    return QIcon(_engine(name, color))

"""Small things painted by hand the same way in every view: pictures, badges, strips, empty states."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPolygonF

from hardware.geometry import Array
from hardware.types import Image
from widgets.theme import color, font

PAD_X, PAD_Y = 8.0, 4.0


def to_qimage(rgb: Image) -> QImage:
    """Return a picture (H, W, 3) uint8 as an image of its own."""
    data = np.ascontiguousarray(rgb)
    height, width = data.shape[:2]
    image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def same_picture(a: Image | None, b: Image | None) -> bool:
    """Whether two arrays are the same stretch of memory, as two slices of one clip are; both must still be held."""
    if a is None or b is None:
        return a is b
    return a.ctypes.data == b.ctypes.data and a.shape == b.shape and a.strides == b.strides


def polygon(points: Array) -> QPolygonF:
    """Return a polyline (N, 2) of widget points."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def text_size(text: str, pixels: int = 14, bold: bool = False) -> tuple[float, float]:
    """Return the width and height of a line of text."""
    metrics = QFontMetricsF(font(pixels, bold))
    return metrics.horizontalAdvance(text), metrics.height()


def elided(text: str, width: float, pixels: int = 14, bold: bool = False) -> str:
    """Return the text, cut with an ellipsis where it is wider than that."""
    return QFontMetricsF(font(pixels, bold)).elidedText(text, Qt.TextElideMode.ElideRight, width)


def badge_rect(text: str, at: QPointF, pixels: int = 14, bold: bool = False, dot: bool = False) -> QRectF:
    """Return where a badge with its top left corner there would lie."""
    width, height = text_size(text, pixels, bold)
    return QRectF(at.x(), at.y(), width + 2 * PAD_X + (16 if dot else 0), height + 2 * PAD_Y)


def draw_badge(
    painter: QPainter,
    rect: QRectF,
    text: str,
    *,
    ink: QColor | None = None,
    ground: QColor | None = None,
    dot: QColor | None = None,
    pixels: int = 14,
    bold: bool = False,
) -> None:
    """Draw text on a rounded dark ground, with a coloured dot before it where one is given."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground or color("rail", 0.82))
    painter.drawRoundedRect(rect, 6, 6)
    left = rect.left() + PAD_X
    if dot is not None:
        painter.setBrush(dot)
        painter.drawEllipse(QPointF(left + 5, rect.center().y()), 5, 5)
        left += 16
    painter.setPen(ink or color("text"))
    painter.setFont(font(pixels, bold))
    inner = QRectF(left, rect.top(), rect.right() - PAD_X / 2 - left, rect.height())
    painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def draw_strip(painter: QPainter, area: QRectF, texts: Sequence[str], level: str) -> None:
    """Draw a line across the whole width of an area: the first text that fits. level: accent, warning or alarm."""
    painter.fillRect(area, color(f"{level}_dim", 0.94))
    painter.fillRect(QRectF(area.left(), area.top(), 4, area.height()), color(level))
    painter.setPen(color("text"))
    painter.setFont(font(15, bold=True))
    inner = area.adjusted(16, 0, -8, 0)
    fitting = [text for text in texts if text_size(text, 15, bold=True)[0] <= inner.width()]
    cut = elided([*fitting, *texts[-1:]][0], inner.width(), 15, bold=True)
    painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, cut)


def draw_empty(painter: QPainter, area: QRectF, text: str) -> None:
    """Draw what to do next in the middle of an empty area."""
    painter.setPen(color("muted"))
    painter.setFont(font(16))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(area.adjusted(24, 8, -24, -8), flags, text)

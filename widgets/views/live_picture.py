"""The newest picture of one camera, scaled once to the size that it is shown at."""

import cv2
import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from hardware.types import Frame, Image
from widgets.theme import color, font
from widgets.views.paint import draw_empty

_NOTCH = 120.0  # of a wheel, in Qt's eighths of a degree
USUAL_ASPECT = 16 / 9  # width by height of a picture, before the first one has come


class LivePicture(QWidget):
    """Shows what `show_frame` gives it; a frame that it shows already costs a comparison."""

    picked = Signal()
    # share of the picture from its left and from its top, 0..1; with the right button; only now pressed
    pointed = Signal(float, float, bool, bool)
    wheeled = Signal(float, Qt.KeyboardModifier)  # notches, away from the person positive

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seen: tuple[int, float, QSize] | None = None
        self._image: QImage | None = None
        self._aspect = USUAL_ASPECT
        self._problem, self._badge, self._hint = "", "", ""
        self._waiting = "Waiting for the first picture"
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 60)

    @property
    def aspect(self) -> float:
        """Width by height of the camera's pictures."""
        return self._aspect

    def show_frame(self, frame: Frame | None) -> bool:
        """Show a frame, scaled to this widget; return whether it was a new one."""
        if frame is None:
            return False
        now = (frame.index, frame.t_host, self.size())
        if now == self._seen:
            return False
        self._seen = now
        height, width = frame.rgb.shape[:2]
        self._aspect = width / height
        ratio = self.devicePixelRatioF()
        area = self._area()
        self._image = scaled(frame.rgb, max(1, round(area.width() * ratio)), max(1, round(area.height() * ratio)))
        self._image.setDevicePixelRatio(ratio)
        self.update()
        return True

    def show_again(self) -> None:
        """Take the next frame for a new one, whatever its number: it comes from another source."""
        self._seen = None

    def show_nothing(self, why: str) -> None:
        """Take the picture away."""
        self._image, self._seen, self._waiting = None, None, why
        self.update()

    def show_problem(self, problem: str) -> None:
        """Say over the last picture what is wrong with the stream; "" for nothing."""
        if problem != self._problem:
            self._problem = problem
            self.update()

    def show_badge(self, text: str) -> None:
        """A few words in the picture's corner, such as "REPLAY"; "" for none."""
        if text != self._badge:
            self._badge = text
            self.update()

    def show_hint(self, text: str) -> None:
        """What mouse and wheel do in the picture, along its foot; "" where they do nothing."""
        if text != self._hint:
            self._hint = text
            self.setCursor(Qt.CursorShape.CrossCursor if text else Qt.CursorShape.ArrowCursor)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is None:
            painter.fillRect(self.rect(), color("well"))
            draw_empty(painter, self.rect().toRectF(), self._problem or self._waiting)
            return
        area = self._area()
        for bar in _around(self.rect(), area):
            painter.fillRect(bar, color("well"))
        painter.drawImage(area.topLeft(), self._image)
        if self._problem:
            self._paint_problem(painter, area)
        if self._badge:
            self._paint_badge(painter, area)
        if self._hint:
            self._paint_hint(painter, area)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.picked.emit()
        self._tell_where(event, pressed=True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._tell_where(event, pressed=False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self._hint:
            event.ignore()  # what it stands in may scroll
            return
        # with Alt and on some systems with Shift, Qt tells of the wheel as of a sideways one
        turned = event.angleDelta().y() or event.angleDelta().x()
        self.wheeled.emit(turned / _NOTCH, event.modifiers())

    def _tell_where(self, event: QMouseEvent, pressed: bool) -> None:
        held = event.buttons() & (Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton)
        area = self._area()
        if not held or not self._hint or not area.width() or not area.height():
            return
        at = event.position()
        left, top = (at.x() - area.left()) / area.width(), (at.y() - area.top()) / area.height()
        if 0 <= left <= 1 and 0 <= top <= 1:
            self.pointed.emit(left, top, bool(held & Qt.MouseButton.RightButton), pressed)

    def _area(self) -> QRect:
        """Where the picture lies: all of it, as large as it fits, in the middle."""
        width = min(self.width(), round(self.height() * self._aspect))
        height = min(self.height(), round(self.width() / self._aspect))
        return QRect((self.width() - width) // 2, (self.height() - height) // 2, width, height)

    def _paint_problem(self, painter: QPainter, area: QRect) -> None:
        painter.fillRect(area, color("well", 0.72))
        painter.setPen(color("alarm"))
        painter.setFont(font(17, bold=True))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(16, 8, -16, -8), flags, self._problem)

    def _paint_badge(self, painter: QPainter, area: QRect) -> None:
        painter.setFont(font(15, bold=True))
        box = painter.boundingRect(area, Qt.AlignmentFlag.AlignLeft, self._badge)
        ground = QRect(area.left() + 8, area.top() + 8, box.width() + 20, box.height() + 8)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("rail", 0.85))
        painter.drawRoundedRect(ground, 6, 6)
        painter.setPen(color("warning"))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, self._badge)

    def _paint_hint(self, painter: QPainter, area: QRect) -> None:
        painter.setFont(font(13))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        room = area.adjusted(10, 0, -10, 0)
        height = painter.boundingRect(room, flags, self._hint).height() + 10
        ground = QRect(area.left(), area.bottom() + 1 - height, area.width(), height)
        painter.fillRect(ground, color("rail", 0.8))
        painter.setPen(color("text"))
        painter.drawText(ground.adjusted(10, 0, -10, 0), flags, self._hint)


def scaled(rgb: Image, width: int, height: int) -> QImage:
    """Return a picture (H, W, 3) uint8 at another size, in the format that is painted fastest."""
    shrinks = rgb.shape[1] >= 2 * width
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    data = np.ascontiguousarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGRA))
    # the copy makes the image its own memory: numpy frees `data` when this returns
    return QImage(data.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def _around(whole: QRect, inner: QRect) -> list[QRect]:
    """The bars of `whole` that `inner` leaves free."""
    bars = [
        QRect(0, 0, whole.width(), inner.top()),
        QRect(0, inner.bottom() + 1, whole.width(), whole.height() - inner.bottom() - 1),
        QRect(0, inner.top(), inner.left(), inner.height()),
        QRect(inner.right() + 1, inner.top(), whole.width() - inner.right() - 1, inner.height()),
    ]
    return [bar for bar in bars if not bar.isEmpty()]

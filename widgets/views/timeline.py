"""The timeline under the pictures: filmstrip, trim, curves, violations, hints, cursor."""

from dataclasses import replace
from typing import Literal

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from widgets.theme import color
from widgets.views.paint import draw_empty, to_qimage
from widgets.views.timeline_layout import Layout, frame_at, layout
from widgets.views.timeline_paint import HANDLE, draw_cursor, draw_still, slots, span_rects, trim_x
from widgets.views.types import FrameSource, TimelineData

Grip = Literal["cursor", "first", "last"]


class Timeline(QWidget):
    """Click or drag scrubs, handles trim, a click on a red span picks the violation.

    With the keyboard: Left and Right one frame, Home and End, Page Up and Page Down from violation to violation,
    I and O set the trim at the cursor.
    """

    time_picked = Signal(float)  # [s]
    trim_changed = Signal(int, int)  # first and last frame kept
    violation_picked = Signal(int)  # index into TimelineData.spans

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: TimelineData | None = None
        self._source: FrameSource | None = None
        self._empty = "Nothing to show yet"
        self._time = 0.0
        self._still: QPixmap | None = None
        self._thumbs: dict[int, QImage] = {}
        self._grip: Grip | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(560, 150)
        self.setAccessibleName("Timeline")

    def set_source(self, source: FrameSource | None) -> None:
        """Take the filmstrip's thumbnails from here."""
        self._source = source
        self._renew(thumbs=True)

    def show_data(self, data: TimelineData | None) -> None:
        """Show a clip's curves and spans; None shows the empty state."""
        self._data, self._grip = data, None
        if data is not None:
            self._time = min(max(self._time, data.start), data.end)
        self._renew(thumbs=True)

    def show_time(self, t: float) -> None:
        """Put the cursor at t [s]; cheap, for every frame."""
        self._time = t if self._data is None else min(max(t, self._data.start), self._data.end)
        self.update()

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there is no data."""
        self._empty = text
        self.show_data(None)

    def sizeHint(self) -> QSize:
        return QSize(1060, 300)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._still = None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._data is None:
            painter.fillRect(self.rect(), color("panel"))
            draw_empty(painter, QRectF(self.rect()), self._empty)
            return
        painter.drawPixmap(0, 0, self._painted(self._data))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_cursor(painter, self._data, self._layout(self._data), self._time)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color("accent", 0.6), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _layout(self, data: TimelineData) -> Layout:
        return layout(data, float(self.width()), float(self.height()))

    def _painted(self, data: TimelineData) -> QPixmap:
        """What stands still, painted once and kept until it changes."""
        if self._still is None:
            ratio = self.devicePixelRatioF()
            still = QPixmap(self.size() * ratio)
            still.setDevicePixelRatio(ratio)
            still.fill(color("panel"))
            at = self._layout(data)
            if not self._thumbs:
                self._thumbs = self._load_thumbs(data, at)
            painter = QPainter(still)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_still(painter, data, at, self._thumbs)
            painter.end()
            self._still = still
        return self._still

    def _load_thumbs(self, data: TimelineData, at: Layout) -> dict[int, QImage]:
        if self._source is None or not data.view:
            return {}
        first = self._source.frame_at(data.view, float(data.frame_times[0]))
        if first is None:
            return {}
        height, width = first.shape[:2]
        thumbs = {}
        for i, (_, t) in enumerate(slots(data, at, width / height)):
            rgb = self._source.frame_at(data.view, t)
            if rgb is not None:
                stride = max(int(height / (2 * at.film.height())), 1)
                thumbs[i] = to_qimage(rgb[::stride, ::stride])
        return thumbs

    def _renew(self, thumbs: bool = False) -> None:
        self._still = None
        if thumbs:
            self._thumbs = {}
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._renew(thumbs=True)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self._text_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), text, self) if text else QToolTip.hideText()
            return True
        return super().event(event)

    def _text_at(self, point: QPointF) -> str:
        """What the span or marker under the mouse says."""
        if self._data is None:
            return ""
        at = self._layout(self._data)
        texts = [self._data.spans[i].text for rect, i in span_rects(self._data, at) if rect.contains(point)]
        near = at.film.top() <= point.y() <= at.film.bottom()
        texts += [m.text for m in self._data.markers if near and abs(at.x(m.t) - point.x()) < 7]
        if not texts and any(lane.contains(point) for lane in at.lanes):
            t = at.time(point.x())
            texts = [s.text for s in self._data.spans if s.start <= t <= s.end]
        return "\n".join(texts)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._data is None or event.button() != Qt.MouseButton.LeftButton:
            return
        at, point = self._layout(self._data), event.position()
        picked = [i for rect, i in span_rects(self._data, at) if rect.contains(point)]
        self._grip = self._grip_at(point)
        if picked and self._data.spans[picked[0]].level == "alarm":
            self._grip = None
            self.violation_picked.emit(picked[0])
        elif self._grip == "cursor":
            self._pick(at.time(point.x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._data is None:
            return
        if self._grip == "cursor":
            self._pick(self._layout(self._data).time(event.position().x()))
        elif self._grip is not None:
            self._drag_trim(self._data, event.position().x())
        else:
            over = self._grip_at(event.position())
            handle = over in ("first", "last")
            self.setCursor(Qt.CursorShape.SplitHCursor if handle else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._data is not None and self._data.trim is not None and self._grip in ("first", "last"):
            self.trim_changed.emit(*self._data.trim)
        self._grip = None

    def _grip_at(self, point: QPointF) -> Grip | None:
        if self._data is None:
            return None
        at = self._layout(self._data)
        first, last = trim_x(self._data, at)
        if self._data.trim is not None and at.film.top() <= point.y() <= at.film.bottom():
            if first - HANDLE - 3 <= point.x() <= first + 3:
                return "first"
            if last - 3 <= point.x() <= last + HANDLE + 3:
                return "last"
        return "cursor" if at.axis.left() - 4 <= point.x() <= at.axis.right() + 4 else None

    def _drag_trim(self, data: TimelineData, x: float) -> None:
        """Follow the mouse; the change is announced once, on release, so that one drag is one undo step."""
        times, t = data.frame_times, self._layout(data).time(x)
        first, last = data.trim or (0, len(times) - 1)
        if self._grip == "first":
            first = min(int(np.abs(times - t).argmin()), last)
        else:
            step = float(times[-1] - times[-2]) if len(times) > 1 else 0.0
            last = max(int(np.abs(times + step - t).argmin()), first)
        self._set_trim(data, first, last)

    def _set_trim(self, data: TimelineData, first: int, last: int) -> None:
        self._data = replace(data, trim=(first, last))
        self._renew()

    def _pick(self, t: float) -> None:
        self.show_time(t)
        self.time_picked.emit(self._time)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._data is None or not self._key(self._data, Qt.Key(event.key())):
            super().keyPressEvent(event)

    def _key(self, data: TimelineData, key: Qt.Key) -> bool:
        times, frame = data.frame_times, frame_at(data.frame_times, self._time)
        first, last = data.trim or (0, len(times) - 1)
        match key:
            case Qt.Key.Key_Left:
                on_frame = abs(self._time - times[frame]) < 1e-6
                self._pick(float(times[max(frame - 1, 0) if on_frame else frame]))
            case Qt.Key.Key_Right:
                self._pick(float(times[min(frame + 1, len(times) - 1)]))
            case Qt.Key.Key_Home:
                self._pick(data.start)
            case Qt.Key.Key_End:
                self._pick(data.end)
            case Qt.Key.Key_PageUp | Qt.Key.Key_PageDown:
                self._next_violation(data, forward=key == Qt.Key.Key_PageDown)
            case Qt.Key.Key_I if data.trim:
                self._trim_by_key(data, min(frame, last), last)
            case Qt.Key.Key_O if data.trim:
                self._trim_by_key(data, first, max(frame, first))
            case _:
                return False
        return True

    def _trim_by_key(self, data: TimelineData, first: int, last: int) -> None:
        self._set_trim(data, first, last)
        self.trim_changed.emit(first, last)

    def _next_violation(self, data: TimelineData, forward: bool) -> None:
        starts = sorted((s.start, i) for i, s in enumerate(data.spans) if s.level == "alarm")
        after = [(t, i) for t, i in starts if (t > self._time + 1e-6 if forward else t < self._time - 1e-6)]
        if after:
            t, i = after[0] if forward else after[-1]
            self._pick(t)
            self.violation_picked.emit(i)


def main() -> None:
    """Show the made-up dream's timeline."""
    from PySide6.QtWidgets import QApplication

    from widgets.theme import apply_theme
    from widgets.views import made_up

    app = QApplication([])
    apply_theme(app)
    timeline = Timeline()
    timeline.set_source(made_up.MadeUpSource())
    timeline.show_data(made_up.timeline_data())
    for signal in (timeline.time_picked, timeline.trim_changed, timeline.violation_picked):
        signal.connect(print)
    timeline.show()
    app.exec()


if __name__ == "__main__":
    main()

"""What a dataset holds: where demos begin, how long they are, of what, and which are nearly the same."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QToolTip, QVBoxLayout, QWidget

from hardware.geometry import Array
from widgets.demo import demo
from widgets.demos_values import Bar, Chart, Scatter, Statistics, Twin
from widgets.panel import clear, label, scrolled
from widgets.theme import color, font, set_state
from widgets.views.paint import elided

_BAR, _NAME, _COUNT = 22.0, 150.0, 54.0
_DOT, _MARGIN = 3.5, 34.0


class StatisticsView(QWidget):
    """`query_picked(text)`: a bar was clicked; `demo_picked(key)`: one of two that are nearly the same."""

    query_picked = Signal(str)
    demo_picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        inner = QWidget()
        across = QHBoxLayout(inner)
        across.setContentsMargins(4, 2, 10, 6)
        across.setSpacing(24)
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        for column in (self._left, self._right):
            column.setSpacing(8)
            across.addLayout(column, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(inner))
        self.show_statistics(Statistics())

    def show_statistics(self, statistics: Statistics) -> None:
        clear(self._left)
        clear(self._right)
        if statistics.note:
            self._left.addWidget(label(statistics.note, "muted", wrap=True))
        for fact in statistics.facts:
            self._left.addWidget(label(fact, wrap=True))
        if len(statistics.scatter.points):
            self._left.addWidget(label("WHERE THEY BEGIN", "heading"))
            self._left.addWidget(ScatterView(statistics.scatter))
        for chart in statistics.charts:
            view = ChartView(chart)
            view.picked.connect(self.query_picked)
            self._right.addWidget(label(chart.title, "heading"))
            self._right.addWidget(view)
        for heading, twins in (("NEARLY THE SAME", statistics.twins), ("THE SAME TABLE BEFORE", statistics.scenes)):
            if twins:
                self._left.addWidget(label(heading, "heading"))
            for twin in twins:
                self._left.addWidget(self._twin(twin))
        self._left.addStretch(1)
        self._right.addStretch(1)

    def _twin(self, twin: Twin) -> QWidget:
        made = QToolButton()
        made.setText(twin.text)
        made.setToolTip("Look at the second one")
        made.clicked.connect(lambda: self.demo_picked.emit(twin.b))
        set_state(made, role="tiny")
        return made


class ChartView(QWidget):
    """Bars with names; a click gives the bar's query."""

    picked = Signal(str)

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self._bars: Sequence[Bar] = chart.bars
        self.setFixedHeight(int(len(self._bars) * _BAR) + 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(chart.title)
        self.setAccessibleDescription(", ".join(f"{bar.name} {bar.count}" for bar in chart.bars))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        most = max((bar.count for bar in self._bars), default=1) or 1
        room = max(self.width() - _NAME - _COUNT, 20.0)
        painter.setFont(font(13))
        for i, bar in enumerate(self._bars):
            line = QRectF(0, i * _BAR, self.width(), _BAR)
            painter.setPen(color("text"))
            name = QRectF(0, line.top(), _NAME - 8, _BAR)
            painter.drawText(name, int(Qt.AlignmentFlag.AlignVCenter), elided(bar.name, name.width(), 13))
            length = room * bar.count / most
            painter.fillRect(QRectF(_NAME, line.top() + 4, max(length, 1.0), _BAR - 8), color("accent", 0.75))
            painter.setPen(color("muted"))
            count = QRectF(_NAME + length + 6, line.top(), _COUNT, _BAR)
            painter.drawText(count, int(Qt.AlignmentFlag.AlignVCenter), f"{bar.count:,}".replace(",", " "))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        bar = self._at(event.position())
        hand = bar is not None and bar.query
        self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        bar = self._at(event.position())
        if bar is not None and bar.query:
            self.picked.emit(bar.query)

    def _at(self, point: QPointF) -> Bar | None:
        row = int(point.y() // _BAR)
        return self._bars[row] if 0 <= row < len(self._bars) else None


class ScatterView(QWidget):
    """Points in the plane of the table, x right and y up, metres, the same scale both ways."""

    def __init__(self, scatter: Scatter) -> None:
        super().__init__()
        self._scatter = scatter
        self.setFixedHeight(220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Where {len(scatter.points)} demos begin")

    def sizeHint(self) -> QSize:
        return QSize(320, 220)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), color("well"))
        low, high, placed = self._placed()
        painter.setFont(font(12))
        painter.setPen(color("muted"))
        area = self._area()
        flags = Qt.AlignmentFlag
        below = QRectF(area.left(), area.bottom() + 2, area.width(), _MARGIN - 6)
        painter.drawText(below, int(flags.AlignLeft | flags.AlignTop), f"x {low[0]:.2f} m")
        painter.drawText(below, int(flags.AlignRight | flags.AlignTop), f"{high[0]:.2f} m")
        above = QRectF(4, 2, 120, _MARGIN - 6)
        painter.drawText(above, int(flags.AlignLeft | flags.AlignVCenter), f"y {low[1]:.2f} to {high[1]:.2f} m")
        painter.setPen(Qt.PenStyle.NoPen)
        for (x, y), ink in zip(placed, self._scatter.colors, strict=True):
            dot = QColor(ink)
            dot.setAlphaF(0.75)
            painter.setBrush(dot)
            painter.drawEllipse(QPointF(x, y), _DOT, _DOT)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            placed = self._placed()[2]
            at = np.array([event.pos().x(), event.pos().y()], float)
            near = np.linalg.norm(placed - at, axis=1)
            best = int(near.argmin())
            QToolTip.showText(event.globalPos(), self._scatter.names[best] if near[best] < 8 else "", self)
            return True
        return super().event(event)

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(12, _MARGIN - 8, -12, -_MARGIN + 8)

    def _placed(self) -> tuple[Array, Array, Array]:
        """Return the corners of what is shown [m] and where each point lies in the widget."""
        points, area = self._scatter.points, self._area()
        low, high = points.min(axis=0), points.max(axis=0)
        wide = np.maximum(high - low, 0.02)
        scale = min(area.width() / wide[0], area.height() / wide[1])
        middle = np.array([area.center().x(), area.center().y()])
        return low, high, middle + (points - (low + high) / 2) * [scale, -scale]


def main() -> None:
    """Show made-up statistics."""

    def make() -> QWidget:
        view = StatisticsView()
        points = np.random.default_rng(0).normal(0, 0.1, (60, 2))
        bars = [Bar("rotation", 40, "task:rotation"), Bar("push-shape", 20, "task:push-shape")]
        scatter = Scatter(points, ["#58a6ff"] * 60, [str(k) for k in range(60)])
        view.show_statistics(Statistics(["60 demos, 4.1 min"], [Chart("TASKS", bars)], scatter))
        view.query_picked.connect(print)
        return view

    demo(make)


if __name__ == "__main__":
    main()

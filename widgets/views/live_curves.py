"""Planned against measured while the arms move: joint error and tip speed of each arm."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from hardware.geometry import Array
from widgets.theme import COLORS, color, font
from widgets.views.history_ring import HistoryRing, decimate
from widgets.views.paint import draw_empty, text_size
from widgets.views.types import ArmHistory, HistorySource

TURN_MS = 100  # one arm's plots a turn
SHOWN = 20.0  # [s] of history on the plots
POINTS = 600  # drawn of each curve
NEAR = 0.8  # of a limit: amber from here, red above it

__all__ = ["HistoryRing", "LiveCurves"]


class LiveCurves(QWidget):
    """Two plots an arm, pulled from a source by a timer while visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: HistorySource | None = None
        self._empty = "Nothing has moved yet"
        self._arms: dict[str, ArmCurves] = {}
        self._shown: tuple[tuple[str, ...], float, dict[str, float]] = ((), 0.0, {})
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 6, 8, 6)
        self._column.setSpacing(8)
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._next)
        self._turn = 0
        self.setMinimumSize(320, 120)
        self.setAccessibleName("Planned against measured")

    def set_source(self, source: HistorySource | None) -> None:
        """Pull samples from here; None freezes the curves."""
        self._source = source

    def show_arms(self, arms: Sequence[str], error_limit: float, speed_limit: Mapping[str, float]) -> None:
        """Lay out the plots: following error limit [rad], tip speed limit by arm [m/s]."""
        self._shown = (tuple(arms), error_limit, dict(speed_limit))
        if tuple(self._arms) != tuple(arms):
            self._lay_out(arms)
        for arm, row in self._arms.items():
            row.begin(error_limit, speed_limit.get(arm, 0.0))

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there are no arms."""
        self._empty = text
        self.show_arms((), 0.0, {})

    def sizeHint(self) -> QSize:
        return QSize(900, 320)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._arms:
            self._lay_out(tuple(self._arms))  # pens keep the colours that they were made with
            self.show_arms(*self._shown)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._arms:
            draw_empty(QPainter(self), QRectF(self.rect()), self._empty)

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()
        for arm in self._arms:
            self._pull(arm)

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    @Slot()
    def _next(self) -> None:
        """One arm a turn: plots are the dearest to paint, and a key that stops the arms waits for no painting."""
        if self._arms:
            self._turn = (self._turn + 1) % len(self._arms)
            self._pull(list(self._arms)[self._turn])

    def _lay_out(self, arms: Sequence[str]) -> None:
        """Make the plots. Seldom: pyqtgraph keeps some megabytes of a plot that was taken away."""
        for row in self._arms.values():
            self._column.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        self._arms = {arm: ArmCurves(arm, self) for arm in arms}
        for row in self._arms.values():
            self._column.addWidget(row)
        self.update()

    def _pull(self, arm: str) -> None:
        history = self._source.history(arm) if self._source is not None else None
        if history is not None and len(history.t):
            self._arms[arm].show_history(history)


class ArmCurves(QWidget):
    """One arm's two plots, with what they say now in their headings."""

    def __init__(self, arm: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limits = (0.0, 0.0)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        self._headings = [Heading(), Heading()]
        self._names = (f"{arm} · joint error", f"{arm} · tip speed")
        self._units = ("rad", "m/s")
        self._plots = [_plot(), _plot()]
        self._lines = [_limit_line(plot) for plot in self._plots]
        # the plan lies over what was measured, dashed: both are seen where they agree
        self._error = self._plots[0].plot(pen=pg.mkPen(COLORS["text"], width=2))
        self._planned = self._plots[1].plot(pen=pg.mkPen(COLORS["accent"], width=2, style=Qt.PenStyle.DashLine))
        self._measured = self._plots[1].plot(pen=pg.mkPen(COLORS["text"], width=2))
        self._planned.setZValue(1)
        for i in range(2):
            grid.addWidget(self._headings[i], 0, i)
            grid.addWidget(self._plots[i], 1, i)
            grid.setColumnStretch(i, 1)

    def begin(self, error_limit: float, speed_limit: float) -> None:
        """Empty the plots for a run with these limits, 0 for none."""
        self._limits = (error_limit, speed_limit)
        for curve in (self._error, self._planned, self._measured):
            curve.setData([], [])
        for i, limit in enumerate(self._limits):
            self._lines[i].setValue(limit)
            self._lines[i].setVisible(bool(limit))
            self._show_now(i, float("nan"))

    def show_history(self, history: ArmHistory) -> None:
        """Draw the newest stretch."""
        shown = history.t >= history.t[-1] - SHOWN
        t = history.t[shown]
        for curve, values in (
            (self._error, history.error),
            (self._planned, history.planned),
            (self._measured, history.measured),
        ):
            curve.setData(*decimate(t, values[shown], POINTS))
        end = max(float(t[-1]), float(t[0]) + 2.0)
        self._fit(0, t[0], end, history.error[shown])
        self._fit(1, t[0], end, np.concatenate([history.planned[shown], history.measured[shown]]))
        self._show_now(0, float(history.error[-1]))
        self._show_now(1, float(history.measured[-1]), float(history.planned[-1]))

    def _fit(self, i: int, start: float, end: float, values: Array) -> None:
        known = values[np.isfinite(values)]
        top = max(float(known.max()) if len(known) else 0.0, self._limits[i]) * 1.15 or 1.0
        self._plots[i].setRange(xRange=(start, end), yRange=(0.0, top), padding=0.0)

    def _show_now(self, i: int, value: float, planned: float = float("nan")) -> None:
        limit, unit = self._limits[i], self._units[i]
        level = "text" if not limit or value < NEAR * limit else "warning" if value <= limit else "alarm"
        words = [
            (self._names[i], "muted", False),
            (f"{value:.3f}" if np.isfinite(value) else "–", level if np.isfinite(value) else "muted", True),
            (f"plan {planned:.3f}" if np.isfinite(planned) else "", "accent", False),
            (f"of {limit:.3g} {unit}" if limit else unit, "muted", False),
        ]
        self._headings[i].show_words([word for word in words if word[0]])


class Heading(QWidget):
    """Words (text, colour, bold) in a line, as many of them as fit; the whole line is the tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words: list[tuple[str, str, bool]] = []
        self.setFixedHeight(20)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_words(self, words: list[tuple[str, str, bool]]) -> None:
        """Say this, the most important words first."""
        if words != self.words:
            self.words = words
            self.setToolTip("  ".join(text for text, _, _ in words))
            self.update()

    def fitting(self) -> list[tuple[float, str, str, bool]]:
        """Return the words that fit, each with its x [px]."""
        x, placed = 2.0, []
        for text, ink, bold in self.words:
            width = text_size(text, 13, bold)[0]
            if x + width > self.width():
                break
            placed.append((x, text, ink, bold))
            x += width + 9
        return placed

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for x, text, ink, bold in self.fitting():
            painter.setFont(font(13, bold))
            painter.setPen(color(ink))
            painter.drawText(QRectF(x, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, text)


class SecondsAxis(pg.AxisItem):  # type: ignore[misc]
    """A time axis whose ticks carry their unit."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [f"{value:g} s" for value in values]


def _limit_line(plot: pg.PlotWidget) -> pg.InfiniteLine:
    line = pg.InfiniteLine(0.0, angle=0, pen=pg.mkPen(COLORS["alarm"], style=Qt.PenStyle.DashLine))
    plot.addItem(line)
    return line


def _plot() -> pg.PlotWidget:
    plot = pg.PlotWidget(background=COLORS["well"], axisItems={"bottom": SecondsAxis("bottom")}, enableMenu=False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.setMinimumSize(90, 64)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setAntialiasing(True)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setStyle(tickFont=font(11), tickLength=-4)
        axis.setPen(COLORS["border"])
        axis.setTextPen(COLORS["muted"])
    plot.getAxis("left").setWidth(44)
    plot.showGrid(x=True, y=True, alpha=0.12)
    return plot


def main() -> None:
    """Show two made-up arms that follow their plan."""
    from PySide6.QtWidgets import QApplication

    from widgets.theme import apply_theme
    from widgets.views import made_up

    app = QApplication([])
    apply_theme(app)
    curves = LiveCurves()
    curves.set_source(made_up.LiveArms())
    curves.show_arms(made_up.ROLES, 0.15, dict.fromkeys(made_up.ROLES, 0.25))
    curves.show()
    app.exec()


if __name__ == "__main__":
    main()

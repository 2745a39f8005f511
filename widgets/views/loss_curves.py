"""The values of training runs over their steps: raw and smoothed, linear or logarithmic, several runs together."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, QSignalBlocker, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QSlider, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from hardware.geometry import Array
from widgets.panel import label, row
from widgets.theme import COLORS, font, set_state
from widgets.train_values import RunCurves
from widgets.views.history_ring import decimate
from widgets.views.live_curves import Heading
from widgets.views.paint import draw_empty

POINTS = 1500  # drawn of each curve
INKS = ("tool_right", "tool_left", "tool_3", "tool_4", "axis_z", "text")
"""The runs' colours: the accent speaks of selection, green, amber and red of state."""
MOST = 0.99
DECADES = 1.3  # up to here powers of ten are too few ticks
_LOSSES = ("loss", "video/loss", "vae/loss")  # the newest stage of a training comes first


def smoothed(values: Array, weight: float) -> Array:
    """Return the exponential moving average of (N,) values, started without a bias; nan is passed over.

    weight: of what came before, 0..1. After Kingma and Ba (2015), section 3.
    """
    made, mean, total = np.full(len(values), np.nan), 0.0, 0.0
    for i, value in enumerate(values.tolist()):
        if value == value:
            mean, total = weight * mean + (1 - weight) * value, weight * total + (1 - weight)
        if total:
            made[i] = mean / total
    return made


def thinned(steps: Array, values: Array, points: int) -> tuple[Array, Array]:
    """Return about `points` means of stretches of (N,) values, nan where a stretch has none."""
    stride = -(-len(steps) // points)
    if stride < 2:
        return steps, values
    starts = np.arange(0, len(steps), stride)
    known = np.isfinite(values)
    count = np.add.reduceat(known, starts, dtype=float)
    total = np.add.reduceat(np.where(known, values, 0.0), starts)
    ends = np.minimum(starts + stride, len(steps)) - 1
    return steps[ends], np.divide(total, count, out=np.full(len(starts), np.nan), where=count > 0)


def losses_first(name: str) -> tuple[int, bool, str]:
    """Sort the names of values: what a person looks at first."""
    known = _LOSSES.index(name) if name in _LOSSES else len(_LOSSES)
    return known, not name.endswith("loss"), name


class StepsAxis(pg.AxisItem):  # type: ignore[misc]
    """Ticks as a person reads steps: 500, 2k, 1.5M."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [_short(value) for value in values]


class ValuesAxis(pg.AxisItem):  # type: ignore[misc]
    """Ticks of values; a logarithmic axis of about a decade has those of a linear one, not one or none."""

    def tickValues(self, least: float, most: float, size: float) -> list[tuple[float, Sequence[float]]]:
        if not self.logMode or most - least > DECADES:
            return list(super().tickValues(least, most, size))
        low, high = 10.0**least, 10.0**most
        spacing = float(self.tickSpacing(low, high, size)[0][0])
        ticks = np.arange(np.ceil(low / spacing), np.floor(high / spacing) + 1) * spacing
        return [(spacing, np.log10(ticks[ticks > 0]).tolist())]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [f"{10.0**value if self.logMode else value:.3g}" for value in values]


def _short(value: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


class LossCurves(QWidget):
    """`show_runs(runs)`: what is chosen, the first one in front. Its own: which value, the axis, how smooth."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[RunCurves, ...] = ()
        self._wanted, self._picked, self._axis_is_log = "", "", False
        self._pairs: list[tuple[pg.PlotDataItem, pg.PlotDataItem]] = []
        self._heading = Heading()
        self._value, self._log = QComboBox(), QToolButton()
        self._value.setAccessibleName("Value")
        self._value.setToolTip("Which value is drawn")
        self._value.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._value.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._log.setText("Log")
        self._log.setCheckable(True)
        self._log.setChecked(True)
        self._log.setToolTip("Logarithmic axis")
        self._fit = QToolButton()
        self._fit.setText("Fit")
        self._fit.setToolTip("Show all of it again; the wheel zooms, a drag moves")
        for knob in (self._log, self._fit):
            set_state(knob, role="tiny")
            knob.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._smooth = QSlider(Qt.Orientation.Horizontal)
        self._smooth.setRange(0, 99)
        self._smooth.setValue(90)
        self._smooth.setFixedWidth(110)
        self._smooth.setAccessibleName("Smoothing")
        self._smooth.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._plot = self._make_plot()
        self._here = pg.InfiniteLine(angle=90, pen=pg.mkPen(COLORS["muted"], width=1))
        self._here.hide()
        self._plot.addItem(self._here, ignoreBounds=True)
        self._lay_out()
        self._value.activated.connect(self._pick)
        self._log.toggled.connect(self._draw)
        self._smooth.valueChanged.connect(self._draw)
        self._fit.clicked.connect(self.fit)
        self._plot.scene().sigMouseMoved.connect(self._point_at)
        self.show_empty("")

    @property
    def value(self) -> str:
        """The name of the value that is drawn."""
        return self._wanted

    @property
    def logarithmic(self) -> bool:
        return self._log.isChecked()

    @property
    def weight(self) -> float:
        """How smooth, 0..0.99."""
        return self._smooth.value() / 100

    def show_runs(self, runs: Sequence[RunCurves]) -> None:
        """Draw these; their arrays are not written to again."""
        self._runs = tuple(runs)
        names = list(dict.fromkeys(name for run in runs for name in run.series))
        names.sort(key=losses_first)
        if names != [self._value.itemText(i) for i in range(self._value.count())]:
            with QSignalBlocker(self._value):
                self._value.clear()
                self._value.addItems(names)
        self._wanted = self._picked if self._picked in names else next(iter(names), "")
        with QSignalBlocker(self._value):
            self._value.setCurrentIndex(max(0, self._value.findText(self._wanted)))
        if not names:
            self.show_empty("Nothing has been written yet" if runs else "Choose a training to see how it goes")
            return
        self._stack.setCurrentIndex(1)
        self._draw()

    def show_empty(self, text: str) -> None:
        self._nothing.show_text(text)
        self._stack.setCurrentIndex(0)
        self._heading.show_words([])

    def show_value(self, name: str) -> None:
        """Draw this value."""
        self._picked = name
        self.show_runs(self._runs)

    def turn_log(self) -> None:
        """Logarithmic or linear."""
        self._log.toggle()

    def smooth(self, notches: int) -> None:
        """Smoother or less so."""
        self._smooth.setValue(self._smooth.value() + 5 * notches)

    @Slot()
    def fit(self) -> None:
        """Show everything again."""
        self._plot.enableAutoRange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_stack"):
            self._dress()
            self._draw()

    # inside ----------------------------------------------------------------------------------------------------
    @Slot(int)
    def _pick(self, index: int) -> None:
        self.show_value(self._value.itemText(index))
        self.fit()

    @Slot()
    def _draw(self) -> None:
        log = self.logarithmic
        if self._axis_is_log != log:
            self._axis_is_log = log
            self._plot.setLogMode(y=log)
        while len(self._pairs) < len(self._runs):
            self._pairs.append((self._plot.plot(), self._plot.plot()))
        for i, (raw, smooth) in enumerate(self._pairs):  # kept and emptied: pyqtgraph keeps what is taken away
            steps, values = self._runs[i].series.get(self._wanted, _NONE) if i < len(self._runs) else _NONE
            if log:
                values = np.where(values > 0, values, np.nan)
            ink, weight = pg.mkColor(COLORS[INKS[i % len(INKS)]]), self.weight
            few = len(steps) < 40
            strong = pg.mkPen(ink, width=2)
            faint = pg.mkColor(ink)
            faint.setAlphaF(0.28 if weight else 0.0)
            raw.setPen(pg.mkPen(faint, width=1))
            raw.setData(*decimate(steps, values, POINTS), connect="finite")
            thin_steps, means = thinned(steps, values, POINTS)
            smooth.setPen(strong)
            smooth.setSymbol("o" if few else None)
            smooth.setSymbolSize(4)
            smooth.setSymbolPen(None)
            smooth.setSymbolBrush(ink)
            smooth.setZValue(2 - i / 10)
            smooth.setData(thin_steps, smoothed(means, weight) if weight else means, connect="finite")
        self._say(None)

    def _say(self, step: float | None) -> None:
        """Name the runs and what they say at a step, None: at their last one."""
        words: list[tuple[str, str, bool]] = []
        for i, run in enumerate(self._runs):
            steps, values = run.series.get(self._wanted, _NONE)
            if not len(steps):
                continue
            at = len(steps) - 1 if step is None else min(int(np.searchsorted(steps, step)), len(steps) - 1)
            ink = INKS[i % len(INKS)]
            words.append((f"— {run.name}", ink, False))
            words.append((f"{values[at]:.4g}" if np.isfinite(values[at]) else "–", ink, True))
            words.append((f"at {_short(steps[at])}", "muted", False))
        self._heading.show_words(words)

    @Slot(object)
    def _point_at(self, place: object) -> None:
        """Say what the curves say under the mouse."""
        box = self._plot.getPlotItem().vb
        inside = box.sceneBoundingRect().contains(place)
        self._here.setVisible(inside)
        if inside:
            step = float(box.mapSceneToView(place).x())
            self._here.setValue(step)
            self._say(step)
        else:
            self._say(None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._here.hide()
        self._say(None)

    def _make_plot(self) -> pg.PlotWidget:
        plot = pg.PlotWidget(
            axisItems={"bottom": StepsAxis("bottom"), "left": ValuesAxis("left")}, enableMenu=False
        )
        plot.setMouseEnabled(x=True, y=False)
        plot.hideButtons()
        plot.setMinimumSize(200, 110)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setAntialiasing(True)
        plot.getPlotItem().vb.setAutoVisible(y=True)
        plot.getAxis("left").setWidth(52)
        plot.showGrid(x=True, y=True, alpha=0.12)
        return plot

    def _dress(self) -> None:
        self._plot.setBackground(COLORS["well"])
        self._here.setPen(pg.mkPen(COLORS["muted"], width=1))
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setStyle(tickFont=font(11), tickLength=-4)
            axis.setPen(COLORS["border"])
            axis.setTextPen(COLORS["muted"])

    def _lay_out(self) -> None:
        self._dress()
        self._nothing = Nothing()
        inner = QWidget()
        self._stack = QStackedLayout(inner)
        self._stack.addWidget(self._nothing)
        self._stack.addWidget(self._plot)
        knobs = row(self._value, self._log, label("Smooth", "muted"), self._smooth, self._fit, spacing=6)
        knobs.insertStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 8)
        column.setSpacing(4)
        column.addLayout(knobs)
        column.addWidget(self._heading)
        column.addWidget(inner, 1)


class Nothing(QWidget):
    """What to do next, in the middle of an empty view."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.setMinimumSize(120, 80)

    def show_text(self, text: str) -> None:
        self._text = text
        self.setAccessibleName(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        draw_empty(QPainter(self), QRectF(self.rect()), self._text)


_NONE = (np.zeros(0), np.zeros(0))


def main() -> None:
    """Show two made-up runs."""
    from widgets.demo import demo

    def make() -> QWidget:
        curves, steps = LossCurves(), np.arange(20_000.0)
        rng = np.random.default_rng(1)
        curves.show_runs(
            [
                RunCurves(
                    name, name, {"loss": (steps, 0.4 * np.exp(-steps / k) + 0.05 * rng.random(20_000) + 0.02)}
                )
                for name, k in (("first", 3000.0), ("second", 6000.0))
            ]
        )
        curves.resize(900, 400)
        return curves

    demo(make)


if __name__ == "__main__":
    main()

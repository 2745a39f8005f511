"""Several trackers on one dream, side by side: a table, how far they differ over the clip, whose track to use."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from hardware.geometry import Array
from widgets.busy_strip import BusyStrip
from widgets.demo import demo
from widgets.panel import button, label, row
from widgets.theme import COLORS, font, level_color
from widgets.values import BusyState
from widgets.views.live_curves import Heading

_NAME = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class TrackerOffer:
    """A tracker that can be compared; chosen at first; note: what it is."""

    name: str
    title: str
    note: str = ""
    chosen: bool = True


@dataclass(frozen=True)
class ComparedRow:
    """One tool as one tracker has it: what stands in each column of `TrackComparison.columns`.

    level by column (ok, warning, alarm, "" for none); tip: more of it; problem: why there is no track, and
    what to do.
    """

    tracker: str
    cells: tuple[str, ...]
    level: tuple[str, ...] = ()
    in_use: bool = False
    tip: str = ""
    problem: str = ""


@dataclass(frozen=True, eq=False)
class ComparedCurve:
    """Values (T,) over the frames, nan where unknown; color: a name of the theme; dashed tells trackers apart."""

    name: str
    color: str
    values: Array
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class ComparedPlot:
    """What one plot shows: title with its unit, and its curves."""

    title: str
    curves: tuple[ComparedCurve, ...]


class TrackComparison(QWidget):
    """Emits what a person wants: compare_wanted(names), use_wanted(name), cancel_wanted, close_wanted."""

    compare_wanted = Signal(list)
    use_wanted = Signal(str)
    cancel_wanted = Signal()
    close_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: dict[str, QPushButton] = {}
        self._offered = row(spacing=6)
        self._go = button("Compare", "primary", "Track with each chosen tracker; the dream's own track stays")
        self._use = button("Use this track", "", "Let the chosen tracker's track count. Undo brings the other back")
        self._close = button("Close")
        self.busy = BusyStrip()
        self.table = QTreeWidget()
        self._words = label(role="muted", wrap=True)
        self._problem = QPlainTextEdit(readOnly=True)
        self._problem.setAccessibleName("Why there is no track")
        self._right = QStackedWidget()
        self._plots: list[_FramePlot] = []
        self._prepare_table()
        self._lay_out()
        self._go.clicked.connect(self._want_compare)
        self._use.clicked.connect(self._want_use)
        self._close.clicked.connect(self.close_wanted)
        self.busy.cancel_wanted.connect(self.cancel_wanted)
        self.table.currentItemChanged.connect(self._picked)
        self.show_rows((), ())

    @property
    def chosen(self) -> list[str]:
        """The trackers to compare, in the order offered."""
        return [name for name, box in self._boxes.items() if box.isChecked()]

    # shown -----------------------------------------------------------------------------------------------------
    def show_trackers(self, offers: Sequence[TrackerOffer]) -> None:
        """Offer these trackers, once."""
        for offer in offers:
            box = button(offer.title, "", offer.note, checkable=True)
            box.setChecked(offer.chosen)
            box.toggled.connect(self._refresh)
            self._boxes[offer.name] = box
            self._offered.addWidget(box)
        self._refresh()

    def show_rows(self, columns: Sequence[str], rows: Sequence[ComparedRow], note: str = "") -> None:
        """Show the table; the choice stays where its tracker stays. note: a line under it."""
        chosen = self._chosen_tracker()
        self._note = note or "Choose trackers and compare them. The dream's own track stays as it is."
        self.table.blockSignals(True)
        self.table.clear()
        self.table.setHeaderLabels(list(columns) or [""])
        self.table.setHeaderHidden(not columns)
        for widget in (self.table, self._right):
            widget.setVisible(bool(rows))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self._words.setAlignment(left if rows else Qt.AlignmentFlag.AlignCenter)
        for each in rows:
            self.table.addTopLevelItem(_item(each, len(columns)))
        self.table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        names = [each.tracker for each in rows]
        if item := self.table.topLevelItem(names.index(chosen) if chosen in names else 0):
            self.table.setCurrentItem(item)
        self.table.blockSignals(False)
        self._picked()

    def show_plots(self, plots: Sequence[ComparedPlot]) -> None:
        """Show up to two plots."""
        empty = ComparedPlot("", ())
        for plot, shown in zip(self._plots, [*plots, empty, empty], strict=False):
            plot.show_curves(shown)

    def show_frame(self, frame: float) -> None:
        """Mark where the page is."""
        for plot in self._plots:
            plot.show_frame(frame)

    def show_busy(self, busy: BusyState | None) -> None:
        self.busy.show_busy(busy)
        self._refresh()

    # wished ----------------------------------------------------------------------------------------------------
    @Slot()
    def _want_compare(self) -> None:
        self.compare_wanted.emit(self.chosen)

    @Slot()
    def _want_use(self) -> None:
        if tracker := self._chosen_tracker():
            self.use_wanted.emit(tracker)

    @Slot()
    def _picked(self) -> None:
        item = self.table.currentItem()
        problem = str(item.data(1, _NAME)) if item else ""
        self._words.setText(self._note)
        self._problem.setPlainText(problem)
        self._right.setCurrentIndex(1 if problem else 0)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        item = self.table.currentItem()
        idle = self.busy.isHidden()
        self._go.setEnabled(idle and len(self.chosen) >= 2)
        self._use.setEnabled(idle and item is not None and not item.data(1, _NAME) and not item.data(2, _NAME))

    def _chosen_tracker(self) -> str:
        item = self.table.currentItem()
        return str(item.data(0, _NAME)) if item else ""

    # layout ----------------------------------------------------------------------------------------------------
    def _prepare_table(self) -> None:
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setAllColumnsShowFocus(True)
        self.table.setMinimumHeight(96)
        self.table.setAccessibleName("Trackers compared")
        self.table.header().setStretchLastSection(False)

    def _lay_out(self) -> None:
        head = row(label("Trackers", "muted"), spacing=14)
        head.addLayout(self._offered)
        head.addWidget(self._go)
        head.addStretch(1)
        head.addWidget(self._use)
        head.addWidget(self._close)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addWidget(self.table, 1)
        left.addWidget(self._words)
        curves = QWidget()
        right = QVBoxLayout(curves)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(2)
        self._plots = [_FramePlot(), _FramePlot()]
        for plot in self._plots:
            right.addWidget(plot, 1)
        self._right.addWidget(curves)
        self._right.addWidget(self._problem)
        body = row(spacing=12)
        body.addLayout(left, 7)
        body.addWidget(self._right, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 2, 4, 8)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.busy)
        column.addLayout(body, 1)


class _FramePlot(QWidget):
    """Curves over the frames under a heading that names them; drawn only for what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._heading = Heading()
        self._plot = pg.PlotWidget(background=COLORS["well"])
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideButtons()
        self._plot.setMinimumSize(120, 56)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.showGrid(x=True, y=True, alpha=0.12)
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setStyle(tickFont=font(11), tickLength=-4)
            axis.setPen(COLORS["border"])
            axis.setTextPen(COLORS["muted"])
        self._plot.getAxis("left").setWidth(36)
        self._here = pg.InfiniteLine(0, angle=90, pen=pg.mkPen(COLORS["accent"], width=1))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._heading)
        column.addWidget(self._plot, 1)

    def show_curves(self, shown: ComparedPlot) -> None:
        self.setVisible(bool(shown.curves))
        self._plot.clear()
        self._plot.addItem(self._here)
        words = [(shown.title, "muted", False)]
        top, last = 0.0, 1
        for curve in shown.curves:
            style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
            pen = pg.mkPen(COLORS[curve.color], width=2, style=style)
            frames = np.arange(len(curve.values), dtype=float)
            self._plot.plot(frames, curve.values, pen=pen, symbol="o", symbolSize=4, symbolPen=None,
                            symbolBrush=COLORS[curve.color], connect="finite")  # fmt: skip
            known = curve.values[np.isfinite(curve.values)]
            top, last = max(top, float(known.max()) if len(known) else 0.0), max(last, len(curve.values) - 1)
            words.append((f"{'╌' if curve.dashed else '—'} {curve.name}", curve.color, True))
        self._heading.show_words(words)
        self._plot.setRange(xRange=(0, last + 0.3), yRange=(0.0, top * 1.15 or 1.0), padding=0.0)

    def show_frame(self, frame: float) -> None:
        self._here.setValue(frame)


def _item(shown: ComparedRow, columns: int) -> QTreeWidgetItem:
    cells = [*shown.cells, *[""] * columns][:columns]
    item = QTreeWidgetItem(cells)
    item.setData(0, _NAME, shown.tracker)
    item.setData(1, _NAME, shown.problem)
    item.setData(2, _NAME, "yes" if shown.in_use else "")
    for i, level in enumerate(shown.level):
        if level:
            item.setForeground(i, QColor(level_color(level)))
    for i in range(columns):
        item.setToolTip(i, shown.problem or shown.tip)
    return item


def main() -> None:
    """Show two made-up trackers."""

    def make() -> QWidget:
        panel = TrackComparison()
        panel.show_trackers([TrackerOffer("a", "Stereo"), TrackerOffer("b", "Fusion")])
        panel.show_rows(("Tracker", "Tool", "Found"), [ComparedRow("a", ("Stereo", "left", "12 of 13"))])
        curve = ComparedCurve("left", "tool_left", np.abs(np.sin(np.arange(13.0))))
        panel.show_plots([ComparedPlot("mm from Stereo", (curve,))])
        return panel

    demo(make)


if __name__ == "__main__":
    main()

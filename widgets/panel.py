"""A titled pane, and the small labels that panes are made of."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from widgets.theme import set_state


def label(text: str = "", role: str = "", state: str = "", wrap: bool = False) -> QLabel:
    """Return a plain-text label dressed by the theme."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role or state:
        set_state(made, role=role, state=state)
    return made


def button(text: str, role: str = "", tip: str = "", checkable: bool = False) -> QPushButton:
    """Return a button dressed by the theme."""
    made = QPushButton(text)
    made.setCheckable(checkable)
    made.setToolTip(tip)
    if role:
        set_state(made, role=role)
    return made


def follow_tip(widget: QWidget, action: QAction) -> None:
    """Give a widget its action's tooltip, also after a person gave the action other keys."""
    widget.setToolTip(action.toolTip())
    action.changed.connect(lambda: widget.setToolTip(action.toolTip()))


def row(*items: QWidget | int, spacing: int = 8) -> QHBoxLayout:
    """Return a horizontal layout without margins; a number is a stretch."""
    made = QHBoxLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(spacing)
    for item in items:
        if isinstance(item, int):
            made.addStretch(item)
        else:
            made.addWidget(item)
    return made


def paragraph(text: str, width: int, role: str = "") -> QLabel:
    """Return wrapped text of a fixed width [px] that shows every line wherever it is aligned."""
    made = label(text, role, wrap=True)
    made.setFixedWidth(width)
    made.ensurePolished()
    made.setFixedHeight(made.heightForWidth(width))
    return made


def scrolled(inner: QWidget) -> QScrollArea:
    """Return a frame that scrolls its content up and down, never sideways."""
    scroll = QScrollArea(widgetResizable=True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inner)
    return scroll


def show_done(bar: QProgressBar, part: float) -> None:
    """Show how much is done, 0 to 1. The bar's own setValue would paint the whole window at once, unasked."""
    bar.setUpdatesEnabled(False)
    bar.setRange(0, 1000)
    bar.setValue(int(1000 * min(max(part, 0.0), 1.0)))
    bar.setUpdatesEnabled(True)


def clear(layout: QLayout) -> None:
    """Take every widget out of a layout, at once for the eye, later for the memory."""
    while item := layout.takeAt(0):
        if old := item.widget():
            old.hide()
            old.deleteLater()


class ElidedLabel(QLabel):
    """A label that takes what room there is and ends in an ellipsis; the whole text is its tooltip."""

    def __init__(self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__(text)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = QFontMetrics(self.font())
        text = metrics.elidedText(self.text(), self._mode, self.width())
        self.setToolTip(self.text() if text != self.text() else "")
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


class Panel(QFrame):
    """A pane with a heading; `body` takes its content, `corner` what stands at the right of the heading."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_state(self, role="pane")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 10, 12, 12)
        outer.setSpacing(8)
        self.heading = label(title, "heading")
        self.corner = row()
        if title:
            head = row(self.heading, 1)
            head.addLayout(self.corner)
            outer.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(6)
        outer.addLayout(self.body, 1)

"""Several dreams of one scene beside each other, the best first: a picture, three figures, and why it is there."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QHelpEvent, QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QToolButton, QToolTip, QWidget

from hardware.types import Image
from widgets.demo import demo
from widgets.dream_values import CandidateCard, Figure
from widgets.panel import button
from widgets.theme import color, font, level_color
from widgets.views.paint import badge_rect, draw_badge, elided, same_picture, to_qimage

WIDTH, HEIGHT, GAP = 250, 132, 8
PICTURE = QRect(8, 8, 102, 68)
WORDS = QRect(PICTURE.right() + 10, 31, WIDTH - PICTURE.right() - 16, 44)  # three lines
FIGURES = QRect(8, 82, WIDTH - 16, 42)
COLUMNS = (0, 88, 150, FIGURES.width() + 8)  # where figures begin, and end


class _Card(QToolButton):
    """One candidate; checked: it is the dream on the page."""

    keep_wanted = Signal(bool)

    def __init__(self, card: CandidateCard) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(WIDTH, HEIGHT)
        self.card = card
        self._image: QImage | None = None
        self._keep = button(
            "Keep", "tag", "Keep this dream for good; the others go with their batch", checkable=True
        )
        self._keep.setParent(self)
        self._keep.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._keep.setGeometry(WIDTH - 66, 5, 58, 24)
        self._keep.clicked.connect(self.keep_wanted)
        self.show_card(card, first=True)

    def show_card(self, card: CandidateCard, first: bool = False) -> None:
        before, self.card = self.card, card
        if first or not same_picture(before.picture, card.picture):
            self._image = None if card.picture is None else to_qimage(card.picture)
        self.setChecked(card.opened)
        self.setEnabled(card.dreamt)
        self._keep.setVisible(card.dreamt)
        self._keep.setChecked(card.kept)
        self._keep.setText("Kept" if card.kept else "Keep")
        place = f"place {card.place}, " if card.place else ""
        self.setAccessibleName(f"Candidate of seed {card.seed}, {place}{card.state}")
        told = [f"{figure.name} {figure.text}" for figure in card.figures]
        self.setAccessibleDescription(". ".join(filter(None, [*told, card.reason])))
        self.update()

    def tip_at(self, at: QPoint) -> str:
        """Return what is explained at a point of the card."""
        for figure, area in zip(self.card.figures, _columns(), strict=False):
            if area.contains(at):
                return figure.tip
        return f"{self.card.reason}\nClick or Enter opens it" if self.card.dreamt else self.card.reason

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos()), self)
            return True
        return super().event(event)

    def nextCheckState(self) -> None:
        """What is open is said by the page, not by a click."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter, card = QPainter(self), self.card
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_picture(painter)
        painter.setFont(font(13, bold=True))
        painter.setPen(color("text"))
        painter.drawText(WORDS.left(), 8, 64, 20, Qt.AlignmentFlag.AlignVCenter, f"seed {card.seed}")
        painter.setFont(font(12))
        painter.setPen(color("muted") if card.mood in ("ok", "idle") else level_color(card.mood))
        words = WORDS if card.figures else WORDS.adjusted(0, 0, 0, FIGURES.height() + 4)
        wrapped = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        # breaking between words takes about an eighth of the room
        room = 0.85 * words.width() * (words.height() // painter.fontMetrics().height())
        painter.drawText(words, wrapped, elided(card.reason or card.state, room, 12))
        for figure, area in zip(card.figures, _columns(), strict=False):
            self._paint_figure(painter, area, figure)

    def _paint_picture(self, painter: QPainter) -> None:
        card = self.card
        painter.fillRect(PICTURE, color("well"))
        if self._image is not None:
            size = self._image.size().scaled(PICTURE.size(), Qt.AspectRatioMode.KeepAspectRatio)
            where = QRect(QPoint(), size)
            where.moveCenter(PICTURE.center())
            painter.drawImage(where, self._image)
        if card.share is not None:
            bar = QRectF(PICTURE.left(), PICTURE.bottom() - 3, PICTURE.width() * card.share, 4)
            painter.fillRect(bar, color("accent"))
        text = f"{card.place}" if card.place else card.state
        at = QPointF(PICTURE.left() + 4, PICTURE.top() + 4)
        draw_badge(painter, badge_rect(text, at, 12, bold=True), text, pixels=12, bold=True)

    def _paint_figure(self, painter: QPainter, area: QRect, figure: Figure) -> None:
        painter.setFont(font(12))
        painter.setPen(color("muted"))
        painter.drawText(area, Qt.AlignmentFlag.AlignTop, figure.name)
        painter.setPen(color("text"))
        text = elided(figure.text, area.width(), 12)
        painter.drawText(area.adjusted(0, 17, 0, 0), Qt.AlignmentFlag.AlignTop, text)
        bar = QRectF(area.left(), area.bottom() - 3, area.width(), 4)
        painter.fillRect(bar, color("well"))
        bar.setWidth(area.width() * min(max(figure.share, 0.0), 1.0))
        painter.fillRect(bar, level_color(figure.mood))


def _columns() -> list[QRect]:
    """Where the figures of a card are."""
    edges = pairwise(FIGURES.left() + edge for edge in COLUMNS)
    return [QRect(left, FIGURES.top(), right - left - 8, FIGURES.height()) for left, right in edges]


class CandidateStrip(QScrollArea):
    """`opened(seed)` and `keep_wanted(seed, kept)` tell what a person asks for. Arrows go along it, Enter opens."""

    opened = Signal(int)
    keep_wanted = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(HEIGHT + 12)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Candidates")
        self._cards: dict[int, _Card] = {}
        inner = QWidget()
        self._layout = QHBoxLayout(inner)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP)
        self._layout.addStretch(1)
        self.setWidget(inner)
        self.hide()

    @property
    def seeds(self) -> tuple[int, ...]:
        """From left to right."""
        return tuple(self._cards)

    def show_candidates(self, cards: Sequence[CandidateCard]) -> None:
        """Show these, from left to right; none hides the strip."""
        self.setVisible(bool(cards))
        if list(self._cards) != [card.seed for card in cards]:
            self._arrange(cards)
        for card in cards:
            self._cards[card.seed].show_card(card)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        focused = [seed for seed, card in self._cards.items() if card.hasFocus()]
        if not focused:
            super().keyPressEvent(event)
        elif step:
            seeds = [seed for seed, card in self._cards.items() if card.isEnabled()]
            at = (seeds.index(focused[0]) + step) % len(seeds)
            self._cards[seeds[at]].setFocus()
            self.ensureWidgetVisible(self._cards[seeds[at]])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(focused[0])

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """While a card has the focus, the arrows and Enter are the strip's, whatever actions they are elsewhere."""
        if isinstance(event, QKeyEvent) and isinstance(watched, _Card):
            own = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if event.key() in own and event.modifiers() == Qt.KeyboardModifier.NoModifier:
                if event.type() == QEvent.Type.ShortcutOverride:
                    event.accept()
                    return True
                if event.type() == QEvent.Type.KeyPress:
                    self.keyPressEvent(event)
                    return True
        return False

    def _arrange(self, cards: Sequence[CandidateCard]) -> None:
        gone = set(self._cards) - {card.seed for card in cards}
        for seed in gone:
            old = self._cards.pop(seed)
            self._layout.removeWidget(old)
            old.hide()
            old.deleteLater()
        made = {card.seed: self._cards.get(card.seed) or self._new(card) for card in cards}
        self._cards = made
        for index, widget in enumerate(made.values()):
            self._layout.removeWidget(widget)
            self._layout.insertWidget(index, widget)
            widget.show()

    def _new(self, card: CandidateCard) -> _Card:
        made, seed = _Card(card), card.seed
        made.installEventFilter(self)
        made.clicked.connect(self._open)
        made.keep_wanted.connect(lambda kept: self.keep_wanted.emit(seed, kept))
        return made

    @Slot()
    def _open(self) -> None:
        card = self.sender()
        if isinstance(card, _Card):
            self.opened.emit(card.card.seed)


def made_up_cards() -> list[CandidateCard]:
    """Two that are ranked, one that is being dreamt."""
    picture: Image = np.tile(np.linspace(20, 90, 192).astype(np.uint8)[None, :, None], (128, 1, 3))
    good = (
        Figure("Track", "100% · 0.82", 0.8, "ok", "The share of frames.."),
        Figure("Reach", "100%", 0.95, "ok", "The share of the motion.."),
        Figure("Safe", "all rules kept", 1.0, "ok", "Every rule.."),
    )
    bad = (good[0], good[1], Figure("Safe", "workspace, table", 0.1, "alarm", "Every rule.."))
    return [
        CandidateCard(7, 1, "ready", "ok", picture, good, "all rules of motion are kept", dreamt=True, opened=True),
        CandidateCard(9, 2, "ready", "alarm", picture, bad, "its plan breaks a rule: workspace", dreamt=True),
        CandidateCard(8, 0, "dreaming", picture=picture[:16, :24], share=0.4),
    ]


def main() -> None:
    """Show made-up candidates; it prints what is wanted."""

    def make() -> QWidget:
        strip = CandidateStrip()
        strip.show_candidates(made_up_cards())
        strip.opened.connect(print)
        strip.keep_wanted.connect(print)
        return strip

    demo(make)


if __name__ == "__main__":
    main()

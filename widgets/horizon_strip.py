"""The steps towards a goal beside each other: what the first camera saw after each, and how near that came."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hardware.types import Image
from widgets.demo import demo
from widgets.panel import button, clear, label, row
from widgets.theme import color, font, set_state
from widgets.views.paint import badge_rect, draw_badge, elided, to_qimage

WIDTH, PICTURE_HEIGHT, WORDS_HEIGHT = 124, 72, 20


@dataclass(frozen=True, eq=False)
class StepCard:
    """title: "before" or "step 2"; picture (H, W, 3): of the first view then; words: its score; best: the nearest
    to the goal."""

    title: str
    picture: Image
    words: str = ""
    best: bool = False


@dataclass(frozen=True, eq=False)
class HorizonShown:
    """cards in time; words: what is to be done now; problem: it is something wrong."""

    cards: Sequence[StepCard]
    words: str
    problem: bool = False
    can_dream: bool = False
    can_look: bool = False
    can_end: bool = False


class HorizonStrip(QFrame):
    """Hidden until there are steps. `dream_wanted`: the next one; `look_wanted`: at the scene once more;
    `end_wanted`: the last step is the last."""

    dream_wanted = Signal()
    look_wanted = Signal()
    end_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Steps towards the goal")
        self._cards = QHBoxLayout()
        self._cards.setSpacing(8)
        self._words = label("", wrap=True)
        self._dream = button("Dream on", "primary", "Dream the next step from the scene as it is now (V)")
        self._look = button("Look again", tip="Take the scene's picture once more")
        self._end = button("End here", tip="Take no more steps; the best one counts")
        for one, wanted in (
            (self._dream, self.dream_wanted),
            (self._look, self.look_wanted),
            (self._end, self.end_wanted),
        ):
            one.clicked.connect(wanted)
        side = QVBoxLayout()
        side.setContentsMargins(8, 0, 0, 0)
        side.addWidget(self._words, 1)
        side.addLayout(row(self._dream, self._look, self._end, 1))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addLayout(self._cards)
        layout.addLayout(side, 1)
        self.hide()

    def show_steps(self, shown: HorizonShown | None) -> None:
        """Show the steps as they are now; None hides the strip."""
        self.setVisible(shown is not None)
        clear(self._cards)
        if shown is None:
            return
        for card in shown.cards:
            self._cards.addWidget(_Picture(card))
        self._words.setText(shown.words)
        set_state(self._words, state="alarm" if shown.problem else "")
        for one, can in ((self._dream, shown.can_dream), (self._look, shown.can_look), (self._end, shown.can_end)):
            one.setVisible(can)


class _Picture(QWidget):
    def __init__(self, card: StepCard) -> None:
        super().__init__()
        self._card, self._image = card, _small(to_qimage(card.picture))
        self.setFixedSize(WIDTH, PICTURE_HEIGHT + WORDS_HEIGHT)
        self.setAccessibleName(f"{card.title}: {card.words}{', the best' if card.best else ''}")
        self.setToolTip(card.words)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, card = QPainter(self), self._card
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRect(0, 0, WIDTH, PICTURE_HEIGHT)
        painter.fillRect(area, color("well"))
        where = QRect(QPoint(), self._image.size())
        where.moveCenter(area.center())
        painter.drawImage(where, self._image)
        text = f"{card.title} · best" if card.best else card.title
        at = QPointF(4, PICTURE_HEIGHT - 24)
        draw_badge(
            painter, badge_rect(text, at, 12, bold=True), text, ink=color("ok") if card.best else color("text"),
            pixels=12, bold=True,
        )  # fmt: skip
        painter.setFont(font(12))
        painter.setPen(color("text"))
        below = QRect(0, PICTURE_HEIGHT, WIDTH, WORDS_HEIGHT)
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, elided(card.words, WIDTH, 12))


def _small(picture: QImage) -> QImage:
    smooth = Qt.TransformationMode.SmoothTransformation
    return picture.scaled(WIDTH, PICTURE_HEIGHT, Qt.AspectRatioMode.KeepAspectRatio, smooth)


def main() -> None:
    """Show two made-up steps; it prints what is wanted."""
    from widgets.views import made_up

    def make() -> QWidget:
        strip, rgb = HorizonStrip(), made_up.MadeUpSource().frame_at("top", 0.0)
        if rgb is not None:
            words = ("IoU 0.12 · 34° off", "IoU 0.71 · 6° off")
            cards = [StepCard("before", rgb, words[0]), StepCard("step 1", rgb, words[1], best=True)]
            strip.show_steps(
                HorizonShown(cards, "Step 1 of 4 is done. Dream on, or end here.", can_dream=True, can_end=True)
            )
        for signal in (strip.dream_wanted, strip.look_wanted, strip.end_wanted):
            signal.connect(lambda: print("wanted"))
        return strip

    demo(make)


if __name__ == "__main__":
    main()

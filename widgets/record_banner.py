"""Whether it records, to be read from two metres away: one word, the clock, what to do next, how many there are."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.demo import demo
from widgets.record_values import RecordStage, RecordState
from widgets.theme import color, font
from widgets.views.paint import elided, text_size

LOWEST, HIGHEST = 104, 300
_PAD = 24.0
# ground and ink by stage: only recording is filled red, only a kept take and a ready rig are green
_DRESS: dict[RecordStage, tuple[str, str]] = {
    "off": ("panel", "muted"),
    "starting": ("panel", "muted"),
    "blocked": ("warning_dim", "warning"),
    "idle": ("panel", "text"),
    "scene": ("warning_dim", "warning"),
    "ready": ("panel", "ok"),
    "recording": ("stop", "on_stop"),
    "saving": ("warning_dim", "warning"),
    "review": ("accent_dim", "text"),
    "saved": ("ok_dim", "on_stop"),
    "problem": ("alarm_dim", "alarm"),
}


class RecordBanner(QWidget):
    """Painted, as large as its height allows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = RecordState()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(LOWEST)

    def show_state(self, state: RecordState) -> None:
        """Show this state; nothing is painted where a person would see no difference."""
        if state != self._state:
            self._state = state
            self.setAccessibleName(f"{state.word}. {state.hint}")
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(800, LOWEST)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground, ink = _DRESS[self._state.stage]
        painter.setPen(color("border") if ground == "panel" else color(ground))
        painter.setBrush(color(ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        area = QRectF(self.rect()).adjusted(_PAD, 6, -_PAD, -6)
        right = self._paint_count(painter, area)
        area.setRight(right - _PAD)
        self._paint_word(painter, area, color(ink))

    def _paint_word(self, painter: QPainter, area: QRectF, ink: QColor) -> None:
        """The word and the clock in one line, the hint below them."""
        large = round(area.height() * 0.62)
        hint = max(16, round(area.height() * 0.19))
        upper = QRectF(area.left(), area.top(), area.width(), area.height() - hint * 1.5)
        words = [self._state.word]
        if self._state.clock_s is not None:
            words.append(clock(self._state.clock_s))
        while large > 18 and _width(words, large) > area.width():
            large -= 2
        x = area.left()
        if self._state.stage == "recording":
            x += self._paint_dot(painter, upper, large, ink)
        painter.setPen(ink)
        for i, word in enumerate(words):
            painter.setFont(font(large, bold=i == 0))
            painter.drawText(QRectF(x, upper.top(), area.right() - x, upper.height()), _LEFT, word)
            x += text_size(word, large, bold=i == 0)[0] + 0.35 * large
        painter.setPen(color("on_stop" if self._state.stage == "recording" else "text"))
        lower = QRectF(area.left(), area.bottom() - hint * 1.5, area.width(), hint * 1.5)
        while hint > 16 and text_size(self._state.hint, hint)[0] > lower.width():
            hint -= 1
        painter.setFont(font(hint))
        painter.drawText(lower, _LEFT, elided(self._state.hint, lower.width(), hint))

    def _paint_dot(self, painter: QPainter, area: QRectF, large: int, ink: QColor) -> float:
        size = 0.55 * large
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QRectF(area.left(), area.center().y() - size / 2 + 0.04 * large, size, size))
        return size + 0.3 * large

    def _paint_count(self, painter: QPainter, area: QRectF) -> float:
        """How many takes are kept, and of how many, on the right; return where it begins."""
        state = self._state
        large, small = round(area.height() * 0.5), max(15, round(area.height() * 0.17))
        number, words = str(state.count), f"of {state.goal} kept" if state.goal else "kept"
        width = max(text_size(number, large, bold=True)[0], text_size(words, small)[0])
        left = area.right() - width
        strong = "on_stop" if state.stage in ("recording", "saved") else "text"
        painter.setPen(color(strong))
        painter.setFont(font(large, bold=True))
        upper = QRectF(left, area.top(), width, area.height() - small * 1.5)
        painter.drawText(upper, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)
        painter.setFont(font(small))
        painter.setPen(color(strong if strong == "on_stop" else "muted"))
        lower = QRectF(left, area.bottom() - small * 1.7, width, small * 1.7)
        painter.drawText(lower, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        return left


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def clock(seconds: float) -> str:
    """Return "0:03.4": minutes, seconds and tenths that have passed."""
    tenths = int(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _width(words: list[str], pixels: int) -> float:
    gaps = 0.35 * pixels * len(words) + 0.85 * pixels
    return sum(text_size(word, pixels, bold=True)[0] for word in words) + gaps


def main() -> None:
    """Show it recording."""

    def make() -> QWidget:
        banner = RecordBanner()
        banner.show_state(RecordState("recording", "REC", "Space or pedal stops", 3.42, 37, 200))
        return banner

    demo(make)


if __name__ == "__main__":
    main()

"""A button that has to be held: one careless click never approves anything."""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QWidget

from widgets.theme import color, font, set_state

HOLD_S = 1.0
_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class HoldButton(QPushButton):
    """Emits `held` once it was held for a whole second, by the left mouse button or by Return.

    Letting go early, leaving it with the mouse, losing the focus or being disabled starts again from nothing.
    """

    held = Signal()

    def __init__(
        self, text: str, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(text, parent)
        set_state(self, role="approve")
        self._clock = clock
        self._since: float | None = None
        self._tick = QTimer(self, interval=16)
        self._tick.timeout.connect(self._look)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoRepeat(False)

    @property
    def progress(self) -> float:
        """How far the hold is, 0..1."""
        return 0.0 if self._since is None else min((self._clock() - self._since) / HOLD_S, 1.0)

    def begin(self) -> None:
        """Start holding."""
        if self.isEnabled() and self._since is None:
            self._since = self._clock()
            self._tick.start()
            self.update()

    @Slot()
    def let_go(self) -> None:
        """End the hold; before its time it counts for nothing."""
        self._since = None
        self._tick.stop()
        self.update()

    @Slot()
    def _look(self) -> None:
        if self.progress >= 1.0:
            self.let_go()
            self.held.emit()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.begin()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self.rect().contains(event.position().toPoint()):
            self.let_go()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self.let_go()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _KEYS:
            if not event.isAutoRepeat():
                self.begin()
        elif event.key() != Qt.Key.Key_Space:  # Space would click; here only a hold counts
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() in _KEYS:
            if not event.isAutoRepeat():
                self.let_go()
        elif event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.let_go()
        super().focusOutEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self.let_go()
        super().changeEvent(event)

    def hideEvent(self, event: QEvent) -> None:
        self.let_go()
        super().hideEvent(event)  # type: ignore[arg-type]

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.progress:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setClipPath(shape)
        painter.fillRect(QRectF(0, 0, self.width() * self.progress, self.height()), color("ok"))
        painter.setPen(color("rail"))
        painter.setFont(font(16, bold=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Keep holding…")


def main() -> None:
    """Hold it; it says so."""
    app = QApplication([])
    button: QAbstractButton = HoldButton("Hold to approve  ⏎")
    button.held.connect(lambda: print("held"))  # type: ignore[attr-defined]
    button.show()
    app.exec()


if __name__ == "__main__":
    main()

"""A dream while it comes out of the noise: every view a row, time to the right, and how far it is."""

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from hardware.types import Image
from widgets.busy_strip import time_left
from widgets.demo import demo
from widgets.dream_values import Denoising
from widgets.panel import button, label, row, show_done
from widgets.theme import color
from widgets.views.paint import draw_empty, same_picture, to_qimage


class _Sheet(QWidget):
    """The newest picture, as wide as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._rgb: Image | None = None
        self._image: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 60)
        self.setAccessibleName("The dream as it is denoised")

    @property
    def shows_picture(self) -> bool:
        return self._image is not None

    def show_sheet(self, rgb: Image | None) -> None:
        if not same_picture(rgb, self._rgb) or rgb is None:
            self._rgb = rgb
            self._image = None if rgb is None else to_qimage(rgb)
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, color("well"))
        if self._image is None:
            draw_empty(painter, area, "The picture comes with the first step")
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        where = QRectF(0, 0, size.width(), size.height())
        where.moveCenter(area.center())
        painter.drawImage(where, self._image)


class DenoisingView(QWidget):
    """`cancel_wanted` gives up what is not dreamt yet."""

    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._left = label("", "strong"), label("", "muted")
        self._sheet = _Sheet()
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedHeight(8)
        cancel = button("Cancel", tip="Give up what is not dreamt yet; what is there stays")
        cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        cancel.clicked.connect(self.cancel_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self._text, 1, self._left, cancel))
        layout.addWidget(self._bar)
        layout.addWidget(self._sheet, 1)

    @property
    def shows_picture(self) -> bool:
        """Whether anything has come out of the noise yet."""
        return self._sheet.shows_picture

    def show_denoising(self, shown: Denoising) -> None:
        """Show how far it is, and what it looks like."""
        self._text.setText(shown.text)
        self._left.setText(time_left(shown.left_s))
        show_done(self._bar, shown.done)
        self._sheet.show_sheet(shown.sheet)

    def sizeHint(self) -> QSize:
        return QSize(900, 320)


def main() -> None:
    """Show noise."""

    def make() -> QWidget:
        view = DenoisingView()
        sheet = np.random.default_rng(0).integers(0, 255, (32, 13 * 24, 3), np.uint8)
        view.show_denoising(Denoising("Dreaming 1 of 4: step 3 of 30", sheet, 0.1, 42.0))
        return view

    demo(make)


if __name__ == "__main__":
    main()

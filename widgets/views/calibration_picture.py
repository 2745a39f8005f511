"""A camera's live picture with the board's corners in it, and a map of where the board has been."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPaintEvent

from widgets.calibration_values import PictureState
from widgets.demo import demo
from widgets.theme import color
from widgets.views.live_picture import LivePicture
from widgets.views.paint import badge_rect, draw_badge

DOT = 3.0
NOT_YET = 0.22  # how strongly a cell that no view has covered is tinted


class CalibrationPicture(LivePicture):
    """Cells of the picture that no view has covered yet are tinted."""

    _state = PictureState(np.zeros((0, 2)))

    def show_state(self, state: PictureState) -> None:
        """Draw this over the picture."""
        self._state = state
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._image is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self._area())
        self._paint_map(painter, area)
        painter.setPen(color("rail"))
        painter.setBrush(color("ok"))
        for x, y in self._state.corners.tolist():
            at = QPointF(area.left() + x * area.width(), area.top() + y * area.height())
            painter.drawEllipse(at, DOT, DOT)
        words, level = self._state.badge or self._state.problem, "ok" if self._state.badge else "warning"
        if words:
            corner = area.topLeft() + QPointF(10, 10)
            draw_badge(painter, badge_rect(words, corner, dot=True), words, dot=color(level))

    def _paint_map(self, painter: QPainter, area: QRectF) -> None:
        grid = self._state.grid
        if grid is None:
            return
        rows, columns = grid.shape
        width, height = area.width() / columns, area.height() / rows
        for r, c in np.argwhere(grid == 0).tolist():
            cell = QRectF(area.left() + c * width, area.top() + r * height, width, height)
            painter.fillRect(cell.adjusted(1, 1, -1, -1), color("accent", NOT_YET))


def main() -> None:
    """Show a picture half of which is covered."""
    from hardware.types import Frame

    def make() -> CalibrationPicture:
        picture = CalibrationPicture()
        picture.show_frame(Frame("top", 0, 0.0, 0.0, np.full((240, 320, 3), 120, np.uint8)))
        grid = np.zeros((6, 8), int)
        grid[:, :4] = 1
        picture.show_state(PictureState(np.array([[0.3, 0.4], [0.4, 0.4]]), grid, "resting"))
        return picture

    demo(make)


if __name__ == "__main__":
    main()

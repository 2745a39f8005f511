"""How a picture lies in a widget: letterboxed, zoomed about a point, panned."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from hardware.geometry import Array

MAX_ZOOM = 16.0


class Zoom:
    """Maps pixels of a picture, centres at integers, to points of a widget and back."""

    def __init__(self) -> None:
        self.size = (1, 1)  # of the picture
        self.area = QRectF(0, 0, 1, 1)
        self.factor = 1.0
        self._center = (0.5, 0.5)  # of the area, as a fraction of the picture

    @property
    def scale(self) -> float:
        """Widget points for a pixel."""
        width, height = self.size
        return min(self.area.width() / width, self.area.height() / height) * self.factor

    @property
    def picture(self) -> QRectF:
        """Where the whole picture lies in the widget."""
        (width, height), scale = self.size, self.scale
        left = self.area.center().x() - self._center[0] * width * scale
        top = self.area.center().y() - self._center[1] * height * scale
        return QRectF(left, top, width * scale, height * scale)

    def to_widget(self, pixels: Array) -> Array:
        """Return widget points (..., 2) of pixels (..., 2)."""
        corner = self.picture.topLeft()
        return np.asarray((np.asarray(pixels) + 0.5) * self.scale + np.array([corner.x(), corner.y()]))

    def to_pixel(self, point: QPointF) -> tuple[float, float]:
        """Return the pixel (x, y) at a widget point; it may lie outside the picture."""
        corner = self.picture.topLeft()
        return (point.x() - corner.x()) / self.scale - 0.5, (point.y() - corner.y()) / self.scale - 0.5

    def zoom_at(self, point: QPointF, by: float) -> None:
        """Zoom by a factor, keeping what is at a widget point there."""
        x, y = self.to_pixel(point)
        self.factor = min(max(self.factor * by, 1.0), MAX_ZOOM)
        after = self.to_widget(np.array([x, y]))
        self.pan(point.x() - after[0], point.y() - after[1])

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by widget points, as far as it still fills the area."""
        (width, height), scale = self.size, self.scale
        x = self._center[0] - dx / (width * scale)
        y = self._center[1] - dy / (height * scale)
        room_x = min(0.5, self.area.width() / (2 * width * scale))
        room_y = min(0.5, self.area.height() / (2 * height * scale))
        self._center = (min(max(x, room_x), 1 - room_x), min(max(y, room_y), 1 - room_y))

    def reset(self) -> None:
        """Fit the whole picture."""
        self.factor, self._center = 1.0, (0.5, 0.5)

"""Live cameras side by side, each with a line that says how well its stream does."""

import time
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from widgets.views.types import LatestSource


class CameraGrid(QWidget):
    """The newest frame of each camera, pulled from a source by a timer while visible."""

    camera_picked = Signal(str)

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._source: LatestSource | None = None

    def set_source(self, source: LatestSource | None) -> None:
        """Pull frames from here; None stops."""
        self._source = source

    def show_cameras(self, names: Sequence[str], fps: Mapping[str, float] | None = None) -> None:
        """Lay out a cell a camera; fps: what each stream should reach (amber below 90%, red below 50%)."""

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there are no cameras."""

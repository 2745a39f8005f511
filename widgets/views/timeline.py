"""The timeline under the pictures: filmstrip, trim, curves, violations, hints, cursor."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from widgets.views.types import FrameSource, TimelineData


class Timeline(QWidget):
    """Click or drag scrubs, handles trim, a click on a red span picks the violation.

    With the keyboard: Left and Right one frame, Home and End, I and O set the trim at the cursor.
    """

    time_picked = Signal(float)  # [s]
    trim_changed = Signal(int, int)  # first and last frame kept
    violation_picked = Signal(int)  # index into TimelineData.spans

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: TimelineData | None = None
        self._time = 0.0

    def set_source(self, source: FrameSource | None) -> None:
        """Take the filmstrip's thumbnails from here."""

    def show_data(self, data: TimelineData | None) -> None:
        """Show a clip's curves and spans; None shows the empty state."""
        self._data = data

    def show_time(self, t: float) -> None:
        """Put the cursor at t [s]; cheap, for every frame."""
        self._time = t

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there is no data."""

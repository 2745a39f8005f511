"""One camera's picture with everything drawn over it that a person judges a track by."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from hardware.types import Image
from widgets.views.types import FrameSource, HintBox, ToolOverlay


class VideoView(QWidget):
    """A letterboxed picture with overlays, zoom by wheel, pan by drag, double click resets."""

    box_drawn = Signal(str, str, float, float, float, float)  # view, tool, x0, y0, x1, y1 [px]
    drawing_changed = Signal(bool)

    def __init__(self, view: str, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view, self._title = view, title or view
        self._source: FrameSource | None = None
        self._rgb: Image | None = None
        self._tools: tuple[ToolOverlay, ...] = ()
        self._hints: tuple[HintBox, ...] = ()

    def set_source(self, source: FrameSource | None) -> None:
        """Pull pictures from here on `show_time`."""
        self._source = source

    def show_time(self, t: float) -> None:
        """Show the source's picture of this view at playback time t [s]."""
        if self._source is not None:
            self.show_picture(self._source.frame_at(self.view, t))

    def show_picture(self, rgb: Image | None) -> None:
        """Show a picture (H, W, 3); None shows the empty state."""
        self._rgb = rgb
        self.update()

    def show_overlays(self, tools: Sequence[ToolOverlay], hints: Sequence[HintBox] = ()) -> None:
        """Draw these tools and hint boxes over the picture, in place of the earlier ones."""
        self._tools, self._hints = tuple(tools), tuple(hints)
        self.update()

    def show_title(self, title: str) -> None:
        """Such as "View 1 · top"."""
        self._title = title
        self.update()

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there is no picture."""
        self._rgb = None
        self.update()

    def start_drawing(self, tool: str, color: str) -> None:
        """Let the person draw one box for a tool; ends with box_drawn, or without by Esc."""
        self.drawing_changed.emit(True)

    def cancel_drawing(self) -> None:
        """End drawing without a box."""
        self.drawing_changed.emit(False)

    def reset_zoom(self) -> None:
        """Fit the whole picture."""

"""The 3-D scene: table, cameras with their pictures, moving tools, paths, violations, arm ghosts, boxes."""

from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from widgets.views.types import SceneMoment, SceneStatic

Preset = Literal["free", "front", "top", "side"]


class SceneView(QWidget):
    """Drag turns, right drag or Shift+drag moves, wheel zooms, double click resets; 1-4 choose a preset.

    The scene is drawn off screen and painted as a picture, so it needs no OpenGL widget and renders under any Qt
    platform, the offscreen one too.
    """

    preset_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._static, self._moment, self._caption = SceneStatic(), SceneMoment(), ""

    def show_static(self, static: SceneStatic) -> None:
        """Show what stands still; rebuilds the scene, so call it on changes only."""
        self._static = static

    def show_moment(self, moment: SceneMoment) -> None:
        """Show where everything is now; cheap, for every frame."""
        self._moment = moment

    def show_caption(self, text: str) -> None:
        """A line at the top, such as "Scene · world frame"."""
        self._caption = text

    def show_empty(self, text: str) -> None:
        """Show table and cameras only, with a line that says what to do next."""

    def set_preset(self, preset: Preset) -> None:
        """Look from free (three quarters), front, top or side."""
        self.preset_changed.emit(preset)

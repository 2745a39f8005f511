"""A camera's picture of the scene, over which the goal of a task is dragged, turned or painted."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from hardware.geometry import Array
from hardware.types import Image
from widgets.demo import demo
from widgets.theme import COLORS
from widgets.views.brush_view import BrushView
from widgets.views.paint import draw_strip
from widgets.views.types import HintBox, ToolOverlay
from widgets.views.video_view import STRIP

GOAL = "goal"


class GoalView(BrushView):
    """A drag on the goal emits `outline_dragged(OutlineDrag)`, Shift turns it; with a brush it is painted."""

    def __init__(self, view: str, title: str = "") -> None:
        super().__init__(view, title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_goal(
        self,
        outline: Sequence[Array],
        mask: Image | None = None,
        note: str = "",
        part: tuple[int, int, int, int] | None = None,
    ) -> None:
        """Draw the goal: closed outlines (N, 2) [px], and a mask (H, W), 0 or 255; no outlines take it away.

        part: what the model is shown of the picture (left, top, width, height) [px], dashed.
        """
        closed = [np.vstack([rim, rim[:1]]) for rim in outline]
        goal = ToolOverlay(GOAL, COLORS["ok"], closed, confidence=float("nan"), note=note)
        self.show_overlays((goal,) if closed else (), () if part is None else (_rim(part),))
        self.show_mask(mask, "Goal")

    def _paint_strip(self, painter: QPainter) -> None:
        if self._radius is None and self._tools and (self._outline.hot or self.hasFocus()):
            texts = [
                "Drag the goal · Shift turns · arrows, Q and E by a step, Shift by less",
                "Drag · Shift turns · arrows, Q, E",
                "Drag · Shift turns",
            ]
            draw_strip(painter, QRectF(0, self.height() - STRIP, self.width(), STRIP), texts, "accent")


def _rim(part: tuple[int, int, int, int]) -> HintBox:
    left, top, width, height = part
    return HintBox(GOAL, COLORS["muted"], (left, top, left + width - 1, top + height - 1))


def main() -> None:
    """Show a goal to be dragged; it prints every drag."""
    from widgets.views import made_up

    def make() -> GoalView:
        view = GoalView("top", "View 1 · top")
        view.set_source(made_up.MadeUpSource())
        view.show_time(0.0)
        view.show_goal([np.array([[80.0, 60.0], [160.0, 60.0], [160.0, 120.0], [80.0, 120.0]])])
        view.let_drag(GOAL)
        view.outline_dragged.connect(print)
        return view

    demo(make)


if __name__ == "__main__":
    main()

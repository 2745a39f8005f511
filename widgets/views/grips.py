"""What a hand holds while it corrects a pose: a handle in the 3-D scene, or a tool's outline in a view."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, Qt

from hardware.geometry import Array
from widgets.views import gizmo as handles
from widgets.views.gizmo import Eye, Gizmo, Handle
from widgets.views.paint import polygon
from widgets.views.types import OutlineDrag, ToolOverlay
from widgets.views.zoom import Zoom

REACH = 9.0  # points from an outline within which it is meant


class HandleGrip:
    """The handles of one tool under the mouse. gizmo: None hides them; fine: the hand's way counts a tenth."""

    def __init__(self) -> None:
        self.gizmo: Gizmo | None = None
        self.hot: Handle | None = None
        self.fine = False
        self._held: tuple[Gizmo, handles.Ray, bool] | None = None
        self._begun: Array | None = None

    @property
    def held(self) -> bool:
        return self._held is not None

    def hover(self, eye: Eye, x: float, y: float) -> bool:
        """Look what is under the mouse; return whether that changed."""
        before = self.hot
        self.hot = None if self.gizmo is None else handles.pick(handles.lines(self.gizmo, eye), x, y)
        return self.hot != before

    def press(self, eye: Eye, x: float, y: float) -> bool:
        """Take the handle under the mouse, if there is one."""
        self.hover(eye, x, y)
        if self.gizmo is None or self.hot is None:
            return False
        self._held, self._begun = (self.gizmo, eye.ray(x, y), self.fine), self.gizmo.T_world_tool
        return True

    def drag(self, eye: Eye, x: float, y: float, fine: bool) -> Array:
        """Return T_world_tool for the mouse there; a change between coarse and fine goes on from where it is."""
        if self._held is None or self.hot is None or self.gizmo is None:
            raise ValueError("no handle is held")
        now = eye.ray(x, y)
        if self._held[2] != fine:
            self._held = (replace(self._held[0], T_world_tool=self.gizmo.T_world_tool), now, fine)
        began, start, slow = self._held
        return handles.dragged(began, self.hot, start, now, handles.FINE if slow else 1.0)

    def release(self) -> Array | None:
        """Let go; return T_world_tool as it was when the handle was taken, None where none was."""
        begun, self._held, self._begun = self._begun, None, None
        return begun


class OutlineGrip:
    """A tool's outline under the mouse. tool: whose outline may be taken, "" for none."""

    def __init__(self) -> None:
        self.tool = ""
        self.hot = False
        self._held: OutlineDrag | None = None

    @property
    def held(self) -> OutlineDrag | None:
        return self._held

    def hover(self, tools: Sequence[ToolOverlay], zoom: Zoom, at: QPointF) -> bool:
        """Look whether the outline is under the mouse; return whether that changed."""
        before = self.hot
        own = [t for t in tools if t.tool == self.tool and t.state not in ("original", "lost")]
        self.hot = any(_touches(tool, zoom, at) for tool in own)
        return self.hot != before

    def press(
        self, view: str, tools: Sequence[ToolOverlay], zoom: Zoom, at: QPointF, keys: Qt.KeyboardModifier
    ) -> bool:
        """Take the outline where it is under the mouse: Shift turns it, Ctrl moves it near or far."""
        self.hover(tools, zoom, at)
        if not self.hot:
            return False
        kind = "turn" if keys & Qt.KeyboardModifier.ShiftModifier else "move"
        kind = "depth" if keys & Qt.KeyboardModifier.ControlModifier else kind
        start = zoom.to_pixel(at)
        self._held = OutlineDrag(view, self.tool, kind, start, start)  # type: ignore[arg-type]
        return True

    def drag(self, zoom: Zoom, at: QPointF) -> OutlineDrag | None:
        """Return the drag with the mouse there."""
        if self._held is not None:
            self._held = replace(self._held, now=zoom.to_pixel(at))
        return self._held

    def release(self, given_up: bool = False) -> OutlineDrag | None:
        """Let go; return the drag's end, None where nothing was held or nothing was moved."""
        held, self._held = self._held, None
        if held is None or (held.now == held.start and not given_up):
            return None
        return replace(held, done=not given_up, given_up=given_up)


def _touches(tool: ToolOverlay, zoom: Zoom, at: QPointF) -> bool:
    """Whether a point lies inside a closed line of the outline, or near one."""
    point = np.array([at.x(), at.y()])
    for pixels in tool.outline:
        line = zoom.to_widget(pixels)
        if handles.distance(line, point) <= REACH or polygon(line).containsPoint(at, Qt.FillRule.OddEvenFill):
            return True
    return False

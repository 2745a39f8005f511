"""The pictures of a dream and the tools drawn over them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.gui.binders.dream_clock import DreamClock
from hardware.geometry import Array
from hardware.types import Camera, Image
from models.corrections import corrected, difference, pose_values
from models.types import Dream, Hint, PoseFix, ToolTrack, Track
from widgets.theme import tool_color
from widgets.views.outline import MeshEdges, mesh_edges, outline, project_axes, tip_path
from widgets.views.types import HintBox, ToolOverlay

LOW_CONFIDENCE = 0.5  # the tracker's alarm level; a test holds them together


def colors(dream: Dream) -> Mapping[str, str]:
    """Return the colour of each tool by role."""
    return {role: tool_color(role, index) for index, role in enumerate(dream.tools)}


def sure_only(track: ToolTrack, points: Array) -> Array:
    """Return a path (T, N) of a tool with nan where its pose is doubtful: a stray one draws no long line."""
    between = np.array([source == "interpolated" for source in track.source])
    return np.where(((track.frame_confidence >= LOW_CONFIDENCE) | between)[:, None], points, np.nan)


def first_found(track: ToolTrack) -> int:
    """Return the first frame in which a tool was found, 0 where it never was."""
    return int(np.argmax(track.found))


def found_of(track: ToolTrack, trim: tuple[int, int]) -> tuple[int, int]:
    """Return how many of the frames inside the trim, since the tool came into view, have a pose: (found, all)."""
    first, last = max(trim[0], first_found(track)), trim[1]
    return int(track.found[first : last + 1].sum()), last - first + 1


@dataclass(frozen=True, eq=False)
class DreamPictures:
    """A FrameSource: the pictures of a dream by the page's clock."""

    dream: Dream
    clock: DreamClock

    def frame_at(self, view: str, t: float) -> Image | None:
        for candidate in self.dream.views:
            if candidate.name == view:
                return np.asarray(candidate.frames[self.clock.index(t)])
        return None


def outlined(overlay: ToolOverlay, edges: MeshEdges | None, camera: Camera, T_cam_tool: Array) -> ToolOverlay:
    """Return the overlay with the tool's outline, where its shape is known, and its axes."""
    lines, creases = outline(edges, T_cam_tool, camera) if edges is not None else ([], np.zeros((0, 2, 2)))
    return replace(overlay, outline=lines, creases=creases, axes=project_axes(camera, T_cam_tool))


class Overlays:
    """What is drawn over each view and frame, worked out once and kept until the track changes."""

    def __init__(self, dream: Dream) -> None:
        self._dream = dream
        self._track: Track | None = None
        self._before: Track | None = None
        self._edges: dict[str, MeshEdges] = {role: mesh_edges(tool.mesh) for role, tool in dream.tools.items()}
        self._colors = colors(dream)
        self._paths: dict[tuple[str, str], Array] = {}
        self._kept: dict[tuple[str, int], tuple[ToolOverlay, ...]] = {}

    @property
    def has_track(self) -> bool:
        return self._track is not None

    def show_track(self, track: Track | None) -> None:
        """Draw this track from now on."""
        self._track = track
        self._kept.clear()
        self._paths.clear()

    def show_before(self, track: Track | None) -> None:
        """Draw this track under the other, and say how far they are apart; None: do not."""
        self._before = track
        self._kept.clear()

    def tools(self, view: str, frame: int, given: Mapping[str, Array] | None = None) -> tuple[ToolOverlay, ...]:
        """Return the tools in a view at a frame; given: poses T_view1_tool by role, not in the track yet."""
        if given:
            return self._make(view, frame, given)
        key = (view, frame)
        if key not in self._kept:
            self._kept[key] = self._make(view, frame)
        return self._kept[key]

    def hints(self, hints: tuple[Hint, ...], view: str, frame: int) -> tuple[HintBox, ...]:
        """Return a person's boxes in a view at a frame."""
        here = (hint for hint in hints if hint.view == view and hint.t == frame)
        return tuple(HintBox(hint.tool, self._colors.get(hint.tool, "#ffffff"), hint.box) for hint in here)

    def _make(self, view: str, frame: int, given: Mapping[str, Array] | None = None) -> tuple[ToolOverlay, ...]:
        if self._track is None:
            return ()
        shown = self._track
        if given:
            fixes = [PoseFix(role, frame, pose_values(T)) for role, T in given.items()]
            shown = corrected(shown, fixes, ())
        tracks = {role: t for role, t in shown.tools.items() if role in self._edges and frame < len(t)}
        # before a tool has come into view nothing is lost, and nothing is drawn
        here = {role: track for role, track in tracks.items() if frame >= first_found(track)}
        before = [self._original(role, track, view, frame) for role, track in here.items()]
        now = [self._overlay(role, track, view, frame) for role, track in here.items()]
        return (*(overlay for overlay in before if overlay is not None), *now)

    def _apart(self, role: str, track: ToolTrack, frame: int) -> tuple[float, float] | None:
        """How far a tool is from where it was before [m, rad]; None where it is there, or nobody asks."""
        old = self._before.tools.get(role) if self._before is not None else None
        apart = difference(old, track, frame) if old is not None and frame < len(old) else None
        return apart if apart is not None and (apart[0] > 5e-5 or apart[1] > 1e-3) else None

    def _original(self, role: str, track: ToolTrack, view: str, frame: int) -> ToolOverlay | None:
        if self._before is None or self._apart(role, track, frame) is None:
            return None
        number = self._number(view)
        T_cam_tool = self._dream.T_view_tool(number, self._before.tools[role].T_view1_tool[frame])
        lines, _ = outline(self._edges[role], T_cam_tool, self._dream.views[number].camera)
        return ToolOverlay(role, self._colors[role], outline=lines, state="original")

    def _number(self, view: str) -> int:
        return next(i for i, v in enumerate(self._dream.views) if v.name == view)

    def _overlay(self, role: str, track: ToolTrack, view: str, frame: int) -> ToolOverlay:
        number, apart = self._number(view), self._apart(role, track, frame)
        path = self._path(role, track, view, number)
        past, future = path[: frame + 1], path[frame:]
        if not track.found[frame]:
            return ToolOverlay(role, self._colors[role], past=past, future=future, state="lost")
        overlay = ToolOverlay(
            role,
            self._colors[role],
            past=past,
            future=future,
            confidence=float(track.confidence[frame, number]),
            state=track.source[frame],
            note=f"{1e3 * apart[0]:.1f} mm, {np.degrees(apart[1]):.1f}° moved" if apart else "",
        )
        T_cam_tool = self._dream.T_view_tool(number, track.T_view1_tool[frame])
        return outlined(overlay, self._edges[role], self._dream.views[number].camera, T_cam_tool)

    def _path(self, role: str, track: ToolTrack, view: str, number: int) -> Array:
        key = (role, view)
        if key not in self._paths:
            camera, tip = self._dream.views[number].camera, self._dream.tools[role].tip
            points = tip_path(camera, self._dream.T_view_tool(number, track.T_view1_tool), tip)
            self._paths[key] = sure_only(track, points)
        return self._paths[key]

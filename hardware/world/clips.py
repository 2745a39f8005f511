"""Rendered stereo clips of a person at work, with the exact truth: what trackers are measured against."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import mujoco
import numpy as np

from hardware.geometry import Array, apply, project
from hardware.geometry import inverse as inverse_of
from hardware.rig import Rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Camera, Image, Mesh, Tool, require
from hardware.world.demonstrator import SHOW, Shown, show_rotation
from hardware.world.grips import Hold, hold
from hardware.world.hand import forearm_skin, hand_skin
from hardware.world.objects import choose_thing
from hardware.world.render import SceneRenderer
from hardware.world.scene import (
    HAND_GROUP,
    TOOL_GROUP,
    WORLD_GROUP,
    SceneContents,
    scaled_camera,
    set_mocap,
    start_scene,
)

MOST_COVERED = 0.4
PLAIN_COLOURS = ((0.82, 0.82, 0.8), (0.2, 0.42, 0.75), (0.2, 0.58, 0.34), (0.55, 0.58, 0.62), (0.85, 0.8, 0.3))
MOST_SUBFRAMES = 12


@dataclass(frozen=True, eq=False)
class RenderedClip:
    """A clip and its truth.

    views: camera name -> (T, H, W, 3) uint8, t = 0 without hands and tools; cameras at that size; tools by role as
    they were rendered (no uv where plain); T_world_tool: role -> (T, 4, 4), nan while no view sees the tool;
    covered, in_view: role -> (T, V) fractions of the tool's trackable silhouette hidden by hands or objects, and
    inside the picture (nan where T_world_tool is); T_world_thing (T, 4, 4).
    """

    task: str
    seed: int
    fps: float
    views: Mapping[str, Image]
    cameras: tuple[Camera, ...]
    tools: Mapping[str, Tool]
    T_world_tool: Mapping[str, Array]
    covered: Mapping[str, Array]
    in_view: Mapping[str, Array]
    T_world_thing: Array
    thing: str
    settings: Mapping[str, object] = field(default_factory=dict)


def plain(tool: Tool) -> Tool:
    """The same tool without its print."""
    return replace(tool, mesh=Mesh(tool.mesh.vertices, tool.mesh.faces))


def render_clip(
    rig: Rig,
    task: str,
    seed: int,
    *,
    size: tuple[int, int] = (768, 448),
    frames: int = 13,
    fps: float = 6.0,
    textured: bool = True,
    exposure: float = 0.02,
    cover: float | None = None,
    calm: bool = False,
    grain: float = 1.0,
) -> RenderedClip:
    """Render a task as the rig's cameras see it; the same arguments give the same bytes.

    exposure [s]: shutter time, motion within it is blurred (0: sharp); cover: the largest fraction of a tool's
    silhouette that the hand may hide, drawn from the seed when None and never over 0.4; calm: motion that two arms
    can follow (rotation only); grain: of the cloth (0..1). Raises ValueError for an unknown task or too few frames.
    """
    require(task in SHOW, f"task: {task!r} is not one of {list(SHOW)}")
    require(frames >= 4, f"frames: {frames} are too few for a task; at least 4")
    require(bool(rig.cameras), f"rig {rig.name}: it has no cameras")
    rng = np.random.default_rng([seed, list(SHOW).index(task)])
    thing = choose_thing(task, rng)
    duration = (frames - 1) / fps
    shown = show_rotation(thing, rng, duration, calm=True) if calm else SHOW[task](thing, rng, duration)
    stage = _Stage(rig, shown, rng, seed, size, textured=textured, grain=grain)
    cover = float(rng.uniform(0.05, MOST_COVERED)) if cover is None else min(cover, MOST_COVERED)
    times = np.arange(frames) / fps
    with SceneRenderer(stage.model, size) as renderer:
        reach = {role: stage.reach_for(role, cover, times, renderer) for role in shown.tools}
        views = {c.name: stage.video(renderer, c, times, exposure, reach) for c in stage.cameras}
        covered, in_view = stage.visibility(renderer, times, reach)
    poses = {}
    for role in shown.tools:
        seen = np.nan_to_num(in_view[role]).max(axis=1) > 0
        truth = np.stack([shown.paths[role](float(t)) for t in times])
        poses[role] = np.where(seen[:, None, None], truth, np.nan)
    return RenderedClip(
        task, seed, fps, views, stage.cameras, stage.tools, poses, covered, in_view,
        np.stack([shown.paths["thing"](float(t)) for t in times]), thing.name,
        {"exposure_s": exposure, "cover": cover, "textured": textured},
    )  # fmt: skip


class _Stage:
    """The compiled scene of one clip and who stands where at a time."""

    def __init__(
        self,
        rig: Rig,
        shown: Shown,
        rng: np.random.Generator,
        seed: int,
        size: tuple[int, int],
        *,
        textured: bool,
        grain: float,
    ) -> None:
        self._shown = shown
        self.cameras = tuple(scaled_camera(c.camera, size) for c in rig.cameras if not c.on_arm)
        loaded = {role: load_tool(BUILT_IN_TOOLS[name]) for role, name in shown.tools.items()}
        self.tools: Mapping[str, Tool] = loaded if textured else {role: plain(t) for role, t in loaded.items()}
        self._holds: dict[str, Hold] = {role: hold(name, rng) for role, name in shown.tools.items()}
        skins = {}
        for k, (role, held) in enumerate(self._holds.items()):
            skins[f"hand {role}"] = hand_skin(held.grip, held.thickness, held.side, seed * 7 + k)
            skins[f"forearm {role}"] = forearm_skin(0.55, seed * 7 + k)
        first = int(rng.integers(len(PLAIN_COLOURS)))
        colours = dict.fromkeys(loaded, PLAIN_COLOURS[first])
        contents = SceneContents(
            self.tools, skins, {"thing": shown.thing}, plain={} if textured else colours, seed=seed, grain=grain
        )
        self.model = start_scene(rig, self.cameras, contents).compile()
        self._data = mujoco.MjData(self.model)

    def place(self, time: float, reach: Mapping[str, float], *, bare: bool = False) -> None:
        for name, path in self._shown.paths.items():
            away = bare and name in self._shown.tools
            set_mocap(self.model, self._data, name, None if away else path(time))
        for role, held in self._holds.items():
            T_world_hand = None if bare else held.hand(self._shown.paths[role](time), reach[role])
            set_mocap(self.model, self._data, f"hand {role}", T_world_hand)
            forearm = None if T_world_hand is None else held.forearm(T_world_hand)
            set_mocap(self.model, self._data, f"forearm {role}", forearm)
        mujoco.mj_kinematics(self.model, self._data)
        mujoco.mj_camlight(self.model, self._data)

    def video(
        self, renderer: SceneRenderer, camera: Camera, times: Array, exposure: float, reach: Mapping[str, float]
    ) -> Image:
        """Frames (T, H, W, 3); each is the mean of enough sharp ones that no tool jumps far between."""
        frames = []
        for k, time in enumerate(times):
            count = 1 if k == 0 else self._subframes(camera, float(time), exposure)
            total = np.zeros((camera.size[1], camera.size[0], 3))
            for part in (np.arange(count) + 0.5) / count - 0.5:
                self.place(float(time) + part * exposure, reach, bare=k == 0)
                total += renderer.rgb(self._data, camera.name)
            frames.append(np.round(total / count).astype(np.uint8))
        return np.stack(frames)

    def _subframes(self, camera: Camera, time: float, exposure: float) -> int:
        T_cam_world = inverse_of(np.asarray(camera.T_world_cam))
        largest = 0.0
        for role, tool in self.tools.items():
            ends = [self._shown.paths[role](time + s * exposure) for s in (-0.5, 0.5)]
            pixels = [project(camera.K, apply(T_cam_world @ T, tool.mesh.vertices)) for T in ends]
            inside = ((pixels[0] > -50) & (pixels[0] < np.array(camera.size) + 50)).all(axis=1)
            if inside.any():
                largest = max(largest, float(np.linalg.norm(pixels[1] - pixels[0], axis=1)[inside].max()))
        return int(np.clip(np.ceil(largest / 2.5), 1, MOST_SUBFRAMES))

    def reach_for(self, role: str, cover: float, times: Array, renderer: SceneRenderer) -> float:
        """How far this hand may slide over its tool so that no view of any frame loses more than `cover`."""
        lower, upper = self._holds[role].reach_limits
        for _ in range(5):
            middle = (lower + upper) / 2
            reach = {
                other: (middle if other == role else self._holds[other].reach_limits[0]) for other in self._holds
            }
            covered, _ = self.visibility(renderer, times[len(times) // 2 :: 2], reach, (role,), shrink=4)
            if np.nanmax(covered[role]) > cover:
                upper = middle
            else:
                lower = middle
        return lower

    def visibility(
        self,
        renderer: SceneRenderer,
        times: Array,
        reach: Mapping[str, float],
        roles: tuple[str, ...] | None = None,
        shrink: int = 1,
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """covered and in_view as in RenderedClip, measured on pictures `shrink` times smaller."""
        roles = roles or tuple(self._shown.tools)
        shape = (len(times), len(self.cameras))
        covered = {role: np.full(shape, np.nan) for role in roles}
        in_view = {role: np.full(shape, np.nan) for role in roles}
        for k, time in enumerate(times):
            if time == 0:
                continue
            self.place(float(time), reach)
            for v, camera in enumerate(self.cameras):
                small = (camera.size[0] // shrink, camera.size[1] // shrink)
                alone = renderer.owners(self._data, camera.name, (TOOL_GROUP,), small)
                seen = renderer.owners(self._data, camera.name, (WORLD_GROUP, TOOL_GROUP, HAND_GROUP), small)
                for role in roles:
                    geom = self.model.geom(role).id
                    in_view[role][k, v] = self._inside(role, float(time), camera)
                    mine = alone == geom
                    if mine.any():
                        covered[role][k, v] = 1.0 - float((seen[mine] == geom).mean())
        return covered, in_view

    def _inside(self, role: str, time: float, camera: Camera) -> float:
        """Fraction of the trackable surface, by area, whose picture lies inside the frame."""
        tool, T_cam_world = self.tools[role], inverse_of(np.asarray(camera.T_world_cam))
        faces = tool.mesh.faces if tool.trackable is None else tool.mesh.faces[tool.trackable]
        a, b, c = np.moveaxis(tool.mesh.vertices[faces], 1, 0)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        pixels = project(camera.K, apply(T_cam_world @ self._shown.paths[role](time), (a + b + c) / 3))
        inside = ((pixels > -0.5) & (pixels < np.array(camera.size) - 0.5)).all(axis=1)
        return float((area * inside).sum() / area.sum())

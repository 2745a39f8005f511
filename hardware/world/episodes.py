"""Demos without a window or a wait: a virtual clock, pictures at clip rate, exact truth. One maker a process."""

import functools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import Camera, Image, require
from hardware.world.fisheye import Lens
from hardware.world.gripper import T_GRIPPER_CAM
from hardware.world.grips import Hold
from hardware.world.hand import Skin, forearm_skin, hand_skin
from hardware.world.held import GRIPPER, body_of, draw_holds
from hardware.world.motion import DT, Motion
from hardware.world.render import SceneRenderer, gl_context
from hardware.world.scene import cloth_picture, scaled_camera
from hardware.world.shows import SHOWS
from hardware.world.tabletop import Workbench, build_workbench, samples_of
from hardware.world.tasks import push_shape
from hardware.world.tasks.layout import Layout, Moment, Verdict
from hardware.world.tasks.table import judge, lay

PEOPLE = 4  # hands and cloths are drawn from so many, so that they are made once
SETTLE = 0.16  # [s] what the table rests between two pushes
SMALL, SMALL_SHADOW = 320, 256  # pictures up to so wide need no finer shadow [px]
SMALL_ROUND = 12, 8, 1  # nor rounder balls: slices, stacks, and squares a side of a box
HAND_STEP = 0.0075  # [m] at clip sizes a finer hand shows nothing more: about a pixel and a half


@dataclass(frozen=True, eq=False)
class DemoFrame:
    """Pictures (H, W, 3) by camera at t [s] of the demo's own clock, and what is so then."""

    t: float
    views: Mapping[str, Image]
    moment: Moment


@dataclass(frozen=True, eq=False)
class Demo:
    """One demonstration; of push-shape one push.

    frames: the first is the scene image, with no hand, tool or arm in it (tool poses nan); moments: the truth at 30
    Hz from the first to the last frame; cameras as rendered (T_world_cam of one that rides on the gripper is None,
    T_gripper_cam then says where); step of steps: place in its episode; verdict: of the whole episode;
    T_world_final: where the pushed object lay at the episode's end, which is the goal that its clips are shown
    with.
    """

    layout: Layout
    fps: float
    cameras: tuple[Camera, ...]
    frames: tuple[DemoFrame, ...]
    moments: tuple[Moment, ...]
    step: int
    steps: int
    verdict: Verdict
    T_world_final: Array | None
    T_gripper_cam: Array | None

    def goal_mask(self, camera: Camera) -> NDArray[np.bool_]:
        """The goal (H, W) in a camera's picture. Raises ValueError for a task without one."""
        require(self.T_world_final is not None, f"{self.layout.task}: it has no goal to mask")
        return push_shape.mask(self.layout.things["thing"], np.asarray(self.T_world_final), camera)


@functools.lru_cache(PEOPLE)
def _cloth(person: int) -> Image:
    full = cloth_picture(np.random.default_rng([person, 11]))
    return np.asarray(cv2.resize(full, (384, 256), interpolation=cv2.INTER_AREA), np.uint8)


@functools.lru_cache(64)
def _hand(grip: str, thickness: float, side: int, person: int) -> Skin:
    return hand_skin("thumb" if grip == "thumb" else "fingers", thickness, side, person, HAND_STEP)


@functools.lru_cache(PEOPLE)
def _forearm(person: int) -> Skin:
    return forearm_skin(0.55, person, 2.2 * HAND_STEP)


def _skins(holds: Mapping[str, Hold], person: int) -> dict[str, Skin]:
    skins = {}
    for role, held in holds.items():
        skins[f"{body_of(role)} hand"] = _hand(held.grip, held.thickness, held.side, person)
        skins[f"{body_of(role)} forearm"] = _forearm(person)
    return skins


class DemoMaker:
    """Makes demos of a rig's cameras, one after the other. Draws: for a process without a window. Close it at
    the end.

    size (width, height) of all pictures, None: each camera's own.
    """

    def __init__(self, rig: Rig, size: tuple[int, int] | None = None) -> None:
        require(bool(rig.cameras), f"rig {rig.name}: it has no cameras")
        self._rig = rig
        self._cameras = tuple(scaled_camera(c.camera, size or c.camera.size) for c in rig.cameras if not c.on_arm)
        self._lenses = {c.name: Lens(c) for c in self._cameras if c.model == "fisheye"}
        # several makers share the cores better than one drawer's threads do; Mesa reads this at its first context
        os.environ.setdefault("LP_NUM_THREADS", "0")
        self._gl = gl_context()

    def episode(self, task: str, seed: int, *, held_out: bool = False, fps: float | None = None) -> Iterator[Demo]:
        """The demos of one table: one, or for push-shape one a push. The same arguments give the same bytes.

        fps: pictures a second, None for the task's own. Raises ValueError for an unknown task or such an fps.
        """
        layout = lay(task, seed, held_out)
        fps = layout.fps if fps is None else fps
        require(0 < fps <= 1 / DT, f"fps: {fps}; valid: above 0, at most {1 / DT:g}")
        rng = np.random.default_rng([seed, 7, int(held_out)])
        holds, person = draw_holds(layout, rng), int(rng.integers(PEOPLE))
        bench = build_workbench(
            self._rig,
            self._cameras,
            layout,
            holds,
            person=person,
            cloth=_cloth(person),
            skins=_skins(holds, person),
        )
        size = max(self._needed(camera) for camera in self._cameras)
        if size[0] <= SMALL:
            quality = bench.model.vis.quality
            quality.shadowsize = SMALL_SHADOW
            quality.numslices, quality.numstacks, quality.numquads = SMALL_ROUND
        with SceneRenderer(bench.model, size, self._gl) as renderer:
            shot: list[tuple[tuple[DemoFrame, ...], tuple[Moment, ...]]] = []
            while len(shot) < (push_shape.MOST_PUSHES if task == "push-shape" else 1):
                motion = SHOWS[task](bench, rng)
                if motion is None:
                    break
                shot.append(self._film(bench, motion, renderer, fps))
                self._clear(bench)
                if task == "push-shape" and self._judged(layout, shot).success:
                    break
            if not shot:
                return
            verdict = self._judged(layout, shot)
            final = bench.held.thing("thing") if layout.T_world_goal is not None else None
        for step, (frames, moments) in enumerate(shot):
            yield Demo(
                layout, fps, self._as_rendered(layout), frames, moments, step, len(shot), verdict, final,
                T_GRIPPER_CAM if GRIPPER in layout.tools else None,
            )  # fmt: skip

    def close(self) -> None:
        """Free the GL context; safe to call twice."""
        if self._gl is not None:
            self._gl.free()
            self._gl = None

    def __enter__(self) -> "DemoMaker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _needed(self, camera: Camera) -> tuple[int, int]:
        return self._lenses[camera.name].size if camera.name in self._lenses else camera.size

    def _as_rendered(self, layout: Layout) -> tuple[Camera, ...]:
        rides = GRIPPER in layout.tools
        return tuple(replace(c, T_world_cam=None) if rides and c.model == "fisheye" else c for c in self._cameras)

    def _judged(self, layout: Layout, shot: list[tuple[tuple[DemoFrame, ...], tuple[Moment, ...]]]) -> Verdict:
        if layout.task == "push-shape":
            return judge(layout, [moments[-1] for _, moments in shot], self._cameras[0])
        return judge(layout, shot[-1][1], self._cameras[0])

    def _film(
        self, bench: Workbench, motion: Motion, renderer: SceneRenderer, fps: float
    ) -> tuple[tuple[DemoFrame, ...], tuple[Moment, ...]]:
        """Play the part of a motion that a clip shows, with pictures and truth."""
        layout = bench.layout
        duration = motion.duration if motion.opening is not None else layout.clip_s
        pictures = set(np.round(np.arange(0, duration + 1e-6, 1 / fps) / DT).astype(int).tolist())
        truths = set(samples_of(duration).tolist())
        frames, moments = [], []
        now = 0
        for k in sorted({*pictures, *truths}):
            stop = min(k, motion.samples)
            bench.play(motion, now, stop)
            now = stop
            moment = bench.held.moment(k * DT)
            moments.append(moment)
            if k in pictures:
                frames.append(DemoFrame(k * DT, self._views(bench, renderer, bare=k == 0), moment))
        return tuple(frames), tuple(m for m in moments if round(m.t / DT) in truths or m is moments[-1])

    def _views(self, bench: Workbench, renderer: SceneRenderer, *, bare: bool) -> dict[str, Image]:
        bench.held.place_hands(bare=bare)
        mujoco.mj_kinematics(bench.model, bench.data)
        mujoco.mj_camlight(bench.model, bench.data)
        views = {}
        for camera in self._cameras:
            picture = renderer.rgb(bench.data, camera.name, self._needed(camera))
            lens = self._lenses.get(camera.name)
            views[camera.name] = picture if lens is None else lens.picture(picture)
        return views

    def _clear(self, bench: Workbench) -> None:
        """The person leaves; the table comes to rest."""
        bench.held.put_away()
        for _ in range(round(SETTLE / DT)):
            bench.held.hold_still()
            mujoco.mj_step(bench.model, bench.data)

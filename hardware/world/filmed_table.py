"""A table that a person works at, and the cameras that look on: pictures of it as it is, and clips of a motion.

Draws: for a process without a window. Time is virtual and passes only while a clip is filmed.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import mujoco
import numpy as np
from mujoco import egl

from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import Camera, Image
from hardware.world.fisheye import Lens
from hardware.world.grips import Hold
from hardware.world.hand import Skin, forearm_skin, hand_skin
from hardware.world.held import body_of, draw_holds
from hardware.world.motion import DT, Motion
from hardware.world.render import SceneRenderer
from hardware.world.scene import cloth_picture
from hardware.world.shows import SHOWS
from hardware.world.tabletop import build_workbench, place_free, samples_of
from hardware.world.tasks.layout import Layout, Moment

PEOPLE = 4  # hands and cloths are drawn from so many, so that they are made once
SETTLE = 0.16  # [s] what the table rests between two pushes
SMALL, SMALL_SHADOW = 320, 256  # pictures up to so wide need no finer shadow [px]
SMALL_ROUND = 12, 8, 1  # nor rounder balls: slices, stacks, and squares a side of a box
HAND_STEP, SMALL_HAND_STEP = 0.0075, 0.010  # [m] a finer hand shows nothing more: two or three pixels


@dataclass(frozen=True, eq=False)
class DemoFrame:
    """Pictures (H, W, 3) by camera at t [s] of the demo's own clock, and what is so then."""

    t: float
    views: Mapping[str, Image]
    moment: Moment


class FilmedTable:
    """One table of a task under cameras that stand, with the person who works at it; close it at the end."""

    def __init__(
        self,
        rig: Rig,
        cameras: tuple[Camera, ...],
        layout: Layout,
        rng: np.random.Generator,
        gl: egl.GLContext | None = None,
    ) -> None:
        """Lay the table and let it come to rest. rng: who works at it, and how; gl: as SceneRenderer's."""
        self.layout, self.cameras, self._rng = layout, cameras, rng
        self._lenses = {c.name: Lens(c) for c in cameras if c.model == "fisheye"}
        holds, person = draw_holds(layout, rng), int(rng.integers(PEOPLE))
        size = max(self._drawn(camera) for camera in cameras)
        small = size[0] <= SMALL
        skins = _skins(holds, person, SMALL_HAND_STEP if small else HAND_STEP)
        self._bench = build_workbench(rig, cameras, layout, holds, person=person, cloth=_cloth(person), skins=skins)
        if small:
            quality = self._bench.model.vis.quality
            quality.shadowsize = SMALL_SHADOW
            quality.numslices, quality.numstacks, quality.numquads = SMALL_ROUND
        self._renderer = SceneRenderer(self._bench.model, size, gl)

    def moment(self) -> Moment:
        """What is so now."""
        return self._bench.held.moment(0.0)

    def put(self, T_world_thing: Mapping[str, Array]) -> None:
        """Put things (4, 4) by body and particle, at rest: as somebody else left them."""
        for name, T in T_world_thing.items():
            place_free(self._bench.data, name, T)
        mujoco.mj_forward(self._bench.model, self._bench.data)

    def next_motion(self) -> Motion | None:
        """What the person would do now; None where nothing would help."""
        return SHOWS[self.layout.task](self._bench, self._rng)

    def pictures(self, *, bare: bool = True) -> dict[str, Image]:
        """Pictures (H, W, 3) by camera; bare: without the person."""
        self._bench.held.place_hands(bare=bare)
        mujoco.mj_kinematics(self._bench.model, self._bench.data)
        mujoco.mj_camlight(self._bench.model, self._bench.data)
        views = {}
        for camera in self.cameras:
            picture = self._renderer.rgb(self._bench.data, camera.name, self._drawn(camera))
            lens = self._lenses.get(camera.name)
            views[camera.name] = picture if lens is None else lens.picture(picture)
        return views

    def film(self, motion: Motion, fps: float | None) -> tuple[tuple[DemoFrame, ...], tuple[Moment, ...]]:
        """Play the part of a motion that a clip shows; return its pictures at fps, the first bare (None: no
        pictures), and the truth at 30 Hz."""
        duration = motion.duration if motion.opening is not None else self.layout.clip_s
        times = np.arange(0, duration + 1e-6, 1 / fps) if fps else np.array([duration])
        pictures = set(np.round(times / DT).astype(int).tolist())
        truths = set(samples_of(duration).tolist())
        frames, moments = [], []
        now = 0
        for k in sorted({*pictures, *truths}):
            stop = min(k, motion.samples)
            self._bench.play(motion, now, stop)
            now = stop
            moment = self._bench.held.moment(k * DT)
            moments.append(moment)
            if fps and k in pictures:
                frames.append(DemoFrame(k * DT, self.pictures(bare=k == 0), moment))
        return tuple(frames), tuple(m for m in moments if round(m.t / DT) in truths or m is moments[-1])

    def clear(self) -> None:
        """The person leaves; the table comes to rest."""
        self._bench.held.put_away()
        for _ in range(round(SETTLE / DT)):
            self._bench.held.hold_still()
            mujoco.mj_step(self._bench.model, self._bench.data)

    def close(self) -> None:
        """Free the renderer; safe to call twice."""
        self._renderer.close()

    def __enter__(self) -> "FilmedTable":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _drawn(self, camera: Camera) -> tuple[int, int]:
        return self._lenses[camera.name].size if camera.name in self._lenses else camera.size


@functools.lru_cache(PEOPLE)
def _cloth(person: int) -> Image:
    full = cloth_picture(np.random.default_rng([person, 11]))
    return np.asarray(cv2.resize(full, (384, 256), interpolation=cv2.INTER_AREA), np.uint8)


@functools.lru_cache(64)
def _hand(grip: str, thickness: float, side: int, person: int, step: float) -> Skin:
    return hand_skin("thumb" if grip == "thumb" else "fingers", thickness, side, person, step)


@functools.lru_cache(PEOPLE)
def _forearm(person: int, step: float) -> Skin:
    return forearm_skin(0.55, person, 2.2 * step)


def _skins(holds: Mapping[str, Hold], person: int, step: float) -> dict[str, Skin]:
    skins = {}
    for role, held in holds.items():
        skins[f"{body_of(role)} hand"] = _hand(held.grip, held.thickness, held.side, person, step)
        skins[f"{body_of(role)} forearm"] = _forearm(person, step)
    return skins

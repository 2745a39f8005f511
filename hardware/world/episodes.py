"""Demos without a window or a wait: a virtual clock, pictures at clip rate, exact truth. One maker a process."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import Camera, require
from hardware.world.filmed_table import DemoFrame, FilmedTable
from hardware.world.gripper import T_GRIPPER_CAM
from hardware.world.held import GRIPPER
from hardware.world.motion import DT
from hardware.world.render import gl_context
from hardware.world.scene import scaled_camera
from hardware.world.tasks import push_shape
from hardware.world.tasks.layout import Layout, Moment, Verdict
from hardware.world.tasks.table import judge, lay


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


class DemoMaker:
    """Makes demos of a rig's cameras, one after the other. Draws: for a process without a window. Close it at
    the end.

    size (width, height) of all pictures, None: each camera's own.
    """

    def __init__(self, rig: Rig, size: tuple[int, int] | None = None) -> None:
        require(bool(rig.cameras), f"rig {rig.name}: it has no cameras")
        self._rig = rig
        self._cameras = tuple(scaled_camera(c.camera, size or c.camera.size) for c in rig.cameras if not c.on_arm)
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
        with FilmedTable(self._rig, self._cameras, layout, rng, self._gl) as table:
            shot: list[tuple[tuple[DemoFrame, ...], tuple[Moment, ...]]] = []
            while len(shot) < (push_shape.MOST_PUSHES if task == "push-shape" else 1):
                motion = table.next_motion()
                if motion is None:
                    break
                shot.append(table.film(motion, fps))
                table.clear()
                if task == "push-shape" and self._judged(layout, shot).success:
                    break
            if not shot:
                return
            verdict = self._judged(layout, shot)
            final = table.moment().T_world_thing["thing"] if layout.T_world_goal is not None else None
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

    def _as_rendered(self, layout: Layout) -> tuple[Camera, ...]:
        rides = GRIPPER in layout.tools
        return tuple(replace(c, T_world_cam=None) if rides and c.model == "fisheye" else c for c in self._cameras)

    def _judged(self, layout: Layout, shot: list[tuple[tuple[DemoFrame, ...], tuple[Moment, ...]]]) -> Verdict:
        if layout.task == "push-shape":
            return judge(layout, [moments[-1] for _, moments in shot], self._cameras[0])
        return judge(layout, shot[-1][1], self._cameras[0])

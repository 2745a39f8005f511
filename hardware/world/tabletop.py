"""A table that a person works at: one MuJoCo model of a layout, stepped by motions, and tried out in
imagination."""

from collections.abc import Iterator, Mapping

import mujoco
import numpy as np

from hardware.geometry import Array, quaternion
from hardware.rig import Rig
from hardware.types import Camera, Image
from hardware.world.grips import Hold
from hardware.world.hand import Skin
from hardware.world.held import HeldTools, finish_spec, held_contents, set_surfaces
from hardware.world.motion import DT, Motion
from hardware.world.scene import set_mocap, start_scene
from hardware.world.tasks.layout import Layout

SAMPLE_HZ = 30.0
SHADOW, SHADOW_REACH = 512, 0.6


class Workbench:
    """What a demonstrator works with: model, data, the held tools, and the layout; also what LiveWorld offers."""

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, layout: Layout, holds: Mapping[str, Hold]
    ) -> None:
        self.model, self.data, self.layout = model, data, layout
        self.held = HeldTools(model, data, layout, holds)
        self._scratch: tuple[mujoco.MjData, HeldTools] | None = None

    def lay(self) -> None:
        """Put every thing and mark where the layout says, at rest."""
        for name, T in self.layout.T_world_thing.items():
            place_free(self.data, name, T)
        for name, T in self.layout.T_world_mark.items():
            set_mocap(self.model, self.data, name, T)
        mujoco.mj_forward(self.model, self.data)

    def play(self, motion: Motion, first: int, last: int) -> None:
        """Step through samples first to last - 1 of a motion."""
        _play(self.model, self.data, self.held, motion, first, last)

    def imagine(self, motion: Motion, every: int) -> Iterator["HeldTools"]:
        """Play a motion on a copy of the present state; yields the held tools there after every so many steps."""
        if self._scratch is None:
            data = mujoco.MjData(self.model)
            self._scratch = data, HeldTools(self.model, data, self.layout, {})
        data, held = self._scratch
        mujoco.mj_copyData(data, self.model, self.data)
        for k in range(0, motion.samples, every):
            _play(self.model, data, held, motion, k, min(k + every, motion.samples))
            yield held


def _play(
    model: mujoco.MjModel, data: mujoco.MjData, held: HeldTools, motion: Motion, first: int, last: int
) -> None:
    states = list(motion.states.items())
    for k in range(first, last):
        for role, (position, velocity) in states:
            held.drive(role, position[k], velocity[k])
        if motion.opening is not None:
            held.squeeze(float(motion.opening[k]))
        mujoco.mj_step(model, data)


def place_free(data: mujoco.MjData, name: str, T: Array) -> None:
    """Put a free body somewhere, at rest."""
    joint = data.joint(name)
    joint.qpos[:3], joint.qpos[3:] = T[:3, 3], quaternion(T[:3, :3])
    joint.qvel[:] = 0.0


def build_workbench(
    rig: Rig, cameras: tuple[Camera, ...], layout: Layout, holds: Mapping[str, Hold], *, person: int,
    cloth: Image | None = None, skins: Mapping[str, Skin] | None = None, settle_s: float = 0.2,
) -> Workbench:  # fmt: skip
    """Compile a table without arms, lay it, and let things settle; cameras with a fisheye ride on the gripper."""
    mounted = tuple(camera.name for camera in cameras if camera.model == "fisheye")
    contents = held_contents(layout, holds, person=person, cloth=cloth, skins=skins, gripper_cameras=mounted)
    spec = start_scene(rig, cameras, contents)
    finish_spec(spec, layout)
    spec.visual.quality.shadowsize, spec.visual.quality.offsamples = SHADOW, 0
    spec.visual.map.shadowclip = SHADOW_REACH
    model = spec.compile()
    model.opt.timestep = DT
    set_surfaces(model, layout)
    bench = Workbench(model, mujoco.MjData(model), layout, holds)
    bench.lay()
    for _ in range(round(settle_s / DT)):
        bench.held.hold_still()
        mujoco.mj_step(model, bench.data)
    return bench


def samples_of(duration: float) -> Array:
    """Steps at which a stream of SAMPLE_HZ is sampled over a duration [s]."""
    return np.asarray(np.round(np.arange(0, duration, 1 / SAMPLE_HZ) / DT), int)

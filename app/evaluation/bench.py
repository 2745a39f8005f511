"""The held-out table of one trial: its scene, a person who can show the task there, and its arms.

Draws: for a process without a window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.dreams.goals import plane_views, table_goal, with_goal
from app.dreams.scene import Scene, cameras_of, fitted_camera, fitted_picture, poses_to_first, refuse_company
from hardware.arm_in_view import covered
from hardware.geometry import Array
from hardware.mounting import mounted_for
from hardware.rig import Rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Camera, Image, Plan, Tool, require
from hardware.world.arm_play import play
from hardware.world.scene import scaled_camera
from hardware.world.tasks import push_shape
from hardware.world.tasks.layout import Moment, Verdict
from hardware.world.tasks.table import judge, lay
from models.data.clips import stereo_clip
from models.data.clips_pictures import blend
from models.types import Dream, View
from models.video.config import VideoConfig

VIEWS = 2
LONG = ("push-shape",)
"""Tasks of several steps in a row, of which the best counts."""


class NotRun(RuntimeError):
    """Arms did not follow a plan to its end; the message says why."""


@dataclass(frozen=True, eq=False)
class Look:
    """How the rig's cameras look at the tables: config: of the model that is shown them, None: as they are; size:
    of their pictures, None: each camera's own."""

    rig: Rig
    config: VideoConfig | None = None
    size: tuple[int, int] | None = None


class TrialBench:
    """One held-out table of a simulated rig, as it is laid; close it at the end."""

    def __init__(self, look: Look, task: str, seed: int) -> None:
        """Raises ValueError for an unknown task, or a rig that is not simulated or has too few cameras."""
        # here, not above: it binds PyOpenGL to EGL, which the window's process must never be
        from hardware.world.filmed_table import FilmedTable

        rig = look.rig
        require(rig.simulated, f"rig {rig.name}: it is not simulated; valid: a rig whose table is")
        cameras = cameras_of(rig, look.config.views if look.config else VIEWS)
        self.layout = lay(task, seed, True)
        self.tools: Mapping[str, Tool] = {
            role: load_tool(BUILT_IN_TOOLS[name]) for role, name in self.layout.tools.items()
        }
        self._look, self._judging = look, cameras[0]
        self._cameras = tuple(scaled_camera(camera, look.size or camera.size) for camera in cameras)
        # as demos are made: the same person shows the same table in the same way
        rng = np.random.default_rng([seed, 7, 1])
        self._table = FilmedTable(rig, self._cameras, self.layout, rng)
        self.q: Mapping[str, Array] = {arm.name: arm.home for arm in rig.arms}
        """Joints (J,) [rad] of the arms by name, where the last motion left them."""

    def moment(self) -> Moment:
        """What is so now."""
        return self._table.moment()

    def judged(self, steps: Sequence[Sequence[Moment]]) -> Verdict:
        """Hold the task's rule against what was so in each step: its ends, or of a task of one step all of it."""
        moments = [step[-1] for step in steps] if self.layout.task in LONG else steps[-1]
        return judge(self.layout, moments, self._judging)

    def photos(self) -> tuple[Image, ...]:
        """What the cameras see now (H, W, 3), by view; nobody is there."""
        pictures = self._table.pictures()
        return tuple(pictures[camera.name] for camera in self._cameras)

    def scene(self) -> Scene:
        """What the model is shown now, the goal painted in.

        Raises DreamFileError where an arm is in view, ValueError without a model.
        """
        config, cameras, photos = self._config(), self._cameras, self.photos()
        rig = self._look.rig
        refuse_company({}, {}, {camera.name: covered(rig, self.q, camera) for camera in cameras})
        origin = {"kind": "trial", "rig": rig.name, "rig_sha256": rig.sha256, "task": self.layout.task,
                  "table": self.layout.seed, "held_out": True}  # fmt: skip
        scene = Scene(
            tuple(fitted_camera(c, p, config, rig.name) for c, p in zip(cameras, photos, strict=True)),
            poses_to_first(cameras), np.stack([fitted_picture(photo, config) for photo in photos]), photos,
            np.asarray(cameras[0].T_world_cam), "calibrated", self.tools, self.layout.instruction, origin,
        )  # fmt: skip
        goal = table_goal(plane_views(scene, config), self.layout)
        return scene if goal is None else with_goal(scene, goal, config)

    def by_hand(self) -> tuple[Moment, ...]:
        """Let the person do what would help now; () where nothing would."""
        motion = self._table.next_motion()
        if motion is None:
            return ()
        _, moments = self._table.film(motion, None)
        self._table.clear()
        return moments

    def shown(self, name: str) -> Dream | None:
        """Return a video of what the person would do now, as the model would be shown it; the table stays as it is.
        None where nothing would help."""
        before, motion = self.moment().T_world_thing, self._table.next_motion()
        if motion is None:
            return None
        frames, _ = self._table.film(motion, self.layout.fps)
        self._table.clear()
        self._table.put(before)
        first = np.asarray(self._cameras[0].T_world_cam)
        views = [
            self._view(camera, T, np.stack([frame.views[camera.name] for frame in frames]))
            for camera, T in zip(self._cameras, poses_to_first(self._cameras), strict=True)
        ]
        provenance = {"source": "demonstrator", "task": self.layout.task, "table": self.layout.seed}
        return Dream(name, self.layout.fps, tuple(views), self.tools, first, "calibrated", provenance)

    def carried(self, plan: Plan) -> Mapping[str, Tool]:
        """Return by the arms' roles what they carry for a plan."""
        return mounted_for(self._look.rig, self.tools, plan.arms)

    def roles(self, plan: Plan) -> Mapping[str, str]:
        """Return by arm the role of the tool that a plan moves."""
        by_name = {tool.name: role for role, tool in self.tools.items()}
        return {arm.arm: by_name[arm.tool] for arm in plan.arms}

    def execute(self, plan: Plan) -> tuple[Moment, ...]:
        """Let the arms follow a plan on a virtual clock; return what was so.

        Raises ValueError for a plan that breaks a rule of motion: it is not run.
        """
        broken = ", ".join(dict.fromkeys(check.rule for check in plan.violations))
        require(not broken, f"plan {plan.dream}: it breaks {broken}; valid: a plan that keeps every rule")
        lying = self.moment().T_world_thing
        moments = play(plan, self._look.rig, self.carried(plan), self.roles(plan), self.layout, lying)
        self.leave(moments[-1], {arm.arm: arm.q[-1] for arm in plan.arms})
        return moments

    def leave(self, moment: Moment, q: Mapping[str, Array]) -> None:
        """Take over how a motion left things and arms."""
        self._table.put(moment.T_world_thing)
        self.q = {**self.q, **q}

    def close(self) -> None:
        """Free the renderer; safe to call twice."""
        self._table.close()

    def __enter__(self) -> "TrialBench":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _config(self) -> VideoConfig:
        if self._look.config is None:
            raise ValueError("scene: there is no model to look at it; valid: with a model")
        return self._look.config

    def _view(self, camera: Camera, T_view1_view: Array, frames: Image) -> View:
        config = self._look.config
        if config is None:
            return View(camera, T_view1_view, frames)
        fitted = fitted_camera(camera, frames[0], config, self._look.rig.name)
        pictures = np.stack([fitted_picture(frame, config) for frame in frames])
        how, T_world_goal = stereo_clip(self.layout.task).goal, self.layout.T_world_goal
        if how is not None and T_world_goal is not None:
            mask = push_shape.mask(self.layout.things["thing"], T_world_goal, camera).astype(np.uint8)
            share = fitted_picture(255 * mask, config) / 255
            pictures = np.stack([blend(picture, share, how) for picture in pictures])
        return View(fitted, T_view1_view, pictures)

"""The live simulated table: arms follow given joint angles, push free objects, and cameras look on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from hardware.arm_model import add_arm, link_names
from hardware.geometry import Array, rotation_from_quaternion, transform
from hardware.kinematics import ArmKinematics
from hardware.rig import Rig
from hardware.rig_devices import CameraConfig
from hardware.types import Camera, Mesh, Tool, require
from hardware.world.demonstrator import SHOW
from hardware.world.held import draw_holds, finish_spec, held_contents, set_arm_tool, set_surfaces
from hardware.world.held_board import HeldBoard, add_board
from hardware.world.objects import UNSEEN_GROUP, choose_thing
from hardware.world.person import Person
from hardware.world.scene import add_camera, add_tool_geom, start_scene
from hardware.world.tabletop import Workbench, place_free
from hardware.world.tasks.layout import Layout, Moment
from hardware.world.tasks.table import TASKS, lay

# an arm is driven along its joint angles whatever it touches: to the contact solver it is immovable
IMMOVABLE = 1e4
LINK_DETAIL = 0.008
LIVE_SHADOW, LIVE_SHADOW_REACH, LIVE_SAMPLES = 512, 0.6, 0  # coarser than a clip's, at half of its time
LIVE_ROUND = 16, 10, 1  # slices and stacks of balls, squares a side of a box
POST_RADIUS = 0.016


@dataclass(frozen=True, eq=False)
class WorldTruth:
    """What is really so at t_host [s]: poses in the world by object ("thing", "thing/0" ..) and by arm, joints by
    arm (J,) [rad]; thing says what the object is; held: the same and the tools in a person's hands as success rules
    take it; showing: whether the scripted person is at work; touching: pairs (arm, object) where an arm's tool
    is in contact."""

    t_host: float
    task: str
    seed: int
    thing: str
    T_world_object: Mapping[str, Array]
    T_world_tool: Mapping[str, Array]
    q: Mapping[str, Array]
    held: Moment | None = None
    showing: bool = False
    instruction: str = ""
    T_world_goal: Array | None = None
    objects: tuple[str, ...] = ()
    held_out: bool = False
    touching: frozenset[tuple[str, str]] = frozenset()


class LiveWorld:
    """One MuJoCo model of rig, arms, tools and the objects of a task; time moves only in `advance`."""

    def __init__(
        self,
        rig: Rig,
        cameras: tuple[Camera, ...],
        tools: Mapping[str, Tool],
        task: str,
        seed: int,
        held_out: bool = False,
    ) -> None:
        """tools by role; an arm whose role has none goes bare. The same task and seed lay the same table: a task's
        (hardware/world/tasks), or that of a rendered clip. Raises ValueError for an unknown task."""
        self.layout = _layout(task, seed, held_out)
        self.task, self.seed = task, seed
        self.thing = next(iter(self.layout.things.values())).name
        self._arms = rig.arms
        holds = draw_holds(self.layout, np.random.default_rng([seed, 7]))
        riding = tuple(camera.name for camera in cameras if camera.model == "fisheye")
        mounts = {config.camera.name: config for config in rig.cameras if config.on_arm}
        standing = tuple(camera for camera in cameras if camera.name not in mounts)
        require(bool(standing), f"rig {rig.name}: an arm carries every camera; valid: one or more that stand")
        spec = start_scene(rig, standing, held_contents(self.layout, holds, person=seed, gripper_cameras=riding))
        finish_spec(spec, self.layout)
        add_board(spec)
        for arm in rig.arms:
            tool = tools.get(arm.role)
            if tool is None:
                add_arm(spec, arm, None, LINK_DETAIL)
                continue
            # in one colour: how it looks is drawn here, and MuJoCo takes no mesh of a single triangle
            add_arm(spec, arm, replace(tool, mesh=Mesh(tool.mesh.vertices, tool.mesh.faces)), LINK_DETAIL)
            _dress(spec, arm.name, tool)
        for camera in cameras:
            if camera.name in mounts:
                _mount(spec, camera, mounts[camera.name], rig)
        spec.visual.quality.shadowsize, spec.visual.quality.offsamples = LIVE_SHADOW, LIVE_SAMPLES
        spec.visual.map.shadowclip = LIVE_SHADOW_REACH
        quality = spec.visual.quality
        quality.numslices, quality.numstacks, quality.numquads = LIVE_ROUND
        self.model = spec.compile()
        set_surfaces(self.model, self.layout)
        for arm in rig.arms:
            if arm.role in tools:
                set_arm_tool(self.model, f"{arm.name}/tool", tools[arm.role].name)
        self.data = mujoco.MjData(self.model)
        self._joints = {arm.name: self._joint_ids(arm.name) for arm in rig.arms}
        for columns in self._joints.values():
            self.model.dof_armature[self.model.jnt_dofadr[columns]] = IMMOVABLE
            self.model.jnt_limited[columns] = 0
        self._objects = list(self.layout.T_world_thing)
        self._owners = self._owner_names()
        self._q = {arm.name: arm.home.copy() for arm in rig.arms}
        self._bench = Workbench(self.model, self.data, self.layout, holds)
        self.person = Person(self._bench, standing[0])
        self._set_joints({arm.name: arm.home for arm in rig.arms}, 0.0)
        self.board = HeldBoard(self.model, self.data)
        self._bench.lay()

    @property
    def time(self) -> float:
        """Simulated time [s] since the table was laid."""
        return float(self.data.time)

    def advance(self, seconds: float, q: Mapping[str, Array]) -> None:
        """Move on by about `seconds` while the arms go evenly to joint angles q by arm (J,) [rad]."""
        steps = max(1, round(seconds / self.model.opt.timestep))
        start, dt = {name: self._q[name] for name in q}, float(self.model.opt.timestep)
        for k in range(steps):
            now = {name: start[name] + (target - start[name]) * (k / steps) for name, target in q.items()}
            self._set_joints(now, 1.0 / (steps * dt), {name: q[name] - start[name] for name in q})
            self.person.before_step()
            mujoco.mj_step(self.model, self.data)
            self.person.after_step(self.time)
        self._set_joints(q, 0.0)
        self._bench.held.place_hands()
        self._move_board(steps * dt)
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)

    def jump(self, q: Mapping[str, Array]) -> None:
        """Put arms at joint angles q by arm (J,) [rad] at once."""
        self._set_joints(q, 0.0)
        mujoco.mj_forward(self.model, self.data)

    def truth(self, t_host: float) -> WorldTruth:
        """What is so now, stamped t_host."""
        tools = {arm.name: f"{arm.name}/tool" for arm in self._arms}
        there = {arm: body for arm, body in tools.items() if self._has_body(body)}
        return WorldTruth(
            t_host=t_host,
            task=self.task,
            seed=self.seed,
            thing=self.thing,
            T_world_object={name: self._pose(name) for name in self._objects},
            T_world_tool={arm: self._pose(body) for arm, body in there.items()},
            q={name: q.copy() for name, q in self._q.items()},
            held=self._bench.held.moment(self.time),
            showing=self.person.showing,
            instruction=self.layout.instruction,
            T_world_goal=self.layout.T_world_goal,
            objects=self.layout.objects,
            held_out=self.layout.held_out,
            touching=self._touching(),
        )

    def place(self, name: str, T_world_object: Array) -> None:
        """Put an object somewhere, at rest. Raises KeyError naming what there is."""
        if name not in self._objects:
            raise KeyError(f"object: {name!r} is not one of {self._objects}")
        place_free(self.data, name, T_world_object)
        mujoco.mj_forward(self.model, self.data)

    def _move_board(self, seconds: float) -> None:
        carrier = next((arm for arm in self._arms if arm.name == self.board.carried_by), None)
        if carrier is None:
            self.board.advance(seconds)
            return
        T_base_flange = ArmKinematics.load(carrier.model).flange_pose(self._q[carrier.name])
        self.board.follow(carrier.T_world_base @ T_base_flange)

    def _joint_ids(self, arm: str) -> list[int]:
        names = [self.model.joint(k).name for k in range(self.model.njnt)]
        return [k for k, name in enumerate(names) if name.startswith(f"{arm}/joint")]

    def _set_joints(self, q: Mapping[str, Array], rate: float, way: Mapping[str, Array] | None = None) -> None:
        for name, angles in q.items():
            ids = self._joints[name]
            self.data.qpos[self.model.jnt_qposadr[ids]] = angles
            self.data.qvel[self.model.jnt_dofadr[ids]] = 0.0 if way is None else way[name] * rate
            self._q[name] = np.array(angles, float)

    def _touching(self) -> frozenset[tuple[str, str]]:
        contacts = self.data.contact.geom[: self.data.ncon].tolist()
        pairs = [(self._owners[a], self._owners[b]) for a, b in contacts]
        both = (*pairs, *((b, a) for a, b in pairs))
        return frozenset((a[:-5], b) for a, b in both if a.endswith("/tool") and b in self._objects)

    def _owner_names(self) -> list[str]:
        """By geom: "arm/tool" of an arm's tool, the name of an object, "" of anything else."""
        known = {*self._objects, *(f"{arm.name}/tool" for arm in self._arms)}
        bodies = [{self.model.body(int(k)).name, self.model.body(int(self.model.body_rootid[k])).name}
                  for k in self.model.geom_bodyid]  # fmt: skip
        return [next(iter(names & known), "") for names in bodies]

    def _has_body(self, name: str) -> bool:
        return bool(mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, name) >= 0)

    def _pose(self, body: str) -> Array:
        found = self.data.body(body)
        return transform(rotation_from_quaternion(found.xquat), found.xpos)


def _layout(task: str, seed: int, held_out: bool) -> Layout:
    """The table of a task, or of a rendered clip: then with nothing for a person to hold."""
    require(task in TASKS or task in SHOW, f"task: {task!r} is not one of {[*TASKS, *SHOW]}")
    if task in TASKS:
        return lay(task, seed, held_out)
    require(not held_out, f"task: {task!r} has no held-out objects; valid: {list(TASKS)}")
    rng = np.random.default_rng([seed, list(SHOW).index(task)])
    thing = choose_thing(task, rng)
    show = SHOW[task](thing, rng, 2.0)
    poses = {name: path(0.0) for name, path in show.paths.items() if name not in show.tools}
    return Layout(task, seed, False, "", {"thing": thing}, poses, {}, clip_s=2.0, fps=6.0)


def _mount(spec: mujoco.MjSpec, camera: Camera, config: CameraConfig, rig: Rig) -> None:
    """Let an arm carry a camera on its flange."""
    arm = rig.arm(config.mounted_on)
    T_flange_cam = np.eye(4) if config.T_mount_cam is None else config.T_mount_cam
    last = spec.body(f"{arm.name}/{link_names(arm.model)[-1]}")
    add_camera(last, camera, ArmKinematics.load(arm.model).T_last_flange @ T_flange_cam)


def _dress(spec: mujoco.MjSpec, arm: str, tool: Tool) -> None:
    """Draw the tool with its print and the post that holds it, in place of the arm model's plain parts."""
    body = spec.body(f"{arm}/tool")
    for geom in body.geoms:
        if geom.name.endswith("/visual"):
            geom.group = UNSEEN_GROUP
    add_tool_geom(spec, body, f"{arm}/print", tool)
    flange = np.linalg.inv(tool.T_flange_tool)[:3, 3]
    if np.linalg.norm(flange) > 0.01:
        body.add_geom(
            name=f"{arm}/post", type=mujoco.mjtGeom.mjGEOM_CYLINDER, fromto=[0, 0, 0, *flange],
            size=[POST_RADIUS, 0, 0], rgba=[0.2, 0.2, 0.22, 1], contype=0, conaffinity=0, group=2, mass=0.0,
        )  # fmt: skip

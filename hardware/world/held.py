"""Tools in a person's hand inside a MuJoCo model: driven along poses, pushing what is free; hands drawn with
them."""

import math
from collections.abc import Mapping

import mujoco
import numpy as np

from hardware.geometry import Array, quaternion, rotation_from_quaternion, rotation_from_vector, transform
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Image
from hardware.world.gripper import LARGEST_OPENING, T_GRIPPER_CAM, gripper_hold
from hardware.world.grips import Hold, hold
from hardware.world.hand import Skin, forearm_skin, hand_skin
from hardware.world.objects import UNSEEN_GROUP
from hardware.world.scene import AWAY, SceneContents, set_mocap
from hardware.world.tasks.layout import Layout, Light, Moment

GRIPPER = "gripper"
# the handheld gripper waits here, out of the scene cameras' view, while nobody holds it
T_WORLD_REST: Array = transform(np.array([[0.0, -1, 0], [0.0, 0, 1], [-1.0, 0, 0]]), [0.0, -0.56, 0.12])
FRICTION: Mapping[str, float] = {
    "rotation_gripper_left": 1.0, "rotation_gripper_right": 1.0, "pusher": 0.4, "brush": 0.5, "scooper": 0.25,
}  # fmt: skip
COARSE = 2.0  # how much coarser than in a clip hands are meshed: pictures here are small or many


def body_of(role: str) -> str:
    """Name of a held tool's body; arms carry theirs under other names."""
    return f"held/{role}"


def draw_holds(layout: Layout, rng: np.random.Generator) -> dict[str, Hold]:
    """How the person of this demonstration holds each of the layout's tools."""
    return {role: gripper_hold(rng) if tool == GRIPPER else hold(tool, rng) for role, tool in layout.tools.items()}


def held_contents(
    layout: Layout, holds: Mapping[str, Hold], *, person: int, cloth: Image | None = None,
    skins: Mapping[str, Skin] | None = None, gripper_cameras: tuple[str, ...] = (),
) -> SceneContents:  # fmt: skip
    """What start_scene takes for a layout, its tools and the person's hands (made here unless given)."""
    tools = {body_of(role): load_tool(BUILT_IN_TOOLS[t]) for role, t in layout.tools.items() if t != GRIPPER}
    grippers = [body_of(role) for role, t in layout.tools.items() if t == GRIPPER]
    gripper = grippers[0] if grippers else ""
    return SceneContents(
        tools=tools, skins=make_skins(holds, person) if skins is None else skins, things=layout.things,
        marks=layout.marks, physics=True, seed=person, gripper=gripper, cloth=cloth,
        mounted={name: (gripper, T_GRIPPER_CAM) for name in gripper_cameras if gripper},
    )  # fmt: skip


def make_skins(holds: Mapping[str, Hold], person: int) -> dict[str, Skin]:
    """Hands and forearms by body name."""
    skins = {}
    for role, held in holds.items():
        step = 0.0026 * COARSE
        skins[f"{body_of(role)} hand"] = hand_skin(held.grip, held.thickness, held.side, person, step)
        skins[f"{body_of(role)} forearm"] = forearm_skin(0.55, person, 0.0057 * COARSE)
    return skins


def finish_spec(spec: mujoco.MjSpec, layout: Layout) -> None:
    """What a layout's tools need beyond their looks: the scooper's hollow, a gripper's firm hold."""
    for role, tool in layout.tools.items():
        body = spec.body(body_of(role))
        if tool == "scooper":
            for geom in body.geoms:
                geom.contype = geom.conaffinity = 0
            _add_scoop(body)
        if tool == GRIPPER:
            spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
            spec.option.impratio = 10.0


def _add_scoop(body: mujoco.MjsBody) -> None:
    """The scooper's bowl as thin plates: floor, lip, back, and walls that stand outward."""

    def plate(
        size: tuple[float, float, float], place: tuple[float, float, float], roll: float, pitch: float
    ) -> None:
        R = rotation_from_vector(np.array([[roll, 0.0, 0.0], [0.0, pitch, 0.0]]))
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX, size=size, pos=place, quat=quaternion(R[1] @ R[0]), group=UNSEEN_GROUP,
            mass=0.0,
        )  # fmt: skip

    plate((0.021, 0.022, 0.0015), (0.115, 0.0, -0.0365), 0.0, 0.0)
    for pitch, x in ((-0.65, 0.1435), (0.65, 0.0865)):  # the lip, and the back
        plate((0.0115, 0.02, 0.0015), (x, 0.0, -0.030), 0.0, pitch)
    for side in (1.0, -1.0):
        plate((0.025, 0.010, 0.0015), (0.115, side * 0.0295, -0.030), side * 0.75, 0.0)
        plate((0.022, 0.007, 0.0015), (0.115, side * 0.0365, -0.0165), side * 1.45, 0.0)
        for pitch, x in ((-0.5, 0.141), (0.5, 0.089)):
            plate((0.010, 0.010, 0.0015), (x, side * 0.022, -0.0215), side * 0.9, pitch)
    plate((0.0015, 0.02, 0.008), (0.0785, 0.0, -0.017), 0.0, 0.0)


def set_surfaces(model: mujoco.MjModel, layout: Layout) -> None:
    """Friction and light of a layout, on the compiled model."""
    roots = model.body_rootid[model.geom_bodyid]
    held = {model.body(body_of(role)).id for role in layout.tools}
    if layout.friction is not None:
        model.geom_friction[[k for k in range(model.ngeom) if roots[k] not in held], 0] = layout.friction
    for role, tool in layout.tools.items():
        geoms = roots == model.body(body_of(role)).id
        model.geom_priority[geoms] = 1  # what a tool is made of decides how things slide on it
        if tool != GRIPPER:
            model.geom_friction[geoms, 0] = FRICTION[tool]
    if layout.light is not None:
        set_light(model, layout.light)


def set_arm_tool(model: mujoco.MjModel, body: str, tool: str) -> None:
    """Let things slide on a tool that an arm carries as on the same tool in a hand."""
    geoms = model.geom_bodyid == model.body(body).id
    if tool in FRICTION:
        model.geom_priority[geoms] = 1
        model.geom_friction[geoms, 0] = FRICTION[tool]


def set_light(model: mujoco.MjModel, light: Light) -> None:
    c, s = np.cos(light.turn), np.sin(light.turn)
    for name, factor in (("lamp", light.lamp), ("window", light.window)):
        k = model.light(name).id
        model.light_diffuse[k] = np.clip(model.light_diffuse[k] * factor, 0, 1)
        x, y, z = model.light_dir[k]
        model.light_dir[k] = c * x - s * y, s * x + c * y, z


class HeldTools:
    """The held tools and hands of one model. A tool is away, or where `drive` last put it."""

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, layout: Layout, holds: Mapping[str, Hold]
    ) -> None:
        self._model, self._data, self._holds = model, data, dict(holds)
        self._layout = layout
        self._reach = {
            role: h.reach_limits[0] + 0.3 * (h.reach_limits[1] - h.reach_limits[0]) for role, h in holds.items()
        }
        self._qpos = {role: int(model.joint(body_of(role)).qposadr[0]) for role in layout.tools}
        self._qvel = {role: int(model.joint(body_of(role)).dofadr[0]) for role in layout.tools}
        grippers = [role for role, tool in layout.tools.items() if tool == GRIPPER]
        self.gripper = grippers[0] if grippers else None
        self._fingers = [model.actuator(f"{body_of(g)}/finger{k}").id for g in grippers for k in range(2)]
        self._finger_q = [int(model.joint(k).qposadr[0]) for k in model.actuator_trnid[self._fingers, 0]]
        self._owners = self._owner_names()
        first = [int(model.joint(name).qposadr[0]) for name in layout.T_world_thing]
        self._thing_rows = np.array(first, int)[:, None] + np.arange(7)
        self.present: dict[str, bool] = {}
        self.put_away()

    def put_away(self) -> None:
        """Nobody is at the table: tools and hands leave, the gripper goes to its rest, open."""
        for role in self._layout.tools:
            rest = T_WORLD_REST if role == self.gripper else None
            self.put(role, rest)
            self.present[role] = False
        for k, address in enumerate(self._finger_q):
            self._data.qpos[address] = LARGEST_OPENING / 2
            self._data.ctrl[self._fingers[k]] = LARGEST_OPENING / 2
        self.place_hands(bare=True)

    def put(self, role: str, T_world_tool: Array | None) -> None:
        """Put a tool somewhere at rest; None: away."""
        adr, dof = self._qpos[role], self._qvel[role]
        self._data.qvel[dof : dof + 6] = 0.0
        if T_world_tool is None:
            self._data.qpos[adr : adr + 7] = [*AWAY, 1, 0, 0, 0]
        else:
            self._data.qpos[adr : adr + 7] = _state(T_world_tool)
            self.present[role] = True

    def drive(self, role: str, position: Array, velocity: Array) -> None:
        """Set a tool's free joint for the coming step: position (7,), velocity (6,)."""
        adr, dof = self._qpos[role], self._qvel[role]
        self._data.qpos[adr : adr + 7], self._data.qvel[dof : dof + 6] = position, velocity
        self.present[role] = True

    def hold_still(self) -> None:
        """Keep tools that nobody drives where they are: gravity and contact must not creep in."""
        for role in self._layout.tools:
            self._data.qvel[self._qvel[role] : self._qvel[role] + 6] = 0.0

    def squeeze(self, opening: float) -> None:
        """Ask the fingers for an opening [m]; less than what is between them presses on it."""
        self._data.ctrl[self._fingers] = np.clip(opening, -0.02, LARGEST_OPENING) / 2

    @property
    def asked_opening(self) -> float:
        """What the fingers were last asked for [m], nan without a gripper."""
        return float(self._data.ctrl[self._fingers].sum()) if self._fingers else float("nan")

    @property
    def opening(self) -> float:
        """Gap between the pads [m], nan without a gripper."""
        return float(max(0.0, sum(self._data.qpos[self._finger_q]))) if self._finger_q else float("nan")

    @property
    def grip(self) -> float:
        """What the pads press with [N], nan without a gripper: the squeeze, while both pads are at something."""
        if not self._fingers:
            return float("nan")
        between = {body for role, body in self.touching() if role == self.gripper}
        return float(np.clip(-self._data.actuator_force[self._fingers], 0, None).mean()) if between else 0.0

    def place_hands(self, *, bare: bool = False) -> None:
        """Put every hand onto its tool; bare, or where the tool is away: out of sight."""
        for role, held in self._holds.items():
            T_hand = None
            if not bare and self.present.get(role):
                T_hand = held.hand(self.pose(role), self._reach[role])
            set_mocap(self._model, self._data, f"{body_of(role)} hand", T_hand)
            set_mocap(
                self._model,
                self._data,
                f"{body_of(role)} forearm",
                None if T_hand is None else held.forearm(T_hand),
            )

    def pose(self, role: str) -> Array:
        """T_world_tool (4, 4), exactly as driven."""
        adr = self._qpos[role]
        return transform(
            rotation_from_quaternion(self._data.qpos[adr + 3 : adr + 7]), self._data.qpos[adr : adr + 3]
        )

    def poses(self) -> dict[str, Array]:
        """T_world_tool by role, nan while a tool is away; a gripper at rest has a pose too."""
        there = {role: self.present.get(role, False) or role == self.gripper for role in self._layout.tools}
        return {role: self.pose(role) if there[role] else np.full((4, 4), np.nan) for role in there}

    def touching(self) -> frozenset[tuple[str, str]]:
        """Pairs (role, body) of held tools and things in contact."""
        contacts = self._data.contact.geom[: self._data.ncon].tolist()
        pairs = {(self._owners[a], self._owners[b]) for a, b in contacts}
        both = pairs | {(b, a) for a, b in pairs}
        return frozenset((a[5:], b) for a, b in both if a.startswith("held/") and b and not b.startswith("held/"))

    def thing(self, name: str) -> Array:
        """T_world_thing (4, 4) of a thing or particle."""
        return body_pose(self._data, name)

    def planar(self, name: str) -> tuple[float, float, float]:
        """x, y [m] and heading [rad] of a thing: as `thing`, but quick, for who asks thousands of times."""
        x, y, _, a, b, c, d = self._data.joint(name).qpos.tolist()
        return x, y, math.atan2(2 * (a * d + b * c), 1 - 2 * (c * c + d * d))

    def moment(self, t: float) -> Moment:
        """What is so now, called t [s]."""
        rows = self._data.qpos[self._thing_rows]
        poses = transform(rotation_from_quaternion(rows[:, 3:]), rows[:, :3])
        things = dict(zip(self._layout.T_world_thing, poses, strict=True))
        return Moment(t, things, self.poses(), self.touching(), self.opening, self.grip)

    def _owner_names(self) -> list[str]:
        """By geom: "held/role" of a held tool, the body of a thing, "" of anything else."""
        known = {*self._layout.T_world_thing, *(body_of(role) for role in self._layout.tools)}
        roots = [self._model.body(int(r)).name for r in self._model.body_rootid[self._model.geom_bodyid]]
        return [name if name in known else "" for name in roots]


def _state(T: Array) -> Array:
    return np.concatenate([T[:3, 3], quaternion(T[:3, :3])])


def body_pose(data: mujoco.MjData, name: str) -> Array:
    """T_world_body (4, 4) of a free body, by its joint: exact at once, without a forward pass."""
    q = data.joint(name).qpos
    return transform(rotation_from_quaternion(q[3:7]), q[:3])

"""What the parts of the planner share: one arm's job, and the scene that all arms move in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.collision import Clearance, CollisionModel, Kind
from hardware.geometry import Array, apply, inverse
from hardware.kinematics import ArmKinematics
from hardware.planner.paths import LiftedPath, ToolPath
from hardware.rig import ArmConfig, Rig
from hardware.types import ArmLimits, Tool, require

Joints = Mapping[str, Array]
# the hulls of one arm's own links say less than what is really between them
MARGIN: Mapping[Kind, float] = {"self": 0.01, "arms": 0.02, "keep-out": 0.02, "table": 0.02}


@dataclass(frozen=True, eq=False)
class ArmTask:
    """One arm with its tool, limits, measured start q_start (J,) [rad], the poses given and the path to follow.

    kinematics has the joint limits of `limits`.
    """

    config: ArmConfig
    kinematics: ArmKinematics
    tool: Tool
    limits: ArmLimits
    q_start: Array
    given: ToolPath
    path: LiftedPath

    @property
    def name(self) -> str:
        return self.config.name

    def T_base_flange(self, T_world_tool: Array) -> Array:
        """Return the flange poses (..., 4, 4) that hold the tool at T_world_tool (..., 4, 4)."""
        return np.asarray(inverse(self.config.T_world_base) @ T_world_tool @ inverse(self.tool.T_flange_tool))

    def T_base_tool(self, q: Array) -> Array:
        """Return (..., 4, 4) by forward kinematics of q (..., J)."""
        return np.asarray(self.kinematics.flange_pose(q) @ self.tool.T_flange_tool)

    def tip(self, q: Array) -> Array:
        """Return the tool tip (..., 3) in world [m] for q (..., J)."""
        T = self.config.T_world_base @ self.T_base_tool(q)
        return apply(T, self.tool.tip[None])[..., 0, :]

    def lowest(self, q: Array) -> Array:
        """Return the height (...) [m] of the tool's lowest point for q (..., J)."""
        T = self.config.T_world_base @ self.T_base_tool(q)
        return np.asarray((T[..., 2, :3] @ self.tool.mesh.vertices.T).min(axis=-1) + T[..., 2, 3])

    def inside(self, q: Array) -> Array:
        """Return how far (...) [m] the tip is inside its workspace for q (..., J); negative outside."""
        tip, (low, high) = self.tip(q), self.limits.workspace
        return np.asarray(np.minimum(tip - low, high - tip).min(axis=-1))

    def room(self, q: Array) -> float:
        """Return the smallest of tool height, workspace and singularity distance along q (N, J), less its limit."""
        singularity = self.kinematics.singularity_distance(q) - self.limits.min_singularity
        height = self.lowest(q) - self.limits.min_tip_height
        return min(float(values.min()) for values in (height, self.inside(q), singularity))


class Scene:
    """The collision model with the arms that stand still in this plan."""

    def __init__(self, rig: Rig, tools: Mapping[str, Tool], tasks: Sequence[ArmTask], resting: Joints) -> None:
        self._model = CollisionModel(rig, tools)
        self._tasks = tasks
        self._resting = resting

    def check(self, q: Joints, between: bool = True) -> Clearance:
        """Return the distances along q (N, J) by arm; see CollisionModel.check."""
        n = len(next(iter(q.values())))
        still = {arm: np.broadcast_to(joints, (n, len(joints))) for arm, joints in self._resting.items()}
        return self._model.check({**still, **q}, between)

    def room(self, q: Joints, between: bool = True) -> float:
        """Return by how much [m] the rules of place are kept along q (N, J) by arm; negative where one is broken.

        The rules: clearance, tool height and workspace; a singularity's distance counts as metres.
        """
        distance = self.check(q, between).distance
        clearance = min(float(distance[kind].min()) - margin for kind, margin in MARGIN.items())
        return min(clearance, *(task.room(q[task.name]) for task in self._tasks))


def kept_limits(
    limits: ArmLimits, tool: Tool, table_height: float, tip_speed: float = np.inf, give_way: float = np.inf
) -> ArmLimits:
    """Return what a plan keeps beside an arm's own limits: a slower tip [m/s], the height that the tool's own task
    asks for above the table [m], and the force [N] over which it gives way."""
    height = max(limits.min_tip_height, table_height + (tool.min_tip_height or 0.0))
    speed = min(limits.tip_speed, tip_speed)
    return replace(limits, tip_speed=speed, min_tip_height=height, give_way_force=give_way)


def kinematics_within(model: str, limits: ArmLimits) -> ArmKinematics:
    """Return the kinematics of a model with its controller's joint limits, which may be the narrower ones."""
    return replace(ArmKinematics.load(model), q_lower=limits.q_lower, q_upper=limits.q_upper)


def require_known(
    argument: str,
    arm: str,
    rig: Rig,
    limits: Mapping[str, ArmLimits],
    tools: Mapping[str, Tool],
    q_start: Mapping[str, Array],
) -> None:
    """Raise ValueError, naming the argument, unless the rig has this arm and everything is given for it."""
    names = [config.name for config in rig.arms]
    require(arm in names, f"{argument}: the rig has no arm {arm!r}; it has {names}")
    for name, given in (("limits", limits), ("tools", tools), ("q_start", q_start)):
        require(arm in given, f"{name}: arm {arm!r} is missing; it has {sorted(given)}")

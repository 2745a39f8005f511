"""What the parts of the planner share: one arm's job, and the scene that all arms move in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.collision import Clearance, CollisionModel
from hardware.geometry import Array, apply, inverse
from hardware.kinematics import ArmKinematics
from hardware.planner.paths import LiftedPath, ToolPath
from hardware.rig import ArmConfig, Rig
from hardware.types import ArmLimits, Tool

Joints = Mapping[str, Array]
MARGIN = 0.02


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
        """Return how much nearer [m] the scene allows along q (N, J) by arm: clearance less MARGIN, tool height."""
        clearance = float(self.check(q, between).nearest.min()) - MARGIN
        heights = [float(task.lowest(q[task.name]).min()) - task.limits.min_tip_height for task in self._tasks]
        return min([clearance, *heights])

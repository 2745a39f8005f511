"""The wizards in which an arm touches things: a tool's tip on one point, or the table in several places.

Without a window: poses in, verdict in words out. The poses come from whoever knows where the flange is.
"""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from app.calibration.measured_tables import table_file
from hardware.calibration.table_plane import PlaneResult, solve_plane, touched_points
from hardware.calibration.tool_tip import TipResult, solve_tip
from hardware.geometry import Array, apply, inverse, is_transform
from hardware.types import Tool
from hardware.whole_file import write_whole
from models.data.text_files import to_toml

Kind = Literal["tip", "table"]
LEAST = {"tip": 4, "table": 3}
SAME_M, SAME_RAD = 5e-4, np.radians(1.0)


@dataclass(frozen=True, eq=False)
class Touching:
    """What has been touched so far: T_base_flange (4, 4) each; tip (3,) [m] in the flange frame for the table."""

    kind: Kind
    poses: tuple[Array, ...] = ()
    tip: Array = field(default_factory=lambda: np.zeros(3))

    def added(self, T_base_flange: Array, at: int | None = None) -> "Touching":
        """Add a touch, or do touch number `at` again. ValueError where it is no pose, or the last one once more."""
        if not is_transform(T_base_flange):
            raise ValueError("the flange's pose is not known; connect the arm")
        others = [pose for i, pose in enumerate(self.poses) if i != at]
        if any(self._same(pose, T_base_flange) for pose in others):
            raise ValueError("the flange has not moved since another touch; move it, then take the touch")
        poses = list(self.poses)
        if at is None:
            poses.append(T_base_flange)
        else:
            poses[at] = T_base_flange
        return replace(self, poses=tuple(poses))

    def without(self, at: int) -> "Touching":
        return replace(self, poses=tuple(pose for i, pose in enumerate(self.poses) if i != at))

    @property
    def result(self) -> TipResult | PlaneResult | None:
        """None before there are enough; ValueError in words where they do not do."""
        if len(self.poses) < LEAST[self.kind]:
            return None
        if self.kind == "tip":
            return solve_tip(self.poses)
        return solve_plane(touched_points(self.poses, self.tip))

    @property
    def step(self) -> str:
        """What to do next, in words."""
        left = LEAST[self.kind] - len(self.poses)
        if self.kind == "tip":
            if not self.poses:
                return (
                    "Fix a sharp point on the table. Guide the arm until the tool's tip touches it, then take it."
                )
            if left > 0:
                return f"Lean the tool to another side, tip on the same point. {left} more."
            return "Enough. More touches, leant further, make it surer."
        if not self.poses:
            return "Guide the arm until the tip just touches the table at one corner, then take it."
        if left > 0:
            return f"Touch the table at another corner, far from the others. {left} more."
        return "Enough. A fourth touch and more tell how flat it is."

    @staticmethod
    def _same(a: Array, b: Array) -> bool:
        turn = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2
        near = float(np.linalg.norm(a[:3, 3] - b[:3, 3])) < SAME_M
        return near and float(np.arccos(np.clip(turn, -1, 1))) < SAME_RAD


def tool_with_tip(tool: Tool, result: TipResult) -> Tool:
    """Return the tool with the tip that was found, from the flange's frame into its own."""
    return replace(tool, tip=apply(inverse(tool.T_flange_tool), result.tip[None])[0])


def tip_in_flange(tool: Tool) -> Array:
    """(3,) [m]"""
    return np.asarray(apply(tool.T_flange_tool, tool.tip[None])[0])


def table_words(plane: PlaneResult, T_world_base: Array) -> str:
    """Say how the touched table lies against the world's table, whose top is z = 0."""
    world = plane.in_world(T_world_base)
    height = world.height_at(T_world_base[:2, 3] + [0.3, 0.0])
    return (
        f"The table is {1e3 * height:+.1f} mm against the rig's and leans {np.degrees(world.tilt_rad):.2f} degrees."
    )


def save_table(workspace: Path, rig: str, arm: str, plane: PlaneResult, touches: tuple[Array, ...]) -> Path:
    """Write WORKSPACE/calibration/table_ARM.toml, whole or not at all; return it. Raises OSError."""
    path = table_file(workspace, arm)
    path.parent.mkdir(parents=True, exist_ok=True)
    table: dict[str, object] = {
        "rig": rig,
        "arm": arm,
        "frame": "base",
        "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "normal": plane.normal.tolist(),
        "offset": plane.offset,
        "rms": plane.rms,
        "verdict": plane.verdict,
        "touches": len(touches),
    }
    write_whole(path, to_toml(table))
    return path

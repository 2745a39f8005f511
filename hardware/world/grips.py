"""Where a person's hand holds each tool, and where the forearm comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array, apply, rotation_from_vector, transform
from hardware.world.hand import Grip

WRIST = -0.092  # [m] along the hand's x


@dataclass(frozen=True, eq=False)
class Hold:
    """A hand on a tool. T_tool_hand (4, 4) at reach 0; thickness [m] of what is held; side of the thumb (+1, -1);
    elbow (3,) [m] in the world; reach_limits [m]: how far the hand may slide along its own x."""

    T_tool_hand: Array
    thickness: float
    side: int
    elbow: Array
    grip: Grip
    reach_limits: tuple[float, float]

    def hand(self, T_world_tool: Array, reach: float) -> Array:
        """T_world_hand (4, 4)."""
        return T_world_tool @ self.T_tool_hand @ transform(np.eye(3), [reach, 0.0, 0.0])

    def forearm(self, T_world_hand: Array) -> Array:
        """T_world_forearm (4, 4): at the wrist, x from elbow to wrist."""
        wrist = apply(T_world_hand, np.array([[WRIST, 0.0, -self.thickness / 2]]))[0]
        x = wrist - self.elbow
        x = x / np.linalg.norm(x)
        y = np.cross(T_world_hand[:3, 2], x)
        y = y / np.linalg.norm(y)
        return transform(np.stack([x, y, np.cross(x, y)], axis=1), wrist)


def hold(tool: str, rng: np.random.Generator) -> Hold:
    """Draw how a person holds one of the built-in tools."""
    grip: Grip = "thumb" if rng.random() < 0.75 else "fingers"
    twist = float(rng.uniform(-0.35, 0.35))
    slide = float(rng.uniform(-0.022, 0.012))
    if tool.startswith("rotation_gripper"):
        sign = 1 if tool.endswith("left") else -1
        along = transform(_yaw(sign * np.pi / 2 + twist), [slide, -sign * 0.048, 0.0])
        elbow = np.array([-sign * rng.uniform(0.2, 0.32), -0.75, 0.06])
        return Hold(along, 0.06, sign, elbow, grip, (-0.012, 0.065))
    elbow = np.array([rng.uniform(0.05, 0.3), -0.85, rng.uniform(0.08, 0.2)])
    side = -1 if rng.random() < 0.8 else 1
    twist *= 0.6
    if tool == "scooper":
        return Hold(transform(_yaw(twist), [-0.06, 0.0, 0.0]), 0.024, side, elbow, grip, (-0.02, 0.035))
    slope, start = _SLOPES[tool]
    handle = rotation_from_vector(np.array([0.0, slope, 0.0]))
    return Hold(transform(handle @ _yaw(twist), start), 0.02, side, elbow, grip, (-0.03, 0.095))


# pitch of the handle [rad] and the point on its upper side where the thumb comes to lie at reach 0 [m]
_SLOPES: Mapping[str, tuple[float, tuple[float, float, float]]] = {
    "brush": (float(np.arctan2(40.0, 90.0)), (-0.105, 0.0, 0.042)),
    "pusher": (float(np.arctan2(36.0, 80.0)), (-0.11, 0.0, 0.038)),
}


def _yaw(angle: float) -> Array:
    return rotation_from_vector(np.array([0.0, 0.0, angle]))

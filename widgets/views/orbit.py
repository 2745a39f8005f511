"""The eye of the 3-D scene: it circles a point, like a turntable."""

from typing import Literal

import numpy as np

from hardware.geometry import Array, inverse, transform

Preset = Literal["free", "front", "top", "side"]
PRESETS: dict[Preset, tuple[float, float]] = {  # azimuth, elevation [rad]; front is where the person stands
    "free": (-2.15, 0.48),
    "front": (-np.pi / 2, 0.22),
    "top": (-np.pi / 2, np.pi / 2 - 1e-3),
    "side": (0.0, 0.22),
}
FIELD = np.radians(36.0)  # vertical field of view
DISTANCES = (0.25, 8.0)  # [m]
NEAR, FAR = 0.02, 30.0


class Orbit:
    """Azimuth and elevation [rad] around a centre (3,) [m] in world, at a distance [m]."""

    def __init__(self) -> None:
        self.preset: Preset = "free"
        self.home = (np.array([0.0, 0.0, 0.34]), 2.3)
        self.reset()

    def reset(self, preset: Preset | None = None) -> None:
        """Look from a preset, by default from the last one chosen."""
        self.preset = preset or self.preset
        self.azimuth, self.elevation = PRESETS[self.preset]
        self.center, self.distance = self.home[0].copy(), self.home[1]

    def turn(self, azimuth: float, elevation: float) -> None:
        """Circle by so many radians; the eye stays above the table."""
        self.azimuth += azimuth
        self.elevation = float(np.clip(self.elevation + elevation, 0.02, np.pi / 2 - 1e-3))

    def move(self, right: float, up: float) -> None:
        """Shift the centre by fractions of the picture's height."""
        tall = 2 * self.distance * np.tan(FIELD / 2)
        axes = self.T_world_eye[:3, :3]
        self.center = self.center + tall * (right * axes[:, 0] + up * axes[:, 1])

    def zoom(self, factor: float) -> None:
        """Come closer by a factor."""
        self.distance = float(np.clip(self.distance / factor, *DISTANCES))

    @property
    def T_world_eye(self) -> Array:
        """(4, 4); the eye looks along -z, x right, y up, as OpenGL has it."""
        flat = np.array([np.cos(self.azimuth), np.sin(self.azimuth), 0.0])
        back = np.cos(self.elevation) * flat + np.sin(self.elevation) * np.array([0, 0, 1.0])
        right = np.array([-flat[1], flat[0], 0.0])
        R = np.stack([right, np.cross(back, right), back], axis=1)
        return transform(R, self.center + self.distance * back)

    def clip_from_world(self, aspect: float) -> Array:
        """Return the projection (4, 4) of world points to clip space, for a picture of width = aspect * height."""
        # a narrow picture keeps the width in view, not the height
        f = 1 / np.tan(FIELD / 2) * min(1.0, aspect / 1.5)
        P = np.zeros((4, 4))
        P[0, 0], P[1, 1], P[3, 2] = f / aspect, f, -1.0
        P[2, 2], P[2, 3] = (FAR + NEAR) / (NEAR - FAR), 2 * FAR * NEAR / (NEAR - FAR)
        return P @ inverse(self.T_world_eye)


def to_widget(clip_from_world: Array, points: Array, width: float, height: float) -> Array:
    """Return widget points (N, 2) of world points (N, 3); nan behind the eye."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ clip_from_world.T
    w = np.where(homogeneous[:, 3:] > 1e-6, homogeneous[:, 3:], np.nan)
    ndc = homogeneous[:, :2] / w
    return np.asarray((ndc * [1, -1] + 1) / 2 * [width, height])

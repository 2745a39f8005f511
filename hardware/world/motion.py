"""How a person moves tools: key poses made smooth, with the pauses and tremor of a hand, as poses on an even
clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from hardware.geometry import Array, interpolate, quaternion, rotation_from_vector, rotation_vector, transform

DT = 0.004  # [s] the physics' step
SMOOTHING = 0.04  # [s] rounds corners of key-framed motion as a hand does


@dataclass(frozen=True, eq=False)
class Motion:
    """Tools over time, sample k at k * DT: T_world_tool by role (N, 4, 4); opening (N,) [m] of a gripper, or
    None."""

    T_world_tool: Mapping[str, Array]
    opening: Array | None = None
    states: Mapping[str, tuple[Array, Array]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", {role: free_states(T) for role, T in self.T_world_tool.items()})

    @property
    def samples(self) -> int:
        return len(next(iter(self.T_world_tool.values())))

    @property
    def duration(self) -> float:
        """[s]"""
        return self.samples * DT


def free_states(T: Array) -> tuple[Array, Array]:
    """MuJoCo's free joint along poses (N, 4, 4): position and quaternion (N, 7), velocities (N, 6) to the next."""
    position = np.concatenate([T[:, :3, 3], quaternion(T[:, :3, :3])], axis=1)
    after = np.concatenate([T[1:], T[-1:]])
    spin = rotation_vector(np.swapaxes(T[:, :3, :3], 1, 2) @ after[:, :3, :3])
    return position, np.concatenate([after[:, :3, 3] - T[:, :3, 3], spin], axis=1) / DT


def poses_of(keys: Array) -> Array:
    """T (N, 4, 4) of rows x y z [m], yaw pitch roll [rad] (N, 6)."""
    turns = [rotation_from_vector(keys[:, 3 + k, None] * np.eye(3)[2 - k]) for k in range(3)]
    return transform(turns[0] @ turns[1] @ turns[2], keys[:, :3])


def smooth_poses(times: Array, keys: Array, duration: float, smoothing: float = SMOOTHING) -> Array:
    """Poses (N, 4, 4) every DT from 0 to duration through key poses (K, 6) at rising times (K,) [s]."""
    return poses_of(smooth_values(times, keys, duration, smoothing))


def smooth_values(times: Array, keys: Array, duration: float, smoothing: float = SMOOTHING) -> Array:
    """Values (N, D) every DT through keys (K, D), held before the first and after the last."""
    t = np.arange(round(duration / DT)) * DT
    dense = PchipInterpolator(times, keys, axis=0)(np.clip(t, times[0], times[-1]))
    return np.asarray(gaussian_filter1d(dense, smoothing / DT, axis=0, mode="nearest"))


def tremor(rng: np.random.Generator, samples: int, amount: float = 1.0) -> Array:
    """What a hand adds (N, 6): about 0.4 mm and 0.2 degrees, slow."""
    scale = amount * np.array([4e-4, 4e-4, 2e-4, 3e-3, 3e-3, 3e-3])
    noise = gaussian_filter1d(rng.normal(size=(samples + 200, 6)), 30, axis=0)[100:-100]
    return np.asarray(noise / (noise.std() + 1e-9) * scale)


def person_poses(times: Array, keys: Array, duration: float, rng: np.random.Generator) -> Array:
    """Smooth poses with a hand's tremor; see smooth_poses."""
    values = smooth_values(times, keys, duration)
    return poses_of(values + tremor(rng, len(values)))


@dataclass
class Pace:
    """Times of key poses as a person takes them: each leg by its length and speed, with hesitations now and
    then."""

    rng: np.random.Generator
    speed: float
    times: list[float] = field(default_factory=lambda: [0.0])

    def leg(self, length: float, shortest: float = 0.12) -> None:
        """Add the time at which a leg of that length [m] ends."""
        self.times.append(self.times[-1] + max(shortest, length / (self.speed * self.rng.uniform(0.85, 1.2))))

    def wait(self, seconds: float) -> None:
        self.times.append(self.times[-1] + seconds)


def legs(keys: Sequence[Array]) -> list[float]:
    """Lengths of the ways between key poses (K, 6), a turn of 1 rad counted as 0.1 m."""
    steps = np.diff(np.stack(keys), axis=0)
    return [
        float(length) for length in np.linalg.norm(steps[:, :3], axis=1) + 0.1 * np.abs(steps[:, 3:]).sum(axis=1)
    ]


def towards(T: Array, T_target: Array, seconds: float, speed: float, turn_rate: float) -> Array:
    """The pose after moving from T to a target for `seconds`, at most at speed [m/s] and turn_rate [rad/s]."""
    way = float(np.linalg.norm(T_target[:3, 3] - T[:3, 3]))
    angle = float(np.linalg.norm(rotation_vector(T[:3, :3].T @ T_target[:3, :3])))
    share = max(way / (speed * seconds), angle / (turn_rate * seconds), 1e-12)
    return np.asarray(interpolate(T, T_target, min(1.0, 1.0 / share)))

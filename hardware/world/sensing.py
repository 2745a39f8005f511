"""What the handheld gripper's sensors say of the simulation's truth, faults included; the same for a seed.

The tracking camera (a T265) gives its pose in a frame of its own: where it was when it was opened, upright, and
moved by some millimetres whenever it relocalises. The opening is known while a marker on a finger is in the
fisheye's view. The force has an offset until it is zeroed. Opening and force are told by what rig.toml, or a
calibration, says of markers and scale, right or wrong.
"""

from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array, apply, inverse, rotation_from_vector, transform
from hardware.rig_devices import ArucoConfig, ForceConfig, SensorConfig
from hardware.stream import Pose, Reading
from hardware.world.fisheye import HALF_ANGLE
from hardware.world.gripper import LARGEST_OPENING, T_GRIPPER_CAM, marker_place
from hardware.world.held import T_WORLD_REST

# the tracking camera sits on the post under the fisheye and looks the way the fingers point
T_GRIPPER_TRACKER: Array = transform(
    np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), [-0.136, 0.0, 0.045]
)
RELOCALISES_S = 90.0  # on average
UNSURE_S = 0.2  # how long before that it is not sure of its pose
MOVED_M, MOVED_RAD = 0.004, 0.008  # what its reference moves by
POSE_NOISE_M = 0.0003
MISSED = 0.004  # share of pictures in which a detector misses a marker that is in view
OPENING_NOISE_M = 0.0002
MEASURED = (0.0267, 0.1224)  # [m] what the markers measure closed and open, as they are drawn
NEWTON_PER_COUNT = 0.0005
OFFSET_N, FORCE_NOISE_N = (0.9, 2.5), 0.03
ZERO_SAMPLES = 15


@dataclass(frozen=True, eq=False)
class GripperTruth:
    """The gripper at a sample's time. T_world_tool None: it is not at the table, so it rests; opening [m]
    and grip [N] are nan then."""

    index: int
    t_host: float
    t_device: float
    T_world_tool: Array | None
    opening: float
    grip: float


class TrackedPose:
    """The tracking camera."""

    def __init__(self, name: str, seed: int) -> None:
        self._name, self._rng = name, np.random.default_rng([seed, 9])
        self._T_world_ref: Array | None = None
        self._moves_at = np.inf

    def sample(self, truth: GripperTruth) -> Pose:
        T_world_gripper = T_WORLD_REST if truth.T_world_tool is None else truth.T_world_tool
        T_world_sensor = T_world_gripper @ T_GRIPPER_TRACKER
        if self._T_world_ref is None:
            self._T_world_ref = _upright(T_world_sensor)
            self._moves_at = truth.t_device + float(self._rng.exponential(RELOCALISES_S))
        relocalised = truth.t_device >= self._moves_at
        if relocalised:
            turn = rotation_from_vector(self._rng.normal(0.0, MOVED_RAD, 3))
            self._T_world_ref = self._T_world_ref @ transform(turn, self._rng.normal(0.0, MOVED_M, 3))
            self._moves_at = truth.t_device + float(self._rng.exponential(RELOCALISES_S))
        T = inverse(self._T_world_ref) @ T_world_sensor
        T[:3, 3] += self._rng.normal(0.0, POSE_NOISE_M, 3)
        confidence = 2 if self._moves_at - truth.t_device < UNSURE_S else 3
        return Pose(self._name, truth.index, truth.t_host, truth.t_device, T, confidence, relocalised)


class SeenOpening:
    """The opening from markers on the fingers, as the fisheye sees them."""

    def __init__(self, name: str, seed: int, markers: ArucoConfig | None = None) -> None:
        """markers: what is said of them, None for what is so."""
        self._name, self._rng, self._markers = name, np.random.default_rng([seed, 4]), markers

    def sample(self, truth: GripperTruth) -> Reading:
        opening = truth.opening if np.isfinite(truth.opening) else LARGEST_OPENING
        noise, missed = self._rng.normal(0.0, OPENING_NOISE_M), self._rng.random() < MISSED
        times = (truth.t_host, truth.t_device)
        if missed or not markers_in_view(opening):
            return Reading(self._name, truth.index, *times, 0.0, False)
        return Reading(self._name, truth.index, *times, self._told(float(opening + noise)))

    def _told(self, opening: float) -> float:
        said = self._markers
        if said is None:
            return opening
        measured = MEASURED[0] + (MEASURED[1] - MEASURED[0]) * opening / LARGEST_OPENING
        return (measured - said.closed) / (said.opened - said.closed) * said.travel


class GripForce:
    """The force sensor in the handle."""

    def __init__(self, name: str, seed: int, scale: ForceConfig | None = None, *, zeroed: bool) -> None:
        """scale: what is said of it, None for what is so; zeroed: somebody zeroed it already, as a headless demo's
        person does before the first take."""
        self._scale = 1.0 if scale is None else scale.newton_per_count / NEWTON_PER_COUNT
        self._name, self._rng = name, np.random.default_rng([seed, 6])
        self._offset = float(self._rng.uniform(*OFFSET_N) * self._rng.choice([-1.0, 1.0]))
        self._zero = self._offset if zeroed else 0.0
        self._zeroing: list[float] | None = None

    def sample(self, truth: GripperTruth) -> Reading:
        grip = truth.grip if np.isfinite(truth.grip) else 0.0
        raw = grip + self._offset + float(self._rng.normal(0.0, FORCE_NOISE_N))
        zeroing = self._zeroing
        if zeroing is not None:
            zeroing.append(raw)
            if len(zeroing) >= ZERO_SAMPLES:
                self._zero, self._zeroing = float(np.mean(zeroing)), None
        valid = self._zeroing is None
        told = self._scale * (raw - self._zero)
        return Reading(self._name, truth.index, truth.t_host, truth.t_device, told, valid)

    def zero(self) -> None:
        """Take the mean of the next samples for 0 N; they are not valid meanwhile."""
        self._zeroing = []

    @property
    def zeroing(self) -> bool:
        return self._zeroing is not None


GripperSensor = TrackedPose | SeenOpening | GripForce


def gripper_sensor(config: SensorConfig, seed: int, *, zeroed: bool = False) -> GripperSensor:
    """Return what speaks for a simulated sensor of the rig."""
    if config.kind == "pose":
        return TrackedPose(config.name, seed)
    if config.kind == "opening":
        return SeenOpening(config.name, seed, config.aruco)
    return GripForce(config.name, seed, config.force, zeroed=zeroed)


def markers_in_view(opening: float) -> bool:
    """Whether a marker on a finger is within the fisheye's picture while they are `opening` [m] apart."""
    sides = np.array([1.0, -1.0])
    markers = np.stack([marker_place(s) for s in sides]) + np.outer(sides * opening / 2, [0.0, 1.0, 0.0])
    p = apply(inverse(T_GRIPPER_CAM), markers)
    return bool((np.arctan2(np.hypot(p[:, 0], p[:, 1]), p[:, 2]) < HALF_ANGLE).any())


def _upright(T_world_sensor: Array) -> Array:
    """A T265's reference: where it was opened, y up, z away from where it looked."""
    away = -T_world_sensor[:3, 2].copy()
    away[2] = 0.0
    if np.linalg.norm(away) < 1e-3:  # it looked straight down
        away = -T_world_sensor[:3, 1] * np.array([1.0, 1.0, 0.0])
    z, up = away / np.linalg.norm(away), np.array([0.0, 0.0, 1.0])
    return transform(np.stack([np.cross(up, z), up, z], axis=1), T_world_sensor[:3, 3])

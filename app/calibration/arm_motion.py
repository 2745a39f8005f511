"""Where an arm stands for a hand-eye calibration: leant to every side about what the camera looks at, near where it
stands now. Only places; the way there is planned, shown and approved like any other (planner/rest.py)."""

from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.kinematics import ArmKinematics
from hardware.planner.inverse import solve

LEAN_RAD, SPIN_RAD = np.radians(22.0), np.radians(35.0)
SHIFT_M = 0.03
AHEAD_M = 0.30  # of the flange: about where a camera on the wrist sees the board
CLOSE_M, CLOSE_RAD = 1e-3, 1e-3
FURTHEST_RAD = 1.2  # a joint that would have to turn by more means another configuration of the arm
LEAST_STOPS = 8
# lean about x and y, spin about z, in shares of the above; shift along x, y, z
STOPS = (
    (0, 0, 0, 0, 0, 0), (1, 0, 0.4, 0, 0, 1), (-1, 0, -0.4, 0, 1, 0), (0, 1, 1, 1, 0, 0), (0, -1, -1, -1, 0, 0),
    (0.8, 0.8, 0, 0, -1, 0), (-0.8, 0.8, 0.6, 0, 0, -1), (0.8, -0.8, -0.6, 1, 0, 0), (-0.8, -0.8, 0, 0, 1, 0),
    (0.5, 0, 1, -1, 0, 0), (-0.5, 0, -1, 0, 0, 1), (0, 0.5, 0.8, 0, -1, 0), (0, -0.5, -0.8, 0, 0, -1),
    (0.6, 0.3, -0.5, 0, 0, 0), (-0.6, -0.3, 0.5, 0, 0, 0),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stops:
    """q (N, J) [rad] of each stop, the last one where it began; missed: how many of the wanted ones it cannot
    reach."""

    q: Array
    missed: int


def stops_around(kinematics: ArmKinematics, q_now: Array, wrist: bool, T_flange_cam: Array | None = None) -> Stops:
    """Return stops near q_now (J,). wrist: the camera is on the wrist, so that it leans about the board ahead of
    it, or of the flange while nobody knows about where the camera is (T_flange_cam (4, 4)); else about the flange,
    that carries the board. Raises ValueError where the arm has too little room."""
    T_now = kinematics.flange_pose(q_now)
    T_flange_eye = np.eye(4) if T_flange_cam is None else T_flange_cam
    pivot = transform(np.eye(3), T_flange_eye[:3, 3] + AHEAD_M * T_flange_eye[:3, 2] if wrist else np.zeros(3))
    found, missed = [], 0
    for x, y, spin, *shift in STOPS:
        turn = rotation_from_vector(np.array([x * LEAN_RAD, y * LEAN_RAD, 0.0]))
        turn = turn @ rotation_from_vector(np.array([0.0, 0.0, spin * SPIN_RAD]))
        back = transform(np.eye(3), -pivot[:3, 3])
        T = T_now @ pivot @ transform(turn, SHIFT_M * np.array(shift, float)) @ back
        q, off = solve(kinematics, T[None], q_now[None], q_now)
        near = np.abs(off[0, :3]).max() < CLOSE_M and np.abs(off[0, 3:]).max() < CLOSE_RAD
        if near and np.abs(q[0] - q_now).max() < FURTHEST_RAD:
            found.append(q[0])
        else:
            missed += 1
    if len(found) < LEAST_STOPS:
        raise ValueError(
            f"the arm reaches {len(found)} of {len(STOPS)} leant poses from here; valid: {LEAST_STOPS} or more; "
            "move it to the middle of its reach, its wrist bent, and plan again"
        )
    return Stops(np.stack([*found, np.asarray(q_now, float)]), missed)

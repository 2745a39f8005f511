"""Where a tool's tip is, from flange poses that touch one fixed point (four-point method).

Pure geometry. Each pose says R_i tip + p_i = point; that is linear in the unknown tip and point, and is solved by
least squares (as in the pivot calibration of tracked probes, Yaniv, SPIE Medical Imaging 2015, 94152F).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hardware.geometry import Array, is_transform
from hardware.types import require

Verdict = Literal["good", "fair", "poor"]
LEAST_POSES = 4
GOOD_M, FAIR_M = 0.5e-3, 1.5e-3  # root mean square of what is left over
LEAST_SPREAD = 0.12  # of the turns, about every axis; 0.12 is four poses that lean about 10 degrees each way
LEAST_TURN_RAD = np.radians(15.0)  # between the two poses that differ most
LONGEST_M = 1.0  # from flange to tip


@dataclass(frozen=True, eq=False)
class TipResult:
    """tip (3,) [m] in the flange frame; point (3,) [m] in the base frame that all poses touched; residual (N,) [m]
    how far each pose's tip is from it; rms [m]; sigma [m] how uncertain the tip is along its worst direction."""

    tip: Array
    point: Array
    residual: Array
    rms: float
    sigma: float

    @property
    def verdict(self) -> Verdict:
        """good: use it; fair: usable, look at the worst pose; poor: touch again."""
        worst = max(self.rms, self.sigma)
        return "good" if worst <= GOOD_M else "fair" if worst <= FAIR_M else "poor"

    @property
    def words(self) -> str:
        """The verdict as a sentence for a person."""
        worst = f"worst: touch {self.worst + 1}, {1e3 * self.residual.max():.2f} mm"
        left = f"the touches agree within {1e3 * self.rms:.2f} mm ({worst})"
        if self.verdict == "good":
            return f"Good: {left}."
        if self.verdict == "fair":
            return f"Usable: {left}. Touch {self.worst + 1} again for better."
        return f"Poor: {left}. Did the point or the tool in its mount move? Touch {self.worst + 1} again."

    @property
    def worst(self) -> int:
        """Index of the pose that agrees least."""
        return int(np.argmax(self.residual))


def solve_tip(T_base_flange: Sequence[Array]) -> TipResult:
    """Return the tip from four or more poses T_base_flange (4, 4) that touch one point.

    Raises ValueError in words for a person: too few poses, one that is no pose, or too little turning between them.
    """
    poses = _checked(T_base_flange)
    R, p = poses[:, :3, :3], poses[:, :3, 3]
    refuse_little_turning(poses)
    n = len(poses)
    A = np.concatenate([R, np.broadcast_to(-np.eye(3), (n, 3, 3))], axis=2).reshape(-1, 6)
    solution, *_ = np.linalg.lstsq(A, -p.reshape(-1), rcond=None)
    tip, point = solution[:3], solution[3:]
    residual = np.linalg.norm(R @ tip + p - point, axis=1)
    require(
        float(np.linalg.norm(tip)) <= LONGEST_M,
        f"tip: {np.linalg.norm(tip):.2f} m from the flange; valid: at most {LONGEST_M:g} m; was one point touched?",
    )
    # each pose gives three equations, six numbers are unknown
    noise = float(np.sqrt((residual**2).sum() / (3 * n - 6)))
    spread = float(np.sqrt(np.linalg.eigvalsh(_information(R))[0]))
    return TipResult(tip, point, residual, float(np.sqrt((residual**2).mean())), noise / spread)


def refuse_little_turning(poses: Array) -> None:
    """Raise ValueError where poses (N, 4, 4) turn so little, or about one axis only, that a tip cannot be known."""
    R = poses[:, :3, :3]
    cosines = (np.einsum("aij,bij->ab", R, R) - 1) / 2
    widest = float(np.arccos(np.clip(cosines.min(), -1, 1)))
    require(
        widest >= LEAST_TURN_RAD,
        f"poses: the flange turned by {np.degrees(widest):.0f} degrees at most; valid: 15 or more, better 40: "
        "lean the tool to different sides while its tip stays on the point",
    )
    values, vectors = np.linalg.eigh(_information(R))
    spread = float(np.sqrt(max(values[0], 0.0) / len(R)))
    axis = "xyz"[int(np.argmax(np.abs(vectors[:, 0])))]
    require(
        spread >= LEAST_SPREAD,
        f"poses: the flange turned about one axis only, near its own {axis}; along that axis the tip cannot be "
        "known; lean the tool forwards and backwards as well as sideways",
    )


def _information(R: Array) -> Array:
    """(3, 3): how much the poses say of the tip once the touched point is free, per unit noise."""
    away = R - R.mean(axis=0)
    return np.asarray(np.einsum("nji,njk->ik", away, away))


def _checked(T_base_flange: Sequence[Array]) -> Array:
    n = len(T_base_flange)
    require(n >= LEAST_POSES, f"poses: {n}; valid: {LEAST_POSES} or more that touch one point")
    return _stack(T_base_flange)


def _stack(T_base_flange: Sequence[Array]) -> Array:
    require(len(T_base_flange) > 0, "poses: none; valid: one or more")
    for number, T in enumerate(T_base_flange, 1):
        require(is_transform(T), f"pose {number}: is not a rigid transform")
    return np.stack([np.asarray(T, float) for T in T_base_flange])

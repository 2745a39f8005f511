"""Two things that are fixed to each other and each tell their own pose: where one is on the other.

A tracking camera (T265) on the gripper, and the gripper as an arm's flange or a camera on it tells of it. Each
speaks in a frame of its own.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from hardware.calibration.hand_eye import closed_form
from hardware.calibration.poses import mean_pose, pose_difference
from hardware.calibration.report import Verdict, judge, refuse_little_turning
from hardware.geometry import Array, interpolate, inverse, rotation_from_vector, rotation_vector
from hardware.types import require

LEAST_PAIRS, MANY_PAIRS = 6, 20
LEAST_TURN_RAD = np.radians(30.0)
LONGEST_GAP_S = 0.1
RAD_PER_M = 2.0  # 1 mm counts as much as 0.11 degrees
JUMP_M, JUMP_RAD = 0.01, np.radians(2.0)  # a pair that far off is one where the tracker had relocalised
PARTS_M, PARTS_GAIN = 1.5e-3, 2.0  # poses that differ by more may be two parts, if those agree so much better
LEAST_PART = 3
ADVICE = "turn the gripper 40 degrees about each of its axes, and hold it still now and then"


@dataclass(frozen=True, eq=False)
class PairResult:
    """T_a_b (4, 4): where b is on a; T_refa_refb (4, 4) between their frames, at the end; apart [m], [rad] by pair;
    left_out: pairs that were not used; sigma_m, sigma_rad: one standard deviation of T_a_b."""

    T_a_b: Array
    T_refa_refb: Array
    apart: tuple[tuple[float, float], ...]
    left_out: tuple[int, ...]
    sigma_m: float
    sigma_rad: float
    verdict: Verdict
    words: str


@dataclass(frozen=True, eq=False)
class PoseTrack:
    """Poses over time: t (N,) [s, one clock for both] ascending, T_ref_thing (N, 4, 4)."""

    t: Array
    T_ref_thing: Array

    def at(self, t: float) -> Array | None:
        """The pose at t, None where no samples lie close on both sides."""
        k = int(np.searchsorted(self.t, t))
        if k == 0 or k == len(self.t) or self.t[k] - self.t[k - 1] > LONGEST_GAP_S:
            return None
        share = (t - self.t[k - 1]) / max(self.t[k] - self.t[k - 1], 1e-9)
        return interpolate(self.T_ref_thing[k - 1], self.T_ref_thing[k], share)


def paired(a: PoseTrack, b: PoseTrack, every_s: float = 0.25) -> tuple[Array, Array]:
    """Return poses of both (N, 4, 4) at the same times, every_s [s] apart, while both were told."""
    start, end = max(a.t[0], b.t[0]), min(a.t[-1], b.t[-1])
    times = np.arange(start, end, every_s)
    both = [(x, y) for x, y in ((a.at(t), b.at(t)) for t in times) if x is not None and y is not None]
    require(
        len(both) >= LEAST_PAIRS, f"poses: {len(both)} at the same times; valid: {LEAST_PAIRS} or more; {ADVICE}"
    )
    return np.stack([x for x, _ in both]), np.stack([y for _, y in both])


def solve_pair(T_refa_a: Sequence[Array], T_refb_b: Sequence[Array]) -> PairResult:
    """Return where b is on a, from poses (N, 4, 4) of both at the same moments.

    Raises ValueError in words for a person: too few, or turned too little, or about one axis only.
    """
    a, b = np.asarray(T_refa_a, float), np.asarray(T_refb_b, float)
    require(a.shape == b.shape and a.shape[1:] == (4, 4), f"poses: {a.shape} and {b.shape}; valid: (N, 4, 4) twice")
    require(len(a) >= LEAST_PAIRS, f"poses: {len(a)}; valid: {LEAST_PAIRS} or more; {ADVICE}")
    refuse_little_turning(a[:, :3, :3], LEAST_TURN_RAD, "poses: the gripper", ADVICE)
    result = _solve(a, b)
    parts = _two_parts(a, b, result)
    if parts is not None:
        return parts
    bad = [k for k, (m, rad) in enumerate(result.apart) if m > JUMP_M or rad > JUMP_RAD]
    good = [k for k in range(len(a)) if k not in bad]
    if not bad or len(good) < max(LEAST_PAIRS, 0.6 * len(a)):
        return result
    refuse_little_turning(a[good][:, :3, :3], LEAST_TURN_RAD, "poses: the gripper", ADVICE)
    again = _solve(a[good], b[good])
    words = f"{again.words} {len(bad)} of {len(a)} poses were left out: the tracker had jumped."
    return replace(again, left_out=tuple(bad), words=words)


def _two_parts(a: Array, b: Array, whole: PairResult) -> PairResult | None:
    """The result where the tracker relocalised once on the way, so that its frame is another one from then on; None
    where that explains nothing."""
    if _rms(whole) <= PARTS_M or len(a) < LEAST_PAIRS + LEAST_PART:
        return None
    found = {}
    for k in range(LEAST_PART, len(a) - LEAST_PART + 1):
        with contextlib.suppress(ValueError):  # the longer part alone does not tell
            found[k] = _solve(a, b, k)
    k, best = min(found.items(), key=lambda one: _rms(one[1]), default=(0, whole))
    if _rms(best) * PARTS_GAIN > _rms(whole):
        return None
    return replace(best, words=f"{best.words} The tracker moved its frame after pose {k}; both parts were used.")


def _rms(result: PairResult) -> float:
    return float(np.sqrt(np.mean([m**2 for m, _ in result.apart])))


def _solve(a: Array, b: Array, split: int = 0) -> PairResult:
    """split: from this pair on b's frame is another one, 0 for one frame all the time."""
    # b's own frame stays while a moves, as a board does: b sees it at the inverse of its pose
    seen = inverse(b)
    parts = np.arange(len(a)) >= split if split else np.zeros(len(a), bool)
    longer = parts == (2 * parts.sum() > len(a))
    T_a_b = closed_form(a[longer], seen[longer])
    T_refs = [mean_pose(list(a[parts == part] @ T_a_b @ seen[parts == part])) for part in np.unique(parts)]
    which = np.searchsorted(np.unique(parts), parts)

    def frames(x: Array) -> Array:
        return np.stack([_moved(T, x[6 * k + 6 : 6 * k + 12]) for k, T in enumerate(T_refs)])[which]

    def off(x: Array) -> Array:
        found, frame = a @ _moved(T_a_b, x[:6]) @ seen, frames(x)
        turn = rotation_vector(np.swapaxes(frame[:, :3, :3], 1, 2) @ found[:, :3, :3]) / RAD_PER_M
        return np.concatenate([turn, found[:, :3, 3] - frame[:, :3, 3]], axis=1).ravel()

    fit = least_squares(off, np.zeros(6 + 6 * len(T_refs)), loss="soft_l1", f_scale=2e-3)
    ends = frames(fit.x)
    T_a_b = _moved(T_a_b, fit.x[:6])
    apart = tuple(pose_difference(T, end) for T, end in zip(a @ T_a_b @ seen, ends, strict=True))
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac) * 2 * fit.cost / max(1, 6 * len(a) - len(fit.x))
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0))
    turn, place = float(np.linalg.norm(sigma[:3])), float(np.linalg.norm(sigma[3:6]))
    mm = 1e3 * float(np.sqrt(np.mean([m**2 for m, _ in apart])))
    deg = float(np.degrees(np.sqrt(np.mean([rad**2 for _, rad in apart]))))
    figures = (
        (mm, 2.0, 5.0, f"the poses differ by {mm:.1f} mm; was the gripper moved slowly, did the tracker jump"),
        (1e3 * place, 1.0, 3.0, f"the place is known to {1e3 * place:.1f} mm only"),
        (MANY_PAIRS - len(a), 0, MANY_PAIRS, f"{len(a)} poses; {MANY_PAIRS} are better: {ADVICE}"),
    )
    verdict, words = judge(figures, f"{len(a)} poses agree within {mm:.1f} mm and {deg:.2f} degrees", "")
    return PairResult(T_a_b, ends[-1], apart, (), place, turn, verdict, words)


def _moved(T: Array, x: Array) -> Array:
    moved = T.copy()
    moved[:3, :3] = rotation_from_vector(x[:3]) @ T[:3, :3]
    moved[:3, 3] += x[3:]
    return moved

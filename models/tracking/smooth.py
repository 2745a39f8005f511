"""All frames together: small corrections by how much each frame knows, within what a hand can do."""

from collections.abc import Sequence

import numpy as np

from hardware.geometry import Array, rotation_from_vector, rotation_vector
from models.tracking.fit import Estimate, zero_sum

# A hand with a light tool: published reaches stay under 10 m/s^2 and 100 rad/s^2; they are taken as one sigma.
ACCELERATION, ANGULAR_ACCELERATION = 10.0, 100.0
OFFSET_STEP = 1.5  # [px] the views' disagreement drifts this much from frame to frame
TRUST = 0.2  # the pictures' own information is over-confident: generated tools bend and swim


def smooth(estimates: Sequence[Estimate], times: Sequence[float]) -> list[tuple[Array, Array]]:
    """Return (T_view1_centre, offset) of every estimate of one unbroken span, times [s] ascending."""
    n, views = len(estimates), len(estimates[0].offset)
    basis = np.zeros((6 + views, 5 + views))
    basis[:6, :6], basis[6:, 6:] = np.eye(6), zero_sum(views)
    m = basis.shape[1]
    A, b = np.zeros((n * m, n * m)), np.zeros(n * m)
    for i, e in enumerate(estimates):
        s = slice(i * m, (i + 1) * m)
        A[s, s] += TRUST * basis.T @ e.information @ basis + 1e-6 * np.eye(m)
    for i in range(1, n - 1):
        _add_acceleration(A, b, estimates[i - 1 : i + 2], times[i - 1 : i + 2], i, m)
    _add_drift(A, b, estimates, basis[6:, 6:], m)
    x = np.linalg.solve(A, -b).reshape(n, m) if n > 1 else np.zeros((n, m))
    out = []
    for e, step in zip(estimates, x @ basis.T, strict=True):
        T = e.T.copy()
        T[:3, :3] = rotation_from_vector(step[:3]) @ T[:3, :3]
        T[:3, 3] += step[3:6]
        out.append((T, e.offset + step[6:]))
    return out


def _add_acceleration(
    A: Array, b: Array, three: Sequence[Estimate], times: Sequence[float], i: int, m: int
) -> None:
    """Ask that velocity before and after frame i differ no more than a hand's acceleration allows."""
    before, after = times[1] - times[0], times[2] - times[1]
    between = (before + after) / 2
    c = np.array([1 / before, -1 / before - 1 / after, 1 / after]) / between
    p = np.array([e.T[:3, 3] for e in three])
    turns = [rotation_vector(three[k + 1].T[:3, :3] @ three[k].T[:3, :3].T) for k in (0, 1)]
    value = np.concatenate([(turns[1] / after - turns[0] / before) / between, c @ p])
    sigma = np.repeat([ANGULAR_ACCELERATION, ACCELERATION], 3)
    for k in range(6):
        J = np.zeros(A.shape[0])
        J[[(i + j) * m + k for j in (-1, 0, 1)]] = c
        rows = np.flatnonzero(J)
        A[np.ix_(rows, rows)] += np.outer(J[rows], J[rows]) / sigma[k] ** 2
        b[rows] += J[rows] * value[k] / sigma[k] ** 2


def _add_drift(A: Array, b: Array, estimates: Sequence[Estimate], basis: Array, m: int) -> None:
    """Ask that the views' disagreement drift smoothly."""
    w = 1 / OFFSET_STEP**2
    for i in range(len(estimates) - 1):
        difference = basis.T @ (estimates[i + 1].offset - estimates[i].offset)
        for k, d in enumerate(difference):
            p, q = i * m + 6 + k, (i + 1) * m + 6 + k
            A[p, p] += w
            A[q, q] += w
            A[p, q] -= w
            A[q, p] -= w
            b[q] += w * d
            b[p] -= w * d

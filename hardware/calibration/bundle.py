"""Joint least squares over many pictures of boards: poses, and the lens where it is free.

Every picture is a look: a point p of the board is seen at `project(T_left M T_right p)`, with T_left and T_right
among the unknown poses and M known. Cameras among each other (M = identity) and a camera with an arm (M = where the
flange was) are both of that form.

An arm does not stand exactly where it says. A tie lets a pose be near another one instead of the same: what is left
over then belongs to the arm, and is weighed against what the picture says.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from hardware.calibration.lens import lens_numbers, project_lens
from hardware.geometry import Array, rotation_from_vector, rotation_vector
from hardware.types import Camera

STEP = 1e-6
OUTLIER_PX = 1.0  # residuals beyond it count linearly (Huber)
MOST_TURNS = 60
TIE_PX, TIE_M, TIE_RAD = 0.1, 2e-4, 2e-4  # corners are found within TIE_PX; arms stand within the others


@dataclass(frozen=True, eq=False)
class Look:
    """camera: index of it; left, right: indices of poses; middle (4, 4) between them; points (N, 3) [m] on the
    board; pixels (N, 2) where they were seen."""

    camera: int
    left: int
    right: int
    points: Array
    pixels: Array
    middle: Array


@dataclass(frozen=True, eq=False)
class Tie:
    """Pose `of` is where `middle` (4, 4) puts pose `after`, within TIE_M and TIE_RAD. No pose is on both sides."""

    of: int
    after: int
    middle: Array


@dataclass(frozen=True, eq=False)
class Adjusted:
    """poses (P, 4, 4); lenses: numbers by camera; residuals (N, 2) [px] by look; sigma_poses (P, 6) one standard
    deviation, turn [rad] then place [m], 0 for fixed ones; sigma_lens: of the first camera's numbers, empty where
    they were fixed."""

    poses: Array
    lenses: tuple[Array, ...]
    residuals: tuple[Array, ...]
    sigma_poses: Array
    sigma_lens: Array


def adjust(
    cameras: Sequence[Camera],
    looks: Sequence[Look],
    poses: Array,
    fixed: Collection[int] = (),
    *,
    ties: Sequence[Tie] = (),
    free_lens: bool = False,
) -> Adjusted:
    """Return poses (P, 4, 4), and with free_lens the first camera's numbers, that explain all looks best.

    poses: where to start; those in `fixed` stay. Raises ValueError where no start leads anywhere.
    """
    problem = _Problem(cameras, looks, poses, fixed, ties, free_lens)
    start = problem.start
    found = least_squares(
        problem.residuals,
        start,
        problem.jacobian,
        method="trf",
        loss="huber",
        f_scale=OUTLIER_PX,
        x_scale="jac",
        max_nfev=MOST_TURNS,
    )
    if not np.isfinite(found.x).all() or not np.isfinite(found.cost):
        raise ValueError("views: no pose explains them; were the pictures of one board, and taken as said?")
    return problem.result(found.x)


class _Problem:
    """The parameters are, of each free pose, a turn and a shift against its start, then the lens."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        looks: Sequence[Look],
        poses: Array,
        fixed: Collection[int],
        ties: Sequence[Tie],
        free_lens: bool,
    ) -> None:
        self._poses = np.array(poses, float)
        self._free = [k for k in range(len(poses)) if k not in set(fixed)]
        self._column = np.full(len(poses), -1)
        self._column[self._free] = np.arange(len(self._free))
        self._lenses = [lens_numbers(camera) for camera in cameras]
        self._models = [camera.model for camera in cameras]
        self._free_lens = free_lens
        counts = [len(look.points) for look in looks]
        self._ends = np.cumsum([0, *counts])
        self._points = np.concatenate([look.points for look in looks])
        self._pixels = np.concatenate([look.pixels for look in looks])
        of = np.repeat(np.arange(len(looks)), counts)
        self._left = np.array([look.left for look in looks])[of]
        self._right = np.array([look.right for look in looks])[of]
        self._camera = np.array([look.camera for look in looks])[of]
        middles = np.stack([look.middle for look in looks])
        self._R_middle, self._p_middle = middles[of, :3, :3], middles[of, :3, 3]
        self._tied = np.array([tie.of for tie in ties], int)
        self._tied_to = np.array([tie.after for tie in ties], int)
        self._ties = np.stack([tie.middle for tie in ties]) if ties else np.zeros((0, 4, 4))

    @property
    def start(self) -> Array:
        lens = self._lenses[0] if self._free_lens else np.zeros(0)
        return np.asarray(np.concatenate([np.zeros(6 * len(self._free)), lens]))

    def residuals(self, x: Array) -> Array:
        R, p, lenses = self._unpacked(x)
        off = self._project(lenses, self._seen(R, p)[-1]) - self._pixels
        return np.asarray(np.concatenate([off.ravel(), self._tie_residuals(R, p).ravel()]))

    def jacobian(self, x: Array) -> Array:
        R, p, lenses = self._unpacked(x)
        _, on_middle, seen = self._seen(R, p)
        per_point = self._per_point(lenses, seen)
        turned = self._turned(x)
        J = np.zeros((len(seen), 2, len(x)))
        rows = np.arange(len(seen))
        before = np.einsum("nij,njk->nik", R[self._left], self._R_middle)
        for index, carried, moved in (
            (self._left, np.broadcast_to(np.eye(3), before.shape), on_middle),
            (self._right, before, self._points),
        ):
            column = self._column[index]
            some = column >= 0
            moves = np.einsum("nkij,nj->nik", turned[index[some]], moved[some])
            both = np.concatenate([carried[some] @ moves, carried[some]], axis=2)
            change = per_point[some] @ both
            for k in range(6):
                # each row of J belongs to one pose on either side
                J[rows[some], :, 6 * column[some] + k] += change[:, :, k]
        if self._free_lens:
            J[:, :, 6 * len(self._free) :] = self._per_number(lenses, seen)
        return np.concatenate([J.reshape(-1, len(x)), self._tie_jacobian(x)])

    def result(self, x: Array) -> Adjusted:
        R, p, lenses = self._unpacked(x)
        poses = self._poses.copy()
        poses[:, :3, :3], poses[:, :3, 3] = R, p
        every = self.residuals(x)
        off, sigma = every[: self._pixels.size].reshape(-1, 2), self._sigma(x, every)
        of_poses = np.zeros((len(poses), 6))
        of_poses[self._free] = sigma[: 6 * len(self._free)].reshape(-1, 6)
        by_look = tuple(off[a:b] for a, b in zip(self._ends[:-1], self._ends[1:], strict=True))
        return Adjusted(poses, tuple(lenses), by_look, of_poses, sigma[6 * len(self._free) :])

    def _sigma(self, x: Array, off: Array) -> Array:
        J = self.jacobian(x)
        weight = np.sqrt(np.minimum(1.0, OUTLIER_PX / np.maximum(np.abs(off), 1e-12))).ravel()
        weighted = J * weight[:, None]
        freedom = max(1, off.size - len(x))
        variance = float(((weight * off.ravel()) ** 2).sum()) / freedom
        scale = np.maximum(np.linalg.norm(weighted, axis=0), 1e-12)
        normal = (weighted / scale).T @ (weighted / scale)
        return np.asarray(np.sqrt(np.maximum(np.diag(np.linalg.pinv(normal)), 0.0) * variance) / scale)

    def _unpacked(self, x: Array) -> tuple[Array, Array, list[Array]]:
        R, p = self._poses[:, :3, :3].copy(), self._poses[:, :3, 3].copy()
        moves = x[: 6 * len(self._free)].reshape(-1, 6)
        R[self._free] = rotation_from_vector(moves[:, :3]) @ R[self._free]
        p[self._free] += moves[:, 3:]
        lenses = list(self._lenses)
        if self._free_lens:
            lenses[0] = x[6 * len(self._free) :]
        return R, p, lenses

    def _tie_residuals(self, R: Array, p: Array) -> Array:
        """(T, 6): turn, then place, as pixels."""
        R_to = self._ties[:, :3, :3] @ R[self._tied_to]
        p_to = np.einsum("nij,nj->ni", self._ties[:, :3, :3], p[self._tied_to]) + self._ties[:, :3, 3]
        turn = rotation_vector(np.swapaxes(R_to, 1, 2) @ R[self._tied])
        return np.concatenate([turn * (TIE_PX / TIE_RAD), (p[self._tied] - p_to) * (TIE_PX / TIE_M)], axis=1)

    def _tie_jacobian(self, x: Array) -> Array:
        """(6 T, X), by moving all poses of one side at once: every tie has one pose on each."""
        J = np.zeros((len(self._ties), 6, len(x)))
        rows = np.arange(len(self._ties))
        for side in (self._tied, self._tied_to):
            columns = self._column[side]
            for k in range(6 if len(side) else 0):
                step = np.zeros(len(x))
                step[6 * columns + k] = STEP
                ahead, behind = (self._tie_residuals(*self._unpacked(x + s * step)[:2]) for s in (1, -1))
                J[rows, :, 6 * columns + k] = (ahead - behind) / (2 * STEP)
        return J.reshape(-1, len(x))

    def _seen(self, R: Array, p: Array) -> tuple[Array, Array, Array]:
        """The points after the right pose, after the middle, and in the camera, each (N, 3)."""
        on_right = np.einsum("nij,nj->ni", R[self._right], self._points) + p[self._right]
        on_middle = np.einsum("nij,nj->ni", self._R_middle, on_right) + self._p_middle
        return on_right, on_middle, np.einsum("nij,nj->ni", R[self._left], on_middle) + p[self._left]

    def _project(self, lenses: Sequence[Array], seen: Array) -> Array:
        pixels = np.empty((len(seen), 2))
        for k, numbers in enumerate(lenses):
            mine = self._camera == k
            pixels[mine] = project_lens(numbers, self._models[k], seen[mine])
        return pixels

    def _per_point(self, lenses: Sequence[Array], seen: Array) -> Array:
        """d pixel / d point in the camera (N, 2, 3)."""
        found = np.empty((len(seen), 2, 3))
        for k, axis in enumerate(np.eye(3)):
            ahead, behind = (self._project(lenses, seen + s * STEP * axis) for s in (1, -1))
            found[:, :, k] = (ahead - behind) / (2 * STEP)
        return found

    def _per_number(self, lenses: Sequence[Array], seen: Array) -> Array:
        """d pixel / d number of the first camera's lens (N, 2, L)."""
        numbers, found = lenses[0], np.zeros((len(seen), 2, len(lenses[0])))
        mine = self._camera == 0
        for k in range(len(numbers)):
            step = np.zeros(len(numbers))
            step[k] = STEP * max(1.0, abs(numbers[k]))
            ahead, behind = (project_lens(numbers + s * step, self._models[0], seen[mine]) for s in (1, -1))
            found[mine, :, k] = (ahead - behind) / (2 * step[k])
        return found

    def _turned(self, x: Array) -> Array:
        """d R / d turn of every pose (P, 3, 3, 3); zero of a fixed one."""
        found = np.zeros((len(self._poses), 3, 3, 3))
        turn = x[: 6 * len(self._free)].reshape(-1, 6)[:, :3]
        for k, axis in enumerate(np.eye(3)):
            ahead, behind = (rotation_from_vector(turn + s * STEP * axis) for s in (1, -1))
            found[self._free, k] = (ahead - behind) / (2 * STEP) @ self._poses[self._free, :3, :3]
        return found

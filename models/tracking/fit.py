"""One optimisation over all views: Gauss-Newton on what the pictures show against what the tool would look like.

The tool is rendered over the empty scene, so texture, creases and outline all pull through one residual, in four
channels: brightness, two colour differences, and change against the scene. Robust weights let hand and object go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, rotation_from_vector, transform
from models.tracking.kernels import HIDDEN, LIKELY, compose, fit_shades, normal_equations, residual_size
from models.tracking.model import ToolModel
from models.tracking.pictures import Floats, ViewPictures, crop
from models.tracking.placing import Standing
from models.tracking.render import draw_model

CHANNEL_WEIGHT = np.array([1.0, 1.0, 1.0, 0.25], np.float32)
LEAST_SIGMA, MOST_SIGMA = 0.04, 0.20
CORRELATED_PIXELS = 25.0  # errors of generated pictures are smooth over about 5 x 5 px
Stage = tuple[int, int, float]
"""Level, iterations, and the deviation [px] allowed between the views' offset and its prior."""
OFFSET_SIGMA = 10.0  # [px] how far views of one dream may drift apart (published dreams: rms 5)
HELD = 0.02  # [px] an offset that is not to move
SCORE_SIGMA = 0.12
BLUR = [1.0, 0.7]  # [px] of the finest level, whose pictures are soft, and of the others


@dataclass(frozen=True, eq=False)
class Estimate:
    """A pose of the tool's centre frame, T_view1_centre (4, 4), and where the views disagree: offset (V,) [px].

    explained, expected (V,): changed pixels that the tool explains, and that it should explain; information
    (6 + V, 6 + V) of rotation [rad], translation [m], offsets [px].
    """

    T: Array
    offset: Array
    explained: Array
    expected: Array
    information: Array

    @property
    def score(self) -> float:
        return float(self.explained.sum())


@dataclass(eq=False)
class _ViewFit:
    """One view while a fit runs: its crop stays put until the tool leaves it; shades carry over."""

    view: ViewPictures
    t: int
    level: int
    rect: tuple[int, int, int, int] | None = None
    pictures: tuple[Floats, Floats, Floats] | None = None
    shades: NDArray[np.float64] | None = None


class Fitter:
    """Fits one tool in one frame. Not shared between threads."""

    def __init__(
        self,
        model: ToolModel,
        views: Sequence[ViewPictures],
        check: Callable[[], None] = lambda: None,
        standing: Standing | None = None,
    ) -> None:
        """check is called before every fit; it may raise to end the work. standing: what the world says."""
        self.model, self.views, self.check, self.standing = model, views, check, standing
        self.taken: dict[int, list[Array]] = {}  # by frame, where other tools are: centres (3,) [m, view 1]
        self.corners = model.vertices[np.unique(model.faces[model.used])]

    def is_taken(self, t: int, centre: Array) -> bool:
        """Return whether another tool is already known to be there in frame t."""
        return any(np.linalg.norm(centre - p) < 0.5 * self.model.radius for p in self.taken.get(t, ()))

    def odds(self, poses: Array) -> Array:
        """Return (...) the share of its merit that a pose T_view1_centre (..., 4, 4) keeps before table and arm."""
        return np.ones(poses.shape[:-2]) if self.standing is None else self.standing.odds(poses)

    def _points(self, T: Array, v: int) -> Array:
        T_view = self.views[v].T_view_view1 @ T
        return np.ascontiguousarray(self.model.vertices @ T_view[:3, :3].T + T_view[:3, 3])

    def box(self, T: Array, v: int, offset: float = 0.0) -> Array | None:
        """Return the tool's box x0, y0, x1, y1 [px] in a view, None where it is behind the camera."""
        T_view = self.views[v].T_view_view1 @ T
        p = self.corners @ T_view[:3, :3].T + T_view[:3, 3]
        if p[:, 2].min() < 0.05:
            return None
        K = self.views[v].K
        u = K[0, 0] * p[:, 0] / p[:, 2] + K[0, 2] + offset
        w = K[1, 1] * p[:, 1] / p[:, 2] + K[1, 2]
        return np.array([u.min(), w.min(), u.max(), w.max()])

    def _place_crop(self, fit: _ViewFit, v: int, T: Array, offset: float) -> bool:
        """Keep the crop around the tool; False where the tool is out of the picture."""
        box = self.box(T, v, offset)
        if box is None:
            return False
        x0, y0, x1, y1 = box / 2**fit.level
        margin = 3.0 + 0.12 * max(x1 - x0, y1 - y0)
        if fit.rect is not None:
            r = fit.rect
            if r[0] <= max(x0 - 2, 0) and r[1] <= max(y0 - 2, 0) and r[2] >= x1 + 2 and r[3] >= y1 + 2:
                return True
        if fit.level == 0:
            width, height = fit.view.size
        else:
            height, width = fit.view.pyramid[fit.level].shape[1:3]
        rect = (
            max(0, int(x0 - margin)),
            max(0, int(y0 - margin)),
            min(width, int(x1 + margin) + 1),
            min(height, int(y1 + margin) + 1),
        )
        if rect[2] - rect[0] < 4 or rect[3] - rect[1] < 4:
            return False
        if rect != fit.rect:
            fit.rect, fit.pictures = rect, crop(fit.view, fit.t, fit.level, rect)
        return True

    def render(self, fit: _ViewFit, v: int, T: Array, offset: float) -> tuple[Floats, ...]:
        """Return drawn (h, w, 4), and free, inverse depth, cover and other (h, w) in the crop of `fit`."""
        model, scale = self.model, 2.0**fit.level
        assert fit.rect is not None
        assert fit.pictures is not None
        K, (x0, y0, x1, y1) = fit.view.K, fit.rect
        k = (K[0, 0] / scale, K[1, 1] / scale, (K[0, 2] + offset) / scale - x0, K[1, 2] / scale - y0)
        rgb, cover, other, q, group = draw_model(model, self._points(T, v), k, (y1 - y0, x1 - x0), 2)
        picture, scene, free = fit.pictures
        free = free * (1.0 - cv2.blur(other, (3, 3)))
        before = fit.shades
        if before is None:
            before = np.zeros((model.groups, 4))
            before[:, 0] = 1.0
        shades = fit_shades(picture, rgb, cover, group, free, model.groups, model.plain, before)
        fit.shades = shades
        drawn = compose(scene, rgb, cover, group, shades, fit.view.change_scale, model.plain)
        sigma = BLUR[fit.level > 0]
        drawn = cv2.GaussianBlur(drawn, (0, 0), sigma)
        near = cv2.GaussianBlur(cover, (0, 0), sigma)
        q = np.where(near > 0.02, cv2.GaussianBlur(q * cover, (0, 0), sigma) / np.maximum(near, 1e-3), 0)
        return drawn, free, q.astype(np.float32), cover, other

    def refine(
        self,
        t: int,
        start: Estimate,
        stages: Sequence[Stage],
        offset_prior: Array | None = None,
    ) -> Estimate:
        """Fit frame t from `start` through the stages, coarse to fine; the last one's figures are kept.

        offset_prior (V,) [px]: where the views' disagreement is expected, as surely as each stage says.
        """
        self.check()
        n = len(self.views)
        prior = np.zeros(n) if offset_prior is None else offset_prior
        basis = np.zeros((6 + n, 5 + n))
        basis[:6, :6] = np.eye(6)
        basis[6:, 6:] = zero_sum(n)
        best = start
        for level, iterations, offset_sigma in stages:
            fits = [_ViewFit(view, t, level) for view in self.views]
            now, best_cost = best, np.inf
            for i in range(iterations + 1):
                cost, H, b, explained, expected = self._linearise(fits, now)
                if cost < best_cost:
                    best_cost = cost
                    best = replace(now, explained=explained, expected=expected, information=H)
                if i == iterations:
                    break
                weight = 1.0 / offset_sigma**2
                H[6:, 6:] += np.eye(n) * weight
                b[6:] -= weight * (prior - now.offset)
                step = basis @ _solve(basis.T @ H @ basis, basis.T @ b, self.model.radius)
                now = replace(now, T=_move(now.T, step[:6]), offset=now.offset + step[6:])
                if np.abs(step[:3]).max() < 2e-4 and np.abs(step[3:6]).max() < 3e-5:
                    iterations = i + 1
        return best

    def look(self, t: int, v: int, e: Estimate, level: int) -> tuple[Floats, Floats, Floats, Floats, float] | None:
        """Return what view v shows and what it should, both (h, w, 4), free and cover (h, w), and the share of the
        tool that is in the picture; None where it is not."""
        fit = _ViewFit(self.views[v], t, level)
        offset = float(e.offset[v])
        box = self.box(e.T, v, offset)
        if box is None or not self._place_crop(fit, v, e.T, offset):
            return None
        drawn, free, _, cover, _ = self.render(fit, v, e.T, offset)
        assert fit.pictures is not None
        width, height = fit.view.size
        kept = np.clip(box, 0, [width - 1, height - 1, width - 1, height - 1])
        share = (kept[2:] - kept[:2]).prod() / max(float((box[2:] - box[:2]).prod()), 1e-9)
        return fit.pictures[0], drawn, free, cover, float(share)

    def _linearise(self, fits: list[_ViewFit], now: Estimate) -> tuple[float, Array, Array, Array, Array]:
        n = len(self.views)
        H, b = np.zeros((6 + n, 6 + n)), np.zeros(6 + n)
        explained, expected, cost = np.zeros(n), np.zeros(n), 0.0
        for v, fit in enumerate(fits):
            if not self._place_crop(fit, v, now.T, float(now.offset[v])):
                continue
            assert fit.pictures is not None
            picture, scene, _ = fit.pictures
            drawn, free, q, cover, other = self.render(fit, v, now.T, float(now.offset[v]))
            e2 = residual_size(picture, drawn, CHANNEL_WEIGHT)
            inside = (cover > 0.5) & (free > 0.5)
            sigma = MOST_SIGMA
            if inside.sum() > 20:
                sigma = float(np.clip(1.5 * np.sqrt(np.median(e2[inside])), LEAST_SIGMA, MOST_SIGMA))
            K, s = fit.view.K, 2.0**fit.level
            assert fit.rect is not None
            k = np.array([K[0, 0], K[1, 1], K[0, 2] + now.offset[v], K[1, 2]]) / s - [0, 0, *fit.rect[:2]]
            T_v = fit.view.T_view_view1
            Hv, bv = normal_equations(
                picture, drawn, free, q, e2, sigma**2, CHANNEL_WEIGHT, k, T_v[:3, :3], T_v[:3, 3], now.T[:3, 3]
            )
            Hv[6, :] /= s
            Hv[:, 6] /= s
            bv[6] /= s
            information = 1.0 / (sigma**2 * max(CORRELATED_PIXELS / s**2, 1.0))
            at = [*range(6), 6 + v]
            H[np.ix_(at, at)] += Hv * information
            b[at] += bv * information
            bare = residual_size(picture, scene, CHANNEL_WEIGHT)
            s2 = SCORE_SIGMA**2
            gain = free * (bare / (bare + s2) - e2 / (e2 + s2))
            gain += other * (LIKELY * picture[..., 3] * fit.pictures[2] - HIDDEN * (1 - picture[..., 3]))
            cost -= float(gain.sum())
            wanted = residual_size(drawn, scene, CHANNEL_WEIGHT)
            explained[v] = gain.sum() * s * s
            expected[v] = (free * (wanted / (wanted + s2))).sum() * s * s
        return cost, H, b, explained, expected


def _solve(H: Array, b: Array, radius: float) -> Array:
    """Return a damped step, limited to 0.3 rad and half the tool's radius."""
    scale = np.sqrt(np.maximum(np.diag(H), 1e-12))
    A = H / np.outer(scale, scale)
    step = -np.linalg.solve(A + 1e-3 * np.eye(len(A)), b / scale) / scale
    most = max(float(np.linalg.norm(step[:3])) / 0.3, float(np.linalg.norm(step[3:6])) / (0.5 * radius), 1.0)
    return np.asarray(step / most)


def zero_sum(n: int) -> Array:
    """Return (n, n - 1) orthonormal columns: offsets of views against each other, without a common part."""
    steps = np.eye(n)[:, :-1] - 1.0 / n
    return np.asarray(np.linalg.qr(steps)[0]) if n > 1 else np.zeros((1, 0))


def _move(T: Array, step: Array) -> Array:
    return transform(rotation_from_vector(step[:3]) @ T[:3, :3], T[:3, 3] + step[3:])


def start_at(T: Array, views: int, offset: Array | None = None) -> Estimate:
    """Return an estimate to start a fit from."""
    zero = np.zeros(views)
    return Estimate(T, zero.copy() if offset is None else offset, zero, zero, np.zeros((6 + views, 6 + views)))

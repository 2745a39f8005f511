"""A camera's lens from pictures of a board: pinhole with distortion, or fisheye (Kannala-Brandt).

The pinhole lens is OpenCV's calibrateCamera (Zhang, TPAMI 2000). OpenCV's fisheye calibration gives no standard
deviations and throws on boards at the edge of the picture: that lens is found by our own adjustment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from hardware.calibration.board import Board, BoardView
from hardware.calibration.bundle import Look, adjust
from hardware.calibration.lens import board_pose, lens_numbers, project_lens, rays, with_numbers
from hardware.calibration.report import (
    Coverage,
    Report,
    ViewError,
    coverage,
    judge,
    outliers,
    refuse_copies,
    rms_of,
    view_error,
)
from hardware.geometry import Array, apply, rotation_from_vector, transform
from hardware.rig_devices import nominal_K
from hardware.types import Camera, require

LEAST_VIEWS = 8
MANY_VIEWS = 15
LEAST_TILT_RAD, LEAST_OTHER_TILT = np.radians(15.0), 0.06
FOCAL_STARTS = np.linspace(0.55, 1.6, 15)  # of a fisheye, against the nominal one
THIRD_TERM = 0.97  # k3 is used where the error falls below so much of what it is without
STEEPEST_COSINE = 0.26  # 75 degrees: further out a fisheye is hardly ever told
ADVICE = "Tilt the board 30 degrees to every side, and show it in every part of the picture."


@dataclass(frozen=True, eq=False)
class IntrinsicsResult:
    """camera: the lens as found, without a place; T_cam_board (V, 4, 4) of the views that were used."""

    camera: Camera
    T_cam_board: Array
    report: Report


@dataclass(frozen=True, eq=False)
class _Fit:
    camera: Camera
    T_cam_board: Array
    residuals: tuple[Array, ...]
    sigma: Array


def solve_intrinsics(
    name: str, views: Sequence[BoardView], board: Board, model: Literal["pinhole", "fisheye"] = "pinhole"
) -> IntrinsicsResult:
    """Return the lens that explains the views.

    Raises ValueError in words for a person: too few views or copies of one, pictures of several sizes, a board that
    was never tilted, or to one side only.
    """
    kept = refuse_copies(views, LEAST_VIEWS)
    sizes = sorted({view.size for view in views})
    require(len(sizes) == 1, f"views: pictures of several sizes, {sizes}; valid: one size")
    nominal = Camera(name, nominal_K(sizes[0], model), sizes[0], np.zeros(4), model)
    used = [views[k] for k in kept]
    refuse_little_tilt(np.stack([board_pose(nominal, board, view) for view in used]))
    fit = _fit(nominal, used, board)
    errors = [view_error(f"view {k + 1}", off) for k, off in zip(kept, fit.residuals, strict=True)]
    bad = outliers(errors)
    good = [k for k in range(len(used)) if k not in bad]
    if bad and len(good) >= LEAST_VIEWS:
        used = [used[k] for k in good]
        fit = _fit(nominal, used, board)
        for k, off in zip(good, fit.residuals, strict=True):
            errors[k] = view_error(errors[k].name, off)
        errors = [replace(error, left_out=k in bad) for k, error in enumerate(errors)]
    refuse_little_tilt(fit.T_cam_board)
    report = _report(fit, tuple(errors), coverage(board, used, list(fit.T_cam_board)))
    return IntrinsicsResult(fit.camera, fit.T_cam_board, report)


def refuse_little_tilt(T_cam_board: Array) -> None:
    """Raise ValueError where boards (V, 4, 4) all lean the same way: no focal length can be told from those."""
    normals = T_cam_board[:, :3, 2]
    widest = float(np.degrees(np.arccos(np.clip(normals @ normals.T, -1, 1)).max()))
    require(
        widest >= np.degrees(LEAST_TILT_RAD),
        f"views: the board leans the same way in all of them, within {widest:.0f} degrees; valid: "
        f"{np.degrees(LEAST_TILT_RAD):.0f} or more; {ADVICE[:1].lower() + ADVICE[1:-1]}",
    )
    away = normals - normals.mean(axis=0)
    spread = np.linalg.svd(away, compute_uv=False) / np.sqrt(len(away))
    require(
        float(spread[1]) >= LEAST_OTHER_TILT,
        "views: the board was tilted about one axis only; valid: sideways as well as up and down; "
        f"{ADVICE[:1].lower() + ADVICE[1:-1]}",
    )


def _fit(nominal: Camera, views: Sequence[BoardView], board: Board) -> _Fit:
    if nominal.model == "fisheye":
        return _fisheye(nominal, views, board)
    short, long = (_pinhole(nominal, views, board, flags) for flags in (cv2.CALIB_FIX_K3, 0))
    better = rms_of(long.residuals) < THIRD_TERM * rms_of(short.residuals)
    return long if better else short


def _pinhole(nominal: Camera, views: Sequence[BoardView], board: Board, flags: int) -> _Fit:
    points = [view.points(board).astype(np.float32) for view in views]
    pixels = [view.pixels.astype(np.float32) for view in views]
    try:
        _, K, bent, turns, places, sigma, _, _ = cv2.calibrateCameraExtended(
            points, pixels, nominal.size, None, None, flags=flags
        )
    except cv2.error as error:
        raise ValueError(f"views: no lens explains them; {ADVICE}") from error
    camera = replace(nominal, K=np.asarray(K), distortion=np.asarray(bent, float).ravel()[:5])
    T = np.stack(
        [
            transform(rotation_from_vector(np.asarray(turn).ravel()), np.asarray(place).ravel())
            for turn, place in zip(turns, places, strict=True)
        ]
    )
    off = _residuals(camera, T, views, board)
    return _Fit(camera, T, off, np.asarray(sigma).ravel()[: 4 + len(camera.distortion)])


def _fisheye(nominal: Camera, views: Sequence[BoardView], board: Board) -> _Fit:
    start = _start(nominal, views, board)
    T = np.stack([board_pose(start, board, view) for view in views])
    same = len(views)  # a pose that stays at identity
    looks = [Look(0, same, k, view.points(board), view.pixels, np.eye(4)) for k, view in enumerate(views)]
    found = adjust([start], looks, np.concatenate([T, np.eye(4)[None]]), (same,), free_lens=True)
    return _Fit(with_numbers(nominal, found.lenses[0]), found.poses[:same], found.residuals, found.sigma_lens)


def _start(nominal: Camera, views: Sequence[BoardView], board: Board) -> Camera:
    """The focal length that explains a few views best, each with a pose of its own."""
    some = views[:: max(1, len(views) // 8)]
    best: tuple[float, Camera] | None = None
    for share in FOCAL_STARTS:
        numbers = lens_numbers(nominal)
        numbers[:2] *= share
        camera = with_numbers(nominal, numbers)
        try:
            T = np.stack([board_pose(camera, board, view) for view in some])
        except ValueError:
            continue
        error = rms_of(_residuals(camera, T, some, board))
        if best is None or error < best[0]:
            best = error, camera
    if best is None:
        raise ValueError(f"views: no fisheye lens explains them; is it a pinhole camera? {ADVICE}")
    return best[1]


def _residuals(camera: Camera, T: Array, views: Sequence[BoardView], board: Board) -> tuple[Array, ...]:
    numbers = lens_numbers(camera)
    return tuple(
        project_lens(numbers, camera.model, apply(pose, view.points(board))) - view.pixels
        for pose, view in zip(T, views, strict=True)
    )


def _report(fit: _Fit, errors: tuple[ViewError, ...], covered: Coverage) -> Report:
    f, sigma = float(fit.camera.K[0, 0]), float(fit.sigma[:2].max())
    used = [error for error in errors if not error.left_out]
    rms = rms_of(fit.residuals)
    seen, out = covered.share, len(errors) - len(used)
    figures = (
        (rms, 0.5, 1.5, f"the corners are off by {rms:.2f} px; is the board flat, the picture sharp and still"),
        (sigma / f, 0.0015, 0.005, f"the focal length is known to {100 * sigma / f:.2f}% only"),
        (1 - seen, 0.4, 0.7, f"the board was shown in {100 * seen:.0f}% of the picture only"),
        (MANY_VIEWS - len(used), 0, MANY_VIEWS, f"{len(used)} views; {MANY_VIEWS} are better"),
    )
    what = f"{len(used)} views agree within {rms:.2f} px, focal length {f:.1f} ± {sigma:.1f} px"
    verdict, words = judge(figures, what, covered.advice)
    if out:
        words += f" {out} of {len(errors)} views agree badly and were left out."
    names = ("fx_px", "fy_px", "cx_px", "cy_px")
    return Report(verdict, words, errors, dict(zip(names, map(float, fit.sigma[:4]), strict=True)), covered)


def lens_change(before: Camera, after: Camera) -> float:
    """Return how far [px] a ray lands from where it landed, at worst over the picture, of two lenses of one
    size."""
    width, height = before.size
    u, v = np.meshgrid(np.linspace(0, width - 1, 13), np.linspace(0, height - 1, 9))
    seen = rays(before, np.column_stack([u.ravel(), v.ravel()]))
    pixels = [project_lens(lens_numbers(camera), camera.model, seen) for camera in (before, after)]
    inside = seen[:, 2] > STEEPEST_COSINE
    return float(np.linalg.norm(pixels[0] - pixels[1], axis=1)[inside].max())

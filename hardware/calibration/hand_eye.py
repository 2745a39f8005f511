"""A camera and an arm: where the camera is on the wrist, or on its stand in the arm's base frame.

In the first case the board lies still, in the second it is held by the arm. A closed form (Park and Martin, IEEE
T-RA 1994, OpenCV's calibrateHandEye) starts an adjustment of all corners of all pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from hardware.calibration.board import Board, BoardView
from hardware.calibration.bundle import Adjusted, Look, Tie, adjust
from hardware.calibration.lens import board_pose, lens_numbers, project_lens
from hardware.calibration.poses import mean_pose, pose_difference
from hardware.calibration.report import (
    Report,
    ViewError,
    coverage,
    judge,
    outliers,
    refuse_little_turning,
    rms_of,
    view_error,
)
from hardware.geometry import Array, apply, inverse, is_transform, transform
from hardware.types import Camera, require

Kind = Literal["wrist", "stand"]  # where the camera is: eye in hand, eye to hand
LEAST_POSES = 5
MANY_POSES = 12
LEAST_TURN_RAD = np.radians(20.0)
SAME_M, SAME_RAD = 2e-3, np.radians(0.5)
SCALE_OFF = 0.01  # a print that is wrong by more is told
ADVICE = "lean the wrist 20 to 40 degrees to every side between the pictures"


@dataclass(frozen=True, eq=False)
class HandEyeResult:
    """wrist: T_hand_cam is T_flange_cam and T_rest_board is T_base_board; stand: T_hand_cam is T_base_cam and
    T_rest_board is T_flange_board. apart [m], [rad] by pose: how far the board is from where all poses together put
    it; scale: how large the print is against what was said of it."""

    kind: Kind
    T_hand_cam: Array
    T_rest_board: Array
    apart: tuple[tuple[float, float], ...]
    scale: float
    report: Report


def solve_hand_eye(
    kind: Kind, camera: Camera, board: Board, views: Sequence[BoardView], T_base_flange: Sequence[Array]
) -> HandEyeResult:
    """Return where the camera is, from one view and one flange pose (4, 4) for each stop of the arm.

    Raises ValueError in words for a person: too few poses or copies of one, a wrist that only shifted, or turned
    about one axis only.
    """
    require(kind in ("wrist", "stand"), f"kind: {kind!r}; valid: wrist, stand")
    require(len(views) == len(T_base_flange), f"views: {len(views)} of {len(T_base_flange)} poses; valid: one each")
    for number, T in enumerate(T_base_flange, 1):
        require(is_transform(T), f"pose {number}: is not a rigid transform")
    kept = _different(T_base_flange)
    # on a stand, the flange carries the board: in its frame it is the base, and the camera, that move
    hands = np.stack([T_base_flange[k] if kind == "wrist" else inverse(T_base_flange[k]) for k in kept])
    refuse_little_turning(hands[:, :3, :3], LEAST_TURN_RAD, "poses: the wrist", ADVICE)
    used = [views[k] for k in kept]
    seen = np.stack([board_pose(camera, board, view) for view in used])
    fit = _fit(camera, board, used, hands, seen)
    errors = [view_error(f"pose {k + 1}", off) for k, off in zip(kept, fit.residuals, strict=True)]
    bad = outliers(errors)
    good = [k for k in range(len(used)) if k not in bad]
    if bad and len(good) >= LEAST_POSES:
        refuse_little_turning(hands[good][:, :3, :3], LEAST_TURN_RAD, "poses: the wrist", ADVICE)
        fit = _fit(camera, board, [used[k] for k in good], hands[good], seen[good])
        again = dict(zip(good, fit.residuals, strict=True))
        errors = [
            view_error(error.name, again.get(k, np.zeros((1, 2)))) if k in again else replace(error, left_out=True)
            for k, error in enumerate(errors)
        ]
    else:
        good = list(range(len(used)))
    T_hand_cam, T_rest_board = inverse(fit.poses[0]), fit.poses[1]
    apart = tuple(pose_difference(hands[k] @ T_hand_cam @ seen[k], T_rest_board) for k in good)
    scale = _print_scale(hands[good], seen[good], T_hand_cam)
    covered = coverage(board, [used[k] for k in good], list(seen[good]))
    what = _what(kind, fit, errors, apart, scale)
    return HandEyeResult(
        kind, T_hand_cam, T_rest_board, apart, scale, Report(*what, tuple(errors), _sigma(fit), covered)
    )


def closed_form(hands: Array, T_cam_board: Array) -> Array:
    """Return T_hand_cam (4, 4) of poses T_rest_hand (N, 4, 4) and board poses (N, 4, 4), without an adjustment."""
    R, p = cv2.calibrateHandEye(
        list(hands[:, :3, :3]),
        list(hands[:, :3, 3]),
        list(T_cam_board[:, :3, :3]),
        list(T_cam_board[:, :3, 3]),
        method=cv2.CALIB_HAND_EYE_PARK,
    )
    T = transform(np.asarray(R), np.asarray(p).ravel())
    require(is_transform(T), "poses: no camera place explains them; was the board in one place all the time?")
    return T


def _different(T_base_flange: Sequence[Array]) -> list[int]:
    kept: list[int] = []
    for k, T in enumerate(T_base_flange):
        near = [pose_difference(T, T_base_flange[j]) for j in kept]
        if not any(m < SAME_M and rad < SAME_RAD for m, rad in near):
            kept.append(k)
    copies = len(T_base_flange) - len(kept)
    text = f"poses: {len(kept)}" + (f" that differ, {copies} are copies of them" if copies else "")
    require(len(kept) >= LEAST_POSES, f"{text}; valid: {LEAST_POSES} or more; {ADVICE}")
    return kept


def _fit(camera: Camera, board: Board, views: Sequence[BoardView], hands: Array, seen: Array) -> Adjusted:
    """Poses: T_cam_hand, T_rest_board, then T_hand_board at each stop, near where the other two put it.

    The residuals are those of the first two alone, as if the arm stood exactly where it says.
    """
    T_hand_cam = closed_form(hands, seen)
    T_rest_board = mean_pose([hand @ T_hand_cam @ T for hand, T in zip(hands, seen, strict=True)])
    points = [view.points(board) for view in views]
    back = inverse(hands)
    looks = [
        Look(0, 0, 2 + k, p, view.pixels, np.eye(4)) for k, (view, p) in enumerate(zip(views, points, strict=True))
    ]
    ties = [Tie(2 + k, 1, T) for k, T in enumerate(back)]
    start = np.concatenate([[inverse(T_hand_cam), T_rest_board], back @ T_rest_board])
    found = adjust([camera], looks, start, ties=ties)
    T_cam_board = found.poses[0] @ back @ found.poses[1]
    numbers = lens_numbers(camera)
    off = tuple(
        project_lens(numbers, camera.model, apply(T, p)) - view.pixels
        for T, p, view in zip(T_cam_board, points, views, strict=True)
    )
    return replace(found, residuals=off)


def _print_scale(hands: Array, seen: Array, T_hand_cam: Array) -> float:
    """How large the board really is against what was said: between two stops the board stays, so that
    R_hand (R_x s t_board + t_x) + t_hand is the same for both; linear in t_x and s."""
    R_x = T_hand_cam[:3, :3]
    near = np.concatenate([hands[:, :3, :3], (hands[:, :3, :3] @ (R_x @ seen[:, :3, 3:]))], axis=2)
    A = (near - near.mean(axis=0)).reshape(-1, 4)
    b = -(hands[:, :3, 3] - hands[:, :3, 3].mean(axis=0)).reshape(-1)
    solution, *_ = np.linalg.lstsq(A, b, rcond=None)
    return float(solution[3])


def _sigma(fit: Adjusted) -> dict[str, float]:
    place, turn = np.linalg.norm(fit.sigma_poses[0, 3:]), np.linalg.norm(fit.sigma_poses[0, :3])
    # the place of the camera in the hand: that of its inverse, carried by the turn
    arm = np.linalg.norm(fit.poses[0, :3, 3])
    return {"place_m": float(np.hypot(place, arm * turn)), "turn_rad": float(turn)}


def _what(
    kind: Kind, fit: Adjusted, errors: Sequence[ViewError], apart: Sequence[tuple[float, float]], scale: float
) -> tuple[Literal["good", "usable", "again"], str]:
    rms, used = rms_of(fit.residuals), len(apart)
    place, turn = 1e3 * max(m for m, _ in apart), np.degrees(max(rad for _, rad in apart))
    moved = "the board or the camera" if kind == "wrist" else "the board in the flange, or the camera,"
    figures = (
        (rms, 0.8, 2.5, f"the corners are off by {rms:.2f} px"),
        (place, 2.0, 5.0, f"the poses put the board up to {place:.1f} mm apart; did {moved} move meanwhile"),
        (100 * abs(scale - 1), 100 * SCALE_OFF, 3.0, f"the print seems {100 * (scale - 1):+.1f}% of what was said; "
         "measure it with a ruler"),
        (MANY_POSES - used, 0, MANY_POSES, f"{used} poses; {MANY_POSES} are better: {ADVICE}"),
    )  # fmt: skip
    where = "on the wrist" if kind == "wrist" else "on its stand"
    what = f"camera {where}: {used} poses agree within {rms:.2f} px, {place:.1f} mm and {turn:.2f} degrees"
    verdict, words = judge(figures, what, "")
    out = sum(error.left_out for error in errors)
    if out:
        words += f" {out} of {len(errors)} poses agree badly and were left out."
    return verdict, words

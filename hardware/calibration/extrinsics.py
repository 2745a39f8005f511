"""Where cameras stand to each other, from a board that several of them see at once: one adjustment over all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.calibration.board import Board, BoardView
from hardware.calibration.bundle import Adjusted, Look, adjust
from hardware.calibration.lens import board_pose
from hardware.calibration.poses import mean_pose
from hardware.calibration.report import (
    Report,
    ViewError,
    coverage,
    judge,
    outliers,
    refuse_copies,
    rms_of,
    view_error,
)
from hardware.geometry import Array, inverse
from hardware.types import Camera, require

LEAST_SHOTS = 4
MANY_SHOTS = 10
ADVICE = "Hold the board near and far, leant to every side, where several cameras see it."
Shot = Mapping[str, BoardView]  # what each camera saw of one standing board


@dataclass(frozen=True, eq=False)
class ExtrinsicsResult:
    """T_view1_cam (4, 4) by camera, identity for the first; T_view1_board (S, 4, 4) of the shots that were used."""

    T_view1_cam: Mapping[str, Array]
    T_view1_board: Array
    report: Report


def solve_extrinsics(cameras: Sequence[Camera], shots: Sequence[Shot], board: Board) -> ExtrinsicsResult:
    """Return where the cameras stand, with their lenses as given; the first is where the others are told from.

    A shot that one camera alone saw says nothing and is passed over. Raises ValueError in words for a person: too
    few shots or copies of one, a camera that never saw the board together with another.
    """
    names = [camera.name for camera in cameras]
    require(len(cameras) >= 2, f"cameras: {names}; valid: two or more")
    together = [{name: shot[name] for name in names if name in shot} for shot in shots]
    shared = [k for k, shot in enumerate(together) if len(shot) >= 2]
    kept = [shared[k] for k in _different([together[k] for k in shared])]
    used = [together[k] for k in kept]
    T_cam_board = _board_poses(cameras, used, board)
    T_view1_cam = _chained(names, T_cam_board)
    seen = [(k, name) for k, shot in enumerate(used) for name in names if name in shot]
    fit = _fit(cameras, used, board, seen, T_view1_cam, T_cam_board)
    errors = [_error(kept, k, name, off) for (k, name), off in zip(seen, fit.residuals, strict=True)]
    bad = outliers(errors)
    left = _still_shared([seen[k] for k in range(len(seen)) if k not in bad])
    if bad and len({k for k, _ in left}) >= LEAST_SHOTS and _reach(names, left) == set(names):
        fit = _fit(cameras, used, board, left, T_view1_cam, T_cam_board)
        again = dict(zip(left, fit.residuals, strict=True))
        errors = [
            _error(kept, *look, again[look]) if look in again else replace(error, left_out=True)
            for look, error in zip(seen, errors, strict=True)
        ]
    else:
        left = seen
    found = {name: inverse(fit.poses[c]) for c, name in enumerate(names)}
    boards = fit.poses[len(names) :][sorted({k for k, _ in left})]
    return ExtrinsicsResult(found, boards, _report(board, names, used, left, errors, fit))


def _different(shots: Sequence[Shot]) -> list[int]:
    """The shots that differ from all before, by the first camera that saw both."""
    firsts = [next(iter(shot.values())) for shot in shots]
    return refuse_copies(firsts, LEAST_SHOTS)


def _board_poses(cameras: Sequence[Camera], shots: Sequence[Shot], board: Board) -> dict[tuple[int, str], Array]:
    by_name = {camera.name: camera for camera in cameras}
    return {
        (k, name): board_pose(by_name[name], board, view)
        for k, shot in enumerate(shots)
        for name, view in shot.items()
    }


def _reach(names: Sequence[str], seen: Sequence[tuple[int, str]]) -> set[str]:
    """The cameras that are tied to the first by shots that they share."""
    reached = {names[0]}
    while True:
        shots = {k for k, name in seen if name in reached}
        more = {name for k, name in seen if k in shots}
        if more <= reached:
            return reached
        reached |= more


def _still_shared(seen: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    counts = [k for k, _ in seen]
    return [(k, name) for k, name in seen if counts.count(k) >= 2]


def _chained(names: Sequence[str], T_cam_board: Mapping[tuple[int, str], Array]) -> dict[str, Array]:
    """T_view1_cam by camera, each from the shots that it shares with one that is known already."""
    found = {names[0]: np.eye(4)}
    while len(found) < len(names):
        best: tuple[str, list[Array]] = ("", [])
        for name in names:
            if name in found:
                continue
            ways = [
                found[other] @ T @ inverse(T_cam_board[k, name])
                for (k, other), T in T_cam_board.items()
                if other in found and (k, name) in T_cam_board
            ]
            if len(ways) > len(best[1]):
                best = name, ways
        if not best[0]:
            missing = ", ".join(name for name in names if name not in found)
            raise ValueError(
                f"shots: {missing} never saw the board together with {', '.join(found)}; valid: shots that tie "
                "every camera to another; hold the board where two cameras see it"
            )
        found[best[0]] = mean_pose(best[1])
    return found


def _fit(
    cameras: Sequence[Camera],
    shots: Sequence[Shot],
    board: Board,
    seen: Sequence[tuple[int, str]],
    T_view1_cam: Mapping[str, Array],
    T_cam_board: Mapping[tuple[int, str], Array],
) -> Adjusted:
    """Poses: T_cam_view1 of each camera, then T_view1_board of each shot."""
    names = [camera.name for camera in cameras]
    starts = [inverse(T_view1_cam[name]) for name in names]
    fixed = {0}
    for k, shot in enumerate(shots):
        mine = [T_view1_cam[n] @ T_cam_board[k, n] for n in shot if (k, n) in seen]
        starts.append(mean_pose(mine) if mine else np.eye(4))
        if not mine:
            fixed.add(len(starts) - 1)
    looks = [
        Look(
            names.index(name),
            names.index(name),
            len(names) + k,
            shots[k][name].points(board),
            shots[k][name].pixels,
            np.eye(4),
        )
        for k, name in seen
    ]
    return adjust(cameras, looks, np.stack(starts), fixed)


def _error(kept: Sequence[int], k: int, name: str, off: Array) -> ViewError:
    return view_error(f"shot {kept[k] + 1}, {name}", off)


def _report(
    board: Board,
    names: Sequence[str],
    shots: Sequence[Shot],
    seen: Sequence[tuple[int, str]],
    errors: Sequence[ViewError],
    fit: Adjusted,
) -> Report:
    sigma: dict[str, float] = {}
    for c, name in enumerate(names[1:], 1):
        sigma[f"{name}_m"] = float(np.linalg.norm(fit.sigma_poses[c, 3:]))
        sigma[f"{name}_rad"] = float(np.linalg.norm(fit.sigma_poses[c, :3]))
    place = 1e3 * max(v for key, v in sigma.items() if key.endswith("_m"))
    turn = float(np.degrees(max(v for key, v in sigma.items() if key.endswith("_rad"))))
    rms, count = rms_of(fit.residuals), len({k for k, _ in seen})
    first = [k for k, name in seen if name == names[0]]
    covered = coverage(
        board, [shots[k][names[0]] for k in first], [fit.poses[0] @ fit.poses[len(names) + k] for k in first]
    )
    off = (
        f"the corners are off by {rms:.2f} px; were the pictures taken at the same time, and the lenses calibrated"
    )
    figures = (
        (rms, 0.6, 1.5, off),
        (place, 0.5, 1.5, f"the places are known to {place:.1f} mm only"),
        (turn, 0.03, 0.1, f"the directions are known to {turn:.2f} degrees only"),
        (MANY_SHOTS - count, 0, MANY_SHOTS, f"{count} shots; {MANY_SHOTS} are better"),
    )
    what = f"{count} shots agree within {rms:.2f} px, places to {place:.2f} mm, directions to {turn:.3f} degrees"
    verdict, words = judge(figures, what, "" if count >= MANY_SHOTS else ADVICE)
    out = sum(error.left_out for error in errors)
    if out:
        words += f" {out} of {len(errors)} views agree badly and were left out."
    return Report(verdict, words, tuple(errors), sigma, covered)

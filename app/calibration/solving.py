"""From the views that were taken to a result, its report, and what is kept of it."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.calibration.calibrated_rig import EXTRINSICS
from app.calibration.store import Calibration
from app.calibration.wizard import BoardTask, Row
from hardware.calibration.board import Board, BoardView
from hardware.calibration.board_plane import solve_board_plane
from hardware.calibration.extrinsics import ExtrinsicsResult, solve_extrinsics
from hardware.calibration.hand_eye import HandEyeResult, solve_hand_eye
from hardware.calibration.intrinsics import IntrinsicsResult, solve_intrinsics
from hardware.calibration.pose_streams import PairResult, solve_pair
from hardware.calibration.report import Report, Verdict
from hardware.calibration.table_plane import PlaneResult
from hardware.geometry import Array, inverse
from hardware.types import Camera, require

Result = IntrinsicsResult | ExtrinsicsResult | HandEyeResult | PlaneResult | PairResult
_PLANE_VERDICTS: Mapping[str, Verdict] = {"good": "good", "unchecked": "usable", "fair": "usable", "poor": "again"}


@dataclass(frozen=True, eq=False)
class Taken:
    """One capture: the board as each camera saw it; T_ref_hand (4, 4) where something tells what carries camera or
    board (T_base_flange of an arm, the pose of a tracking camera); T_cam_board (4, 4) in the first camera, by the
    lens as it was known, None where that one saw none."""

    views: Mapping[str, BoardView]
    T_ref_hand: Array | None
    T_cam_board: Array | None


@dataclass(frozen=True, eq=False)
class Setting:
    """What is known beforehand: cameras as they are calibrated by now, the board; T_base_cam (4, 4) of the first
    one and the board's thickness [m], for a table."""

    cameras: tuple[Camera, ...]
    board: Board
    T_base_cam: Array | None = None
    thickness: float = 0.0


def solve(task: BoardTask, setting: Setting, taken: Sequence[Taken]) -> Result:
    """Return the result. Raises ValueError in words for a person."""
    first = setting.cameras[0]
    if task == "cameras":
        return solve_extrinsics(setting.cameras, [one.views for one in taken], setting.board)
    views = [one.views[first.name] for one in taken]
    if task == "lens":
        return solve_intrinsics(first.name, views, setting.board, first.model)
    if task == "table":
        require(setting.T_base_cam is not None, f"camera {first.name}: its place is unknown; calibrate that first")
        T_base_cam = np.asarray(setting.T_base_cam)
        return solve_board_plane(first, setting.board, views, T_base_cam, setting.thickness)
    poses = [one.T_ref_hand for one in taken if one.T_ref_hand is not None]
    if task == "tracker":
        seen = [one.T_cam_board for one in taken if one.T_cam_board is not None]
        require(len(seen) == len(poses) == len(taken), "views: one does not tell where the board is; remove it")
        return solve_pair([inverse(T) for T in seen], poses)
    return solve_hand_eye("wrist" if task == "wrist" else "stand", first, setting.board, views, poses)


def report_of(result: Result) -> Report:
    """Return what a result says of itself."""
    if isinstance(result, PlaneResult):
        return Report(_PLANE_VERDICTS[result.verdict], _plane_words(result), (), {"rms_m": result.rms})
    if isinstance(result, PairResult):
        sigma = {"place_m": result.sigma_m, "turn_rad": result.sigma_rad}
        return Report(result.verdict, result.words, (), sigma)
    return result.report


def rows_of(result: Result | None, taken: Sequence[Taken]) -> tuple[Row, ...]:
    """A row a view: which cameras saw it, and how well it agrees once that is known."""
    told = _agreement(result)
    rows = []
    for k, one in enumerate(taken, 1):
        seen = ", ".join(f"{name} {len(view.ids)}" for name, view in one.views.items())
        if k in told:
            rows.append(Row(f"{k}   {told[k].text}", told[k].warned))
        else:
            rows.append(Row(f"{k}   {seen} corners" + ("" if result is None else ", not used")))
    return tuple(rows)


def kept(result: Result, rig: str, cameras: Sequence[Camera], board: Board) -> Calibration:
    """Return a result as it is kept."""
    report, name = report_of(result), cameras[0].name
    made = datetime.datetime.now(datetime.UTC)
    common = Calibration(
        "intrinsics", rig, name, made, report.verdict, report.words,
        sigma=dict(report.sigma), rms_px=report.rms, board=f"{board.name}: {board.words}",
    )  # fmt: skip
    if isinstance(result, IntrinsicsResult):
        return replace(common, cameras=(replace(result.camera, T_world_cam=None),))
    if isinstance(result, ExtrinsicsResult):
        poses = {f"T_view1_{camera}": T for camera, T in result.T_view1_cam.items()}
        return replace(common, kind="extrinsics", subject=EXTRINSICS, poses=poses)
    if isinstance(result, PairResult):
        return replace(common, kind="tracker", poses={"T_cam_sensor": result.T_a_b})
    if isinstance(result, PlaneResult):
        normal = dict(zip(("normal_x", "normal_y", "normal_z"), map(float, result.normal), strict=True))
        return replace(common, kind="table", numbers={**normal, "offset_m": result.offset})
    key = "T_flange_cam" if result.kind == "wrist" else "T_base_cam"
    return replace(common, kind="hand_eye", poses={key: result.T_hand_cam})


def _plane_words(plane: PlaneResult) -> str:
    """The verdict over places of the board, four corners each, as a sentence."""
    places, worst = len(plane.residual) // 4, plane.worst // 4 + 1
    left = f"{places} places of the board lie within {1e3 * np.abs(plane.residual).max():.2f} mm of one plane"
    again = f"Lay it at place {worst} again for better."
    return {
        "good": f"Good: {left}.",
        "poor": f"Do it again: {left}. Is the table bent, or did the board not lie flat at place {worst}?",
    }.get(plane.verdict, f"Usable: {left}. {again}")


def _agreement(result: Result | None) -> dict[int, Row]:
    """How well each view agrees, by its number from 1."""
    if result is None:
        return {}
    if isinstance(result, PlaneResult):
        corners = np.abs(result.residual).reshape(-1, 4).max(axis=1)
        return {k: Row(f"{1e3 * off:.2f} mm off the plane") for k, off in enumerate(corners.tolist(), 1)}
    if isinstance(result, PairResult):
        used = iter(result.apart)
        count = len(result.apart) + len(result.left_out)
        return {
            k + 1: Row("left out", True) if k in result.left_out else Row(f"{1e3 * next(used)[0]:.1f} mm apart")
            for k in range(count)
        }
    found: dict[int, Row] = {}
    worst: dict[int, float] = {}
    for error in result.report.views:
        number = int(error.name.split(",")[0].split()[-1])
        worst[number] = max(error.rms, worst.get(number, 0.0))
        out = error.left_out or (number in found and found[number].warned)
        found[number] = Row(f"{worst[number]:.2f} px" + (", left out" if out else ""), out)
    return found

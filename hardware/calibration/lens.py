"""Lenses as calibration needs them: numbers to be found, projection of many points, rays, a board's pose.

Pinhole distortion is OpenCV's k1 k2 p1 p2 [k3 [k4 k5 k6]]; fisheye is Kannala and Brandt's equidistant lens (TPAMI
2006, the form of OpenCV's fisheye module): r = angle (1 + k1 angle^2 + k2 angle^4 + k3 angle^6 + k4 angle^8).
"""

from dataclasses import replace

import cv2
import numpy as np

from hardware.calibration.board import Board, BoardView
from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import Camera, require

STEEPEST_RAD = np.radians(80.0)  # a ray further from the axis says little of a board's pose
TURNS = 12  # of Newton's method for an angle


def lens_numbers(camera: Camera) -> Array:
    """Return fx, fy, cx, cy and the distortion (4 + N,). Raises ValueError for terms that are not known here."""
    n = len(camera.distortion)
    if camera.model == "fisheye":
        require(n in (0, 4), f"camera {camera.name}: distortion has {n} numbers; valid: 4 for a fisheye")
        bent = camera.distortion if n else np.zeros(4)
    else:
        require(n in (0, 4, 5, 8), f"camera {camera.name}: distortion has {n} numbers; valid: 0, 4, 5 or 8")
        bent = camera.distortion if n else np.zeros(4)
    K = camera.K
    return np.concatenate([[K[0, 0], K[1, 1], K[0, 2], K[1, 2]], bent])


def with_numbers(camera: Camera, numbers: Array) -> Camera:
    """Return the camera with other lens numbers (4 + N,)."""
    fx, fy, cx, cy = numbers[:4]
    K = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    return replace(camera, K=K, distortion=np.array(numbers[4:], float))


def project_lens(numbers: Array, model: str, points: Array) -> Array:
    """Return pixels (..., 2) of points (..., 3) [m] in the camera's frame; behind a pinhole camera they are far
    off."""
    x, y, z = np.moveaxis(np.asarray(points, float), -1, 0)
    if model == "fisheye":
        across = np.hypot(x, y)
        angle = np.arctan2(across, z)
        square = angle**2
        k1, k2, k3, k4 = numbers[4:8]
        bent = angle * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
        scale = bent / np.where(across < 1e-12, 1.0, across)
        scale = np.where(across < 1e-12, 1.0 / np.where(np.abs(z) < 1e-9, 1e-9, z), scale)
        u, v = x * scale, y * scale
    else:
        depth = np.where(z > 1e-6, z, 1e-6)
        u, v = _bent(x / depth, y / depth, numbers[4:])
    return np.stack([numbers[0] * u + numbers[2], numbers[1] * v + numbers[3]], axis=-1)


def _bent(a: Array, b: Array, k: Array) -> tuple[Array, Array]:
    terms = np.zeros(8)
    terms[: len(k)] = k
    k1, k2, p1, p2, k3, k4, k5, k6 = terms
    r2 = a * a + b * b
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return a * radial + 2 * p1 * a * b + p2 * (r2 + 2 * a * a), b * radial + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b


def rays(camera: Camera, pixels: Array) -> Array:
    """Return unit directions (N, 3) in the camera's frame of pixels (N, 2) as the lens bends them."""
    uv = np.asarray(pixels, float).reshape(-1, 2)
    if camera.model != "fisheye":
        bent = camera.distortion if len(camera.distortion) else None
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-12)
        straight = cv2.undistortPointsIter(uv.reshape(-1, 1, 2), camera.K, bent, None, None, criteria)
        d = np.column_stack([np.asarray(straight).reshape(-1, 2), np.ones(len(uv))])
        return np.asarray(d / np.linalg.norm(d, axis=1, keepdims=True))
    numbers = lens_numbers(camera)
    a, b = (uv - numbers[2:4]).T / numbers[:2, None]
    radius = np.hypot(a, b)
    angle = _angle_of(radius, numbers[4:8])
    sideways = np.sin(angle) / np.where(radius < 1e-12, 1.0, radius)
    return np.column_stack([a * sideways, b * sideways, np.cos(angle)])


def _angle_of(radius: Array, k: Array) -> Array:
    """The angle [rad] whose bent one is `radius`, by Newton's method; at most straight behind."""
    angle = radius.copy()
    for _ in range(TURNS):
        s = angle**2
        value = angle * (1 + s * (k[0] + s * (k[1] + s * (k[2] + s * k[3])))) - radius
        slope = 1 + s * (3 * k[0] + s * (5 * k[1] + s * (7 * k[2] + s * 9 * k[3])))
        angle = np.clip(angle - value / np.where(np.abs(slope) < 1e-3, 1e-3, slope), 0.0, np.pi)
    return np.asarray(angle)


def board_pose(camera: Camera, board: Board, view: BoardView) -> Array:
    """Return T_cam_board (4, 4) of one picture. Raises ValueError where its corners do not tell: all on one
    line."""
    require(len(view.ids) >= 4, f"view: {len(view.ids)} corners; valid: 4 or more; show more of the board")
    d = rays(camera, view.pixels)
    ahead = d[:, 2] > np.cos(STEEPEST_RAD)
    points = view.points(board)[ahead]
    spread = (
        np.linalg.svd(points[:, :2] - points[:, :2].mean(axis=0), compute_uv=False) if len(points) > 3 else None
    )
    if spread is None or spread[1] < 0.5 * board.square:
        raise ValueError("view: its corners lie on one line; valid: corners of two rows or more; show more of it")
    flat = d[ahead, :2] / d[ahead, 2:]
    try:
        fine, turn, place = cv2.solvePnP(points, flat.reshape(-1, 1, 2), np.eye(3), None, flags=cv2.SOLVEPNP_IPPE)
    except cv2.error:
        fine = False
    if not fine:
        raise ValueError("view: its corners fit no pose of the board; was the board flat, and in one piece?")
    turn, place = cv2.solvePnPRefineLM(points, flat.reshape(-1, 1, 2), np.eye(3), None, turn, place)
    return transform(rotation_from_vector(np.asarray(turn).ravel()), np.asarray(place).ravel())

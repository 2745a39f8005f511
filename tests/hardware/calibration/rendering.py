"""Pictures of a board whose truth is known: every ray through a lens, met with the paper, blurred and noisy."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from hardware.calibration.board import Board, BoardView, board_picture
from hardware.calibration.lens import lens_numbers, project_lens, rays
from hardware.geometry import Array, apply, inverse, rotation_from_vector, transform
from hardware.types import Camera, Image

PX_PER_M = 4000.0
BACKGROUND = 96

PINHOLE = Camera(
    "left",
    np.array([[612.0, 0.0, 322.4], [0.0, 610.5, 236.1], [0.0, 0.0, 1.0]]),
    (640, 480),
    np.array([0.09, -0.17, 0.0011, -0.0007]),
)
WIDE = Camera(
    "gripper",
    np.array([[204.0, 0.0, 316.2], [0.0, 203.5, 243.7], [0.0, 0.0, 1.0]]),
    (640, 480),
    np.array([0.021, -0.009, 0.0035, -0.0011]),
    "fisheye",
)


class BoardRenderer:
    """One camera and one board. picture(T_cam_board, rng): (H, W) grey, with blur [px] and noise [grey levels]."""

    def __init__(
        self, camera: Camera, board: Board, *, blur: float = 0.6, noise: float = 2.0, fine: int = 2
    ) -> None:
        """fine: rays across a pixel."""
        self.camera, self._blur, self._noise, self._fine = camera, blur, noise, fine
        self._margin = board.square / 2
        self._sheet = board_picture(board, PX_PER_M, self._margin)
        self._size = board.size
        width, height = camera.size
        at = (np.arange(fine) + 0.5) / fine - 0.5
        v, u = np.meshgrid((np.arange(height)[:, None] + at).ravel(), (np.arange(width)[:, None] + at).ravel(),
                           indexing="ij")  # fmt: skip
        self._rays = rays(camera, np.column_stack([u.ravel(), v.ravel()])).astype(np.float32)
        self._shape = (height * fine, width * fine)

    def picture(self, T_cam_board: Array, rng: np.random.Generator) -> Image:
        T = inverse(T_cam_board)
        d = self._rays @ T[:3, :3].T.astype(np.float32)
        eye = T[:3, 3].astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            way = -eye[2] / d[:, 2]
        x, y = eye[0] + way * d[:, 0], eye[1] + way * d[:, 1]
        hidden = ~(way > 0)
        u = np.where(hidden, -1e6, (x + self._margin) * PX_PER_M - 0.5).astype(np.float32).reshape(self._shape)
        v = np.where(hidden, -1e6, (y + self._margin) * PX_PER_M - 0.5).astype(np.float32).reshape(self._shape)
        big = cv2.remap(self._soft(T_cam_board), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                        borderValue=BACKGROUND)  # fmt: skip
        small = cv2.resize(big, self.camera.size, interpolation=cv2.INTER_AREA).astype(float)
        if self._blur > 0:
            small = cv2.GaussianBlur(small, (0, 0), self._blur)
        return np.asarray(np.clip(small + rng.normal(0, self._noise, small.shape), 0, 255), np.uint8)

    def _soft(self, T_cam_board: Array) -> Image:
        """The sheet, smoothed to what the finer rays can tell apart, so that nothing flickers."""
        far = float(np.linalg.norm(T_cam_board[:3, 3]))
        step = PX_PER_M * far / float(self.camera.K[0, 0]) / self._fine
        return np.asarray(cv2.GaussianBlur(self._sheet, (0, 0), 0.4 * step)) if step > 1.5 else self._sheet


@lru_cache(maxsize=6)
def renderer(name: str, board: Board, blur: float = 0.6, noise: float = 2.0) -> BoardRenderer:
    """One that is made once for all tests."""
    return BoardRenderer({"left": PINHOLE, "gripper": WIDE}[name], board, blur=blur, noise=noise)


def board_at(board: Board, centre: Sequence[float], tilt: Sequence[float], spin: float = 0.0) -> Array:
    """Return T_cam_board (4, 4) with the board's middle at `centre` [m], turned by tilt (2,) about x and y, and
    spin about its own normal [rad]."""
    R = rotation_from_vector(np.array([*tilt, 0.0])) @ rotation_from_vector(np.array([0.0, 0.0, spin]))
    middle = np.array([board.size[0] / 2, board.size[1] / 2, 0.0])
    return transform(R, np.asarray(centre, float) - R @ middle)


def held_boards(board: Board, count: int, rng: np.random.Generator, *, wide: bool = False) -> list[Array]:
    """Poses as a careful person shows a board: all over the picture, tilted to every side, near and far."""
    poses = []
    for k in range(count):
        far = board.size[0] * (rng.uniform(0.55, 1.0) if wide else rng.uniform(1.15, 1.9))
        across = (k % 5 - 2) / 2 * (0.55 if wide else 0.22), (k // 5 % 3 - 1) * (0.4 if wide else 0.14)
        tilt = rng.uniform(0.25, 0.6, 2) * rng.choice([-1, 1], 2) * (k % 6 != 0)
        poses.append(board_at(board, [across[0] * far, across[1] * far, far], tilt, rng.uniform(-0.5, 0.5)))
    return poses


def seen_view(
    camera: Camera, board: Board, T_cam_board: Array, rng: np.random.Generator, noise: float = 0.05
) -> BoardView:
    """What a detector would find, without a picture: projected corners with noise [px], those inside it."""
    points = apply(T_cam_board, board.points)
    pixels = project_lens(lens_numbers(camera), camera.model, points)
    pixels = pixels + rng.normal(0, noise, pixels.shape)
    inside = (pixels > 2).all(axis=1) & (pixels < np.array(camera.size) - 3).all(axis=1)
    inside &= points[:, 2] > 0.02 if camera.model == "pinhole" else np.ones(len(points), bool)
    return BoardView(np.flatnonzero(inside), pixels[inside], camera.size)

"""ChArUco boards: what is printed, and where a picture shows it.

Board frame: origin at the printed upper left corner, x right, y down, z into the board, as OpenCV's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Image, require

# markers that a dictionary holds
DICTIONARIES: Mapping[str, int] = {
    "DICT_4X4_50": 50,
    "DICT_4X4_100": 100,
    "DICT_5X5_50": 50,
    "DICT_5X5_100": 100,
    "DICT_5X5_250": 250,
    "DICT_6X6_100": 100,
    "DICT_6X6_250": 250,
}
LEAST_CORNERS = 10
LEAST_MARKERS = 4
NEIGHBOURS = 1.5  # markers that lie nearer than that, in squares, are looked at together
OFF_PLACE = 0.35  # of a square between where a marker lies and where its neighbour puts it
PAPER, INK = 245, 12


@dataclass(frozen=True)
class Board:
    """A board as it is printed: columns x rows squares of side `square` [m] with markers of side `marker` [m].

    Its markers are first_id and the following ones of the dictionary, in reading order; its upper left square is
    black.
    """

    name: str
    columns: int
    rows: int
    square: float
    marker: float
    dictionary: str = "DICT_5X5_100"
    first_id: int = 0

    def __post_init__(self) -> None:
        for key in ("columns", "rows"):
            value = getattr(self, key)
            require(3 <= value <= 40, f"board {self.name}: {key} {value}; valid: 3 to 40")
        require(0.002 <= self.square <= 1.0, f"board {self.name}: square {self.square} m; valid: 0.002 to 1")
        fine = 0.3 * self.square <= self.marker <= 0.95 * self.square
        require(
            fine, f"board {self.name}: marker {self.marker} m; valid: 0.3 to 0.95 of a square of {self.square} m"
        )
        known = self.dictionary in DICTIONARIES
        require(known, f"board {self.name}: dictionary {self.dictionary!r}; valid: {', '.join(DICTIONARIES)}")
        last, most = self.first_id + self.markers - 1, DICTIONARIES[self.dictionary] - 1
        fine = self.first_id >= 0 and last <= most
        require(
            fine, f"board {self.name}: markers {self.first_id} to {last}; valid: 0 to {most} of {self.dictionary}"
        )

    @property
    def markers(self) -> int:
        return self.columns * self.rows // 2

    @property
    def size(self) -> tuple[float, float]:
        """Width and height [m]."""
        return self.columns * self.square, self.rows * self.square

    @property
    def corners(self) -> int:
        """Number of inner corners of the chessboard."""
        return (self.columns - 1) * (self.rows - 1)

    @property
    def points(self) -> Array:
        """The inner corners (corners, 3) [m] by their id."""
        y, x = np.divmod(np.arange(self.corners), self.columns - 1)
        return np.column_stack([(x + 1) * self.square, (y + 1) * self.square, np.zeros(self.corners)])

    @property
    def marker_centres(self) -> Array:
        """(markers, 2) [m], in the order of their ids."""
        rows, columns = np.mgrid[0 : self.rows, 0 : self.columns]
        white = (rows + columns) % 2 == 1
        return np.column_stack([columns[white] + 0.5, rows[white] + 0.5]) * self.square

    @property
    def words(self) -> str:
        return (
            f"{self.columns} x {self.rows} squares of {1e3 * self.square:g} mm, markers {self.first_id} to "
            f"{self.first_id + self.markers - 1} of {self.dictionary}"
        )


# markers of another dictionary than those on a gripper's fingers (DICT_4X4_50), and other ones on each sheet
A4 = Board("a4", 9, 6, 0.028, 0.021, first_id=0)
A3 = Board("a3", 9, 6, 0.042, 0.0315, first_id=27)
BOARDS: Mapping[str, Board] = {board.name: board for board in (A4, A3)}
WORLD_BOARD, WORLD_THICKNESS = A3, 0.004  # that lies ready in the simulated world, [m]


@dataclass(frozen=True, eq=False)
class BoardView:
    """The corners of a board in one picture: ids (N,), pixels (N, 2); size (width, height) of the picture."""

    ids: NDArray[np.int64]
    pixels: Array
    size: tuple[int, int]

    def __post_init__(self) -> None:
        fine = self.ids.ndim == 1 and self.pixels.shape == (len(self.ids), 2)
        require(fine, f"view: ids {self.ids.shape}, pixels {self.pixels.shape}; valid: (N,) and (N, 2)")

    def points(self, board: Board) -> Array:
        """(N, 3) [m] in the board's frame."""
        return np.asarray(board.points[self.ids])


@dataclass(frozen=True, eq=False)
class Sighting:
    """What was found of a board. view: None where it cannot be used; problem: then why, and what to do."""

    view: BoardView | None
    problem: str = ""


def detect(grey: Image, board: Board) -> Sighting:
    """Look for a board in a picture (H, W)."""
    found, ids = _markers(grey, board)
    agreeing, mine = _agreement(found, ids, board)
    if mine >= LEAST_MARKERS and agreeing >= 0.5:
        return _corners(grey, board)
    if mine < LEAST_MARKERS or agreeing < 0.2:
        mirrored, ids_mirrored = _markers(np.ascontiguousarray(grey[:, ::-1]), board)
        share, count = _agreement(mirrored, ids_mirrored, board)
        if count >= LEAST_MARKERS and share >= 0.5:
            return Sighting(None, "the picture is mirrored; turn mirroring off in the camera's settings")
    if mine >= LEAST_MARKERS:
        what = f"its markers lie otherwise than on board {board.name} ({board.words})"
        return Sighting(None, f"this is another board: {what}; choose the board that you printed")
    for other in BOARDS.values():
        if other is not board and _agreement(*_markers(grey, other), other)[1] >= LEAST_MARKERS:
            return Sighting(None, f"this is board {other.name}, not {board.name}; choose {other.name}")
    if len(ids) >= LEAST_MARKERS:
        seen = ", ".join(str(i) for i in sorted(ids)[:6])
        return Sighting(None, f"this is another board: it has the markers {seen}; valid: {board.words}")
    return Sighting(None, "no board in the picture")


@lru_cache(maxsize=16)
def _detector(board: Board) -> "cv2.aruco.CharucoDetector":
    number = getattr(cv2.aruco, board.dictionary)
    ids = np.arange(board.first_id, board.first_id + board.markers, dtype=np.int32)
    made = cv2.aruco.CharucoBoard(
        (board.columns, board.rows), board.square, board.marker, cv2.aruco.getPredefinedDictionary(number), ids
    )
    return cv2.aruco.CharucoDetector(made)


@lru_cache(maxsize=8)
def _marker_detector(dictionary: str) -> "cv2.aruco.ArucoDetector":
    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary)))


def _markers(grey: Image, board: Board) -> tuple[Array, list[int]]:
    """Corners (M, 4, 2) [px] and ids of every marker of the board's dictionary."""
    found, ids, _ = _marker_detector(board.dictionary).detectMarkers(grey)
    if ids is None:
        return np.zeros((0, 4, 2)), []
    return np.array([c.reshape(4, 2) for c in found], float), [int(i) for i in ids.ravel()]


def _agreement(found: Array, ids: list[int], board: Board) -> tuple[float, int]:
    """Return the share of neighbouring markers that lie to each other as on the board, and how many markers have an
    id of the board. Each neighbour is placed by a marker's own corners, so that a lens may bend the picture."""
    mine = [k for k, i in enumerate(ids) if board.first_id <= i < board.first_id + board.markers]
    centres = board.marker_centres[[ids[k] - board.first_id for k in mine]]
    seen, half = found[mine], board.marker / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    right, pairs = 0, 0
    for a in range(len(mine)):
        J = np.linalg.lstsq(corners, seen[a] - seen[a].mean(axis=0), rcond=None)[0]
        scale = board.square * float(np.sqrt(abs(np.linalg.det(J)))) + 1e-9
        for b in range(len(mine)):
            away = centres[b] - centres[a]
            if a == b or np.linalg.norm(away) > NEIGHBOURS * board.square:
                continue
            pairs += 1
            off = np.linalg.norm(seen[b].mean(axis=0) - seen[a].mean(axis=0) - away @ J)
            right += int(off < OFF_PLACE * scale)
    return (right / pairs if pairs else 0.0), len(mine)


def _corners(grey: Image, board: Board) -> Sighting:
    pixels, ids, _, _ = _detector(board).detectBoard(grey)
    count = 0 if ids is None else len(ids)
    if count < LEAST_CORNERS:
        text = f"too few corners: {count} of {board.corners}; valid: {LEAST_CORNERS} or more"
        return Sighting(None, f"{text}; come nearer, or uncover the board")
    size = (grey.shape[1], grey.shape[0])
    view = BoardView(np.asarray(ids, np.int64).reshape(-1), np.asarray(pixels, float).reshape(-1, 2), size)
    return Sighting(view)


def black_rectangles(board: Board) -> Array:
    """Return what is black on a board: (N, 4) x, y, width, height [m] from its upper left corner, no two
    overlapping."""
    s = board.square
    squares = [(c * s, r * s, s, s) for r in range(board.rows) for c in range(board.columns) if (r + c) % 2 == 0]
    number = getattr(cv2.aruco, board.dictionary)
    dictionary = cv2.aruco.getPredefinedDictionary(number)
    cells = int(dictionary.markerSize) + 2
    module = board.marker / cells
    for k, centre in enumerate(board.marker_centres):
        bits = cv2.aruco.generateImageMarker(dictionary, board.first_id + k, cells, borderBits=1) < 128
        x0, y0 = centre - board.marker / 2
        squares += [
            (x0 + x * module, y0 + y * module, w * module, h * module) for x, y, w, h in _merged(np.asarray(bits))
        ]
    return np.array(squares)


def _merged(bits: Array) -> list[tuple[int, int, int, int]]:
    """Cover the true cells of (N, N) with few rectangles x, y, width, height: a run, then down while it goes on."""
    left, found = np.array(bits, bool), []
    for y, x in np.ndindex(left.shape):
        if not left[y, x]:
            continue
        w = 1
        while x + w < left.shape[1] and left[y, x + w]:
            w += 1
        h = 1
        while y + h < left.shape[0] and left[y + h, x : x + w].all():
            h += 1
        left[y : y + h, x : x + w] = False
        found.append((x, y, w, h))
    return found


def board_picture(board: Board, px_per_m: float, margin: float) -> Image:
    """Return the board (H, W) with a white margin [m] all round, as a renderer takes it. Whole pixels only: choose
    px_per_m so that a marker's module is a whole number of them."""
    width, height = board.size
    sheet = np.full(
        (round((height + 2 * margin) * px_per_m), round((width + 2 * margin) * px_per_m)), PAPER, np.uint8
    )
    for x, y, w, h in black_rectangles(board):
        x0, y0 = round((x + margin) * px_per_m), round((y + margin) * px_per_m)
        x1, y1 = round((x + w + margin) * px_per_m), round((y + h + margin) * px_per_m)
        sheet[y0:y1, x0:x1] = INK
    return sheet

"""What a calibration says of itself: errors by view, what the views covered, how sure it is, and a verdict in
words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hardware.calibration.board import Board, BoardView
from hardware.geometry import Array, apply, rotation_angle
from hardware.types import require

Verdict = Literal["good", "usable", "again"]
GRID = (6, 8)  # rows and columns of the picture's coverage map
TILTS = ("face on", "left", "right", "up", "down")
FACE_ON_RAD = np.radians(12.0)
# of the picture's width: how far corners must have gone for a view that is no copy, and for one taken by itself
COPY_SHARE, NEW_SHARE = 0.0015, 0.008
ROWS = ("upper", "middle", "lower")
COLUMNS = ("left", "middle", "right")
# a view is left out over so many times the median error, if it is over so many pixels too
OUTLIER, OUTLIER_PX = 3.0, 1.0


@dataclass(frozen=True)
class ViewError:
    """How well one view agrees: rms and worst [px] over its corners; left_out: it was not used, agreeing too
    badly."""

    name: str
    rms: float
    worst: float
    corners: int
    left_out: bool = False


@dataclass(frozen=True, eq=False)
class Coverage:
    """grid: corners seen by cell of the picture, GRID; tilts: views by how the board was held, by TILTS."""

    grid: Array
    tilts: Mapping[str, int]

    @property
    def share(self) -> float:
        """Of the picture's cells, how many saw a corner."""
        return float((self.grid > 0).mean())

    @property
    def advice(self) -> str:
        """What to show next, "" where nothing is missing."""
        wanted = [tilt for tilt in TILTS[1:] if not self.tilts.get(tilt)]
        rows, columns = np.array_split(np.arange(GRID[0]), 3), np.array_split(np.arange(GRID[1]), 3)
        seen = {(r, c): (self.grid[np.ix_(rows[r], columns[c])] > 0).mean() for r in range(3) for c in range(3)}
        (r, c), least = min(seen.items(), key=lambda item: item[1])
        if least < 0.5:
            place = "middle" if r == c == 1 else f"{ROWS[r]} {COLUMNS[c]}".replace("middle ", "").strip()
            return f"Show the board in the {place} of the picture."
        if wanted:
            return f"Tilt the board {wanted[0]}, 30 degrees or so."
        return ""


def coverage(board: Board, views: Sequence[BoardView], T_cam_board: Sequence[Array]) -> Coverage:
    """Return what views and poses (4, 4) of a board covered together."""
    grid = np.zeros(GRID, int)
    for view in views:
        cell = np.floor(view.pixels / np.array(view.size) * [GRID[1], GRID[0]]).astype(int)
        inside = ((cell >= 0) & (cell < [GRID[1], GRID[0]])).all(axis=1)
        np.add.at(grid, (cell[inside, 1], cell[inside, 0]), 1)
    tilts = dict.fromkeys(TILTS, 0)
    for T in T_cam_board:
        tilts[tilt_of(board, T)] += 1
    return Coverage(grid, tilts)


def tilt_of(board: Board, T_cam_board: Array) -> str:
    """How the board is held against the line of sight to it, one of TILTS: towards which side it faces."""
    width, height = board.size
    middle = apply(T_cam_board, np.array([[width / 2, height / 2, 0.0]]))[0]
    sight = middle / max(float(np.linalg.norm(middle)), 1e-9)
    normal = T_cam_board[:3, 2]  # away from the camera where the board is seen from its front
    across = normal - sight * float(normal @ sight)
    if np.linalg.norm(across) < np.sin(FACE_ON_RAD):
        return "face on"
    if abs(across[0]) > abs(across[1]):
        return "left" if across[0] > 0 else "right"
    return "up" if across[1] > 0 else "down"


@dataclass(frozen=True, eq=False)
class Report:
    """sigma: one standard deviation by what it is of, units in the name; covered: None where nothing is to
    cover."""

    verdict: Verdict
    words: str
    views: tuple[ViewError, ...]
    sigma: Mapping[str, float] = field(default_factory=dict)
    covered: Coverage | None = None

    @property
    def rms(self) -> float:
        """[px] over the views that were used; 0 where there are none."""
        used = [view for view in self.views if not view.left_out]
        weight = sum(view.corners for view in used)
        return float(np.sqrt(sum(view.corners * view.rms**2 for view in used) / weight)) if weight else 0.0

    @property
    def worst(self) -> ViewError | None:
        used = [view for view in self.views if not view.left_out]
        return max(used, key=lambda view: view.rms, default=None)


def view_error(name: str, residual: Array, *, left_out: bool = False) -> ViewError:
    """Sum up residuals (N, 2) [px]."""
    away = np.linalg.norm(residual, axis=1)
    return ViewError(name, float(np.sqrt((away**2).mean())), float(away.max()), len(away), left_out)


def rms_of(residuals: Sequence[Array]) -> float:
    """Root mean square [px] of the distances (N, 2) of all views together; 0 for none."""
    every = np.concatenate([*residuals, np.zeros((0, 2))])
    return float(np.sqrt((every**2).sum(axis=1).mean())) if len(every) else 0.0


def outliers(errors: Sequence[ViewError]) -> set[int]:
    """Return the indices of views that agree so badly that they harm the others."""
    middle = float(np.median([error.rms for error in errors])) if errors else 0.0
    return {k for k, error in enumerate(errors) if error.rms > max(OUTLIER * middle, OUTLIER_PX)}


def judge(figures: Sequence[tuple[float, float, float, str]], what: str, todo: str) -> tuple[Verdict, str]:
    """Return the verdict and its words. figures: value, good up to, usable up to, and the complaint where it is
    over; what: said first; todo: what else would make it better."""
    again = [text for value, _, usable, text in figures if not value <= usable]
    fair = [text for value, good, usable, text in figures if good < value <= usable]
    verdict: Verdict = "again" if again else "usable" if fair else "good"
    head = {"good": "Good", "usable": "Usable", "again": "Do it again"}[verdict]
    why = again or fair
    return verdict, " ".join(filter(None, [f"{head}: {what}.", *(f"{_capital(text)}." for text in why), todo]))


def refuse_copies(views: Sequence[BoardView], least: int) -> list[int]:
    """Return the indices of views that differ from all before; ValueError where fewer than `least` remain."""
    kept: list[int] = []
    for k, view in enumerate(views):
        if not any(same_view(view, views[j]) for j in kept):
            kept.append(k)
    copies = len(views) - len(kept)
    text = f"views: {len(kept)}" + (f" that differ, {copies} are copies of them" if copies else "")
    require(len(kept) >= least, f"{text}; valid: {least} or more, with the board moved between them")
    return kept


def same_view(a: BoardView, b: BoardView, share: float = COPY_SHARE) -> bool:
    """Whether two views show the board in the same place, within a share of the picture's width."""
    if a.size != b.size:
        return False
    ids, in_a, in_b = np.intersect1d(a.ids, b.ids, return_indices=True)
    if len(ids) < 0.5 * min(len(a.ids), len(b.ids)) or not len(ids):
        return False
    moved = np.linalg.norm(a.pixels[in_a] - b.pixels[in_b], axis=1)
    return bool(moved.mean() < share * a.size[0])


def refuse_little_turning(R: Array, least_rad: float, what: str, todo: str) -> None:
    """Raise ValueError where rotations (N, 3, 3) turn so little, or about one axis only, that a motion cannot be
    told."""
    widest = max(float(rotation_angle(a, R).max()) for a in R)
    require(
        widest >= least_rad,
        f"{what} turned by {np.degrees(widest):.0f} degrees at most, it only shifted; valid: "
        f"{np.degrees(least_rad):.0f} or more, about two axes; {todo}",
    )
    away = R - R.mean(axis=0)
    information = np.einsum("nji,njk->ik", away, away) / len(R)
    spread = float(np.sqrt(max(np.linalg.eigvalsh(information)[0], 0.0)))
    require(
        spread >= 0.35 * np.sin(least_rad / 2),
        f"{what} turned about one axis only; valid: two axes or more; {todo}",
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

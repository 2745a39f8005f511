"""What a set of demos holds: counts from the table at once; positions, twins and stereo from the recordings.

Positions are where a demo begins [m]: its tracked tool, else a pose sensor, else an arm's tool. Twins begin
with nearly the same picture and move nearly alike; where the bare scenes of two demos were photographed, it is told
too which of them are the same. Stereo: how far the views disagree about the tracked tool [px].
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.recording.note import NOTE, EpisodeFileError, read_note
from models.data.annotations import read_annotation
from models.data.dataset_index import DemoCut, DemoKey, DemoRow, Report
from models.data.demo import POSE_COLUMNS
from models.data.errors import DreamFileError
from models.data.session_demo import SessionDemo, episode_demos

MOST = 1000  # demos that are looked into; of more, every n-th
STEPS = 8  # points of a path that are compared
PICTURE = (16, 12)  # what is compared of a picture
SAME_PICTURE, SAME_PATH_M = 6.0, 0.01  # mean grey levels; mean distance
MOST_TWINS = 50
SCENE = (64, 40)  # what is compared of a photo of the bare scene, in colour
SAME_SCENE = 10.0  # levels, where two scenes differ most, over 3x3 pixels; the light's change taken off
COARSE = 8  # pixels a side of what is compared first
MOST_PAIRS = 20_000  # of scenes that are alike in the coarse: more are not looked at closely
KINDS = ("track", "pose", "arm")


@dataclass(frozen=True)
class Counts:
    """What the table says: demos, hours, and how many by task, object, success, tag, check and length."""

    demos: int
    seconds: float
    by_task: tuple[tuple[str, int], ...]
    by_object: tuple[tuple[str, int], ...]
    by_success: tuple[tuple[str, int], ...]
    by_tag: tuple[tuple[str, int], ...]
    by_level: tuple[tuple[str, int], ...]
    lengths: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, eq=False)
class Look:
    """What the recording of one demo says. path (STEPS, 3) [m], nan where nothing tells it; picture (H, W) grey;
    stereo_px: median disagreement of the views, nan where it was not tracked; scene (H, W, 3): the bare scene, None
    where it was not photographed."""

    cut: DemoCut
    path: Array
    picture: Array | None
    stereo_px: float
    scene: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class SameScene:
    """Two demos before which the table looked the same: how far it differs where it differs most [levels]."""

    a: DemoKey
    b: DemoKey
    levels: float


@dataclass(frozen=True)
class Twins:
    """Two demos nearly the same: mean distance of their paths [m] and of their pictures [grey levels]."""

    a: DemoKey
    b: DemoKey
    path_m: float
    picture: float


def counts(rows: Sequence[DemoRow]) -> Counts:
    """Count what stands in the table."""
    words = {True: "yes", False: "no", None: "unknown"}
    return Counts(
        len(rows),
        sum(row.duration_s for row in rows),
        _most(row.task for row in rows),
        _most(row.object for row in rows if row.object),
        _most(words[row.success] for row in rows),
        _most(tag for row in rows for tag in row.tags),
        _most(row.level for row in rows if row.level),
        lengths([row.duration_s for row in rows]),
    )


def lengths(seconds: Sequence[float], bins: int = 8) -> tuple[tuple[float, float, int], ...]:
    """Return (from, to, how many) of up to `bins` round steps [s]."""
    if not seconds:
        return ()
    widest = max(seconds)
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1e9) if widest / s <= bins)
    found = Counter(int(v // step) for v in seconds)
    return tuple((k * step, (k + 1) * step, found[k]) for k in range(min(found), max(found) + 1))


@dataclass(frozen=True, eq=False)
class Looked:
    """What the recordings of some demos say; problems: why others cannot be read."""

    looks: Mapping[DemoCut, Look]
    twins: tuple[Twins, ...]
    problems: tuple[str, ...]
    scenes: tuple[SameScene, ...] = ()


def look_into(
    rows: Sequence[DemoRow], known: Mapping[DemoCut, Look], report: Report, cancelled: Callable[[], bool]
) -> Looked:
    """Read what the recordings say of at most MOST demos, evenly chosen, but for those that are known."""
    wanted = rows if len(rows) <= MOST else [rows[k] for k in np.linspace(0, len(rows) - 1, MOST).astype(int)]
    looks = {row.cut: known[row.cut] for row in wanted if row.cut in known}
    missing = [row for row in wanted if row.cut not in known and row.usable]
    problems = []
    for done, row in enumerate(missing):
        report(done, len(missing))
        if cancelled():
            break
        try:
            looks[row.cut] = look(row)
        except (EpisodeFileError, DreamFileError, OSError) as error:
            problems.append(str(error))
    found = list(looks.values())
    return Looked(looks, twins(found), tuple(problems), same_scenes(found))


def look(row: DemoRow) -> Look:
    """Read what one demo's recording says. Raises EpisodeFileError, DreamFileError."""
    demos = episode_demos(row.folder, read_note(row.folder / NOTE), read_annotation(row.folder))
    demo = next((d for d in demos if d.piece.key == row.piece), None)
    if demo is None:
        raise EpisodeFileError(f"{row.folder}: piece {row.piece} is not there any more; look again")
    track = demo.recording.track
    apart = [abs(v) for t in track.track.tools.values() for v in t.stereo_disagreement_px] if track else []
    known = np.array([v for v in apart if np.isfinite(v)])
    stereo = float(np.median(known)) if len(known) else float("nan")
    return Look(row.cut, _path(demo), _picture(demo), stereo, _scene(demo))


def twins(looks: Sequence[Look]) -> tuple[Twins, ...]:
    """Return pairs that begin with nearly the same picture and move nearly alike, the nearest first."""
    known = [look for look in looks if look.picture is not None and np.isfinite(look.path).all()]
    if len(known) < 2:
        return ()
    paths = np.stack([look.path.ravel() for look in known])
    pictures = np.stack([look.picture.ravel() for look in known if look.picture is not None])
    found = []
    for i in range(len(known) - 1):
        apart = np.linalg.norm((paths[i + 1 :] - paths[i]).reshape(-1, STEPS, 3), axis=2).mean(axis=1)
        differ = np.abs(pictures[i + 1 :] - pictures[i]).mean(axis=1)
        for j in np.flatnonzero((apart < SAME_PATH_M) & (differ < SAME_PICTURE)):
            found.append(Twins(known[i].cut[0], known[i + 1 + j].cut[0], float(apart[j]), float(differ[j])))
    return tuple(sorted(found, key=lambda pair: pair.path_m)[:MOST_TWINS])


def same_scenes(looks: Sequence[Look]) -> tuple[SameScene, ...]:
    """Return pairs of demos with the same bare scene, the most alike first."""
    known = [(look.cut[0], look.scene) for look in looks if look.scene is not None]
    if len(known) < 2:
        return ()
    fine = np.stack([scene for _, scene in known])
    height, width = SCENE[1] // COARSE, SCENE[0] // COARSE
    coarse = fine.reshape(len(fine), height, COARSE, width, COARSE, 3).mean(axis=(2, 4)).reshape(len(fine), -1)
    pairs = [
        (i, int(j))
        for i in range(len(known) - 1)
        for j in i + 1 + np.flatnonzero(np.abs(coarse[i + 1 :] - coarse[i]).max(axis=1) < SAME_SCENE)
    ]
    apart = [(scene_difference(fine[i], fine[j]), i, j) for i, j in pairs[:MOST_PAIRS]]
    near = sorted(found for found in apart if found[0] < SAME_SCENE)
    return tuple(SameScene(known[i][0], known[j][0], levels) for levels, i, j in near[:MOST_TWINS])


def scene_difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return by how many levels two bare scenes (H, W, 3) differ where they differ most: a thing that was moved."""
    return float(np.abs(cv2.blur(a - b, (3, 3))).max())


def _scene(demo: SessionDemo) -> NDArray[np.float32] | None:
    """The bare scene as the first camera saw it, small, each colour about its median."""
    view = next((name for name, stream in demo.streams.items() if stream.kind == "camera"), None)
    photo = demo.scene(view) if view is not None else None
    if photo is None:
        return None
    small = cv2.resize(photo, SCENE, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - np.median(small, axis=(0, 1)), np.float32)


def _path(demo: SessionDemo) -> Array:
    """(STEPS, 3) [m] at even times of the demo; nan where no stream tells where the tool is."""
    of_kind = {kind: [n for n, stream in demo.streams.items() if stream.kind == kind] for kind in KINDS}
    for name in (names[0] for names in of_kind.values() if names):
        columns = demo.streams[name].columns
        at = [columns.index(axis) for axis in POSE_COLUMNS[:3]]
        points, times = demo.values(name)[:, at], demo.times(name)
        seen = np.isfinite(points).all(axis=1)
        if seen.sum() >= 2:
            asked = np.linspace(0, demo.duration_s, STEPS)
            return np.stack([np.interp(asked, times[seen], points[seen, axis]) for axis in range(3)], axis=1)
    return np.full((STEPS, 3), np.nan)


def _picture(demo: SessionDemo) -> Array | None:
    """What the first camera saw first, small and grey."""
    view = next((name for name, stream in demo.streams.items() if stream.kind == "camera"), None)
    if view is None or not len(demo.times(view)):
        return None
    small = cv2.resize(demo.pictures(view, [0])[0], PICTURE, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), float)


def _most(values: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(values).most_common(12))

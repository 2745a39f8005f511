"""UMI data sets (zarr.zip): robots' gripper poses and widths beside one or more cameras, both ways."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hardware.geometry import Array
from models.data.demo import POSE_COLUMNS, Demo, DemoStream
from models.data.errors import DreamFileError
from models.data.exchange import (
    MAX_EPISODES,
    MAX_RATE,
    Cancelled,
    FileDemo,
    PictureSource,
    Progress,
    Samples,
    checked,
    in_batches,
    labels_from,
    poses,
    steady,
    stop_if,
)
from models.data.lerobot_layout import Layout, make_layout
from models.data.lerobot_rows import Rows, make_rows
from models.data.umi_store import ZarrWriter, ZarrZip

NAME = "dataset.zarr.zip"
RATE_HZ = 59.94  # of UMI's own cameras, where the file says none
WHOLE = re.compile(r"robot(\d{1,2})_eef_pos")
CAMERA = re.compile(r"camera\d{1,2}_rgb")


@dataclass(frozen=True)
class UmiReport:
    """What an export holds. robots: (pose stream, opening stream or "") by their number; left_out: streams that UMI
    has no place for."""

    fps: float
    episodes: int
    rows: int
    robots: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]


def export_umi(
    demos: Sequence[Demo], folder: Path, progress: Progress, cancelled: Cancelled, *, fps: float = 0.0
) -> UmiReport:
    """Write demos as folder/dataset.zarr.zip; rows as in a LeRobot export, pictures as JPEG-XL of level 99.

    The first pose and the first opening are a robot, the second ones another; without openings each pose is one.
    Raises DreamFileError: no pose, or one that is missing in a row; EpisodeFileError, OSError, ExchangeStopped.
    """
    layout = make_layout(demos, fps)
    robots = robots_of(layout, demos)
    rows = [make_rows(demo, layout) for demo in demos]
    writer = ZarrWriter(folder / NAME)
    try:
        for name in ("data", "meta"):
            writer.group(name)
        ends = np.cumsum([len(r) for r in rows])
        _write_numbers(writer, demos, rows, robots, layout)
        writer.numbers("meta/episode_ends", ends.astype("<i8"))
        writer.attributes({"fps": layout.fps, "episodes": [_told(demo) for demo in demos]})
        done = 0
        for camera, stream in enumerate(layout.cameras):
            width, height = stream.size or (0, 0)
            at = 0
            for demo, row in zip(demos, rows, strict=True):
                for batch in in_batches([int(k) for k in row.picked[stream.name]]):
                    stop_if(cancelled)
                    progress(done / max(1, int(ends[-1]) * len(layout.cameras)), f"{stream.name}: picture {at + 1}")
                    for rgb in demo.pictures(stream.name, batch):
                        writer.picture(f"data/camera{camera}_rgb", at, rgb)
                        at, done = at + 1, done + 1
            writer.pictures(f"data/camera{camera}_rgb", (at, height, width, 3))
    finally:
        writer.close()
    used = {name for pair in robots for name in pair} | {s.name for s in layout.cameras}
    everything = {name for demo in demos for name in demo.streams}
    return UmiReport(layout.fps, len(demos), int(ends[-1]), robots, tuple(sorted(everything - used)))


def robots_of(layout: Layout, demos: Sequence[Demo]) -> tuple[tuple[str, str], ...]:
    """Return the pose and the opening ("" for none) of each robot. Raises DreamFileError where there is no pose."""
    kinds = ("pose",) if any(s.kind == "pose" for s in layout.state) else ("track",)
    found = [s.name for s in layout.state if s.kind in kinds and s.columns == POSE_COLUMNS]
    openings = [s.name for s in layout.state if s.kind == "opening"]
    if not found:
        raise DreamFileError(demos[0].source["path"], "streams", "no episode-wide pose of a gripper or tool",
                             "a pose sensor or a tracked tool in every episode")  # fmt: skip
    if not openings:
        return tuple((pose, "") for pose in found)
    return tuple(zip(found, openings, strict=False))


def _write_numbers(
    writer: ZarrWriter,
    demos: Sequence[Demo],
    rows: Sequence[Rows],
    robots: tuple[tuple[str, str], ...],
    layout: Layout,
) -> None:
    for k, (pose, opening) in enumerate(robots):
        parts = [_pose6(demo, pose, row) for demo, row in zip(demos, rows, strict=True)]
        whole = np.concatenate(parts)
        writer.numbers(f"data/robot{k}_eef_pos", whole[:, :3].astype("<f4"))
        writer.numbers(f"data/robot{k}_eef_rot_axis_angle", whole[:, 3:].astype("<f4"))
        for name, at in (("start", 0), ("end", -1)):
            repeated = np.concatenate([np.repeat(p[at][None], len(p), axis=0) for p in parts])
            writer.numbers(f"data/robot{k}_demo_{name}_pose", repeated.astype("<f8"))
        widths = [
            demo.values(opening)[row.picked[opening]] if opening else np.zeros((len(row), 1))
            for demo, row in zip(demos, rows, strict=True)
        ]
        writer.numbers(f"data/robot{k}_gripper_width", np.concatenate(widths)[:, :1].astype("<f4"))
    first = layout.cameras[0].name if layout.cameras else robots[0][0]
    taken = [demo.times(first)[row.picked[first]] for demo, row in zip(demos, rows, strict=True)]
    writer.numbers("data/timestamp", np.concatenate(taken).astype("<f8"))


def _pose6(demo: Demo, stream: str, rows: Rows) -> Array:
    """Return position and rotation vector by row (N, 6)."""
    values = demo.values(stream)[rows.picked[stream]]
    if not np.isfinite(values).all():
        k = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise DreamFileError(demo.source["path"], f"{demo.id}: {stream}", f"has no pose at {rows.t[k]:.2f} s",
                             "a pose throughout; trim the episode, or mend its track")  # fmt: skip
    return np.hstack([values[:, :3], Rotation.from_quat(values[:, 3:]).as_rotvec()])


def _told(demo: Demo) -> Mapping[str, object]:
    return {"id": demo.id, "labels": asdict(demo.labels), "source": dict(demo.source)}


def read_umi(path: Path, *, fps: float = 0.0) -> list[Demo]:
    """Return the episodes of a zarr.zip. fps: of its rows, 0: what the file says, else UMI's 59.94.

    Raises DreamFileError naming the array.
    """
    store = ZarrZip(path)
    ends = checked(store.read("meta/episode_ends"), path, "meta/episode_ends", (-1,)).astype(int)
    names = store.names("data")
    cameras = [n for n in names if CAMERA.fullmatch(n)]
    lengths = {store.info(f"data/{name}").shape[0] for name in names if _wanted(name)}
    told = store.attributes()
    if not 0 < len(ends) <= MAX_EPISODES or ends[0] < 1 or (np.diff(ends) < 1).any() or lengths != {int(ends[-1])}:
        problem = f"{len(ends)} ends to {ends[-1] if len(ends) else 0}, but {sorted(lengths)} rows"
        raise DreamFileError(path, "meta/episode_ends", problem, "ends that rise to the number of rows")
    rate = fps or told.get("fps") or RATE_HZ
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= MAX_RATE:
        raise DreamFileError(path, "fps", str(rate)[:40], f"above 0, at most {MAX_RATE:g}")
    own = told.get("episodes")
    labels = own if isinstance(own, list) and len(own) == len(ends) else [None] * len(ends)
    starts = [0, *ends[:-1].tolist()]
    spans = zip(starts, ends.tolist(), labels, strict=True)
    return [_demo(store, k, (a, b), float(rate), names, cameras, own) for k, (a, b, own) in enumerate(spans)]


def _wanted(name: str) -> bool:
    return bool(CAMERA.fullmatch(name)) or name.startswith("robot")


def _demo(
    store: ZarrZip,
    k: int,
    span: tuple[int, int],
    rate: float,
    names: Sequence[str],
    cameras: Sequence[str],
    own: object,
) -> Demo:
    path = store.path
    sizes = {name: store.info(f"data/{name}").shape for name in cameras}
    streams = {}
    for name, shape in sizes.items():
        if len(shape) != 4 or shape[3] != 3:
            raise DreamFileError(path, name, f"has shape {shape}", "(N, H, W, 3)")
        streams[name] = DemoStream(name, "camera", rate, (shape[2], shape[1]))
    for name in names:
        match = WHOLE.fullmatch(name)
        if match and f"robot{match[1]}_eef_rot_axis_angle" in names:
            eef = f"robot{match[1]}_eef"
            streams[eef] = DemoStream(eef, "pose", rate, None, POSE_COLUMNS, "m", "reference")
        if match and f"robot{match[1]}_gripper_width" in names:
            width = f"robot{match[1]}_gripper_width"
            streams[width] = DemoStream(width, "opening", rate, None, ("opening",), "m")
    images: dict[str, PictureSource] = {name: _Pictures(store, f"data/{name}", span[0]) for name in sizes}
    name = path.name.split(".")[0]
    told = own.get("labels") if isinstance(own, Mapping) else None
    return FileDemo(
        f"{name}.{k}",
        labels_from(told if isinstance(told, Mapping) else {}, name),
        streams,
        (span[1] - span[0] - 1) / rate,
        {"path": str(path), "format": "UMI zarr.zip", "episode": str(k)},
        lambda: _samples(store, span, rate, streams, names),
        images,
    )


def _samples(
    store: ZarrZip, span: tuple[int, int], rate: float, streams: Mapping[str, DemoStream], names: Sequence[str]
) -> Mapping[str, Samples]:
    path, count = store.path, span[1] - span[0]

    def rows(name: str, width: int) -> Array:
        values = store.read(f"data/{name}", *span)
        return checked(
            values.reshape(len(values), -1) if values.ndim > 1 else values[:, None], path, name, (count, width)
        )

    t = rows("timestamp", 1)[:, 0] if "timestamp" in names else steady(count, rate)
    if not np.isfinite(t).all() or (np.diff(t) < 0).any():
        raise DreamFileError(path, "data/timestamp", "does not rise", "times that rise")
    found = {}
    for name, stream in streams.items():
        if stream.kind == "pose":
            rotation = Rotation.from_rotvec(rows(f"{name}_rot_axis_angle", 3)).as_quat()
            found[name] = Samples(t, poses(rows(f"{name}_pos", 3), rotation))
        else:
            found[name] = Samples(t, np.zeros((count, 0)) if stream.kind == "camera" else rows(name, 1))
    return found


class _Pictures:
    """The pictures of one camera of one episode."""

    def __init__(self, store: ZarrZip, name: str, first: int) -> None:
        self._store, self._name, self._first = store, name, first

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        at = [self._first + k for k in indices]
        return np.concatenate([self._store.read(self._name, k, k + 1) for k in at]).astype(np.uint8)

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        return iter(())

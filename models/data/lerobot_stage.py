"""One demo of a LeRobot export, worked out and put aside: what was done outlives a killed export."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.recording.encoder import Decoder, Encoder
from hardware.stream import Picture
from hardware.types import Camera, Image
from hardware.whole_file import write_whole
from models.data.clips_pictures import scene_photo
from models.data.demo import Demo, DemoLabels, DemoStream
from models.data.errors import DreamFileError
from models.data.exchange import Cancelled, in_batches, steps_of, stop_if
from models.data.exchange_pictures import coded_size, even, png, psnr_db
from models.data.lerobot_layout import ACTION, IMAGES, STATE, TIMES, Layout
from models.data.lerobot_rows import Rows, capture_times, make_rows, row_values
from models.data.lerobot_stats import PICTURES, Stats, picture_stats, vector_stats

LEAST_DB = 38.0
CRFS = (12, 6, 1)  # the first that keeps every picture above LEAST_DB


@dataclass(frozen=True)
class Video:
    """How a camera's pictures get into the export. mode: "copied" from the recording as they are, from picture
    `first` on, or "coded" anew, then sizes and keys are those of the pictures in the file aside, and psnr_db is
    the worst picture's against its source."""

    mode: str
    first: int = 0
    sizes: tuple[int, ...] = ()
    keys: tuple[bool, ...] = ()
    psnr_db: float | None = None
    why: str = ""


@dataclass(frozen=True, eq=False)
class Staged:
    """A demo ready to be put into the export. rows: column -> (N, C); samples: stream -> (times, values)."""

    id: str
    length: int
    duration_s: float
    labels: DemoLabels
    source: Mapping[str, str]
    stats: Mapping[str, Stats]
    videos: Mapping[str, Video]
    streams: Mapping[str, Mapping[str, object]]
    cameras: Mapping[str, Mapping[str, object]]
    scenes: Sequence[str]
    steps: Sequence[Mapping[str, object]]


class Stage:
    """A folder of demos that were worked out, by their place in the export."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder, self._layout = folder, layout

    def done(self, index: int) -> bool:
        return self._path(index, ".json").is_file()

    def make(self, index: int, demo: Demo, cancelled: Cancelled) -> None:
        """Work one out. Raises DreamFileError, EpisodeFileError, OSError, ExchangeStopped; then it is not done."""
        layout, rows = self._layout, make_rows(demo, self._layout)
        columns = _columns(demo, layout, rows)
        stats: dict[str, Stats] = {name: vector_stats(values) for name, values in columns.items()}
        videos = {}
        for stream in layout.cameras:
            stop_if(cancelled)
            videos[stream.name] = self._video(index, demo, stream, rows, cancelled)
            stats[IMAGES + stream.name] = picture_stats(demo.pictures(stream.name, _some(demo, stream.name)))
        own = {
            f"{part} {name}": getter(name)
            for name, stream in demo.streams.items()
            if stream.kind != "camera"
            for part, getter in (("t", demo.times), ("v", demo.values))
        }
        with open(self._path(index, ".npz"), "wb") as file:
            np.savez(file, **{f"row {k}": v for k, v in columns.items()}, **own)  # type: ignore[arg-type]
        staged = Staged(
            demo.id,
            len(rows),
            demo.duration_s,
            demo.labels,
            dict(demo.source),
            stats,
            videos,
            {name: asdict(stream) for name, stream in demo.streams.items()},
            {s.name: camera_values(camera) for s in layout.cameras if (camera := demo.camera(s.name)) is not None},
            self._scenes(index, demo),
            [vars(mark) for mark in steps_of(demo)],
        )
        write_whole(self._path(index, ".json"), json.dumps(asdict(staged), allow_nan=False))

    def read(self, index: int) -> tuple[Staged, Mapping[str, Array]]:
        """Return one that is done, and its arrays: "row COLUMN", "t STREAM", "v STREAM"."""
        values = json.loads(self._path(index, ".json").read_bytes())
        values["labels"] = DemoLabels(**{**values["labels"], "tags": tuple(values["labels"]["tags"])})
        values["videos"] = {name: Video(**video) for name, video in values["videos"].items()}
        with np.load(self._path(index, ".npz"), allow_pickle=False) as arrays:
            return Staged(**values), dict(arrays)

    def coded(self, index: int, demo: Demo, stream: str, video: Video, length: int) -> Iterator[tuple[bytes, bool]]:
        """Yield the pictures of one camera, as many as the demo has rows."""
        if video.mode == "copied":
            for k, picture in enumerate(demo.coded(stream)):
                if k >= video.first + length:
                    return
                if k >= video.first:
                    yield picture.data, picture.key
            return
        with open(self._path(index, f".{stream}.h264"), "rb") as file:
            for size, key in zip(video.sizes, video.keys, strict=True):
                yield file.read(size), key

    def scene(self, index: int, camera: str) -> bytes:
        """Return the photo of the bare scene before a demo that is done, as PNG."""
        return self._path(index, f".{camera}.png").read_bytes()

    def drop(self, index: int) -> None:
        """Take away what is in the export now."""
        for path in self._folder.glob(f"{index:06d}.*"):
            path.unlink()

    def _scenes(self, index: int, demo: Demo) -> list[str]:
        found = {s.name: photo for s in self._layout.cameras if (photo := scene_photo(demo, s.name)) is not None}
        for camera, photo in found.items():
            write_whole(self._path(index, f".{camera}.png"), png(photo))
        return list(found)

    def _path(self, index: int, suffix: str) -> Path:
        return self._folder / f"{index:06d}{suffix}"

    def _video(self, index: int, demo: Demo, stream: DemoStream, rows: Rows, cancelled: Cancelled) -> Video:
        picked = rows.picked[stream.name]
        why = _why_not_copied(demo, stream.name, rows)
        if not why:
            return Video("copied", int(picked[0]))
        best: Video | None = None
        for crf in CRFS:
            best = self._encode(index, demo, stream, picked, crf, cancelled)
            if best.psnr_db is not None and best.psnr_db >= LEAST_DB:
                break
        if best is None:
            raise DreamFileError(demo.source["path"], stream.name, "has no pictures", "a camera with pictures")
        return Video(best.mode, 0, best.sizes, best.keys, best.psnr_db, why)

    def _encode(
        self, index: int, demo: Demo, stream: DemoStream, picked: NDArray[np.int64], crf: int, cancelled: Cancelled
    ) -> Video:
        sizes, keys, worst = [], [], np.inf
        coder = _Coder(coded_size(demo, stream), self._layout.fps, crf)
        with open(self._path(index, f".{stream.name}.h264"), "wb") as file:
            for batch in in_batches([int(k) for k in picked]):
                stop_if(cancelled)
                for rgb in demo.pictures(stream.name, batch):
                    data, key, db = coder.code(even(rgb))
                    file.write(data)
                    sizes.append(len(data))
                    keys.append(key)
                    worst = min(worst, db)
                if worst < LEAST_DB and crf != CRFS[-1]:
                    break  # the next one codes it better
        return Video("coded", 0, tuple(sizes), tuple(keys), float(worst))


class _Coder:
    """Codes pictures and looks at each as a reader will see it."""

    def __init__(self, size: tuple[int, int], fps: float, crf: int) -> None:
        self._encoder, self._decoder = Encoder(size, fps, crf), Decoder()

    def code(self, rgb: Image) -> tuple[bytes, bool, float]:
        """Return a picture as (Annex B, key, how near it is to what it was [dB])."""
        coded = self._encoder.encode(Picture("export", 0, 0.0, 0.0, rgb))
        (seen,) = self._decoder.decode(coded.data)
        return coded.data, coded.key, psnr_db(rgb, seen)


def camera_values(camera: Camera) -> dict[str, object]:
    """Return a calibration as JSON values."""
    T = camera.T_world_cam
    return {
        "K": camera.K.tolist(),
        "size": list(camera.size),
        "distortion": camera.distortion.ravel().tolist(),
        "model": camera.model,
        "T_world_cam": None if T is None else T.tolist(),
    }


def _columns(demo: Demo, layout: Layout, rows: Rows) -> dict[str, Array]:
    found = {}
    if layout.state:
        found[STATE] = row_values(demo, layout.state, rows)
    if layout.action:
        values = row_values(demo, layout.action, rows)
        found[ACTION] = np.vstack([values[1:], values[-1:]]) if layout.next_row else values
    found[TIMES] = capture_times(demo, layout, rows)
    return found


def _why_not_copied(demo: Demo, stream: str, rows: Rows) -> str:
    """Return "" where the recording's own pictures can be the export's."""
    if stream not in rows.one_each:
        return "its pictures do not come one a row"
    first = int(rows.picked[stream][0])
    for k, picture in enumerate(demo.coded(stream)):
        if picture.t < -1e-6:
            return "it begins between two key pictures"
        if k == first:
            return "" if picture.key else "it begins between two key pictures"
    return "it is not H.264 that can be copied"


def _some(demo: Demo, stream: str) -> list[int]:
    """Return some pictures of a camera, spread over the demo; key ones, which are quick to get, where there are."""
    count = len(demo.times(stream))
    spread = np.linspace(0, count - 1, min(count, PICTURES)).astype(int).tolist()
    keys = [k for k, picture in enumerate(p for p in demo.coded(stream) if p.t >= -1e-6) if picture.key]
    if len(keys) < 3:
        return sorted(set(spread))
    return [keys[k] for k in np.linspace(0, len(keys) - 1, min(len(keys), PICTURES)).astype(int)]

"""LeRobotDataset v3.0: where its files lie, what they are called, and which features an export has."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.data.demo import Demo, DemoStream
from models.data.errors import DreamFileError
from models.data.exchange import LEAST_FPS, MAX_FPS, inside

VERSION = "v3.0"
CHUNK_FILES = 1000
DATA_MB, VIDEO_MB = 100, 200
INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
# beside what LeRobot reads: the samples at their own rates, labels and calibrations
OWN, OWN_EPISODES, OWN_SAMPLES = "dreamdeck", "dreamdeck/episodes.jsonl", "dreamdeck/samples"
OWN_SCENES = "dreamdeck/scenes"

IMAGES, STATE, ACTION, TIMES = "observation.images.", "observation.state", "action", "capture_time"
INDEX_COLUMNS = ("timestamp", "frame_index", "episode_index", "index", "task_index")


@dataclass(frozen=True)
class Place:
    """Which file of which chunk."""

    chunk: int = 0
    file: int = 0

    def after(self) -> "Place":
        """Return the next one."""
        return Place(self.chunk + 1, 0) if self.file == CHUNK_FILES - 1 else Place(self.chunk, self.file + 1)

    def path(self, template: str, video_key: str = "") -> str:
        return template.format(chunk_index=self.chunk, file_index=self.file, video_key=video_key)


@dataclass(frozen=True)
class Layout:
    """What every row of an export holds.

    fps: rows a second; cameras, state: the streams; action: those that make the action; next_row: nobody recorded
    an action, so that of a row is what the streams hold one row later; left_out: streams that not every demo has.
    """

    fps: float
    cameras: tuple[DemoStream, ...]
    state: tuple[DemoStream, ...]
    action: tuple[DemoStream, ...]
    next_row: bool
    left_out: tuple[str, ...]

    @property
    def streams(self) -> tuple[DemoStream, ...]:
        """Every stream that is in a row, once."""
        return tuple({s.name: s for s in (*self.cameras, *self.state, *self.action)}.values())


def make_layout(demos: Sequence[Demo], fps: float = 0.0) -> Layout:
    """Choose what an export of demos holds. fps: rows a second, 0: as many as the fastest camera has pictures.

    Raises DreamFileError where the demos have no stream in common, or their pictures differ in size.
    """
    first = demos[0]
    common = {name: s for name, s in first.streams.items() if _everywhere(s, demos)}
    for camera in (s for s in first.streams.values() if s.kind == "camera" and s.name not in common):
        others = [d for d in demos if camera.name in d.streams]
        sizes = sorted({str(d.streams[camera.name].size) for d in others})
        if len(others) == len(demos) and len(sizes) > 1:
            raise DreamFileError(first.source["path"], camera.name, f"pictures of sizes {', '.join(sizes)}",
                                 "one size in all episodes; export them apart")  # fmt: skip
    if not common:
        raise DreamFileError(first.source["path"], "streams", "the episodes have no stream in common",
                             "episodes of one rig")  # fmt: skip
    cameras = tuple(s for s in common.values() if s.kind == "camera")
    numbers = tuple(s for s in common.values() if s.kind != "camera" and s.columns)
    state = tuple(s for s in numbers if s.kind != "action")
    own = tuple(s for s in numbers if s.kind == "action")
    tracks = tuple(s for s in numbers if s.kind == "track")
    fastest = max((demo.streams[s.name].rate_hz for s in cameras or numbers for demo in demos), default=0.0)
    everything = {name for demo in demos for name in demo.streams}
    return Layout(
        plain_rate(fps or float(np.clip(fastest, LEAST_FPS, MAX_FPS))),
        cameras,
        state,
        own or tracks or state,
        not own,
        tuple(sorted(everything - {s.name for s in (*cameras, *numbers)})),
    )


def plain_rate(rate_hz: float) -> float:
    """Return a rate as a whole number where it is one: what LeRobot's own data sets have."""
    return int(rate_hz) if float(rate_hz).is_integer() else round(rate_hz, 3)


def _everywhere(stream: DemoStream, demos: Sequence[Demo]) -> bool:
    def same(other: DemoStream | None) -> bool:
        return other is not None and (other.kind, other.size, other.columns) == (
            stream.kind, stream.size, stream.columns
        )  # fmt: skip

    return all(same(demo.streams.get(stream.name)) and len(demo.times(stream.name)) for demo in demos)


def columns(streams: Sequence[DemoStream]) -> list[str]:
    return [f"{stream.name}.{column}" for stream in streams for column in stream.columns]


def features(layout: Layout) -> dict[str, dict[str, object]]:
    """Return `features` of info.json."""
    found: dict[str, dict[str, object]] = {}
    for stream in layout.cameras:
        width, height = (v + v % 2 for v in stream.size or (0, 0))  # as H.264 has them
        found[IMAGES + stream.name] = {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": height,
                "video.width": width,
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "video.fps": layout.fps,
                "video.channels": 3,
                "has_audio": False,
            },
        }
    if layout.state:
        found[STATE] = _vector("float32", columns(layout.state), _resampled(layout.state))
    if layout.action:
        told = _resampled(layout.action)
        if layout.next_row:
            told["action"] = "none was recorded: each row holds what these streams hold one row later"
        found[ACTION] = _vector("float32", columns(layout.action), told)
    names = [stream.name for stream in layout.streams]
    found[TIMES] = _vector("float64", names, {"unit": "s since the episode's start: when each sample was taken"})
    for name in INDEX_COLUMNS:
        found[name] = {"dtype": "float32" if name == "timestamp" else "int64", "shape": [1], "names": None}
    return found


def _vector(dtype: str, names: list[str], info: Mapping[str, object]) -> dict[str, object]:
    return {"dtype": dtype, "shape": [len(names)], "names": names, "info": dict(info)}


def _resampled(streams: Sequence[DemoStream]) -> dict[str, object]:
    return {
        "resampling": "nearest sample; true times in capture_time, samples at their own rates in dreamdeck/samples",
        "streams": {
            s.name: {"kind": s.kind, "rate_hz": s.rate_hz, "unit": s.unit, "frame": s.frame} for s in streams
        },
    }


def row_schema(layout: Layout) -> pa.Schema:
    """Return the schema of a data file: exactly the features that are no videos."""
    fields = []
    for name, feature in features(layout).items():
        if feature["dtype"] != "video":
            kind = pa.type_for_alias(str(feature["dtype"]))
            length = int(np.prod(feature["shape"]))  # type: ignore[call-overload]
            fields.append(pa.field(name, kind if length == 1 else pa.list_(kind, length)))
    return pa.schema(fields)


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """Return tasks.parquet: the text is the index of the frame that pandas makes of it."""
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    as_pandas = {
        "index_columns": ["task"],
        "column_indexes": [
            {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object", "metadata": None}
        ],
        "columns": [
            _pandas_column("task_index", "int64", "int64"),
            _pandas_column("task", "unicode", "object"),
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.3",
    }
    return table.replace_schema_metadata({"pandas": json.dumps(as_pandas)})


def _pandas_column(name: str, kind: str, numpy: str) -> dict[str, object]:
    return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}


_TOKEN = re.compile(r"\{(\w+)(?::0?(\d))?d?\}")


def file_of(root: Path, template: str, values: Mapping[str, str | int], field: str) -> Path:
    """Fill a path template of an info.json. Raises DreamFileError for one that asks for more or leads out."""

    def fill(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise DreamFileError(root / INFO, field, f"{template[:80]!r}", f"a template of {sorted(values)}")
        return str(values[match[1]]).rjust(int(match[2] or 0), "0")

    name = _TOKEN.sub(fill, template)
    if "{" in name or not name or "\x00" in name:
        raise DreamFileError(root / INFO, field, f"{template[:80]!r}", f"a template of {sorted(values)}")
    return inside(root, name, field)

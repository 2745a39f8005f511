"""Demos as a LeRobotDataset v3.0: worked out one by one, then put together in one go."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.whole_file import write_whole
from models.data.demo import Demo
from models.data.exchange import Cancelled, Progress, stop_if
from models.data.lerobot_files import EpisodeTable, TableFiles, VideoFiles, episode_schema
from models.data.lerobot_layout import (
    CHUNK_FILES,
    DATA,
    DATA_MB,
    EPISODES,
    IMAGES,
    INFO,
    OWN_EPISODES,
    OWN_SAMPLES,
    OWN_SCENES,
    STATS,
    TASKS,
    VERSION,
    VIDEO,
    VIDEO_MB,
    Layout,
    features,
    make_layout,
    row_schema,
    tasks_table,
)
from models.data.lerobot_stage import Stage, Staged
from models.data.lerobot_stats import Total, vector_stats

STAGE = ".stage"
WORKING = 0.8  # the share of the work that is before the putting together
SAMPLES = pa.schema([("episode_index", pa.int64()), ("stream", pa.string()), ("t", pa.float64()),
                     ("values", pa.list_(pa.float64()))])  # fmt: skip


@dataclass(frozen=True)
class LeRobotReport:
    """What an export holds. copied, coded: videos whose pictures are bit by bit the recording's, and the others by
    why; least_db: the worst coded picture against its source."""

    fps: float
    episodes: int
    rows: int
    copied: int
    coded: Mapping[str, int]
    least_db: float | None
    left_out: tuple[str, ...]


def export_lerobot(
    demos: Sequence[Demo],
    folder: Path,
    progress: Progress,
    cancelled: Cancelled,
    *,
    fps: float = 0.0,
    robot: str = "",
) -> LeRobotReport:
    """Write demos into a folder; what an earlier, killed call worked out there is used.

    fps: rows a second, 0: as many as the fastest camera has pictures; robot: `robot_type`. Raises DreamFileError,
    EpisodeFileError, OSError, ExchangeStopped.
    """
    layout = make_layout(demos, fps)
    aside = folder / STAGE
    aside.mkdir(exist_ok=True)
    stage = Stage(aside, layout)
    for k, demo in enumerate(demos):
        stop_if(cancelled)
        progress(WORKING * k / len(demos), f"episode {k + 1} of {len(demos)}")
        if not stage.done(k):
            stage.make(k, demo, cancelled)
    dataset = _Dataset(folder, layout)
    try:
        for k, demo in enumerate(demos):
            stop_if(cancelled)
            progress(WORKING + (1 - WORKING) * k / len(demos), f"writing episode {k + 1} of {len(demos)}")
            dataset.add(k, demo, stage)
    finally:
        dataset.close()
    dataset.finish(robot)
    for k in range(len(demos)):
        stage.drop(k)
    aside.rmdir()
    return dataset.report()


class _Dataset:
    """The files of the data set while they grow."""

    def __init__(self, root: Path, layout: Layout) -> None:
        self._root, self._layout = root, layout
        self._keys = [IMAGES + s.name for s in layout.cameras]
        self._data = TableFiles(root, DATA, row_schema(layout))
        self._samples = TableFiles(root, OWN_SAMPLES + "/file-{chunk_index:03d}-{file_index:03d}.parquet", SAMPLES)
        self._videos = {s.name: VideoFiles(root, IMAGES + s.name, layout.fps) for s in layout.cameras}
        numbers = [name for name, f in features(layout).items() if f["dtype"] != "video"]
        schema = episode_schema(self._keys, {**dict.fromkeys(numbers, 1), **dict.fromkeys(self._keys, 3)})
        self._episodes = EpisodeTable(TableFiles(root, EPISODES, schema), schema)
        own = root / OWN_EPISODES
        own.parent.mkdir(exist_ok=True)
        self._own = open(own, "w", encoding="utf-8")  # noqa: SIM115 - closed by close()
        self._tasks: dict[str, int] = {}
        self._total = Total()
        self._rows = self._count = 0
        self._copied, self._coded, self._least = 0, dict[str, int](), list[float]()

    def add(self, index: int, demo: Demo, stage: Stage) -> None:
        staged, arrays = stage.read(index)
        task = self._tasks.setdefault(staged.labels.instruction or staged.labels.task, len(self._tasks))
        place = self._data.add(_rows_table(staged, arrays, self._layout, index, self._rows, task))
        videos: dict[str, object] = {}
        for name, files in self._videos.items():
            video = staged.videos[name]
            pictures = list(stage.coded(index, demo, name, video, staged.length))
            videos |= files.add(pictures, sum(len(data) for data, _ in pictures))
            self._tell(video.mode, video.why, video.psnr_db)
        stats = {**staged.stats, **_index_stats(index, self._rows, staged.length, task, self._layout.fps)}
        self._total.add(stats)
        self._episodes.add(
            {
                "episode_index": index,
                "tasks": [list(self._tasks)[task]],
                "length": staged.length,
                "data/chunk_index": place.chunk,
                "data/file_index": place.file,
                "dataset_from_index": self._rows,
                "dataset_to_index": self._rows + staged.length,
                **videos,
                **{f"stats/{key}/{name}": value for key, one in stats.items() for name, value in one.items()},
            }
        )
        for camera in staged.scenes:
            photo = self._root / OWN_SCENES / f"{index:06d}" / f"{camera}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            photo.write_bytes(stage.scene(index, camera))
        self._own.write(json.dumps(self._own_row(index, staged, arrays), ensure_ascii=False) + "\n")
        self._rows += staged.length
        self._count += 1

    def close(self) -> None:
        """Close all files; what they lack after a failure is written anew."""
        self._own.close()
        self._data.close()
        self._samples.close()
        for files in self._videos.values():
            files.close()
        self._episodes.close()

    def finish(self, robot: str) -> None:
        pq.write_table(tasks_table(list(self._tasks)), self._root / TASKS)
        write_whole(self._root / STATS, json.dumps(self._total.result(), indent=1))
        info = {
            "codebase_version": VERSION,
            "robot_type": robot or None,
            "total_episodes": self._count,
            "total_frames": self._rows,
            "total_tasks": len(self._tasks),
            "chunks_size": CHUNK_FILES,
            "data_files_size_in_mb": DATA_MB,
            "video_files_size_in_mb": VIDEO_MB,
            "fps": self._layout.fps,
            "splits": {"train": f"0:{self._count}"},
            "data_path": DATA,
            "video_path": VIDEO if self._keys else None,
            "features": features(self._layout),
        }
        write_whole(self._root / INFO, json.dumps(info, indent=1, ensure_ascii=False))

    def report(self) -> LeRobotReport:
        return LeRobotReport(
            self._layout.fps,
            self._count,
            self._rows,
            self._copied,
            dict(self._coded),
            min(self._least, default=None),
            self._layout.left_out,
        )

    def _tell(self, mode: str, why: str, db: float | None) -> None:
        if mode == "copied":
            self._copied += 1
        else:
            self._coded[why] = self._coded.get(why, 0) + 1
            self._least += [] if db is None else [db]

    def _own_row(self, index: int, staged: Staged, arrays: Mapping[str, Array]) -> Mapping[str, object]:
        """What LeRobot has no place for; the samples at their own rates go into their file."""
        names = [key[2:] for key in arrays if key.startswith("t ") and len(arrays[key])]
        groups = {}
        for name in names:
            place = self._samples.add(_samples_table(index, name, arrays[f"t {name}"], arrays[f"v {name}"]))
            groups[name] = [place.chunk, place.file, self._samples.groups - 1]
        return {
            "episode_index": index,
            "id": staged.id,
            "duration_s": staged.duration_s,
            "labels": asdict(staged.labels),
            "source": staged.source,
            "streams": staged.streams,
            "cameras": staged.cameras,
            "scenes": staged.scenes,
            "steps": staged.steps,
            "videos": {n: {"mode": v.mode, "why": v.why, "psnr_db": v.psnr_db} for n, v in staged.videos.items()},
            "samples": groups,
        }


def _rows_table(
    staged: Staged, arrays: Mapping[str, Array], layout: Layout, index: int, first: int, task: int
) -> pa.Table:
    n, schema = staged.length, row_schema(layout)
    own: dict[str, NDArray[np.generic]] = {
        "timestamp": (np.arange(n) / layout.fps).astype(np.float32),
        "frame_index": np.arange(n),
        "episode_index": np.full(n, index),
        "index": np.arange(first, first + n),
        "task_index": np.full(n, task),
    }
    found = []
    for field in schema:
        values = own.get(field.name, arrays.get(f"row {field.name}"))
        if values is None:
            raise KeyError(f"{field.name}: no such column was worked out")
        if pa.types.is_fixed_size_list(field.type):
            flat = pa.array(values.ravel().astype(field.type.value_type.to_pandas_dtype()), field.type.value_type)
            found.append(pa.FixedSizeListArray.from_arrays(flat, field.type.list_size))
        else:
            found.append(pa.array(values.ravel().astype(field.type.to_pandas_dtype()), field.type))
    return pa.Table.from_arrays(found, schema=schema)


def _samples_table(index: int, stream: str, times: Array, values: Array) -> pa.Table:
    n, width = values.shape
    offsets = pa.array(np.arange(0, n * width + 1, max(1, width), dtype=np.int32)[: n + 1])
    lists = pa.ListArray.from_arrays(offsets, pa.array(values.ravel(), pa.float64()))
    parts = [pa.array(np.full(n, index)), pa.array([stream] * n, pa.string()), pa.array(times, pa.float64()), lists]
    return pa.Table.from_arrays(parts, schema=SAMPLES)


def _index_stats(index: int, first: int, n: int, task: int, fps: float) -> dict[str, dict[str, list[float]]]:
    return {
        "timestamp": vector_stats(np.arange(n)[:, None] / fps),
        "frame_index": vector_stats(np.arange(n, dtype=float)[:, None]),
        "episode_index": vector_stats(np.full((n, 1), float(index))),
        "index": vector_stats(np.arange(first, first + n, dtype=float)[:, None]),
        "task_index": vector_stats(np.full((n, 1), float(task))),
    }

"""LeRobotDataset v3.0 as demos: anybody's, and our own exports with what LeRobot has no place for."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.data.demo import Demo, DemoLabels
from models.data.exchange import FileDemo, Samples, steady
from models.data.lerobot_layout import INFO
from models.data.lerobot_own import OwnEpisode, read_own
from models.data.lerobot_source import META, Row, Source, whole


def is_lerobot(folder: Path) -> bool:
    return (folder / INFO).is_file()


def read_lerobot(folder: Path) -> list[Demo]:
    """Return the episodes of a data set; rows and pictures are read when they are asked for.

    Raises DreamFileError naming file and field: missing, damaged, not version 3.
    """
    source, own = Source(folder), read_own(folder)
    return [
        OwnEpisode(source, row, beside).demo()
        if (beside := own.get(whole(row, "episode_index", folder / META))) is not None
        else _demo(source, row)
        for row in source.episodes()
    ]


def _demo(source: Source, row: Row) -> Demo:
    meta = source.folder / META
    index, length, tasks = whole(row, "episode_index", meta), whole(row, "length", meta), row.get("tasks")
    text = str(tasks[0]) if isinstance(tasks, list) and tasks else ""
    return FileDemo(
        f"{source.folder.name}.{index}",
        DemoLabels(source.folder.name, text),
        {f.stream.name: f.stream for f in source.features},
        max(0, length - 1) / source.fps,
        {"path": str(source.folder), "format": "LeRobotDataset v3.0", "episode": str(index)},
        lambda: _samples(source, row),
        {f.stream.name: source.pictures(row, f, range(length)) for f in source.features if not f.width},
    )


def _samples(source: Source, row: Row) -> Mapping[str, Samples]:
    table = source.rows(row)
    times = source.column(table, "timestamp", row)[:, 0] if "timestamp" in table.column_names else None
    t = steady(len(table), source.fps) if times is None else times
    return {
        f.stream.name: Samples(t, source.column(table, f.key, row) if f.width else np.zeros((len(t), 0)))
        for f in source.features
    }

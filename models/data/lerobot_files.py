"""The growing files of a LeRobot export: each takes episodes until it is full, then the next one begins."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.data.exchange_video import VideoWriter, parameter_sets
from models.data.lerobot_layout import DATA_MB, VIDEO, VIDEO_MB, Place
from models.data.lerobot_stats import NAMES

MB = 2**20


class TableFiles:
    """Parquet files, each up to DATA_MB of values; every table put in is a row group of its own."""

    def __init__(self, root: Path, template: str, schema: pa.Schema, most_bytes: int = DATA_MB * MB) -> None:
        self._root, self._template, self._schema, self._most = root, template, schema, most_bytes
        self.place = Place()
        self._writer: pq.ParquetWriter | None = None
        self._bytes = self.groups = 0

    def add(self, table: pa.Table) -> Place:
        """Append a table; return the file that has it. Raises OSError."""
        if self._writer is not None and self._bytes + table.nbytes > self._most:
            self.close()
            self.place = self.place.after()
        if self._writer is None:
            path = self._root / self.place.path(self._template)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, self._schema, compression="snappy")
            self._bytes = self.groups = 0
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        self._bytes += table.nbytes
        self.groups += 1
        return self.place

    def close(self) -> None:
        """Write the end of the newest file. Raises OSError. Safe to call twice."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class VideoFiles:
    """The mp4 files of one camera, each up to VIDEO_MB and of pictures with the same parameter sets."""

    def __init__(self, root: Path, video_key: str, fps: float, most_bytes: int = VIDEO_MB * MB) -> None:
        self._root, self._key, self._fps, self._most = root, video_key, fps, most_bytes
        self.place = Place()
        self._writer: VideoWriter | None = None
        self._bytes, self._sets = 0, b""

    def add(self, pictures: Iterable[tuple[bytes, bool]], size_bytes: int) -> Mapping[str, object]:
        """Append an episode's pictures, size_bytes altogether; return its columns. Raises OSError, ValueError."""
        pictures = iter(pictures)
        first = next(pictures, None)
        if first is None:
            raise ValueError(f"{self._key}: an episode without pictures")
        sets = parameter_sets(first[0])
        full = self._writer is not None and self._bytes + size_bytes > self._most
        if self._writer is not None and (full or sets != self._sets):
            self.close()
            self.place = self.place.after()
        if self._writer is None:
            path = self._root / self.place.path(VIDEO, self._key)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = VideoWriter(path, self._fps, first[0])
            self._bytes, self._sets = 0, sets
        begin = self._writer.count
        self._writer.add(*first)
        for data, key in pictures:
            self._writer.add(data, key)
        self._bytes += size_bytes
        return {
            f"videos/{self._key}/chunk_index": self.place.chunk,
            f"videos/{self._key}/file_index": self.place.file,
            f"videos/{self._key}/from_timestamp": begin / self._fps,
            f"videos/{self._key}/to_timestamp": self._writer.count / self._fps,
        }

    def close(self) -> None:
        """Write the index of the newest file. Raises OSError. Safe to call twice."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class EpisodeTable:
    """meta/episodes: written some hundred episodes at a time."""

    def __init__(self, files: TableFiles, schema: pa.Schema, at_once: int = 200) -> None:
        self._files, self._schema, self._at_once = files, schema, at_once
        self._rows: list[Mapping[str, object]] = []

    def add(self, row: Mapping[str, object]) -> None:
        self._rows.append(row)
        if len(self._rows) >= self._at_once:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._files.close()

    def _flush(self) -> None:
        if self._rows:
            # the table has columns that say which file of its own kind has it: known only once it is chosen
            place = self._files.place
            own = {"meta/episodes/chunk_index": place.chunk, "meta/episodes/file_index": place.file}
            self._files.add(pa.Table.from_pylist([{**row, **own} for row in self._rows], schema=self._schema))
            self._rows.clear()


def episode_schema(video_keys: Sequence[str], stat_shapes: Mapping[str, int]) -> pa.Schema:
    """Return the schema of meta/episodes. stat_shapes: feature -> how deep its statistics are nested."""
    whole, real = pa.int64(), pa.float64()
    fields: list[tuple[str, pa.DataType]] = [
        ("episode_index", whole),
        ("tasks", pa.list_(pa.string())),
        ("length", whole),
        ("data/chunk_index", whole),
        ("data/file_index", whole),
        ("dataset_from_index", whole),
        ("dataset_to_index", whole),
    ]
    for key in video_keys:
        fields += [(f"videos/{key}/chunk_index", whole), (f"videos/{key}/file_index", whole)]
        fields += [(f"videos/{key}/from_timestamp", real), (f"videos/{key}/to_timestamp", real)]
    for feature, depth in stat_shapes.items():
        for name in NAMES:
            kind = pa.list_(whole if name == "count" else real)
            for _ in range(depth - 1 if name != "count" else 0):
                kind = pa.list_(kind)
            fields.append((f"stats/{feature}/{name}", kind))
    fields += [("meta/episodes/chunk_index", whole), ("meta/episodes/file_index", whole)]
    return pa.schema(fields)

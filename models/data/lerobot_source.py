"""A LeRobot data set's folder: what info.json says of it, rows and pictures of its episodes."""

import io
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image as Pillow

from hardware.geometry import Array
from models.data.demo import DemoStream, DemoStreamKind
from models.data.errors import DreamFileError
from models.data.exchange import MAX_EPISODES, MAX_PIXELS, MAX_RATE, PictureSource, PlainNames, checked
from models.data.exchange_video import VideoFile, VideoPiece
from models.data.fields import Fields
from models.data.lerobot_layout import IMAGES, INDEX_COLUMNS, INFO, VERSION, file_of
from models.data.lerobot_tables import TableCache, read_table_file
from models.data.text_files import read_table

NUMBERS = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool")
OPEN_VIDEOS = 8
META = "meta/episodes"
Row = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Feature:
    """A feature that is a stream. key: its column; width: of its rows, 0 for pictures."""

    key: str
    stream: DemoStream
    width: int


class Source:
    """A data set's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        info = Fields(read_table(folder / INFO), folder / INFO)
        version = info.get("codebase_version", str, VERSION)
        if not re.fullmatch(r"v?3\.\d+", version):
            raise info.wrong("codebase_version", repr(version[:20]), f"{VERSION}; convert older ones with LeRobot")
        self.fps = info.number("fps", "pictures a second")
        if not 0 < self.fps <= MAX_RATE:
            raise info.wrong("fps", f"{self.fps:g}", f"above 0, at most {MAX_RATE:g}")
        self.data_path = info.get("data_path", str, "a path template")
        self.video_path = info.get("video_path", str, "a path template", "") or ""
        self.features = _features(info, self.fps)
        self._tables, self._videos, self._lock = TableCache(), OrderedDict[Path, VideoFile](), threading.Lock()

    def episodes(self) -> list[Row]:
        """Return the rows of meta/episodes in order, without statistics."""
        folder = self.folder / META
        files = sorted(folder.glob("*/*.parquet"))
        if not files:
            raise DreamFileError(folder, "episodes", "no parquet file is there", "chunk-000/file-000.parquet")
        rows: list[Row] = []
        for file in files:
            table = read_table_file(file, lambda names: [n for n in names if not n.startswith("stats/")])
            if len(rows) + len(table) > MAX_EPISODES:
                raise DreamFileError(file, "episodes", f"over {MAX_EPISODES}", f"at most {MAX_EPISODES}")
            rows += table.to_pylist()
        return sorted(rows, key=lambda row: whole(row, "episode_index", folder))

    def rows(self, row: Row) -> pa.Table:
        """Return an episode's rows."""
        file = self._data_file(row)
        table = self._tables.get(file)
        index = whole(row, "episode_index", file)
        if "episode_index" not in table.column_names:
            raise DreamFileError(file, "episode_index", "is missing", "a column of every data file")
        mine = np.flatnonzero(table.column("episode_index").to_numpy() == index)
        length = whole(row, "length", file)
        if len(mine) != length:
            raise DreamFileError(
                file, "rows", f"{len(mine)} of episode {index}", f"{length}, as meta/episodes says"
            )
        return table.take(pa.array(mine)) if len(mine) else table.slice(0, 0)

    def column(self, table: pa.Table, key: str, row: Row) -> Array:
        """Return a column of numbers (N, C)."""
        file = self._data_file(row)
        if key not in table.column_names:
            raise DreamFileError(file, key, "is missing", "the columns that info.json names")
        values = table.column(key).to_pylist()
        flat = [np.ravel(np.asarray(_plain(v), float)) for v in values] if values else []
        if len({len(v) for v in flat}) > 1:
            raise DreamFileError(file, key, "has rows of several lengths", "one length")
        width = len(flat[0]) if flat else 0
        return checked(np.reshape(flat, (len(flat), width)), file, key, (-1, -1))

    def pictures(self, row: Row, feature: Feature, numbers: Sequence[int]) -> PictureSource:
        """Return the pictures of an episode that stand in some of its rows."""
        if f"videos/{feature.key}/from_timestamp" in row:
            return _Lazy(self, row, feature.key, numbers)
        return _Stored(self, row, feature, numbers)

    def video(self, row: Row, key: str, numbers: Sequence[int]) -> VideoPiece:
        meta = self.folder / META
        values: dict[str, str | int] = {
            "video_key": key,
            "chunk_index": whole(row, f"videos/{key}/chunk_index", meta),
            "file_index": whole(row, f"videos/{key}/file_index", meta),
        }
        begin = Fields(row, meta).number(f"videos/{key}/from_timestamp", "seconds")
        file = self._video(file_of(self.folder, self.video_path, values, "video_path"))
        wanted = begin + np.asarray(numbers) / self.fps
        found = np.searchsorted(file.times, wanted - 0.5 / self.fps)
        if len(found) and (
            found[-1] >= len(file.times) or np.abs(file.times[found] - wanted).max() > 0.5 / self.fps
        ):
            raise DreamFileError(file.path, "pictures", f"none at {wanted.min():.3f} to {wanted.max():.3f} s",
                                 "a picture for each row")  # fmt: skip
        return VideoPiece(file, found.tolist())

    def _video(self, path: Path) -> VideoFile:
        with self._lock:
            file = self._videos.pop(path, None)
            if file is None:
                file = VideoFile(path)
            self._videos[path] = file
            while len(self._videos) > OPEN_VIDEOS:
                self._videos.popitem(last=False)[1].close()
            return file

    def _data_file(self, row: Row) -> Path:
        meta = self.folder / META
        values = {
            "chunk_index": whole(row, "data/chunk_index", meta),
            "file_index": whole(row, "data/file_index", meta),
        }
        return file_of(self.folder, self.data_path, values, "data_path")


class _Lazy:
    """Pictures of a video file that is opened when they are asked for."""

    def __init__(self, source: Source, row: Row, key: str, numbers: Sequence[int]) -> None:
        self._source, self._row, self._key, self._numbers = source, row, key, numbers

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        return self._piece().pictures(indices)

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        return self._piece().coded()

    def _piece(self) -> VideoPiece:
        return self._source.video(self._row, self._key, self._numbers)


class _Stored:
    """Pictures that stand in the rows themselves, PNG or JPEG."""

    def __init__(self, source: Source, row: Row, feature: Feature, numbers: Sequence[int]) -> None:
        self._source, self._row, self._feature, self._numbers = source, row, feature, numbers

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        table, file = self._source.rows(self._row), self._source.folder / INFO
        if self._feature.key not in table.column_names:
            raise DreamFileError(
                file, self._feature.key, "has neither a video nor pictures in the rows", "one of both"
            )
        column = table.column(self._feature.key)
        width, height = self._feature.stream.size or (0, 0)
        found = np.empty((len(indices), height, width, 3), np.uint8)
        for k, index in enumerate(indices):
            found[k] = _decoded(column[self._numbers[index]].as_py(), file, self._feature.key, (width, height))
        return found

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        return iter(())


def _decoded(cell: object, file: Path, key: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    data = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if not isinstance(data, bytes):
        raise DreamFileError(file, key, "has a row without a picture", "PNG or JPEG data in every row")
    try:
        with Pillow.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if picture.size != size:
                raise DreamFileError(file, key, f"has a picture of {picture.size}", f"{size}, as info.json says")
            return np.asarray(picture.convert("RGB"))
    except DreamFileError:
        raise
    except Exception as error:
        raise DreamFileError(file, key, f"has a damaged picture ({error})", "PNG or JPEG") from error


def _features(info: Fields, fps: float) -> list[Feature]:
    table, names, found = info.table("features", "a table of features"), PlainNames(), []
    for key in table.values:
        if key in INDEX_COLUMNS:
            continue
        row = table.table(key, "a feature")
        dtype = row.get("dtype", str, "a type")
        shape = [int(v) for v in row.array("shape", (-1,), "a list of whole numbers").tolist()]
        if dtype in ("video", "image"):
            size = _picture_size(row, shape)
            name = names.make(key.removeprefix(IMAGES))
            found.append(Feature(key, DemoStream(name, "camera", fps, size), 0))
        elif dtype in NUMBERS and 0 < int(np.prod(shape)) <= 100_000:
            width = int(np.prod(shape))
            told = _column_names(row, width)
            kind: DemoStreamKind = "action" if key.startswith("action") else "arm"
            found.append(
                Feature(key, DemoStream(names.make(key.removeprefix("observation.")), kind, fps, None, told), width)
            )
    if not found:
        raise info.wrong("features", "none is a picture or a number", "at least one")
    return found


def _picture_size(row: Fields, shape: Sequence[int]) -> tuple[int, int]:
    if len(shape) == 3 and shape[0] == 3 and shape[2] != 3:  # older writers say channels first
        shape = [*shape[1:], 3]
    if len(shape) != 3 or shape[2] != 3 or not 0 < shape[0] * shape[1] <= MAX_PIXELS:
        raise row.wrong("shape", str(list(shape)), "height, width, 3")
    return shape[1], shape[0]


def _column_names(row: Fields, width: int) -> tuple[str, ...]:
    told = row.values.get("names")
    while isinstance(told, Mapping) and told:  # {"motors": [...]} of some robots
        told = next(iter(told.values()))
    if isinstance(told, list) and len(told) == width:
        return tuple(str(name)[:80] for name in told)
    return tuple(str(k) for k in range(width))


def whole(row: Row, key: str, file: Path) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise DreamFileError(file, key, f"{str(value)[:40]}", "a whole number, 0 or more")
    return value


def _plain(value: object) -> object:
    return np.nan if value is None else value

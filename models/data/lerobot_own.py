"""What our own LeRobot exports have beside: streams as they were recorded, labels, calibrations."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Camera
from models.data.annotations import Mark
from models.data.demo import Demo, DemoLabels, DemoStream, DemoStreamKind
from models.data.errors import DreamFileError
from models.data.exchange import (
    MAX_EPISODES,
    MAX_TEXT,
    FileDemo,
    PictureSource,
    Samples,
    checked,
    inside,
    labels_from,
)
from models.data.fields import Fields
from models.data.lerobot_layout import IMAGES, OWN_EPISODES, OWN_SAMPLES, OWN_SCENES, TIMES
from models.data.lerobot_source import Row, Source, whole
from models.data.lerobot_tables import read_group

KINDS: Mapping[str, DemoStreamKind] = {
    kind: kind for kind in ("camera", "pose", "opening", "force", "arm", "track", "action")
}


def read_own(root: Path) -> Mapping[int, Fields]:
    """Return what our own export put beside, by episode; nothing for others' data sets. Raises DreamFileError."""
    path = root / OWN_EPISODES
    if not path.is_file():
        return {}
    found: dict[int, Fields] = {}
    try:
        if path.stat().st_size > MAX_EPISODES * 1000:
            raise DreamFileError(path, "size", f"{path.stat().st_size} bytes", f"at most {MAX_EPISODES * 1000}")
        with open(path, "rb") as file:
            while line := file.readline(MAX_TEXT):
                fields = Fields(json.loads(line), path, f"line {len(found) + 1}")
                found[whole(fields.values, "episode_index", path)] = fields
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, DreamFileError):
            raise
        raise DreamFileError(path, f"line {len(found) + 1}", f"cannot be read ({error})", "JSON") from error
    return found


class OwnEpisode:
    """An episode of our own export: its streams as they were recorded, not as the rows have them."""

    def __init__(self, source: Source, row: Row, own: Fields) -> None:
        self._source, self._row, self._own = source, row, own
        self._file = source.folder / OWN_EPISODES
        self._groups = own.table("samples", "a table of streams")
        in_rows = {f.key: f for f in source.features}
        self._cameras = {key.removeprefix(IMAGES): f for key, f in in_rows.items() if not f.width}

    def demo(self) -> Demo:
        streams = {s.name: s for s in self._streams()}
        # which row has a camera's k-th picture is known only from the rows
        images = {name: _Shown(self, name) for name, s in streams.items() if s.kind == "camera"}
        return FileDemo(
            self._own.get("id", str, "a text"),
            self._labels(),
            streams,
            self._own.number("duration_s", "seconds"),
            {**self._texts("source"), "path": str(self._source.folder), "format": "LeRobotDataset v3.0, ours"},
            self._samples,
            images,
            {name: self._camera(name) for name in self._own.table("cameras", "a table").values if name in streams},
            {
                name: self._scene(name)
                for name in self._own.get("scenes", list, "a list of cameras", [])
                if name in images
            },
            tuple(self._mark(row) for row in self._own.rows("steps", "a list of steps"))
            if "steps" in self._own.values
            else (),
        )

    def shown(self, camera: str) -> tuple[Array, list[int]]:
        """Return when a camera's pictures were taken (N,), and the row that has each first."""
        table = self._source.rows(self._row)
        names = [s.name for s in _row_streams(self._source)]
        times = self._source.column(table, TIMES, self._row)
        if camera not in names or times.shape[1] != len(names):
            raise DreamFileError(self._file, TIMES, f"has {times.shape[1]} columns, none is {camera}", f"{names}")
        t = times[:, names.index(camera)]
        fresh = np.flatnonzero(np.diff(t, prepend=-np.inf) > 0)
        return t[fresh], fresh.tolist()

    def pictures(self, camera: str) -> PictureSource:
        return self._source.pictures(self._row, self._cameras[camera], self.shown(camera)[1])

    def _samples(self) -> Mapping[str, Samples]:
        found = {}
        for stream in self._streams():
            if stream.kind == "camera":
                times, _ = self.shown(stream.name)
                found[stream.name] = Samples(times, np.zeros((len(times), 0)))
            else:
                found[stream.name] = self._numbers(stream)
        return found

    def _numbers(self, stream: DemoStream) -> Samples:
        if stream.name not in self._groups.values:
            return Samples(np.zeros(0), np.zeros((0, len(stream.columns))))
        chunk, number, group = self._groups.array(stream.name, (3,), "chunk, file, row group").astype(int).tolist()
        path = self._source.folder / OWN_SAMPLES / f"file-{chunk:03d}-{number:03d}.parquet"
        table = read_group(path, group)
        if not {"episode_index", "stream", "t", "values"} <= set(table.column_names) or not len(table):
            raise DreamFileError(path, "columns", str(table.column_names)[:80], "episode_index, stream, t, values")
        first = table.slice(0, 1).to_pylist()[0]
        mine = (first["episode_index"], first["stream"])
        if mine != (whole(self._row, "episode_index", path), stream.name):
            raise DreamFileError(path, "row group", f"{group} is of {mine}", stream.name)
        values = [[] if v is None else v for v in table.column("values").to_pylist()]
        rows = checked(values, path, stream.name, (-1, len(stream.columns)))
        return Samples(checked(table.column("t").to_pylist(), path, "t", (-1,)), rows)

    def _streams(self) -> Iterator[DemoStream]:
        for name in self._own.table("streams", "a table of streams").values:
            row = self._own.table("streams", "a table").table(name, "a stream")
            kind = KINDS.get(row.get("kind", str, "a kind"))
            if kind is None:
                raise row.wrong("kind", repr(row.values["kind"])[:40], f"one of {list(KINDS)}")
            if kind == "camera" and name not in self._cameras:
                continue
            columns = row.get("columns", list, "a list of texts", [])
            rate = row.number("rate_hz", "a rate")
            if not re.fullmatch(r"[^/\x00-\x1f]{1,80}", name):
                raise row.wrong("", repr(name)[:80], "a name of up to 80 letters without /")
            yield DemoStream(
                name,
                kind,
                rate,
                self._cameras[name].stream.size if kind == "camera" else None,
                tuple(str(c) for c in columns),
                row.get("unit", str, "a text", "") or "",
                row.get("frame", str, "a text", "") or "",
            )

    def _labels(self) -> DemoLabels:
        return labels_from(self._own.table("labels", "a table of labels").values, self._source.folder.name)

    def _scene(self, camera: str) -> Path:
        index = whole(self._row, "episode_index", self._file)
        return inside(self._source.folder, f"{OWN_SCENES}/{index:06d}/{camera}.png", "scenes")

    def _mark(self, row: Fields) -> Mark:
        t = row.number("t", "seconds since the episode's start")
        if not 0 <= t < 1e6:
            raise row.wrong("t", f"{t:g}", "0 s or more")
        return Mark(t, row.get("name", str, "a text", "") or "", row.get("by", str, "a text", "person"))

    def _texts(self, key: str) -> dict[str, str]:
        return {str(k): str(v) for k, v in self._own.table(key, "a table of texts").values.items()}

    def _camera(self, name: str) -> Camera:
        row = self._own.table("cameras", "a table").table(name, "a calibration")
        size = row.array("size", (2,), "width and height").astype(int).tolist()
        try:
            return Camera(
                name,
                row.array("K", (3, 3), "3x3 numbers"),
                (size[0], size[1]),
                row.array("distortion", (-1,), "numbers"),
                "fisheye" if row.values.get("model") == "fisheye" else "pinhole",
                None if row.values.get("T_world_cam") is None else row.pose("T_world_cam"),
            )
        except DreamFileError:
            raise
        except ValueError as error:
            raise row.wrong("", str(error)) from error


class _Shown:
    """Pictures of our own export by their number in the recording."""

    def __init__(self, episode: OwnEpisode, camera: str) -> None:
        self._episode, self._camera = episode, camera

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        return self._episode.pictures(self._camera).pictures(indices)

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        return self._episode.pictures(self._camera).coded()


def _row_streams(source: Source) -> list[DemoStream]:
    """The streams of `capture_time`, in the order of its columns."""
    found = [f.stream.columns for f in source.features if f.key == TIMES]
    return [DemoStream(name, "arm", source.fps) for name in found[0]] if found else []

"""Demos of recorded sessions: an episode's MCAP file, its note, its annotation and its tracked tools as `Demo`s."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, quaternion
from hardware.recording import messages as m
from hardware.recording.coded_pictures import is_key
from hardware.recording.episode_head import EpisodeHead
from hardware.recording.mcap_log import EpisodeReader
from hardware.recording.note import EpisodeFileError, EpisodeNote
from hardware.recording.session import is_session, open_session
from hardware.recording.values import ValueInfo
from hardware.rig_devices import gripper_on_sensor
from hardware.types import Camera, Image
from models.data.annotations import Annotation, Mark, Piece, read_annotation
from models.data.demo import POSE_COLUMNS, CodedPicture, Demo, DemoLabels, DemoStream, DemoStreamKind
from models.data.episode_track import TRACK, EpisodeTrack, read_episode_track
from models.data.errors import DreamFileError
from models.data.photo import read_photo

log = logging.getLogger(__name__)
COMMANDED, TRACKED = "_commanded", "track_"
_KINDS: Mapping[str, DemoStreamKind] = {kind: kind for kind in get_args(DemoStreamKind) if kind != "camera"}
WHOLE = Piece()


def open_session_demos(folder: Path) -> list[Demo]:
    """Return the demos of a session, or of every session in a folder, by number and time. No recording is opened.

    An episode whose note or annotation is damaged is left out, with a warning that names the file. Raises
    EpisodeFileError where there is no session.
    """
    return [demo for session in sessions_in(folder) for demo in _demos_of(session)]


def sessions_in(folder: Path) -> list[Path]:
    """Return a session's folder itself, or the sessions in a folder. Raises EpisodeFileError for neither."""
    if (folder / "episodes").is_dir():
        return [folder]
    found = sorted(f for f in folder.iterdir() if is_session(f)) if folder.is_dir() else []
    if not found:
        raise EpisodeFileError(f"{folder}: there is no session; valid: a session, or a folder of sessions")
    return found


def _demos_of(session: Path) -> Iterator[Demo]:
    for entry in open_session(session).kept():
        if entry.note is None:
            log.warning("left out: %s", entry.problem)
            continue
        try:
            yield from episode_demos(entry.folder, entry.note, read_annotation(entry.folder))
        except DreamFileError as error:
            log.warning("left out: %s", error)


def episode_demos(folder: Path, note: EpisodeNote, annotation: Annotation) -> list["SessionDemo"]:
    """Return the demos of one episode, one for each of its pieces; no file is opened."""
    recording = Recording(folder)
    return [SessionDemo(recording, note, piece, annotation.marks) for piece in annotation.pieces]


def recorded_labels(note: EpisodeNote) -> DemoLabels:
    """Return what was said of an episode when it was recorded."""
    return DemoLabels(note.task, note.instruction, note.object, note.condition, note.success)


class Recording:
    """One episode's folder, opened anew for every question; what never changes is read once. Any thread may ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> EpisodeReader:
        """Raises EpisodeFileError."""
        return EpisodeReader(self.folder, self.head)

    @cached_property
    def head(self) -> EpisodeHead:
        with EpisodeReader(self.folder) as reader:
            return reader.head

    @cached_property
    def track(self) -> EpisodeTrack | None:
        """The tracked tools, None where nobody tracked them. Raises DreamFileError."""
        return read_episode_track(self.folder)

    @cached_property
    def streams(self) -> Mapping[str, DemoStream]:
        """What the demos of this episode have."""
        with self.open() as reader:
            recorded = {stream.name: stream for name in reader.streams for stream in _described(reader, name)}
            recorded |= {info.name: _imported(info) for info in reader.head.values.values()}
            return recorded | (_tracked(reader, self.track) if self.track is not None else {})

    def times(self, stream: str) -> Array:
        """Return when samples were taken (N,) [s since the episode's start]. Raises KeyError."""
        kind = self.info(stream).kind
        if stream in self.head.values:
            return self.head.t_values(stream) - self._start
        if kind == "track":
            return self.track.times if self.track is not None else np.zeros(0)
        own = self.head.commanded(_arm_of(stream)) if kind == "action" else self.head.t_host(stream)
        return own - self._start

    def info(self, stream: str, *kinds: DemoStreamKind) -> DemoStream:
        """Return a stream, of one of those kinds. Raises KeyError naming what there is."""
        info = self.streams.get(stream)
        if info is None or (kinds and info.kind not in kinds):
            valid = [name for name, other in self.streams.items() if not kinds or other.kind in kinds]
            raise KeyError(f"{self.folder}: there is no such stream {stream!r}; it has {valid}")
        return info

    @cached_property
    def _start(self) -> float:
        return self.head.span[0]


@dataclass(frozen=True, eq=False)
class SessionDemo:
    """A piece of an episode as a `Demo`. note: as it was recorded; marks: of the whole episode."""

    recording: Recording
    note: EpisodeNote
    piece: Piece = WHOLE
    marks: tuple[Mark, ...] = ()

    @property
    def id(self) -> str:
        return self.note.id if self.piece.key == 1 else f"{self.note.id}.{self.piece.key}"

    @property
    def labels(self) -> DemoLabels:
        return self.piece.labels or recorded_labels(self.note)

    @property
    def streams(self) -> Mapping[str, DemoStream]:
        return self.recording.streams

    @property
    def duration_s(self) -> float:
        end = self.note.duration_s if self.piece.end is None else min(self.piece.end, self.note.duration_s)
        return max(0.0, end - self.piece.start)

    @property
    def source(self) -> Mapping[str, str]:
        span = f"{self.piece.start:g} to {self.piece.start + self.duration_s:g} s"
        return {"path": str(self.recording.folder), "sha256": self.note.mcap_sha256, "piece": span}

    @property
    def steps(self) -> tuple[Mark, ...]:
        """Where the steps of the task begin [s since the demo's start]."""
        start, end = self.piece.start, self.piece.start + self.duration_s
        return tuple(Mark(mark.t - start, mark.name, mark.by) for mark in self.marks if start <= mark.t <= end)

    def times(self, stream: str) -> Array:
        return self.recording.times(stream)[self._span(stream)] - self.piece.start

    def pictures(self, stream: str, indices: Sequence[int]) -> NDArray[np.uint8]:
        width, height = self.recording.info(stream, "camera").size or (0, 0)
        span = self._span(stream)
        wanted = [range(span.start, span.stop)[index] for index in indices]
        found = np.empty((len(wanted), height, width, 3), np.uint8)
        with self.recording.open() as reader:
            for row in sorted(range(len(wanted)), key=wanted.__getitem__):
                picture = reader.frame(stream, wanted[row]).rgb
                if picture.shape != found.shape[1:]:
                    problem = (
                        f"picture {wanted[row]} is {picture.shape[1]}x{picture.shape[0]}, not {width}x{height}"
                    )
                    raise EpisodeFileError(f"{reader.path}: {stream}: {problem}")
                found[row] = picture
        return found

    def coded(self, stream: str) -> Iterator[CodedPicture]:
        self.recording.info(stream, "camera")
        span, times = self._span(stream), self.recording.times(stream) - self.piece.start
        with self.recording.open() as reader:
            first = span.start
            while 0 < first < span.stop and not is_key(reader.coded_at(stream, first).data):
                first -= 1
            for k in range(first, span.stop):
                data = reader.coded_at(stream, k).data
                yield CodedPicture(float(times[k]), data, is_key(data))

    def values(self, stream: str) -> Array:
        info = self.recording.info(stream, "pose", "opening", "force", "arm", "track", "action")
        with self.recording.open() as reader:
            if stream in reader.head.values:
                rows = reader.values(stream)
            elif info.kind == "track" and self.recording.track is not None:
                rows = _track_values(reader, self.recording.track, stream.removeprefix(TRACKED))
            else:
                rows = _values(reader, info, len(self.recording.times(stream)))
        return rows[self._span(stream)]

    def camera(self, stream: str) -> Camera | None:
        self.recording.info(stream, "camera")
        with self.recording.open() as reader:
            return reader.calibration(stream)

    def scene(self, stream: str) -> Image | None:
        """Return the photo of the bare scene before the episode; of its first piece alone, since things move."""
        path = self.recording.folder / f"scene_{stream}.png"
        return read_photo(path) if self.piece.key == 1 and path.is_file() else None

    def _span(self, stream: str) -> slice:
        """Which samples of the whole recording belong to this piece; one at a cut belongs to what comes after."""
        times = self.recording.times(stream)
        first = int(np.searchsorted(times, self.piece.start))
        end = self.piece.end
        if end is None or end >= self.note.duration_s:
            return slice(first, len(times))
        return slice(first, max(first, int(np.searchsorted(times, end))))


def _described(reader: EpisodeReader, name: str) -> Iterator[DemoStream]:
    """The streams of a demo that a recorded stream becomes."""
    info = reader.streams[name]
    if info.kind == "camera":
        yield DemoStream(name, "camera", info.rate_hz, _picture_size(reader, name))
    elif info.kind == "pose":
        yield DemoStream(name, "pose", info.rate_hz, None, POSE_COLUMNS, "m", f"{name} reference")
    elif info.kind == "arm":
        joints = tuple(f"q{k}" for k in range(1, reader.joint_count(name) + 1))
        yield DemoStream(name, "arm", info.rate_hz, None, (*joints, *POSE_COLUMNS, "opening"), "", m.WORLD)
        if len(reader.head.commanded(name)):
            yield DemoStream(name + COMMANDED, "action", info.rate_hz, None, joints, "rad")
    else:
        yield DemoStream(name, info.kind, info.rate_hz, None, (info.kind,), "m" if info.kind == "opening" else "N")


def _imported(info: ValueInfo) -> DemoStream:
    kind = _KINDS.get(info.kind, "arm")
    return DemoStream(info.name, kind, info.rate_hz, None, info.columns, info.unit, info.frame)


def _picture_size(reader: EpisodeReader, name: str) -> tuple[int, int] | None:
    if (camera := reader.calibration(name)) is not None:
        return camera.size
    if not reader.count(name):
        return None
    height, width = reader.frame(name, 0).rgb.shape[:2]
    return width, height


def _tracked(reader: EpisodeReader, track: EpisodeTrack) -> dict[str, DemoStream]:
    frame = m.WORLD if _T_world_view1(reader, track) is not None else track.views[0]
    steps = np.diff(track.times)
    rate = 1.0 / float(np.median(steps)) if len(steps) else 1.0
    names = [TRACKED + role for role in track.track.tools]
    return {name: DemoStream(name, "track", rate, None, POSE_COLUMNS, "m", frame) for name in names}


def _track_values(reader: EpisodeReader, track: EpisodeTrack, role: str) -> Array:
    """(T, 7), nan where the tool was lost."""
    T_view1_tool = track.track.tools[role].T_view1_tool
    T_world_view1 = _T_world_view1(reader, track)
    return pose_values(T_view1_tool if T_world_view1 is None else T_world_view1 @ T_view1_tool)


def _T_world_view1(reader: EpisodeReader, track: EpisodeTrack) -> Array | None:
    view = track.views[0]
    if view not in reader.cameras:
        raise DreamFileError(
            reader.path.with_name(TRACK), "views", f"{view!r} is no camera of the episode", f"{reader.cameras}"
        )
    camera = reader.calibration(view)
    return camera.T_world_cam if camera is not None else None


def pose_values(T: Array) -> Array:
    """Return poses (N, 4, 4) as rows of `POSE_COLUMNS` (N, 7); nan stays nan."""
    rows = np.full((len(T), 7), np.nan)
    known = np.isfinite(T).all(axis=(1, 2))
    rows[known, :3] = T[known, :3, 3]
    rows[known, 3:] = np.roll(quaternion(T[known, :3, :3]), -1, axis=-1)
    return rows


def _values(reader: EpisodeReader, info: DemoStream, count: int) -> Array:
    """(count, columns); what a torn end of the file took is nan."""
    rows = np.full((count, len(info.columns)), np.nan)
    if info.kind == "pose":
        T_sensor_gripper = _gripper(reader, info.name)
        seen = [(k, pose.T_ref_sensor) for k, pose in enumerate(reader.poses(info.name)) if pose.confidence > 0]
        if seen:
            rows[[k for k, _ in seen]] = pose_values(np.stack([T @ T_sensor_gripper for _, T in seen]))
    elif info.kind == "arm":
        for k, arm in enumerate(reader.arm_samples(info.name)):
            opening = np.nan if arm.opening is None else arm.opening
            rows[k] = (*arm.q, *pose_values(arm.T_world_tool[None])[0], opening)
    elif info.kind == "action":
        for k, q in enumerate(reader.commands(_arm_of(info.name))):
            rows[k] = q
    else:
        for k, reading in enumerate(reader.readings(info.name)):
            rows[k] = reading.value if reading.valid else np.nan
    return rows


def _gripper(reader: EpisodeReader, stream: str) -> Array:
    """T_sensor_gripper (4, 4): where the gripper was calibrated to be on the sensor; the sensor itself where it was
    not."""
    known = reader.streams[stream].details if stream in reader.streams else {}
    try:
        T = gripper_on_sensor(known)
    except ValueError as error:
        raise DreamFileError(reader.path, f"stream {stream}", str(error), "a recording of this program") from error
    return np.eye(4) if T is None else T


def _arm_of(stream: str) -> str:
    return stream.removesuffix(COMMANDED)

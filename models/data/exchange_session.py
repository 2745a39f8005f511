"""A demo of any format as a recorded episode: pictures copied bit by bit where they are H.264, else coded anew."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from hardware.geometry import Array, transform
from hardware.recording.encoder import Coded, Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.note import EpisodeNote
from hardware.recording.session import described
from hardware.recording.values import ValueInfo, Values
from hardware.stream import Picture, Pose, Reading, StreamInfo
from models.data.annotations import Annotation, Piece, write_annotation
from models.data.clips_pictures import scene_photo
from models.data.demo import POSE_COLUMNS, Demo, DemoStream
from models.data.exchange import Cancelled, in_batches, steps_of, stop_if
from models.data.exchange_pictures import coded_size, even, png

CRF = 12  # of pictures that cannot be copied
NO_PIXELS = np.zeros((0, 0, 3), np.uint8)
_READINGS = ("opening", "force")
Message = tuple[float, int, Callable[[EpisodeWriter], None]]


def write_episode(demo: Demo, folder: Path, note: EpisodeNote, cancelled: Cancelled) -> EpisodeNote:
    """Write a demo into an episode's empty folder; return its note, ready to be kept.

    Raises DreamFileError, EpisodeFileError, OSError, ExchangeStopped; the folder is then to be thrown away.
    """
    files = Files()
    sha256 = write_mcap(demo, folder / MCAP, {"episode": note.id, "task": note.task}, cancelled)
    start = -earliest(demo)
    marks = tuple(replace(mark, t=mark.t + start) for mark in steps_of(demo))
    write_annotation(folder, Annotation((Piece(start=start, labels=demo.labels),), marks))
    scenes = _write_scenes(demo, folder, files)
    files.sync_folder(folder)
    with open_episode(folder) as reader:
        note = described(note, reader, sha256, (folder / MCAP).stat().st_size)
    return replace(note, state="recorded", scene=scenes)


def _write_scenes(demo: Demo, folder: Path, files: Files) -> tuple[str, ...]:
    names = []
    for camera in (s.name for s in demo.streams.values() if s.kind == "camera"):
        photo = scene_photo(demo, camera)
        if photo is not None:
            names.append(f"scene_{camera}.png")
            files.write_whole(folder / names[-1], png(photo))
    return tuple(names)


def imported_note(demo: Demo, number: int = 0) -> EpisodeNote:
    """Return the note of a demo that comes from elsewhere."""
    labels = demo.labels
    return EpisodeNote(
        demo.id,
        number,
        labels.task or "imported",
        object=labels.object,
        condition=labels.condition,
        instruction=labels.instruction,
        success=labels.success,
        details={f"imported {key}": value for key, value in demo.source.items()},
    )


def write_mcap(
    demo: Demo, path: Path, facts: Mapping[str, str], cancelled: Cancelled, *, viewing: bool = False
) -> str:
    """Write a demo as one MCAP file that begins with its earliest sample at 0 s; return its sha256.

    viewing: tracked tools as poses, which viewers of others draw.
    """
    streams = demo.streams.values()
    devices = {s.name for s in streams if _is_device(demo, s, viewing)}
    plain = tuple(_info(demo, s) for s in streams if s.name in devices)
    others = tuple(_value_info(s) for s in streams if s.name not in devices)
    clock, begin = Clock(0.0, 0.0, virtual=True), earliest(demo)
    writer = EpisodeWriter(Files().create(path), plain, clock, facts, values=others)
    try:
        writer.note("labels", {key: str(value) for key, value in asdict(demo.labels).items()})
        writer.note("source", dict(demo.source))
        for count, (_, _, write) in enumerate(
            heapq.merge(*(_messages(demo, s, begin, s.name in devices) for s in streams), key=_when)
        ):
            if count % 64 == 0:
                stop_if(cancelled)
            write(writer)
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


def earliest(demo: Demo) -> float:
    """Return when the first sample of a demo was taken [s], below 0 where pictures need some before them."""
    firsts = [
        picture.t for s in demo.streams.values() if s.kind == "camera" for picture in islice(demo.coded(s.name), 1)
    ]
    return min(0.0, *firsts, 0.0)


def _when(message: Message) -> tuple[float, int]:
    return message[:2]


def _is_device(demo: Demo, stream: DemoStream, viewing: bool) -> bool:
    """Whether a recording has messages of its own for it; poses are such where none is missing."""
    poses = ("pose", "track") if viewing else ("pose",)
    if stream.kind in poses and stream.columns == POSE_COLUMNS:
        return bool(np.isfinite(demo.values(stream.name)).all())
    return stream.kind in ("camera", *_READINGS) and (stream.kind == "camera" or len(stream.columns) == 1)


def _info(demo: Demo, stream: DemoStream) -> StreamInfo:
    kind = "pose" if stream.kind == "track" else stream.kind
    camera = demo.camera(stream.name) if kind == "camera" else None
    details = {"frame": stream.frame} if stream.frame else {}
    return StreamInfo(stream.name, kind, stream.rate_hz, camera, link="imported", details=details)  # type: ignore[arg-type]


def _value_info(stream: DemoStream) -> ValueInfo:
    return ValueInfo(stream.name, stream.kind, stream.rate_hz, stream.columns, stream.unit, stream.frame)


def _messages(demo: Demo, stream: DemoStream, begin: float, is_device: bool) -> Iterator[Message]:
    if stream.kind == "camera":
        return _video(demo, stream, begin)
    if not is_device:
        return _numbers(demo, stream, begin, lambda k, t, row: _values(Values(stream.name, k, t, t, row)))
    if stream.kind in _READINGS:
        return _numbers(demo, stream, begin, lambda k, t, row: _reading(stream.name, k, t, row))
    return _numbers(demo, stream, begin, lambda k, t, row: _pose(stream.name, k, t, row))


def _numbers(
    demo: Demo,
    stream: DemoStream,
    begin: float,
    message: Callable[[int, float, Array], Callable[[EpisodeWriter], None]],
) -> Iterator[Message]:
    rows = zip(demo.times(stream.name).tolist(), demo.values(stream.name), strict=True)
    for k, (t, row) in enumerate(rows):
        yield t, k, message(k, t - begin, row)


def _values(sample: Values) -> Callable[[EpisodeWriter], None]:
    return lambda writer: writer.values(sample)


def _reading(name: str, k: int, t: float, row: Array) -> Callable[[EpisodeWriter], None]:
    valid = bool(np.isfinite(row[0]))
    reading = Reading(name, k, t, t, float(row[0]) if valid else 0.0, valid)
    return lambda writer: writer.reading(reading)


def _pose(name: str, k: int, t: float, row: Array) -> Callable[[EpisodeWriter], None]:
    T = transform(Rotation.from_quat(row[3:]).as_matrix(), row[:3])
    pose = Pose(name, k, t, t, T, 3)
    return lambda writer: writer.pose(pose)


def _video(demo: Demo, stream: DemoStream, begin: float) -> Iterator[Message]:
    copied = False
    for k, picture in enumerate(demo.coded(stream.name)):
        copied = True
        yield picture.t, k, _coded(stream.name, k, picture.t - begin, Coded(picture.data, picture.key))
    if not copied:
        yield from _coded_anew(demo, stream, begin)


def _coded_anew(demo: Demo, stream: DemoStream, begin: float) -> Iterator[Message]:
    times = demo.times(stream.name).tolist()
    encoder = Encoder(coded_size(demo, stream), stream.rate_hz, CRF)
    for batch in in_batches(range(len(times))):
        for k, rgb in zip(batch, demo.pictures(stream.name, batch), strict=True):
            t = times[k] - begin
            coded = encoder.encode(Picture(stream.name, k, t, t, even(rgb)))
            yield times[k], k, _coded(stream.name, k, t, coded)


def _coded(name: str, k: int, t: float, coded: Coded) -> Callable[[EpisodeWriter], None]:
    picture = Picture(name, k, t, t, NO_PIXELS)
    return lambda writer: writer.video(picture, coded)

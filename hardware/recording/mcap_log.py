"""Reading a recorded episode: pictures by stream and true time, poses, readings, calibration."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo
from mcap.reader import SeekingReader
from mcap.records import Channel, Message, Metadata
from mcap.summary import Summary

from hardware.geometry import Array
from hardware.recording import messages as m
from hardware.recording.encoder import Decoder
from hardware.recording.flaws import KINDS as FLAW_KINDS
from hardware.recording.flaws import Flaw
from hardware.recording.mcap_writer import Clock
from hardware.recording.note import EpisodeFileError
from hardware.recording.recover import Capped
from hardware.stream import ArmSample, Pose, Reading, StreamInfo, StreamKind
from hardware.types import Camera, Frame, Image

MCAP = "episode.mcap"
KINDS: Mapping[str, StreamKind] = {kind: kind for kind in get_args(StreamKind)}
_VIDEO_END = m.VIDEO.format("").removeprefix("/camera/")
_TOPICS: Mapping[StreamKind, str] = {"camera": m.VIDEO, "pose": m.POSE, "arm": m.ARM_JOINTS}
_T = TypeVar("_T")


@dataclass(frozen=True)
class Coded:
    """A coded picture with its true times, as it stands in the file."""

    index: int
    t_host: float
    t_device: float
    data: bytes


@dataclass(frozen=True, eq=False)
class Times:
    """When a stream's samples came: index (N,) the device's counter; t_host, t_device (N,) [s]."""

    index: Array
    t_host: Array
    t_device: Array


class _Playing:
    """A stream while it is played: where the decoder stands."""

    def __init__(self, coded: tuple[Coded, ...]) -> None:
        self.coded, self.decoder = coded, Decoder()
        self.at = -1
        self.shown: Image | None = None

    def steps_to(self, at: int) -> range:
        """Return the pictures to decode for picture `at`: the next ones, or from the key frame before it."""
        key = next(k for k in range(at, -1, -1) if k == 0 or is_key(self.coded[k].data))
        if key <= self.at < at:
            return range(self.at + 1, at + 1)
        self.decoder = Decoder()
        return range(key, at + 1)


class EpisodeReader:
    """One whole MCAP episode. All methods raise EpisodeFileError where the file is damaged, KeyError for a stream
    that it does not have."""

    def __init__(self, path: Path) -> None:
        """path: an episode's folder or its .mcap file. Raises EpisodeFileError: unfinished or damaged."""
        self.path = path / MCAP if path.is_dir() else path
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise EpisodeFileError(f"{self.path}: it cannot be opened ({error.strerror})") from error
        self._playing: dict[str, _Playing] = {}
        self._scan: dict[str, list[Message]] | None = None
        try:
            summary = self._read(self._open)
            metadata = self._read(lambda: list(self._reader().iter_metadata()))
            self.clock, self.facts, self.streams = self._read(lambda: _head(metadata))
            self._topics = {channel.topic for channel in summary.channels.values()}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "EpisodeReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Safe to call twice."""
        self._file.close()

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the streams that hold pictures."""
        return tuple(name for name, info in self.streams.items() if info.kind == "camera")

    @property
    def span(self) -> tuple[float, float]:
        """Host time of the first and of the last sample of all streams [s]."""
        times = [self.times(name).t_host for name in self.streams]
        ends = [(float(t.min()), float(t.max())) for t in times if len(t)]
        return (
            (min(a for a, _ in ends), max(b for _, b in ends)) if ends else (self.clock.host_s, self.clock.host_s)
        )

    def coded(self, stream: str) -> Iterator[Coded]:
        """Yield the coded pictures of a camera in the order they were recorded."""
        self._info(stream)
        topic = m.VIDEO.format(stream)
        for _, message in self._rows([topic] if topic in self._topics else []):
            data = self._read(lambda msg=message: CompressedVideo.FromString(msg.data))  # type: ignore[misc]
            if data.format != "h264":
                raise EpisodeFileError(f"{self.path}: {stream}: coded as {data.format[:20]!r}; valid: h264")
            yield Coded(message.sequence, message.log_time / 1e9, message.publish_time / 1e9, data.data)

    def frames(self, stream: str) -> Iterator[Frame]:
        """Yield the pictures of a camera with their true times, in the order they were recorded."""
        decoder = Decoder()
        for coded in self.coded(stream):
            yield Frame(stream, coded.index, coded.t_host, coded.t_device, self._decode(decoder, coded, stream))

    def frame_at(self, stream: str, t_host: float) -> Frame | None:
        """Return the picture that was the newest at a host time [s], None before the first.

        The stream's coded pictures are held in memory from the first call on; going forward decodes each once.
        """
        if stream not in self._playing:
            self._playing[stream] = _Playing(tuple(self.coded(stream)))
        playing = self._playing[stream]
        at = bisect_right(playing.coded, t_host, key=lambda c: c.t_host) - 1
        if at < 0:
            return None
        if playing.shown is None or playing.at != at:
            for k in playing.steps_to(at):
                playing.shown = self._decode(playing.decoder, playing.coded[k], stream)
                playing.at = k
        coded = playing.coded[at]
        if playing.shown is None:
            return None
        return Frame(stream, coded.index, coded.t_host, coded.t_device, playing.shown)

    def times(self, stream: str) -> Times:
        """Return when the samples of any stream came."""
        topic = _TOPICS.get(self._info(stream).kind, m.READING)
        found = self._scanned().get(topic.format(stream), [])
        rows = [(v.sequence, v.log_time / 1e9, v.publish_time / 1e9) for v in found]
        return Times(*np.array(rows, float).reshape(-1, 3).T)

    def poses(self, stream: str) -> tuple[Pose, ...]:
        """Return the poses of a sensor."""
        rows = zip(self._messages(m.POSE, stream), self._messages(m.POSE_STATE, stream), strict=False)
        return tuple(self._pose(stream, message, state) for message, state in rows)

    def readings(self, stream: str) -> tuple[Reading, ...]:
        """Return the numbers of a sensor."""
        return tuple(self._reading(stream, message) for message in self._messages(m.READING, stream))

    def arm_samples(self, stream: str) -> tuple[ArmSample, ...]:
        """Return the states of an arm, each with the command that was seen beside it."""
        commanded = {message.sequence: message for message in self._messages(m.ARM_COMMANDED, stream)}
        joints, tools, states = (self._messages(t, stream) for t in (m.ARM_JOINTS, m.ARM_TOOL, m.ARM_STATE))
        rows = zip(joints, tools, states, strict=False)
        return tuple(self._arm(stream, q, T, state, commanded.get(q.sequence)) for q, T, state in rows)

    def picture_states(self, stream: str) -> tuple[tuple[float, Mapping[str, float]], ...]:
        """Return (host time, sharpness, brightness, dark, bright and, where known, exposure_s) about every GOP."""
        return tuple(
            (message.log_time / 1e9, {str(k): float(v) for k, v in self._json(message).items()})
            for message in self._messages(m.PICTURE_STATE, stream)
        )

    def flaws(self) -> tuple[Flaw, ...]:
        """Return what was wrong while it was recorded."""
        return tuple(self._flaw(message) for message in self._messages(m.FLAWS, ""))

    def calibration(self, stream: str) -> Camera | None:
        """Return a camera as it was calibrated when this was recorded, None where it was not."""
        data = [message.data for message in self._messages(m.CALIBRATION, stream)]
        poses = dict(self._read(lambda: [m.read_transform(v.data) for v in self._messages(m.TRANSFORMS, "")]))
        return self._read(lambda: m.read_calibration(data[0], poses.get(stream))) if data else None

    # the file

    def _info(self, stream: str) -> StreamInfo:
        if stream not in self.streams:
            raise KeyError(f"{self.path}: there is no stream {stream!r}; it has {list(self.streams)}")
        return self.streams[stream]

    def _decode(self, decoder: Decoder, coded: Coded, stream: str) -> Image:
        pictures = self._read(lambda: list(decoder.decode(coded.data)))
        if not pictures:
            raise EpisodeFileError(f"{self.path}: {stream}: picture {coded.index} cannot be decoded")
        return pictures[-1]

    def _pose(self, stream: str, message: Message, state: Message) -> Pose:
        values, T = self._json(state), self._read(lambda: m.read_pose(message.data))
        confidence = self._read(lambda: int(values["confidence"]))
        times = (message.log_time / 1e9, message.publish_time / 1e9)
        return Pose(stream, message.sequence, *times, T, confidence, bool(values.get("relocalised")))

    def _reading(self, stream: str, message: Message) -> Reading:
        values = self._json(message)
        value = self._read(lambda: float(values["value"]))
        times = (message.log_time / 1e9, message.publish_time / 1e9)
        return Reading(stream, message.sequence, *times, value, bool(values.get("valid")))

    def _arm(
        self, stream: str, joints: Message, tool: Message, state: Message, command: Message | None
    ) -> ArmSample:
        values, (q, dq) = self._json(state), self._read(lambda: m.read_joints(joints.data))
        commanded = self._read(lambda: m.read_joints(command.data)[0]) if command is not None else None
        opening = self._read(lambda: float(values["opening"])) if "opening" in values else None
        return ArmSample(
            stream,
            joints.sequence,
            joints.log_time / 1e9,
            joints.publish_time / 1e9,
            q,
            dq,
            self._read(lambda: m.read_pose(tool.data)),
            commanded,
            command.log_time / 1e9 if command is not None else 0.0,
            opening,
            str(values.get("mode", "")),
        )

    def _flaw(self, message: Message) -> Flaw:
        v = self._json(message)
        return self._read(
            lambda: Flaw(
                str(v["stream"]),
                FLAW_KINDS[v["kind"]],
                message.log_time / 1e9,
                int(v["count"]),
                float(v["seconds"]),
                str(v["text"]),
            )
        )

    def _scanned(self) -> dict[str, list[Message]]:
        """Read the whole file once; of pictures only the times are held."""
        if self._scan is None:
            found: dict[str, list[Message]] = {}
            for channel, message in self._rows(None):
                if channel.topic.endswith(_VIDEO_END):
                    message.data = b""
                found.setdefault(channel.topic, []).append(message)
            self._scan = found
        return self._scan

    def _json(self, message: Message) -> dict[str, Any]:
        values = self._read(lambda: json.loads(message.data))
        if not isinstance(values, dict):
            raise EpisodeFileError(f"{self.path}: a message is not an object")
        return values

    def _messages(self, topic: str, stream: str) -> list[Message]:
        if stream:
            self._info(stream)
        return self._scanned().get(topic.format(stream), [])

    def _rows(self, topics: list[str] | None) -> Iterator[tuple[Channel, Message]]:
        messages = self._reader().iter_messages(topics, log_time_order=False)
        while True:
            row = self._read(lambda: next(messages, None))
            if row is None:
                return
            yield row[1], row[2]

    def _open(self) -> Summary:
        summary = self._reader().get_summary()
        if summary is None:
            raise ValueError("it has no index")
        return summary

    def _reader(self) -> SeekingReader:
        file = Capped(self._file)
        return SeekingReader(file, validate_crcs=True, record_size_limit=file.size)

    def _read(self, what: Callable[[], _T]) -> _T:
        # foreign parsers raise nearly everything over damaged bytes; a person gets one sentence
        try:
            return what()
        except (EpisodeFileError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise EpisodeFileError(
                f"{self.path}: it is unfinished or damaged ({type(error).__name__}: {str(error)[:120]}); "
                "recover its dataset"
            ) from error


def open_episode(path: Path) -> EpisodeReader:
    """Open an episode's folder or MCAP file for reading."""
    return EpisodeReader(path)


def is_key(data: bytes) -> bool:
    """Say whether a coded picture (Annex B) stands for itself: it brings an IDR slice."""
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        if data[at + 3] & 0x1F == 5:
            return True
        if data[at + 3] & 0x1F == 1:
            return False
        at = data.find(b"\x00\x00\x01", at + 3)
    return False


def _head(metadata: list[Metadata]) -> tuple[Clock, dict[str, str], dict[str, StreamInfo]]:
    by_name = {record.name: record.metadata for record in metadata}
    clock = by_name["clock"]
    streams = [record.metadata for record in metadata if record.name == "stream"]
    return (
        Clock(float(clock["host_s"]), float(clock["wall_s"]), clock["virtual"] == "true"),
        dict(by_name["dreamdeck"]),
        {row["name"]: _stream(row) for row in streams},
    )


def _stream(row: Mapping[str, str]) -> StreamInfo:
    details = {key.removeprefix("detail "): value for key, value in row.items() if key.startswith("detail ")}
    rate = float(row["rate_hz"])
    return StreamInfo(
        row["name"], KINDS[row["kind"]], rate, serial=row["serial"], link=row["link"], details=details
    )

"""Reading a recorded episode: pictures by stream and true time, poses, readings, calibration."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo
from mcap.records import Message

from hardware.geometry import Array
from hardware.recording import messages as m
from hardware.recording.coded_pictures import Coded, Playing
from hardware.recording.episode_head import EpisodeHead, read_head
from hardware.recording.flaws import KINDS as FLAW_KINDS
from hardware.recording.flaws import Flaw
from hardware.recording.message_index import MessageReader, Places
from hardware.recording.note import EpisodeFileError
from hardware.recording.recover import Capped
from hardware.stream import ArmSample, Pose, Reading, StreamInfo
from hardware.types import Camera, Frame

MCAP = "episode.mcap"
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Times:
    """When a stream's samples came: index (N,) the device's counter; t_host, t_device (N,) [s]."""

    index: Array
    t_host: Array
    t_device: Array


class EpisodeReader:
    """One whole MCAP episode. All methods raise EpisodeFileError where the file is damaged, KeyError for a stream
    that it does not have."""

    def __init__(self, path: Path, head: EpisodeHead | None = None) -> None:
        """path: an episode's folder or its .mcap file; head: of this file, where it was open before. Raises
        EpisodeFileError: unfinished or damaged."""
        self.path = path / MCAP if path.is_dir() else path
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise EpisodeFileError(f"{self.path}: it cannot be opened ({error.strerror})") from error
        self._playing: dict[str, Playing] = {}
        try:
            capped = self._read(lambda: Capped(self._file))
            self.head = head or self._read(lambda: read_head(capped))
            self._reader = MessageReader(capped, self.head.index)
        except BaseException:
            self._file.close()
            raise
        self.clock, self.facts, self.streams = self.head.clock, self.head.facts, self.head.streams

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
        return self.head.span

    def count(self, stream: str) -> int:
        """Return how many samples a stream has."""
        return len(self._samples(stream))

    def coded(self, stream: str) -> Iterator[Coded]:
        """Yield the coded pictures of a camera in the order they were recorded."""
        return (self.coded_at(stream, k) for k in range(self.count(stream)))

    def coded_at(self, stream: str, k: int) -> Coded:
        """Return the k-th coded picture of a camera."""
        message = self._message(self._samples(stream), k)
        data = self._read(lambda: CompressedVideo.FromString(message.data))
        if data.format != "h264":
            raise EpisodeFileError(f"{self.path}: {stream}: coded as {data.format[:20]!r}; valid: h264")
        return Coded(message.sequence, message.log_time / 1e9, message.publish_time / 1e9, data.data)

    def frames(self, stream: str) -> Iterator[Frame]:
        """Yield the pictures of a camera with their true times, in the order they were recorded."""
        playing = self._new_playing(stream)
        for k in range(playing.count):
            yield self._frame(stream, playing, k)

    def frame(self, stream: str, k: int) -> Frame:
        """Return the k-th picture of a camera; going forward decodes each once."""
        if stream not in self._playing:
            self._playing[stream] = self._new_playing(stream)
        return self._frame(stream, self._playing[stream], k)

    def frame_at(self, stream: str, t_host: float) -> Frame | None:
        """Return the picture that was the newest at a host time [s], None before the first."""
        self._info(stream)
        at = int(np.searchsorted(self.head.t_host(stream), t_host, side="right")) - 1
        return self.frame(stream, at) if at >= 0 else None

    def times(self, stream: str) -> Times:
        """Return when the samples of any stream came."""
        places = self._samples(stream)
        found = (self._message(places, k) for k in range(len(places)))
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

    def commands(self, stream: str) -> tuple[Array, ...]:
        """Return the joint commands of an arm, (J,) [rad] each, at the times of `head.commanded`."""
        messages = self._messages(m.ARM_COMMANDED, stream)
        return self._read(lambda: tuple(m.read_joints(message.data)[0] for message in messages))

    def joint_count(self, stream: str) -> int:
        """Return how many joints an arm has, 0 where it said nothing."""
        places = self._samples(stream)
        return len(self._read(lambda: m.read_joints(self._message(places, 0).data)[0])) if len(places) else 0

    def values(self, stream: str) -> Array:
        """Return the samples of a stream of plain numbers (N, C), at the times of `head.t_values`."""
        places, width = self.head.index.places(m.VALUES.format(stream)), len(self.head.values[stream].columns)
        rows = [self._json(self._message(places, k)).get("values") for k in range(len(places))]
        return self._read(lambda: np.array(rows, float).reshape(len(rows), width))

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

    def _samples(self, stream: str) -> Places:
        self._info(stream)
        return self.head.samples(stream)

    def _new_playing(self, stream: str) -> Playing:
        return Playing(self.count(stream), lambda k: self.coded_at(stream, k))

    def _frame(self, stream: str, playing: Playing, k: int) -> Frame:
        rgb = self._read(lambda: playing.picture(k))
        message = self._message(self._samples(stream), k)
        if rgb is None:
            raise EpisodeFileError(f"{self.path}: {stream}: picture {message.sequence} cannot be decoded")
        return Frame(stream, message.sequence, message.log_time / 1e9, message.publish_time / 1e9, rgb)

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

    def _json(self, message: Message) -> dict[str, Any]:
        values = self._read(lambda: json.loads(message.data))
        if not isinstance(values, dict):
            raise EpisodeFileError(f"{self.path}: a message is not an object")
        return values

    def _messages(self, topic: str, stream: str) -> list[Message]:
        if stream:
            self._info(stream)
        places = self.head.index.places(topic.format(stream))
        return [self._message(places, k) for k in range(len(places))]

    def _message(self, places: Places, k: int) -> Message:
        return self._read(lambda: self._reader.message(places, k))

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

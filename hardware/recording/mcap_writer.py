"""One episode as an MCAP file that is readable up to its last sync, whatever happens after."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from mcap.writer import CompressionType, IndexType, Writer
from mcap_protobuf.schema import build_file_descriptor_set

from hardware.recording import messages as m
from hardware.recording.encoder import Coded
from hardware.recording.files import LogFile
from hardware.recording.flaws import Flaw
from hardware.recording.quality import Quality
from hardware.recording.values import ValueInfo, Values
from hardware.stream import ArmSample, Picture, Pose, Reading, StreamInfo

FORMAT = "1"
LIBRARY = "dreamdeck"
LARGEST_CHUNK = 4 * 2**20


@dataclass(frozen=True)
class Clock:
    """How host time becomes wall time in one file: wall = host + wall_minus_host_s. virtual: a simulation's own
    clock, which knows no wall time but that of its start."""

    host_s: float
    wall_s: float
    virtual: bool = False

    @property
    def wall_minus_host_s(self) -> float:
        return self.wall_s - self.host_s


def clock_now() -> Clock:
    """Read both clocks at once; the wall clock may step later, the file does not."""
    return Clock(time.monotonic(), time.time())


class EpisodeWriter:
    """Writes messages in the order they are given. One thread at a time; everything raises OSError on a bad disk.

    A message's log time is host time, its publish time the device's, both in ns; its sequence is the device's
    counter modulo 2^32. The timestamp inside a well-known message is wall time by the file's one clock mapping.
    """

    def __init__(
        self,
        file: LogFile,
        streams: tuple[StreamInfo, ...],
        clock: Clock,
        facts: Mapping[str, str] | None = None,
        values: tuple[ValueInfo, ...] = (),
    ) -> None:
        """facts: short texts about the recording that are to stand in the file itself; values: streams of plain
        numbers beside those of devices."""
        self._file, self._clock = file, clock
        self._wall = m.nanoseconds(clock.wall_minus_host_s)
        # message indexes let a viewer jump; the data's checksum lets a checker find every changed byte
        self._writer = Writer(
            file,
            chunk_size=LARGEST_CHUNK,
            compression=CompressionType.NONE,
            index_types=IndexType.ALL,
            enable_data_crcs=True,
        )
        self._writer.start(profile="", library=LIBRARY)
        self._writer.add_metadata("dreamdeck", {"format": FORMAT, **(facts or {})})
        self._writer.add_metadata("clock", _clock_texts(clock))
        for stream in streams:
            self._writer.add_metadata("stream", _stream_texts(stream))
        for info in values:
            self._writer.add_metadata("values", _value_texts(info))
        own = {m.VALUES.format(info.name): "dreamdeck.Values" for info in values}
        self._channels = register(self._writer, {**m.channels(streams), **own})
        for stream in streams:
            self._calibration(stream)

    def video(self, picture: Picture, coded: Coded) -> None:
        data = m.video_message(picture.stream, coded.data, self._time(picture.t_host))
        self._add(m.VIDEO.format(picture.stream), data, picture.t_host, picture.t_device, picture.index)

    def picture_state(self, picture: Picture, measured: Quality) -> None:
        """Say how a picture is; now and then is enough."""
        values = {**vars(measured), **({} if picture.exposure_s is None else {"exposure_s": picture.exposure_s})}
        topic = m.PICTURE_STATE.format(picture.stream)
        self._add(topic, m.to_json(values), picture.t_host, picture.t_device, picture.index)

    def pose(self, pose: Pose) -> None:
        key = (pose.t_host, pose.t_device, pose.index)
        state = m.to_json({"confidence": pose.confidence, "relocalised": pose.relocalised})
        self._add(m.POSE.format(pose.stream), m.pose_message(pose, self._time(pose.t_host)), *key)
        self._add(m.POSE_STATE.format(pose.stream), state, *key)

    def reading(self, reading: Reading) -> None:
        data = m.to_json({"value": reading.value, "valid": reading.valid})
        self._add(m.READING.format(reading.stream), data, reading.t_host, reading.t_device, reading.index)

    def arm(self, arm: ArmSample) -> None:
        """The command has a time of its own: the host's when it was looked at."""
        key, when = (arm.t_host, arm.t_device, arm.index), self._time(arm.t_host)
        state = {"mode": arm.mode, **({} if arm.opening is None else {"opening": arm.opening})}
        self._add(m.ARM_JOINTS.format(arm.stream), m.joints_message(arm.q, arm.dq, when), *key)
        self._add(m.ARM_TOOL.format(arm.stream), m.tool_message(arm, when), *key)
        self._add(m.ARM_STATE.format(arm.stream), m.to_json(state), *key)
        if arm.commanded is not None:
            data = m.joints_message(arm.commanded, None, self._time(arm.t_commanded))
            self._add(m.ARM_COMMANDED.format(arm.stream), data, arm.t_commanded, arm.t_commanded, arm.index)

    def values(self, sample: Values) -> None:
        numbers = [float(v) if math.isfinite(v) else None for v in sample.values]
        data = m.to_json({"values": numbers})
        self._add(m.VALUES.format(sample.stream), data, sample.t_host, sample.t_device, sample.index)

    def note(self, name: str, texts: Mapping[str, str]) -> None:
        """Put a metadata record into the file."""
        self._writer.add_metadata(name, dict(texts))

    def flaw(self, flaw: Flaw) -> None:
        values = {k: v for k, v in vars(flaw).items() if k != "t_host"}
        t = flaw.t_host if 0 <= flaw.t_host < 1.8e10 else self._clock.host_s
        self._add(m.FLAWS, m.to_json(values), t, t, 0)

    def sync(self) -> None:
        """Return when everything added so far can be recovered after a power cut."""
        self._writer.flush()
        self._file.sync()

    def finish(self) -> str:
        """Write the index, bring all to the disk, close; return the file's sha256."""
        self._writer.finish()
        self._file.sync()
        self._file.close()
        return self._file.sha256

    def abandon(self) -> None:
        """Close the file as it is, for `recover`."""
        self._file.close()

    def _calibration(self, stream: StreamInfo) -> None:
        if stream.camera is None:
            return
        t = self._clock.host_s
        topic, when = m.CALIBRATION.format(stream.name), self._time(t)
        self._add(topic, m.calibration_message(stream.camera, stream.name, when), t, t, 0)
        if stream.camera.T_world_cam is not None:
            self._add(m.TRANSFORMS, m.transform_message(stream.name, stream.camera.T_world_cam, when), t, t, 0)

    def _time(self, t_host: float) -> Timestamp:
        return m.timestamp(max(0, m.nanoseconds(t_host) + self._wall))

    def _add(self, topic: str, data: bytes, t_host: float, t_device: float, index: int) -> None:
        self._writer.add_message(
            self._channels[topic], m.nanoseconds(t_host), data, m.nanoseconds(t_device), index % 2**32
        )


def register(writer: Writer, topics: Mapping[str, str]) -> dict[str, int]:
    """Register topic -> schema name; return topic -> channel id."""
    ids: dict[str, int] = {}
    for name in dict.fromkeys(topics.values()):
        if name in m.PROTOBUF:
            data = build_file_descriptor_set(m.PROTOBUF[name]).SerializeToString()
            ids[name] = writer.register_schema(name, "protobuf", data)
        else:
            ids[name] = writer.register_schema(name, "jsonschema", json.dumps(m.JSON_SCHEMAS[name]).encode())
    coding = {name: "protobuf" if name in m.PROTOBUF else "json" for name in ids}
    return {topic: writer.register_channel(topic, coding[name], ids[name]) for topic, name in topics.items()}


def _clock_texts(clock: Clock) -> dict[str, str]:
    return {
        "log_time": "host monotonic clock [ns]" if not clock.virtual else "the simulation's virtual clock [ns]",
        "publish_time": "the device's own clock [ns]",
        "host_s": repr(clock.host_s),
        "wall_s": repr(clock.wall_s),
        "wall_minus_host_s": repr(clock.wall_minus_host_s),
        "virtual": "true" if clock.virtual else "false",
    }


def _stream_texts(stream: StreamInfo) -> dict[str, str]:
    own = {f"detail {key}": value for key, value in stream.details.items()}
    return {
        "name": stream.name,
        "kind": stream.kind,
        "rate_hz": repr(stream.rate_hz),
        "serial": stream.serial,
        "link": stream.link,
        "pixel_format": stream.pixel_format,
        **own,
    }


def _value_texts(info: ValueInfo) -> dict[str, str]:
    return {
        "name": info.name,
        "kind": info.kind,
        "rate_hz": repr(info.rate_hz),
        "columns": json.dumps(info.columns),
        "unit": info.unit,
        "frame": info.frame,
    }

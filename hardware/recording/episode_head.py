"""What stands in an episode's file about itself: clock, streams, facts, and where each message is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from mcap.reader import SeekingReader
from mcap.records import Metadata

from hardware.geometry import Array
from hardware.recording import messages as m
from hardware.recording.mcap_writer import Clock
from hardware.recording.message_index import MessageIndex, Places, read_index
from hardware.recording.recover import Capped
from hardware.recording.values import ValueInfo
from hardware.stream import StreamInfo, StreamKind

_KINDS: Mapping[str, StreamKind] = {kind: kind for kind in get_args(StreamKind)}
_TOPICS: Mapping[StreamKind, str] = {"camera": m.VIDEO, "pose": m.POSE, "arm": m.ARM_JOINTS}


@dataclass(frozen=True, eq=False)
class EpisodeHead:
    """What stands in an episode's file about itself: enough to open it again without looking for it."""

    clock: Clock
    facts: Mapping[str, str]
    streams: Mapping[str, StreamInfo]
    values: Mapping[str, ValueInfo]
    index: MessageIndex

    def samples(self, stream: str) -> Places:
        """Return where the samples of a stream stand in the file."""
        topic = _TOPICS.get(self.streams[stream].kind, m.READING)
        return self.index.places(topic.format(stream))

    def t_host(self, stream: str) -> Array:
        """Return when a stream's samples came (N,) [s host]."""
        return self.samples(stream).t_log / 1e9

    def t_values(self, stream: str) -> Array:
        """Return when the samples of a stream of plain numbers came (N,) [s host]."""
        return self.index.places(m.VALUES.format(stream)).t_log / 1e9

    def commanded(self, stream: str) -> Array:
        """Return when commands of an arm were seen (N,) [s host]."""
        return self.index.places(m.ARM_COMMANDED.format(stream)).t_log / 1e9

    @property
    def span(self) -> tuple[float, float]:
        """Host time of the first and of the last sample of all streams [s]."""
        times = [self.t_host(name) for name in self.streams]
        ends = [(float(t.min()), float(t.max())) for t in times if len(t)]
        return (
            (min(a for a, _ in ends), max(b for _, b in ends)) if ends else (self.clock.host_s, self.clock.host_s)
        )


def read_head(file: Capped) -> EpisodeHead:
    """Read it from the end of a file. Raises whatever its parsers raise where the file is unfinished or damaged."""
    reader = SeekingReader(file, record_size_limit=file.size)
    summary = reader.get_summary()
    if summary is None:
        raise ValueError("it has no index")
    metadata: list[Metadata] = list(reader.iter_metadata())
    by_name = {record.name: record.metadata for record in metadata}
    clock = by_name["clock"]
    streams = [record.metadata for record in metadata if record.name == "stream"]
    return EpisodeHead(
        Clock(float(clock["host_s"]), float(clock["wall_s"]), clock["virtual"] == "true"),
        dict(by_name["dreamdeck"]),
        {row["name"]: _stream(row) for row in streams},
        {row["name"]: _value_info(row) for row in (r.metadata for r in metadata if r.name == "values")},
        read_index(file, summary),
    )


def _stream(row: Mapping[str, str]) -> StreamInfo:
    details = {key.removeprefix("detail "): value for key, value in row.items() if key.startswith("detail ")}
    rate = float(row["rate_hz"])
    return StreamInfo(
        row["name"], _KINDS[row["kind"]], rate, serial=row["serial"], link=row["link"], details=details
    )


def _value_info(row: Mapping[str, str]) -> ValueInfo:
    columns = tuple(str(name) for name in json.loads(row["columns"]))
    return ValueInfo(row["name"], row["kind"], float(row["rate_hz"]), columns, row["unit"], row["frame"])

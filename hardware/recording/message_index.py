"""Where every message of an MCAP file lies, so that any of them is read without those before it."""

import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Chunk, Message
from mcap.stream_reader import get_chunk_data_stream
from mcap.summary import Summary
from numpy.typing import NDArray

from hardware.recording.recover import Capped

_RECORD = struct.Struct("<BQ")  # opcode, length
_INDEX = struct.Struct("<HI")  # channel, bytes of entries
_ENTRY = np.dtype([("t_log", "<u8"), ("offset", "<u8")])
_MESSAGE = struct.Struct("<BQHIQQ")  # opcode, length, channel, sequence, log time, publish time
_HELD_CHUNKS = 4  # cameras that play together stand in neighbouring chunks


@dataclass(frozen=True, eq=False)
class Places:
    """The messages of one topic in the order of the file: t_log (N,) [ns], chunk (N,) its number, offset (N,) in it
    [bytes]."""

    channel: int
    t_log: NDArray[np.int64]
    chunk: NDArray[np.int32]
    offset: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.t_log)


NOWHERE = Places(0, np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))


@dataclass(frozen=True, eq=False)
class MessageIndex:
    """chunks (C,): where each chunk's record begins in the file [bytes]; places by topic."""

    chunks: NDArray[np.int64]
    topics: Mapping[str, Places]

    def places(self, topic: str) -> Places:
        """Return where a topic's messages lie, none for a topic that there is not."""
        return self.topics.get(topic, NOWHERE)


def read_index(file: Capped, summary: Summary) -> MessageIndex:
    """Read the message indexes that stand behind each chunk. Raises whatever damaged bytes raise."""
    chunks = sorted(summary.chunk_indexes, key=lambda chunk: chunk.chunk_start_offset)
    if sum(chunk.message_index_length for chunk in chunks) > file.size:
        raise ValueError("its index is longer than the file")
    found: dict[int, list[tuple[int, NDArray[np.void]]]] = {}
    for number, chunk in enumerate(chunks):
        file.seek(chunk.chunk_start_offset + chunk.chunk_length)
        data = file.read(chunk.message_index_length)
        for channel, entries in _entries(data):
            outside = (entries["t_log"] < chunk.message_start_time) | (entries["t_log"] > chunk.message_end_time)
            if outside.any():
                raise ValueError("its index has a time outside of its chunk")
            found.setdefault(channel, []).append((number, entries))
    counts = summary.statistics.channel_message_counts if summary.statistics else {}
    for channel, count in counts.items():
        if sum(len(entries) for _, entries in found.get(channel, [])) != count:
            raise ValueError("its index is not complete")
    topics = {summary.channels[channel].topic: _places(channel, rows) for channel, rows in found.items()}
    return MessageIndex(np.array([chunk.chunk_start_offset for chunk in chunks], np.int64), topics)


def _entries(data: bytes) -> list[tuple[int, NDArray[np.void]]]:
    """Split the message indexes of a chunk into channel and entries."""
    rows, at = [], 0
    while at < len(data):
        opcode, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if opcode == Opcode.MESSAGE_INDEX:
            channel, size = _INDEX.unpack_from(data, at)
            rows.append((channel, np.frombuffer(data, _ENTRY, size // _ENTRY.itemsize, at + _INDEX.size)))
        at += length
    return rows


def _places(channel: int, rows: list[tuple[int, NDArray[np.void]]]) -> Places:
    entries = np.concatenate([entries for _, entries in rows])
    chunk = np.repeat([number for number, _ in rows], [len(entries) for _, entries in rows])
    t_log, offset = (entries[name].astype(np.int64) for name in ("t_log", "offset"))
    return Places(channel, t_log, chunk.astype(np.int32), offset)


class MessageReader:
    """Reads messages of an open file by their place; the last chunks that were read are held, their checksums
    looked at. Raises whatever damaged bytes raise."""

    def __init__(self, file: Capped, index: MessageIndex) -> None:
        self._file, self._index = file, index
        self._chunks: OrderedDict[int, bytes] = OrderedDict()

    def message(self, places: Places, k: int) -> Message:
        """Return the k-th message of a topic."""
        chunk, offset = self._chunk(int(places.chunk[k])), int(places.offset[k])
        opcode, length, channel, sequence, t_log, t_publish = _MESSAGE.unpack_from(chunk, offset)
        end = offset + _RECORD.size + length
        found = (opcode, channel, t_log)
        if found != (Opcode.MESSAGE, places.channel, places.t_log[k]) or end > len(chunk):
            raise ValueError("its index does not lead to a message")
        return Message(channel, t_log, chunk[offset + _MESSAGE.size : end], t_publish, sequence)

    def _chunk(self, number: int) -> bytes:
        if number in self._chunks:
            self._chunks.move_to_end(number)
            return self._chunks[number]
        self._file.seek(int(self._index.chunks[number]) + _RECORD.size)
        stream, length = get_chunk_data_stream(Chunk.read(ReadDataStream(self._file)), validate_crc=True)
        data: bytes = stream.read(length)
        self._chunks[number] = data
        if len(self._chunks) > _HELD_CHUNKS:
            self._chunks.popitem(last=False)
        return data

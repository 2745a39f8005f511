"""An MCAP file that ended too early, made whole from every chunk that came through."""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mcap.records import Channel, Chunk, DataEnd, Footer, Header, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import CompressionType, Writer

from hardware.recording.files import Files
from hardware.recording.mcap_writer import LARGEST_CHUNK, LIBRARY
from hardware.recording.note import EpisodeFileError


@dataclass(frozen=True)
class Recovered:
    """What came through. seconds: from the first to the last message; lost_bytes: unreadable at the end;
    was_whole: nothing had to be done."""

    messages: int
    seconds: float
    lost_bytes: int
    was_whole: bool
    sha256: str
    bytes: int


class Capped:
    """A file that never gives, or makes room for, more than it holds: damaged lengths cost nothing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not -(2**62) < offset < 2**62:
            raise ValueError(f"offset {offset} is outside of the file")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def whole(path: Path) -> Recovered | None:
    """Read a file from front to back, every checksum; None where it is unfinished or damaged. Raises OSError."""
    with open(path, "rb") as source:
        salvage = _Salvage(Capped(source))
        if not salvage.is_whole():
            return None
        source.seek(0)
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        return Recovered(salvage.messages, salvage.seconds, 0, True, sha256, salvage.size)


def recover(path: Path, files: Files | None = None) -> Recovered:
    """Make the file at path whole in place, in one step. One that is whole already stays as it is, byte by byte.

    Raises EpisodeFileError where nothing of it can be read, OSError where there is no room; then the file is as it
    was.
    """
    files = files or Files()
    part = path.with_name(f"{path.name}.recovering")
    part.unlink(missing_ok=True)
    if (found := whole(path)) is not None:
        return found
    target = files.create(part)
    try:
        with open(path, "rb") as source:
            salvage = _Salvage(Capped(source))
            writer = Writer(
                target,
                chunk_size=LARGEST_CHUNK,
                compression=CompressionType.NONE,
                enable_data_crcs=True,
            )
            writer.start(profile="", library=LIBRARY)
            salvage.into(writer)
        if not salvage.messages:
            raise EpisodeFileError(f"{path}: nothing in it can be read; discard it")
        writer.finish()
        target.sync()
        target.close()
        files.rename(part, path)
    except BaseException:
        target.close()
        part.unlink(missing_ok=True)
        raise
    return Recovered(salvage.messages, salvage.seconds, salvage.lost, False, target.sha256, target.tell())


class _Salvage:
    """Reads records until the first that is damaged."""

    def __init__(self, source: Capped) -> None:
        self._source, self.size = source, source.size
        self.messages, self.lost = 0, 0
        self._first, self._last = 2**64, 0
        self._finished = False

    @property
    def seconds(self) -> float:
        return max(0.0, (self._last - self._first) / 1e9) if self.messages else 0.0

    def is_whole(self) -> bool:
        """Read all, checksums too; say whether nothing is missing."""
        for record in self._records(whole=True):
            self._count(record)
        return self._finished

    def into(self, writer: Writer) -> None:
        """Copy every message that can be read; ids are given anew, as the writer counts them."""
        schemas: dict[int, int] = {}
        channels: dict[int, int] = {}
        for record in self._records(whole=False):
            if isinstance(record, Schema) and record.id not in schemas:
                schemas[record.id] = writer.register_schema(record.name, record.encoding, record.data)
            elif isinstance(record, Channel) and record.id not in channels and record.schema_id in schemas:
                channels[record.id] = writer.register_channel(
                    record.topic, record.message_encoding, schemas[record.schema_id], record.metadata
                )
            elif isinstance(record, Metadata):
                writer.add_metadata(record.name, record.metadata)
            elif isinstance(record, Message) and record.channel_id in channels:
                self._count(record)
                writer.add_message(
                    channels[record.channel_id], record.log_time, record.data, record.publish_time, record.sequence
                )

    def _count(self, record: McapRecord) -> None:
        if isinstance(record, Message):
            self.messages += 1
            self._first, self._last = min(self._first, record.log_time), max(self._last, record.log_time)

    def _records(self, whole: bool) -> Iterator[McapRecord]:
        reader = StreamReader(
            self._source,
            emit_chunks=True,
            validate_crcs=whole,
            record_size_limit=self._source.size,
        )
        end = 0
        for record in _until_damage(lambda: reader.records):
            if isinstance(record, Footer):
                self._finished = True
            if isinstance(record, Chunk):
                parts = list(_until_damage(lambda r=record: iter(breakup_chunk(r, validate_crc=True))))  # type: ignore[misc]
                if not parts:
                    break
                yield from parts
            elif not isinstance(record, (Header, DataEnd)):
                yield record
            end = self._source.tell()
        self.lost = self.size - end


def _until_damage(records: Callable[[], Iterator[McapRecord]]) -> Iterator[McapRecord]:
    # a parser of a foreign library over damaged bytes: whatever it raises means that here the readable part ends
    try:
        yield from records()
    except GeneratorExit:
        raise
    except Exception:
        return

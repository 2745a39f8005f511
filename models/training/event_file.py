"""Event files of TensorBoard: curves and pictures. Written by hand, since the format is four messages.

A file is TFRecords (length, its checksum, data, its checksum) of `Event` messages (TensorFlow's
util/event.proto, framework/summary.proto). Each record is written in one piece, so a killed run leaves at most one
torn one, at the end, where readers stop.
"""

import socket
import struct
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_START = 1  # SessionLog.START: a reader forgets what an earlier run said of this step and later ones
_RGB = 3


class EventFile:
    """One file of a folder; each start of a run begins a new one."""

    def __init__(self, folder: Path, step: int) -> None:
        """step: the run starts (again) after it. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 1000:016d}.{socket.gethostname() or 'host'}"
        self._file = open(folder / name, "xb", buffering=0)  # noqa: SIM115 - closed by close()
        self._write(0, _bytes(3, b"brain.Event:2"))
        self._write(step + 1, _bytes(7, _varint(1, _START)))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add points of curves by name."""
        rows = (_bytes(1, _text(1, name) + _float(2, value)) for name, value in values.items())
        self._write(step, _bytes(5, b"".join(rows)))

    def picture(self, step: int, name: str, png: bytes, size: tuple[int, int]) -> None:
        """Add a PNG picture of size (width, height)."""
        image = _varint(1, size[1]) + _varint(2, size[0]) + _varint(3, _RGB) + _bytes(4, png)
        self._write(step, _bytes(5, _bytes(1, _text(1, name) + _bytes(4, image))))

    def close(self) -> None:
        """Safe to call twice."""
        self._file.close()

    def _write(self, step: int, what: bytes) -> None:
        data = _key(1, _FIXED64) + struct.pack("<d", time.time()) + _varint(2, step) + what
        length = struct.pack("<Q", len(data))
        self._file.write(length + _checksum(length) + data + _checksum(data))


def _key(number: int, kind: int) -> bytes:
    return bytes([number << 3 | kind])


def _varint(number: int, value: int) -> bytes:
    out = bytearray(_key(number, _VARINT))
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(number: int, data: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(0, len(data))[1:] + data


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _float(number: int, value: float) -> bytes:
    return _key(number, _FIXED32) + struct.pack("<f", value)


def _checksum(data: bytes) -> bytes:
    """CRC-32C, masked as TFRecord has it, so that a checksum of checksums is none."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


@cache
def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return tuple(rows)

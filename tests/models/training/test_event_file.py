"""TensorBoard reads what we write: records with right checksums, messages with the right fields."""

import struct
from collections.abc import Iterator
from pathlib import Path

import google_crc32c

from models.training.event_file import EventFile

Fields = dict[int, list[bytes | int]]


def masked(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path: Path) -> Iterator[bytes]:
    data, at = path.read_bytes(), 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        assert struct.unpack_from("<I", data, at + 8)[0] == masked(data[at : at + 8])
        yield data[at + 12 : at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(data[at + 12 : at + 12 + length])
        at += 16 + length


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            return value, at


def message(data: bytes) -> Fields:
    fields: Fields = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value: bytes | int
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            length = {1: 8, 5: 4}.get(key & 7)
            if length is None:
                length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        fields.setdefault(key >> 3, []).append(value)
    return fields


def inner(fields: Fields, number: int) -> Fields:
    (value,) = fields[number]
    assert isinstance(value, bytes)
    return message(value)


def test_curves_and_pictures_are_read_back(tmp_path: Path) -> None:
    events = EventFile(tmp_path, 41)
    events.scalars(300, {"loss": 0.5, "rate": -2.0})
    events.picture(301, "gallery/a", b"\x89PNG" * 100, (7, 300))
    events.close()
    head, start, curves, picture = (message(record) for record in records(next(tmp_path.iterdir())))
    assert head[3] == [b"brain.Event:2"]
    assert start[2] == [42]
    assert inner(start, 7)[1] == [1]
    assert curves[2] == [300]
    rows = [message(value) for value in inner(curves, 5)[1] if isinstance(value, bytes)]
    assert [(row[1], row[2]) for row in rows] == [
        ([b"loss"], [struct.pack("<f", 0.5)]),
        ([b"rate"], [struct.pack("<f", -2.0)]),
    ]
    image = inner(inner(inner(picture, 5), 1), 4)
    assert (image[1], image[2], image[3], image[4]) == ([300], [7], [3], [b"\x89PNG" * 100])


def test_a_run_that_goes_on_writes_another_file(tmp_path: Path) -> None:
    for step in (0, 10):
        EventFile(tmp_path, step).close()
    assert len(list(tmp_path.iterdir())) == 2

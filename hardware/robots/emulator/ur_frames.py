"""Frames of the Real-Time Data Exchange, port 30004: big-endian size (with header), command, payload.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide"; behaviour of ur-rtde 1.6.5.
"""

import struct
from collections.abc import Sequence

HEADER = 3
LARGEST = 4096
PROTOCOL_VERSION, CONTROLLER_VERSION = ord("V"), ord("v")
SETUP_OUTPUTS, SETUP_INPUTS = ord("O"), ord("I")
START, PAUSE, DATA, TEXT = ord("S"), ord("P"), ord("U"), ord("M")
# not the vendor's: see identity.py
IDENTITY = 0xE0

# RTDE's names of types and how they are packed
PACKED = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT32": "I",
    "UINT64": "Q",
    "INT32": "i",
    "DOUBLE": "d",
    "VECTOR3D": "3d",
    "VECTOR6D": "6d",
    "VECTOR6INT32": "6i",
    "VECTOR6UINT32": "6I",
}
NOT_FOUND, IN_USE = "NOT_FOUND", "IN_USE"


class FrameError(ValueError):
    """What came in can be no frame."""


def encode(command: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return struct.pack(">HB", HEADER + len(payload), command) + payload


def decode(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the whole frames (command, payload) and what is left over. Raises FrameError."""
    frames = []
    while len(data) >= HEADER:
        size, command = struct.unpack_from(">HB", data)
        if not HEADER <= size <= LARGEST:
            raise FrameError(f"a frame of {size} bytes; valid: {HEADER} to {LARGEST}")
        if len(data) < size:
            break
        frames.append((command, data[HEADER:size]))
        data = data[size:]
    return frames, data


def layout(types: Sequence[str]) -> struct.Struct:
    """Return how a recipe's values lie after its id. Raises KeyError for a type that RTDE does not have."""
    return struct.Struct(">" + "".join(PACKED[name] for name in types))


def count_of(kind: str) -> int:
    """Return how many numbers a type holds."""
    packed = PACKED[kind]
    return int(packed[0]) if len(packed) > 1 else 1

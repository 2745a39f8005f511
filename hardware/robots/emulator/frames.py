"""Frames of the xArm control port (xarm-python-sdk 1.18.4, core/wrapper/uxbus_cmd_tcp.py): pure bytes, no sockets.

A request is [transaction u16][protocol u16][length u16][register u8][payload], length counting from the register;
a reply has a status byte after the register. u16 are big-endian, floats and s32 payloads little-endian.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = 6
MAX_LENGTH = 1024
PROTOCOLS = (2, 3)

STATUS_ERROR = 0x40
STATUS_WARNING = 0x20
STATUS_NOT_READY = 0x10
STATUS_INVALID = 0x08


@dataclass(frozen=True)
class Frame:
    """One request, or one reply without its status byte's meaning taken out."""

    transaction: int
    protocol: int
    register: int
    payload: bytes = b""


class FrameError(ValueError):
    """The bytes cannot be a frame of this protocol; the connection that sent them has lost step."""


def encode(frame: Frame) -> bytes:
    """Return the bytes of a request."""
    head = struct.pack(">HHHB", frame.transaction, frame.protocol, 1 + len(frame.payload), frame.register)
    return head + frame.payload


def encode_reply(request: Frame, status: int, payload: bytes = b"") -> bytes:
    """Return the bytes of the reply to a request; transaction and protocol are echoed."""
    return encode(Frame(request.transaction, request.protocol, request.register, bytes([status]) + payload))


def encode_feedback(request: Frame, kind: int, code: int) -> bytes:
    """Return the unasked frame that says how a queued motion ended.

    kind: 1 start, 2 finish, 4 trigger; code: 0 done, 1 failed, 2 discarded (x3/base.py, _feedback_callback).
    """
    body = bytes([0, kind, request.register, 0, 0, code])
    return encode(Frame(request.transaction, request.protocol, 0xFF, body))


def decode(buffer: bytes) -> tuple[list[Frame], bytes]:
    """Take all whole frames off the front of a buffer; return them and what is left.

    Raises FrameError on a length of zero or over MAX_LENGTH.
    """
    frames: list[Frame] = []
    while len(buffer) >= HEADER:
        transaction, protocol, length = struct.unpack_from(">HHH", buffer)
        if not 1 <= length <= MAX_LENGTH:
            raise FrameError(f"frame length {length} is not in 1..{MAX_LENGTH}")
        if len(buffer) < HEADER + length:
            break
        frames.append(Frame(transaction, protocol, buffer[HEADER], buffer[HEADER + 1 : HEADER + length]))
        buffer = buffer[HEADER + length :]
    return frames, buffer


def floats(payload: bytes, count: int, offset: int = 0) -> list[float]:
    """Return `count` little-endian float32; raises struct.error where the payload is too short."""
    return list(struct.unpack_from(f"<{count}f", payload, offset))


def from_floats(values: Sequence[float]) -> bytes:
    """Return little-endian float32 bytes."""
    return struct.pack(f"<{len(values)}f", *values)

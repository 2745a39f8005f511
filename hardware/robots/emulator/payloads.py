"""What the handlers of the control port's requests share: the session they answer in, and reading payloads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.robots.emulator.frames import Frame, floats
from hardware.robots.emulator.xarm_controller import XArmController

LARGEST = 1e6


@dataclass(frozen=True)
class Session:
    """One connection: the controller behind it, how to send it frames that it did not ask for, the nonce if any."""

    controller: XArmController
    send: Callable[[bytes], None]
    nonce: bytes | None = None


Handler = Callable[[Session, Frame], bytes]
Handlers = Mapping[int, Handler]


class Refused(ValueError):
    """The request has no valid result; the reply's status says so. payload: what the client reads nevertheless."""

    def __init__(self, payload: bytes = b"") -> None:
        super().__init__("refused")
        self.payload = payload


def finite(frame: Frame, count: int) -> Array:
    """Return the first `count` floats; Refused where one is nan, inf or larger than anything that makes sense."""
    values = np.array(floats(frame.payload, count))
    if not (np.abs(values) < LARGEST).all():
        raise Refused
    return values


def number(frame: Frame) -> float:
    """Return the first float."""
    return float(finite(frame, 1)[0])


def positive(value: float) -> float:
    """Return the value; Refused unless it is over zero."""
    if not value > 0:
        raise Refused
    return value


def at_most(frame: Frame, largest: int) -> int:
    """Return the first byte; Refused where it is over `largest`."""
    if frame.payload[0] > largest:
        raise Refused
    return frame.payload[0]


def byte_at(frame: Frame, offset: int) -> int:
    """Return an optional byte, 0 where the payload is shorter."""
    return frame.payload[offset] if len(frame.payload) > offset else 0


def T_from_axis_angle(pose: Array) -> Array:
    """Return T (4, 4) of x y z [mm] and a rotation vector [rad]."""
    return transform(rotation_from_vector(pose[3:6]), pose[:3] / 1000.0)


def take(_: Session, __: Frame) -> bytes:
    """A command or setting that has no effect here."""
    return b""


def zero(_: Session, __: Frame) -> bytes:
    """Something that is off, idle or empty here."""
    return bytes(1)

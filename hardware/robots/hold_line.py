"""What the window and one servo process share while a person holds a control. Nothing here can block.

The window alone writes wishes, renewals and the release; the servo process alone writes what it has to say. A wish
is taken only where the counter before and after is the same and even.
"""

import ctypes
import time
from dataclasses import dataclass, replace
from multiprocessing.context import SpawnContext
from typing import Any

import numpy as np

from hardware.geometry import Array
from hardware.robots.jog import FRAMES, Frame
from hardware.robots.run_memory import MAX_JOINTS
from hardware.safety import MotionGrant

# a window that did not renew for this long is taken for one that let go, until it renews or the grant lapses
SILENCE_S = 0.08
_SEAL, _WORDS = 80, 300


class _Wish(ctypes.Structure):
    _fields_ = (
        ("sequence", ctypes.c_uint64),
        ("serial", ctypes.c_int64),
        ("renewed_at", ctypes.c_double),
        ("expires_at", ctypes.c_double),
        ("seal", ctypes.c_char * _SEAL),
        ("frame", ctypes.c_int64),
        ("velocity", ctypes.c_double * MAX_JOINTS),
    )


class _Reply(ctypes.Structure):
    _fields_ = (
        ("serial", ctypes.c_int64),
        ("words", ctypes.c_char * _WORDS),
        ("over", ctypes.c_int64),
        ("opening", ctypes.c_double),
    )


@dataclass(frozen=True, eq=False)
class Wish:
    """What is wanted now: velocity (MAX_JOINTS,) in frame; renewed_at [s]; the grant as last renewed."""

    frame: Frame
    velocity: Array
    renewed_at: float
    expires_at: float
    seal: str

    def silent(self, now: float) -> bool:
        """Whether the window was quiet for too long, so that the arm is to stand."""
        return now - self.renewed_at > SILENCE_S

    def renewed(self, grant: MotionGrant) -> MotionGrant:
        """Return the grant as last renewed. Raises ApprovalError where the seal does not fit."""
        if self.seal == grant.seal:
            return grant
        return replace(grant, expires_at=self.expires_at, seal=self.seal)


class HoldLine:
    """One hold at a time, counted by `serial`; 0 is none."""

    def __init__(self, context: SpawnContext) -> None:
        self._wish: Any = context.RawValue(_Wish)
        self._reply: Any = context.RawValue(_Reply)
        self._last: tuple[int, Wish | None] = (0, None)

    @property
    def serial(self) -> int:
        """Number of the hold that is on; 0 where none is."""
        return int(self._wish.serial)

    def begin(self, serial: int, grant: MotionGrant) -> None:
        """Begin a hold, wishing to stand."""
        self._reply.words, self._reply.over, self._reply.opening = b"", 0, np.nan
        self._reply.serial = serial
        self._write(serial, grant, 0, np.zeros(MAX_JOINTS))

    def renew(self, grant: MotionGrant, frame: Frame, velocity: Array) -> None:
        """Take a renewed grant and what is wanted: velocity (n,), n <= MAX_JOINTS."""
        if self.serial:
            self._write(self.serial, grant, FRAMES.index(frame), velocity)

    def release(self) -> None:
        """The control was let go. Only a new hold with a new number begins again."""
        self._wish.serial = 0

    def wish(self, serial: int) -> Wish | None:
        """Return what is wanted in this hold; None once it was let go.

        Where the window is in the middle of writing one (it was put to sleep there), the one before: it grows old.
        """
        for attempt in range(100):
            if self._wish.serial != serial:
                return None
            before = self._wish.sequence
            copy = _Wish.from_buffer_copy(self._wish)
            if before % 2 == 0 and self._wish.sequence == before and copy.serial == serial:
                self._last = serial, _wish(copy)
                break
            if attempt >= 20:
                if self._last[0] == serial:
                    break
                time.sleep(0.001)
        return self._last[1] if self._last[0] == serial else None

    def say(self, words: str) -> None:
        """The servo process tells why it does not move, "" where it does."""
        self._reply.words = words.encode()[: _WORDS - 1]

    def over(self, serial: int) -> None:
        """The servo process has ended this hold; what it said last stays."""
        if self._reply.serial == serial:
            self._reply.over = 1

    @property
    def words(self) -> str:
        return str(self._reply.words.decode(errors="replace"))

    def tell_opening(self, opening: float) -> None:
        """The servo process tells how far the gripper is open, 0 closed to 1."""
        self._reply.opening = opening

    @property
    def opening(self) -> float | None:
        """What was told last in this hold, None before."""
        return None if np.isnan(self._reply.opening) else float(self._reply.opening)

    @property
    def is_over(self) -> bool:
        """Whether the servo process ended the last hold."""
        return bool(self._reply.over)

    def _write(self, serial: int, grant: MotionGrant, frame: int, velocity: Array) -> None:
        wish = self._wish
        wish.sequence += 1
        # only now: whoever reads this number finds what belongs to it, or a counter that is odd
        wish.serial = serial
        wish.frame = frame
        wish.velocity[:] = [0.0] * MAX_JOINTS
        wish.velocity[: len(velocity)] = velocity.tolist()
        wish.expires_at, wish.seal = grant.expires_at, grant.seal.encode()
        wish.renewed_at = time.monotonic()
        wish.sequence += 1


def _wish(copy: Any) -> Wish:
    seal = copy.seal.decode(errors="replace")
    return Wish(FRAMES[copy.frame], np.array(copy.velocity), copy.renewed_at, copy.expires_at, seal)

"""What the window and the servo processes share without waiting for each other: states, records, the stop line.

Plain shared memory with one writer per field. An arm's state is written beside the newest one, never over it, so a
reader finds a whole one also while the writer sleeps in the middle. Nothing here can block: a process that was
killed holds no lock.
"""

import contextlib
import ctypes
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import SpawnContext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import ArmState

MAX_JOINTS = 8
MAX_COMMANDS = 20_000
TRIES = 100
_ROW = 3 + 3 * MAX_JOINTS
_WORDS = 400


class Phase(IntEnum):
    """Where a servo process is. HELD: it follows a control that a person holds."""

    CLOSED, IDLE, PREPARED, RUNNING, ENDED, HELD = range(6)


class Cause(IntEnum):
    """Why arms were stopped."""

    STOPPED, FAULT = 1, 2


class _State(ctypes.Structure):
    _fields_ = (
        ("t_host", ctypes.c_double),
        ("q", ctypes.c_double * MAX_JOINTS),
        ("dq", ctypes.c_double * MAX_JOINTS),
        ("T_base_tool", ctypes.c_double * 16),
        ("wrench", ctypes.c_double * 6),
        ("codes", ctypes.c_double * 4),
        ("joints", ctypes.c_int64),
        ("mode", ctypes.c_char * 32),
    )


class _Arm(ctypes.Structure):
    # state number k is in slot k % 2; published: how many there were
    _fields_ = (
        ("states", _State * 2),
        ("published", ctypes.c_uint64),
        ("joints", ctypes.c_int64),
        ("beat", ctypes.c_double),
        ("phase", ctypes.c_int64),
        ("run", ctypes.c_int64),
        ("index", ctypes.c_int64),
        ("paused", ctypes.c_int64),
        ("target", ctypes.c_double * MAX_JOINTS),
    )


class _Stop(ctypes.Structure):
    _fields_ = (("t", ctypes.c_double), ("cause", ctypes.c_int64), ("words", ctypes.c_char * _WORDS))


class _Group(ctypes.Structure):
    _fields_ = (
        ("heartbeat", ctypes.c_double),
        ("pause_at", ctypes.c_int64),
        ("stopped", ctypes.c_int64),
    )


@dataclass(frozen=True)
class StopReason:
    """The first reason for a stop: when [s, host monotonic], whose, in words."""

    t: float
    cause: Cause
    words: str


class ArmMemory:
    """One arm's part: its newest state, how far it is, and the record of its run."""

    def __init__(self, context: SpawnContext) -> None:
        self._arm: Any = context.RawValue(_Arm)
        self._rows: Any = context.RawArray(ctypes.c_double, MAX_COMMANDS * _ROW)
        self._last: ArmState | None = None

    def publish(self, state: ArmState) -> None:
        """Replace the newest state."""
        n = len(state.q)
        slot = self._arm.states[self._arm.published % 2]
        slot.t_host, slot.joints = state.t_host, n
        slot.q[:n], slot.dq[:n] = state.q.tolist(), state.dq.tolist()
        slot.T_base_tool[:] = state.T_base_tool.ravel().tolist()
        has_wrench = state.wrench is not None
        slot.wrench[:] = [0.0] * 6 if state.wrench is None else state.wrench.tolist()
        slot.codes[:] = [float(v) for v in (state.error_code, state.warning_code, state.moving, has_wrench)]
        slot.mode = state.mode.encode()[:31]
        self._arm.joints = n
        self._arm.published += 1

    def state(self) -> ArmState | None:
        """Return the newest state, None before the first. Its t_host tells of a writer that sleeps or died."""
        for _ in range(TRIES):
            published = self._arm.published
            if published == 0:
                return None
            copy = _State.from_buffer_copy(self._arm.states[(published - 1) % 2])
            if self._arm.published == published:
                self._last = _state(copy)
                break
        # where the arm was quicker than every look, the last whole one that was seen
        return self._last

    def beat(self) -> None:
        self._arm.beat = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the servo process last turned."""
        return float(time.monotonic() - self._arm.beat)

    @property
    def phase(self) -> Phase:
        return Phase(self._arm.phase)

    @phase.setter
    def phase(self, phase: Phase) -> None:
        self._arm.phase = int(phase)

    @property
    def index(self) -> int:
        """Number of commands sent in this run."""
        return int(self._arm.index)

    @property
    def paused(self) -> bool:
        """Whether the last run ended standing on the path."""
        return bool(self._arm.paused)

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._arm.paused = int(paused)

    @property
    def target(self) -> Array | None:
        """The last command (J,) of this run; None before the first."""
        return np.array(self._arm.target[: self._arm.joints]) if self._arm.index else None

    def begin(self) -> None:
        """Forget the record: a new run is prepared."""
        self._arm.index, self._arm.paused = 0, 0

    def record(self, plan_time: float, t_sent: float, measured: ArmState, commanded: Array, sent: Array) -> None:
        """Add one command to the record."""
        arm, n = self._arm, len(commanded)
        arm.target[:n] = commanded.tolist()
        if arm.index >= MAX_COMMANDS:
            return
        row = np.full(_ROW, np.nan)
        row[:3] = plan_time, t_sent, measured.t_host
        row[3:].reshape(3, MAX_JOINTS)[:, :n] = commanded, sent, measured.q
        self._table()[arm.index] = row
        arm.index += 1

    def rows(self) -> tuple[Array, Array]:
        """Return times (N, 3) (plan, sent, measured) and joints (N, 3, J) (commanded, sent, measured) so far."""
        rows = self._table()[: min(self.index, MAX_COMMANDS)].copy()
        joints = rows[:, 3:].reshape(-1, 3, MAX_JOINTS)[:, :, : max(int(self._arm.joints), 1)]
        return rows[:, :3], joints

    def _table(self) -> NDArray[np.float64]:
        return np.frombuffer(self._rows, np.float64).reshape(MAX_COMMANDS, _ROW)


def _state(copy: Any) -> ArmState:
    n, (error, warning, moving, has_wrench) = copy.joints, copy.codes
    return ArmState(
        t_host=copy.t_host,
        q=np.array(copy.q[:n]),
        dq=np.array(copy.dq[:n]),
        T_base_tool=np.array(copy.T_base_tool[:]).reshape(4, 4),
        mode=copy.mode.decode(errors="replace"),
        error_code=int(error),
        warning_code=int(warning),
        moving=bool(moving),
        wrench=np.array(copy.wrench[:]) if has_wrench else None,
    )


class StopLine:
    """One stop for all arms. Who raises it leaves the reason in a slot of its own and wakes every servo process.

    Slot 0 is the window's, slot i + 1 that of arm i. Wake-ups are bytes in pipes that are never waited for.
    """

    def __init__(self, context: SpawnContext, n_arms: int) -> None:
        self._group: Any = context.RawValue(_Group)
        self._slots: Any = context.RawArray(_Stop, n_arms + 1)
        self._group.pause_at = -1
        pairs = [context.Pipe(duplex=False) for _ in range(n_arms)]
        self._readers, self._writers = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def reader(self, arm: int) -> Pipe:
        """The end that becomes readable when arm number `arm` is to look up."""
        return self._readers[arm]

    def heartbeat(self) -> None:
        self._group.heartbeat = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the window's last heartbeat."""
        return float(time.monotonic() - self._group.heartbeat)

    @property
    def pause_at(self) -> int | None:
        """The command number at which all arms begin to slow down; None: no pause is asked for."""
        return None if self._group.pause_at < 0 else int(self._group.pause_at)

    def pause(self, at: int) -> None:
        self._group.pause_at = at

    def stop(self, slot: int, cause: Cause, words: str) -> None:
        """Stop all arms. The first reason of a slot stays until `reset`."""
        mine = self._slots[slot]
        if mine.t == 0.0:
            mine.cause, mine.words = int(cause), words.encode()[: _WORDS - 1]
            mine.t = time.monotonic()
        self._group.stopped += 1
        self.wake()

    def wake(self) -> None:
        for writer in self._writers:
            with contextlib.suppress(OSError):
                os.set_blocking(writer.fileno(), False)
                os.write(writer.fileno(), b"!")

    @property
    def stops(self) -> int:
        """Counts the stops: a changed number is a new stop."""
        return int(self._group.stopped)

    def reason(self) -> StopReason | None:
        """The earliest reason since the last reset."""
        found = [slot for slot in self._slots if slot.t > 0.0]
        if not found:
            return None
        first = min(found, key=lambda slot: float(slot.t))
        return StopReason(first.t, Cause(first.cause), first.words.decode(errors="replace"))

    def reset(self) -> None:
        """Forget reasons and pause: all stands, and a new run is being prepared. The window alone calls it."""
        for slot in self._slots:
            slot.t = 0.0
        self._group.pause_at = -1

    def close(self) -> None:
        for end in (*self._readers, *self._writers):
            end.close()


def drain(reader: Pipe) -> None:
    """Empty a wake-up pipe without waiting."""
    with contextlib.suppress(OSError):
        os.set_blocking(reader.fileno(), False)
        while os.read(reader.fileno(), 4096):
            pass


def silent_peers(arms: Sequence[ArmMemory], me: int, limit: float) -> list[int]:
    """Numbers of the other arms whose servo process has not turned for longer than `limit` [s]."""
    return [i for i, arm in enumerate(arms) if i != me and arm.silence > limit]

"""Where held tools really are, at 30 Hz, in shared memory: a ring that the world writes and anybody reads.

Layout, native byte order: int64 number of rows ever written, then ROWS rows of float64: index, t_host [s], opening
[m], grip [N], showing (1 while the scripted person shows a task), then 16 of T_world_tool for each of ROLES (nan
while that tool is away). Row k is in place k % ROWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from hardware.geometry import Array

ROLES = ("left", "right", "tool", "gripper")
RATE_HZ = 30.0
ROWS = 256
_HEAD, _WIDTH = 8, 5 + 16 * len(ROLES)


@dataclass(frozen=True, eq=False)
class HeldSample:
    """The held tools at t_host [s], host monotonic. T_world_tool by role, of the roles that are at the table
    or, the
    gripper, at rest; opening [m] and grip [N] are nan where the task has no gripper."""

    index: int
    t_host: float
    T_world_tool: Mapping[str, Array]
    opening: float
    grip: float
    showing: bool


class HeldMemory:
    """The ring. The creator closes and removes it; one writer, any number of readers."""

    def __init__(self, name: str | None = None) -> None:
        """Create a ring, or attach to the one of that name."""
        self._own = name is None
        self._shm = SharedMemory(name, create=self._own, size=_HEAD + 8 * ROWS * _WIDTH if self._own else 0)
        if self._own:
            self._count()[0] = 0

    @property
    def name(self) -> str:
        """What another process attaches to."""
        return self._shm.name

    @property
    def written(self) -> int:
        """Number of samples ever written: the cursor of a reader that starts now."""
        return int(self._count()[0])

    def write(self, sample: HeldSample) -> None:
        """Publish a sample; its index is the place in the order, from 0 without gaps."""
        row = np.full(_WIDTH, np.nan)
        row[:5] = sample.index, sample.t_host, sample.opening, sample.grip, float(sample.showing)
        for k, role in enumerate(ROLES):
            if role in sample.T_world_tool:
                row[5 + 16 * k : 21 + 16 * k] = sample.T_world_tool[role].ravel()
        self._rows()[sample.index % ROWS] = row
        self._count()[0] = sample.index + 1

    def since(self, cursor: int) -> tuple[list[HeldSample], int]:
        """Samples from number `cursor` on, oldest first, and the cursor for the next call. What the ring has let go
        of is missing: the indices tell."""
        count = self.written
        first = max(cursor, count - ROWS + 1)
        rows = [self._rows()[k % ROWS].copy() for k in range(first, count)]
        # a row that was overwritten while it was copied holds another index, or is older than the ring
        oldest = self.written - ROWS + 1
        samples = [_sample(row) for k, row in zip(range(first, count), rows, strict=True) if k >= oldest]
        return samples, count

    def latest(self) -> HeldSample | None:
        """The newest sample, None while there is none."""
        samples, _ = self.since(self.written - 1) if self.written else ([], 0)
        return samples[-1] if samples else None

    def close(self) -> None:
        """Let go of the ring; its creator also removes it. Safe to call twice."""
        self._shm.close()
        if self._own:
            self._own = False
            self._shm.unlink()

    def _count(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.ndarray((1,), np.int64, self._shm.buf)

    def _rows(self) -> Array:
        return np.ndarray((ROWS, _WIDTH), np.float64, self._shm.buf, _HEAD)


def _sample(row: Array) -> HeldSample:
    poses = {role: row[5 + 16 * k : 21 + 16 * k].reshape(4, 4) for k, role in enumerate(ROLES)}
    there = {role: T for role, T in poses.items() if np.isfinite(T).all()}
    return HeldSample(int(row[0]), float(row[1]), there, float(row[2]), float(row[3]), bool(row[4]))

"""Joint positions of an emulated arm in shared memory, for the world that draws and pushes with it.

Layout, native byte order: one uint64 sequence counter (odd while a write is under way), then float64 t_host [s],
q[7] [rad], dq[7] [rad/s]. A reader takes a sample only where the counter is even and the same before and after.
"""

import time
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from hardware.geometry import Array

JOINTS = 7
_FLOATS = 1 + 2 * JOINTS
SIZE = 8 + 8 * _FLOATS


@dataclass(frozen=True, eq=False)
class JointSample:
    """t_host [s] host monotonic; q (7,) [rad]; dq (7,) [rad/s]."""

    t_host: float
    q: Array
    dq: Array


def create_joints() -> SharedMemory:
    """Return a new block that holds one sample of zeros; the caller closes and unlinks it."""
    shm = SharedMemory(create=True, size=SIZE)
    np.ndarray(SIZE, np.uint8, shm.buf)[:] = 0
    return shm


def write_joints(shm: SharedMemory, t_host: float, q: Array, dq: Array) -> None:
    """Replace the sample. There is one writer."""
    counter = np.ndarray(1, np.uint64, shm.buf)
    values = np.ndarray(_FLOATS, np.float64, shm.buf, offset=8)
    sample = np.concatenate([[t_host], q, dq])
    counter += np.uint64(1)
    values[:] = sample
    counter += np.uint64(1)


def read_joints(shm: SharedMemory, timeout: float = 0.2) -> JointSample:
    """Return the newest whole sample.

    Raises TimeoutError where none was seen for `timeout` seconds: the writer died while writing.
    """
    counter = np.ndarray(1, np.uint64, shm.buf)
    values = np.ndarray(_FLOATS, np.float64, shm.buf, offset=8)
    deadline = time.monotonic() + timeout
    while True:
        before = int(counter[0])
        copy = values.copy()
        if before % 2 == 0 and int(counter[0]) == before:
            return JointSample(float(copy[0]), copy[1 : 1 + JOINTS], copy[1 + JOINTS :])
        if time.monotonic() > deadline:
            raise TimeoutError(f"joints {shm.name}: no whole sample in {timeout} s; its writer has gone")
        # the writer may have lost its processor half way: give it one
        time.sleep(0.0001)

"""Joint positions of an emulated arm in shared memory, for the world that draws and pushes with it.

Layout, native byte order: one uint64 sequence counter (odd while a write is under way), one uint64 number of joints
J, then float64 t_host [s], q[J] [rad], dq[J] [rad/s], room for MAX_JOINTS. A reader takes a sample only where the
counter is even and the same before and after.
"""

import time
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from hardware.geometry import Array

MAX_JOINTS = 8
_FLOATS = 1 + 2 * MAX_JOINTS
SIZE = 16 + 8 * _FLOATS


@dataclass(frozen=True, eq=False)
class JointSample:
    """t_host [s] host monotonic; q (J,) [rad]; dq (J,) [rad/s]."""

    t_host: float
    q: Array
    dq: Array


def create_joints(joints: int = 7) -> SharedMemory:
    """Return a new block that holds one sample of zeros; the caller closes and unlinks it."""
    shm = SharedMemory(create=True, size=SIZE)
    np.ndarray(SIZE, np.uint8, shm.buf)[:] = 0
    np.ndarray(2, np.uint64, shm.buf)[1] = joints
    return shm


def write_joints(shm: SharedMemory, t_host: float, q: Array, dq: Array) -> None:
    """Replace the sample. There is one writer."""
    counter = np.ndarray(1, np.uint64, shm.buf)
    values = np.ndarray(1 + 2 * len(q), np.float64, shm.buf, offset=16)
    sample = np.concatenate([[t_host], q, dq])
    counter += np.uint64(1)
    values[:] = sample
    counter += np.uint64(1)


def read_joints(shm: SharedMemory, timeout: float = 0.2) -> JointSample:
    """Return the newest whole sample.

    Raises TimeoutError where none was seen for `timeout` seconds: the writer died while writing.
    """
    counter, n = np.ndarray(1, np.uint64, shm.buf), int(np.ndarray(2, np.uint64, shm.buf)[1])
    values = np.ndarray(1 + 2 * n, np.float64, shm.buf, offset=16)
    deadline = time.monotonic() + timeout
    while True:
        before = int(counter[0])
        copy = values.copy()
        if before % 2 == 0 and int(counter[0]) == before:
            return JointSample(float(copy[0]), copy[1 : 1 + n], copy[1 + n :])
        if time.monotonic() > deadline:
            raise TimeoutError(f"joints {shm.name}: no whole sample in {timeout} s; its writer has gone")
        # the writer may have lost its processor half way: give it one
        time.sleep(0.0001)

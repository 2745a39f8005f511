"""The newest picture in shared memory: never torn, never older than said, gone when closed."""

import threading
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import pytest

from hardware.world.frame_memory import FrameMemory

SIZE = (320, 240)


def picture(index: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), index % 251, np.uint8)


def test_there_is_no_frame_before_the_first() -> None:
    memory = FrameMemory("top", SIZE)
    try:
        assert memory.read() is None
    finally:
        memory.close()


def test_frames_read_while_written_are_whole_and_rise() -> None:
    memory = FrameMemory("top", SIZE)
    reader = FrameMemory("top", SIZE, memory.name)
    stop = threading.Event()

    def write() -> None:
        index = 0
        while not stop.is_set():
            memory.write(index, index * 0.5, index * 0.25, picture(index))
            index += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        last, seen = -1, set()
        while len(seen) < 150:
            frame = reader.read(tries=1000)
            if frame is None:
                continue
            assert (frame.rgb == frame.index % 251).all()
            assert frame.t_host == frame.index * 0.5
            assert frame.t_device == frame.index * 0.25
            assert frame.index >= last
            last = frame.index
            seen.add(last)
    finally:
        stop.set()
        thread.join()
        reader.close()
        memory.close()


def test_a_writer_that_died_while_writing_is_reported_not_shown() -> None:
    memory = FrameMemory("top", SIZE)
    try:
        memory.write(0, 1.0, 1.0, picture(0))
        np.ndarray(1, np.uint64, memory._shm.buf, 8)[0] += np.uint64(1)
        with pytest.raises(TimeoutError, match="camera top: no whole frame"):
            memory.read()
    finally:
        memory.close()


def test_closing_twice_is_safe_and_leaves_no_memory() -> None:
    memory = FrameMemory("top", SIZE)
    name = memory.name
    memory.close()
    memory.close()
    with pytest.raises(FileNotFoundError):
        SharedMemory(name)

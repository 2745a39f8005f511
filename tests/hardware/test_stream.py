"""The ring between a device and whoever reads it: nobody waits, and what was missed is told."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.stream import Reading, Ring


def _reading(index: int) -> Reading:
    return Reading("force", index, t_host=index / 30, t_device=index / 30, value=0.0)


def _indices(ring: Ring, cursor: int) -> tuple[list[int], int, int]:
    samples, cursor, lost = ring.after(cursor)
    return [sample.index for sample in samples], cursor, lost


def test_a_reader_that_keeps_up_gets_every_sample_once_and_in_order() -> None:
    ring = Ring(4)
    ring.put(_reading(0))
    cursor = ring.count
    ring.put(_reading(1))
    ring.put(_reading(2))
    assert _indices(ring, cursor) == ([1, 2], 3, 0)
    assert _indices(ring, 3) == ([], 3, 0)
    newest = ring.newest()
    assert newest is not None
    assert newest.index == 2


@given(st.lists(st.integers(0, 12), max_size=12), st.integers(1, 6))
@settings(deadline=None)
def test_what_was_taken_and_what_was_missed_add_up_to_what_was_put(bursts: list[int], length: int) -> None:
    ring, put, taken, missed, cursor = Ring(length), 0, 0, 0, 0
    for burst in bursts:
        for _ in range(burst):
            ring.put(_reading(put))
            put += 1
        indices, cursor, lost = _indices(ring, cursor)
        assert indices == list(range(put - len(indices), put))
        taken, missed = taken + len(indices), missed + lost
    assert taken + missed == put == ring.count


def test_waiting_ends_with_the_next_sample_or_after_its_time() -> None:
    ring = Ring(2)
    assert not ring.wait(0, 0.01)
    writer = threading.Timer(0.02, ring.put, [_reading(0)])
    writer.start()
    assert ring.wait(0, 5.0)
    writer.join()

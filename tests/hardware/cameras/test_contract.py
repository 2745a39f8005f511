"""What every device keeps to, whatever drives it: cameras and sensors alike."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardware.stream import Device, DeviceError, Sample
from tests.hardware.cameras.benches import BENCHES, Bench, in_its_own_process

OWN_PROCESS = {"basler": (in_its_own_process,)}


@pytest.fixture(params=[pytest.param(name, marks=OWN_PROCESS.get(name, ())) for name in sorted(BENCHES)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = BENCHES[request.param](tmp_path)
    try:
        yield made
    finally:
        made.device.disconnect()
        made.close()


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def take(device: Device, count: int) -> list[Sample]:
    """Return the next samples of a device."""
    cursor, samples = device.ring.count, []
    while len(samples) < count:
        assert device.ring.wait(cursor, 60.0)
        fresh, cursor, missed = device.ring.after(cursor)
        assert not missed
        samples += fresh
    return samples


def test_samples_come_in_order_on_both_clocks_and_the_health_says_so(bench: Bench) -> None:
    info = bench.device.connect()
    samples = take(bench.device, 8)
    assert info.name == bench.device.name == "bench"
    assert all(sample.stream == "bench" for sample in samples)
    for a, b in itertools.pairwise(samples):
        assert a.index < b.index
        assert a.t_host < b.t_host <= time.monotonic()
        assert a.t_device < b.t_device
    health = bench.device.health()
    assert health.connected
    assert health.problem == ""
    assert health.received >= 8
    assert health.fps > 0
    assert health.age_s < 5
    assert health.duplicates == health.reversals == health.reopened == 0


def test_connecting_twice_opens_once_and_it_comes_back_after_disconnecting_twice(bench: Bench) -> None:
    first = bench.device.connect()
    assert bench.device.connect() is first
    before = take(bench.device, 2)[-1]
    bench.device.disconnect()
    bench.device.disconnect()
    health = bench.device.health()
    assert not health.connected
    assert health.problem == "bench: it is not connected; connect it first"
    count = bench.device.ring.count
    time.sleep(0.1)
    assert bench.device.ring.count == count
    assert bench.device.connect().kind == first.kind
    assert take(bench.device, 2)[0].index > before.index
    assert bench.device.health().reopened == 0


def test_a_device_that_cannot_open_says_what_to_do_and_leaves_nothing(bench: Bench) -> None:
    device, words = bench.broken()
    with pytest.raises(DeviceError) as caught:
        device.connect()
    assert "bench" in str(caught.value)
    assert words in str(caught.value)
    device.disconnect()
    assert not device.health().connected


def test_unplugged_and_plugged_in_it_goes_on_by_itself_and_tells(bench: Bench) -> None:
    if not bench.unpluggable:
        pytest.skip("nothing of it can be pulled out")
    bench.device.connect()
    take(bench.device, 2)
    bench.unplug()
    wait_for(lambda: not bench.device.health().connected)
    problem = bench.device.health().problem
    assert problem.startswith("bench: ")
    assert ";" in problem
    last = bench.device.ring.newest()
    bench.plug()
    wait_for(lambda: bench.device.health().connected and bench.device.ring.newest() is not last)
    after = take(bench.device, 3)
    assert last is not None
    # the time away is a gap in the numbers: a recorder sees what it lost
    assert after[0].index > last.index
    assert bench.device.health().reopened >= 1
    wait_for(lambda: bench.device.health().problem == "")


def test_a_stall_is_told_and_over_when_samples_come_again(bench: Bench) -> None:
    if not bench.stallable:
        pytest.skip("it cannot stand still")
    bench.device.connect()
    bench.stall()
    wait_for(lambda: "nothing came for" in bench.device.health().problem)
    health = bench.device.health()
    assert health.problem.startswith("bench: ")
    assert health.age_s >= 0.5
    bench.resume()
    wait_for(lambda: bench.device.health().problem == "")
    take(bench.device, 2)

"""What a stream's health says of drops, duplicates, clocks that go back and absences."""

import pytest

from hardware.stream import Reading, Sample
from hardware.stream_tally import Tally


def sample(index: int, t: float, t_device: float | None = None) -> Reading:
    return Reading("force", index, t, t if t_device is None else t_device, 0.0)


def told(*samples: Reading) -> tuple[Tally, list[Sample]]:
    tally = Tally("force", 30.0, 0.5)
    tally.opened(0.0)
    return tally, [tally.count(s) for s in samples]


def test_gaps_in_the_devices_counter_are_drops() -> None:
    tally, seen = told(sample(5, 0.0), sample(6, 0.033), sample(9, 0.133))
    assert tally.health(0.14).device_drops == 2
    assert [s.index for s in seen] == [5, 6, 9]


def test_a_sample_that_comes_twice_is_told_and_not_hidden() -> None:
    tally, seen = told(sample(5, 0.0), sample(5, 0.033))
    health = tally.health(0.04)
    assert health.duplicates == 1
    assert len(seen) == health.received == 2
    assert "force: it gave sample 5 twice" in health.problem
    assert tally.health(0.2).problem
    for k in range(1, 200):
        tally.count(sample(5 + k, k / 30))
    assert tally.health(199 / 30).problem == ""


@pytest.mark.parametrize(("second", "what"), [(sample(6, 0.033, -1.0), "clock"), (sample(4, 0.033), "counter")])
def test_a_clock_or_counter_that_goes_back_is_told(second: Reading, what: str) -> None:
    tally, _ = told(sample(5, 0.0), second)
    health = tally.health(0.04)
    assert health.reversals == 1
    assert f"its {what} went back" in health.problem


def test_a_counter_that_starts_anew_after_a_replug_goes_on_with_the_time_away_as_a_gap() -> None:
    tally, _ = told(sample(100, 0.0), sample(101, 1 / 30))
    tally.away("it is unplugged; plug it in again")
    assert tally.health(1.0).problem == "force: it is unplugged; plug it in again"
    assert not tally.health(1.0).connected
    tally.opened(2.0, came_back=True)
    again = tally.count(sample(0, 1 / 30 + 2.0, 0.001))
    assert again.index == 101 + 60
    health = tally.health(2.04)
    assert (health.connected, health.problem, health.reopened, health.reversals) == (True, "", 1, 0)


def test_rate_and_age_are_those_of_the_last_second() -> None:
    tally, _ = told(*(sample(k, k / 20) for k in range(60)))
    health = tally.health(59 / 20 + 0.01)
    assert health.fps == pytest.approx(20.0)
    assert health.age_s == pytest.approx(0.01)
    later = tally.health(59 / 20 + 3.0)
    assert later.fps == 0
    assert later.problem == "force: nothing came for 3.0 s; check its cable and its light"

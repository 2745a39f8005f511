"""Opening and force as a person calibrates them: what rests is taken by itself, and what comes of it is kept."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.calibration import gauges
from app.calibration.gauges import ForceSession, OpeningSession
from hardware.calibration.force_scale import weight
from hardware.rig import load_rig
from hardware.rig_devices import ArucoConfig
from hardware.stream import Reading
from hardware.types import Frame
from tests.hardware.world.openings import fisheye_pictures
from tests.hardware.world.rendering import elsewhere

SCALE, TRUE_SCALE = 0.0006, 0.0005


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "STEADY_S", 0.1)
    monkeypatch.setattr(gauges, "LOOK_S", 0.0)


def until(session: OpeningSession | ForceSession, there: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end, (session.step, session.figure, session.rows)
        session.pump()
        time.sleep(0.002)


class Pulled:
    """A force sensor under a mass, told by a scale that is 20% off."""

    def __init__(self) -> None:
        self.mass, self.index, self._rng = 0.0, 0, np.random.default_rng(0)

    def read(self) -> Reading:
        self.index += 1
        counts = (weight(self.mass) + self._rng.normal(0, 0.02)) / TRUE_SCALE + 800
        return Reading("force", self.index, time.monotonic(), 0.0, SCALE * counts)


def test_a_scale_is_found_from_weights_that_are_named_and_hung_on() -> None:
    sensor = Pulled()
    session = ForceSession("force", SCALE, sensor.read)
    until(session, lambda: len(session.taken) == 1)
    for count, mass in enumerate((0.2, 1.0, 0.0), 2):
        assert "how heavy" in session.step
        session.answer(mass)
        sensor.mass = mass
        until(session, lambda count=count: len(session.taken) == count)  # type: ignore[misc]
    kept = session.calibration("bench")
    assert (kept.kind, kept.subject, kept.verdict) == ("force", "force", "good")
    assert kept.numbers["newton_per_count"] == pytest.approx(TRUE_SCALE, rel=5e-3)
    session.remove(2)
    assert [row.text.split(",")[0] for row in session.rows] == ["0 g", "200 g", "0 g"]


def test_a_weight_is_not_taken_before_somebody_says_how_heavy_it_is() -> None:
    sensor = Pulled()
    session = ForceSession("force", SCALE, sensor.read)
    until(session, lambda: len(session.taken) == 1)
    sensor.mass = 0.5
    looked = sensor.index
    until(session, lambda: sensor.index > looked + 60)
    assert len(session.taken) == 1
    with pytest.raises(ValueError, match="1 loads; valid: two or more"):
        session.calibration("bench")
    with pytest.raises(ValueError, match=r"Weight on it now: 90000 g; valid: 0 to 20000 g"):
        session.answer(90.0)


OPENINGS = (0.03, 0.0, 0.085)


@pytest.fixture
def shown() -> Iterator[tuple[OpeningSession, list[int]]]:
    (pictures,) = elsewhere(fisheye_pictures, ((OPENINGS,), {}))
    camera = next(c.camera for c in load_rig("sim-handheld").cameras if c.camera.name == "gripper")
    at, index = [0], [0]

    def grab(name: str) -> Frame | None:
        index[0] += 1
        return Frame(name, index[0], time.monotonic(), 0.0, np.repeat(pictures[at[0]][..., None], 3, axis=2))

    wrong = ArucoConfig("gripper", (0, 1), 0.016, 0.03, 0.09, 0.085)
    session = OpeningSession("opening", wrong, camera, grab)
    yield session, at
    session.close()


def test_both_ends_are_found_though_the_fingers_rested_half_open_first(
    shown: tuple[OpeningSession, list[int]],
) -> None:
    session, at = shown
    until(session, lambda: len(session.taken) == 1)
    at[0] = 1
    until(session, lambda: len(session.taken) == 2)
    at[0] = 2
    until(session, lambda: session.taken[-1].level > 0.11)
    assert [row.text.split()[0] for row in session.rows] == ["closed", "open"]
    kept = session.calibration("bench")
    assert kept.numbers["closed_m"] == pytest.approx(0.0267, abs=1e-3)
    assert kept.numbers["opened_m"] == pytest.approx(0.1224, abs=1e-3)
    assert kept.numbers["travel_m"] == 0.085
    session.answer(0.2)
    with pytest.raises(ValueError, match="is marker_size right"):
        session.calibration("bench")

"""The markers on the simulated gripper's fingers are drawn: the sensor for real ones reads them."""

import numpy as np
import pytest

from hardware.rig import load_rig
from hardware.rig_devices import ArucoConfig
from hardware.sensors.aruco_opening import OpeningMeter
from hardware.world.gripper import LARGEST_OPENING, MARKER_SIZE, MARKERS
from tests.hardware.world.openings import fisheye_pictures
from tests.hardware.world.rendering import elsewhere

OPENINGS = (0.0, 0.012, 0.03, 0.05, 0.07, LARGEST_OPENING)


def test_the_opening_is_read_from_simulated_pictures_to_one_and_a_half_millimetres() -> None:
    (pictures,) = elsewhere(fisheye_pictures, ((OPENINGS,), {}))
    camera = next(config.camera for config in load_rig("sim-handheld").cameras if config.camera.name == "gripper")

    def meter(closed: float, opened: float) -> OpeningMeter:
        return OpeningMeter(ArucoConfig("gripper", MARKERS, MARKER_SIZE, closed, opened, LARGEST_OPENING), camera)

    measured = [meter(0.02, 0.12).measure(picture) for picture in pictures]
    assert None not in measured
    # as a person calibrates it: once closed, once open
    calibrated = meter(float(measured[0] or 0), float(measured[-1] or 0))
    read = [calibrated.opening(float(value or 0)) for value in measured]
    assert all(valid for _, valid in read)
    assert [value for value, _ in read] == pytest.approx(OPENINGS, abs=0.0015)
    assert np.all(np.diff([value for value, _ in read]) > 0)

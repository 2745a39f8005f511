"""The simulated handheld gripper's sensors: what they say of the truth, and their faults."""

import time
from dataclasses import replace

import numpy as np
import pytest

from hardware.geometry import inverse, transform
from hardware.rig import load_rig
from hardware.sensors.sim import SimForce, sim_sensor
from hardware.stream import Pose, Reading, Zeroed
from hardware.world.held import T_WORLD_REST
from hardware.world.held_memory import HeldMemory, HeldSample
from hardware.world.sensing import (
    OFFSET_N,
    T_GRIPPER_TRACKER,
    GripForce,
    GripperTruth,
    SeenOpening,
    TrackedPose,
    markers_in_view,
)

SENSORS = {sensor.name: sensor for sensor in load_rig("sim-handheld").sensors}


def truth(k: int, x: float = 0.0, opening: float = 0.05, grip: float = 0.0) -> GripperTruth:
    T = T_WORLD_REST @ transform(np.eye(3), [x, 0, 0])
    return GripperTruth(k, 100 + k / 30, k / 30, T, opening, grip)


def test_the_rig_has_three_cameras_and_three_sensors_in_their_order_and_no_arm() -> None:
    rig = load_rig("sim-handheld")
    assert [c.camera.name for c in rig.cameras] == ["left", "gripper", "right"]
    assert [(s.name, s.kind, s.rate_hz) for s in rig.sensors] == [
        (k, k, 30.0) for k in ("pose", "opening", "force")
    ]
    assert rig.simulated
    assert not rig.arms


def test_a_pose_is_in_the_trackers_own_upright_frame_and_follows_the_gripper() -> None:
    tracked = TrackedPose("pose", 1)
    first, second = tracked.sample(truth(0)).T_ref_sensor, tracked.sample(truth(1, x=0.2)).T_ref_sensor
    np.testing.assert_allclose(first[:3, 3], 0, atol=0.002)
    moved = T_GRIPPER_TRACKER @ inverse(first) @ second @ inverse(T_GRIPPER_TRACKER)
    np.testing.assert_allclose(moved[:3, 3], [0.2, 0, 0], atol=0.003)
    np.testing.assert_allclose((first @ inverse(T_WORLD_REST @ T_GRIPPER_TRACKER))[1, :3], [0, 0, 1], atol=1e-6)


def test_now_and_then_it_relocalises_unsure_before_and_alike_for_a_seed() -> None:
    def play(seed: int) -> list[Pose]:
        tracked = TrackedPose("pose", seed)
        return [tracked.sample(truth(k)) for k in range(9000)]

    poses = play(3)
    at = [k for k, pose in enumerate(poses) if pose.relocalised]
    assert 1 <= len(at) <= 12
    assert poses[at[0] - 1].confidence == 2
    assert poses[at[0]].confidence == 3
    jump = poses[at[0]].T_ref_sensor[:3, 3] - poses[at[0] - 1].T_ref_sensor[:3, 3]
    assert 0.0005 < np.linalg.norm(jump) < 0.05
    assert at == [k for k, pose in enumerate(play(3)) if pose.relocalised]
    assert at != [k for k, pose in enumerate(play(4)) if pose.relocalised]


def test_an_opening_is_valid_while_a_marker_is_seen() -> None:
    seen = SeenOpening("opening", 1)
    readings = [seen.sample(truth(k, opening=0.031)) for k in range(3000)]
    there = [r.value for r in readings if r.valid]
    assert 0.98 < len(there) / len(readings) < 1
    assert np.mean(there) == pytest.approx(0.031, abs=1e-4)
    assert markers_in_view(0.08)
    assert not markers_in_view(2.0)
    assert not seen.sample(truth(0, opening=2.0)).valid


def test_a_force_is_off_by_its_offset_until_it_is_zeroed() -> None:
    felt = GripForce("force", 2, zeroed=False)
    before = np.mean([felt.sample(truth(k)).value for k in range(50)])
    assert OFFSET_N[0] - 0.1 < abs(before) < OFFSET_N[1] + 0.1
    felt.zero()
    assert not felt.sample(truth(50)).valid
    for k in range(51, 80):
        felt.sample(truth(k))
    after = [felt.sample(truth(k, grip=3.0)) for k in range(80, 130)]
    assert all(reading.valid for reading in after)
    assert np.mean([reading.value for reading in after]) == pytest.approx(3.0, abs=0.1)


def test_a_device_hands_on_the_worlds_times_without_inventing_samples() -> None:
    memory = HeldMemory()
    sensor = sim_sensor(SENSORS["force"], memory.name)
    assert isinstance(sensor, SimForce)
    assert isinstance(sensor, Zeroed)
    assert not isinstance(sim_sensor(SENSORS["opening"], memory.name), Zeroed)
    source = sensor._served
    info = source.open()
    try:
        assert (info.kind, info.link) == ("force", "simulated")
        begun = time.monotonic()
        for k in (0, 1, 2):
            memory.write(HeldSample(k, begun + k, {}, 0.05, 1.0, False))
        found = [source.next(0.5) for _ in range(3)]
        assert [(s.index, s.t_host) for s in found if isinstance(s, Reading)] == [(k, begun + k) for k in range(3)]
        assert source.next(0.02) is None
    finally:
        source.close()
        memory.close()


def test_opening_and_force_are_told_by_what_is_said_of_markers_and_scale() -> None:
    opening, force = SENSORS["opening"].aruco, SENSORS["force"].force
    assert opening is not None
    assert force is not None
    wrong = SeenOpening("opening", 1, replace(opening, closed=opening.closed + 0.0096))
    told = [wrong.sample(truth(k, opening=0.05)).value for k in range(60)]
    assert np.median(told) < 0.047
    felt = GripForce("force", 2, replace(force, newton_per_count=2 * force.newton_per_count), zeroed=True)
    assert np.mean([felt.sample(truth(k, grip=3.0)).value for k in range(60)]) == pytest.approx(6.0, abs=0.1)

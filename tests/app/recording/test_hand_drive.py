"""A person's own hand at a simulated table: what pointing, wheel, keys and sticks make of a tool's pose."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from app.recording.hand_drive import CLOSED, OPEN, SPEED, HandDrive
from app.recording.hand_pose import REACH_X, HandPose, gripper_pose, moved, pointed, table_point, tool_pose
from hardware.geometry import Array, apply, inverse, is_transform, project
from hardware.rig import load_rig
from hardware.types import Camera

CAMERAS = {config.camera.name: config.camera for config in load_rig("sim").cameras}
TOP = CAMERAS["top"]


class Held:
    """What the world was last asked for."""

    def __init__(self) -> None:
        self.poses: dict[str, Array | None] = {}
        self.opening: float | None = None
        self.asked = 0

    def __call__(self, poses: Mapping[str, Array | None], opening: float | None) -> None:
        self.poses, self.opening, self.asked = dict(poses), opening, self.asked + 1

    def at(self, role: str) -> Array:
        T = self.poses[role]
        assert T is not None
        return T[:3, 3]


def share_of(camera: Camera, point: Array) -> tuple[float, float]:
    """Where a picture shows a point of the world, from its left and top."""
    assert camera.T_world_cam is not None
    (u, v) = project(camera.K, apply(inverse(camera.T_world_cam), point[None]))[0]
    return (u + 0.5) / camera.size[0], (v + 0.5) / camera.size[1]


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.parametrize("point", [(0.0, 0.0, 0.0), (0.2, -0.1, 0.04), (-0.25, 0.15, 0.12)])
def test_a_place_in_a_picture_is_the_place_on_the_table_that_it_shows(name: str, point: tuple[float, ...]) -> None:
    camera, wanted = CAMERAS[name], np.array(point)
    found = table_point(camera, share_of(camera, wanted), wanted[2])
    assert found is not None
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_a_lens_that_bends_is_straightened_first() -> None:
    import cv2

    bent = replace(TOP, distortion=np.array([-0.2, 0.05, 0.0, 0.0]))
    wanted = np.array([0.25, -0.1, 0.0])
    (seen,) = apply(inverse(bent.T_world_cam), wanted[None])  # type: ignore[arg-type]
    pixel = cv2.projectPoints(seen[None], np.zeros(3), np.zeros(3), bent.K, bent.distortion)[0].ravel()
    found = table_point(bent, tuple((pixel + 0.5) / bent.size), 0.0)
    assert found is not None
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_sky_and_a_camera_whose_place_nobody_knows_move_nothing() -> None:
    hand = HandPose(z=0.04)
    assert pointed(hand, replace(TOP, T_world_cam=None), (0.5, 0.5)) == hand
    upwards = replace(TOP, T_world_cam=np.diag([1.0, 1.0, 1.0, 1.0]))
    assert table_point(upwards, (0.5, 0.5), -0.1) is None
    assert pointed(hand, replace(TOP, model="fisheye"), (0.5, 0.5)) == hand


def test_a_hand_stays_within_reach_and_above_the_table() -> None:
    hand = moved(HandPose(z=0.05, lowest=0.036), {"x": 9.0, "z": -1.0, "pitch": 9.0})
    assert (hand.x, hand.z) == (REACH_X[1], 0.036)
    assert hand.pitch < np.pi / 2


def test_a_flat_tool_points_away_from_the_person_and_turns_about_the_vertical() -> None:
    T = tool_pose(HandPose(0.1, -0.2, 0.04))
    assert is_transform(T)
    np.testing.assert_allclose(T[:3, :3] @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    turned = tool_pose(HandPose(yaw=0.0, pitch=0.5))
    np.testing.assert_allclose(turned[:3, :3] @ [1, 0, 0], [np.cos(0.5), 0, -np.sin(0.5)], atol=1e-12)


def test_a_gripper_points_down_and_opens_sideways() -> None:
    T = gripper_pose(HandPose(0.1, 0.0, 0.02))
    assert is_transform(T)
    np.testing.assert_allclose(T[:3, :3] @ [1, 0, 0], [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(T[:3, :3] @ [0, 1, 0], [0, 1, 0], atol=1e-12)


def test_nothing_comes_onto_the_table_before_somebody_moves() -> None:
    held = Held()
    drive = HandDrive({"tool": "pusher"}, held)
    drive.tick((0, 0, 0, 0), 0.03)
    drive.leave()
    assert held.asked == 0


def test_pointing_brings_the_tool_there_flat_on_the_table_and_leaving_takes_it_away() -> None:
    held = Held()
    drive = HandDrive({"tool": "pusher"}, held)
    drive.point(TOP, share_of(TOP, np.array([0.1, -0.05, 0.042])))
    drive.tick((0, 0, 0, 0), 0.03)
    np.testing.assert_allclose(held.at("tool"), [0.1, -0.05, 0.042], atol=1e-3)
    drive.tick((0, 0, 0, 0), 0.03)
    assert held.asked == 1, "a hand that rests is not told again"
    drive.leave()
    assert held.poses == {"tool": None}


def test_keys_move_at_their_speed_and_the_wheel_lifts_and_turns() -> None:
    held = Held()
    drive = HandDrive({"tool": "brush"}, held)
    drive.tick((1, 0, 0, 0), 0.1)
    first = held.at("tool").copy()
    assert first[0] == pytest.approx(SPEED * 0.1)
    drive.wheel("z", 3)
    drive.wheel("yaw", 2)
    drive.tick((0, 0, 0, 0), 0.03)
    np.testing.assert_allclose(held.at("tool") - first, [0, 0, 0.03], atol=1e-12)
    T = held.poses["tool"]
    assert T is not None
    assert np.arctan2(T[1, 0], T[0, 0]) == pytest.approx(np.pi / 2 + 0.24)


def test_the_right_button_moves_the_second_tool_and_what_follows_goes_on_with_it() -> None:
    held = Held()
    drive = HandDrive({"left": "rotation_gripper_left", "right": "rotation_gripper_right"}, held)
    drive.point(TOP, (0.4, 0.5))
    drive.point(TOP, (0.6, 0.5), other=True)
    drive.tick((0, 0, 0, 0), 0.03)
    left, right = held.at("left").copy(), held.at("right").copy()
    assert left[0] < 0 < right[0]
    drive.tick((0, 0, 1, 0), 0.1)
    assert held.at("right")[2] > right[2]
    np.testing.assert_array_equal(held.at("left"), left)
    drive.swap()
    drive.tick((0, 0, 1, 0), 0.1)
    assert held.at("left")[2] > left[2]


def test_the_fingers_of_a_gripper_close_and_open_again() -> None:
    held = Held()
    drive = HandDrive({"gripper": "gripper"}, held)
    drive.point(TOP, (0.5, 0.5))
    drive.tick((0, 0, 0, 0), 0.03)
    assert held.opening == OPEN
    drive.squeeze()
    drive.tick((0, 0, 0, 0), 0.03)
    assert held.opening == CLOSED
    drive.squeeze()
    drive.tick((0, 0, 0, 0), 0.03)
    assert held.opening == OPEN
    drive.squeeze()
    drive.leave()
    assert held.opening == OPEN, "what it held is not carried away"

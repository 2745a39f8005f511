"""A tracker on the gripper: found from two streams of poses, jumps of the tracker left out."""

import numpy as np
import pytest

from hardware.calibration.pose_streams import PoseTrack, paired, solve_pair
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array, inverse, rotation_from_vector, transform

T_GRIPPER_TRACKER = transform(rotation_from_vector(np.array([0.5, -1.2, 0.3])), [-0.136, 0.01, 0.045])
T_WORLD_REF = transform(rotation_from_vector(np.array([0.0, 0.0, 0.8])), [0.4, -0.2, 1.0])


def moves(count: int, rng: np.random.Generator, turn: float = 0.8) -> Array:
    return np.stack(
        [
            transform(rotation_from_vector(turn * rng.normal(0, 0.6, 3)), rng.uniform(-0.2, 0.2, 3))
            for _ in range(count)
        ]
    )


def tracker(T_world_gripper: Array, rng: np.random.Generator, noise: float = 3e-4) -> Array:
    T = inverse(T_WORLD_REF) @ T_world_gripper @ T_GRIPPER_TRACKER
    T[:, :3, 3] += rng.normal(0, noise, (len(T), 3))
    return T


def test_the_tracker_is_found_on_the_gripper() -> None:
    rng = np.random.default_rng(0)
    gripper = moves(30, rng)
    result = solve_pair(gripper, tracker(gripper, rng))
    away, turned = pose_difference(result.T_a_b, T_GRIPPER_TRACKER)
    assert away < 1e-3
    assert turned < np.radians(0.1)
    assert result.verdict == "good", result.words
    assert pose_difference(result.T_refa_refb, T_WORLD_REF)[0] < 2e-3


def test_poses_before_and_after_a_jump_of_the_tracker_are_both_used() -> None:
    rng = np.random.default_rng(1)
    gripper = moves(24, rng)
    told = tracker(gripper, rng)
    told[9:] = transform(rotation_from_vector(np.array([0.0, 0.01, 0.01])), [0.006, 0.0, -0.003]) @ told[9:]
    result = solve_pair(gripper, told)
    assert not result.left_out
    assert "moved its frame after pose 9" in result.words
    away, turned = pose_difference(result.T_a_b, T_GRIPPER_TRACKER)
    assert away < 1.5e-3
    assert turned < np.radians(0.2)


def test_single_poses_that_jumped_are_left_out() -> None:
    rng = np.random.default_rng(1)
    gripper = moves(30, rng)
    told = tracker(gripper, rng)
    told[[6, 19]] = transform(np.eye(3), [0.06, 0.0, -0.03]) @ told[[6, 19]]
    result = solve_pair(gripper, told)
    assert set(result.left_out) == {6, 19}
    assert "jumped" in result.words
    assert pose_difference(result.T_a_b, T_GRIPPER_TRACKER)[0] < 2e-3


def test_a_gripper_that_was_only_shifted_is_refused() -> None:
    rng = np.random.default_rng(0)
    gripper = moves(20, rng, turn=0.0)
    with pytest.raises(ValueError, match="only shifted"):
        solve_pair(gripper, tracker(gripper, rng))


def test_streams_are_taken_at_the_same_times() -> None:
    t = np.arange(0, 4, 1 / 30)
    turns = rotation_from_vector(np.column_stack([0.4 * np.sin(t), 0.3 * np.cos(t), 0.2 * t]))
    poses = transform(turns, np.column_stack([0.1 * t, 0 * t, 0 * t]))
    a, b = PoseTrack(t, poses), PoseTrack(t[::2] + 0.003, poses[::2])
    xs, ys = paired(a, b)
    assert len(xs) == len(ys) >= 14
    away = [pose_difference(x, y) for x, y in zip(xs, ys, strict=True)]
    assert max(m for m, _ in away) < 1e-3  # 3 ms at 0.1 m/s and the chord between samples
    with pytest.raises(ValueError, match="at the same times"):
        paired(a, PoseTrack(t + 100, poses))

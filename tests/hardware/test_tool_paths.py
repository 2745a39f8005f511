"""The curve through a track's poses: through every one, smooth, held at rest, and never into the table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import Array, is_transform, rotation_angle, rotation_from_vector, transform
from hardware.planner.paths import MAX_POSES, LiftedPath, PosePath, ToolPath

PLATE = np.array([[x, y, z] for x in (-0.07, 0.07) for y in (-0.05, 0.05) for z in (-0.062, 0.0)])


def wandering(seed: int, n: int, height: float = 0.12) -> ToolPath:
    """A track like a hand's: uneven times, some frames missing, turning and tilting."""
    random = np.random.default_rng(seed)
    t = np.cumsum(random.choice([1, 1, 1, 2, 3], n)) / 6.0
    p = np.array([0.0, 0.0, height]) + np.cumsum(random.normal(0, 0.02, (n, 3)), axis=0)
    turn = np.cumsum(random.normal(0, 0.15, (n, 3)), axis=0) + random.normal(0, 1.5, 3)
    return ToolPath(t, transform(rotation_from_vector(turn), p))


def lowest_point(T: Array) -> Array:
    return (T[:, 2, :3] @ PLATE.T).min(axis=1) + T[:, 2, 3]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 25), st.booleans(), st.booleans())
def test_the_curve_passes_through_every_given_pose(seed: int, n: int, first: bool, last: bool) -> None:
    path = wandering(seed, n)
    T = PosePath(path, first, last).poses(path.t)
    np.testing.assert_allclose(T[:, :3, 3], path.T_world_tool[:, :3, 3], atol=1e-9)
    assert rotation_angle(T[:, :3, :3], path.T_world_tool[:, :3, :3]).max() < 1e-6


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(3, 13))
def test_the_curve_is_smooth_and_a_held_end_starts_at_rest(seed: int, n: int) -> None:
    path = wandering(seed, n)
    curve = PosePath(path, hold_first=True, hold_last=True)
    h = 1e-3
    u = np.arange(path.t[0] - 0.2, path.t[-1] + 0.2, h)
    T = curve.poses(u)
    assert all(is_transform(T[i]) for i in range(0, len(T), 50))
    acceleration = np.diff(T[:, :3, 3], 2, axis=0) / h**2
    jumps = np.linalg.norm(np.diff(acceleration, axis=0), axis=1)
    assert jumps.max() < 0.1 * np.linalg.norm(acceleration, axis=1).max() + 1e-3
    before = u < path.t[0]
    np.testing.assert_allclose(T[before], np.broadcast_to(T[0], T[before].shape), atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.03, 0.12), st.floats(0.002, 0.03))
def test_no_point_of_the_tool_ever_comes_below_the_height(seed: int, height: float, lowest: float) -> None:
    path = wandering(seed, 9, height)
    start, end = float(path.t[0]), float(path.t[-1])
    smooth = PosePath(path, False, False)
    lifted = LiftedPath(smooth, PLATE, lowest, start, end)
    u = np.linspace(start, end, 700)
    assert lowest_point(lifted.poses(u)).min() >= lowest - 1e-5
    lift = lifted.lift(u)
    assert (lift >= -1e-9).all()
    high = lowest_point(smooth.poses(u)) > lowest
    if high.all():
        assert lift.max() == 0


def test_a_lift_sets_in_smoothly_and_only_near_the_table() -> None:
    t = np.linspace(0, 4, 25)
    p = np.stack([0.05 * t, 0 * t, 0.10 - 0.045 * np.exp(-((t - 2) ** 2) / 0.1)], axis=1)
    lifted = LiftedPath(PosePath(ToolPath(t, transform(np.eye(3), p)), False, False), PLATE, 0.005, 0.0, 4.0)
    u = np.linspace(0, 4, 2001)
    lift = lifted.lift(u)
    assert 0.011 < lift.max() < 0.014
    assert lift[(u < 1.0) | (u > 3.0)].max() < 1e-9
    assert np.abs(np.diff(lift, 2)).max() / (u[1] - u[0]) ** 2 < 12.0


def test_quaternion_signs_do_not_make_the_tool_spin() -> None:
    angle = np.linspace(0.0, 4 * np.pi, 60)
    R = rotation_from_vector(angle[:, None] * np.array([0.0, 0.0, 1.0]))
    path = PosePath(ToolPath(np.arange(60.0), transform(R, np.zeros((60, 3)))), False, False)
    fine = path.poses(np.linspace(0, 59, 1200))
    assert rotation_angle(fine[:-1, :3, :3], fine[1:, :3, :3]).max() < 1.2 * angle[1] * 59 / 1199


def poses(n: int) -> Array:
    return np.tile(np.eye(4), (n, 1, 1))


@pytest.mark.parametrize(
    ("t", "T", "words"),
    [
        ([], poses(0), "0 poses"),
        ([0.0], poses(1), "1 poses"),
        (np.arange(10_000.0), poses(10_000), f"2 to {MAX_POSES}"),
        ([0.0, 0.2, 0.1], poses(3), "do not increase after pose"),
        ([0.0, 0.2, 0.2], poses(3), "do not increase after pose"),
        ([0.0, np.nan, 0.2], poses(3), "nan"),
        ([0.0, 0.1, 0.2], np.where(np.arange(3)[:, None, None] == 1, np.nan, poses(3)), r"pose \[1\]"),
        ([0.0, 0.1, 0.2], 1.01 * poses(3), "not a rigid transform"),
        ([0.0, 0.1, 0.2], poses(2), "not"),
    ],
)
def test_an_unusable_track_is_refused_in_words(t: list[float], T: Array, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ToolPath(np.asarray(t, float), T)

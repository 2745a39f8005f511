"""The built-in example: it loads, two arms can do it, its truth fits it, and the command makes it again."""

import numpy as np
import pytest

from hardware.geometry import rotation_vector
from hardware.world.clips import RenderedClip
from models.data.dream_folder import load_dream
from models.data.make_example import EXAMPLE, example_clip, example_dream
from models.data.rendered import dream_from_clip, true_poses
from models.types import Dream
from tests.hardware.world.rendering import elsewhere


@pytest.fixture(scope="module")
def made() -> tuple[RenderedClip, Dream]:
    clip, dream = elsewhere(_both, ((), {}))[0]
    return clip, dream


def _both() -> tuple[RenderedClip, Dream]:
    clip = example_clip()
    return clip, example_dream(clip)


def test_the_committed_example_is_what_the_command_makes(made: tuple[RenderedClip, Dream]) -> None:
    committed, dream = load_dream(EXAMPLE), made[1]
    assert committed.name == dream.name == "example"
    assert committed.placement == "calibrated"
    assert dict(committed.provenance) == dict(dream.provenance)
    for mine, theirs in zip(committed.views, dream.views, strict=True):
        # the software rasteriser may round differently on another processor
        assert np.abs(mine.frames.astype(int) - theirs.frames.astype(int)).mean() < 0.5
        np.testing.assert_allclose(mine.camera.K, theirs.camera.K)
        np.testing.assert_allclose(mine.T_view1_view, theirs.T_view1_view, atol=1e-12)


def test_the_example_is_small_and_of_the_published_shape() -> None:
    assert sum(file.stat().st_size for file in EXAMPLE.rglob("*") if file.is_file()) < 2_000_000
    dream = load_dream(EXAMPLE)
    assert [view.frames.shape for view in dream.views] == [(13, 448, 768, 3)] * 2
    assert dream.fps == 6.0
    assert set(dream.tools) == {"left", "right"}


def test_two_arms_can_do_what_the_example_shows(made: tuple[RenderedClip, Dream]) -> None:
    for role, poses in made[0].T_world_tool.items():
        there = poses[np.isfinite(poses[:, 0, 0])]
        assert len(there) == 10
        assert np.abs(there[:, 0, 3]).max() < 0.25
        assert there[:, 1, 3].min() > -0.2
        assert there[:, 1, 3].max() < 0.25
        assert np.degrees(np.arccos(there[:, 2, 2])).max() < 25
        ahead = there[:, 0, 0] if role == "left" else -there[:, 0, 0]
        assert ahead.min() > np.cos(np.radians(50))


def test_the_example_turns_its_object_far_enough_to_count(made: tuple[RenderedClip, Dream]) -> None:
    turn = made[0].T_world_thing
    assert np.degrees(np.linalg.norm(rotation_vector(turn[0, :3, :3].T @ turn[-1, :3, :3]))) > 20


def test_true_poses_are_in_the_first_view(made: tuple[RenderedClip, Dream]) -> None:
    clip = made[0]
    dream, poses = dream_from_clip(clip), true_poses(clip)
    for role, T_view1_tool in poses.items():
        np.testing.assert_allclose(dream.T_world_view1 @ T_view1_tool, clip.T_world_tool[role], atol=1e-12)
        assert np.nanmin(T_view1_tool[:, 2, 3]) > 0.4

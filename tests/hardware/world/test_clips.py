"""Rendered clips: what a tracker is measured against must be exact, bare at first, and the same every time."""

import numpy as np
import pytest

from hardware.geometry import Array, apply, inverse, project, rotation_vector
from hardware.rig import load_rig
from hardware.types import Camera, Image, Tool
from hardware.world.clips import RenderedClip, render_clip
from tests.hardware.world.rendering import elsewhere

SMALL = {"size": (384, 224), "frames": 7, "fps": 3.0}
TINY = {"size": (96, 56), "frames": 4, "fps": 2.0}
TASKS = ("rotation", "push", "sweep", "scoop")


@pytest.fixture(scope="module")
def clips() -> dict[str, RenderedClip]:
    """One small clip of each task and one plain; two tiny ones of the same seed and one of another."""
    rig = load_rig("sim")
    wanted = {
        **{task: ((rig, task, 3), dict(SMALL)) for task in TASKS},
        "one": ((rig, "rotation", 3), dict(TINY)),
        "again": ((rig, "rotation", 3), dict(TINY)),
        "other": ((rig, "rotation", 4), dict(TINY)),
        "plain": ((rig, "rotation", 3), {**SMALL, "textured": False}),
    }
    return dict(zip(wanted, elsewhere(render_clip, *wanted.values()), strict=True))


def test_the_same_seed_gives_the_same_bytes(clips: dict[str, RenderedClip]) -> None:
    first, again = clips["one"], clips["again"]
    for name, video in first.views.items():
        assert video.tobytes() == again.views[name].tobytes()
    for role, poses in first.T_world_tool.items():
        assert poses.tobytes() == again.T_world_tool[role].tobytes()


def test_another_seed_gives_another_clip(clips: dict[str, RenderedClip]) -> None:
    assert any((video != clips["other"].views[name]).any() for name, video in clips["one"].views.items())


@pytest.mark.parametrize("task", TASKS)
def test_a_clip_begins_bare_and_ends_with_every_tool_in_view(clips: dict[str, RenderedClip], task: str) -> None:
    clip = clips[task]
    for role, poses in clip.T_world_tool.items():
        assert np.isnan(poses[0]).all(), role
        assert np.isfinite(poses[-1]).all(), role
        assert clip.in_view[role][-1].min() > 0.95, role
    # the hand is skin on black cloth: nothing of it before it comes in
    first, last = (video.astype(int) for video in (clip.views["top"][0], clip.views["top"][-1]))
    assert (np.abs(last - first).max(axis=2) > 40).mean() > 0.02


@pytest.mark.parametrize("task", TASKS)
def test_the_true_pose_puts_the_print_where_the_picture_shows_it(clips: dict[str, RenderedClip], task: str) -> None:
    clip = clips[task]
    for role, tool in clip.tools.items():
        for camera in clip.cameras:
            seen, expected = print_samples(tool, clip.T_world_tool[role][-1], camera, clip.views[camera.name][-1])
            assert np.corrcoef(seen, expected)[0, 1] > 0.6, (role, camera.name)


def print_samples(
    tool: Tool, T_world_tool: Array, camera: Camera, frame: Image, most_colour: float = 30
) -> tuple[Array, Array]:
    """Grey values of points on the print, in the picture and as the texture says; coloured pixels are left out."""
    mesh = tool.mesh
    assert mesh.uv is not None
    assert mesh.texture is not None
    top = np.flatnonzero((np.abs(mesh.vertices[mesh.faces][..., 2]) < 1e-6).all(axis=1))
    rng = np.random.default_rng(0)
    weights = rng.dirichlet([1, 1, 1], 400)
    chosen = rng.choice(top, 400)
    points = np.einsum("nk,nkd->nd", weights, mesh.vertices[mesh.faces[chosen]])
    u, v = np.einsum("nk,nkd->dn", weights, mesh.uv[chosen])
    height, width = mesh.texture.shape[:2]
    expected = mesh.texture[((1 - v) * height).astype(int), (u * width).astype(int)].mean(axis=1)
    pixels = project(camera.K, apply(inverse(np.asarray(camera.T_world_cam)) @ T_world_tool, points))
    x, y = np.round(pixels).astype(int).T
    seen = frame[np.clip(y, 0, frame.shape[0] - 1), np.clip(x, 0, frame.shape[1] - 1)].astype(float)
    grey = np.ptp(seen, axis=1) < most_colour  # what is coloured is skin
    return seen[grey].mean(axis=1), expected[grey]


@pytest.mark.parametrize("task", TASKS)
def test_a_hand_never_hides_more_than_two_fifths_of_a_tool(clips: dict[str, RenderedClip], task: str) -> None:
    clip = clips[task]
    for role, covered in clip.covered.items():
        whole = clip.in_view[role] > 0.99
        assert np.nanmax(np.where(whole, covered, np.nan)) <= 0.45, role


def test_a_plain_tool_has_no_print_in_mesh_or_picture(clips: dict[str, RenderedClip]) -> None:
    plain, printed = clips["plain"], clips["rotation"]
    for role, tool in plain.tools.items():
        assert not tool.mesh.textured
        pose, camera = plain.T_world_tool[role][-1], plain.cameras[0]
        seen, expected = print_samples(printed.tools[role], pose, camera, plain.views["top"][-1], most_colour=255)
        assert abs(np.corrcoef(seen, expected)[0, 1]) < 0.4, role


@pytest.mark.parametrize("task", TASKS)
def test_tools_move_as_a_hand_can(clips: dict[str, RenderedClip], task: str) -> None:
    for poses in clips[task].T_world_tool.values():
        there = poses[np.isfinite(poses[:, 0, 0])]
        speed = np.linalg.norm(np.diff(there[:, :3, 3], axis=0), axis=1) * 3.0
        turning = np.linalg.norm(rotation_vector(np.swapaxes(there[:-1, :3, :3], 1, 2) @ there[1:, :3, :3]), axis=1)
        assert speed.max() < 1.5
        assert np.degrees(turning.max()) * 3.0 < 200
        assert there[:, 2, 3].max() < 0.25


def test_the_task_moves_its_object(clips: dict[str, RenderedClip]) -> None:
    turn = clips["rotation"].T_world_thing
    angle = np.degrees(np.linalg.norm(rotation_vector(turn[0, :3, :3].T @ turn[-1, :3, :3])))
    assert 15 < angle < 50
    push = clips["push"].T_world_thing
    assert np.linalg.norm(push[-1, :3, 3] - push[0, :3, 3]) > 0.05


def test_an_unknown_task_or_too_few_frames_are_refused() -> None:
    rig = load_rig("sim")
    with pytest.raises(ValueError, match=r"task: 'juggle' is not one of \['rotation'"):
        render_clip(rig, "juggle", 0)
    with pytest.raises(ValueError, match="frames: 2"):
        render_clip(rig, "push", 0, frames=2)

"""What people will give the tracker: more views, equal or symmetric tools, a scene that is not still."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hardware.geometry import Array, rotation_angle, rotation_from_vector, transform
from hardware.types import Mesh, SymmetryAxis, Tool
from models.data.tool_shape import symmetry_turns
from models.tracking.model import prepare
from models.tracking.placing import standing
from models.tracking.readout import nearest, unwind
from models.tracking.stereo_tracker import ALARM_LEVEL, track
from models.types import Dream, Track
from tests.models.tracking.synthetic import clip, path, wedge


def one_path(frames: int = 5, x: float = -0.03) -> Array:
    poses = path(frames, np.array([x, 0.0, 0.6]), np.array([0.008, 0.004, 0.0]), 0.05)
    poses[0] = np.nan
    return poses


def off_mm(found: Track, name: str, truth: Array) -> Array:
    return np.asarray(1e3 * np.linalg.norm(found.tools[name].T_view1_tool[1:, :3, 3] - truth[1:, :3, 3], axis=1))


def no_silent_error(found: Track, name: str, truth: Array) -> None:
    tool, off = found.tools[name], off_mm(found, name, truth)
    alarmed = tool.frame_confidence[1:] < ALARM_LEVEL
    assert ((off < 10) | alarmed).all(), (off, tool.frame_confidence)


@pytest.mark.parametrize("views", [3, 4])
def test_more_views_than_two_are_tracked_without_alarm(views: int) -> None:
    truth = one_path(4)
    found = track(clip({"tool": wedge()}, {"tool": truth}, views=views))
    assert off_mm(found, "tool", truth).max() < 2
    assert (found.tools["tool"].frame_confidence[1:] > ALARM_LEVEL).all()
    assert found.tools["tool"].confidence.shape == (4, views)


def test_a_view_that_never_sees_the_tool_does_not_spoil_the_other_two() -> None:
    truth = one_path(4)
    dream = clip({"tool": wedge()}, {"tool": truth}, views=3)
    away = dream.views[2].T_view1_view @ transform(rotation_from_vector(np.array([0, np.pi, 0])), np.zeros(3))
    blind = replace(dream.views[2], T_view1_view=away, frames=dream.views[2].frames[:1].repeat(4, axis=0))
    found = track(replace(dream, views=(*dream.views[:2], blind)))
    assert off_mm(found, "tool", truth).max() < 2
    assert (found.tools["tool"].frame_confidence[1:] > ALARM_LEVEL).all()


def test_of_two_equal_tools_each_is_found_once() -> None:
    tools, truth = {"a": wedge(), "b": wedge()}, {"a": one_path(4, -0.12), "b": one_path(4, 0.06)}
    found = track(clip(tools, truth))
    swapped = {"a": truth["b"], "b": truth["a"]}
    best = min(max(off_mm(found, name, which[name]).max() for name in tools) for which in (truth, swapped))
    assert best < 2


def flicker(dream: Dream) -> Dream:
    gain = 1 + 0.12 * np.sin(np.arange(len(dream)) * 2.1)[:, None, None, None]
    return changed(dream, lambda frames: frames * gain)


def shaking(dream: Dream) -> Dream:
    steps = [0, 1, -1, 2, 0, 1][: len(dream)]
    return changed(
        dream, lambda frames: np.stack([np.roll(f, s, axis=1) for f, s in zip(frames, steps, strict=True)])
    )


def cut(dream: Dream) -> Dream:
    rng = np.random.default_rng(5)
    other = rng.integers(0, 255, dream.views[0].frames[0].shape)
    return changed(dream, lambda frames: np.concatenate([frames[:3], other[None].repeat(len(frames) - 3, 0)]))


def changed(dream: Dream, how: Callable[[Array], Array]) -> Dream:
    views = tuple(replace(v, frames=how(v.frames.astype(float)).clip(0, 255).astype(np.uint8)) for v in dream.views)
    return replace(dream, views=views)


@pytest.mark.parametrize("spoil", [flicker, shaking, cut])
def test_a_scene_that_is_not_still_never_gives_a_wrong_track_without_alarm(spoil: Callable[[Dream], Dream]) -> None:
    truth = one_path(5)
    found = track(spoil(clip({"tool": wedge()}, {"tool": truth}, hand=False)))
    no_silent_error(found, "tool", np.where(np.isfinite(truth), truth, 0))


def bar() -> Tool:
    """A square rod with a pointed end: four turns about its long axis look the same."""
    ring = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.016
    low, top = (np.column_stack([np.full(4, x), ring]) for x in (-0.05, 0.03))
    vertices = np.vstack([low, top, [[0.06, 0, 0]]])
    faces = [(0, 2, 1), (0, 3, 2)] + [f for i in range(4) for j in [(i + 1) % 4]
                                     for f in ((i, j, 4 + j), (i, 4 + j, 4 + i), (4 + i, 4 + j, 8))]  # fmt: skip
    axis = SymmetryAxis((1.0, 0.0, 0.0), 4)
    return Tool("bar", Mesh(vertices, np.array(faces, np.int32)), np.eye(4), np.zeros(3),
                symmetry=symmetry_turns(axis), symmetry_axis=axis)  # fmt: skip


def test_a_tool_that_looks_the_same_in_four_turns_does_not_jump_between_them() -> None:
    truth = one_path(5)
    tool = bar()
    found = track(clip({"bar": tool}, {"bar": truth}, hand=False)).tools["bar"]
    R = found.T_view1_tool[1:, :3, :3]
    steps = rotation_angle(R[1:], R[:-1])
    assert steps.max() < 0.35, np.degrees(steps)


def test_a_turned_tool_is_put_back_to_where_it_came_from_about_its_axis() -> None:
    axis = SymmetryAxis((0.0, 0.0, 1.0), 0)
    tool = replace(wedge(), symmetry=symmetry_turns(axis), symmetry_axis=axis)
    tilt = rotation_from_vector(np.array([0.3, -0.2, 0.1]))
    for angle in (0.03, 1.234, 3.0):
        spun = tilt @ rotation_from_vector(np.array([0, 0, angle]))
        assert rotation_angle(nearest(spun, tilt, tool), tilt) < 1e-9
    assert unwind([None, None], tool, np.eye(4)) == [None, None]


def test_a_plain_tool_inside_the_table_is_worth_less_only_where_the_cameras_place_is_known() -> None:
    tool = wedge(textured=False)
    above = np.eye(4)
    under = transform(np.eye(3), np.array([0, 0, -0.1]))
    dream = clip({"tool": tool}, {"tool": one_path(2)})
    model = prepare(tool)
    assert standing(dream, "tool", model) is None
    known = standing(replace(dream, placement="calibrated"), "tool", model)
    assert known is not None
    assert known.odds(transform(np.eye(3), np.array([0, 0, 0.1]))) == pytest.approx(1.0)
    assert known.odds(under) < 0.9
    assert known.odds(np.stack([above, under])).shape == (2,)

"""The clips that models are trained on: which pictures at which times, in which order, with which motion."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import apply, inverse, project
from hardware.types import Camera
from models.data.annotations import Mark
from models.data.clips import (
    ActionRecipe,
    GoalBlend,
    MultiViewWindow,
    StereoClip,
    nearest,
    stereo_clip,
)
from models.data.clips_actions import (
    ActionRange,
    actions,
    controls,
    load_action_range,
    rotation_6d,
    rotation_from_6d,
)
from models.data.clips_dataset import Mixed, MultiViewWindows, StereoClips
from models.data.clips_jitter import ColourJitter
from models.data.clips_pictures import fit_middle, fit_width, model_range
from models.data.clips_sampler import EpochSampler
from models.data.demo import DemoStream
from models.data.steps import marked_steps
from tests.models.data.memory_demo import MemoryDemo, T_at, gripper_demo, number

SMALL = StereoClip(size=(32, 20))
QUICK = settings(deadline=None, max_examples=30)


def test_a_stereo_clip_is_view_1_from_t0_and_view_2_from_t1() -> None:
    clips = StereoClips([MemoryDemo()], SMALL)
    sample = clips[0]
    assert len(clips) == 1
    assert sample.frames.shape == (25, 20, 32, 3)
    assert [int(f[0, 0, 0]) for f in sample.frames] == [10] * 13 + [20] * 12
    # 2 s at 6 fps of a recording at 30 fps: every fifth picture
    assert [number(f) for f in sample.frames] == [*range(0, 61, 5), *range(5, 61, 5)]
    assert np.allclose(sample.times, [*np.arange(13) / 6, *np.arange(1, 13) / 6])
    assert [(int(c[0, 0, 0]), number(c)) for c in sample.conditioning] == [(10, 0), (20, 0)]
    assert (sample.text, sample.fps) == ("turn the banana", 6.0)


@pytest.mark.parametrize("views", [1, 2, 3, 4])
def test_a_clip_of_more_views_has_each_from_t1_and_the_first_from_t0(views: int) -> None:
    demo = MemoryDemo(cameras=("top", "side", "left", "right"), photo=views == 3)
    recipe = replace(SMALL, cameras=views, length=4)
    goal = {"right": np.full((20, 32), 255, np.uint8)}
    sample = StereoClips([demo], replace(recipe, goal=GoalBlend(opacity=1.0)), goals=lambda _: goal)[0]
    seen = sample.frames[: len(sample.frames) - 3 * (views == 4)]  # without the view that is painted
    assert [int(f[0, 0, 0]) for f in seen] == [10 * (view + 1) for view, _ in recipe.layout][: len(seen)]
    first = 65535 if demo.photo else 0
    assert [number(f) for f in seen[:4]] == ([first, 4, 9, 14] if demo.photo else [0, 5, 10, 15])
    assert [(int(c[0, 0, 0]), number(c)) for c in sample.conditioning[:3]] == [
        (10 * (view + 1), first) for view in range(min(views, 3))
    ]
    if views == 4:
        assert (sample.frames[-3:, 0, 0] == (0, 255, 0)).all()
        assert tuple(sample.conditioning[3, 0, 0]) == (0, 255, 0)
    assert len(sample.frames) == len(sample.times) == len(recipe.layout)
    assert [camera.name for camera in sample.cameras if camera] == ["top", "side", "left", "right"][:views]


def test_a_clip_that_is_too_short_repeats_its_last_picture() -> None:
    sample = StereoClips([MemoryDemo(t=np.arange(31) / 30)], SMALL)[0]
    assert [number(f) for f in sample.frames[:13]] == [0, 5, 10, 15, 20, 25, *[30] * 7]


def test_the_photo_of_the_bare_scene_is_frame_0_where_there_is_one() -> None:
    # as the simulation records: the scene apart, then pictures at the clip's own rate
    demo = MemoryDemo(t=np.arange(1, 13) / 6 - 1 / 6, photo=True)
    sample = StereoClips([demo], SMALL)[0]
    assert [number(f) for f in sample.frames] == [65535, *range(12), *range(12)]
    assert np.allclose(np.diff(sample.times[:13]), 1 / 6)


@pytest.mark.parametrize(
    ("part", "numbers"),
    [
        ("begin", list(range(0, 73, 6))),
        ("end", [0, *range(24, 91, 6)]),
        ("spread", [round(7.5 * k - 0.01) for k in range(13)]),
    ],
)
def test_which_part_of_three_seconds_is_shown_can_be_said(part: str, numbers: list[int]) -> None:
    recipe = replace(stereo_clip("sweeping"), size=(32, 20), part=part)  # type: ignore[arg-type]
    sample = StereoClips([MemoryDemo(t=np.arange(200) / 30)], recipe)[0]
    assert [number(f) for f in sample.frames[:13]] == numbers
    assert sample.fps == (4.0 if part == "spread" else 5.0)


@QUICK
@given(
    st.floats(0.1, 5),
    st.floats(1, 30),
    st.floats(0.05, 8),
    st.integers(2, 20),
    st.sampled_from(["begin", "end", "spread"]),
)
def test_a_clip_never_leaves_its_piece(scene: float, fps: float, length_s: float, length: int, part: str) -> None:
    recipe = StereoClip(fps=fps, duration_s=3.0, length=length, part=part)  # type: ignore[arg-type]
    asked = recipe.asked(scene, scene + length_s)
    assert len(asked) == length
    assert asked[0] == scene
    assert (np.diff(asked) >= -1e-12).all()
    assert asked[-1] <= scene + min(length_s, 3.0) + 1e-9
    assert len(recipe.layout) == 2 * length - 1
    assert len(set(recipe.layout)) == len(recipe.layout)


@QUICK
@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.lists(st.floats(-1, 11), min_size=1, max_size=10))
def test_the_picture_taken_is_the_nearest(times: list[float], asked: list[float]) -> None:
    ordered = np.sort(np.array(times))
    at = nearest(ordered, asked)
    assert np.allclose(np.abs(ordered[at] - asked), np.abs(ordered[:, None] - asked).min(axis=0), atol=1e-8)


def test_steps_become_clips_of_their_own() -> None:
    marks = (Mark(0.0, "1"), Mark(1.0, "2"))
    demo = MemoryDemo(t=np.arange(91) / 30, steps=marks)
    clips = StereoClips([demo], SMALL, steps=marked_steps)
    assert len(clips) == 2
    assert [number(f) for f in clips[0].frames[:8]] == [0, 5, 10, 15, 20, 25, 30, 30]
    assert [number(f) for f in clips[1].frames[:13]] == list(range(30, 91, 5))


def test_the_goal_is_painted_into_every_picture_or_the_scene_alone() -> None:
    goal = np.zeros((20, 32), np.uint8)
    goal[:10] = 255
    every = StereoClips([MemoryDemo()], replace(SMALL, goal=GoalBlend()), goals=lambda _: {"top": goal})[0]
    scene = StereoClips(
        [MemoryDemo()], replace(SMALL, goal=GoalBlend(frames="scene")), goals=lambda _: {"top": goal}
    )[0]
    assert (every.frames[:13, 5, 5, 1] > 120).all()
    assert (every.frames[:13, 15, 5, 1] < 70).all()
    assert (every.frames[13:, 5, 5, 1] < 70).all()
    assert every.conditioning[0, 5, 5, 1] > 120
    assert scene.frames[0, 5, 5, 1] > 120
    assert scene.frames[1, 5, 5, 1] < 70


@QUICK
@given(
    st.sampled_from([(1280, 720), (1270, 720), (768, 448), (640, 360), (700, 360)]),
    st.sampled_from([1.0, 1.4, 1.6]),
)
def test_what_a_fitted_camera_sees_is_what_the_fitted_picture_shows(source: tuple[int, int], zoom: float) -> None:
    size = (384, 224) if zoom == 1 else (192, 112)
    fit = fit_width(source, size, zoom)
    camera = Camera("top", np.array([[900.0, 0, 630], [0, 905.0, 350], [0, 0, 1]]), source)
    there = project(camera.K, np.array([[0.0, 0.0, 1.0]]))[0]
    x, y = (round(v / 2) * 2 for v in source)
    rgb = np.zeros((y, x, 3), np.uint8)[: source[1], : source[0]]
    column, row = int(source[0] / 2) + 7, int(source[1] / 2) - 5
    rgb[row - 2 : row + 3, column - 2 : column + 3] = 255
    bright = fit.picture(rgb)[..., 0].astype(float)
    seen = (
        np.array([(bright.sum(0) * np.arange(size[0])).sum(), (bright.sum(1) * np.arange(size[1])).sum()])
        / bright.sum()
    )
    point = np.linalg.inv(camera.K) @ [column, row, 1]
    assert np.allclose(project(fit.camera(camera).K, point[None])[0], seen, atol=0.05)
    assert fit.camera(camera).size == size
    assert np.isfinite(there).all()


def test_a_zoom_shows_the_middle_larger_and_never_makes_up_pixels() -> None:
    assert fit_width((768, 448), (192, 128), 1.4).box == (144, 64, 480, 320)
    assert fit_width((768, 448), (128, 128), 1.4).box == (224, 64, 320, 320)  # narrower than an aspect alone may be
    with pytest.raises(ValueError, match="at least 269x179"):
        fit_width((256, 170), (192, 128), 1.4)


@pytest.mark.parametrize(
    ("source", "size"), [((1280, 720), (768, 448)), ((64, 48), (16, 12)), ((97, 61), (96, 61))]
)
def test_our_area_resize_is_that_of_opencv(source: tuple[int, int], size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (source[1], source[0], 3), dtype=np.uint8)
    fit = fit_middle(source, size, "crop")
    left, top, width, height = fit.box
    expected = cv2.resize(rgb[top : top + height, left : left + width], size, interpolation=cv2.INTER_AREA)
    away = np.abs(fit.picture(rgb).astype(int) - expected)
    assert away.max() <= 1
    assert (away > 0).mean() < 1e-3


def test_pictures_that_would_lose_too_much_are_refused() -> None:
    with pytest.raises(ValueError, match="640x480"):
        fit_width((640, 480), (768, 448))
    with pytest.raises(ValueError, match="wide at this height"):
        fit_width((2560, 720), (768, 448))
    with pytest.raises(ValueError, match="demo: views"):
        StereoClips([MemoryDemo(cameras=("top",))], SMALL)


@QUICK
@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from(["crop", "stretch"]))
def test_any_picture_fits_a_window(width: int, height: int, fitting: str) -> None:
    fit = fit_middle((width, height), (32, 24), fitting)  # type: ignore[arg-type]
    left, top, w, h = fit.box
    assert min(left, top) >= 0
    assert left + w <= width
    assert top + h <= height
    assert fit.picture(np.zeros((height, width, 3), np.uint8)).shape == (24, 32, 3)


def test_a_window_is_a_pad_and_eight_pictures_of_each_camera_from_the_current_one_on() -> None:
    windows = MultiViewWindows([gripper_demo()], MultiViewWindow(size=(32, 20)))
    sample = windows[10]
    assert sample.frames.shape == (25, 20, 32, 3)
    assert [int(f[0, 0, 0]) for f in sample.frames] == [10] * 9 + [20] * 8 + [30] * 8
    assert [number(f) for f in sample.frames] == [10, *list(range(10, 39, 4)) * 3]
    assert sample.actions is not None
    assert sample.actions.shape == (32, 11)
    black = MultiViewWindows([gripper_demo()], MultiViewWindow(size=(32, 20), pad="black"))[10]
    assert not black.frames[0].any()


def test_actions_say_where_the_gripper_goes_seen_from_where_it_is() -> None:
    demo, recipe = gripper_demo(sensor_hz=200.0), ActionRecipe()
    motion = controls(demo, demo.cameras, 30.0, recipe)
    values, own = actions(recipe, motion, 20)
    t = (20 + 1 + np.arange(32)) / 30
    T_now_then = inverse(T_at(np.array([20 / 30]))) @ T_at(t)
    assert own.all()
    assert np.allclose(values[:, :3], T_now_then[:, :3, 3], atol=1e-5)
    assert np.allclose(rotation_from_6d(values[:, 3:9]), T_now_then[:, :3, :3], atol=1e-5)
    assert np.allclose(values[:, 9], -0.01 * (t - 20 / 30), atol=1e-9)
    assert np.allclose(values[:, 10], 2 * t)


def test_deltas_put_one_after_the_other_are_the_relative_poses() -> None:
    demo = gripper_demo()
    whole = ActionRecipe(("position", "rotation_vector"))
    motion = controls(demo, demo.cameras, 30.0, whole)
    deltas, _ = actions(replace(whole, parts=("position", "rotation_6d"), relative_to="previous"), motion, 5)
    T = np.eye(4)
    for row in deltas:
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = rotation_from_6d(row[3:]), row[:3]
        T = T @ step
    values, _ = actions(whole, motion, 5)
    assert np.allclose(T[:3, 3], values[-1, :3], atol=1e-9)
    assert whole.k == 6


def test_windows_past_the_end_repeat_what_was_last_or_are_left_out() -> None:
    demo = gripper_demo(2.0)
    windows = MultiViewWindows([demo], MultiViewWindow(size=(32, 20)))
    assert len(windows) == 61
    last = windows[-1]
    assert [number(f) for f in last.frames[:9]] == [60] * 9
    assert last.own is not None
    assert not last.own.any()
    assert np.allclose(last.actions[:, 0], 0.0)  # type: ignore[index]
    whole = MultiViewWindows([demo], MultiViewWindow(size=(32, 20), past_end="leave out"))
    assert len(whole) == 61 - 32
    assert all(w is not None and w.all() for w in (whole[0].own, whole[-1].own))


def test_no_window_reaches_over_a_hole_in_a_sensor() -> None:
    demo = gripper_demo()
    stream, t, values = demo.motion["t265"]
    values = values.copy()
    values[50:60] = np.nan
    demo.motion = {**demo.motion, "t265": (stream, t, values)}
    windows = MultiViewWindows([demo], MultiViewWindow(size=(32, 20), past_end="leave out"))
    starts = [windows[i].start for i in range(len(windows))]
    assert starts == [*range(18), *range(60, 121 - 32)]


def test_video_alone_needs_no_motion_and_an_imported_action_is_taken_as_it_is() -> None:
    silent = gripper_demo(motion={})
    assert MultiViewWindows([silent], MultiViewWindow(size=(32, 20), actions=None))[0].actions is None
    t = np.arange(121) / 30
    given = {"action": (DemoStream("action", "action", 30, None, tuple("abcdefg")), t, np.outer(t, np.arange(7)))}
    recipe = MultiViewWindow(size=(32, 20), actions=ActionRecipe(("given",)))
    windows = MultiViewWindows([gripper_demo(motion=given)], recipe)
    assert np.allclose(windows[3].actions, np.outer(t[3:35], np.arange(7)))  # type: ignore[arg-type]
    assert windows.action_range().names == tuple("abcdefg")
    with pytest.raises(ValueError, match=r"opening.*it has none"):
        MultiViewWindows([silent], MultiViewWindow(actions=ActionRecipe(("opening",))))


@QUICK
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_six_numbers_are_a_rotation(rotvec: list[float]) -> None:
    R = T_at(np.array([rotvec[0]]))[0, :3, :3] @ T_at(np.array([rotvec[1]]))[0, :3, :3]
    assert np.allclose(rotation_from_6d(rotation_6d(R)), R)
    assert np.allclose(rotation_from_6d(3 * rotation_6d(R)), R)
    assert np.allclose(apply(np.eye(4), R), R)


def test_normalised_actions_lie_between_one_and_minus_one_and_come_back(tmp_path: Path) -> None:
    windows = MultiViewWindows([gripper_demo(), gripper_demo(3.0)], MultiViewWindow(size=(32, 20)))
    span = windows.action_range()
    for i in (0, 40, len(windows) - 1):
        values = windows[i].actions
        assert values is not None
        assert np.abs(span.normalised(values)).max() <= 1 + 1e-9
        moves = span.high > span.low
        assert np.allclose(span.real(span.normalised(values))[:, moves], values[:, moves])
    path = tmp_path / "range.json"
    span.save(path)
    again = load_action_range(path)
    assert again.names == span.names
    assert np.array_equal(again.low, span.low)
    with pytest.raises(ValueError, match="no demo has an action"):
        ActionRange.over(("x",), [])


def test_a_model_takes_pictures_from_minus_one_to_one() -> None:
    frames = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1).repeat(3, axis=-1)
    assert model_range(frames).shape == (2, 3, 1, 1)
    assert np.allclose(model_range(frames)[:, 0, 0, 0], [-1, 1])


@QUICK
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(0, 5), st.integers(1, 4), st.integers(0, 60)
)
def test_shards_together_draw_what_one_alone_would_and_go_on_where_they_stood(
    lengths: list[int], seed: int, shards: int, taken: int
) -> None:
    alone = EpochSampler(lengths, seed=seed)
    epoch = list(alone)
    assert sorted(epoch) == list(range(sum(lengths)))  # every clip once
    parts = [EpochSampler(lengths, seed=seed, shard=s, shards=shards) for s in range(shards)]
    drawn = [list(part) for part in parts]
    assert {len(row) for row in drawn} == {len(parts[0])}
    mixed = [value for row in zip(*drawn, strict=True) for value in row]
    assert mixed[: len(epoch)] == epoch
    assert list(alone) != epoch or len(epoch) < 6
    stopped = EpochSampler(lengths, seed=seed)
    source = iter(stopped)
    first = [next(source) for _ in range(min(taken, len(epoch)))]
    resumed = EpochSampler(lengths, seed=seed)
    resumed.restore(stopped.state)
    assert first + list(resumed) == epoch
    assert resumed.state == EpochSampler(lengths, seed=seed).after(len(epoch))


def test_weights_share_out_the_draws_and_no_clip_comes_twice_before_all_came() -> None:
    sampler = EpochSampler([10, 1000], weights=[1, 3], draws=40)
    drawn = np.array([list(sampler) for _ in range(5)])
    assert (np.count_nonzero(drawn < 10, axis=1) == 10).all()
    assert all(sorted(row[row < 10]) == list(range(10)) for row in drawn)
    late = drawn[drawn >= 10]
    assert len(set(late.tolist())) == len(late) == 150
    with pytest.raises(ValueError, match="hold no clip"):
        EpochSampler([0, 3], weights=[1, 1])
    with pytest.raises(ValueError, match="seed"):
        sampler.restore({"seed": 9, "epoch": 0, "drawn": 0, "draws": 40})


def test_sets_are_counted_through_and_hold_what_loaders_ask_for() -> None:
    mixed = Mixed(
        [StereoClips([MemoryDemo()], SMALL), StereoClips([MemoryDemo(id="a"), MemoryDemo(id="b")], SMALL)]
    )
    assert (len(mixed), mixed.lengths) == (3, (1, 2))
    assert [mixed[i].demo for i in range(3)] == ["demo", "a", "b"]
    assert mixed[-1].demo == "b"
    with pytest.raises(IndexError, match="0 to 2"):
        mixed[3]


@pytest.mark.parametrize(
    "make",
    [
        lambda: StereoClip(views=("top",)),
        lambda: StereoClip(cameras=5),
        lambda: StereoClip(fps=0),
        lambda: StereoClip(length=1),
        lambda: GoalBlend(opacity=0),
        lambda: ActionRecipe(()),
        lambda: ActionRecipe(("given", "force")),
        lambda: MultiViewWindow(cameras=("a", "a")),
        lambda: MultiViewWindow(stride=-1),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"clip|goal|actions|window"):
        make()  # type: ignore[operator]


def test_colours_change_alike_over_time_and_by_camera_on_their_own() -> None:
    recipe = MultiViewWindow(size=(8, 6))
    colours = np.array([[200, 40, 60], [90, 160, 30]], np.uint8)[np.indices((6, 8)).sum(0) % 2]
    frames = np.tile(colours, (25, 1, 1, 1))
    cameras = [camera for camera, _ in recipe.layout]
    out = ColourJitter().apply(frames, cameras, np.random.default_rng(4))
    assert (out[1:9] == out[0]).all()
    assert (out[9:17] == out[9]).all()
    assert not np.array_equal(out[0], out[9])
    assert np.abs(out.astype(int) - frames).max() > 5
    still = ColourJitter(0, 0, 0, 0).apply(frames, cameras, np.random.default_rng(4))
    assert np.abs(still.astype(int) - frames).max() <= 1
    with pytest.raises(ValueError, match="hue"):
        ColourJitter(hue=0.7)

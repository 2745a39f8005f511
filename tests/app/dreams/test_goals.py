"""Goals of push-shape: where a person poses or draws one, all cameras see it, the model too, and scores tell."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dreams.goals import (
    Goal,
    GoalPose,
    SceneObject,
    drawn_goal,
    find_object,
    make_goal,
    plane_views,
    posed_goal,
    score,
    table_goal,
    with_goal,
)
from app.dreams.open_scene import scene_of_open_cameras
from app.dreams.scene import Scene
from app.dreams.table_plane import PlaneView, filled, middle_of, moved, outline_of, turn_between
from hardware.geometry import Array, inverse
from hardware.rig import load_rig
from hardware.world.process import WorldProcess
from hardware.world.tasks.layout import Layout, yaw_of
from hardware.world.tasks.push_shape import iou, mask
from hardware.world.tasks.table import lay
from models.data.errors import DreamFileError
from models.video.config import small

RIG = load_rig("sim")
CAMERAS = [config.camera for config in RIG.cameras]
CONFIG = replace(small(), zoom=1.2)


@dataclass(frozen=True)
class Table:
    """A simulated table, before and after somebody laid its object at the goal."""

    layout: Layout
    before: Scene
    after: Scene

    @property
    def turn(self) -> float:
        return yaw_of(goal_of(self)) - yaw_of(self.layout.T_world_thing["thing"])


def goal_of(table: Table) -> Array:
    assert table.layout.T_world_goal is not None
    return table.layout.T_world_goal


@pytest.fixture(scope="module")
def tables() -> tuple[Table, ...]:
    found = []
    with WorldProcess(RIG, task="push-shape") as world:
        cameras = {name: world.camera(name) for name in world.cameras}
        try:
            for camera in cameras.values():
                camera.connect()

            def look() -> Scene:
                return scene_of_open_cameras(RIG, CONFIG, lambda name: cameras[name].read_latest(), {}, {})

            for seed, held_out in ((1, False), (8, True)):
                world.reset(seed, "push-shape", held_out=held_out)
                layout = lay("push-shape", seed, held_out)
                before = look()
                assert layout.T_world_goal is not None
                world.place("thing", layout.T_world_goal)
                found.append(Table(layout, before, look()))
        finally:
            for camera in cameras.values():
                camera.disconnect()
    return tuple(found)


def seen(scene: Scene) -> SceneObject:
    found = find_object(scene, CONFIG)
    assert found is not None
    return found


def true_goal(table: Table, thing: SceneObject) -> GoalPose:
    """The pose that brings the object from where it lies to the table's own goal."""
    T = goal_of(table) @ inverse(table.layout.T_world_thing["thing"])
    x, y, _, _ = T @ [*thing.middle, thing.views[0].height, 1.0]
    return GoalPose(float(x), float(y), table.turn)


def test_a_posed_goal_is_where_the_object_will_lie_in_both_views(tables: tuple[Table, ...]) -> None:
    for table in tables:
        thing = seen(table.before)
        goal = posed_goal(thing, true_goal(table, thing))
        true = table_goal(thing.views, table.layout)
        assert true is not None
        assert [round(iou(a, b), 2) >= 0.85 for a, b in zip(goal.masks, true.masks, strict=True)] == [True, True]


def test_the_plane_of_an_object_is_as_high_as_two_views_see_it(tables: tuple[Table, ...]) -> None:
    heights = [seen(table.before).views[0].height for table in tables]
    assert all(0.02 < height < 0.035 for height in heights), heights  # a block of 30 mm


def test_a_goal_drawn_in_the_first_view_appears_in_the_second(tables: tuple[Table, ...]) -> None:
    for table in tables:
        views = plane_views(table.before, CONFIG, seen(table.before).views[0].height)
        true = table_goal(views, table.layout)
        assert true is not None
        assert iou(drawn_goal(views, true.masks[0]).masks[1], true.masks[1]) > 0.85


def test_an_object_that_lies_at_the_goal_scores_high_and_one_that_was_never_pushed_low(
    tables: tuple[Table, ...],
) -> None:
    for table in tables:
        thing = seen(table.before)
        goal = posed_goal(thing, true_goal(table, thing))
        there, before = (score(thing, goal, scene.photos[0]) for scene in (table.after, table.before))
        assert there.iou > 0.8
        assert np.degrees(there.rotation_error) < 4
        assert before.iou < 0.4
        assert np.degrees(abs(before.rotation_error - abs(table.turn))) < 4


def test_a_goal_is_painted_into_what_the_model_sees_and_told_of_in_the_origin(tables: tuple[Table, ...]) -> None:
    scene = tables[0].before
    thing = seen(scene)
    pose = GoalPose(0.05, 0.1, 0.5)
    shown = with_goal(scene, posed_goal(thing, pose), CONFIG)
    changed = (shown.pictures != scene.pictures).any(axis=(-3, -2, -1))
    assert changed.all()
    assert (shown.photos[0] == scene.photos[0]).all()
    told = shown.origin["goal"]
    assert isinstance(told, dict)
    assert told["how"] == "posed"
    assert told["x_m"] == 0.05
    assert set(told["masks_sha256"]) == {"top", "side"}
    greener = shown.pictures.astype(int) - scene.pictures
    assert greener[..., 1].max() > 60
    assert greener[..., 0].max() <= 0


def test_goals_that_cannot_be_are_refused_in_words(tables: tuple[Table, ...]) -> None:
    scene = tables[0].before
    thing = seen(scene)
    with pytest.raises(ValueError, match="outside of the first view"):
        posed_goal(thing, GoalPose(3.0, 0.0))
    with pytest.raises(ValueError, match="nothing is drawn"):
        drawn_goal(thing.views, np.zeros(scene.photos[0].shape[:2], bool))
    with pytest.raises(ValueError, match="64x64; valid: 768x448"):
        drawn_goal(thing.views, np.ones((64, 64), bool))
    with pytest.raises(ValueError, match="other pictures"):
        with_goal(scene, Goal((np.ones((64, 64), bool),) * 2, "drawn"), CONFIG)
    cloth = replace(scene, photos=tuple(np.full_like(photo, 20) for photo in scene.photos))
    with pytest.raises(ValueError, match="outside of what the model is shown"):
        make_goal(scene, CONFIG, GoalPose(0.48, 0.0))
    assert find_object(cloth, CONFIG) is None
    with pytest.raises(DreamFileError, match="nothing stands out"):
        make_goal(cloth, CONFIG, GoalPose(0, 0))


@settings(deadline=None, max_examples=30)
@given(st.floats(-3.1, 3.1), st.floats(-0.15, 0.15), st.floats(-0.1, 0.1), st.integers(0, 30))
def test_the_turn_between_two_outlines_is_found_wherever_they_lie(
    turn: float, x: float, y: float, seed: int
) -> None:
    layout = lay("push-shape", seed)
    thing, view = layout.things["thing"], PlaneView(CAMERAS[0], np.asarray(CAMERAS[0].T_world_cam), 0.03)
    lies = view.outline_on_plane(outline_of(mask(thing, layout.T_world_thing["thing"], view.camera)))
    there = moved(lies, turn, middle_of(lies), np.array([x, y]))
    error = (turn_between(lies, there) - turn) % (2 * np.pi / thing.order)
    assert min(error, 2 * np.pi / thing.order - error) < np.radians(1.5)


def test_a_lens_that_bends_is_straightened_on_the_way() -> None:
    bent = replace(CAMERAS[0], distortion=np.array([0.1, -0.05, 0.001, 0.002, 0.0]))
    view = PlaneView(bent, np.asarray(bent.T_world_cam), 0.02)
    pixels = np.array([[30.0, 40.0], [700.0, 400.0], [384.0, 224.0]])
    assert np.abs(view.in_picture(view.on_plane(pixels)) - pixels).max() < 0.05


def test_a_mask_with_holes_survives_as_an_outline() -> None:
    ring = np.zeros((60, 80), bool)
    ring[10:50, 20:60] = True
    ring[20:40, 30:50] = False
    assert (filled(outline_of(ring), (80, 60)) == ring).all()
    assert np.allclose(middle_of(outline_of(ring)), [39.5, 29.5], atol=0.6)

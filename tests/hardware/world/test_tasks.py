"""Tables by seed, and the success rules as pure functions over the truth."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from hardware.geometry import Array
from hardware.rig import load_rig
from hardware.types import Camera
from hardware.world.tasks import pick_and_place, push_shape, rotation, scooping, sweeping
from hardware.world.tasks.layout import Layout, Moment, lying_at, yaw_of
from hardware.world.tasks.shapes import HELD_OUT_SHAPES, LETTERS, TRAINING_SHAPES, block_shape
from hardware.world.tasks.table import TASKS, judge, lay

NOTHING: frozenset[tuple[str, str]] = frozenset()


def view_1() -> Camera:
    return load_rig("sim").cameras[0].camera


def moment(
    layout: Layout, moved: Mapping[str, Array], t: float = 1.0, touching: frozenset[tuple[str, str]] = NOTHING
) -> Moment:
    return Moment(t, {**layout.T_world_thing, **moved}, {}, touching)


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_lays_the_same_table_and_another_does_not(task: str) -> None:
    one, two, other = lay(task, 5), lay(task, 5), lay(task, 6)
    assert one.objects == two.objects
    assert one.instruction == two.instruction
    for name, T in one.T_world_thing.items():
        assert T.tobytes() == two.T_world_thing[name].tobytes()
    assert any(
        name not in other.T_world_thing or T.tobytes() != other.T_world_thing[name].tobytes()
        for name, T in one.T_world_thing.items()
    )


@pytest.mark.parametrize("task", TASKS)
def test_what_is_held_out_never_occurs_in_training(task: str) -> None:
    shown = {name for seed in range(150) for name in lay(task, seed).objects}
    held_out = {name for seed in range(150) for name in lay(task, seed, held_out=True).objects}
    assert held_out
    assert not shown & held_out


def test_training_shows_letters_only_and_tests_eight_digits_and_polygons() -> None:
    assert len(LETTERS) == len(TRAINING_SHAPES) == 26
    assert len(HELD_OUT_SHAPES) == 8
    assert {lay("push-shape", seed).objects[0] for seed in range(400)} == set(TRAINING_SHAPES)


@pytest.mark.parametrize("task", TASKS)
def test_looks_light_and_friction_differ_from_table_to_table(task: str) -> None:
    layouts = [lay(task, seed, held_out=True) for seed in range(20)]
    assert len({layout.friction for layout in layouts}) > 10
    assert len({layout.light for layout in layouts}) > 10
    assert len({next(iter(layout.things.values())).parts[0].rgba for layout in layouts}) > 2
    assert all(layout.instruction for layout in layouts)


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"task: 'juggle' is not one of \['push-shape'"):
        lay("juggle", 0)


def test_a_shape_on_its_goal_has_full_iou_and_no_error() -> None:
    layout = lay("push-shape", 3)
    assert layout.T_world_goal is not None
    verdict = judge(layout, [moment(layout, {"thing": layout.T_world_goal})], view_1())
    assert verdict.success
    assert verdict.measures == {"iou": 1.0, "rotation_error_deg": 0.0}


def test_push_shape_takes_the_best_step_and_its_heading_error() -> None:
    layout = lay("push-shape", 2)
    goal = layout.T_world_goal
    assert goal is not None
    near = lying_at(goal[:2, 3] + np.array([0.004, 0.0]), yaw_of(goal) + 0.1)
    far = lying_at(goal[:2, 3] + np.array([0.08, 0.0]), yaw_of(goal))
    verdict = judge(layout, [moment(layout, {"thing": T}) for T in (far, near, far)], view_1())
    assert verdict.measures["rotation_error_deg"] == pytest.approx(np.degrees(0.1))
    assert 0.5 < verdict.measures["iou"] < 0.95
    assert "step 2 of 3" in verdict.text


@pytest.mark.parametrize(("name", "period"), [("hexagon", 60), ("letter Z", 180), ("digit 2", 360)])
def test_a_turn_that_leaves_a_shape_looking_the_same_is_no_error(name: str, period: float) -> None:
    shape = block_shape(name, 0.12, (1.0, 1.0, 1.0, 1.0))
    T, turned = lying_at(np.zeros(2), 0.3), lying_at(np.zeros(2), 0.3 + np.radians(period))
    assert push_shape.rotation_error(shape, turned, T) == pytest.approx(0, abs=1e-9)
    half = lying_at(np.zeros(2), 0.3 + np.radians(period / 2))
    assert np.degrees(push_shape.rotation_error(shape, half, T)) == pytest.approx(period / 2)


@pytest.mark.parametrize(("distance", "success"), [(0.049, True), (0.051, False)])
def test_sweeping_counts_any_particle_within_50_mm(distance: float, success: bool) -> None:
    layout = lay("sweeping", 4)
    star = layout.T_world_mark["star"][:2, 3]
    verdict = sweeping.judge(layout, [moment(layout, {"particle0": lying_at(star + np.array([0, distance]))})])
    assert verdict.success is success


def turning(layout: Layout, degrees: float, lost: tuple[float, float] = (9.0, 9.0)) -> list[Moment]:
    start = layout.T_world_thing["thing"]
    moments = []
    for t in np.linspace(0, 1, 31):
        T = lying_at(start[:2, 3], yaw_of(start) + np.radians(degrees) * t)
        held = NOTHING if lost[0] < t < lost[1] else frozenset({("left", "thing")})
        moments.append(moment(layout, {"thing": T}, float(t), held))
    return moments


def test_rotation_asks_for_25_degrees_counterclockwise_with_contact_kept() -> None:
    layout = lay("rotation", 1)
    assert rotation.judge(layout, turning(layout, 26)).success
    assert not rotation.judge(layout, turning(layout, 24)).success
    assert not rotation.judge(layout, turning(layout, -40)).success
    assert not rotation.judge(layout, turning(layout, 40, lost=(0.4, 0.7))).success
    assert rotation.judge(layout, turning(layout, 40, lost=(0.4, 0.47))).success
    assert not rotation.judge(layout, turning(layout, 40, lost=(-1.0, 2.0))).success


def test_scooping_counts_beans_in_the_bowl_that_was_empty() -> None:
    layout = lay("scooping", 1)
    bowl = layout.T_world_thing["empty"][:2, 3]
    assert not scooping.judge(layout, [moment(layout, {})]).success
    verdict = scooping.judge(layout, [moment(layout, {"full/3": lying_at(bowl, z=0.015)})])
    assert verdict.success
    assert verdict.measures == {"moved": 1.0, "elsewhere": 0.0}
    above = scooping.judge(layout, [moment(layout, {"full/3": lying_at(bowl, z=0.2)})])
    assert not above.success
    assert above.measures["elsewhere"] == 1.0


def test_an_object_counts_as_placed_when_it_lies_on_the_mat_and_was_let_go() -> None:
    layout = lay("pick-and-place", 1)
    mat = layout.T_world_mark["mat"][:2, 3]
    on = {"thing": lying_at(mat + np.array([0.02, 0.0]))}
    assert pick_and_place.judge(layout, [moment(layout, on)]).success
    held = moment(layout, on, touching=frozenset({("gripper", "thing")}))
    assert not pick_and_place.judge(layout, [held]).success
    assert not pick_and_place.judge(layout, [moment(layout, {"thing": lying_at(mat, z=0.05)})]).success
    assert not pick_and_place.judge(
        layout, [moment(layout, {"thing": lying_at(mat + np.array([0.07, 0.0]))})]
    ).success


def test_a_goal_without_a_moment_is_refused() -> None:
    layout = replace(lay("push-shape", 0), T_world_goal=None)
    with pytest.raises(ValueError, match="there is no goal"):
        push_shape.judge(layout, [moment(layout, {})], view_1())

"""Making a goal by hand: every move and stroke can be taken back, and what is shown is what the model will see."""

from dataclasses import replace

import numpy as np
import pytest

from app.dreams.goal_draft import GoalDraft
from app.dreams.goals import GoalPose, plane_views, table_goal
from app.dreams.scene import Scene
from hardware.world.tasks.layout import yaw_of
from hardware.world.tasks.push_shape import iou
from models.data.masks import Stroke
from tests.app.dreams.made_up_scene import CONFIG, LAYOUT, made_up_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return made_up_scene()


@pytest.fixture
def draft(scene: Scene) -> GoalDraft:
    return GoalDraft(scene, CONFIG)


def test_nothing_is_made_until_somebody_does(draft: GoalDraft) -> None:
    assert draft.thing is not None
    assert (draft.goal, draft.can_undo, draft.can_redo) == (None, False, False)
    assert draft.outlines == draft.thing.outlines  # to be taken from there
    assert draft.place == draft.thing.pose


def test_a_drag_in_either_view_moves_the_goal_in_both_and_holds_once_it_is_done(draft: GoalDraft) -> None:
    assert draft.thing is not None
    for view in (0, 1):
        before = draft.place
        draft.drag(view, False, (380, 220), (420, 200), done=False)
        assert draft.place != before
        draft.let_go()
        assert draft.place == before
        draft.drag(view, False, (380, 220), (420, 200), done=True)
        assert draft.can_undo
        goal = draft.goal
        assert goal is not None
        assert goal.how == "posed"
        assert all(m.any() for m in goal.masks)


def test_a_turn_goes_round_with_the_hand(draft: GoalDraft) -> None:
    assert draft.thing is not None
    place = np.array([draft.thing.pose.x, draft.thing.pose.y])
    ahead, aside = (draft.views[0].in_picture(place[None] + way)[0] for way in ([[0.1, 0]], [[0, 0.1]]))
    draft.drag(0, True, tuple(ahead), tuple(aside), done=True)
    assert draft.place is not None
    assert draft.place.turn == pytest.approx(np.pi / 2, abs=1e-6)
    assert (draft.place.x, draft.place.y) == pytest.approx(place)


def test_every_step_can_be_taken_back_and_done_again(draft: GoalDraft) -> None:
    draft.put(GoalPose(0.05, 0.1, 0.4))
    draft.nudge(10, 0, 0.1)
    nudged = draft.place
    assert nudged is not None
    assert nudged.turn == pytest.approx(0.5)
    assert nudged.x > 0.05
    draft.brush(Stroke(True, 10, ((300, 100), (340, 100))))
    painted = draft.goal
    assert painted is not None
    assert painted.how == "drawn"
    assert painted.masks[0][100, 320]
    draft.undo()
    assert (draft.place, draft.goal.how if draft.goal else "") == (nudged, "posed")
    draft.undo()
    draft.undo()
    assert (draft.goal, draft.can_undo) == (None, False)
    for _ in range(3):
        draft.redo()
    assert draft.goal is not None
    assert (draft.goal.masks[0] == painted.masks[0]).all()
    draft.clear()
    assert draft.goal is None


def test_a_goal_that_was_painted_over_takes_the_objects_shape_when_it_is_moved(draft: GoalDraft) -> None:
    draft.put(GoalPose(0.05, 0.1))
    draft.brush(Stroke(True, 10, ((300, 100),)))
    draft.nudge(1, 0, 0)
    assert draft.goal is not None
    assert draft.goal.how == "posed"


def test_a_place_outside_of_the_picture_is_refused_and_the_goal_stays(draft: GoalDraft) -> None:
    draft.put(GoalPose(0.05, 0.1))
    with pytest.raises(ValueError, match="outside of the first view"):
        draft.put(GoalPose(3.0, 0.1))
    assert draft.place == GoalPose(0.05, 0.1)


def test_a_tables_own_goal_is_where_a_first_move_begins(scene: Scene) -> None:
    usual = table_goal(plane_views(scene, CONFIG), LAYOUT)
    draft = GoalDraft(scene, CONFIG, usual)
    assert (draft.goal, draft.usual) == (None, usual)
    draft.nudge(0, 0, 0)
    assert draft.place is not None
    assert LAYOUT.T_world_goal is not None
    assert usual is not None
    turn = yaw_of(LAYOUT.T_world_goal) - yaw_of(LAYOUT.T_world_thing["thing"])
    assert np.cos(draft.place.turn - turn) > np.cos(np.radians(2))
    goal = draft.goal
    assert goal is not None
    assert [iou(a, b) > 0.9 for a, b in zip(goal.masks, usual.masks, strict=True)] == [True, True]


def test_without_an_object_a_goal_can_be_drawn_but_not_posed(scene: Scene) -> None:
    cloth = replace(scene, photos=tuple(np.full_like(photo, 40) for photo in scene.photos))
    draft = GoalDraft(cloth, CONFIG)
    assert (draft.thing, draft.place, draft.outlines) == (None, None, ())
    with pytest.raises(ValueError, match="draw the goal"):
        draft.put(GoalPose(0, 0))
    draft.brush(Stroke(True, 20, ((380, 200),)))
    assert draft.goal is not None
    assert all(m.any() for m in draft.goal.masks)
    draft.brush(Stroke(False, 40, ((380, 200),)))
    assert draft.goal is None

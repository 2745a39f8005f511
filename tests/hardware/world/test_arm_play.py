"""A plan on a virtual clock: the arm's tool pushes what lies there as a hand with the same tool would."""

from dataclasses import replace

import numpy as np
import pytest

from hardware.geometry import transform
from hardware.rig import Rig, load_rig
from hardware.types import Tool
from hardware.world.arm_play import REST, play
from hardware.world.tasks.layout import Layout, lying_at
from hardware.world.tasks.table import lay
from tests.hardware.world.arm_plans import pushed, tools_of

HEAD = 0.024  # [m] from the pusher's origin to its face


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig("sim-ur5e")


@pytest.fixture(scope="module")
def layout() -> Layout:
    laid = lay("push-shape", 3, True)
    return replace(laid, T_world_thing={"thing": lying_at(np.array([-0.2, 0.0]))})


@pytest.fixture(scope="module")
def tools(rig: Rig) -> dict[str, Tool]:
    return tools_of(rig)


def test_what_lies_in_the_way_is_pushed_and_all_else_stays(
    rig: Rig, layout: Layout, tools: dict[str, Tool]
) -> None:
    thing = layout.things["thing"]
    ahead = np.array([0.0, 0.1])
    made = pushed(rig, tools, np.array([-0.2, -0.12]), ahead)
    assert not made.violations
    moments = play(made, rig, tools, {"left": "tool"}, layout, layout.T_world_thing)
    first, last = (moments[k].T_world_thing["thing"] for k in (0, -1))
    np.testing.assert_allclose(first[:2, 3], [-0.2, 0.0], atol=1e-3)
    face = -0.02 + HEAD  # where the pusher's face came to a stand
    nearest = (thing.outline @ last[:2, :2].T + last[:2, 3])[:, 1].min()
    assert nearest == pytest.approx(face, abs=0.006)
    assert last[2, 3] == pytest.approx(0, abs=0.002)
    # before and after the work in seconds, in between on the clock of the clip of 1 s
    work = made.phases[1]
    assert moments[0].t == pytest.approx(-work.start, abs=1e-6)
    assert moments[-1].t == pytest.approx(1.0 + made.t[-1] + REST - work.end, abs=0.05)
    steps = np.diff([m.t for m in moments])
    assert ((steps > 0) & (steps < 0.033)).all()
    assert steps[0] == pytest.approx(0.032)
    assert steps.min() < 0.02
    # it was touched, but neither at first nor at the end, and by the task's own name of the tool
    touched = [bool(m.touching) for m in moments]
    assert any(touched)
    assert not touched[0]
    assert not touched[-1]
    assert {pair for m in moments for pair in m.touching} == {("tool", "thing")}
    T = moments[len(moments) // 2].T_world_tool["tool"]
    assert abs(T[0, 3] + 0.2) < 0.2


def test_what_is_not_in_the_way_stays(rig: Rig, layout: Layout, tools: dict[str, Tool]) -> None:
    aside = {"thing": transform(np.eye(3), [0.15, 0.12, 0.0])}
    made = pushed(rig, tools, np.array([-0.2, -0.12]), np.array([0.0, 0.1]))
    last = play(made, rig, tools, {"left": "tool"}, layout, aside)[-1]
    np.testing.assert_allclose(last.T_world_thing["thing"][:3, 3], [0.15, 0.12, 0.0], atol=1e-3)


def test_the_same_plan_ends_the_same(rig: Rig, layout: Layout, tools: dict[str, Tool]) -> None:
    made = pushed(rig, tools, np.array([-0.21, -0.12]), np.array([0.03, 0.1]))
    ends = [
        play(made, rig, tools, {"left": "tool"}, layout, layout.T_world_thing)[-1].T_world_thing["thing"]
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*ends)

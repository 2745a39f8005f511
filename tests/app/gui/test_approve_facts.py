"""What an operator reads beside Approve: broken rules first, each rule once, every clamp, amounts of limits."""

from dataclasses import replace

import numpy as np
import pytest

from app.execution.connection_checks import felt
from app.execution.run_progress import RunProgress
from app.gui.binders.approve_facts import amount, check_rows, forces_to_choose, gives_way, rest_from
from hardware.types import ArmLimits, Check, Clamp
from tests.app.gui.plans import small_plan

FAST = Check("tip speed", "violation", "tip speed is at most 0.31 m/s (limit 0.25)", "left", 0.31, 0.25, "m/s",
             spans=((3.0, 3.4),), hint="make the plan slower")  # fmt: skip
SLOW = Check("tip speed", "ok", "tip speed is at most 0.2 m/s (limit 0.25)", "right", 0.2, 0.25, "m/s")
SLOWER = Check("tip speed", "ok", "tip speed is at most 0.1 m/s (limit 0.25)", "left", 0.1, 0.25, "m/s")
CLEAR = Check("arm collision", "ok", "arm collision is at least 50 mm (limit 20)", "", 50.0, 20.0, "mm")
LIFTED = Clamp("left", (4.0, 5.0), 0.0021, "left: lifted to 5 mm above the table")


def _as_it_is(t: float) -> float:
    return t


def test_a_broken_rule_says_arm_hint_and_place() -> None:
    rows, summary = check_rows(small_plan((FAST, CLEAR)), (), _as_it_is)
    broken = next(row for row in rows if row.mood == "alarm")
    assert (broken.text.split(":")[0], broken.hint, broken.at) == ("left", "make the plan slower", 3.0)
    assert summary == "1 of 2 rules of motion are broken"


def test_what_holds_for_both_arms_is_one_row_with_the_tighter_amount() -> None:
    rows, summary = check_rows(small_plan((SLOWER, SLOW, CLEAR)), (), _as_it_is)
    assert [(row.text, row.amount) for row in rows] == [
        ("Tip speed", "0.2 ≤ 0.25 m/s"),
        ("Arm collision", "50 ≥ 20 mm"),
    ]
    assert summary == "All 2 rules of motion hold"


def test_no_clamp_is_silent() -> None:
    rows, _ = check_rows(small_plan((SLOW,), (LIFTED,)), (), _as_it_is)
    clamp = rows[0]
    assert (clamp.mood, clamp.amount, clamp.at) == ("warning", "2.1 mm", 4.0)


def test_a_clamp_that_a_check_speaks_of_is_said_once() -> None:
    said = Check("table height", "warning", LIFTED.text, "left", spans=((4.0, 5.0),))
    rows, summary = check_rows(small_plan((said, SLOW), (LIFTED,)), (), _as_it_is)
    assert [row.mood for row in rows] == ["warning", "ok"]
    assert summary == "All 2 rules of motion hold, 1 with a warning"


def test_what_connecting_found_stands_beside_the_plans_checks() -> None:
    wrong = Check(
        "kinematics", "violation", "our tool pose and the controller's differ by 3 mm", "left", 3.0, 1.0, "mm"
    )
    rows, summary = check_rows(small_plan((SLOW,)), (wrong,), _as_it_is)
    assert [row.mood for row in rows] == ["alarm", "ok"]
    assert summary == "1 of 2 rules of motion are broken"


def test_amounts_are_short() -> None:
    assert amount(Check("path error", "ok", "at most", value=3.1e-13, limit=0.1, unit="mm")) == "0 ≤ 0.1 mm"
    assert amount(Check("duration", "ok", "the plan takes 26.7 s", value=26.73, unit="s")) == "26.7 s"
    assert amount(Check("retreat", "ok", "the tool is out of all pictures")) == ""


@pytest.mark.parametrize(
    ("phase", "clip_frame", "before", "expected"),
    [
        ("approach", None, None, None),
        ("approach", None, 4.2, 4.2),
        ("work", 6.4, 4.2, 6.4),
        ("work", 11.9, None, 11.0),
        ("retreat", None, None, 11.0),
    ],
)
def test_a_paused_run_goes_on_where_it_stands_and_never_from_the_start_again(
    phase: str, clip_frame: float | None, before: float | None, expected: float | None
) -> None:
    assert rest_from(RunProgress(5.0, 10.0, phase, clip_frame), before, last=12) == expected


def _felt(forces: str) -> ArmLimits:
    ones = np.ones(7)
    return ArmLimits(-ones, ones, ones, ones, source={"forces": forces})


@pytest.mark.parametrize(
    ("felt", "offered"),
    [
        ((), ()),
        (("none",), ()),
        (("on demand", "measured"), (10, 20, 30, 40)),
        (("estimated", "on demand"), (20, 30, 40)),
        (("estimated", "none"), (20, 30, 40)),
    ],
)
def test_only_forces_that_the_connected_arms_can_be_sure_of_are_offered(
    felt: tuple[str, ...], offered: tuple[float, ...]
) -> None:
    assert forces_to_choose({str(i): _felt(forces) for i, forces in enumerate(felt)}) == offered


def test_what_each_arm_knows_of_forces_is_said_once() -> None:
    same = {"left": _felt("on demand"), "right": _felt("on demand")}
    assert felt(same) == ("left, right: forces are measured on demand",)
    assert felt({"left": _felt("estimated"), "right": _felt("none")}) == (
        "left: forces are estimated",
        "right: forces are not felt",
    )


def test_what_a_plan_does_about_forces_is_said_in_few_words() -> None:
    stiff, giving = _felt("measured"), replace(_felt("measured"), give_way_force=20.0)
    assert gives_way(replace(small_plan(), limits={"left": stiff})) == "stiff"
    assert gives_way(replace(small_plan(), limits={"left": giving})) == "gives way over 20 N"
    assert gives_way(replace(small_plan(), limits={"left": giving, "right": stiff})) == "left gives way over 20 N"

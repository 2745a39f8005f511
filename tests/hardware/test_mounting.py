"""A tool of the dream finds the arm that carries it, and a person can say which."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware.mounting import carriers, default_tools, mounted, mounted_for
from hardware.rig import SIM_RIG, Rig, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import ArmPlan, Tool

TOOLS = {name: load_tool(path) for name, path in BUILT_IN_TOOLS.items()}
GRIPPERS = {side: TOOLS[f"rotation_gripper_{side}"] for side in ("left", "right")}


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig()


def names(tools: dict[str, Tool]) -> dict[str, str]:
    return {role: tool.name for role, tool in tools.items()}


def test_tools_of_the_arms_roles_go_to_those_arms(rig: Rig) -> None:
    assert carriers(rig, GRIPPERS) == {"left": "left", "right": "right"}
    assert names(mounted(rig, GRIPPERS, carriers(rig, GRIPPERS))) == names(default_tools(rig))


@pytest.mark.parametrize("name", ["pusher", "brush", "scooper"])
def test_a_tool_of_no_arms_role_goes_to_the_arm_nearest_to_its_work(rig: Rig, name: str) -> None:
    dream = {"tool": TOOLS[name]}
    assert carriers(rig, dream) == {"tool": "left"}
    assert carriers(rig, dream, places={"tool": np.array([-0.2, 0.1, 0.1])}) == {"tool": "left"}
    there = carriers(rig, dream, places={"tool": np.array([0.2, 0.1, 0.1])})
    assert there == {"tool": "right"}
    assert names(mounted(rig, dream, there)) == {"left": "rotation_gripper_left", "right": name}


def test_a_person_says_which_arm_carries_it(rig: Rig) -> None:
    place = {"tool": np.array([-0.3, 0.0, 0.1])}
    assert carriers(rig, {"tool": TOOLS["brush"]}, {"tool": "right"}, place) == {"tool": "right"}
    assert carriers(rig, GRIPPERS, {"left": "right"}) == {"left": "right", "right": "left"}


def test_the_rig_file_says_what_an_arm_carries(tmp_path: Path) -> None:
    text = SIM_RIG.read_text(encoding="utf-8").replace('role = "right"', 'role = "right"\ntool = "scooper"')
    (tmp_path / "rig.toml").write_text(text, encoding="utf-8")
    rig = load_rig(tmp_path / "rig.toml")
    assert names(default_tools(rig)) == {"left": "rotation_gripper_left", "right": "scooper"}
    assert carriers(rig, {"tool": TOOLS["scooper"]}) == {"tool": "right"}
    (tmp_path / "rig.toml").write_text(text.replace('"scooper"', '"spoon"'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"line \d+: arms\[1\]\.tool: 'spoon'; valid: brush, pusher"):
        load_rig(tmp_path / "rig.toml")


def test_a_tool_too_many_is_refused_with_who_carries_what(rig: Rig) -> None:
    three = {**GRIPPERS, "tool": TOOLS["pusher"]}
    with pytest.raises(ValueError, match=r"tool tool \(pusher\): no arm of rig sim is left .*at most 2 tools"):
        carriers(rig, three)
    # connecting before there is a plan is no reason to fail: the plan will say it
    assert names(mounted_for(rig, three, ())) == names(default_tools(rig))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"tool": "middle"}, "no arm 'middle'; valid: left, right"),
        ({"spoon": "left"}, "no such tool; valid: tool"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_words(rig: Rig, wanted: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        carriers(rig, {"tool": TOOLS["pusher"]}, wanted)
    with pytest.raises(ValueError, match="cannot carry two tools"):
        carriers(rig, GRIPPERS, {"left": "left", "right": "left"})


def test_arms_are_connected_with_what_the_plan_moves(rig: Rig) -> None:
    q, T = np.zeros((2, 7)), np.tile(np.eye(4), (2, 1, 1))
    part = ArmPlan("right", "xarm7", "pusher", q, T, T)
    dream = {"tool": TOOLS["pusher"]}
    assert names(mounted_for(rig, dream, (part,))) == {"left": "rotation_gripper_left", "right": "pusher"}
    assert names(mounted_for(rig, dream, ())) == {"left": "pusher", "right": "rotation_gripper_right"}
    assert names(mounted_for(rig, dream, (replace(part, arm="gone"),)))["left"] == "pusher"

"""Distances: never more than the truth, near enough to it where it matters, and named in words."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from hardware.arm_model import link_hulls, link_poses, mounted_hull
from hardware.collision import EXACT_BELOW, CollisionModel
from hardware.geometry import Array, apply, inverse, rotation_from_vector, transform
from hardware.kinematics import ArmKinematics
from hardware.planner.inverse import solve
from hardware.planning import default_limits
from hardware.rig import Rig, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Box, Tool


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig("sim")


@pytest.fixture(scope="module")
def tools() -> Mapping[str, Tool]:
    return {side: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{side}"]) for side in ("left", "right")}


@pytest.fixture(scope="module")
def model(rig: Rig, tools: Mapping[str, Tool]) -> CollisionModel:
    return CollisionModel(rig, tools)


def home(rig: Rig) -> dict[str, Array]:
    return {arm.name: arm.home for arm in rig.arms}


def cloud(rig: Rig, tools: Mapping[str, Tool], arm: str, q: Array, part: str) -> Array:
    """Points on the hull of a part, in world."""
    config = rig.arm(arm)
    hulls = dict(link_hulls(config.model))
    if part == "tool":
        mesh, T = mounted_hull(tools[arm]), link_poses(config.model, q)[-1] @ tools[arm].T_flange_tool
    else:
        mesh, T = hulls[part], link_poses(config.model, q)[list(hulls).index(part)]
    corners = mesh.vertices[mesh.faces]
    points = np.concatenate([mesh.vertices, corners.mean(axis=1)])
    return apply(config.T_world_base @ T, points)


def test_at_home_everything_keeps_clear(rig: Rig, model: CollisionModel) -> None:
    distance, pair = model.distance(home(rig))
    assert distance > 0.04
    assert pair


def facing(rig: Rig, tools: Mapping[str, Tool], gap: float) -> dict[str, Array]:
    """Joints that hold the two plates level, their rounded ends `gap` apart over the middle of the table."""
    found = {}
    for config in rig.arms:
        away = -1.0 if config.name == "left" else 1.0
        turn = rotation_from_vector([0.0, 0.0, np.pi / 2 * (1 + away)])
        T = transform(turn, [away * (0.07 + gap / 2), 0.0, 0.15])
        T_base_flange = inverse(config.T_world_base) @ T @ inverse(tools[config.name].T_flange_tool)
        arm = ArmKinematics.load(config.model)
        q, error = solve(arm, T_base_flange[None], config.home[None], config.home, 60)
        assert np.abs(error).max() < 1e-9
        found[config.name] = q[0]
    return found


def test_facing_tools_are_as_far_apart_as_they_are(
    rig: Rig, tools: Mapping[str, Tool], model: CollisionModel
) -> None:
    q = facing(rig, tools, gap=0.03)
    clearance = model.check({arm: joints[None] for arm, joints in q.items()}, between=False)
    assert clearance.distance["arms"][0] == pytest.approx(0.03, abs=1e-4)
    assert clearance.pair["arms"] == ("left tool and right tool",)


def test_tools_in_each_other_are_found_with_their_names(
    rig: Rig, tools: Mapping[str, Tool], model: CollisionModel
) -> None:
    distance, pair = model.distance(facing(rig, tools, gap=-0.02))
    assert distance == pytest.approx(-0.02, abs=1e-3)
    assert pair == "left tool and right tool"


def test_an_arm_folded_into_itself_is_found(rig: Rig, model: CollisionModel) -> None:
    folded = np.radians([0, -100, 0, 200, 0, 170, 0.0])
    clearance = model.check({**{k: v[None] for k, v in home(rig).items()}, "left": folded[None]})
    assert clearance.distance["self"][0] < 0
    assert clearance.pair["self"][0].startswith("left")


def test_a_link_at_the_table_is_found_and_the_tool_is_told_apart(rig: Rig, model: CollisionModel) -> None:
    low = np.radians([0, 100, 0, 60, 0, 0, 0.0])
    clearance = model.check({**{k: v[None] for k, v in home(rig).items()}, "left": low[None]})
    assert clearance.distance["table"][0] < 0
    assert "table" in clearance.pair["table"][0]
    assert "tool" not in clearance.pair["table"][0]
    assert "left tool" in clearance.pair["tool-table"][0]


def test_a_keep_out_box_is_kept_clear_of(rig: Rig, tools: Mapping[str, Tool]) -> None:
    q = home(rig)
    arm = ArmKinematics.load("xarm7")
    place = (rig.arm("left").T_world_base @ arm.flange_pose(q["left"]))[:3, 3] + [0.15, 0, 0]
    box = Box("a lamp", transform(np.eye(3), place), np.full(3, 0.1))
    distance, pair = CollisionModel(replace(rig, keep_out=(box,)), tools).distance(q)
    assert distance < 0.08
    assert "a lamp" in pair


def test_distances_are_never_more_than_those_of_the_hulls(
    rig: Rig, tools: Mapping[str, Tool], model: CollisionModel
) -> None:
    """Random configurations, all pairs of the two arms, against points on their hulls."""
    random = np.random.default_rng(1)
    spread = np.radians([25, 30, 25, 30, 30, 30, 60])
    parts = [name for name, _ in link_hulls("xarm7")] + ["tool"]
    for _ in range(6):
        q = {name: joints + random.normal(size=7) * spread for name, joints in home(rig).items()}
        measured = model.check({k: v[None] for k, v in q.items()}, between=False).distance["arms"][0]
        clouds = {k: np.concatenate([cloud(rig, tools, k, v, p) for p in parts]) for k, v in q.items()}
        true = cKDTree(clouds["left"]).query(clouds["right"])[0].min()
        assert measured <= true + 1e-6


def test_motion_between_samples_is_answered_for(rig: Rig, model: CollisionModel) -> None:
    """Coarse samples of a sweep must not promise more than fine ones find anywhere in between."""
    s = np.linspace(0, 1, 121)[:, None]
    sweep = np.radians([0, 20, 0, 60, 0, 60, 0.0]) + s * np.radians([60, 40, 30, 50, 20, -40, 90])
    fine = {"left": sweep, "right": np.broadcast_to(rig.arm("right").home, sweep.shape)}
    coarse = {arm: q[::12] for arm, q in fine.items()}
    promised, found = model.check(coarse), model.check(fine, between=False)
    for kind in ("self", "arms", "keep-out", "table"):
        near = found.distance[kind] < EXACT_BELOW
        if near.any():
            assert promised.distance[kind].min() <= found.distance[kind].min() + 1e-6
    assert promised.nearest.min() <= found.nearest.min() + 1e-6


def test_a_path_and_its_samples_one_by_one_agree(rig: Rig, model: CollisionModel) -> None:
    s = np.linspace(0, 1, 30)[:, None]
    q = {arm.name: arm.home + s * np.radians([15, 60, 0, 10, 0, -20, 30]) for arm in rig.arms}
    path = model.check(q, between=False)
    for i in (0, 13, 29):
        one = model.check({arm: joints[i : i + 1] for arm, joints in q.items()}, between=False)
        for kind, distance in one.distance.items():
            assert min(distance[0], EXACT_BELOW) == pytest.approx(
                min(path.distance[kind][i], EXACT_BELOW), abs=1e-9
            )


def test_an_arm_left_out_is_refused_with_the_names(rig: Rig, model: CollisionModel) -> None:
    with pytest.raises(ValueError, match="right"):
        model.distance({"left": rig.arm("left").home})


def test_a_tool_of_a_stranger_is_refused(rig: Rig, tools: Mapping[str, Tool]) -> None:
    with pytest.raises(ValueError, match="third"):
        CollisionModel(rig, {"third": tools["left"]})


def test_limits_of_the_rig_come_with_their_source(rig: Rig) -> None:
    limits = default_limits(rig, rig.arm("left"))
    assert limits.tip_speed == rig.safety.tip_speed
    assert "xarm7" in limits.source["dq_max"]
    assert rig.name in limits.source["tip_speed"]

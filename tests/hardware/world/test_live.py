"""The live table without cameras: arms carry their tools where kinematics says, and what they touch moves."""

from dataclasses import replace

import numpy as np
import pytest

from hardware.geometry import Array, interpolate, inverse, rotation_vector, transform
from hardware.kinematics import ArmKinematics
from hardware.mounting import default_tools
from hardware.planner.inverse import polish, solve, track
from hardware.rig import Rig, built_in_rigs, load_rig
from hardware.types import Mesh, Tool
from hardware.world.demonstrator import show_rotation
from hardware.world.live import LiveWorld
from hardware.world.objects import THINGS, choose_thing


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig("sim")


@pytest.fixture(scope="module")
def tools(rig: Rig) -> dict[str, Tool]:
    return default_tools(rig)


def world(rig: Rig, tools: dict[str, Tool], task: str = "rotation", seed: int = 6) -> LiveWorld:
    return LiveWorld(rig, tuple(c.camera for c in rig.cameras), tools, task, seed)


@pytest.mark.parametrize("name", sorted(n for n in built_in_rigs() if n.startswith("sim") and load_rig(n).arms))
def test_arms_carry_their_tools_where_kinematics_says(name: str) -> None:
    rig = load_rig(name)
    tools = default_tools(rig)
    live = world(rig, tools)
    q = {arm.name: arm.home + 0.1 for arm in rig.arms}
    live.advance(0.2, q)
    truth = live.truth(1.5)
    for arm in rig.arms:
        flange = arm.T_world_base @ ArmKinematics.load(arm.model).flange_pose(q[arm.name])
        np.testing.assert_allclose(truth.T_world_tool[arm.name], flange @ tools[arm.role].T_flange_tool, atol=1e-6)
    assert truth.t_host == 1.5


@pytest.mark.parametrize("task", THINGS)
def test_objects_stay_where_they_were_laid_until_touched(rig: Rig, tools: dict[str, Tool], task: str) -> None:
    live = world(rig, tools, task, 2)
    before = live.truth(0).T_world_object
    live.advance(1.0, {arm.name: arm.home for arm in rig.arms})
    after = live.truth(0).T_world_object
    assert np.linalg.norm(after["thing"][:3, 3] - before["thing"][:3, 3]) < 0.004
    for name, pose in after.items():
        assert np.linalg.norm(pose[:2, 3] - before[name][:2, 3]) < 0.06, name
        assert pose[2, 3] > -0.003, name


def test_the_same_seed_lays_the_same_table(rig: Rig, tools: dict[str, Tool]) -> None:
    one, two, other = (world(rig, tools, "push", seed).truth(0) for seed in (4, 4, 5))
    assert one.thing == two.thing
    assert one.T_world_object["thing"].tobytes() == two.T_world_object["thing"].tobytes()
    assert other.T_world_object["thing"].tobytes() != one.T_world_object["thing"].tobytes()


def joint_paths(
    rig: Rig, tools: dict[str, Tool], seed: int, times: Array
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Joints by arm along the calm demonstration of that seed, and the object's shown poses at both ends."""
    rng = np.random.default_rng([seed, 0])
    shown = show_rotation(choose_thing("rotation", rng), rng, 2.0, calm=True)
    paths = {}
    for arm in rig.arms:
        kinematics = ArmKinematics.load(arm.model)
        mount = inverse(tools[arm.role].T_flange_tool)
        T = np.stack([inverse(arm.T_world_base) @ shown.paths[arm.role](float(t)) @ mount for t in times])
        q = arm.home
        for s in np.linspace(0, 1, 30):
            towards = interpolate(kinematics.flange_pose(arm.home), T[0], s)
            q = solve(kinematics, towards[None], q[None], arm.home)[0][0]
        paths[arm.name] = polish(kinematics, T, track(kinematics, T, q, arm.home))
    return paths, {end: shown.paths["thing"](t) for end, t in (("first", 0.0), ("last", 2.0))}


def test_two_arms_that_replay_the_example_turn_its_object(rig: Rig, tools: dict[str, Tool]) -> None:
    paths, shown = joint_paths(rig, tools, 6, np.arange(0.7, 2.0, 0.02))
    live = world(rig, tools)
    np.testing.assert_allclose(live.truth(0).T_world_object["thing"], shown["first"], atol=1e-9)
    live.jump({name: q[0] for name, q in paths.items()})
    for k in range(len(paths["left"])):
        live.advance(0.04, {name: q[k] for name, q in paths.items()})
    last = live.truth(0).T_world_object["thing"]
    turn = rotation_vector(shown["first"][:3, :3].T @ last[:3, :3])
    assert np.degrees(abs(turn[2])) > 15
    assert np.sign(turn[2]) == np.sign(rotation_vector(shown["first"][:3, :3].T @ shown["last"][:3, :3])[2])
    assert np.linalg.norm(last[:2, 3] - shown["last"][:2, 3]) < 0.04


def test_an_object_is_put_where_asked_and_others_are_named(rig: Rig, tools: dict[str, Tool]) -> None:
    live = world(rig, tools)
    wanted = transform(np.eye(3), [0.1, 0.05, 0.0])
    live.place("thing", wanted)
    np.testing.assert_allclose(live.truth(0).T_world_object["thing"], wanted, atol=1e-12)
    with pytest.raises(KeyError, match="'apple' is not one of"):
        live.place("apple", wanted)


def test_an_unknown_task_is_refused(rig: Rig) -> None:
    with pytest.raises(ValueError, match="task: 'juggle' is not one of"):
        world(rig, {}, "juggle")


def test_tools_with_face_colours_or_none_can_be_carried_too(rig: Rig, tools: dict[str, Tool]) -> None:
    mesh = tools["left"].mesh
    colours = np.random.default_rng(0).integers(0, 256, (len(mesh.faces), 3)).astype(np.uint8)
    coloured = replace(tools["left"], mesh=Mesh(mesh.vertices, mesh.faces, face_rgb=colours))
    plain = replace(tools["right"], mesh=Mesh(mesh.vertices, mesh.faces))
    assert set(world(rig, {"left": coloured, "right": plain}).truth(0).T_world_tool) == {"left", "right"}
    assert not world(rig, {}).truth(0).T_world_tool

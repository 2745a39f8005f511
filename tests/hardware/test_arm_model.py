"""The arm that is drawn and simulated is the arm that is planned."""

import itertools

import mujoco
import numpy as np
import pytest
from scipy.spatial import cKDTree

from hardware.arm_model import add_arm, link_hulls, link_meshes, link_names, link_poses, mounted_hull
from hardware.geometry import Array, apply, inverse, project
from hardware.kinematics import ArmKinematics
from hardware.rig import Rig, built_in_rigs, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Tool

Q = np.radians([20.0, -40.0, 15.0, 60.0, -30.0, 95.0, 50.0])


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig("sim")


@pytest.fixture(scope="module")
def tool() -> Tool:
    return load_tool(BUILT_IN_TOOLS["rotation_gripper_left"])


def two_arms(rig: Rig, tool: Tool, degree: bool = True) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.compiler.degree = degree
    for arm in rig.arms:
        add_arm(spec, arm, tool)
    return spec.compile()


def test_flange_tip_and_links_stand_where_the_kinematics_says(rig: Rig, tool: Tool) -> None:
    model = two_arms(rig, tool)
    data = mujoco.MjData(model)
    for arm in rig.arms:
        for i, angle in enumerate(Q):
            data.joint(f"{arm.name}/joint{i + 1}").qpos[0] = angle
    mujoco.mj_kinematics(model, data)
    for arm in rig.arms:
        T = arm.T_world_base @ ArmKinematics.load(arm.model).flange_pose(Q)
        np.testing.assert_allclose(data.site(f"{arm.name}/flange").xpos, T[:3, 3], atol=1e-9)
        tip = apply(T @ tool.T_flange_tool, tool.tip[None])[0]
        np.testing.assert_allclose(data.site(f"{arm.name}/tip").xpos, tip, atol=1e-9)
        links = arm.T_world_base @ link_poses(arm.model, Q)
        for name, pose in zip(link_names(arm.model), links, strict=True):
            np.testing.assert_allclose(data.body(f"{arm.name}/{name}").xpos, pose[:3, 3], atol=1e-9)


@pytest.mark.parametrize("degree", [True, False])
def test_joint_limits_are_right_whatever_unit_the_spec_speaks(rig: Rig, tool: Tool, degree: bool) -> None:
    arm = ArmKinematics.load("xarm7")
    limits = np.stack([arm.q_lower, arm.q_upper], axis=1)
    np.testing.assert_allclose(two_arms(rig, tool, degree).jnt_range, np.tile(limits, (2, 1)), atol=1e-9)


def test_visuals_touch_nothing_and_an_arm_does_not_push_itself(rig: Rig, tool: Tool) -> None:
    model = two_arms(rig, tool)
    visual = model.geom_group == 2
    assert visual.any()
    assert not model.geom_contype[visual].any()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    assert data.ncon == 0


@pytest.mark.parametrize("model", ["ur5", "ur5e"])
def test_the_links_of_a_ur_join_where_its_joints_are(model: str) -> None:
    """Neighbouring links overlap or nearly touch in any configuration: none is left behind or turned away."""
    random = np.random.default_rng(0)
    hulls = [mesh for _, mesh in link_hulls(model)]
    for q in random.uniform(-np.pi, np.pi, (5, 6)):
        placed = [apply(T, mesh.vertices) for T, mesh in zip(link_poses(model, q), hulls, strict=True)]
        for first, second in itertools.pairwise(placed):
            assert cKDTree(first).query(second)[0].min() < 0.03


def test_light_meshes_keep_the_size_of_the_links() -> None:
    hulls = dict(link_hulls("xarm7"))
    for name, mesh in link_meshes("xarm7"):
        assert 100 < len(mesh.faces) < 1500, name
        gap = np.abs(np.ptp(mesh.vertices, axis=0) - np.ptp(hulls[name].vertices, axis=0))
        assert gap.max() < 0.012, name


@pytest.mark.parametrize("rig_name", sorted(n for n in built_in_rigs() if n.startswith("sim") and load_rig(n).arms))
@pytest.mark.parametrize("name", sorted(BUILT_IN_TOOLS))
def test_at_home_neither_arm_nor_tool_is_in_a_picture(rig_name: str, name: str) -> None:
    tool, rig = load_tool(BUILT_IN_TOOLS[name]), load_rig(rig_name)
    for arm in rig.arms:
        links = arm.T_world_base @ link_poses(arm.model, arm.home)
        bodies = [apply(T, mesh.vertices) for T, (_, mesh) in zip(links, link_meshes(arm.model), strict=True)]
        bodies.append(apply(links[-1] @ tool.T_flange_tool, tool.mesh.vertices))
        for camera in (config.camera for config in rig.cameras if not config.on_arm):
            assert camera.T_world_cam is not None
            uv = project(camera.K, apply(inverse(camera.T_world_cam), np.concatenate(bodies)))
            assert not ((uv >= -0.5) & (uv <= np.array(camera.size) - 0.5)).all(axis=1).any()


def inside(hull_vertices: Array, hull_faces: Array, points: Array) -> bool:
    a, b, c = (hull_vertices[hull_faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return bool((np.einsum("fpi,fi->fp", points[None] - a[:, None], normal) < 1e-6).all())


@pytest.mark.parametrize("name", sorted(BUILT_IN_TOOLS))
def test_what_keeps_clear_holds_the_whole_tool(name: str) -> None:
    tool = load_tool(BUILT_IN_TOOLS[name])
    hull = mounted_hull(tool)
    assert inside(hull.vertices, hull.faces, tool.mesh.vertices)

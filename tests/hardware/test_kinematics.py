"""Our kinematics against the vendor's published model and against itself."""

from pathlib import Path

import mujoco
import numpy as np
import pytest

from hardware.arm_model import description_folder
from hardware.geometry import rotation_angle, rotation_vector
from hardware.kinematics import MODELS, ArmKinematics


@pytest.fixture(scope="module")
def vendor() -> mujoco.MjModel:
    folder = description_folder("xarm7")
    text = (folder / "urdf" / "xarm7.urdf").read_text().replace("1.5708", repr(np.pi / 2))
    text = text.replace("package://example-robot-data/robots/xarm_description", str(folder))
    options = '<mujoco><compiler strippath="false" fusestatic="false"/></mujoco></robot>'
    return mujoco.MjModel.from_xml_string(text.replace("</robot>", options))


def configurations(model: str, n: int, seed: int = 0) -> np.ndarray:
    arm = ArmKinematics.load(model)
    return np.random.default_rng(seed).uniform(arm.q_lower, arm.q_upper, (n, arm.n_joints))


def test_flange_agrees_with_the_vendors_urdf(vendor: mujoco.MjModel) -> None:
    arm, data = ArmKinematics.load("xarm7"), mujoco.MjData(vendor)
    link7 = vendor.body("link7").id
    for q in configurations("xarm7", 200):
        data.qpos[:] = q
        mujoco.mj_kinematics(vendor, data)
        T = arm.flange_pose(q)
        assert np.linalg.norm(T[:3, 3] - data.xpos[link7]) < 1e-9
        assert rotation_angle(T[:3, :3], data.xmat[link7].reshape(3, 3)) < 1e-8


def test_joint_limits_are_the_vendors(vendor: mujoco.MjModel) -> None:
    arm = ArmKinematics.load("xarm7")
    np.testing.assert_allclose(np.stack([arm.q_lower, arm.q_upper], axis=1), vendor.jnt_range, atol=1e-5)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_jacobian_is_the_derivative_of_the_flange_pose(model: str) -> None:
    arm, h = ArmKinematics.load(model), 1e-6
    q = configurations(model, 50)
    steps = h * np.eye(arm.n_joints)
    ahead, behind = arm.flange_pose(q[:, None] + steps), arm.flange_pose(q[:, None] - steps)
    linear = (ahead - behind)[..., :3, 3] / (2 * h)
    angular = rotation_vector(ahead[..., :3, :3] @ np.swapaxes(behind[..., :3, :3], -1, -2)) / (2 * h)
    numeric = np.swapaxes(np.concatenate([linear, angular], axis=-1), -1, -2)
    np.testing.assert_allclose(arm.jacobian(q), numeric, atol=1e-7)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_leading_dimensions_do_not_change_the_result(model: str) -> None:
    arm, q = ArmKinematics.load(model), configurations(model, 6)
    for f in (arm.flange_pose, arm.jacobian, arm.singularity_distance):
        single = np.stack([f(row) for row in q])
        np.testing.assert_allclose(f(q.reshape(2, 3, -1)).reshape(single.shape), single, atol=1e-12)


def test_a_stretched_arm_is_at_a_singularity() -> None:
    arm = ArmKinematics.load("xarm7")
    assert arm.singularity_distance(np.zeros(7)) < 1e-9
    assert arm.singularity_distance(np.radians([0, -45, 0, 30, 0, 75, 0.0])) > 0.02


def test_no_number_gives_no_singularity_distance_and_leaves_the_others_alone() -> None:
    arm = ArmKinematics.load("xarm7")
    q = np.radians([[0, -45, 0, 30, 0, 75, 0.0]] * 2)
    q[0, 3] = np.nan
    distance = arm.singularity_distance(q)
    assert np.isnan(distance[0])
    assert distance[1] == arm.singularity_distance(q[1])


def test_an_unknown_arm_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match="xarm7"):
        ArmKinematics.load("xarm9")


def test_a_wrong_number_of_joints_is_refused() -> None:
    with pytest.raises(ValueError, match="7 joints"):
        ArmKinematics.load("xarm7").flange_pose(np.zeros(6))


def test_the_vendors_description_is_installed() -> None:
    assert Path(description_folder("xarm7")).is_dir()

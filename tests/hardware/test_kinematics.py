"""Our kinematics against the vendor's published model and against itself."""

from pathlib import Path
from xml.etree import ElementTree

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


# theta offset 0; a [m], d [m], alpha [quarter turns] per joint as Universal Robots prints them, standard DH
PUBLISHED = {
    "ur5": [
        *[(0.0, 0.089159, 1), (-0.425, 0.0, 0), (-0.39225, 0.0, 0)],
        *[(0.0, 0.10915, 1), (0.0, 0.09465, -1), (0.0, 0.0823, 0)],
    ],
    "ur5e": [
        *[(0.0, 0.1625, 1), (-0.425, 0.0, 0), (-0.3922, 0.0, 0)],
        *[(0.0, 0.1333, 1), (0.0, 0.0997, -1), (0.0, 0.0996, 0)],
    ],
}


@pytest.mark.parametrize("model", sorted(PUBLISHED))
def test_a_ur_flange_agrees_with_the_published_parameters(model: str) -> None:
    """Row by row as the vendor defines them: turn and shift along z, then shift and turn along x."""
    for q in configurations(model, 200):
        T = np.eye(4)
        for angle, (a, d, quarter) in zip(q, PUBLISHED[model], strict=True):
            c, s, ca, sa = np.cos(angle), np.sin(angle), [1.0, 0.0][quarter % 2], float(quarter)
            T = T @ [[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]]
        np.testing.assert_allclose(ArmKinematics.load(model).flange_pose(q), T, atol=1e-6)


def test_a_ur5_flange_agrees_with_the_urdf_whose_base_is_turned_by_half_a_turn() -> None:
    folder = description_folder("ur5")
    tree = ElementTree.parse(folder / "urdf" / "ur5_robot.urdf").getroot()
    for link in tree.iter("link"):
        for drawn in [*link.findall("visual"), *link.findall("collision")]:
            link.remove(drawn)
    tree.append(ElementTree.fromstring('<mujoco><compiler fusestatic="false"/></mujoco>'))
    urdf = mujoco.MjModel.from_xml_string(ElementTree.tostring(tree, encoding="unicode"))
    data, tool0 = mujoco.MjData(urdf), urdf.body("tool0").id
    half_turn = np.diag([-1.0, -1.0, 1.0])
    for q in configurations("ur5", 200):
        data.qpos[:] = q
        mujoco.mj_kinematics(urdf, data)
        T = ArmKinematics.load("ur5").flange_pose(q)
        np.testing.assert_allclose(half_turn @ data.xpos[tool0], T[:3, 3], atol=1e-6)
        assert rotation_angle(T[:3, :3], half_turn @ data.xmat[tool0].reshape(3, 3)) < 1e-6


@pytest.mark.parametrize("model", ["ur5", "ur5e"])
def test_a_straight_wrist_of_a_ur_is_at_a_singularity(model: str) -> None:
    arm = ArmKinematics.load(model)
    assert arm.singularity_distance(np.radians([0, -90, 90, -90, 0, 0.0])) < 1e-9
    assert arm.singularity_distance(np.radians([0, -90, 90, -90, -90, 0.0])) > 0.05


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

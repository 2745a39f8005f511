"""Inverse kinematics of whole paths: many start configurations at once, mink along the path, then polishing.

All poses are T_base_flange. The redundancy of a seven-joint arm goes to a posture that is the same for the whole
path, so the elbow moves no more than the tool makes it.
"""

from functools import lru_cache

import mink
import mujoco
import numpy as np

from hardware.geometry import Array, inverse, quaternion, rotation_vector
from hardware.kinematics import ArmKinematics

MAX_STEP = 0.25
REST_COST = 1e-3
SETTLE_STEPS, MINK_STEPS = 10, 2
# damping in proportion to the error: none where the pose is met, enough to keep a stretched arm from flipping
CALM = 0.05
POLISHED_M, LEFT_ALONE_M = 5e-4, 5e-3


def pose_error(T: Array, T_target: Array) -> Array:
    """Return (..., 6): position error [m] and rotation vector [rad], in base, that take T to T_target."""
    turn = T_target[..., :3, :3] @ np.swapaxes(T[..., :3, :3], -1, -2)
    return np.concatenate([T_target[..., :3, 3] - T[..., :3, 3], rotation_vector(turn)], axis=-1)


def newton_step(arm: ArmKinematics, q: Array, T_target: Array, q_rest: Array | None, pull: float) -> Array:
    """Return the damped least-squares step (K, J) [rad] towards T_target (K, 4, 4), at most MAX_STEP a joint.

    q_rest (J,) or (K, J) draws what the pose leaves free by the fraction `pull` (Liegeois 1977).
    """
    J = arm.jacobian(q)
    error = pose_error(arm.flange_pose(q), T_target)
    JT = np.swapaxes(J, -1, -2)
    # damping that vanishes with the error keeps far starts calm and the last steps quadratic (Sugihara 2011)
    damping = 0.01 * np.sum(error**2, axis=-1) + 1e-10
    A = J @ JT + damping[:, None, None] * np.eye(6)
    rest = np.zeros_like(q) if q_rest is None else pull * (q_rest - q)
    wanted = error - (J @ rest[..., None])[..., 0]
    step = (JT @ np.linalg.solve(A, wanted[..., None]))[..., 0] + rest
    largest = np.abs(step).max(axis=-1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, MAX_STEP / np.maximum(largest, 1e-12)))


def solve(
    arm: ArmKinematics,
    T_target: Array,
    q: Array,
    q_rest: Array | None = None,
    iterations: int = 40,
    pull: float = 0.1,
) -> tuple[Array, Array]:
    """Return q (K, J) within the joint limits and the error (K, 6) left, for T_target (K, 4, 4) from starts q.

    The last third of the iterations leaves the rest posture alone, so that the pose is met exactly.
    """
    q = np.array(q, float)
    for i in range(iterations):
        rest = q_rest if 3 * i < 2 * iterations else None
        q = np.clip(q + newton_step(arm, q, T_target, rest, pull), arm.q_lower, arm.q_upper)
    return q, pose_error(arm.flange_pose(q), T_target)


def track(arm: ArmKinematics, T_target: Array, q_first: Array, q_rest: Array) -> Array:
    """Return q (N, J) along T_target (N, 4, 4), starting near q_first (J,), with mink: a QP per sample.

    The QP weighs the pose, a rest posture q_rest (J,) and the joint limits; where the pose cannot be met it stays
    as near as it can. Follow it with `polish`.
    """
    configuration = mink.Configuration(
        _chain(arm.model, tuple(arm.q_lower), tuple(arm.q_upper)), q=np.array(q_first, float)
    )
    pose = mink.FrameTask("flange", "site", position_cost=1.0, orientation_cost=0.3, lm_damping=CALM)
    rest = mink.PostureTask(configuration.model, cost=REST_COST)
    rest.set_target(q_rest)
    limits = [mink.ConfigurationLimit(configuration.model)]
    found = np.empty((len(T_target), arm.n_joints))
    for i, T in enumerate(T_target):
        pose.set_target(mink.SE3(np.concatenate([quaternion(T[:3, :3]), T[:3, 3]])))
        # a fixed number of steps: stopping early at some samples would leave noise in the free posture
        for _ in range(SETTLE_STEPS if i == 0 else MINK_STEPS):
            velocity = mink.solve_ik(configuration, [pose, rest], 1.0, "daqp", limits=limits)
            step = velocity * min(1.0, MAX_STEP / max(float(np.abs(velocity).max()), 1e-12))
            configuration.integrate_inplace(step, 1.0)
        found[i] = np.clip(configuration.q, arm.q_lower, arm.q_upper)
    return found


def polish(arm: ArmKinematics, T_target: Array, q: Array, iterations: int = 3) -> Array:
    """Return q (N, J) moved the least that meets T_target (N, 4, 4): Newton steps on all samples at once.

    Samples over 5 mm (or 5 mrad) off are out of reach and stay as they are, with a soft edge from 0.5 mm on:
    pushing them would tear the path.
    """
    size = np.abs(pose_error(arm.flange_pose(q), T_target)).max(axis=1)
    share = np.clip((LEFT_ALONE_M - size) / (LEFT_ALONE_M - POLISHED_M), 0.0, 1.0)
    near = share > 0
    polished = np.array(q, float)
    if near.any():
        met = solve(arm, T_target[near], q[near], iterations=iterations)[0]
        polished[near] += share[near, None] * (met - q[near])
    return polished


@lru_cache
def _chain(model: str, q_lower: tuple[float, ...], q_upper: tuple[float, ...]) -> mujoco.MjModel:
    """The bare chain of joints of an arm model, with a site "flange", for mink."""
    arm = ArmKinematics.load(model)
    local = arm.joint_poses(np.zeros(arm.n_joints))
    local[1:] = inverse(local[:-1]) @ local[1:]
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    body = spec.worldbody
    for i, T in enumerate(local):
        body = body.add_body(pos=T[:3, 3], quat=quaternion(T[:3, :3]), mass=1.0, inertia=[1e-2] * 3)
        body.explicitinertial = True
        limits = [q_lower[i], q_upper[i]]
        body.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1], range=limits)
    flange = arm.T_last_flange
    body.add_site(name="flange", pos=flange[:3, 3], quat=quaternion(flange[:3, :3]))
    return spec.compile()

"""The gate lets every valid command pass bit for bit and refuses every other one by the right rule."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.gate import MIN_CLEARANCE_M, Gate, Refusal, Sent
from hardware.geometry import Array, transform
from hardware.kinematics import ArmKinematics
from hardware.planning import default_limits
from hardware.rig import load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import ArmLimits, ArmState, Box

RIG = load_rig()
ARM = RIG.arm("left")
TOOL = load_tool(BUILT_IN_TOOLS["rotation_gripper_left"])
ARM7 = ArmKinematics.load("xarm7")
DT = 0.01
OVER = 1.01
POSE = np.radians([0.0, -20.0, 0.0, 60.0, 0.0, 80.0, 0.0])
VALID, EACH = 50_000, 3_500


def gate_with(**limits: object) -> Gate:
    """The gate of the simulated rig's left arm, some limits replaced."""
    own = replace(default_limits(RIG, ARM), **limits)  # type: ignore[arg-type]
    return Gate.of(RIG, ARM, TOOL, ARM7, own, DT)


def free_limits() -> ArmLimits:
    """Limits that forbid nothing, so that one at a time can be drawn in."""
    far = np.full(7, 1e6)
    return ArmLimits(-far, far, far, far, 1e6, 1e6, np.array([[-9.0, -9, -9], [9, 9, 9]]), -9.0, 0.0, 1e6, 1e6, 1e6)


def commands(rng: np.random.Generator, n: int, gate: Gate) -> tuple[Sent, Array, Array, ArmState]:
    """N unrelated moments of gentle motion: what was sent last, the next q (N, 7) and t (N,), the measured state.

    They are drawn in the middle of the rig's box, away from singularities.
    """
    q_1 = POSE + rng.uniform(-0.15, 0.15, (n, 7))
    v_0 = rng.normal(size=(n, 7)) * 0.02
    v_1, v_2 = (v_0 + rng.uniform(-0.003, 0.003, (n, 7)) for _ in range(2))
    t_1 = rng.uniform(0, 100, n)
    dt_1, dt_2 = rng.uniform(0.9, 1.1, (2, n)) * DT
    before = gate.sent(None, q_1 - v_1 * dt_1[:, None], t_1 - dt_1)
    previous = gate.sent(before, q_1, t_1)
    wrench = np.concatenate([rng.uniform(-20, 20, (n, 3)), np.zeros((n, 3))], axis=1)
    measured = ArmState(0.0, q_1 + rng.uniform(-0.02, 0.02, (n, 7)), v_1, np.eye(4), "servo", wrench=wrench)
    return previous, q_1 + v_2 * dt_2[:, None], t_1 + dt_2, measured


def one(sent: Sent, i: int) -> Sent:
    return Sent(*(getattr(sent, name)[i] for name in Sent.__dataclass_fields__))


def state(measured: ArmState, i: int) -> ArmState:
    return replace(measured, q=measured.q[i], wrench=None if measured.wrench is None else measured.wrench[i])


def test_fifty_thousand_valid_commands_pass_unchanged_bit_for_bit() -> None:
    gate = gate_with()
    rng = np.random.default_rng(1)
    passed = 0
    while passed < VALID:
        previous, q, t, measured = commands(rng, 10_000, gate)
        now = gate.sent(previous, q, t)
        assert (gate.first_broken(previous, now, measured) == "").all()
        assert now.q.tobytes() == q.tobytes()
        assert now.t.tobytes() == t.tobytes()
        passed += len(q)


def test_valid_commands_pass_one_by_one_as_they_do_together() -> None:
    gate = gate_with()
    previous, q, t, measured = commands(np.random.default_rng(2), 2_000, gate)
    for i in range(len(q)):
        admitted = gate.admit(one(previous, i), q[i], float(t[i]), state(measured, i))
        assert isinstance(admitted, Sent), admitted
        assert admitted.q.tobytes() == q[i].tobytes()


def _one_joint(rng: np.random.Generator, value: Array, off: float) -> Array:
    """Limits (7,) that joint `j` alone breaks by 1%."""
    limits, j = np.full(7, off), int(rng.integers(7))
    limits[j] = value[j] / OVER if value[j] > 0 else value[j] * OVER
    return limits


def _joint_motion(value: Array, rng: np.random.Generator) -> Array:
    return _one_joint(rng, np.abs(value), 1e6)


def _acceleration(previous: Sent, now: Sent) -> Array:
    return np.asarray((now.dq - previous.dq) / ((now.dt + previous.dt) / 2))


def _tip_acceleration(previous: Sent, now: Sent) -> float:
    return float(np.linalg.norm(now.tip_velocity - previous.tip_velocity) / ((now.dt + previous.dt) / 2))


def _corner(now: Sent, rng: np.random.Generator) -> Array:
    """A workspace of 1 m that the tip leaves on one side by 1% of it."""
    axis, upper = int(rng.integers(3)), bool(rng.integers(2))
    box = now.tip + np.array([[-0.5], [0.5]])
    box[:, axis] = now.tip[axis] + ([-1.01, -0.01] if upper else [0.01, 1.01])
    return np.asarray(box)


LIMIT_CASES: dict[str, Callable[[Sent, Sent, ArmState, np.random.Generator], dict[str, object]]] = {
    "joint limit upper": lambda p, n, m, r: {"q_upper": _one_joint(r, n.q, 1e6)},
    "joint limit lower": lambda p, n, m, r: {"q_lower": -_one_joint(r, -n.q, 1e6)},
    "joint speed": lambda p, n, m, r: {"dq_max": _joint_motion(n.dq, r)},
    "joint acceleration": lambda p, n, m, r: {"ddq_max": _joint_motion(_acceleration(p, n), r)},
    "tip speed": lambda p, n, m, r: {"tip_speed": float(np.linalg.norm(n.tip_velocity)) / OVER},
    "tip acceleration": lambda p, n, m, r: {"tip_acceleration": _tip_acceleration(p, n) / OVER},
    "tip height": lambda p, n, m, r: {"min_tip_height": float(n.tip[2]) * OVER},
    "workspace": lambda p, n, m, r: {"workspace": _corner(n, r)},
    "singularity": lambda p, n, m, r: {"min_singularity": float(ARM7.singularity_distance(n.q)) * OVER},
    "following error": lambda p, n, m, r: {"following_error_rad": float(np.abs(m.q - p.q).max()) / OVER},
    "external force": lambda p, n, m, r: {"max_force": float(np.linalg.norm(m.wrench[:3])) / OVER},
}


@pytest.mark.parametrize("case", LIMIT_CASES)
def test_each_limit_broken_alone_by_one_percent_is_refused_by_its_name(case: str) -> None:
    rng = np.random.default_rng(sorted(LIMIT_CASES).index(case))
    free = replace(gate_with(), limits=free_limits(), keep_out=())
    previous, q, t, measured = commands(rng, EACH, free)
    together = free.sent(previous, q, t)
    assert (free.first_broken(previous, together, measured) == "").all(), "only the drawn limit makes a difference"
    for i in range(EACH):
        before, seen = one(previous, i), state(measured, i)
        drawn = replace(free.limits, **LIMIT_CASES[case](before, one(together, i), seen, rng))
        refusal = replace(free, limits=drawn).check(before, q[i], float(t[i]), seen)
        assert refusal is not None, (case, i)
        assert refusal.rule == case.removesuffix(" upper").removesuffix(" lower")


def test_a_first_command_off_the_measured_pose_by_one_percent_too_much_is_refused() -> None:
    rng, gate = np.random.default_rng(20), gate_with()
    _, q, t, measured = commands(rng, EACH, gate)
    for i in range(EACH):
        off = np.zeros(7)
        off[rng.integers(7)] = gate.limits.max_jump_rad * (1 if rng.integers(2) else -1)
        near = replace(state(measured, i), q=q[i] + off * 0.99)
        assert gate.check(None, q[i], float(t[i]), near) is None
        refusal = gate.check(None, q[i], float(t[i]), replace(near, q=q[i] + off * OVER))
        assert refusal is not None
        assert refusal.rule == "jump from the measured pose"


def test_a_tip_in_a_keep_out_box_by_one_percent_of_it_is_refused() -> None:
    rng, gate = np.random.default_rng(21), gate_with()
    previous, q, t, measured = commands(rng, EACH, gate)
    tip = gate.tip_world(q)
    for i in range(EACH):
        size, at = np.full(3, 0.1), rng.uniform(-0.04, 0.04, 3)
        at[rng.integers(3)] = 0.05 * 0.99
        inside = replace(gate, keep_out=(Box("camera", transform(np.eye(3), tip[i] - at), size),))
        refusal = inside.check(one(previous, i), q[i], float(t[i]), state(measured, i))
        assert refusal is not None
        assert (refusal.rule, refusal.what) == ("keep-out", "camera")


def test_a_time_that_goes_back_by_one_percent_of_a_cycle_is_refused() -> None:
    gate = gate_with()
    previous, q, _, measured = commands(np.random.default_rng(22), EACH, gate)
    for i in range(EACH):
        back = float(previous.t[i]) - 0.01 * DT
        refusal = gate.check(one(previous, i), q[i], back, state(measured, i))
        assert refusal is not None
        assert refusal.rule == "time since the last command"


def test_a_number_that_is_none_is_refused_wherever_it_stands() -> None:
    rng, gate = np.random.default_rng(23), gate_with()
    previous, q, t, measured = commands(rng, 1_000, gate)
    for i in range(1_000):
        bad, at = q[i].copy(), float(t[i])
        if i % 8 == 7:
            at = float(rng.choice([np.nan, np.inf, -np.inf]))
        else:
            bad[i % 8] = rng.choice([np.nan, np.inf, -np.inf])
        refusal = gate.check(one(previous, i), bad, at, state(measured, i))
        assert refusal is not None
        assert refusal.rule == "finite numbers"
        assert refusal.text == "left: the command holds nan or inf"


def test_an_arm_that_says_nonsense_of_itself_stops_the_stream() -> None:
    gate = gate_with()
    previous, q, t, measured = commands(np.random.default_rng(24), 1, gate)
    lost = replace(state(measured, 0), q=np.full(7, np.nan))
    refusal = gate.check(one(previous, 0), q[0], float(t[0]), lost)
    assert refusal is not None
    assert refusal.rule == "following error"


def test_a_clearance_under_the_least_one_is_refused() -> None:
    gate = gate_with()
    previous, q, t, measured = commands(np.random.default_rng(25), 1, gate)
    arguments = one(previous, 0), q[0], float(t[0]), state(measured, 0)
    assert gate.check(*arguments, clearance=MIN_CLEARANCE_M * OVER) is None
    refusal = gate.check(*arguments, clearance=MIN_CLEARANCE_M / OVER)
    assert refusal is not None
    assert refusal.rule == "collision"


def test_a_refusal_says_arm_rule_amount_limit_and_unit() -> None:
    text = Refusal("left", "joint speed", 1.2345678, 1.0, "rad/s", "joint 3").text
    assert text == "left: joint speed of joint 3 is 1.2346 rad/s, over the limit of 1 rad/s"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 40))
def test_a_path_is_refused_exactly_where_its_first_command_is(seed: int, n: int) -> None:
    rng, gate = np.random.default_rng(seed), gate_with(ddq_max=np.full(7, 1e6))
    q = ARM.home + np.cumsum(rng.normal(size=(n, 7)) * rng.choice([1e-6, 1e-4, 3e-3]), axis=0)
    t = np.arange(n) * DT
    previous, expected = None, None
    for k in range(n):
        admitted = gate.admit(previous, q[k], float(t[k]))
        if isinstance(admitted, Refusal):
            expected = (admitted.rule, float(t[k]))
            break
        previous = admitted
    found = gate.check_path(t, q)
    assert (None if found is None else (found[0].rule, found[1])) == expected


def test_wrong_numbers_of_joints_and_empty_paths_are_refused_in_words() -> None:
    gate = gate_with()
    refusal = gate.check(None, np.zeros(6), 0.0)
    assert refusal is not None
    assert "number of joints is 6" in refusal.text
    empty = gate.check_path(np.zeros(0), np.zeros((0, 7)))
    assert empty is not None
    assert "number of samples is 0" in empty[0].text

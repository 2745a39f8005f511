"""Two emulated arms behind the vendor's SDK: they run what was approved, and they stop for every reason to stop."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hardware.plan_file import sealed
from hardware.robots import arm_group
from hardware.robots.arm_group import ArmGroup
from hardware.robots.base import ArmError
from hardware.robots.emulator.process import EmulatorProcess, Fault
from hardware.robots.run_memory import MAX_COMMANDS
from hardware.robots.servo_path import PAUSE_RAMP_S
from hardware.robots.servo_processes import ServoProcesses
from hardware.safety import APPROVAL_S, ApprovalError, PlanApproval, approve_plan, grant_motion
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Plan
from tests.hardware.robots.servo_rig import ARMS, STEP, ServoRig, plan_of, servo_rig, two_arm_rig

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def _rig() -> Iterator[ServoRig]:
    with servo_rig() as rig:
        yield rig


@pytest.fixture
def rig(_rig: ServoRig) -> ServoRig:
    """Both arms at home, standing, connected."""
    if _rig.group.progress().state == "running":
        _rig.group.stop("the last test left it running")
        _rig.until_ended()
    _rig.reset()
    if set(_rig.group.connections) != set(ARMS) or not _rig.group._servos.all_alive:
        _rig.group.connect()
    deadline = time.monotonic() + 30.0
    while any(np.abs(s.q - _rig.rig.arm(a).home).max() > 1e-3 for a, s in _rig.group.states().items()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return _rig


def pids(group: ArmGroup) -> dict[str, int]:
    return dict(group._servos.pids)


def test_two_arms_run_a_plan_to_its_end_from_one_instant(rig: ServoRig) -> None:
    plan = rig.plan(1.0, swing=0.04)
    rig.run(plan)
    assert rig.until_ended().end == "done"
    result = rig.group.result()
    assert result is not None
    assert (result.end, result.plan_time) == ("done", pytest.approx(plan.duration))
    for arm in plan.arms:
        record = result.arms[arm.arm]
        assert record.commanded.tobytes() == arm.q.tobytes(), "commands reach the arm bit for bit"
        np.testing.assert_array_equal(record.sent, record.commanded.astype(np.float32))
        np.testing.assert_allclose(record.plan_time, plan.t, atol=1e-12)
        assert (np.diff(record.t_sent) > 0).all()
        assert np.abs(record.measured - record.commanded).max() < 0.05
        np.testing.assert_allclose(rig.group.states()[arm.arm].q, arm.q[-1], atol=5e-3)
    first, second = (record.t_sent for record in result.arms.values())
    assert abs(first[0] - second[0]) < 0.1


def test_stop_stops_both_arms_half_way(rig: ServoRig) -> None:
    rig.run(rig.plan(4.0, swing=0.15))
    rig.until_moving()
    assert rig.speed() > 0.01
    rig.group.stop("a person pressed Stop")
    progress = rig.until_ended()
    assert (progress.end, progress.message) == ("stopped", "a person pressed Stop")
    assert progress.plan_time < 3.0
    rig.until_standing()
    assert all(state.mode != "servo" or not state.moving for state in rig.group.states().values())


def test_a_stop_between_prepare_and_start_voids_the_start(rig: ServoRig) -> None:
    plan = rig.plan(1.0)
    rig.group.prepare(plan, rig.approve(plan))
    rig.group.stop("second thoughts")
    rig.group.start()
    progress = rig.until_ended()
    assert (progress.end, progress.message, progress.plan_time) == ("stopped", "second thoughts", 0.0)
    assert rig.speed() == 0.0


def test_a_stop_while_the_arms_prepare_voids_the_start(rig: ServoRig, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, ask = rig.plan(1.0), ServoProcesses.ask

    def stopped_meanwhile(servos: ServoProcesses, *arguments: Any) -> Any:
        rig.group.stop("in between")
        return ask(servos, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ServoProcesses, "ask", stopped_meanwhile)
        rig.group.prepare(plan, rig.approve(plan))
    rig.group.start()
    progress = rig.until_ended()
    assert (progress.end, progress.message, progress.plan_time) == ("stopped", "in between", 0.0)


def test_pausing_slows_down_along_the_path_and_resuming_takes_a_fresh_approval(rig: ServoRig) -> None:
    plan = rig.plan(3.0, swing=0.12)
    approval = rig.approve(plan)
    rig.group.prepare(plan, approval)
    rig.group.start()
    rig.until_moving()
    rig.group.pause()
    progress = rig.until_ended()
    assert progress.end == "paused"
    assert progress.plan_time < plan.duration - 0.5
    for arm, record in rig.group.records().items():
        speed = np.diff(record.commanded, axis=0) / STEP
        assert np.abs(speed[-1]).max() < 1e-3, "it comes to rest"
        limits = plan.limits[arm]
        assert (np.abs(np.diff(speed, axis=0) / STEP) < limits.ddq_max).all(), "it does not jerk"
        assert record.plan_time[-1] - record.plan_time[-round(PAUSE_RAMP_S / STEP) - 1] < PAUSE_RAMP_S
    ends = [float(record.plan_time[-1]) for record in rig.group.records().values()]
    assert abs(ends[0] - ends[1]) < 0.05, "all arms stop at one place of the plan"
    with pytest.raises(ApprovalError, match="used already"):
        rig.group.resume(plan, approval)
    rest = rig.plan(1.0)
    rig.group.resume(rest, rig.approve(rest))
    assert rig.until_ended().end == "done"


def test_a_silent_window_stops_both_arms(rig: ServoRig) -> None:
    rig.run(rig.plan(5.0, swing=0.15))
    rig.until_moving()
    progress = rig.until_ended(beat=False)
    assert progress.end == "stopped"
    assert "the window did not answer for 5" in progress.message
    rig.until_standing()


FAULTS = {
    "error": (Fault("error", code=31), r"31|ollision"),
    "link lost": (Fault("drop_link"), "left"),
    "no answers": (Fault("silent"), "left"),
    "controller hangs": (Fault("freeze"), "left"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_trouble_of_one_arm_stops_both(rig: ServoRig, what: str) -> None:
    fault, words = FAULTS[what]
    rig.run(rig.plan(5.0, swing=0.15))
    rig.until_moving()
    rig.emulators["left"].inject(fault)
    progress = rig.until_ended()
    assert progress.end == "fault"
    assert progress.plan_time < 4.0
    assert re.search(words, progress.message), progress.message
    rig.until_standing(5.0)
    rig.emulators["left"].inject(Fault("none"))
    if what == "error":
        plan = rig.plan(1.0)
        with pytest.raises(ArmError, match="clear"):
            rig.group.prepare(plan, rig.approve(plan))
        rig.group.clear_errors()
        assert rig.group.states()["left"].error_code == 0
    else:
        rig.group.connect()
    again = rig.plan(1.0)
    rig.run(again)
    assert rig.until_ended().end == "done"


def test_a_servo_process_that_dies_or_hangs_stops_the_other_arm() -> None:
    with servo_rig() as rig:
        for blow, words in ((signal.SIGKILL, "has ended"), (signal.SIGSTOP, "did not answer")):
            rig.run(rig.plan(5.0, swing=0.15))
            rig.until_moving()
            victim = pids(rig.group)["left"]
            os.kill(victim, blow)
            seen = rig.until(lambda _: rig.group._servos.stop_line.reason() is not None)
            assert seen.plan_time < 4.0
            if blow != signal.SIGKILL:
                os.kill(victim, signal.SIGKILL)
            progress = rig.until_ended()
            assert progress.end == "fault"
            assert f"left: its servo process {words}" in progress.message
            rig.until_standing()
            rig.group.connect()


def test_a_computer_too_busy_for_its_arms_stops_them_and_does_not_hurry_after() -> None:
    with servo_rig() as rig:
        rig.run(rig.plan(5.0, swing=0.15))
        rig.until_moving()
        servos = pids(rig.group).values()
        for blow in (signal.SIGSTOP, signal.SIGCONT):
            for pid in servos:
                os.kill(pid, blow)
            time.sleep(0.35)
        progress = rig.until_ended()
        assert progress.end == "fault", progress.message
        assert "late with a command" in progress.message or "did not answer" in progress.message
        assert progress.plan_time < 4.0
        rig.until_standing()


def test_reconnecting_voids_what_was_approved_before(rig: ServoRig) -> None:
    plan = rig.plan(1.0)
    approval = rig.approve(plan)
    rig.group.connect()
    with pytest.raises(ApprovalError, match="connected again"):
        rig.group.prepare(plan, approval)


def an_edited_plan(plan: Plan) -> Plan:
    q = plan.arms[0].q.copy()
    q[3, 0] += 1e-6
    return sealed(replace(plan, arms=(replace(plan.arms[0], q=q), plan.arms[1])))


def approved_at(rig: ServoRig, plan: Plan, now: float) -> PlanApproval:
    return approve_plan(plan, person="Ada", connections=rig.group.connections, now=now)


REFUSED: dict[str, tuple[Callable[[ServoRig, Plan], tuple[Plan, object]], str]] = {
    "edited after": (lambda rig, plan: (an_edited_plan(plan), rig.approve(plan)), "for another plan"),
    "expired": (lambda rig, plan: (plan, approved_at(rig, plan, time.monotonic() - APPROVAL_S - 1)), "expired"),
    "of one arm": (
        lambda rig, plan: (plan, rig.approve(rig.plan(1.0, arms=("left",)))),
        "the plan moves left, right",
    ),
    "of another calibration": (
        lambda rig, plan: (sealed(replace(plan, rig_sha256="other")), rig.approve(plan)),
        "another rig file",
    ),
    "not an approval": (lambda rig, plan: (plan, "yes"), "not an approval"),
    "a motion grant": (
        lambda rig, plan: (
            plan,
            grant_motion(
                person="Ada",
                connections=rig.group.connections,
                rig_sha256=plan.rig_sha256,
                tip_speed=1.0,
                now=time.monotonic(),
            ),
        ),
        "move an arm by hand",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_servo_process_itself_refuses_what_is_not_approved(
    rig: ServoRig, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, words = REFUSED[what]
    plan, approval = make(rig, rig.plan(1.0))
    # as if the window had forgotten to look
    monkeypatch.setattr(arm_group, "check_approval", lambda *_, **__: None)
    with pytest.raises(ApprovalError, match=words):
        rig.group.prepare(plan, approval)  # type: ignore[arg-type]
    with pytest.raises(ApprovalError, match="nothing is prepared"):
        rig.group.start()


def test_changed_limits_of_the_controller_void_the_approval(rig: ServoRig, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, own = rig.plan(1.0), rig.group.connections
    others = {arm: replace(c, limits=replace(c.limits, max_force=59.0)) for arm, c in own.items()}
    limits = {arm: c.limits for arm, c in others.items()}
    plan = plan_of(rig.rig, rig.tools, {arm.arm: arm.q for arm in plan.arms}, limits)
    approval = approve_plan(plan, person="Ada", connections=others, now=time.monotonic())
    monkeypatch.setattr(arm_group, "check_approval", lambda *_, **__: None)
    with pytest.raises(ApprovalError, match="its limits changed"):
        rig.group.prepare(plan, approval)


def test_an_approval_that_expires_before_the_start_does_not_start(rig: ServoRig) -> None:
    plan = rig.plan(1.0)
    approval = approved_at(rig, plan, time.monotonic() - APPROVAL_S + 3.0)
    rig.group.prepare(plan, approval)
    time.sleep(max(approval.expires_at - time.monotonic() + 0.01, 0.0))
    with pytest.raises(ApprovalError, match="expired before the start"):
        rig.group.start()


def test_an_approval_holds_for_one_run(rig: ServoRig) -> None:
    plan = rig.plan(0.5, swing=0.01)
    approval = rig.approve(plan)
    rig.group.prepare(plan, approval)
    rig.group.start()
    assert rig.until_ended().end == "done"
    with pytest.raises(ApprovalError, match="used already"):
        rig.group.prepare(plan, approval)


def bent(plan: Plan, **changes: object) -> Plan:
    return sealed(replace(plan, **changes))  # type: ignore[arg-type]


def with_joints(rig: ServoRig, plan: Plan, change: Callable[[np.ndarray], np.ndarray]) -> Plan:
    q = {arm.arm: change(arm.q.copy()) if arm.arm == "left" else arm.q for arm in plan.arms}
    return plan_of(rig.rig, rig.tools, q, plan.limits)


def spoiled(at: int, by: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(q: np.ndarray) -> np.ndarray:
        q[at, 3] += by
        return q

    return change


def reversed_time(plan: Plan) -> Plan:
    t = plan.t.copy()
    t[[4, 5]] = t[[5, 4]]
    return bent(plan, t=t)


BAD_PLANS: dict[str, tuple[Callable[[ServoRig, Plan], Plan], str]] = {
    "nan": (lambda r, p: with_joints(r, p, spoiled(5, np.nan)), r"nan or inf \(at 0\.05 s"),
    "inf at the start": (lambda r, p: with_joints(r, p, spoiled(0, np.inf)), "nan or inf"),
    "jump half way": (lambda r, p: with_joints(r, p, spoiled(5, 0.1)), r"joint speed of joint 4 .*at 0\.05 s"),
    "starts elsewhere": (lambda r, p: with_joints(r, p, lambda q: q + 0.05), "not where the plan starts"),
    "reversed time": (lambda r, p: reversed_time(p), "time goes back"),
    "time that is none": (lambda r, p: bent(p, t=p.t * np.nan), "not a number"),
    "empty": (lambda r, p: plan_of(r.rig, r.tools, {a: np.zeros((0, 7)) for a in ARMS}, p.limits), "0 samples"),
    "one sample": (lambda r, p: plan_of(r.rig, r.tools, {a.arm: a.q[:1] for a in p.arms}, p.limits), "1 samples"),
    "too long": (
        lambda r, p: plan_of(
            r.rig, r.tools, {a.arm: np.repeat(a.q[:1], MAX_COMMANDS + 1, 0) for a in p.arms}, p.limits
        ),
        f"{MAX_COMMANDS + 1} samples",
    ),
    "too slow a clock": (lambda r, p: bent(p, t=p.t * 10), "evenly"),
    "too fast a clock": (lambda r, p: bent(p, t=p.t / 10), "evenly"),
    "another tool": (
        lambda r, p: bent(p, arms=(replace(p.arms[0], tool="spoon"), p.arms[1])),
        "planned for tool 'spoon'",
    ),
    "six joints": (lambda r, p: bent(p, arms=(replace(p.arms[0], q=p.arms[0].q[:, :6]), p.arms[1])), "shape"),
    "out of the box": (
        lambda r, p: plan_of(
            r.rig,
            r.tools,
            {a.arm: a.q for a in p.arms},
            {a: replace(v, workspace=np.array([[-0.1, -0.1, 0.0], [0.1, 0.1, 0.1]])) for a, v in p.limits.items()},
        ),
        "workspace of",
    ),
}


@pytest.mark.parametrize("what", BAD_PLANS)
def test_a_bad_plan_is_refused_in_words_even_when_somebody_approved_it(rig: ServoRig, what: str) -> None:
    spoil, words = BAD_PLANS[what]
    plan = spoil(rig, rig.plan(0.5, swing=0.01))
    with pytest.raises(ArmError, match=words):
        rig.group.prepare(plan, rig.approve(plan))
    assert rig.speed() == 0.0


def test_an_arm_that_was_moved_after_planning_does_not_start(rig: ServoRig) -> None:
    plan = rig.plan(1.0)
    home = rig.rig.arm("right").home
    rig.emulators["right"].place(home + 0.04)
    time.sleep(0.1)
    with pytest.raises(ArmError, match="right: jump from the measured pose"):
        rig.group.prepare(plan, rig.approve(plan))


def test_a_plan_of_ten_thousand_samples_runs_and_can_be_stopped(rig: ServoRig) -> None:
    plan = rig.plan(99.99, swing=0.1)
    assert len(plan.t) == 10_000
    rig.run(plan)
    rig.until(lambda progress: progress.plan_time > 0.2)
    assert rig.group.progress().duration == pytest.approx(99.99)
    rig.group.stop()
    assert rig.until_ended().end == "stopped"


def test_one_arm_alone_runs_while_the_other_stands(rig: ServoRig) -> None:
    plan = rig.plan(0.5, swing=0.01, arms=("right",))
    rig.run(plan)
    assert rig.until_ended().end == "done"
    assert set(rig.group.records()) == {"right"}
    assert np.abs(rig.emulators["left"].joints().q - rig.rig.arm("left").home).max() < 1e-6


def test_connections_tell_limits_kinematics_and_that_the_arms_are_emulated(rig: ServoRig) -> None:
    for arm, connection in rig.group.connections.items():
        assert connection.emulated
        assert connection.arm == arm
        assert connection.rig_sha256 == rig.rig.sha256
        assert connection.limits.tip_speed <= rig.rig.safety.tip_speed
        assert connection.kinematics_m < 1e-4
        assert connection.kinematics_rad < 1e-3


def test_an_arm_whose_controller_has_another_geometry_cannot_be_approved() -> None:
    whole = two_arm_rig()
    rig = replace(whole, arms=whole.arms[:1])
    arm, tool = rig.arms[0], load_tool(BUILT_IN_TOOLS["rotation_gripper_left"])
    with (
        EmulatorProcess(arm.address, q_start=arm.home, kinematics_error_mm=3.0) as emulator,
        ArmGroup(rig, {arm.name: tool}, nonces={arm.name: emulator.nonce}) as group,
    ):
        found = group.connect()[arm.name]
        assert found.kinematics_m == pytest.approx(3e-3, rel=0.2)
        plan = plan_of(rig, {arm.name: tool}, {arm.name: np.repeat(arm.home[None], 5, 0)}, {arm.name: found.limits})
        with pytest.raises(ApprovalError, match="our kinematics and the controller's differ by"):
            approve_plan(plan, person="Ada", connections=group.connections, now=time.monotonic())

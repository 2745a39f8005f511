"""It must survive what controllers, cables, clocks and other programs do while arms move (docs/safety.md)."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware.gate import MIN_CLEARANCE_M
from hardware.geometry import Array, apply, inverse
from hardware.kinematics import ArmKinematics
from hardware.plan_file import sealed
from hardware.planner.inverse import solve
from hardware.planner.rest import plan_move
from hardware.robots import arm_group
from hardware.robots.arm_group import ArmGroup
from hardware.robots.base import ArmError
from hardware.robots.emulator.config import CONTROL_PORT
from hardware.robots.emulator.frames import Frame, decode, encode
from hardware.robots.emulator.process import EmulatorProcess, Fault
from hardware.safety import ApprovalError
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Plan
from tests.hardware.robots.servo_rig import (
    ARMS,
    STEP,
    ServoRig,
    own_address,
    plan_of,
    servo_rig,
    swing_path,
    switch_force_sensor,
    two_arm_rig,
)
from tests.hardware.robots.wire_tap import SERVO_J, WireTap

pytestmark = pytest.mark.alone

KINEMATICS = ArmKinematics.load("xarm7")
SET_STATE, SET_MODE = 12, 19
SMALL, LARGE = (2, 20), (10, 100)


@pytest.fixture(scope="module")
def _rig() -> Iterator[ServoRig]:
    with servo_rig() as rig:
        yield rig


@pytest.fixture
def rig(_rig: ServoRig) -> ServoRig:
    """Both arms at home without faults, standing, connected."""
    _rig.reset()
    _rig.group.connect()
    at_home(_rig)
    return _rig


def at_home(rig: ServoRig) -> None:
    home = {arm.name: arm.home for arm in rig.rig.arms}
    deadline = time.monotonic() + 30.0
    while any(np.abs(state.q - home[arm]).max() > 1e-3 for arm, state in rig.group.states().items()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def moving(rig: ServoRig) -> None:
    run_far(rig, rig.plan(5.0, swing=0.15))


def run_far(rig: ServoRig, plan: Plan) -> None:
    """Until both arms are further from the start than a first command may be."""
    rig.run(plan)
    start = {arm.arm: arm.q[0] for arm in plan.arms}
    rig.until(
        lambda progress: (
            progress.end is not None
            or min(np.abs(s.q - start[a]).max() for a, s in rig.group.states().items()) > 0.05
        )
    )
    assert rig.group.progress().end is None, rig.group.progress()


def resumes_only_after_approval(rig: ServoRig, old: Plan) -> None:
    """Nothing goes on by itself; the old approval is used; a fresh one of the way from here is what it takes."""
    stood = [emulator.joints().q for emulator in rig.emulators.values()]
    time.sleep(0.3)
    for before, emulator in zip(stood, rig.emulators.values(), strict=True):
        np.testing.assert_allclose(emulator.joints().q, before, atol=1e-6)
    with pytest.raises(ApprovalError, match="nothing is prepared"):
        rig.group.start()
    assert max(np.abs(s.q - old.arms[i].q[0]).max() for i, s in enumerate(rig.group.states().values())) > 0.03
    with pytest.raises(ArmError, match="not where the plan starts"):
        rig.group.prepare(old, rig.approve(old))
    approach = way_home(rig)
    rig.run(approach)
    assert rig.until_ended(30.0).end == "done"


def way_home(rig: ServoRig) -> Plan:
    """The approach from where the arms stand, as the planner makes it."""
    home = {arm.name: arm.home for arm in rig.rig.arms}
    limits = {arm: connection.limits for arm, connection in rig.group.connections.items()}
    q_start = {arm: state.q for arm, state in rig.group.states().items()}
    return sealed(plan_move(home, rig.rig, limits, tools=rig.tools, q_start=q_start, name="home"))


@pytest.mark.parametrize("what", ["protective_stop", "emergency_stop"])
def test_a_stop_at_the_controller_stops_both_arms_and_needs_clearing(rig: ServoRig, what: str) -> None:
    plan = rig.plan(5.0, swing=0.15)
    run_far(rig, plan)
    rig.emulators["left"].inject(Fault(what))  # type: ignore[arg-type]
    progress = rig.until_ended()
    assert progress.end == "fault"
    assert "left" in progress.message
    rig.until_standing()
    again = rig.plan(1.0)
    with pytest.raises(ArmError, match="clear"):
        rig.group.prepare(again, rig.approve(again))
    if what == "emergency_stop":
        with pytest.raises(ArmError):
            rig.group.clear_errors()  # the button is still pressed
        rig.emulators["left"].inject(Fault("none"))
    rig.group.clear_errors()
    resumes_only_after_approval(rig, plan)


def test_a_link_that_was_cut_and_came_back_does_not_go_on(rig: ServoRig) -> None:
    plan = rig.plan(5.0, swing=0.15)
    approval = rig.approve(plan)
    run_far(rig, plan)
    rig.emulators["left"].inject(Fault("drop_link"))
    assert rig.until_ended().end == "fault"
    rig.until_standing()
    rig.emulators["left"].inject(Fault("none"))
    rig.group.connect()
    with pytest.raises(ApprovalError):
        rig.group.prepare(plan, approval)
    resumes_only_after_approval(rig, plan)


def test_the_wall_clock_may_jump_while_arms_move(rig: ServoRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person or a time server sets the clock: run, approval and heartbeat count by the monotonic one."""
    plan = rig.plan(1.5, swing=0.04)
    approval = rig.approve(plan)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    rig.group.prepare(plan, approval)
    rig.group.start()
    rig.until_moving()
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert rig.until_ended().end == "done"


def test_nothing_that_moves_arms_reads_the_wall_clock() -> None:
    """What a test of one process cannot see in the others: their source has no other clock."""
    folder = Path(arm_group.__file__).parent
    files = [*folder.glob("*.py"), folder.parent / "safety.py", folder.parent / "gate.py"]
    assert len(files) > 10
    for file in files:
        text = file.read_text()
        assert "time.time(" not in text, file
        assert "datetime" not in text, file


def test_a_push_on_the_tool_over_the_limit_stops_both_arms(rig: ServoRig) -> None:
    """65 N: more than the rig's 60, less than what the controller itself takes for a collision."""
    switch_force_sensor(rig.emulators["left"].address, on=True)
    rig.group.connect()
    moving(rig)
    assert rig.group.states()["left"].wrench is not None
    rig.emulators["left"].inject(Fault("external_force", wrench=(0.0, 65.0, 0.0, 0.0, 0.0, 0.0)))
    progress = rig.until_ended()
    assert progress.end == "fault"
    assert "left: external force" in progress.message
    rig.until_standing()
    switch_force_sensor(rig.emulators["left"].address, on=False)


@pytest.mark.parametrize("registers", [(SET_MODE,), (SET_MODE, SET_STATE)], ids=["another mode", "and ready in it"])
def test_a_second_client_at_the_controller_stops_the_run(rig: ServoRig, registers: tuple[int, ...]) -> None:
    """Another program takes the arm out of servo mode while it moves: nothing is streamed into the other mode."""
    moving(rig)
    with socket.create_connection((rig.emulators["left"].address, CONTROL_PORT), 3.0) as link:
        for register in registers:
            link.sendall(encode(Frame(1, 2, register, b"\x00")))
            assert decode(link.recv(1024))[0]
        progress = rig.until_ended()
    assert progress.end == "fault"
    assert "left" in progress.message
    rig.until_standing()
    rig.group.clear_errors()
    again = rig.plan(0.5, swing=0.01)
    rig.run(again)
    assert rig.until_ended().end == "done"


def colliding(rig: ServoRig) -> Plan:
    """Both tools go slowly to one place half way between them; every limit of a single arm holds."""
    arms, states = {arm: rig.rig.arm(arm) for arm in ARMS}, rig.group.states()
    T = {arm: KINEMATICS.flange_pose(states[arm].q) @ rig.tools[arm].T_flange_tool for arm in ARMS}
    place = np.mean([(arms[arm].T_world_base @ T[arm])[:3, 3] for arm in ARMS], axis=0)
    place[2] -= 0.2  # within comfortable reach
    paths, x = {}, np.linspace(0.0, 1.0, 1500)[:, None]
    for arm in ARMS:
        T[arm][:3, 3] = apply(inverse(arms[arm].T_world_base), place[None])[0]
        q, error = solve(KINEMATICS, (T[arm] @ inverse(rig.tools[arm].T_flange_tool))[None], states[arm].q[None])
        assert np.abs(error).max() < 1e-3
        paths[arm] = states[arm].q + (q[0] - states[arm].q) * (10 * x**3 - 15 * x**4 + 6 * x**5)
    limits = {arm: connection.limits for arm, connection in rig.group.connections.items()}
    return plan_of(rig.rig, rig.tools, paths, limits)


def test_the_servo_process_refuses_a_plan_in_which_tools_collide(rig: ServoRig) -> None:
    plan = colliding(rig)
    with pytest.raises(
        ArmError, match=f"collision: the plan comes within .*{MIN_CLEARANCE_M * 1e3:.0f} mm are needed"
    ):
        rig.group.prepare(plan, rig.approve(plan))
    assert rig.speed() == 0.0


def spoiled(rng: np.random.Generator, q: Array, limits: object) -> Array:
    """A path of which every second command may not follow: no number, a jump, or over a joint's limit."""
    bad = q.copy()
    for k in range(1, len(bad), 2):
        j, kind = int(rng.integers(7)), int(rng.integers(3))
        if kind == 0:
            bad[k, j] = rng.choice([np.nan, np.inf, -np.inf])
        elif kind == 1:
            bad[k, j] += rng.choice([-1, 1]) * limits.dq_max[j] * STEP * 2.2  # type: ignore[attr-defined]
        else:
            bad[k, j] = limits.q_upper[j] + 0.01  # type: ignore[attr-defined]
    return bad


@pytest.mark.parametrize(
    "size", [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="2000", marks=pytest.mark.slow)]
)
def test_only_good_plans_of_many_reach_the_wire_of_a_servo_process(size: tuple[int, int]) -> None:
    """Half of all plans are spoiled; what comes out of the servo process is the other half, bit for bit."""
    plans, samples = size
    rng, whole = np.random.default_rng(4), two_arm_rig()
    arm = whole.arms[0]
    rig, tools = replace(whole, arms=(arm,)), {arm.name: load_tool(BUILT_IN_TOOLS["rotation_gripper_left"])}
    good: list[Array] = []
    with ExitStack() as stack:
        emulator = stack.enter_context(EmulatorProcess(own_address(), q_start=arm.home))
        tap = stack.enter_context(WireTap(arm.address, emulator.address))
        group = stack.enter_context(ArmGroup(rig, tools, nonces={arm.name: emulator.nonce}))
        limits = group.connect()[arm.name].limits
        servo = ServoRig(rig, tools, {arm.name: emulator}, group)
        tap.take()
        for number in range(plans):
            if number % 100 == 0:
                at_home(servo)
            path = swing_path(arm.home, (samples - 1) * STEP, 0.02 * (samples / 100) ** 2)
            good.append(path)
            bad = plan_of(rig, tools, {arm.name: spoiled(rng, path, limits)}, {arm.name: limits})
            with pytest.raises(ArmError):
                group.prepare(bad, servo.approve(bad))
            servo.run(plan_of(rig, tools, {arm.name: path}, {arm.name: limits}))
            assert servo.until_ended().end == "done"
        sent = [seen.joints for seen in tap.take() if seen.register == SERVO_J]
    np.testing.assert_array_equal(np.array(sent, np.float32), np.concatenate(good).astype(np.float32))

"""Two emulated arms, their servo processes and small plans for them, for the tests of the rules of motion."""

import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.plan_file import sealed
from hardware.rig import Rig, load_rig
from hardware.robots.arm_group import ArmGroup, Progress
from hardware.robots.emulator.config import CONTROL_PORT
from hardware.robots.emulator.frames import Frame, decode, encode
from hardware.robots.emulator.process import EmulatorProcess, Fault
from hardware.safety import PlanApproval, approve_plan
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.trajectory import Clock
from hardware.types import ArmLimits, ArmPlan, Phase, Plan, Tool

STEP = 0.01
FORCE_SENSOR = 201
ARMS = ("left", "right")
_numbers = itertools.count(1)


def own_address() -> str:
    """A loopback address that nobody else on this machine uses."""
    return f"127.{90 + os.getpid() // 250 % 100}.{1 + os.getpid() % 250}.{next(_numbers)}"


@dataclass(frozen=True, eq=False)
class ServoRig:
    """A running pair: rig, tools, emulators by arm and the group that drives them."""

    rig: Rig
    tools: Mapping[str, Tool]
    emulators: Mapping[str, EmulatorProcess]
    group: ArmGroup

    def plan(self, seconds: float = 1.0, swing: float = 0.05, arms: tuple[str, ...] = ARMS) -> Plan:
        """A gentle swing of joints 1 and 6 and back, from where the arms stand, ending there."""
        states, limits = self.group.states(), {arm: self.group.connections[arm].limits for arm in arms}
        q = {arm: swing_path(states[arm].q, seconds, swing) for arm in arms}
        return plan_of(self.rig, self.tools, q, limits)

    def approve(self, plan: Plan, scene: str = "") -> PlanApproval:
        connections = {arm.arm: self.group.connections[arm.arm] for arm in plan.arms}
        return approve_plan(plan, person=None, connections=connections, now=time.monotonic(), scene=scene)

    def run(self, plan: Plan) -> None:
        """Approve, prepare and start."""
        self.group.prepare(plan, self.approve(plan))
        self.group.start()

    def until(self, done: Callable[[Progress], bool], timeout: float = 30.0, beat: bool = True) -> Progress:
        """Wait, with heartbeats, until done(progress)."""
        deadline = time.monotonic() + timeout
        while True:
            if beat:
                self.group.heartbeat()
            progress = self.group.progress()
            if done(progress):
                return progress
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing came of it: {progress}")
            time.sleep(0.01)

    def until_ended(self, timeout: float = 30.0, beat: bool = True) -> Progress:
        return self.until(lambda progress: progress.state == "ended", timeout, beat)

    def until_moving(self) -> Progress:
        """Both arms are well on their way."""
        return self.until(lambda progress: progress.plan_time > 0.4 and min(self.speeds()) > 0.02)

    def speeds(self) -> list[float]:
        """[rad/s] of the fastest joint of every arm, by the emulators themselves."""
        return [float(np.abs(emulator.joints().dq).max()) for emulator in self.emulators.values()]

    def speed(self) -> float:
        """[rad/s] of the fastest joint of all arms."""
        return max(self.speeds())

    def until_standing(self, timeout: float = 3.0) -> None:
        deadline = time.monotonic() + timeout
        while self.speed() > 1e-4:
            if time.monotonic() > deadline:
                raise TimeoutError(f"an arm still moves with {self.speed():.4f} rad/s")
            time.sleep(0.005)

    def reset(self) -> None:
        """Arms at home without faults, connected: as a new test expects them."""
        for arm in self.rig.arms:
            self.emulators[arm.name].inject(Fault("none"))
            self.emulators[arm.name].place(arm.home)


def swing_path(q: Array, seconds: float, swing: float) -> Array:
    """(N, J) from q to q + swing on joints 1 and 6 and back, in `seconds`, at rest at both ends."""
    clock = Clock(1.0, 2.0 / seconds, seconds / 2)
    t = np.arange(round(seconds / STEP) + 1) * STEP
    return np.asarray(
        q + np.sin(np.pi * clock(t))[:, None] ** 2 * swing * np.array([1.0, 0, 0, 0, 0, 1, 0])[: len(q)]
    )


def plan_of(
    rig: Rig, tools: Mapping[str, Tool], q: Mapping[str, Array], limits: Mapping[str, ArmLimits], step: float = STEP
) -> Plan:
    """A sealed plan of joint paths (N, J) by arm, without checks: the gate is to find what is wrong with it."""
    n = len(next(iter(q.values())))
    arms = []
    for arm, path in q.items():
        model = rig.arm(arm).model
        T = ArmKinematics.load(model).flange_pose(np.nan_to_num(path)) @ tools[arm].T_flange_tool
        arms.append(ArmPlan(arm, model, tools[arm].name, path, T, np.full((n, 4, 4), np.nan)))
    t = np.arange(n, dtype=np.float64) * step
    return sealed(
        Plan(
            t=t,
            arms=tuple(arms),
            phases=(Phase("work", 0.0, float(t[-1]) if n else 0.0),),
            clip_frame=np.full(n, np.nan),
            speed_scale=1.0,
            limits=dict(limits),
            checks=(),
            clamps=(),
            dream="test",
            track_sha256="",
            rig_sha256=rig.sha256,
            emulated_only=True,
        )
    )


def two_arm_rig(name: str = "sim", gripper: str = "") -> Rig:
    """A simulated rig at addresses of our own; gripper: what the left arm has at its wrist."""
    rig = load_rig(name)
    arms = [replace(arm, address=own_address()) for arm in rig.arms]
    return replace(rig, arms=(replace(arms[0], gripper=gripper), *arms[1:]))


@contextmanager
def servo_rig(name: str = "sim", gripper: str = "") -> Iterator[ServoRig]:
    """Two emulators and a connected group."""
    rig = two_arm_rig(name, gripper)
    tools = {arm: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{arm}"]) for arm in ARMS}
    emulators = {arm.name: EmulatorProcess(arm.address, model=arm.model, q_start=arm.home) for arm in rig.arms}
    group = ArmGroup(rig, tools, nonces={name: emulator.nonce for name, emulator in emulators.items()})
    try:
        group.connect()
        yield ServoRig(rig, tools, emulators, group)
    finally:
        group.close()
        for emulator in emulators.values():
            emulator.close()


def switch_force_sensor(address: str, *, on: bool) -> None:
    """As the vendor's own studio would do it, at an xArm."""
    with socket.create_connection((address, CONTROL_PORT), 3.0) as link:
        link.sendall(encode(Frame(1, 2, FORCE_SENSOR, bytes([on]))))
        assert decode(link.recv(1024))[0]

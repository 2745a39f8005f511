"""The process of one arm. The vendor's SDK is loaded in here and nowhere else; words come through one pipe.

It ends by itself when the window's process ends, and it stops the arm first. What is to be moved is verified here
again, against the arm as it is now: approval, limits read back, the measured pose and every sample of the plan.
"""

import ipaddress
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe

import numpy as np

from hardware import safety
from hardware.collision import CollisionModel
from hardware.connection import Connection
from hardware.gate import MIN_CLEARANCE_M, Gate
from hardware.geometry import Array, rotation_angle
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig
from hardware.robots.base import ArmDriver, ArmError
from hardware.robots.orders import ClearError, Close, Connect, Order, Prepare, Setup, Start
from hardware.robots.run_memory import MAX_COMMANDS, Phase
from hardware.robots.servo_loop import ORDER, WINDOW, Job, Links, Streamer, Waiter
from hardware.robots.servo_path import ServoPath
from hardware.safety import Approval
from hardware.types import ArmPlan, Plan, Tool

IDLE_S = 0.02
UNANSWERED = 3
SHORTEST_STEP_S, LONGEST_STEP_S = 0.002, 0.05


def _xarm(setup: Setup, arm: ArmConfig, tool: Tool) -> ArmDriver:
    from hardware.robots.xarm import XArmDriver

    return XArmDriver(
        arm,
        setup.rig.safety,
        control_port=setup.control_port,
        emulator_nonce=setup.nonce,
        T_flange_tool=tool.T_flange_tool,
        tool_mass=tool.mass,
    )


def _ur(setup: Setup, arm: ArmConfig, tool: Tool) -> ArmDriver:
    from hardware.robots.ur import UrDriver

    return UrDriver(
        arm,
        setup.rig.safety,
        control_port=setup.control_port,
        emulator_nonce=setup.nonce,
        T_flange_tool=tool.T_flange_tool,
        tool_mass=tool.mass,
    )


DRIVERS: Mapping[str, Callable[[Setup, ArmConfig, Tool], ArmDriver]] = {"xarm": _xarm, "ur": _ur}


def serve(setup: Setup, links: Links, orders: Pipe, _lifeline: Pipe) -> None:
    """The servo process: take orders until told to close, or until the window's process is gone.

    _lifeline is held open for the others: it ends with this process, however that ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _terminate(setup, links))
    safety.join_session(setup.session_key)
    waiter = Waiter(links, orders)
    try:
        Servo(setup, links, waiter).serve(orders)
    finally:
        waiter.close()


def _terminate(setup: Setup, links: Links) -> None:
    links.fault(f"{setup.arm}: its servo process was told to end")
    raise SystemExit(0)


class Servo:
    """One arm's state between orders."""

    def __init__(self, setup: Setup, links: Links, waiter: Waiter) -> None:
        self._setup, self._links, self._waiter = setup, links, waiter
        self._arm, self._tool = setup.rig.arm(setup.arm), setup.tools[setup.arm]
        self._kinematics = ArmKinematics.load(self._arm.model)
        self._collision = CollisionModel(setup.rig, setup.tools)
        self._driver: ArmDriver | None = None
        self._connection: Connection | None = None
        self._job: Job | None = None
        self._approval: Approval | None = None
        self._runs: dict[str, int] = {}
        self._unanswered = 0
        self._stops = links.stop.stops

    def serve(self, orders: Pipe) -> None:
        """Take orders one by one; between them keep the state fresh and heed the stop."""
        try:
            while True:
                self._turn()
                what = self._waiter.until(time.monotonic() + IDLE_S)
                if what == WINDOW:
                    return
                if what != ORDER:
                    continue
                order: Order = orders.recv()
                if isinstance(order, Close):
                    return
                self._answer(order, orders)
        except (EOFError, OSError):
            return
        finally:
            self._end()

    def _answer(self, order: Order, orders: Pipe) -> None:
        if isinstance(order, Start):
            self._start(order)
            return
        try:
            orders.send(self._obey(order))
        except (ArmError, safety.ApprovalError) as error:
            orders.send(error)
        except Exception as error:  # told to the window in words, with the kind of what broke
            orders.send(ArmError(f"{self._arm.name}: {type(error).__name__}: {error}"))

    def _obey(self, order: Order) -> Connection | None:
        if isinstance(order, Connect):
            return self._connect()
        if isinstance(order, Prepare):
            self._prepare(order)
        elif isinstance(order, ClearError):
            self._connected().clear_error()
            self._refresh()
        return None

    def _turn(self) -> None:
        """What every idle turn does: say that it lives, heed a stop, publish the arm's state."""
        self._links.memory.beat()
        if self._driver is None:
            return
        try:
            stops = self._links.stop.stops
            if stops != self._stops:
                self._forget()
                self._driver.stop()
                self._stops = stops
            self._refresh()
            self._unanswered = 0
        except ArmError as error:
            # a busy computer may miss an answer; an arm that stands can wait for the next one
            self._unanswered += 1
            if self._unanswered >= UNANSWERED:
                self._lost(str(error))

    def _lost(self, words: str) -> None:
        """The arm does not answer: stop all, once, and wait for a new connect."""
        driver, self._driver, self._connection = self._driver, None, None
        self._forget()
        self._links.memory.phase = Phase.CLOSED
        self._links.fault(words)
        self._stops = self._links.stop.stops
        if driver is not None:
            driver.disconnect()

    def _refresh(self) -> None:
        self._links.memory.publish(self._connected().read_state())

    def _forget(self) -> None:
        self._job = self._approval = None
        if self._links.memory.phase == Phase.PREPARED:
            self._links.memory.phase = Phase.IDLE

    def _connected(self) -> ArmDriver:
        if self._driver is None:
            raise ArmError(f"{self._arm.name}: it is not connected; connect first")
        return self._driver

    def _connect(self) -> Connection:
        if self._driver is not None:
            self._driver.disconnect()
            self._driver = self._connection = None
        self._forget()
        if self._arm.driver not in DRIVERS:
            raise ArmError(f"{self._arm.name}: driver {self._arm.driver!r} is not one of {sorted(DRIVERS)}")
        driver = DRIVERS[self._arm.driver](self._setup, self._arm, self._tool)
        driver.connect()
        self._driver = driver
        limits, state = driver.read_limits(), driver.read_state()
        ours = self._kinematics.flange_pose(state.q) @ self._tool.T_flange_tool
        self._connection = Connection(
            arm=self._arm.name,
            id=secrets.token_hex(8),
            rig_sha256=self._setup.rig.sha256,
            emulated=self._emulated(),
            limits=limits,
            kinematics_m=float(np.linalg.norm(ours[:3, 3] - state.T_base_tool[:3, 3])),
            kinematics_rad=float(rotation_angle(ours[:3, :3], state.T_base_tool[:3, :3])),
            state=state,
        )
        self._links.memory.publish(state)
        self._links.memory.phase = Phase.IDLE
        self._stops = self._links.stop.stops
        return self._connection

    def _emulated(self) -> bool:
        """The driver connects to an arm that the rig calls emulated only if it answered our nonce."""
        if not self._arm.emulated or self._setup.nonce is None:
            return False
        return ipaddress.ip_address(self._arm.address).is_loopback

    def _prepare(self, order: Prepare) -> None:
        driver, plan, name = self._connected(), order.plan, self._arm.name
        self._forget()
        if self._connection is None:
            raise ArmError(f"{name}: it is not connected; connect first")
        self._connection = replace(self._connection, limits=driver.read_limits())
        self._approve(plan, order.approval, order.scene)
        mine = self._own_part(plan)
        gate = self._gate(plan, mine)
        self._look_through(plan, gate, mine)
        state = driver.read_state()
        if state.error_code:
            raise ArmError(f"{name}: the controller reports error {state.error_code}; clear it first")
        refused = gate.check(None, mine.q[0], 0.0, state)
        if refused is not None:
            raise ArmError(f"{refused.text}; the arm is not where the plan starts: plan again")
        self._stops = order.stops
        driver.start_servo()
        self._links.memory.begin()
        self._job, self._approval = Job(ServoPath(plan.t, mine.q), gate), order.approval
        self._links.memory.phase = Phase.PREPARED

    def _approve(self, plan: Plan, approval: Approval, scene: str) -> None:
        if isinstance(approval, safety.MotionGrant):
            raise safety.ApprovalError(
                "a motion grant lets a person move an arm by hand; a plan needs its own approval"
            )
        mine = {self._arm.name: self._connection} if self._connection else {}
        used = self._runs.get(getattr(approval, "id", ""), 0)
        safety.check_approval(approval, plan, mine, time.monotonic(), scene=scene, runs_before=used)

    def _own_part(self, plan: Plan) -> ArmPlan:
        """This arm's part of the plan. Raises ArmError where it is not for this arm, its tool or its clock."""
        name, n = self._arm.name, len(plan.t)
        mine = next(arm for arm in plan.arms if arm.arm == name)
        for what, planned, actual in (
            ("model", mine.model, self._arm.model),
            ("tool", mine.tool, self._tool.name),
        ):
            if planned != actual:
                raise ArmError(f"{name}: planned for {what} {planned!r}, but it is {actual!r}; plan again")
        if not 2 <= n <= MAX_COMMANDS:
            raise ArmError(f"{name}: the plan has {n} samples; 2 to {MAX_COMMANDS} can be run")
        if mine.q.shape != (n, self._kinematics.n_joints):
            raise ArmError(f"{name}: the plan's joints have shape {mine.q.shape}, not ({n}, joints)")
        steps = np.diff(plan.t)
        if not np.isfinite(plan.t).all() or not (steps > 0).all():
            raise ArmError(f"{name}: the plan's time goes back or is not a number; plan again")
        if not SHORTEST_STEP_S <= steps.mean() <= LONGEST_STEP_S or np.ptp(steps) > 1e-6:
            raise ArmError(
                f"{name}: the plan's samples are not evenly {SHORTEST_STEP_S} to {LONGEST_STEP_S} s apart"
            )
        return mine

    def _gate(self, plan: Plan, mine: ArmPlan) -> Gate:
        step = float((plan.t[-1] - plan.t[0]) / (len(plan.t) - 1))
        limits = plan.limits[self._arm.name]
        return Gate.of(self._setup.rig, self._arm, self._tool, self._kinematics, limits, step)

    def _look_through(self, plan: Plan, gate: Gate, mine: ArmPlan) -> None:
        """Hold every sample of the plan, and the space between, against every limit before anything moves."""
        found = gate.check_path(plan.t, mine.q)
        if found is not None:
            raise ArmError(f"{found[0].text} (at {found[1]:.2f} s of the plan); plan again")
        q: dict[str, Array] = {arm.arm: arm.q for arm in plan.arms}
        for name, memory in zip(self._links.names, self._links.arms, strict=True):
            state = memory.state()
            if name not in q:
                if state is None:
                    raise ArmError(f"{name}: nobody knows where it stands; connect it first")
                q[name] = np.broadcast_to(state.q, (len(plan.t), len(state.q)))
        clearance = self._collision.check(q)
        worst = int(np.argmin(clearance.nearest))
        if not clearance.nearest[worst] >= MIN_CLEARANCE_M:
            raise ArmError(
                f"{self._arm.name}: collision: the plan comes within {clearance.nearest[worst] * 1e3:.1f} mm of "
                f"something at {plan.t[worst]:.2f} s ({MIN_CLEARANCE_M * 1e3:.0f} mm are needed); plan again"
            )

    def _start(self, order: Start) -> None:
        job, approval = self._job, self._approval
        if job is None or approval is None or self._driver is None:
            self._links.fault(f"{self._arm.name}: it was started without a prepared plan")
            return
        if not time.monotonic() < approval.expires_at:
            self._links.fault(f"{self._arm.name}: the approval expired before the start; approve again")
            return
        self._job = self._approval = None
        self._runs[approval.id] = self._runs.get(approval.id, 0) + 1
        memory = self._links.memory
        memory.phase = Phase.RUNNING
        streamer = Streamer(self._driver, self._links, self._waiter, self._collision)
        streamer.run(job, order.at, self._stops)
        self._stops = self._links.stop.stops
        memory.phase = Phase.ENDED

    def _end(self) -> None:
        """Stop the arm where it is, whatever it does, and let go of it."""
        driver, self._driver = self._driver, None
        self._links.memory.phase = Phase.CLOSED
        if driver is None:
            return
        try:
            driver.stop()
        except ArmError:
            pass  # the link is gone: there is nobody left to tell
        finally:
            driver.disconnect()

"""The process of one arm. The vendor's SDK is loaded in here and nowhere else; words come through one pipe.

It ends by itself when the window's process ends, and it stops the arm first. What is to be moved is verified here
again, against the arm as it is now: approval, limits read back, the measured pose and every sample of the plan.

Longer than most files on purpose: what an arm may be told, and when, is to be read in one place.
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
from hardware.gate import Gate
from hardware.geometry import rotation_angle
from hardware.giving_way import GivingWay
from hardware.kinematics import ArmKinematics
from hardware.mounting import centre_in_flange
from hardware.rig import ArmConfig
from hardware.robots.base import ArmDriver, ArmError, GrippingArm, GuidedArm
from hardware.robots.compliance import CompliantArm
from hardware.robots.jog import JogRule
from hardware.robots.orders import ClearError, Close, Connect, Enable, Hold, Order, Prepare, Setup, Start
from hardware.robots.plan_review import look_through, own_part
from hardware.robots.priority import Haste
from hardware.robots.run_memory import Phase
from hardware.robots.servo_hold import Holder
from hardware.robots.servo_loop import Job, Streamer
from hardware.robots.servo_path import ServoPath
from hardware.robots.servo_watch import ORDER, WINDOW, Links, Waiter
from hardware.safety import Approval
from hardware.types import ArmPlan, ArmState, Plan, Tool

IDLE_S = 0.02
UNANSWERED = 3
# so that a second press of a control is followed at once
LIMITS_HOLD_S = 10.0
# of the force to give way over: what may be felt while nothing touches the tool
STANDING_SHARE = 0.5


def _xarm(setup: Setup, arm: ArmConfig, tool: Tool) -> ArmDriver:
    from hardware.robots.xarm import XArmDriver

    return _made(XArmDriver, setup, arm, tool)


def _ur(setup: Setup, arm: ArmConfig, tool: Tool) -> ArmDriver:
    from hardware.robots.ur import UrDriver

    return _made(UrDriver, setup, arm, tool)


def _made(make: Callable[..., ArmDriver], setup: Setup, arm: ArmConfig, tool: Tool) -> ArmDriver:
    return make(
        arm,
        setup.rig.safety,
        control_port=setup.control_port,
        emulator_nonce=setup.nonce,
        T_flange_tool=tool.T_flange_tool,
        tool_mass=tool.mass,
        tool_centre=centre_in_flange(tool),
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
        self._limits_read = -np.inf
        self._haste = Haste()

    def serve(self, orders: Pipe) -> None:
        """Take orders one by one; between them keep the state fresh and heed the stop."""
        # a busy computer would else miss answers of the arm, and the other servo processes this one's beats
        self._haste.begin()
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
            if isinstance(order, Hold):
                self._ready_to_hold(order)
                self._reply(orders, None)
                self._hold(order)
                return
            self._reply(orders, self._obey(order))
        except (ArmError, safety.ApprovalError) as error:
            orders.send(error)
        except Exception as error:  # told to the window in words, with the kind of what broke
            orders.send(ArmError(f"{self._arm.name}: {type(error).__name__}: {error}"))

    def _reply(self, orders: Pipe, answer: Connection | None) -> None:
        # the work took up to a second, and what is asked for next may start the others before this process turns
        self._links.memory.beat()
        orders.send(answer)

    def _obey(self, order: Order) -> Connection | None:
        if isinstance(order, Connect):
            return self._connect()
        if isinstance(order, Prepare):
            self._prepare(order)
        elif isinstance(order, Enable):
            self._refuse_error()
            self._connected().start_servo()
            self._refresh()
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
        self._limits_read = time.monotonic()
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
            opening=driver.opening() if isinstance(driver, GrippingArm) else None,
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
        mine = own_part(plan, self._arm, self._tool, self._kinematics.n_joints)
        gate = self._gate(plan)
        self._haste.end()  # this takes a second of work, and the window must stay quick
        try:
            self._look_through(plan, gate, mine)
        finally:
            self._haste.begin()
        state = self._refuse_error()
        refused = gate.check(None, mine.q[0], 0.0, state)
        if refused is not None:
            raise ArmError(f"{refused.text}; the arm is not where the plan starts: plan again")
        giving = GivingWay.of(gate.limits, self._kinematics, self._tool, gate.dt)
        if giving is not None:
            self._feel(giving)
        self._stops = order.stops
        driver.start_servo()
        self._links.memory.begin()
        self._job, self._approval = Job(ServoPath(plan.t, mine.q), gate, giving), order.approval
        self._links.memory.phase = Phase.PREPARED

    def _approve(self, plan: Plan, approval: Approval, scene: str) -> None:
        if isinstance(approval, safety.MotionGrant):
            raise safety.ApprovalError(
                "a motion grant lets a person move an arm by hand; a plan needs its own approval"
            )
        mine = {self._arm.name: self._connection} if self._connection else {}
        used = self._runs.get(getattr(approval, "id", ""), 0)
        safety.check_approval(approval, plan, mine, time.monotonic(), scene=scene, runs_before=used)

    def _look_through(self, plan: Plan, gate: Gate, mine: ArmPlan) -> None:
        """Hold every sample of the plan, and the space between, against every limit before anything moves."""
        standing = {}
        for name, memory in zip(self._links.names, self._links.arms, strict=True):
            state = memory.state()
            if name not in {arm.arm for arm in plan.arms}:
                if state is None:
                    raise ArmError(f"{name}: nobody knows where it stands; connect it first")
                standing[name] = state.q
        look_through(plan, gate, mine, self._collision, standing)

    def _feel(self, giving: GivingWay) -> None:
        """See that forces are told, and told as none while nothing touches the tool. Raises ArmError."""
        driver, name = self._connected(), self._arm.name
        if not isinstance(driver, CompliantArm):
            raise ArmError(f"{name}: the plan gives way, but this arm cannot; plan it stiff")
        driver.start_feeling()
        wrench = driver.read_state().wrench
        force = np.inf if wrench is None else float(np.linalg.norm(wrench[:3]))
        if not force <= STANDING_SHARE * giving.force:
            raise ArmError(
                f"{name}: it feels {force:.1f} N while it stands, too much to give way over {giving.force:g} N; "
                "free the tool, or have its load identified again at the controller"
            )

    def _gate(self, plan: Plan) -> Gate:
        step = float((plan.t[-1] - plan.t[0]) / (len(plan.t) - 1))
        limits = plan.limits[self._arm.name]
        return Gate.of(self._setup.rig, self._arm, self._tool, self._kinematics, limits, step)

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
        Streamer(self._driver, self._links, self._waiter, self._collision, self._stops).run(job, order.at)
        self._stops = self._links.stop.stops
        memory.phase = Phase.ENDED

    def _ready_to_hold(self, order: Hold) -> None:
        """Verify the grant against the arm as it is now and get ready to follow; the arm does not move yet."""
        driver = self._connected()
        self._forget()
        if self._connection is None:
            raise ArmError(f"{self._arm.name}: it is not connected; connect first")
        if order.by == "hand" and not isinstance(driver, GuidedArm):
            raise ArmError(f"{self._arm.name}: this arm cannot be led by hand; jog it")
        if order.by == "grip" and (self._connection.opening is None or not 0 <= order.opening <= 1):
            raise ArmError(
                f"{self._arm.name}: it has no gripper that could go to {order.opening}; name it in the rig"
            )
        if time.monotonic() - self._limits_read > LIMITS_HOLD_S:
            self._connection = replace(self._connection, limits=driver.read_limits())
            self._limits_read = time.monotonic()
        grant, wish = order.grant, self._links.hold.wish(order.serial)
        # what was renewed while the limits were read counts; where it was let go, the hold ends as it begins
        safety.check_grant(wish.renewed(grant) if wish else grant, self._connection, time.monotonic())
        self._refuse_error()
        self._stops = order.stops
        if isinstance(driver, GuidedArm) and order.by == "hand":
            driver.start_guiding()
        elif order.by == "jog":
            driver.start_servo()
        self._links.memory.begin()
        self._links.memory.phase = Phase.HELD

    def _hold(self, order: Hold) -> None:
        """Follow the control; returns when the arm stands."""
        driver, connection, line = self._connected(), self._connection, self._links.hold
        if connection is None:
            return
        holder = Holder(driver, self._links, self._waiter, self._collision, order)
        if order.by == "jog":
            limits, rate = connection.limits, self._arm.command_rate_hz
            gate = Gate.of(self._setup.rig, self._arm, self._tool, self._kinematics, limits, 1.0 / rate)
            holder.jog(JogRule.of(gate, self._kinematics, self._tool, order.grant.tip_speed))
        elif order.by == "grip" and isinstance(driver, GrippingArm):
            holder.grip(driver)
        elif isinstance(driver, GuidedArm):
            holder.guide(driver)
        self._stops = self._links.stop.stops
        line.over(order.serial)
        self._links.memory.phase = Phase.IDLE

    def _refuse_error(self) -> ArmState:
        """Return the arm's state. Raises ArmError where the controller reports an error."""
        state = self._connected().read_state()
        if state.error_code:
            raise ArmError(f"{self._arm.name}: the controller reports {state.error}")
        return state

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

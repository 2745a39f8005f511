"""UR5 (CB3) and UR5e (e-Series) over the vendor's data exchange, through ur-rtde in a process of its own.

A second process per arm: ur-rtde can hang with the interpreter's lock held, and end its process by a segmentation
fault (ur_link.py). This one asks it with deadlines, and has the controller's dashboard as a second way to stop.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from hardware.geometry import Array
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.base import ArmError
from hardware.robots.compliance import Compliance, Yielding
from hardware.robots.emulator.identity import refusal
from hardware.robots.ur_codes import IDLE, NO_ERROR, POWER_OFF, PROTECTIVE_STOP, RUNNING, code_of, error_in_words
from hardware.robots.ur_limits import merge
from hardware.robots.ur_process import UrProcess
from hardware.robots.ur_side import RTDE_PORT, Configuration, Witness, dashboard, read_configuration
from hardware.robots.ur_units import T_from_pose, pose_from_T
from hardware.types import ArmLimits, ArmState

__all__ = ["UrDriver"]

JOINTS = 6
SERIES = {"ur5": (3, "CB3"), "ur5e": (5, "e-Series")}
_STOPS = "Stops by its own safety limits when it is hit"
COMPLIANCE = {
    "ur5": Compliance(
        *("estimated", True),
        f"{_STOPS}; forces at the tool are estimated from motor currents (a CB3 has no sensor: expect errors of "
        "some 10 N). It gives way where the plan says so; any other plan it follows stiffly.",
    ),
    "ur5e": Compliance(
        *("measured", True),
        f"{_STOPS}; a force-torque sensor in its flange measures. It gives way where the plan says so; any other "
        "plan it follows stiffly.",
    ),
}
COMMAND_TIMEOUT, CONNECT_TIMEOUT, BEGIN_TIMEOUT, SETTING_TIMEOUT = 0.3, 10.0, 5.0, 3.0
STOP_TIMEOUT, DASHBOARD_TIMEOUT = 0.25, 0.1
# the controller ends the program where it hears nothing of this program for a third of a second
WATCHDOG_HZ = 3.0
# seconds and gain of servoj's own smoothing: the quickest that its manual allows, and a stiffer gain than usual
LOOKAHEAD_S, GAIN = 0.05, 500.0
POWER_S, UNLOCK_S, REPEAT_S, FRESH_S = 15.0, 7.0, 0.5, 0.05
STANDING = 1e-3
_RUNTIME = {1: "stopped", 2: "running", 4: "paused"}


class UrDriver:
    """`ArmDriver` for one UR. Parameters as `XArmDriver`; control_port is fixed by ur-rtde."""

    def __init__(
        self,
        arm: ArmConfig,
        safety: SafetyConfig,
        *,
        control_port: int | None = None,
        emulator_nonce: bytes | None = None,
        T_flange_tool: Array | None = None,
        tool_mass: float = 0.0,
        tool_centre: Array | None = None,
    ) -> None:
        self.config, self.safety = arm, safety
        self._nonce = emulator_nonce
        self._tool, self._tool_mass, self._tool_centre = T_flange_tool, tool_mass, tool_centre
        self._link: UrProcess | None = None
        self._witness: Witness | None = None
        self._told: Configuration | None = None
        self._streaming = False
        if control_port not in (None, RTDE_PORT):
            raise ArmError(f"{self._title}: control port {control_port}; a UR has {RTDE_PORT} only")
        if arm.model not in SERIES:
            raise ArmError(f"{self._title}: model {arm.model!r} is not one of {sorted(SERIES)}")

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def T_flange_tcp(self) -> Array:
        """The tool offset (4, 4) that the controller itself applies in `ArmState.T_base_tool`."""
        return T_from_pose(self._connected().ask(SETTING_TIMEOUT, "tool"))

    def connect(self) -> None:
        """Connect, check that it answers, is of the right series, and is our emulator where the rig says so.

        The control program is uploaded and the tool set where the arm is ready. Raises ArmError.
        """
        if self._link is not None:
            raise ArmError(f"{self._title}: it is connected already; disconnect first")
        refused = refusal(self.config.emulated, self.config.address, self._nonce)
        if refused:
            raise ArmError(f"{self._title}: {refused}")
        try:
            self._witness = self._meet()
            self._told = read_configuration(self.config.address)
            self._link = UrProcess(self._title)
            self._link.ask(CONNECT_TIMEOUT, "connect", self.config.address)
            if not self._witness.alive:
                raise ArmError(f"{self._title}: the controller ended while connecting; connect again")
            if self.read_state().error_code == 0:
                self._begin()
        except BaseException:
            self.disconnect()
            raise

    def read_limits(self) -> ArmLimits:
        """Return the rig's limits narrowed by the controller's; `source` says where each one came from."""
        self._connected()
        try:
            limits = merge(self._told, self.config, self.safety)
        except ValueError as error:
            raise ArmError(f"{self._title}: {error}; change one of them") from error
        return replace(limits, source={**limits.source, **self.compliance().source})

    def read_state(self) -> ArmState:
        """Return what the controller said in its last cycle; keeps its watchdog quiet."""
        t_host = time.monotonic()
        q, dq, pose, force, robot_mode, safety_mode, runtime = self._connected().ask(COMMAND_TIMEOUT, "state")
        code = code_of(robot_mode, safety_mode)
        return ArmState(
            t_host=t_host,
            q=np.array(q, float),
            dq=np.array(dq, float),
            T_base_tool=T_from_pose(pose),
            mode="servo" if self._streaming else f"program {_RUNTIME.get(runtime, 'changing')}",
            error_code=code,
            moving=bool(np.abs(dq).max() > STANDING),
            wrench=np.array(force, float),
            error=error_in_words(code) if code else "",
        )

    def start_servo(self) -> None:
        """Have the control program run with its watchdog armed; the arm does not move.

        Raises ArmError where an error is not cleared yet, or the program does not start.
        """
        self._refuse_error("start")
        self._begin()
        self._streaming = True

    def start_guiding(self) -> None:
        """Let a person lead the arm by hand: the vendor's teach mode. Raises ArmError as start_servo does."""
        self._streaming = False
        self._refuse_error("be led by hand")
        self._begin()
        self._connected().ask(SETTING_TIMEOUT, "free_drive")

    def end_guiding(self) -> None:
        """Hold the arm where it is."""
        self._connected().ask(SETTING_TIMEOUT, "hold")

    def compliance(self) -> Compliance:
        """Say what this arm can do about forces."""
        return COMPLIANCE[self.config.model]

    def start_feeling(self) -> None:
        """A UR tells the force in every state."""
        self._connected()

    def start_yielding(self, wanted: Yielding) -> None:
        """Give way through the vendor's force mode. Raises ArmError as start_servo does.

        The force of now is taken for none first. A UR has no spring: stiffness is refused.
        """
        if wanted.stiffness.any():
            raise ArmError(f"{self._title}: a UR gives way without a spring; leave stiffness at zero")
        self._streaming = False
        self._refuse_error("give way")
        self._begin()
        frame = self._connected().ask(COMMAND_TIMEOUT, "state")[2] if wanted.frame == "tool" else [0.0] * 6
        self._connected().ask(SETTING_TIMEOUT, "zero_force")
        self._connected().ask(
            SETTING_TIMEOUT,
            "force_mode",
            list(frame),
            list(wanted.axes),
            wanted.push.tolist(),
            wanted.speed.tolist(),
        )

    def end_yielding(self) -> None:
        """Hold where it is."""
        self._connected().ask(SETTING_TIMEOUT, "hold")

    def send_joints(self, q: Array) -> Array:
        """Command joint positions (6,) [rad]; return them as they were sent."""
        link = self._connected()
        if not self._streaming:
            raise ArmError(f"{self._title}: it is not in servo mode; start_servo first")
        if q.shape != (JOINTS,) or not np.isfinite(q).all():
            raise ArmError(f"{self._title}: joint command {q} is not {JOINTS} finite numbers; nothing was sent")
        try:
            taken = link.ask(
                COMMAND_TIMEOUT, "servo", q.tolist(), 1.0 / self.config.command_rate_hz, LOOKAHEAD_S, GAIN
            )
            if not taken:
                self._refuse_error("take a joint command")
                raise ArmError(f"{self._title}: its program was stopped; start again")
        except ArmError:
            self._streaming = False
            raise
        return q.copy()

    def stop(self) -> None:
        """Brake through the control program; where that does not answer, end the program through the dashboard.

        Raises ArmError where neither way was confirmed.
        """
        self._streaming = False
        link = self._connected()
        problem = "it was refused"
        try:
            if link.ask(STOP_TIMEOUT, "stop"):
                return
        except ArmError as error:
            problem = str(error)
        with contextlib.suppress(OSError):
            if dashboard(self.config.address, "stop", DASHBOARD_TIMEOUT) == "Stopped":
                return
        raise ArmError(
            f"{self._title}: the stop was not confirmed ({problem}). Press the emergency stop if the arm moves"
        )

    def clear_error(self) -> None:
        """End a protective stop, switch motors on and open brakes. Raises ArmError where the cause is still there.

        A UR can be unlocked 5 s after its stop at the earliest: it is waited for.
        """
        self._streaming = False
        self._say("stop")
        self._say("close safety popup")
        # what it tells is a cycle old
        time.sleep(FRESH_S)
        if self._modes()[1] == PROTECTIVE_STOP:
            self._until("unlock protective stop", lambda robot, safety: safety in NO_ERROR, UNLOCK_S)
        robot, safety = self._modes()
        if safety in NO_ERROR and robot == POWER_OFF:
            self._until("power on", lambda robot, safety: robot in (IDLE, RUNNING), POWER_S)
        if safety in NO_ERROR and robot in (POWER_OFF, IDLE):
            self._until("brake release", lambda robot, safety: robot == RUNNING, POWER_S)
        self._refuse_error("clear its error")
        self._begin()

    def disconnect(self) -> None:
        """End ur-rtde's process and its connections; safe to call twice."""
        link, self._link, self._streaming = self._link, None, False
        witness, self._witness = self._witness, None
        if link is not None:
            link.close()
        if witness is not None:
            witness.close()

    @property
    def _title(self) -> str:
        return f"UR {self.config.name} at {self.config.address}"

    def _connected(self) -> UrProcess:
        if self._link is None:
            raise ArmError(f"{self._title}: it is not connected; check cable and power, then connect")
        return self._link

    def _meet(self) -> Witness:
        """Ask who it is over a link of our own: ur-rtde would wait for ever for a silent controller."""
        try:
            witness = Witness(self.config.address, RTDE_PORT)
        except TimeoutError as error:
            raise ArmError(f"{self._title}: it does not answer on port {RTDE_PORT}; restart it") from error
        except OSError as error:
            raise ArmError(
                f"{self._title}: no UR controller on port {RTDE_PORT} ({error}); check power and address"
            ) from error
        major, series = SERIES[self.config.model]
        if self.config.emulated and (self._nonce is None or not witness.proves(self._nonce)):
            witness.close()
            raise ArmError(
                f"{self._title}: the rig says that it is emulated, but it cannot prove that this program started "
                "it; nothing will be sent to it"
            )
        if witness.version[0] != major:
            witness.close()
            raise ArmError(
                f"{self._title}: its software is version {witness.version[0]}.{witness.version[1]}, but a "
                f"{self.config.model} ({series}) has {major}; correct the model in the rig"
            )
        return witness

    def _begin(self) -> None:
        pose = None if self._tool is None else pose_from_T(self._tool)
        centre = [0.0, 0.0, 0.0] if self._tool_centre is None else self._tool_centre.tolist()
        self._connected().ask(BEGIN_TIMEOUT, "begin", WATCHDOG_HZ, pose, self._tool_mass, centre)

    def _modes(self) -> tuple[int, int]:
        """Robot mode and safety mode."""
        found: tuple[Any, ...] = self._connected().ask(COMMAND_TIMEOUT, "state")
        return int(found[4]), int(found[5])

    def _refuse_error(self, task: str) -> None:
        code = code_of(*self._modes())
        if code:
            raise ArmError(f"{self._title}: it could not {task}: {error_in_words(code)}")

    def _say(self, command: str) -> str:
        try:
            return dashboard(self.config.address, command)
        except OSError as error:
            raise ArmError(f"{self._title}: its dashboard does not answer ({error}); check the network") from error

    def _until(self, command: str, there: Callable[[int, int], bool], timeout: float) -> None:
        """Repeat a dashboard command until the modes are as wanted, or give up after [s]."""
        deadline, again = time.monotonic() + timeout, 0.0
        while not there(*self._modes()):
            if time.monotonic() > deadline:
                return
            if time.monotonic() >= again:
                self._say(command)
                again = time.monotonic() + REPEAT_S
            time.sleep(0.05)

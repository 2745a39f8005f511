"""xArm 7 over the vendor's own xarm-python-sdk. The only place that knows millimetres and the SDK.

The SDK's port is a setting of the whole process and its connection keeps threads: one arm per process at a time
(DESIGN, rule of motion 5).
"""

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from hardware.geometry import Array
from hardware.grippers.xarm import XArmGripper
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.base import ArmError
from hardware.robots.compliance import Compliance, Yielding
from hardware.robots.emulator.config import CONTROL_PORT as EMULATED_PORT
from hardware.robots.emulator.frames import Frame, decode, encode
from hardware.robots.emulator.identity import (
    CHALLENGE_BYTES,
    IDENTITY_REGISTER,
    answers,
    refusal,
    verify_emulator,
)
from hardware.robots.xarm_codes import error_in_words, return_in_words
from hardware.robots.xarm_compliance import OFF, start, statement
from hardware.robots.xarm_limits import merge, read_controller
from hardware.robots.xarm_sdk import load_sdk
from hardware.robots.xarm_units import T_from_pose, pose_from_T
from hardware.types import ArmLimits, ArmState

__all__ = ["XArmDriver", "verify_emulator"]

VENDOR_PORT = 502
JOINTS = 7
POSITION_MODE, SERVO_MODE, MANUAL_MODE = 0, 1, 2
STOPPED = 4
HAS_ERROR = (1, 9)
COMMAND_TIMEOUT = 0.15
# on a busy computer an answer may be late, which says nothing of who answers
CHALLENGES = 3
MODE_TIMEOUT = 1.5
REPORT_TIMEOUT = 3.0
GET_VERSION = 1
# the first that tells joint speeds
OLDEST_FIRMWARE = (1, 9, 110)
MODES = {0: "position", 1: "servo", 2: "manual", 4: "joint velocity", 5: "cartesian velocity"}


class XArmDriver:
    """`ArmDriver` for one xArm 7.

    arm and safety come from the rig; limits start from the rig's and are narrowed by what the controller has.
    control_port: 10502 where the rig says that the arm is emulated, else the vendor's 502. An emulated arm needs
    emulator_nonce: `connect` challenges the controller over the very connection that will carry the commands.
    T_flange_tool (4, 4), tool_mass [kg] and tool_centre (3,) [m], its centre of mass in the flange frame, are
    written to the controller at connect where a tool is given.
    """

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
        self.control_port = control_port or (EMULATED_PORT if arm.emulated else VENDOR_PORT)
        self._nonce = emulator_nonce
        self._tool, self._tool_mass, self._tool_centre = T_flange_tool, tool_mass, tool_centre
        self._arm: Any = None
        self._gripper: XArmGripper | None = None
        self._streaming = self._yields = self._grips = False

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def T_flange_tcp(self) -> Array:
        """The tool offset (4, 4) that the controller itself applies in `ArmState.T_base_tool`."""
        return T_from_pose(self._connected().tcp_offset)

    def connect(self) -> None:
        """Connect, check that the controller answers (and is our emulator where the rig says so).

        Raises ArmError.
        """
        if self._arm is not None:
            raise ArmError(f"{self._title}: it is connected already; disconnect first")
        refused = refusal(self.config.emulated, self.config.address, self._nonce)
        if refused:
            raise ArmError(f"{self._title}: {refused}")
        sdk = load_sdk()
        self._probe()
        try:
            self._arm = sdk.open(self.config.address, self.control_port, COMMAND_TIMEOUT)
        except Exception as error:
            raise ArmError(f"{self._title}: the SDK could not connect ({error}); check cable and power") from error
        try:
            self._settle()
        except BaseException:
            self.disconnect()
            raise

    def read_limits(self) -> ArmLimits:
        """Return the rig's limits narrowed by the controller's; `source` says where each one came from."""
        self._fresh_report()
        reduced = self._value("read its limits", self._connected().get_reduced_states, is_radian=True)
        try:
            limits = merge(read_controller(self._arm, reduced), self.config, self.safety)
        except ValueError as error:
            raise ArmError(f"{self._title}: {error}; change one of them") from error
        return replace(limits, source={**limits.source, **self.compliance().source})

    def read_state(self) -> ArmState:
        """Return what the controller says now. Joint speeds are its own. Takes four round trips, about 1 ms."""
        arm = self._connected()
        asked = time.monotonic()
        if asked - arm.reported_at > REPORT_TIMEOUT:
            raise self._no_reports()
        joints = self._value("read its joints", arm.get_joint_states, is_radian=True, num=2)
        t_host = 0.5 * (asked + time.monotonic())
        pose = self._value("read its tool pose", arm.get_position, is_radian=True)
        error, warning = self._value("read its error code", arm.get_err_warn_code)
        state = self._value("read its state", arm.get_state)
        return ArmState(
            t_host=t_host,
            q=np.array(joints[0][:JOINTS], float),
            dq=np.array(joints[1][:JOINTS], float),
            T_base_tool=T_from_pose(pose),
            mode=MODES.get(arm.mode, str(arm.mode)),
            error_code=int(error),
            warning_code=int(warning),
            moving=state == 1,
            wrench=self._wrench(),
            error=error_in_words(int(error)) if error else "",
        )

    def start_servo(self) -> None:
        """Enable the motors and enter servo mode; the arm does not move.

        Raises ArmError where an error is not cleared yet, or the controller does not say that the mode is on.
        """
        arm = self._connected()
        self._refuse_error("start")
        self._stiffen()
        self._do("clear its warning", arm.clean_warn)
        self._do("enable its motors", arm.motion_enable, True)
        self._do("enter servo mode", arm.set_mode, SERVO_MODE)
        self._do("get ready", arm.set_state, 0)
        self._await_mode(SERVO_MODE)
        self._streaming = True

    def start_guiding(self) -> None:
        """Enter the manual mode, in which a person leads the arm by hand. Raises ArmError as start_servo does."""
        arm = self._connected()
        self._streaming = False
        self._refuse_error("be led by hand")
        self._stiffen()
        self._do("enable its motors", arm.motion_enable, True)
        self._do("enter the manual mode", arm.set_mode, MANUAL_MODE)
        self._do("get ready", arm.set_state, 0)
        self._await_mode(MANUAL_MODE)

    def end_guiding(self) -> None:
        """Hold the arm where it is: the position mode, without a command."""
        arm = self._connected()
        self._do("leave the manual mode", arm.set_mode, POSITION_MODE)
        self._do("hold where it is", arm.set_state, 0)

    def opening(self) -> float | None:
        """How far its gripper is open, 0 closed to 1; None where the rig names none."""
        self._connected()
        return None if self._gripper is None else self._gripper.opening

    def start_gripping(self, opening: float) -> None:
        """Begin to move the gripper. Raises ArmError where the rig names none, or an error is not cleared yet."""
        self._refuse_error("move its gripper")
        if self._gripper is None:
            raise ArmError(
                f'{self._title}: it has no gripper; where it has one, write gripper = "xarm" into the rig'
            )
        self._grips = True
        self._gripper.move(opening)

    def end_gripping(self, hold: bool = True) -> None:
        """Hold the gripper where it is, where it was moved; hold False: it has arrived and goes on pressing."""
        if hold and self._grips and self._gripper is not None:
            self._gripper.hold()
        self._grips = False

    def send_joints(self, q: Array) -> Array:
        """Command joint positions (7,) [rad]; return them as the wire carries them (float32)."""
        arm = self._connected()
        if not self._streaming:
            raise ArmError(f"{self._title}: it is not in servo mode; start_servo first")
        if q.shape != (JOINTS,) or not np.isfinite(q).all():
            raise ArmError(f"{self._title}: joint command {q} is not {JOINTS} finite numbers; nothing was sent")
        if arm.mode != SERVO_MODE:
            self._streaming = False
            raise ArmError(
                f"{self._title}: its mode is {MODES.get(arm.mode, arm.mode)}, not servo; another program changed it"
            )
        try:
            self._do("take a joint command", arm.set_servo_angle_j, q.tolist(), is_radian=True)
        except ArmError:
            self._streaming = False
            raise
        return q.astype(np.float32).astype(np.float64)

    def stop(self) -> None:
        """Set the controller to its stop state (what the SDK's emergency_stop sends) and check that it is in it."""
        arm = self._connected()
        self._streaming = False
        code = 0
        for _ in range(2):
            code = self._guarded("stop", load_sdk().stop, arm)
            if code == 0 and self._guarded("confirm its stop", arm.get_state) == (0, STOPPED):
                self._stiffen()
                return self.end_gripping()
        raise ArmError(
            f"{self._title}: the stop was not confirmed: {return_in_words(code)}. "
            "Press the emergency stop if the arm moves"
        )

    def clear_error(self) -> None:
        """Clear error and warning. Raises ArmError where the cause is still there."""
        arm = self._connected()
        self._streaming = False
        self._guarded("clear its error", arm.clean_error)
        self._guarded("clear its warning", arm.clean_warn)
        self._refuse_error("clear its error")

    def compliance(self) -> Compliance:
        """Say what this arm can do about forces."""
        arm = self._connected()
        try:
            code, config = self._guarded("tell of its force sensor", arm.get_ft_sensor_config)
        except ArmError:
            # firmware before 1.8.3 answers with less than the SDK wants to read
            code, config = 1, []
        return statement(arm, fitted=code == 0 and bool(config[2]))

    def start_feeling(self) -> None:
        """Switch the force-torque sensor on. Its zero and load are the controller's own settings."""
        if not load_sdk().has_force(self._connected()):
            self._do("switch its force-torque sensor on", self._arm.set_ft_sensor_enable, 1)
            self._fresh_report()
        if self._wrench() is None:
            raise ArmError(f"{self._title}: its force-torque sensor does not answer; check its cable")

    def start_yielding(self, wanted: Yielding) -> None:
        """Give way through the force-torque sensor, in position mode. Raises ArmError where there is none."""
        arm = self._connected()
        self._streaming = False
        self._refuse_error("give way")
        self._do("enable its motors", arm.motion_enable, True)
        self._do("enter position mode", arm.set_mode, 0)
        self._do("get ready", arm.set_state, 0)
        self._yields = True
        try:
            start(arm, wanted, self._do)
        except ValueError as error:
            raise ArmError(f"{self._title}: {error}") from error

    def end_yielding(self) -> None:
        """Hold where it is."""
        self._stiffen()
        self._do("hold where it is", self._connected().set_state, 0)

    def disconnect(self) -> None:
        """Close the connection and end the SDK's threads; safe to call twice."""
        arm, self._arm, self._streaming, self._gripper = self._arm, None, False, None
        if arm is not None:
            load_sdk().close(arm)

    @property
    def _title(self) -> str:
        return f"xArm {self.config.name} at {self.config.address}"

    def _connected(self) -> Any:
        if self._arm is None or not self._arm.connected:
            raise ArmError(f"{self._title}: it is not connected; check cable and power, then connect")
        return self._arm

    def _await_mode(self, mode: int) -> None:
        """Wait until the controller says that it is ready in a mode. Raises ArmError."""
        arm, deadline = self._connected(), time.monotonic() + MODE_TIMEOUT
        while arm.mode != mode or arm.state >= STOPPED:
            if time.monotonic() > deadline:
                raise ArmError(
                    f"{self._title}: it did not enter {MODES[mode]} mode (mode {arm.mode}, state {arm.state}); "
                    "another program may hold it, or an emergency stop"
                )
            self._connected()
            time.sleep(0.005)

    def _stiffen(self) -> None:
        """Leave what `start_yielding` entered: it would come back with the next position mode."""
        if self._yields:
            self._do("stop giving way", self._connected().set_ft_sensor_mode, OFF, good=(0, 9))
            self._yields = False

    def _probe(self) -> None:
        """Ask for the version over a socket of our own: the SDK would wait minutes for a silent controller."""
        try:
            with socket.create_connection((self.config.address, self.control_port), 1.0) as link:
                link.settimeout(1.0)
                link.sendall(encode(Frame(1, 2, GET_VERSION)))
                received = b""
                while not decode(received)[0]:
                    data = link.recv(1024)
                    if not data:
                        raise ConnectionError("it closed the connection")
                    received += data
        except TimeoutError as error:
            raise ArmError(f"{self._title}: it does not answer on port {self.control_port}; restart it") from error
        except (OSError, ValueError) as error:
            raise ArmError(
                f"{self._title}: no xArm controller on port {self.control_port} ({error}); check power and address"
            ) from error

    def _settle(self) -> None:
        """After the SDK is up: identity, tool, first full report."""
        if self.config.emulated:
            self._challenge()
        self._fresh_report(count=1)
        if self._arm.axis != JOINTS:
            raise ArmError(f"{self._title}: it has {self._arm.axis} joints, an xArm 7 was expected")
        if tuple(self._arm.version_number) < OLDEST_FIRMWARE:
            raise ArmError(f"{self._title}: its firmware {self._arm.version_number} is too old; update it")
        if self._tool is not None:
            self._mount(self._tool)
        if self.config.gripper:
            self._gripper = XArmGripper(self._arm, self._guarded, self._title)
            self._gripper.begin()

    def _challenge(self) -> None:
        """Prove over the SDK's own connection that the other end is the emulator that this program started."""
        for _ in range(CHALLENGES):
            challenge = secrets.token_bytes(CHALLENGE_BYTES)
            reply = load_sdk().exchange(self._arm, IDENTITY_REGISTER, challenge)
            if self._nonce is not None and answers(self._nonce, challenge, reply):
                return
        raise ArmError(
            f"{self._title}: the rig says that it is emulated, but it cannot prove that this program started "
            "it; nothing will be sent to it"
        )

    def _mount(self, T_flange_tool: Array) -> None:
        offset = pose_from_T(T_flange_tool)
        self._do("take the tool's offset", self._arm.set_tcp_offset, offset, is_radian=True, wait=False)
        centre = np.zeros(3) if self._tool_centre is None else self._tool_centre
        # 9, not ready, is how the SDK says that the setting waits for set_state(0), which start_servo sends
        self._do(
            "take the tool's load", self._arm.set_tcp_load, self._tool_mass, (1e3 * centre).tolist(), good=(0, 9)
        )
        self._fresh_report()
        if np.abs(self.T_flange_tcp - T_flange_tool).max() > 1e-4:
            raise ArmError(f"{self._title}: it did not take the tool's offset; set it in the controller's settings")

    def _fresh_report(self, count: int = 2, timeout: float = REPORT_TIMEOUT) -> None:
        """Wait for a full report that was made after this call: mode and limits come in no other way.

        The next one may be on its way already, so the second one counts, except right after connecting.
        """
        arm = self._connected()
        wanted, deadline = arm.reports_seen + count, time.monotonic() + timeout
        while arm.reports_seen < wanted:
            if time.monotonic() > deadline:
                raise self._no_reports()
            self._connected()
            time.sleep(0.005)

    def _no_reports(self) -> ArmError:
        return ArmError(f"{self._title}: its report port 30002 is silent; check firewall and control box")

    def _wrench(self) -> Array | None:
        if not load_sdk().has_force(self._arm):
            return None
        return np.array(self._value("read its force sensor", self._arm.get_ft_sensor_data), float)

    def _refuse_error(self, task: str) -> None:
        error, _ = self._value("read its error code", self._connected().get_err_warn_code)
        if error:
            raise ArmError(f"{self._title}: it could not {task}: {error_in_words(error)}")

    def _do(
        self, task: str, call: Callable[..., int], *arguments: Any, good: tuple[int, ...] = (0,), **named: Any
    ) -> None:
        """Make a call of the SDK that returns a code; ArmError unless it is a good one."""
        code = self._guarded(task, call, *arguments, **named)
        if code in good:
            return
        if code in HAS_ERROR:
            self._refuse_error(task)
        raise ArmError(f"{self._title}: it could not {task}: {return_in_words(code)}")

    def _value(self, task: str, call: Callable[..., tuple[int, Any]], **named: Any) -> Any:
        """Make a call of the SDK that returns a code and a value; return the value."""
        code, value = self._guarded(task, call, **named)
        if code != 0:
            raise ArmError(f"{self._title}: it could not {task}: {return_in_words(code)}")
        return value

    def _guarded(self, task: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The SDK raises whatever its parsing raises where an answer is shorter than it should be."""
        try:
            return call(*arguments, **named)
        except Exception as error:
            raise ArmError(f"{self._title}: it could not {task}: its answer makes no sense ({error})") from error

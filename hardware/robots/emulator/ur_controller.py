"""An emulated UR controller without sockets: power, safety, registers, program, and its arm's motion in time.

Modes and bits: Universal Robots, "Real-Time Data Exchange (RTDE) Guide"; behaviour at stops: user manuals.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hardware.geometry import Array, transform
from hardware.robots.emulator.admittance import Admittance, Yielder
from hardware.robots.emulator.arm import EmulatedArm
from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.faults import Fault
from hardware.robots.emulator.motion import JOINT_SPEED, Motion, MotionError
from hardware.robots.emulator.plant import BRAKE_DDQ, Plant
from hardware.robots.ur_units import pose_from_T

log = logging.getLogger(__name__)
REGISTERS = 48
POWER_OFF, BOOTING, IDLE, RUNNING = 3, 4, 5, 7
NORMAL, PROTECTIVE_STOP, EMERGENCY_STOP = 1, 3, 7
STOPPED, PLAYING, PAUSED = 1, 2, 4
DRIVES_ON, DRIVES_OFF = 253, 239
_SAFETY_BITS = {NORMAL: 1 << 0, PROTECTIVE_STOP: 1 << 2 | 1 << 10, EMERGENCY_STOP: 1 << 6 | 1 << 7 | 1 << 10}
# the safety planes and limits as the vendor presets them for "default" and what an arm here stops at
LARGEST_FORCE, LARGEST_TCP_SPEED = 150.0, 1.5
POWER_S = 0.4
_SUBSTEP = 0.004
# slower than this [rad/s] no joint can bring the tool near the largest speed
_SLOW = 0.5


@dataclass(frozen=True)
class Generation:
    """What differs between the series. frequency [Hz] of its data exchange and of its control loop."""

    series: str
    version: tuple[int, int, int, int]
    frequency: float
    force_sensor: bool
    serial: str


GENERATIONS: Mapping[str, Generation] = {
    "ur5": Generation("CB3", (3, 15, 4, 106291), 125.0, False, "2016350001"),
    "ur5e": Generation("e-Series", (5, 12, 4, 1101661), 500.0, True, "20195500001"),
}


class Program(Protocol):
    """What runs on the controller."""

    def turn(self) -> bool:
        """Do one cycle; return whether the program goes on."""
        ...

    def let_go(self) -> None:
        """Forget every motion under way; the arm was put somewhere else."""
        ...


class URController:
    """Call `step` in steps of the generation's cycle; sessions and programs call the rest."""

    def __init__(self, config: EmulatorConfig) -> None:
        self.generation, self.model = GENERATIONS[config.model], config.model
        self.arm = EmulatedArm(config.model, config.kinematics_error_mm)
        self.plant = Plant(np.array(config.q_start))
        self.input_int, self.output_int = [0] * REGISTERS, [0] * REGISTERS
        self.input_double, self.output_double = [0.0] * REGISTERS, [0.0] * REGISTERS
        self.writes = 0
        self.time = 0.0
        self.robot_mode, self.safety_mode, self.runtime_state = RUNNING, NORMAL, STOPPED
        self.payload, self.payload_cog = 0.0, (0.0, 0.0, 0.0)
        self.speed_slider, self.digital_outputs = 1.0, 0
        self.wrench, self._zero = np.zeros(6), np.zeros(6)
        self.giving_way: Admittance | None = None
        self._motion: Motion | None = None
        self._program: Program | None = None
        self._yielder = Yielder(self.plant.q)
        self.target_q, self.target_qd = self.plant.q, np.zeros(6)
        self._watchdog: tuple[str, float, float] | None = None
        self._unlock_after, self._unlock_at = config.unlock_after_s, 0.0
        self._button = False
        self._power: Iterator[None] | None = None
        self._T = self.arm.tool_pose(self.plant.q)

    @property
    def motion(self) -> Motion | None:
        return self._motion

    @property
    def standing(self) -> bool:
        return self._motion is None and self.plant.at_rest

    @property
    def program_running(self) -> bool:
        return self._program is not None and self.runtime_state == PLAYING

    @property
    def robot_status(self) -> int:
        return int(self.robot_mode >= IDLE) | self.program_running << 1

    @property
    def safety_status(self) -> int:
        return _SAFETY_BITS[self.safety_mode]

    @property
    def joint_mode(self) -> int:
        return DRIVES_ON if self.robot_mode == RUNNING else DRIVES_OFF

    @property
    def speed_scaling(self) -> float:
        return self.speed_slider if self.program_running else 0.0

    @property
    def T_base_tool(self) -> Array:
        return self._T

    @property
    def tool_pose(self) -> list[float]:
        """(6,) [m, rad]"""
        return pose_from_T(self._T)

    @property
    def target_tool_pose(self) -> list[float]:
        return pose_from_T(self.arm.tool_pose(self.target_q))

    @property
    def tool_speed(self) -> Array:
        """(6,) [m/s, rad/s] in base"""
        return np.asarray(self.arm.tool_jacobian(self.plant.q) @ self.plant.dq)

    @property
    def force(self) -> Array:
        """(6,) [N, Nm] on the tool, in base: measured by an e-Series, estimated by a CB3."""
        return np.asarray(self.wrench - self._zero)

    @property
    def raw_wrench(self) -> Array:
        """(6,) [N, Nm] as the sensor in the flange feels it."""
        R = self._T[:3, :3]
        return np.concatenate([R.T @ self.wrench[:3], R.T @ self.wrench[3:]])

    def write(self, values: Mapping[str, Sequence[Any]]) -> None:
        """Take inputs by their RTDE names."""
        self.writes += 1
        for name, value in values.items():
            if name.startswith("input_int_register_"):
                self.input_int[int(name.rsplit("_", 1)[1])] = int(value[0])
            elif name.startswith("input_double_register_"):
                self.input_double[int(name.rsplit("_", 1)[1])] = float(value[0])
            elif name == "speed_slider_fraction":
                self.speed_slider = float(np.clip(value[0], 0.0, 1.0))
        if self._watchdog is not None and self._watchdog[0] in values:
            self._watchdog = (*self._watchdog[:2], self.time)
        mask = int(values.get("standard_digital_output_mask", (0,))[0])
        self.digital_outputs = self.digital_outputs & ~mask | mask & int(
            values.get("standard_digital_output", (0,))[0]
        )

    def set_watchdog(self, name: str, hertz: float) -> None:
        """Stop the program where an input is not written this often; 0 ends the watch."""
        self._watchdog = (name, 1.0 / hertz, self.time) if hertz > 0 else None

    def run(self, program: Program) -> None:
        """Start a program in place of the one that runs; without power and safety nothing starts."""
        self.end_program()
        if self.robot_mode == RUNNING and self.safety_mode == NORMAL:
            self._program, self.runtime_state = program, PLAYING

    def end_program(self) -> None:
        """End what runs; the arm brakes."""
        self._program, self.runtime_state, self._watchdog = None, STOPPED, None
        self.giving_way = None
        self.halt()

    def resume(self) -> bool:
        """Go on with a paused program from where it was: nobody looks whether the arm is still there."""
        able = self._program is not None and self.safety_mode == NORMAL and self.robot_mode == RUNNING
        if able:
            self.runtime_state = PLAYING
        return able

    def start(self, motion: Motion) -> None:
        """Let the arm do this from now on."""
        self._motion = motion
        self._yielder.begin()

    def halt(self, deceleration: float = BRAKE_DDQ) -> None:
        """Brake with [rad/s^2] and stand."""
        self._motion = None
        self._yielder.begin()
        self.plant.start_brake(deceleration)

    def zero_force(self) -> None:
        """Take the force that is felt now for none."""
        self._zero = self.wrench.copy()

    def protective_stop(self) -> None:
        """Brake and pause the program; a pressed emergency stop is more."""
        if self.safety_mode == NORMAL:
            self.safety_mode, self._unlock_at = PROTECTIVE_STOP, self.time + self._unlock_after
            self.runtime_state = PAUSED if self._program is not None else STOPPED
            self.halt()

    def unlock(self) -> bool:
        """End a protective stop, once it has lasted long enough."""
        if self.safety_mode == PROTECTIVE_STOP and self.time >= self._unlock_at:
            self.safety_mode = NORMAL
        return self.safety_mode == NORMAL

    def power(self, mode: int) -> None:
        """Go to POWER_OFF at once, to IDLE or RUNNING (brakes released) in a while; never with the button in."""
        if mode == POWER_OFF:
            self._power, self.robot_mode = None, POWER_OFF
            self.end_program()
        elif self.safety_mode == NORMAL and self.robot_mode < mode and self._power is None:
            self._power = self._powering(mode)

    def disturb(self, fault: Fault) -> None:
        """Take the arm's own faults; codes are the xArm's and stand for a protective stop here."""
        if fault.kind in ("protective_stop", "error"):
            self.protective_stop()
        elif fault.kind == "emergency_stop":
            self.power(POWER_OFF)
            self.safety_mode, self._button = EMERGENCY_STOP, True
        elif fault.kind == "none" and self._button:
            self.safety_mode, self._button = NORMAL, False

    def place(self, q: Array) -> None:
        """Be somewhere else at once: at rest, powered, without stops."""
        self.plant = Plant(q)
        self.halt()
        self.wrench, self._zero = np.zeros(6), np.zeros(6)
        self.target_q, self.target_qd = self.plant.q, np.zeros(6)
        if self._program is not None:
            self._program.let_go()
        if self.safety_mode != NORMAL and not self._button:
            self.safety_mode = NORMAL
            self.end_program()
        if not self._button:
            self.robot_mode = RUNNING
        self._T = self.arm.tool_pose(self.plant.q)

    def step(self, dt: float) -> None:
        """Let dt [s] go by."""
        self.time += dt
        if self._watchdog is not None and self.time - self._watchdog[2] > self._watchdog[1]:
            self.end_program()
        if self._power is not None and next(self._power, self) is self:
            self._power = None
        self._run_program()
        parts = max(1, round(dt / _SUBSTEP))
        for _ in range(parts):
            self._drive(dt / parts)
        self._measure()

    def _run_program(self) -> None:
        """One cycle of the program. What it cannot do ends it; what the arm cannot do is a protective stop."""
        if self._program is None or self.runtime_state != PLAYING:
            return
        try:
            if self._program.turn():
                return
        except MotionError as error:
            if error.code == JOINT_SPEED:
                self.protective_stop()
                return
            log.info("the program failed: no kinematic solution")
        except (ValueError, IndexError) as error:
            log.info("the program failed: %s", error)
        self.end_program()

    def _powering(self, mode: int) -> Iterator[None]:
        until = self.time + POWER_S
        while self.time < until:
            yield
        self.robot_mode = mode

    def _drive(self, dt: float) -> None:
        moves = self._motion is not None or self.giving_way is not None
        if not moves or self.robot_mode != RUNNING or self.safety_mode != NORMAL:
            self.plant.brake(dt)
            self.target_q, self.target_qd = self.plant.q, self.plant.dq
            self._yielder.begin()
            return
        try:
            reference, speed = self._yielder.reference(
                self._motion, self.giving_way, self.plant.q, self.force, dt, self.speed_slider
            )
            if not self.arm.in_range(reference):
                raise MotionError(0)
        except MotionError:
            self.protective_stop()
            self.plant.brake(dt)
            return
        self.plant.track(reference, speed, dt)
        self.target_q, self.target_qd = reference, speed
        if self._motion is not None and self._motion.done and self.plant.settled(reference):
            self._motion = None

    def _measure(self) -> None:
        self._T = self.arm.tool_pose(self.plant.q)
        fast = float(np.abs(self.plant.dq).max()) > _SLOW
        too_fast = fast and float(np.linalg.norm(self.tool_speed[:3])) > LARGEST_TCP_SPEED
        if self.robot_mode == RUNNING and (too_fast or np.linalg.norm(self.wrench[:3]) > LARGEST_FORCE):
            self.protective_stop()


def base_frame() -> Array:
    """Return the base's own axes (4, 4)."""
    return transform(np.eye(3), np.zeros(3))

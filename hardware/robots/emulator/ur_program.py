"""The program that a client uploads to the UR: the loop of commands that ur-rtde 1.6.5 sends, and plain scripts.

Command numbers, registers and their order: what ur-rtde 1.6.5 writes, and what its uploaded program does with it.
"""

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.admittance import ALL_AXES, NO_LIMIT, Admittance
from hardware.robots.emulator.motion import (
    CartesianVelocity,
    JointMove,
    JointVelocity,
    LineMove,
    Motion,
    MotionError,
    ServoStream,
)
from hardware.robots.emulator.ur_controller import URController, base_frame
from hardware.robots.ur_units import T_from_pose, pose_from_T

STOP_SCRIPT = 255
REALTIME = frozenset({6, 9, 10, 11, 24, 25, 26, 27, 38, 58, 66, 67, 68, 69, 70, 71})
READY, DONE = 1, 2
PROGRESS = 2
RUNNING_BIT = 1 << 15
_INT_OFFSET = re.compile(r"# int register offset\n\s*(\d+)")
_DOUBLE_OFFSET = re.compile(r"# float register offset\n\s*(\d+)")

Steps = Iterator[None]
Work = Steps | None


class ControlProgram:
    """ur-rtde's control loop: one command at a time from the registers, and what goes on beside it.

    path: the steps that were injected for a move along a path.
    """

    def __init__(self, controller: URController, script: str, path: Callable[["ControlProgram"], Steps]) -> None:
        self.c = controller
        ints, doubles = _INT_OFFSET.search(script), _DOUBLE_OFFSET.search(script)
        self._ints, self._doubles = int(ints[1]) if ints else 0, int(doubles[1]) if doubles else 0
        self._path = path
        self._main = self._loop()
        self._move: Steps | None = None
        self._stop: Steps | None = None
        self._stream: ServoStream | None = None
        self._speed: JointVelocity | CartesianVelocity | None = None
        self._seen = -1
        self._count = self._operation = 0

    def turn(self) -> bool:
        if self._move is not None and next(self._move, self) is self:
            self._move = None
            self.progress(-1)
        if self._stop is not None and next(self._stop, self) is self:
            self._stop = None
            self.progress(-1)
        return next(self._main, self) is not self

    def let_go(self) -> None:
        self._end_stream()
        self._kill_move()
        self.c.giving_way = None

    def progress(self, value: int) -> None:
        """Say how far an asynchronous operation is; 0 begins one, a negative number ends it."""
        self._count = (self._count + 1) % 128
        if value == 0:
            self._operation = (self._operation + 1) % 128
        word = self._count << 16 | self._operation << 24
        self._set_int(PROGRESS, word + (min(value, 32767) + RUNNING_BIT if value >= 0 else 0))

    def _loop(self) -> Steps:
        executing = False
        self.progress(-1)
        self._set_int(0, READY)
        while True:
            command = self._int(0)
            if command in REALTIME:
                yield from self._process(command) or ()
                self._set_int(0, READY)
            elif command == 0:
                executing = False
                self._set_int(0, READY)
            elif command == STOP_SCRIPT:
                return
            elif not executing:
                yield from self._process(command) or ()
                self._set_int(0, DONE)
                executing = True
            yield

    def _process(self, command: int) -> Work:
        handler = HANDLERS.get(command)
        return None if handler is None else handler(self)

    def _int(self, index: int) -> int:
        return self.c.input_int[index + self._ints]

    def _set_int(self, index: int, value: int) -> None:
        self.c.output_int[index + self._ints] = value

    def _doubles_at(self, first: int, count: int = 6) -> Array:
        first += self._doubles
        return np.array(self.c.input_double[first : first + count])

    def _double(self, index: int) -> float:
        return self.c.input_double[index + self._doubles]

    def _answer(self, values: Array | list[float]) -> None:
        self.c.output_double[self._doubles : self._doubles + len(values)] = [float(v) for v in values]

    def _fresh(self) -> bool:
        """Whether something was written since the last look: the loop sees each command many times."""
        fresh, self._seen = self.c.writes != self._seen, self.c.writes
        return fresh

    def do(self, motion: Motion) -> Steps:
        """Move, and go on when that has ended."""
        self.c.start(motion)
        while self.c.motion is motion:
            yield

    def _moves(self, steps: Steps) -> Work:
        """Move now, or beside the loop where the client does not want to wait."""
        self._kill_move()
        self._end_stream()
        if self._int(1) != 1:
            return steps
        self.progress(0)
        self._move = steps
        return None

    def _kill_move(self) -> None:
        if self._move is not None:
            self._move = None
            self.progress(-1)

    def _end_stream(self) -> None:
        self._stream = self._speed = None

    def _joint_move(self, goal: Array) -> Steps:
        speed, acceleration = self._double(6), self._double(7)
        return self.do(JointMove(self.c.plant.q, goal, max(speed, 1e-3), max(acceleration, 1e-2)))

    def _line(self, T: Array) -> Steps:
        speed, acceleration = self._double(6), self._double(7)
        return self.do(LineMove(self.c.arm, self.c.plant.q, T, max(speed, 1e-4), max(acceleration, 1e-3)))

    def _inverse(self, pose: Array, near: Array) -> Array:
        """Joints (6,) that reach a pose (6,); a program without them fails, as the real one does."""
        q = self.c.arm.solve(T_from_pose(pose), near)
        if q is None:
            raise MotionError(0)
        return q

    def move_joints(self) -> Work:
        return self._moves(self._joint_move(self._doubles_at(0)))

    def move_joints_to_pose(self) -> Work:
        return self._moves(self._joint_move(self._inverse(self._doubles_at(0), self.c.plant.q)))

    def move_line(self) -> Work:
        return self._moves(self._line(T_from_pose(self._doubles_at(0))))

    def move_line_to_joints(self) -> Work:
        return self._moves(self._line(self.c.arm.tool_pose(self._doubles_at(0))))

    def move_path(self) -> Work:
        return self._moves(self._path(self))

    def _servo(self, q: Array) -> None:
        if self._stream is None or self.c.motion is not self._stream:
            self._kill_move()
            self._stream = ServoStream(self.c.plant.q)
            self.c.start(self._stream)
        self._stream.command(q)

    def servo_joints(self) -> None:
        if self._fresh():
            self._servo(self._doubles_at(0))

    def servo_pose(self) -> None:
        if self._fresh():
            near = self._stream.goal if self._stream is not None else self.c.plant.q
            q, far, turned = self.c.arm.towards(T_from_pose(self._doubles_at(0)), near, 4)
            if far > 1e-3 or turned > 1e-2:
                raise MotionError(0)
            self._servo(q)

    def speed_joints(self) -> None:
        if self._fresh():
            if not isinstance(self._speed, JointVelocity) or self.c.motion is not self._speed:
                self._speed = JointVelocity(self.c.plant.q, max(self._double(6), 1e-2))
                self.c.start(self._speed)
            self._speed.command(self._doubles_at(0), 0.0)

    def speed_tool(self) -> None:
        if self._fresh():
            self._go_at(self._doubles_at(0), in_tool=False)

    def jog(self) -> None:
        self._go_at(self._doubles_at(0), in_tool=self._double(6) == 1.0)

    def _go_at(self, twist: Array, in_tool: bool) -> None:
        if not isinstance(self._speed, CartesianVelocity) or self.c.motion is not self._speed:
            self._speed = CartesianVelocity(self.c.arm, self.c.plant.q, 15.0)
            self.c.start(self._speed)
        self._speed.command(twist, in_tool, 0.0)

    def _stand(self, deceleration: float) -> Steps:
        self._end_stream()
        self.c.halt(deceleration)
        while not self.c.standing:
            yield

    def _along_line(self, deceleration: float) -> float:
        """The joints' deceleration [rad/s^2] that stops the tool with one in [m/s^2]."""
        tip = float(np.linalg.norm(self.c.tool_speed[:3]))
        return deceleration * float(np.abs(self.c.plant.dq).max()) / max(tip, 1e-3)

    def stop_line(self) -> Work:
        return self._stops(self._along_line(self._double(0)))

    def stop_joints(self) -> Work:
        return self._stops(self._double(0))

    def _stops(self, deceleration: float) -> Work:
        self._kill_move()
        if self._int(1) != 1:
            return self._stand(deceleration)
        self.progress(0)
        self._stop = self._stand(deceleration)
        return None

    def stop_stream(self) -> Steps:
        return self._stand(self._along_line(self._double(0)))

    def stop_jog(self) -> Steps:
        return self._stand(self._along_line(1.2))

    def force_mode(self) -> None:
        if self._fresh():
            selection = np.array([self._int(i) for i in range(2, 8)])
            frame, wrench, limits = (T_from_pose(self._doubles_at(0)), self._doubles_at(6), self._doubles_at(12))
            limits = np.where(selection != 0, limits, 0.0)
            self.c.giving_way = Admittance(self.c.arm, frame, selection, wrench, limits)

    def end_force_mode(self) -> Steps:
        self.c.giving_way = None
        return self._stand(15.0)

    def give_way(self) -> None:
        """Teach mode: the arm goes where it is pushed."""
        self._end_stream()
        self.c.halt()
        self.c.giving_way = Admittance(self.c.arm, base_frame(), ALL_AXES, np.zeros(6), NO_LIMIT)

    def free_drive(self) -> None:
        self.give_way()
        axes = np.array([self._int(i) for i in range(1, 7)])
        frame = T_from_pose(self._doubles_at(0))
        self.c.giving_way = Admittance(self.c.arm, frame, axes, np.zeros(6), NO_LIMIT)

    def end_give_way(self) -> None:
        self.c.giving_way = None
        self.c.halt()

    def zero_force(self) -> None:
        self.c.zero_force()

    def set_payload(self) -> None:
        mass, *cog = self._doubles_at(0, 4)
        self.c.payload = float(mass)
        if any(cog) or self.c.generation.series == "CB3":
            self.c.payload_cog = (float(cog[0]), float(cog[1]), float(cog[2]))

    def set_tool(self) -> None:
        self.c.arm.T_flange_tool = T_from_pose(self._doubles_at(0))

    def get_tool(self) -> None:
        self._answer(pose_from_T(self.c.arm.T_flange_tool))

    def protective_stop(self) -> None:
        self.c.protective_stop()

    def set_watchdog(self) -> None:
        self.c.set_watchdog(f"input_int_register_{self._ints}", self._double(0))

    def step_time(self) -> None:
        self._answer([1.0 / self.c.generation.frequency])

    def joint_torques(self) -> None:
        self._answer(-self.c.arm.tool_jacobian(self.c.plant.q).T @ self.c.wrench)

    def flange_pose(self) -> None:
        self._answer(pose_from_T(self.c.arm.kinematics.flange_pose(self.c.plant.q)))

    def joints_now(self) -> None:
        self._answer(self.c.plant.q)

    def target_pose(self) -> None:
        self._answer(self.c.target_tool_pose)

    def forward(self) -> None:
        self._answer(self.c.tool_pose)

    def forward_of(self) -> None:
        q, T_flange_tool = self._doubles_at(0), T_from_pose(self._doubles_at(6))
        self._answer(pose_from_T(self.c.arm.kinematics.flange_pose(q) @ T_flange_tool))

    def inverse(self) -> None:
        self._answer(self._inverse(self._doubles_at(0), self.c.plant.q))

    def inverse_near(self) -> None:
        self._answer(self._inverse(self._doubles_at(0), self._doubles_at(6)))

    def has_inverse(self) -> None:
        self._set_int(1, self.c.arm.solve(T_from_pose(self._doubles_at(0)), self.c.plant.q) is not None)

    def has_inverse_near(self) -> None:
        self._set_int(1, self.c.arm.solve(T_from_pose(self._doubles_at(0)), self._doubles_at(6)) is not None)

    def joints_are_safe(self) -> None:
        self._set_int(1, self.c.arm.in_range(self._doubles_at(0)))

    def pose_combined(self) -> None:
        self._answer(pose_from_T(T_from_pose(self._doubles_at(0)) @ T_from_pose(self._doubles_at(6))))

    def is_steady(self) -> None:
        self._set_int(1, self.c.standing)

    def no_contact(self) -> None:
        self._set_int(1, 0)


HANDLERS: Mapping[int, Callable[[ControlProgram], Work]] = {
    1: ControlProgram.move_joints,
    2: ControlProgram.move_joints_to_pose,
    3: ControlProgram.move_line,
    4: ControlProgram.move_line_to_joints,
    6: ControlProgram.force_mode,
    7: ControlProgram.end_force_mode,
    8: ControlProgram.zero_force,
    9: ControlProgram.speed_joints,
    10: ControlProgram.speed_tool,
    11: ControlProgram.servo_joints,
    15: ControlProgram.stop_stream,
    16: ControlProgram.stop_stream,
    17: ControlProgram.set_payload,
    18: ControlProgram.give_way,
    19: ControlProgram.end_give_way,
    24: ControlProgram.servo_pose,
    25: ControlProgram.no_contact,
    26: ControlProgram.step_time,
    27: ControlProgram.joints_now,
    28: ControlProgram.target_pose,
    29: ControlProgram.set_tool,
    30: ControlProgram.inverse_near,
    31: ControlProgram.protective_stop,
    33: ControlProgram.stop_line,
    34: ControlProgram.stop_joints,
    35: ControlProgram.set_watchdog,
    36: ControlProgram.has_inverse,
    37: ControlProgram.joints_are_safe,
    38: ControlProgram.joint_torques,
    39: ControlProgram.pose_combined,
    40: ControlProgram.get_tool,
    41: ControlProgram.jog,
    42: ControlProgram.stop_jog,
    43: ControlProgram.forward,
    44: ControlProgram.forward_of,
    45: ControlProgram.move_path,
    46: ControlProgram.inverse,
    47: ControlProgram.is_steady,
    52: ControlProgram.free_drive,
    53: ControlProgram.end_give_way,
    54: ControlProgram.no_contact,
    58: ControlProgram.flange_pose,
    60: ControlProgram.has_inverse,
    61: ControlProgram.has_inverse_near,
    64: ControlProgram.no_contact,
    65: ControlProgram.set_payload,
}

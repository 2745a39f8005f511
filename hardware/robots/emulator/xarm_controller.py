"""An emulated xArm 7 controller without sockets: states, modes, errors and the motion of its arm in time.

State: 1 moving, 2 ready, 3 paused, 4 stopped, 5 settings changed (set_state(0) makes it ready again). An error
stops the arm, throws the queue away and holds until it is cleared (user manual, "Error handling").
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.admittance import ALL_AXES, NO_LIMIT, Admittance, Yielder
from hardware.robots.emulator.arm import EmulatedArm
from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.faults import Fault
from hardware.robots.emulator.frames import STATUS_ERROR, STATUS_NOT_READY, STATUS_WARNING
from hardware.robots.emulator.gripper import Gripper
from hardware.robots.emulator.motion import CartesianVelocity, JointVelocity, Motion, MotionError, ServoStream
from hardware.robots.emulator.plant import Plant
from hardware.robots.emulator.settings import Settings
from hardware.robots.xarm_units import T_from_pose, pose_from_T

READY, PAUSED, STOPPED, CHANGED = 2, 3, 4, 5
POSITION, SERVO, MANUAL, JOINT_VELOCITY, CARTESIAN_VELOCITY = 0, 1, 2, 4, 5
ADMITTANCE, FORCE_CONTROL = 1, 2
EMERGENCY_STOPS = (1, 2, 3)
SELF_COLLISION, JOINT_LIMIT, COLLISION, BOUNDARY, SERVO_SPEED = 22, 23, 31, 35, 60
SERVO_TCP_SPEED = 1.2
QUEUE_LENGTH = 1024
QUEUE_FULL = 11
PAUSE_TIME = 0.2
FINISHED, DISCARDED = 0, 2
# force at the tool [N] that is taken for a collision, by sensitivity; 0 is off
COLLISION_FORCE = {0: np.inf, 1: 120.0, 2: 100.0, 3: 75.0, 4: 55.0, 5: 40.0}
_SLOW_CHECKS = 5
_SPEED_UNITS = np.array([1e-3] * 3 + [np.pi / 180.0] * 3)


@dataclass
class Queued:
    """A command of the queue: what it will be once its turn comes, and whom to tell when it ends."""

    start: Callable[[Array], Motion]
    on_end: Callable[[int], None]


class XArmController:
    """Call `step` in fixed steps of time; registers.py turns requests into calls of the rest."""

    def __init__(self, config: EmulatorConfig) -> None:
        self.settings = Settings()
        self.arm = EmulatedArm(config.model, config.kinematics_error_mm)
        self.plant = Plant(np.array(config.q_start))
        self.mode, self.error, self.warning = POSITION, 0, 0
        self.enabled = False
        self.wrench = np.zeros(6)
        self.tcp_speed = 0.0
        self._button = False
        self.has_force_sensor, self.force_zero = config.force_sensor, np.zeros(6)
        self.gripper = Gripper(config.gripper)
        self._way: Admittance | None = None
        self._yielder = Yielder(self.plant.q)
        self._state = STOPPED
        self._motion: Motion | None = None
        self._current: Queued | None = None
        self._queue: deque[Queued] = deque()
        self._rate = 1.0
        self._cycle = 0
        self._tip = self.arm.tool_pose(self.plant.q)[:3, 3]

    @property
    def state(self) -> int:
        """The state that the vendor's client reads."""
        if self._state == READY and (self._busy or not self.plant.at_rest):
            return 1
        return self._state

    @property
    def queue_length(self) -> int:
        return len(self._queue) + (self._current is not None)

    @property
    def status(self) -> int:
        """The status byte of every reply."""
        ready = self.enabled and self._state in (READY, PAUSED)
        error, warning = STATUS_ERROR * bool(self.error), STATUS_WARNING * bool(self.warning)
        return error | warning | (0 if ready else STATUS_NOT_READY)

    @property
    def pose(self) -> list[float]:
        """The tool's pose in the user frame (6,) [mm, rad]."""
        return pose_from_T(self.arm.tool_pose(self.plant.q))

    @property
    def servo_pose(self) -> Array:
        """The tool pose (4, 4) that a streamed step starts from: the last streamed one, else where the arm is."""
        stream = self._motion
        return self.arm.tool_pose(stream.goal if isinstance(stream, ServoStream) else self.plant.q)

    @property
    def joint_torque(self) -> Array:
        """(7,) [Nm] that the external force asks of the drives."""
        return np.asarray(-self.arm.tool_jacobian(self.plant.q).T @ self.wrench)

    @property
    def force(self) -> list[float]:
        """What the force-torque sensor says (6,) [N, Nm]; zero where it is off."""
        return [float(v) for v in self.wrench - self.force_zero] if self.settings.force_sensor_on else [0.0] * 6

    def zero_force(self) -> None:
        """Take the force that is felt now for none."""
        self.force_zero = self.wrench.copy()

    def give_way_anew(self) -> None:
        """The task of the force sensor changed: what it gave way so far is where it starts."""
        self._way = None
        self._yielder.begin()

    def enable(self, on: bool) -> None:
        """Switch the motors; without them the brakes hold."""
        self.enabled = on
        if not on:
            self._halt(STOPPED)

    def set_state(self, state: int) -> None:
        """0 ready (or go on after a pause), 3 pause, 4 or 6 stop."""
        if state == PAUSED and self._state == READY:
            self._state = PAUSED
        elif state in (4, 6):
            self._halt(STOPPED)
        elif state == 0 and self.error == 0 and self.enabled:
            if self._state != PAUSED:
                self._drop_queue()
            self._state = READY

    def set_mode(self, mode: int) -> None:
        """Change the mode; a change has to be followed by set_state(0)."""
        if mode != self.mode:
            self.mode = mode
            self.changed()

    def changed(self) -> None:
        """A setting was changed: stop and wait for set_state(0)."""
        self._halt(CHANGED if self._state != STOPPED else STOPPED)

    def set_tool(self, pose: list[float]) -> None:
        """Take a tool offset (6,) [mm, rad]."""
        self.settings.tcp_offset = pose
        self.arm.set_tool(pose)
        self.changed()

    def set_world(self, pose: list[float]) -> None:
        """Take a user frame (6,) [mm, rad]."""
        self.settings.world_offset = pose
        self.arm.T_user_base = T_from_pose(pose)
        self.changed()

    def fail(self, code: int) -> None:
        """Raise an error: stop and throw the queue away. Emergency stops take the motors' power as well."""
        self.error = code
        self._halt(STOPPED)
        if code in EMERGENCY_STOPS:
            self.enabled = False

    def clear_error(self) -> None:
        """Clear the error; a pressed button keeps its own."""
        self.error = EMERGENCY_STOPS[1] if self._button else 0

    def place(self, q: Array) -> None:
        """Be somewhere else at once, at rest and without errors."""
        self.plant = Plant(q)
        self.clear_error()
        self.warning = 0
        self.wrench = np.zeros(6)
        self._halt(STOPPED if self._state == STOPPED else CHANGED)
        self._tip = self.arm.tool_pose(q)[:3, 3]

    def disturb(self, fault: Fault) -> None:
        """Raise an error by itself; a pressed emergency stop comes back until "none" releases it."""
        if fault.kind == "warning":
            self.warning = fault.code
        elif fault.kind == "object_in_gripper":
            self.gripper.in_hand = 850.0 * fault.code / 100.0
        elif fault.kind == "none":
            self._button, self.gripper.in_hand = False, None
        else:
            self._button = self._button or fault.kind == "emergency_stop"
            codes = {"protective_stop": COLLISION, "emergency_stop": EMERGENCY_STOPS[1]}
            self.fail(codes.get(fault.kind, fault.code))

    def push(self, queued: Queued) -> None:
        """Add to the queue; thrown away at once unless the controller is ready and in position mode."""
        ready = self.enabled and self._state in (READY, PAUSED) and self.error == 0
        if ready and self.mode == POSITION and len(self._queue) < QUEUE_LENGTH:
            self._queue.append(queued)
            return
        if len(self._queue) >= QUEUE_LENGTH:
            self.warning = QUEUE_FULL
        queued.on_end(DISCARDED)

    def servo_joints(self, q: Array) -> None:
        """Take a streamed position (7,) [rad]; without effect in another mode, as with the vendor."""
        if not self._takes(SERVO):
            return
        if not self.arm.in_range(q):
            self.fail(JOINT_LIMIT)
            return
        if not isinstance(self._motion, ServoStream):
            self._motion = ServoStream(self.plant.q)
        try:
            self._motion.command(q)
        except MotionError as error:
            self.fail(error.code)

    def servo_tool(self, T: Array) -> None:
        """Take a streamed tool pose (4, 4)."""
        if not self._takes(SERVO):
            return
        seed = self._motion.goal if isinstance(self._motion, ServoStream) else self.plant.q
        q, far, turned = self.arm.towards(T, seed, 4)
        if far > 1e-3 or turned > 1e-2:
            self.fail(21)
        else:
            self.servo_joints(q)

    def joint_velocity(self, wanted: Array, seconds: float) -> None:
        """Take joint speeds (7,) [rad/s]."""
        if self._takes(JOINT_VELOCITY):
            if not isinstance(self._motion, JointVelocity):
                self._motion = JointVelocity(self.plant.q, self.settings.joint_acceleration[1])
            self._motion.command(wanted, seconds)

    def tool_velocity(self, twist: Array, in_tool: bool, seconds: float) -> None:
        """Take a tool velocity (6,) [m/s, rad/s]."""
        if self._takes(CARTESIAN_VELOCITY):
            motion = self._motion
            if not isinstance(motion, CartesianVelocity):
                motion = CartesianVelocity(self.arm, self.plant.q, self.settings.joint_acceleration[1])
                self._motion = motion
            motion.command(twist, in_tool, seconds)

    def step(self, dt: float) -> None:
        """Let dt [s] go by."""
        self._cycle += 1
        self.gripper.step(dt)
        if self._state == READY and self._motion is None:
            self._next()
        target = 0.0 if self._state == PAUSED else 1.0
        self._rate += float(np.clip(target - self._rate, -dt / PAUSE_TIME, dt / PAUSE_TIME))
        way = self._gives_way()
        if (self._motion is None and way is None) or self._state not in (READY, PAUSED):
            self.plant.brake(dt)
            self._yielder.begin()
        else:
            self._follow(self._motion, way, dt)
        self._measure(dt)

    def _gives_way(self) -> Admittance | None:
        """What the arm gives way to now: the force sensor's task in position mode, a hand in manual mode."""
        s = self.settings
        ready = self.enabled and self._state == READY and not self.error
        if not ready or not (self.mode == MANUAL or (self.mode == POSITION and s.force_sensor_mode)):
            self._way = None
        elif self._way is None:
            self._way = self._hand() if self.mode == MANUAL else self._force_task()
        return self._way

    def _hand(self) -> Admittance:
        return Admittance(self.arm, np.eye(4), ALL_AXES, np.zeros(6), NO_LIMIT)

    def _force_task(self) -> Admittance:
        s = self.settings
        admittance = s.force_sensor_mode == ADMITTANCE
        task = s.admittance if admittance else s.force_control
        frame = self.arm.tool_pose(self.plant.q) if task.frame else np.eye(4)
        wrench = np.zeros(6) if admittance else np.array(s.force_reference)
        limits = NO_LIMIT if admittance else np.array(s.force_speed) * _SPEED_UNITS
        stiffness = np.array(s.admittance_mkb[6:12]) if admittance else None
        return Admittance(self.arm, frame, np.array(task.axes), wrench, limits, stiffness)

    def _follow(self, motion: Motion | None, way: Admittance | None, dt: float) -> None:
        felt = self.wrench if self.mode == MANUAL else np.array(self.force)
        try:
            reference, speed = self._yielder.reference(motion, way, self.plant.q, felt, dt, self._rate)
            self._check(reference)
        except MotionError as error:
            self.fail(error.code)
            self.plant.brake(dt)
            return
        self.plant.track(reference, speed, dt)
        if motion is not None and motion.done and self.plant.settled(reference):
            self._finish()

    def _check(self, reference: Array) -> None:
        if not self.arm.in_range(reference) or not self.settings.inside_ranges(reference.tolist()):
            raise MotionError(JOINT_LIMIT)
        if self._cycle % _SLOW_CHECKS == 0:
            if self.settings.self_collision_on and self.arm.self_collides(reference):
                raise MotionError(SELF_COLLISION)
            if not self.settings.inside_boundary(*(1000.0 * self.arm.tool_pose(reference)[:3, 3])):
                raise MotionError(BOUNDARY)

    def _measure(self, dt: float) -> None:
        tip = self.arm.tool_pose(self.plant.q)[:3, 3]
        self.tcp_speed, self._tip = float(np.linalg.norm(tip - self._tip)) / dt, tip
        if self.error:
            return
        force = float(np.linalg.norm(self.wrench[:3]))
        if self.enabled and force > COLLISION_FORCE.get(self.settings.collision_sensitivity, np.inf):
            self.fail(COLLISION)
        elif self.mode == SERVO and self._state == READY and self.tcp_speed > SERVO_TCP_SPEED:
            self.fail(SERVO_SPEED)

    @property
    def _busy(self) -> bool:
        if isinstance(self._motion, ServoStream):
            return not self._motion.idle
        return self._motion is not None or bool(self._queue)

    def _takes(self, mode: int) -> bool:
        return self.mode == mode and self._state == READY and self.enabled and self.error == 0

    def _next(self) -> None:
        if self._queue:
            self._yielder.begin()
            self._current = self._queue.popleft()
            self._motion = self._current.start(self.plant.q)

    def _finish(self) -> None:
        current, self._current, self._motion = self._current, None, None
        if current is not None:
            current.on_end(FINISHED)

    def _halt(self, state: int) -> None:
        self._state, self._motion = state, None
        self.plant.start_brake()
        self._drop_queue()

    def _drop_queue(self) -> None:
        current, self._current = self._current, None
        waiting, self._queue = list(self._queue), deque()
        for queued in ([current] if current else []) + waiting:
            queued.on_end(DISCARDED)

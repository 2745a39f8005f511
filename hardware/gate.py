"""The gate: holds every command against every limit before it may reach an arm. Pure: no clock, device or memory.

A command passes unchanged or is refused whole, with the rule, the amount and the limit in words; it is never
altered. Functions take one command or many at once: the leading axes (...) of the arrays are the commands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, inverse
from hardware.rig import ArmConfig, Rig
from hardware.types import ArmLimits, ArmState, Box, Tool, require

# the planner lifts the tool exactly to its limit and checks it with the same hundredth of a millimetre
ROUNDING_M = 1e-5
ROUNDING = 1e-9
MIN_CLEARANCE_M = 0.005
AXES = ("x", "y", "z")


class Kinematics(Protocol):
    """What the gate needs of an arm: `hardware.kinematics.ArmKinematics` is one."""

    def flange_pose(self, q: Array) -> Array: ...

    def singularity_distance(self, q: Array) -> Array: ...


@dataclass(frozen=True, eq=False)
class Sent:
    """A command that passed, and how it moved: t (...) [s], dt (...) [s] since the one before, q, dq (..., J),
    tip, tip_velocity (..., 3) in world."""

    t: Array
    dt: Array
    q: Array
    dq: Array
    tip: Array
    tip_velocity: Array


@dataclass(frozen=True)
class Refusal:
    """One command that may not pass: which arm, which rule, how much against which limit in `unit`.

    what: the joint or axis that it is about. least: the limit is a lower one.
    """

    arm: str
    rule: str
    value: float
    limit: float
    unit: str
    what: str = ""
    least: bool = False

    @property
    def text(self) -> str:
        """The refusal in words, for a person."""
        name = f"{self.rule} of {self.what}" if self.what else self.rule
        if self.rule == "finite numbers":
            return f"{self.arm}: the command holds nan or inf"
        side = "under" if self.least else "over"
        return (
            f"{self.arm}: {name} is {self.value:.5g} {self.unit}, {side} the limit of {self.limit:.5g} {self.unit}"
        )


@dataclass(frozen=True, eq=False)
class Bound:
    """One rule held against commands: value and limit (..., C), C joints, axes or boxes named by `columns`."""

    rule: str
    value: Array
    limit: Array
    unit: str
    columns: tuple[str, ...] = ("",)
    least: bool = False
    rounding: float = 0.0

    @property
    def broken(self) -> NDArray[np.bool_]:
        """(..., C) bool. Written so that nan breaks every rule."""
        slack = ROUNDING * np.abs(self.limit) + self.rounding
        if self.least:
            return np.asarray(~(self.value >= self.limit - slack))
        return np.asarray(~(self.value <= self.limit + slack))

    def refusal(self, arm: str) -> Refusal:
        """The worst column of a single command that breaks this rule."""
        value, limit = (np.broadcast_to(v, self.broken.shape) for v in (self.value, self.limit))
        excess = np.where(self.broken, np.abs(value - limit), -1.0)
        worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
        return Refusal(
            arm, self.rule, float(value[worst]), float(limit[worst]), self.unit, self.columns[worst], self.least
        )


@dataclass(frozen=True, eq=False)
class Gate:
    """The limits of one arm with its tool in its place: T_world_base, T_flange_tool (4, 4), tip (3,) in the tool
    frame; dt [s] between commands."""

    arm: str
    limits: ArmLimits
    kinematics: Kinematics
    T_world_base: Array
    T_flange_tool: Array
    tip: Array
    dt: float
    keep_out: tuple[Box, ...] = ()

    def __post_init__(self) -> None:
        require(np.isfinite(self.dt) and self.dt > 0, f"gate of {self.arm}: dt {self.dt} s is not positive")

    @classmethod
    def of(
        cls, rig: Rig, arm: ArmConfig, tool: Tool, kinematics: Kinematics, limits: ArmLimits, dt: float
    ) -> "Gate":
        """The gate of an arm of a rig."""
        return cls(
            arm.name, limits, kinematics, arm.T_world_base, tool.T_flange_tool, tool.tip, dt, tuple(rig.keep_out)
        )

    def tip_world(self, q: Array) -> Array:
        """Return the tool tip (..., 3) in world [m] at q (..., J)."""
        with np.errstate(invalid="ignore"):
            T = self.T_world_base @ self.kinematics.flange_pose(q) @ self.T_flange_tool
            return apply(T, self.tip[None])[..., 0, :]

    def sent(self, previous: Sent | None, q: Array, t: Array | float) -> Sent:
        """Return how q (..., J) at t (...) moves after `previous`; None: it is the first, the arm stands."""
        q, t, tip = np.asarray(q, float), np.asarray(t, float), self.tip_world(q)
        if previous is None:
            return Sent(t, np.full(t.shape, self.dt), q, np.zeros_like(q), tip, np.zeros_like(tip))
        with np.errstate(invalid="ignore"):
            dt = t - previous.t
            # no speed can be told over no time; the rule of time refuses such a command anyway
            span = np.where(dt > 0, dt, np.nan)[..., None]
            return Sent(t, dt, q, (q - previous.q) / span, tip, (tip - previous.tip) / span)

    def bounds(
        self, previous: Sent | None, now: Sent, measured: ArmState | None, clearance: float | None = None
    ) -> Iterator[Bound]:
        """Yield every rule, the ones that others build on first.

        measured: what the arm said last, q (..., J) and wrench (..., 6) or None; clearance [m]: the nearest
        distance of links and tools on the way to this command, where it was computed.
        """
        limits, joints = self.limits, tuple(f"joint {i + 1}" for i in range(now.q.shape[-1]))
        broken = ~(np.isfinite(now.q).all(axis=-1) & np.isfinite(now.t))
        yield Bound("finite numbers", broken[..., None].astype(np.float64), np.zeros(1), "")
        if previous is not None:
            yield Bound("time since the last command", now.dt[..., None], np.full(1, 1e-6), "s", least=True)
        yield Bound("joint limit", now.q, limits.q_upper, "rad", joints)
        yield Bound("joint limit", now.q, limits.q_lower, "rad", joints, least=True)
        if previous is None and measured is not None:
            jump = np.abs(now.q - measured.q)
            yield Bound("jump from the measured pose", jump, np.full(1, limits.max_jump_rad), "rad", joints)
        yield from self._motion(previous, now, joints)
        yield from self._place(now)
        if previous is not None and measured is not None:
            error = np.abs(measured.q - previous.q)
            yield Bound("following error", error, np.full(1, limits.following_error_rad), "rad", joints)
        if measured is not None and measured.wrench is not None:
            force = np.linalg.norm(measured.wrench[..., :3], axis=-1, keepdims=True)
            yield Bound("external force", force, np.full(1, limits.max_force), "N")
        if clearance is not None:
            yield Bound("collision", np.full(1, clearance), np.full(1, MIN_CLEARANCE_M), "m", least=True)

    def check(
        self,
        previous: Sent | None,
        q: Array,
        t: float,
        measured: ArmState | None = None,
        clearance: float | None = None,
    ) -> Refusal | None:
        """Return why the command q (J,) [rad] at t [s] may not follow `previous`; None: it may."""
        result = self.admit(previous, q, t, measured, clearance)
        return result if isinstance(result, Refusal) else None

    def admit(
        self,
        previous: Sent | None,
        q: Array,
        t: float,
        measured: ArmState | None = None,
        clearance: float | None = None,
    ) -> Sent | Refusal:
        """Return the command as sent, to be `previous` of the next, or why it may not pass."""
        wanted = self.limits.q_lower.shape
        if np.shape(q) != wanted:
            return Refusal(self.arm, "number of joints", float(np.size(q)), float(wanted[0]), "")
        now = self.sent(previous, q, t)
        for bound in self.bounds(previous, now, measured, clearance):
            if bound.broken.any():
                return bound.refusal(self.arm)
        return now

    def first_broken(self, previous: Sent | None, now: Sent, measured: ArmState | None = None) -> NDArray[np.str_]:
        """Return (N,) the first rule that each of N commands breaks, "" where it passes."""
        found = np.full(now.t.shape, "", dtype="U40")
        for bound in self.bounds(previous, now, measured):
            found[(found == "") & bound.broken.any(axis=-1)] = bound.rule
        return found

    def check_path(self, t: Array, q: Array) -> tuple[Refusal, float] | None:
        """Hold a whole path q (N, J) at t (N,) against the limits; return the first refusal and its time."""
        if not len(t):
            return Refusal(self.arm, "number of samples", 0.0, 1.0, "", least=True), 0.0
        first = self.sent(None, q[:1], t[:1])
        moves = self._moves(t, q)
        bad = np.flatnonzero(self.first_broken(None, first) != "")
        bad = bad if len(bad) else 1 + np.flatnonzero(self.first_broken(moves[0], moves[1]) != "")
        if not len(bad):
            return None
        k = int(bad[0])
        previous = None if k == 0 else _at(moves[0], k - 1)
        refused = self.check(previous, q[k], float(t[k]))
        if refused is None:
            raise RuntimeError(f"gate of {self.arm}: sample {k} is refused among others and passes alone")
        return refused, float(t[k])

    def _moves(self, t: Array, q: Array) -> tuple[Sent, Sent]:
        """Samples 0..N-2 as sent, and 1..N-1 after them."""
        tip = self.tip_world(q)
        dt = np.concatenate([[self.dt], np.diff(t)])
        with np.errstate(invalid="ignore"):
            span = np.where(dt > 0, dt, np.nan)[:, None]
            dq = np.diff(q, axis=0, prepend=q[:1]) / span
            velocity = np.diff(tip, axis=0, prepend=tip[:1]) / span
        whole = Sent(t, dt, q, dq, tip, velocity)
        return _at(whole, slice(None, -1)), _at(whole, slice(1, None))

    def _motion(self, previous: Sent | None, now: Sent, joints: tuple[str, ...]) -> Iterator[Bound]:
        limits = self.limits
        if previous is None:
            return
        with np.errstate(invalid="ignore"):
            # between the middles of two steps lies half of each
            span = ((now.dt + previous.dt) / 2)[..., None]
            acceleration = (now.dq - previous.dq) / span
            tip_acceleration = np.linalg.norm((now.tip_velocity - previous.tip_velocity) / span, axis=-1)
        yield Bound("joint speed", np.abs(now.dq), limits.dq_max, "rad/s", joints)
        yield Bound("joint acceleration", np.abs(acceleration), limits.ddq_max, "rad/s²", joints)
        speed = np.linalg.norm(now.tip_velocity, axis=-1, keepdims=True)
        yield Bound("tip speed", speed, np.full(1, limits.tip_speed), "m/s")
        yield Bound("tip acceleration", tip_acceleration[..., None], np.full(1, limits.tip_acceleration), "m/s²")

    def _place(self, now: Sent) -> Iterator[Bound]:
        limits, height = self.limits, now.tip[..., 2:]
        lowest = np.full(1, limits.min_tip_height)
        yield Bound("tip height", height, lowest, "m", least=True, rounding=ROUNDING_M)
        yield Bound("workspace", now.tip, limits.workspace[1], "m", AXES, rounding=ROUNDING_M)
        yield Bound("workspace", now.tip, limits.workspace[0], "m", AXES, least=True, rounding=ROUNDING_M)
        if self.keep_out:
            boxes = [apply(inverse(box.T_world_box), now.tip[..., None, :])[..., 0, :] for box in self.keep_out]
            outside = [(np.abs(p) - box.size / 2).max(axis=-1) for p, box in zip(boxes, self.keep_out, strict=True)]
            names = tuple(box.name for box in self.keep_out)
            yield Bound("keep-out", np.stack(outside, axis=-1), np.zeros(1), "m", names, least=True)
        distance = np.asarray(self.kinematics.singularity_distance(_finite(now.q)))
        yield Bound("singularity", distance[..., None], np.full(1, limits.min_singularity), "", least=True)


def _finite(q: Array) -> Array:
    """Zeros for what is not a number: such a command is refused before, and the decomposition cannot take it."""
    return np.where(np.isfinite(q), q, 0.0)


def _at(sent: Sent, index: int | slice) -> Sent:
    return Sent(*(getattr(sent, name)[index] for name in Sent.__dataclass_fields__))

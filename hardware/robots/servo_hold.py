"""Motion of one arm while a person holds a control: jogging, or leading it by hand. Letting go stands still.

Jogging takes the same way to the wire as a plan: every command passes the gate. Where the arm would come to stand
too near to a limit it is slowed to a stand before, and says why; that is no fault, and another way is free.
"""

import time

import numpy as np

from hardware.collision import CollisionModel
from hardware.gate import MIN_CLEARANCE_M, Refusal
from hardware.geometry import Array
from hardware.robots.base import ArmDriver, GrippingArm, GuidedArm
from hardware.robots.hold_line import HoldLine, Wish
from hardware.robots.jog import JogRule, JogState
from hardware.robots.orders import Hold
from hardware.robots.servo_loop import Outlet
from hardware.robots.servo_watch import Links, Waiter, Watch
from hardware.safety import ApprovalError

LAPSED = "the window was silent while the arm was moved: let go and hold again"
CLEARANCE_EVERY = 5
GUIDE_STEP_S = 0.02
GRIP_STEP_S, GRIP_S = 0.05, 10.0
# of the whole way: there, and standing because something is between the jaws
THERE, UNMOVED, UNMOVED_S = 0.01, 0.002, 0.6


class Holder(Watch):
    """Follows one hold until it is let go, lapses, or the arms are stopped."""

    def __init__(
        self, driver: ArmDriver, links: Links, waiter: Waiter, collision: CollisionModel, order: Hold
    ) -> None:
        super().__init__(driver, links, waiter, collision, order.stops)
        self._order, self._grant = order, order.grant
        self._clearance: float | None = None
        self._checked: tuple[Array, Array] | None = None

    @property
    def line(self) -> HoldLine:
        return self.links.hold

    def jog(self, rule: JogRule) -> bool:
        """Return whether it ended without a stop; raises nothing."""
        return self.guarded(lambda: self._jog(rule))

    def guide(self, arm: GuidedArm) -> bool:
        """Let the arm be led by hand; return whether it ended without a stop."""
        return self.guarded(lambda: self._guide(arm))

    def grip(self, arm: GrippingArm) -> bool:
        """Let the gripper go where it was told; return whether it ended without a stop."""
        return self.guarded(lambda: self._grip(arm, self._order.opening))

    def _jog(self, rule: JogRule) -> bool:
        outlet, dt = Outlet(rule.gate, self.driver), rule.gate.dt
        state, at, k = JogState(self.measured.q, np.zeros_like(self.measured.q)), time.monotonic(), 0
        while True:
            if not self.in_time(at):
                return False
            at = max(at + dt, time.monotonic())
            wish = self._wish()
            if wish is None and state.standing:
                return True
            # the first command is where the arm stands: the gate takes the next ones to begin from rest
            state = self._next(rule, state, wish, k) if k else state
            now = time.monotonic()
            sent = outlet.offer(state.q, k * dt, self.measured, self._clearance)
            if isinstance(sent, Refusal):
                return self.fail(sent.text)
            self.links.memory.record(k * dt, now, self.measured, state.q, sent)
            k += 1
            self.look()

    def _next(self, rule: JogRule, state: JogState, wish: Wish | None, k: int) -> JogState:
        """The next command: towards the wish where the way ahead is free, else towards a stand."""
        still = np.zeros_like(state.q)
        if wish is None or wish.silent(time.monotonic()) or not wish.velocity.any():
            if wish is not None:
                self.line.say("")
            return rule.step(state, still)
        wanted = rule.joint_speeds(state.q, wish.frame, wish.velocity)
        reason = self._in_the_way(rule, state, wanted, k)
        self.line.say(reason)
        return rule.step(state, still if reason else wanted)

    def _in_the_way(self, rule: JogRule, state: JogState, wanted: Array, k: int) -> str:
        """Why the arm may not go on like this, "" where it may."""
        place = rule.ahead(state, wanted, CLEARANCE_EVERY)
        refused = rule.gate.check(None, place, 0.0)
        if refused is not None:
            return refused.text
        turned = self._checked is None or bool(np.abs(self._checked[1] - wanted).max() > 0.02)
        if turned or k % CLEARANCE_EVERY == 0:
            self._clearance = self.nearest(np.stack([state.q, place]))
            self._checked = place, wanted
        if self._clearance is not None and not self._clearance >= MIN_CLEARANCE_M:
            near, self._clearance, self._checked = self._clearance, None, None
            return f"{self.name}: collision: {near * 1e3:.1f} mm from something ahead"
        return ""

    def _guide(self, arm: GuidedArm) -> bool:
        while self._wish() is not None:
            if not self.sleep(time.monotonic() + GUIDE_STEP_S):
                return False
            self.look()
        arm.end_guiding()
        return True

    def _grip(self, arm: GrippingArm, wanted: float) -> bool:
        arm.start_gripping(wanted)
        at = moved_at = begun = time.monotonic()
        last = np.inf
        while self._wish() is not None and at - begun < GRIP_S:
            opening = arm.opening()
            if opening is None:
                return self.fail(f"{self.name}: its gripper is gone; connect again")
            self.line.tell_opening(opening)
            if abs(opening - wanted) < THERE:
                arm.end_gripping(hold=False)
                return True
            if abs(opening - last) > UNMOVED:
                last, moved_at = opening, at
            elif at - moved_at > UNMOVED_S:
                # it keeps pressing: what it has got is not to fall
                arm.end_gripping(hold=False)
                self.line.say(f"{self.name}: the gripper holds something, {100 * opening:.0f} % open")
                return True
            at = max(at + GRIP_STEP_S, time.monotonic())
            if not self.sleep(at):
                return False
            self.look()
        arm.end_gripping()
        return True

    def _wish(self) -> Wish | None:
        """What is wanted; None where the hold is over, by release or because the grant lapsed or does not fit."""
        wish = self.line.wish(self._order.serial)
        if wish is None:
            return None
        try:
            self._grant = wish.renewed(self._grant)
        except ApprovalError as error:
            self.line.say(str(error))
            return None
        if not time.monotonic() < self._grant.expires_at:
            self.line.say(LAPSED)
            return None
        return wish

"""Arms moved by hand: jogging and leading while a control is held, and moves to poses under an approved plan."""

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np

from app.events import Listener, Listeners
from app.execution.rig_link import RigLink
from app.execution.saved_poses import SavedPose, SavedPoses
from app.execution.session import STANDING, ExecutionSession
from hardware.geometry import Array
from hardware.plan_file import sealed
from hardware.rig import ArmConfig
from hardware.robots.base import ArmError
from hardware.robots.jog import Jog
from hardware.safety import ApprovalError, MotionGrant, grant_motion
from hardware.types import Plan

Wish = tuple[float, ...]
Mode = Literal["none", "jog", "hand", "grip"]
Topic = Literal["arm", "state", "message", "poses", "plan"]
USUAL_SPEED, SLOWEST, FASTEST = 0.05, 0.005, 0.09  # m/s; faster the tip is not stopped within 0.1 s
TURN_PER_SPEED = 5.0  # rad/s of turning at 1 m/s: the rim of a hand-sized tool moves about as fast as its tip
LEAST_LOOKS = 8  # stops; where so many are not left without breaking a rule, the plan says what it breaks
LOOK_PAUSE_S = 2.0  # at each stop of a hand-eye calibration, so that a view is taken


class Teleoperation:
    """Owned by the window's thread: `tick` about every 30 ms; what waits for an arm happens in a thread of its own.

    Read: `arm` (the chosen one), `frame` ("base", "tool" or "camera", the rig's first), `speed` [m/s], `mode`,
    `message` (for a person), `planning`. Mode "grip": the chosen arm's gripper goes where it was told.
    """

    def __init__(self, execution: ExecutionSession, poses: SavedPoses, person: Callable[[], str]) -> None:
        self._execution, self._poses, self._person = execution, poses, person
        self._listeners = Listeners()
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="teleoperation")
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._spent = False  # the hold ended by itself: a new one takes letting go first
        self._moves: set[str] = set()
        self._opening = 0.0
        self._beginning = (
            0  # holds that the background has yet to begin: until then the group tells of the last one
        )
        self.arm = execution.rig.arms[0].name if execution.rig.arms else ""
        self.frame, self.speed = "base", USUAL_SPEED
        self.mode: Mode = "none"
        self.message = ""
        self.planning = False

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    @property
    def config(self) -> ArmConfig:
        """The chosen arm."""
        return self._execution.rig.arm(self.arm)

    @property
    def move(self) -> Plan | None:
        """The move that was planned here last and is set to be approved; None where another plan is set."""
        plan = self._execution.plan
        return plan if plan is not None and plan.sha256 in self._moves else None

    @property
    def speed_max(self) -> float:
        """[m/s] that the chosen arm may be jogged at: what can be stopped in time, or its own limit."""
        limits = self._execution.limits.get(self.arm)
        return min(FASTEST, limits.tip_speed) if limits else FASTEST

    @property
    def opening(self) -> float | None:
        """How far the chosen arm's gripper is open, 0 closed to 1; None where none is known."""
        link = self._link()
        return link.group.openings().get(self.arm) if link is not None else None

    def reason(self) -> str:
        """Why the chosen arm cannot be moved by hand now, in a sentence; "" where it can."""
        session = self._execution
        if self._link() is None:
            return "Connect the arms first (Ctrl+Return)"
        if session.state == "running":
            return "A plan is running: Stop or wait"
        if session.state not in STANDING:
            return f"The arms are in {session.state}: {session.message or 'wait until they stand'}"
        state = session.arms.get(self.arm)
        if state is not None and state.error_code:
            return "The controller reports an error: clear it first"
        return ""

    def choose(self, arm: str) -> None:
        """Choose an arm; what is held is let go."""
        self.let_go()
        self._execution.rig.arm(arm)
        self.arm = arm
        self._listeners.tell("arm")

    def choose_frame(self, frame: str) -> None:
        self.frame = frame
        self._listeners.tell("arm")

    def choose_speed(self, speed: float) -> None:
        """Set the jogging speed [m/s], clipped to what is allowed."""
        self.speed = float(np.clip(speed, SLOWEST, self.speed_max))
        self._listeners.tell("arm")

    def tick(self, wish: Wish) -> None:
        """Take in what happened, and follow what is held now: (6,) -1..1 of the speed, all 0 for nothing."""
        while not self._inbox.empty():
            self._inbox.get()()
        self._look_at_hold()
        asked = any(wish)
        if not asked and self.mode != "hand":
            self._spent = False
        link = self._link()
        if self.mode in ("hand", "grip") and link is not None:
            link.group.jog(None)
        elif asked and not self._spent:
            self._jog(wish)
        elif self.mode == "jog" and not asked:
            self.let_go()

    def guide(self, on: bool) -> None:
        """Begin to give way to a person's hand, or end it. A reason against it becomes the message."""
        if not on:
            self.let_go()
        elif self.mode == "none" and not self._refused():
            self._begin("hand")

    def grip(self, opening: float) -> None:
        """Send the chosen arm's gripper to an opening, 0 closed to 1; `let_go` and Stop end it where it is."""
        if self.mode == "grip":
            self.let_go()
        if self.mode == "none" and not self._refused():
            self._opening = float(np.clip(opening, 0.0, 1.0))
            self._begin("grip")

    def let_go(self) -> None:
        """The control was let go: the arm stands within 0.1 s. Never waits, may be called at any time."""
        link = self._link()
        if link is not None:
            link.group.release_hold()
        self._set_mode("none")

    def enable(self) -> None:
        """Switch the chosen arm's motors on, in the background."""
        link = self._link()
        if link is not None and not self._refused():
            arm = self.arm
            self._background.submit(self._waiting, lambda: link.group.enable(arm), f"{arm}: its motors are on")

    def poses(self) -> Mapping[str, SavedPose]:
        """Return the chosen arm's saved poses by name. Raises DreamFileError where their file is broken."""
        return self._poses.of(self._execution.rig.name, self.config)

    def save_pose(self, name: str) -> None:
        """Save where the chosen arm stands. Raises ValueError, OSError; ValueError where it is not connected."""
        state = self._execution.arms.get(self.arm)
        if state is None:
            raise ValueError(f"{self.arm}: it is not connected, so there is no pose to save; connect first")
        self._poses.save(self._execution.rig.name, self.config, name, state.q)
        self._listeners.tell("poses")

    def delete_pose(self, name: str) -> None:
        """Forget a saved pose. Raises DreamFileError, OSError."""
        self._poses.delete(self._execution.rig.name, self.config, name)
        self._listeners.tell("poses")

    def plan_home(self, arms: tuple[str, ...] = ()) -> None:
        """Plan the way home of these arms, of the chosen one where none is named."""
        rig = self._execution.rig
        goals = {arm: rig.arm(arm).home for arm in arms or (self.arm,)}
        self._plan([goals], f"{', '.join(goals)} home")

    def plan_park(self) -> None:
        """Plan the way of the chosen arm to where its rig lets it rest. Raises ValueError where that is nowhere."""
        if self.config.park is None:
            raise ValueError(f"{self.arm}: the rig names no place to park; write park_deg beside its home_deg")
        self._plan([{self.arm: self.config.park}], f"{self.arm} parks")

    def plan_to_pose(self, name: str) -> None:
        """Plan the way of the chosen arm to a saved pose. Raises KeyError, DreamFileError."""
        self._plan([{self.arm: self.poses()[name].q}], f"{self.arm} to {name}")

    def plan_for_calibration(self, arm: str, q: Array) -> None:
        """Plan the way of an arm through stops q (N, J) [rad], resting at each while a camera looks."""
        self._plan([{arm: one} for one in q], f"{arm}: stops to calibrate a camera", LOOK_PAUSE_S)

    def close(self) -> None:
        """Let go and end the thread. Safe to call twice."""
        self.let_go()
        self._background.shutdown(wait=True)

    # holding -----------------------------------------------------------------------------------------------------
    def _jog(self, wish: Wish) -> None:
        if self.mode == "none":
            if self._refused():
                self._spent = True
                return
            self._begin("jog")
        link = self._link()
        if link is None or self.mode != "jog":
            return
        speed = min(self.speed, self.speed_max)
        velocity = np.array(wish, float) * np.repeat([speed, speed * TURN_PER_SPEED], 3)
        link.group.jog(Jog(self._frame_name(), velocity))

    def _frame_name(self) -> str:
        cameras = self._execution.rig.cameras
        return cameras[0].camera.name if self.frame == "camera" and cameras else self.frame

    def _begin(self, mode: Mode) -> None:
        link = self._link()
        if link is None:
            return
        try:
            grant = self._grant(link)
        except ApprovalError as error:
            self._spent = True
            self._say(str(error))
            return
        self._set_mode(mode)
        self._say("")
        arm, group, opening = self.arm, link.group, self._opening
        begin: Callable[[], None] = {
            "jog": lambda: group.hold_to_jog(arm, grant),
            "hand": lambda: group.hold_to_guide(arm, grant),
            "grip": lambda: group.hold_to_grip(arm, grant, opening),
        }[mode]
        self._beginning += 1
        self._background.submit(self._begin_in_background, mode, begin)

    def _begin_in_background(self, mode: Mode, begin: Callable[[], None]) -> None:
        try:
            if self.mode == mode:  # else it was let go before it began
                self._waiting(begin, "")
        finally:
            self._inbox.put(self._begun)

    def _begun(self) -> None:
        self._beginning -= 1

    def _grant(self, link: RigLink) -> MotionGrant:
        return grant_motion(
            person=self._person(),
            connections=link.group.connections,
            rig_sha256=link.rig.sha256,
            tip_speed=self.speed_max,
            now=time.monotonic(),
        )

    def _look_at_hold(self) -> None:
        """See whether the servo process ended the hold, and what it says meanwhile."""
        link = self._link()
        if self.mode == "none":
            return
        if link is None:
            self._set_mode("none")
            return
        if self._beginning:
            return
        state = link.group.hold_state()
        if state.state == "over":
            self._spent = True
            self.let_go()
        if state.state in ("over", "following"):
            self._say(state.message)

    def _refused(self) -> bool:
        reason = self.reason()
        if reason:
            self._say(reason)
        return bool(reason)

    # moves -------------------------------------------------------------------------------------------------------
    def _plan(self, stops: Sequence[Mapping[str, Array]], name: str, pause_s: float = 0.0) -> None:
        link = self._link()
        if link is None or self.planning or self._refused():
            return
        self.let_go()
        q_start = {arm: state.q for arm, state in self._execution.arms.items()}
        self.planning = True
        self._listeners.tell("state")
        self._background.submit(self._plan_in_background, link, stops, q_start, name, pause_s)

    def _plan_in_background(
        self,
        link: RigLink,
        stops: Sequence[Mapping[str, Array]],
        q_start: Mapping[str, Array],
        name: str,
        pause_s: float,
    ) -> None:
        # the physics behind it takes a second to import
        from hardware.planner.rest import plan_tour

        limits = {arm: connection.limits for arm, connection in link.group.connections.items()}
        least = min(len(stops), LEAST_LOOKS)
        try:
            plan = plan_tour(
                stops,
                link.rig,
                limits,
                tools=link.tools,
                q_start=q_start,
                name=name,
                pause_s=pause_s,
                least=least,
            )
            plan = sealed(plan)
        except ValueError as error:
            words = str(error)
            self._inbox.put(lambda: self._planned(None, words))
        else:
            self._inbox.put(lambda: self._planned(plan, ""))

    def _planned(self, plan: Plan | None, words: str) -> None:
        self.planning = False
        if plan is not None and self._link() is not None and not self._refused():
            self._moves.add(plan.sha256)
            self._execution.set_plan(plan)
            self._listeners.tell("plan")
        self._say(words)
        self._listeners.tell("state")

    # helpers -----------------------------------------------------------------------------------------------------
    def _link(self) -> RigLink | None:
        return self._execution.link

    def _waiting(self, work: Callable[[], None], done: str) -> None:
        """In the background: what an arm answers only after a while."""
        try:
            work()
        except (ArmError, ApprovalError) as error:
            words = str(error)
            self._inbox.put(lambda: self._failed(words))
        else:
            if done:
                self._inbox.put(lambda: self._say(done))

    def _failed(self, words: str) -> None:
        self._spent = self.mode == "jog"
        self.let_go()
        self._say(words)

    def _set_mode(self, mode: Mode) -> None:
        if mode != self.mode:
            self.mode = mode
            self._listeners.tell("state")

    def _say(self, words: str) -> None:
        if words != self.message:
            self.message = words
            self._listeners.tell("message")

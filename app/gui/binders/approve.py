"""Binds the right half of page Dream: plan, rehearse, approve, execute, watch, judge."""

import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Slot

from app.gui.binders.approve_facts import Wishes, approve_state, check_rows, forces_to_choose, rest_from
from app.gui.binders.binder import Shell
from app.gui.binders.dream import DreamBinder
from app.gui.binders.live import CurveFeed, LatestFrames, SeenCameras
from app.gui.binders.runs import has_run
from app.gui.program import Program
from app.ledger import LedgerError
from widgets.pages.dream import DreamPage
from widgets.toasts import Level
from widgets.values import LineItem

_TELL_EVERY_S = 0.1
_LEVELS: dict[str, Level] = {"fault": "error", "done": "info"}
_OVER = ("stopped", "done", "fault")  # a paused run goes on, it is not judged yet


class ApproveBinder(QObject):
    """The dreaming session's plan becomes the execution session's plan; the rest is asking and showing."""

    def __init__(
        self, page: DreamPage, program: Program, shell: Shell, dream: DreamBinder, frames: LatestFrames
    ) -> None:
        super().__init__(page)
        self.page, self._program, self._shell, self._dream = page, program, shell, dream
        self._dreaming, self._execution = program.dreaming, program.execution
        self._speed = program.rig.safety.first_run_tip_speed
        self._give_way: float | None = None
        self._rehearsing = self._judging = self._ran_before = False
        self._told, self._told_state = 0.0, ""
        self._plan_later = False
        self._left_at: float | None = None  # the clip's frame where a paused run stands
        self._state = self._execution.state
        self._forget = [
            self._dreaming.on_change(self._dream_changed),
            self._execution.on_change(self._arms_changed),
        ]
        panel = page.approve
        panel.plan_wanted.connect(self._plan)
        panel.rehearse_wanted.connect(self._rehearse)
        panel.approved.connect(self._approve)
        panel.execute_wanted.connect(self._execute)
        panel.pause_wanted.connect(self._pause)
        panel.speed_picked.connect(self._pick_speed)
        panel.give_way_picked.connect(self._pick_give_way)
        panel.outcome_given.connect(self._judge)
        panel.outcome_skipped.connect(self._skip)
        page.playback.playing_changed.connect(self._playing)
        page.cameras.set_source(frames)
        self._seen = SeenCameras(frames, [config.camera.name for config in program.rig.cameras])
        page.cameras.show_streams(self._seen.waiting())
        self._show_plan()

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
            "dream.plan": self._plan,
            "dream.rehearse": self._rehearse,
            "dream.approve": self.page.approve.focus_hold,
            "dream.execute": self._execute,
            "motion.pause": self._pause,
        }

    def facts(self) -> set[str]:
        return {"approved"} if self._execution.state == "approved" else set()

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        progress = self._execution.progress
        if self._execution.state != "running" or progress is None:
            return {"job": (LineItem("nothing runs"),)}
        return {
            "job": (LineItem(f"{progress.phase}: {progress.plan_time:.1f} of {progress.duration:.1f} s", "ok"),)
        }

    def tick(self) -> None:
        progress = self._execution.progress
        if self.page.isVisible() and not self._own and self._state not in ("running", "approved"):
            self._hand_over()  # a move by hand was planned meanwhile: here it is the dream's plan that counts
        if self._execution.state == "running" and progress is not None and self._own:
            self.page.playback.seek(progress.plan_time)
        now = time.monotonic()
        if now - self._told > _TELL_EVERY_S or self._state != self._told_state:
            self._told, self._told_state = now, self._state
            self._show_state()
            if self.page.cameras.isVisible():
                self.page.cameras.show_streams(self._seen.look() or self._seen.waiting())

    def close(self) -> None:
        while self._forget:
            self._forget.pop()()
        self.page.cameras.set_source(None)
        self.page.curves.set_source(None)

    @property
    def _own(self) -> bool:
        """Whether what the arms have is the dream's plan, not a move to a pose."""
        return self._execution.plan is self._dreaming.plan

    # shown -----------------------------------------------------------------------------------------------------
    def _dream_changed(self, topic: str) -> None:
        if topic == "dream":
            self._judging, self._left_at = False, None
            self._speed = self._program.rig.safety.first_run_tip_speed
        if topic == "track" and self._dreaming.track is not None and self._dreaming.plan is None:
            self._plan()
        if topic in ("dream", "track", "plan"):
            self._show_plan()
        if topic == "plan" and self._plan_later:
            self._plan()

    def _arms_changed(self, topic: str) -> None:
        before, self._state = self._state, self._execution.state
        if before != self._state:
            if self._state in (*_OVER, "offline", "connecting"):
                self._left_at = None
            self._state_changed(before)
        if topic == "progress":
            return
        if topic == "message" and self._execution.message:
            self._shell.say(self._execution.message, _LEVELS.get(self._state, "warning"))
        if topic in ("limits", "state"):
            self._show_checks()

    def _state_changed(self, before: str) -> None:
        if not self._own:
            if before == "running":
                self._plan()  # the arms stand elsewhere now
        elif self._state == "approved":
            self._prepare_watching()
        elif self._state == "running":
            self._watch()
        elif self._state == "paused":
            self._left_at = rest_from(self._execution.progress, self._left_at, self._dreaming.trim[1])
            self._plan()  # only the rest; it takes a fresh approval
        elif before in ("running", "paused") and self._state in _OVER:
            self._judging = True
        elif before == "connecting" and self._state == "ready":
            self._plan()  # with the limits that were read back, from where the arms stand

    def _show_plan(self) -> None:
        self._rehearsing = False
        self._ran_before = has_run(self._program.ledger, self._dreaming.track_id)
        self._hand_over()
        self._show_checks()

    def _hand_over(self) -> None:
        """Give the plan to the arms' session; there it is looked at again before it may be approved."""
        if self._state not in ("running", "connecting", "closed"):
            self._try(lambda: self._execution.set_plan(self._dreaming.plan, self._dreaming.track_id))

    def _show_checks(self) -> None:
        plan = self._dreaming.plan
        rows, summary = check_rows(plan, self._execution.checks, self._dream.page_time)
        self.page.show_checks(rows, summary if plan else "Plan the motion (P) to see its checks.")

    def _show_state(self) -> None:
        wishes = Wishes(self._speed, self.force, self._rehearsing, self._judging, self._ran_before)
        emulated = all(arm.emulated for arm in self._program.rig.arms)
        self.page.show_approve(
            approve_state(self._dreaming, self._execution, self._program.rig.safety, wishes, emulated)
        )

    def _prepare_watching(self) -> None:
        """Lay out what a run is watched by, while everything still stands: under way the window must stay quick."""
        plan, dream = self._execution.plan, self._dreaming.dream
        if plan is None or dream is None:
            return
        self.page.curves.set_source(CurveFeed(self._execution, plan, dream.tools))
        speeds = {name: limits.tip_speed for name, limits in plan.limits.items()}
        self.page.curves.show_arms(
            [arm.arm for arm in plan.arms], self._program.rig.safety.following_error_rad, speeds
        )
        self.page.warm_execution()

    def _watch(self) -> None:
        """Show the run: cameras and curves, everything by the plan's time."""
        self._rehearsing = False
        self.page.playback.pause()
        self._dream.show_mode("plan")
        self.page.show_execution(True)

    # wished ----------------------------------------------------------------------------------------------------
    def _try(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except (ValueError, LedgerError, OSError) as error:
            self._shell.say(str(error), "error")
            return False
        return True

    @Slot()
    def _plan(self) -> None:
        first = self._speed <= self._program.rig.safety.first_run_tip_speed + 1e-9
        arms = self._execution
        if self._dreaming.track is None or self._state == "running":
            return
        self._plan_later = self._dreaming.progress is not None
        if self._plan_later:
            return
        q_start = {name: state.q for name, state in arms.arms.items()}
        self._try(
            lambda: self._dreaming.make_plan(
                self._program.rig,
                first_run=first,
                limits=arms.limits or None,
                q_start=q_start or None,
                from_frame=self._left_at,
                give_way=self.force,
            )
        )

    @Slot()
    def _rehearse(self) -> None:
        play = self.page.playback
        if self._rehearsing:
            play.pause()
            return
        self.page.show_execution(False)
        self._dream.show_mode("plan")
        play.set_loop(False)
        play.to_start()
        play.play()
        self._rehearsing = True

    @Slot(bool)
    def _playing(self, playing: bool) -> None:
        if not playing:
            self._rehearsing = False

    @Slot()
    def _approve(self) -> None:
        self._try(lambda: self._execution.approve(self._program.person))

    @Slot()
    def _execute(self) -> None:
        self._try(self._execution.execute)

    @Slot()
    def _pause(self) -> None:
        self._execution.pause()

    @Slot(float)
    def _pick_speed(self, speed: float) -> None:
        if abs(speed - self._speed) > 1e-9:
            self._speed = speed
            self._plan()

    @property
    def force(self) -> float | None:
        """Over which force [N] to give way, where the arms that are connected can."""
        return self._give_way if self._give_way in forces_to_choose(self._execution.limits) else None

    @Slot(float)
    def _pick_give_way(self, force: float) -> None:
        if (force or None) != self._give_way:
            self._give_way = force or None
            self._plan()

    @Slot(bool, str, str)
    def _judge(self, success: bool, tags: str, note: str) -> None:
        given = tuple(tag for tag in tags.split(",") if tag)

        def save() -> None:
            self._execution.outcome(success, given, note)

        if self._try(save):
            self._shell.say("Saved in the ledger: success" if success else "Saved in the ledger: failure", "info")
            self._skip()

    @Slot()
    def _skip(self) -> None:
        self._judging = False
        self.page.show_execution(False)
        self._dream.show_mode("dream")
        self._plan()  # the arms stand elsewhere now

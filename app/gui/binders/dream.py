"""Binds page Dream to its session: look, correct, track. Opening: `dream_files.py`; approving: `approve.py`."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Signal, Slot

from app.dreams.session import DreamSession
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.dream_clock import DreamClock, Mode
from app.gui.binders.dream_facts import chips, tool_rows
from app.gui.binders.dream_pictures import DreamPictures, Overlays, colors
from app.gui.binders.dream_timeline import timeline
from app.gui.binders.scene import dream_scene, moment, tool_poses
from app.gui.program import Program
from hardware.geometry import Array
from hardware.types import Plan
from models.types import Dream, Hint, Track
from widgets.pages.dream import DreamPage
from widgets.views.types import SceneMoment, TimelineData

SCENE_SHARE, SCENE_AT_LEAST_S = 0.07, 0.2


def scene_pause(drawing_s: float) -> float:
    """From one picture of the scene to the next while arms move [s], for how long one takes to draw [s]: a small
    share of the window's time, so that Stop is quick without a GPU too (15 ms a picture), but five a second."""
    return min(drawing_s / SCENE_SHARE, SCENE_AT_LEAST_S)


class DreamBinder(QuietBinder):
    """One clock (`page.playback`) leads pictures, scene and timeline; `shown` says what that clock stands for.

    given: poses T_view1_tool by role that are shown in this frame but not in the track yet; before: whether the
    tracker's own track is shown beside the corrected one; before_edit is called before anything else is edited.
    """

    frame_shown = Signal(int)

    def __init__(self, page: DreamPage, program: Program, shell: Shell) -> None:
        super().__init__(page)
        self.page, self._program, self._shell = page, program, shell
        self._session: DreamSession = program.dreaming
        self._overlays: Overlays | None = None
        self.mode: Mode = "dream"
        self._clock: DreamClock | None = None
        self._frame = -1
        self._drawn: tuple[Dream, Track | None, Plan | None, Track | None] | None = None
        self._scene_at = 0.0
        self.given: dict[str, Array] = {}
        self.before = self._track_later = False
        self.before_edit: Callable[[], None] = lambda: None
        self._forget = self._session.on_change(self._changed)
        page.playback.time_changed.connect(self.show_time)
        page.box_drawn.connect(self._add_box)
        page.timeline.trim_changed.connect(self._set_trim)
        page.timeline.violation_picked.connect(self._go_to_span)
        page.transport.clock_picked.connect(self.show_mode)
        if self._session.dream is not None:
            self._show_dream()

    # the program's side ----------------------------------------------------------------------------------------
    def handlers(self) -> Mapping[str, Callable[[], None]]:
        play, session = self.page.playback, self._session
        return {
            "dream.track": self._track,
            "dream.box": self._draw,
            "dream.trim_start": lambda: self._trim(first=self.here()),
            "dream.trim_end": lambda: self._trim(last=self.here()),
            "dream.undo": partial(self._go_back, session.undo),
            "dream.redo": partial(self._go_back, session.redo),
            "dream.play": play.toggle,
            "dream.next": lambda: play.step(1),
            "dream.previous": lambda: play.step(-1),
            "dream.first": play.to_start,
            "dream.last": play.to_end,
            "dream.worst": self._worst,
            "dream.loop": lambda: play.set_loop(not play.loop),
            "dream.slower": lambda: self.page.transport.change_speed(-1),
            "dream.faster": lambda: self.page.transport.change_speed(1),
        }

    def facts(self) -> set[str]:
        session = self._session
        held = {
            "dream": session.dream is not None,
            "track": session.track is not None,
            "busy": session.progress is not None,
            "tracking": session.progress is not None and session.progress.what == "tracking",
            "undo": session.can_undo,
            "redo": session.can_redo,
            "plan": session.plan is not None,
        }
        return {name for name, holds in held.items() if holds}

    def tick(self) -> None:
        self._session.pump()
        self._track_now()

    def close(self) -> None:
        self._forget()
        self.page.playback.pause()

    # shown -----------------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        if topic == "dream":
            self._show_dream()
        elif topic == "track":
            self._show_track()
        elif topic in ("edits", "plan"):
            self._show_clock()
        elif topic == "message" and self._session.message:
            self._shell.say(self._session.message, "error")

    def _show_dream(self) -> None:
        dream = self._session.dream
        if dream is None:
            return
        self.page.playback.pause()
        self._overlays, self.mode = Overlays(dream), "dream"
        self._show_clock()
        self.page.show_dream()
        self.page.playback.to_start()
        self._show_track()
        if self._session.track is None:
            self._track()

    def _show_track(self) -> None:
        first = self._overlays is not None and not self._overlays.has_track
        if self._overlays is not None:
            self._overlays.show_track(self._session.track)
            self._overlays.show_before(self._session.original if self.before else None)
        self._show_clock()
        if first and self._session.track is not None:
            self.page.playback.play()  # a dream that has just been tracked shows itself

    def _show_clock(self) -> None:
        """Whatever changed: the clock, and with it everything that it leads."""
        session = self._session
        if session.dream is None:
            return
        if session.plan is None:
            self.mode = "dream"
        before, self._clock = (
            self._clock,
            DreamClock(session.dream.fps, len(session.dream), session.plan, self.mode),
        )
        source = DreamPictures(session.dream, self._clock)
        names = [view.name for view in session.dream.views]
        if list(self.page.videos) != names:
            self.page.show_views(names, source)
        else:
            self.page.show_source(source)
        self.page.transport.show_clock(self.mode, has_plan=session.plan is not None)
        rig = self._program.rig
        drawn = (session.dream, session.track, session.plan, session.original if self.before else None)
        if drawn != self._drawn:
            self._drawn = drawn
            self.page.scene.show_static(dream_scene(rig, *drawn))
        self.page.timeline.show_data(self._timeline(session.dream, self._clock))
        self.page.show_title(session.dream.name, chips(session.dream, session.track, session.stale, session.trim))
        self._keep_place(before, self._clock)

    def _timeline(self, dream: Dream, clock: DreamClock) -> TimelineData:
        session = self._session
        return timeline(self._program.rig, dream, session.track, clock, session.trim, session.hints, session.review)

    def _keep_place(self, before: DreamClock | None, now: DreamClock) -> None:
        """Show the same frame as before on the new clock."""
        play = self.page.playback
        frame = before.index(play.time) if before is not None and before.frames == now.frames else 0
        same = before is not None and (before.mode, before.span) == (now.mode, now.span)
        time = play.time if same else now.time_of_frame(frame)
        start, end = now.span
        play.set_range(start, end, 1 / now.fps if now.mode == "dream" else (end - start) / 100)
        self._frame = -1
        play.seek(time)

    @Slot(float)
    def show_time(self, t: float) -> None:
        """Show time t [s] everywhere on the page."""
        session, clock = self._session, self._clock
        if session.dream is None or clock is None:
            return
        self.page.timeline.show_time(t)
        if self.page.scene.isVisible() and self._scene_is_due():
            self.page.scene.show_moment(self._moment(session.dream, clock, t))
        frame = clock.index(t)
        self.page.transport.show_where(f"{frame}/{clock.frames - 1}  {t:5.2f} s")
        if frame != self._frame:
            self._frame = frame
            self._show_frame(frame, t)
            self.frame_shown.emit(frame)

    def _moment(self, dream: Dream, clock: DreamClock, t: float) -> SceneMoment:
        session = self._session
        made = moment(self._program.rig, dream, session.track, clock, t, self._program.execution.arms)
        if self.given:
            poses = {role: dream.T_world_view1 @ T for role, T in self.given.items()}
            made = replace(made, T_world_tool={**made.T_world_tool, **poses})
        before = self._drawn[3] if self._drawn is not None else None
        if before is not None:
            made = replace(made, T_world_before=tool_poses(dream, before, clock.frame(t)))
        return made

    def show_frame_again(self) -> None:
        """Show the same moment once more: what is shown of it has changed."""
        self._frame = -1
        self.show_time(self.page.playback.time)

    def show_before(self, shown: bool) -> None:
        """Show what the tracker said by itself beside what is now, or only what is now."""
        self.before = shown
        self._show_track()

    def _scene_is_due(self) -> bool:
        """While arms move, the window's first duty is to stay quick: a scene that is slow to draw gives way."""
        now = time.monotonic()
        if self._program.moving and now - self._scene_at < scene_pause(self.page.scene.drawing_s):
            return False
        self._scene_at = now
        return True

    def _show_frame(self, frame: int, t: float) -> None:
        session = self._session
        for name, video in self.page.videos.items():
            video.show_time(t)
            if self._overlays is not None:
                video.show_overlays(
                    self._overlays.tools(name, frame, self.given),
                    self._overlays.hints(session.hints, name, frame),
                )
        if session.dream is not None:
            self.page.show_tools(tool_rows(session.dream, session.track, session.trim, frame))

    def page_time(self, plan_time: float) -> float:
        """When the page shows a moment of the plan [s]."""
        return self._clock.time_of_plan(plan_time) if self._clock else plan_time

    @Slot(str)
    def show_mode(self, mode: Mode) -> None:
        """Lead the page by the dream's or the plan's time."""
        if mode != self.mode:
            self.mode = mode
            self._show_clock()

    def go_to_frame(self, frame: int) -> None:
        """Pause at a frame."""
        if self._clock is not None:
            self.page.playback.pause()
            self.page.playback.seek(self._clock.time_of_frame(frame))

    # wished ----------------------------------------------------------------------------------------------------
    def here(self) -> int:
        return self._clock.index(self.page.playback.time) if self._clock else 0

    def _try(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")
            return False
        return True

    def _go_back(self, step: Callable[[], None]) -> None:
        self.before_edit()
        step()

    def _track(self) -> None:
        self.before_edit()
        self._try(self._session.retrack)

    def _draw(self) -> None:
        dream, role = self._session.dream, self.page.tools.chosen
        if dream is not None and role:
            self.page.playback.pause()
            self.page.draw_box(colors(dream)[role])

    @Slot(str, str, float, float, float, float)
    def _add_box(self, view: str, tool: str, x0: float, y0: float, x1: float, y1: float) -> None:
        self.page.end_drawing()
        self.before_edit()
        if self._try(lambda: self._session.add_hint(Hint(tool, view, self.here(), (x0, y0, x1, y1)))):
            self.track_if_stale()

    def track_if_stale(self) -> None:
        """Track again where corrections ask for it, as soon as nothing else goes on."""
        self._track_later = self._session.stale
        self._track_now()

    def _track_now(self) -> None:
        if not self._track_later or self._session.progress is not None or self._program.moving:
            return
        self._track_later = False
        if self._session.stale:
            self._track()

    def _trim(self, first: int | None = None, last: int | None = None) -> None:
        before = self._session.trim
        after = (before[0] if first is None else first, before[1] if last is None else last)
        self._set_trim(*after)

    @Slot(int, int)
    def _set_trim(self, first: int, last: int) -> None:
        self._try(lambda: self._session.set_trim(first, last))

    def _worst(self) -> None:
        worst = self._session.worst_frame()
        if worst is not None and self._clock is not None:
            self.go_to_frame(worst.t)
            self.page.tools.choose(worst.tool)

    @Slot(int)
    def _go_to_span(self, index: int) -> None:
        session, clock = self._session, self._clock
        if session.dream is None or clock is None:
            return
        data = self._timeline(session.dream, clock)
        self.page.playback.pause()
        self.page.playback.seek(data.spans[index].start)

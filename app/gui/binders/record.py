"""Binds page Record to the recording desk: cameras on, scene, take, replay, keep or discard, undo, sounds."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.gui.binders.binder import Shell
from app.gui.binders.last_takes import LastTakes
from app.gui.binders.record_facts import (
    banner,
    gate_rows,
    take_words,
    unfinished_rows,
    verdict_mood,
    verdict_rows,
)
from app.gui.binders.stream_rows import stream_rows, usb_line
from app.gui.sounds import Sounds
from app.gui.take_replay import TakeReplay
from app.recording.desk import RecordingDesk
from app.recording.plan import Choice
from app.recording.session import BETWEEN, RecordingSession
from app.recording.sim_table import SHOWN_BY
from app.recording.work import Take
from hardware.types import Image
from widgets.pages.record import RecordPage
from widgets.record_values import Choice as ShownChoice
from widgets.values import Chip, LineItem

LOOK_S = 0.25  # how often health, gates and the bottom line are shown anew
SAVED_S, REFUSED_S = 1.6, 2.5  # how long SAVED, and why something was not done, stand in the banner
HOW = (
    "Space turns the cameras on\n\nHands out of the picture, Space: the bare scene is taken\n\n"
    "Space starts, Space stops\n\nEnter keeps the take, Backspace discards it, R records it again\n\n"
    "A foot pedal does the same as Space, and keeps"
)


class RecordBinder(QObject):
    """keys(): the keys that hold now, by action. Everything is told by the session; nothing of it is kept here but
    what only the eye needs: the replay, the strip of last takes, how long SAVED stands."""

    def __init__(
        self,
        page: RecordPage,
        desk: RecordingDesk,
        shell: Shell,
        keys: Callable[[], Mapping[str, str]],
        moving: Callable[[], bool] = lambda: False,
        sounds: Sounds | None = None,
    ) -> None:
        super().__init__(page)
        self.page, self._desk, self._shell, self._keys, self._moving = page, desk, shell, keys, moving
        self.sounds = sounds or Sounds()
        self._session: RecordingSession | None = None
        self._forget_session: Callable[[], None] = lambda: None
        self._replay: TakeReplay | None = None
        self._last = LastTakes()
        self._picture: Image | None = None
        self._began = self._looked = 0.0
        self._saved_at, self._saved_words = -10.0, ""
        self._refused_at, self._refused_words = -10.0, ""
        self._throw_away = ""
        self._lost = 0
        self._mute_said = False
        self._forget = desk.on_change(lambda _topic: self._devices())
        page.form.changed.connect(self._choose)
        page.form.shown_by_changed.connect(self._choose_who)
        page.gates.override_wanted.connect(self._override)
        page.verdicts.time_picked.connect(self._play_from)
        page.grid.button_pressed.connect(self._zero)
        page.unfinished.recover_wanted.connect(self._recover)
        page.unfinished.discard_wanted.connect(self._discard_unfinished)
        self._devices()

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
            "cameras.open": self._desk.open,
            "cameras.close": self._desk.turn_off,
            "record.next": self.next_step,
            "record.pedal": self.pedal,
            "record.keep": lambda: self._try(self._here().keep),
            "record.discard": lambda: self._try(self._here().discard),
            "record.redo": lambda: self._try(self._here().redo),
            "record.undo": lambda: self._try(self._here().undo),
            "record.task": self.page.form.write_task,
            "record.zero": self._zero,
            "record.scene": lambda: self._try(self._here().take_scene),
        }

    def facts(self) -> set[str]:
        session, devices = self._session, self._desk.devices
        state = session.state if session is not None else ""
        held = {
            "cameras": devices == "on",
            "opening": devices == "opening",
            "recordable": devices != "opening"
            and not self._desk.laying
            and state in ("", "idle", "armed", "recording", "review"),
            "recording": state in ("starting", "recording", "stopping"),
            "review": state == "review",
            "armed": state == "armed",
            "idle": state in BETWEEN,
            "force": session is not None and bool(session.forces),
            "discarded": session is not None and session.can_undo,
        }
        return {name for name, holds in held.items() if holds}

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        session = self._session
        if session is None or session.state != "recording" or session.take is None:
            return {"job": ()} if self._desk.devices == "on" else {}
        progress = session.status.recording
        synced = f" · written {progress.synced_s:.1f} s ago" if progress is not None else ""
        return {"job": (LineItem(f"recording take {session.take.note.number}{synced}", "alarm"),)}

    def tick(self) -> None:
        self._desk.pump()
        now = time.monotonic()
        if self._replay is not None:
            self._show_replay(self._replay)
        if not self.page.isVisible() and not self._desk.recording:
            return
        self._show_banner(now)
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        self._show_streams()
        self._listen()

    def close(self) -> None:
        self._forget()
        self._forget_session()
        self._end_replay()
        self.page.grid.set_source(None)
        self.sounds.close()

    # what a person wants ---------------------------------------------------------------------------------------
    @Slot()
    def next_step(self) -> None:
        """What Space does: cameras on, the bare scene's picture, start, stop."""
        session = self._session
        if session is None:
            self._desk.open()
        elif session.state == "armed" and any(gate.name == "scene" for gate in session.closed()):
            self._try(session.take_scene)
        else:
            self._try(session.advance)

    @Slot()
    def pedal(self) -> None:
        """As Space; a take under review it keeps, so that both hands stay at the tool all day."""
        if self._session is not None and self._session.state == "review":
            self._try(self._session.keep)
        else:
            self.next_step()

    @Slot()
    def _choose(self) -> None:
        shown = self.page.choice
        choice = Choice(shown.task, shown.object, shown.condition, shown.instruction)
        self._try(lambda: self._here().choose(choice, shown.goal))
        self.page.setFocus()

    @Slot(str)
    def _choose_who(self, who: str) -> None:
        if self._desk.table is not None:
            self._desk.table.choose_who(who)
        self.page.setFocus()

    @Slot(str, str)
    def _override(self, gate: str, reason: str) -> None:
        session = self._here()
        if reason:
            self._try(lambda: session.override(gate, reason))
        else:
            session.overrides.pop(gate, None)
        self._show_gates()
        self.page.setFocus()

    @Slot()
    def _zero(self) -> None:
        self._try(self._here().zero_force)

    @Slot(float)
    def _play_from(self, seconds: float) -> None:
        if self._replay is not None:
            self._replay.play_from(seconds)

    @Slot(str)
    def _recover(self, folder: str) -> None:
        self._try(lambda: self._here().review_unfinished(Path(folder)))

    @Slot(str)
    def _discard_unfinished(self, folder: str) -> None:
        self._throw_away = folder
        self._recover(folder)

    def _here(self) -> RecordingSession:
        if self._session is None:
            raise ValueError("turn on the cameras first")
        return self._session

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except ValueError as error:
            self._refused_at, self._refused_words = time.monotonic(), str(error)
            self._shell.say(str(error), "warning")
            self._sound("warning")

    # what happened ---------------------------------------------------------------------------------------------
    def _devices(self) -> None:
        """The cameras went on or off."""
        session = self._desk.session
        if session is not self._session:
            self._forget_session()
            self._end_replay()
            self._session = session
            self._forget_session = session.on_change(self._changed) if session is not None else lambda: None
            self.page.grid.set_source(self._desk if session is not None else None)
            self._last = LastTakes()
            self.page.show_takes(())
            for topic in ("choice", "gates", "unfinished"):
                self._changed(topic)
        if session is None:
            self.page.show_streams(())
            self.page.show_gates(())
            self.page.show_choice(None)
            self.page.show_unfinished(())
            self.page.grid.show_empty(self._desk.message or HOW)
        self._show_title()
        self._show_banner(time.monotonic())

    def _changed(self, topic: str) -> None:
        session = self._session
        if session is None:
            return
        if topic == "state":
            self._state(session)
        elif topic == "gates":
            self._show_gates()
        elif topic == "take":
            self._show_take(session.take)
        elif topic == "saved":
            self._was_saved()
        elif topic in ("choice", "counter"):
            self._show_choice(session)
        elif topic == "unfinished":
            self.page.show_unfinished(unfinished_rows(session.unfinished))
        elif topic == "message" and session.message:
            self._shell.say(session.message, "warning")

    def _state(self, session: RecordingSession) -> None:
        state = session.state
        if state == "recording":
            self._began, self._lost = time.monotonic(), 0
            self._sound("started")
        elif state == "stopping":
            self._picture = self._thumbnail()
            self._sound("stopped")
        elif state == "review":
            if self._throw_away:
                self._throw_away = ""
                session.discard()
        elif state in BETWEEN:
            self._end_replay()
        self._show_choice(session)

    def _show_take(self, take: Take | None) -> None:
        if take is None:
            return
        self.page.show_verdicts(verdict_rows(take.note.verdicts, take.checked), take_words(take))
        if self._replay is None and not self._throw_away:
            self._replay = TakeReplay(take.folder)
            self.page.grid.set_source(self._replay)
        mood = verdict_mood(take) if take.checked else "idle"
        self._last.review(take.note.number, mood, f"{take.note.duration_s:.1f} s", self._picture)
        self.page.show_takes(self._last.rows)

    def _was_saved(self) -> None:
        self._saved_at = time.monotonic()
        rows = self._last.rows
        self._saved_words = f"Take {rows[0].number} is on the disk" if rows else "on the disk"
        self._sound("saved")

    def _end_replay(self) -> None:
        replay, self._replay = self._replay, None
        if replay is not None:
            replay.close()
        self.page.grid.show_badge("")
        self.page.grid.set_source(self._desk if self._session is not None else None)
        self._settle()

    def _settle(self) -> None:
        """What became of the take that was under review."""
        session = self._session
        if session is not None and self._last.settle(session.folder, self._keys()["record.undo"]):
            self._sound("discarded")
        self.page.show_takes(self._last.rows)

    def _thumbnail(self) -> Image | None:
        cameras = [name for name, info in self._desk.streams.items() if info.kind == "camera"]
        frame = self._desk.latest(cameras[0]) if cameras else None
        return frame.rgb if frame is not None else None

    def _listen(self) -> None:
        """Sound an alarm when something is lost while nobody looks at the screen."""
        session = self._session
        if session is None or session.state != "recording" or session.status.recording is None:
            return
        lost = sum(sum(flaws.values()) for flaws in session.status.recording.flaws.values())
        if lost > self._lost:
            self._lost = lost
            self._sound("warning")

    def _sound(self, sound: str) -> None:
        if not self.sounds.play(sound) and self.sounds.problem and not self._mute_said:  # type: ignore[arg-type]
            self._mute_said = True
            self._shell.say(self.sounds.problem, "info")

    # showing ---------------------------------------------------------------------------------------------------
    def _show_banner(self, now: float) -> None:
        saved = self._saved_words if now - self._saved_at < SAVED_S else ""
        refused = self._refused_words if now - self._refused_at < REFUSED_S else ""
        self.page.show_state(banner(self._desk, now - self._began, self._keys(), saved, refused))

    def _show_streams(self) -> None:
        session = self._session
        if session is not None:
            status = session.status
            if self._replay is not None:  # the numbers are the take's, as the pictures are
                status = replace(status, values=self._replay.values)
            self.page.show_streams(stream_rows(self._desk.streams, status, zero=session.state in BETWEEN))
            self.page.show_budget(usb_line(self._desk.streams))

    def _show_replay(self, replay: TakeReplay) -> None:
        if replay.problem:
            self.page.grid.show_badge("no replay: the file cannot be read")
        elif replay.duration > 0:
            self.page.grid.show_badge(f"REPLAY  {replay.seconds:.1f} / {replay.duration:.1f} s")

    def _show_gates(self) -> None:
        session = self._session
        self.page.show_gates(gate_rows(session.gates, session.overrides) if session is not None else ())

    def _show_choice(self, session: RecordingSession) -> None:
        choice, by_task, table = session.choice, session.counter.by_task, self._desk.table
        self.page.show_choice(
            ShownChoice(
                choice.task,
                choice.object,
                choice.condition,
                choice.instruction,
                tasks=tuple(sorted({*by_task, *(table.tasks if table is not None else ())})),
                goal=session.goal,
                shown_by=table.shown_by if table is not None else "",
                shown_by_choices=SHOWN_BY if table is not None else (),
                locked=session.state not in BETWEEN,
            )
        )
        self._show_title()

    def _show_title(self) -> None:
        rig, session = self._desk.rig, self._session
        chips = [Chip("simulated" if rig.simulated else "real")]
        if session is not None:
            tasks = session.counter.by_task
            chips += [Chip(f"{count} × {task}") for task, count in sorted(tasks.items())][:4]
            chips.append(Chip(str(session.folder.name), tip=f"Takes of today: {session.folder}"))
        self.page.show_title("Record", chips)

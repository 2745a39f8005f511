"""Turns a rig's cameras and sensors on and off, and holds the recording session of those that are on."""

import datetime
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from app.events import Listener, Listeners
from app.recording.live_devices import LiveDevices, open_devices
from app.recording.session import RecordingSession
from app.recording.sim_table import SimTable
from app.recording.take_tools import ToolLook
from app.recording.work import Moved
from app.workspace import Workspace
from hardware.recording.note import EpisodeNote, Verdict
from hardware.rig import Rig
from hardware.robots.arm_streams import ArmStreams
from hardware.stream import Pose, Reading, StreamInfo
from hardware.types import Frame
from hardware.world.process import WorldProcess
from hardware.world.tasks.table import tasks_for

Devices = Literal["off", "opening", "on"]
_ERRORS = (RuntimeError, OSError, ValueError)  # TimeoutError and ConnectionError are OSErrors


class RecordingDesk:
    """Owned by one thread, which calls `pump` about every 30 ms; opening and closing happen in another.

    Read: `devices` (off, opening, on), `session` (None unless on), `table` (of a simulated rig whose world was
    started for it, else None), `message` ("" or why they are not on).
    """

    def __init__(
        self,
        rig: Rig,
        workspace: Workspace,
        arms_world: Callable[[], WorldProcess | None] = lambda: None,
        opener: Callable[[Rig, WorldProcess | None], LiveDevices] = open_devices,
        arms: Callable[[], ArmStreams | None] = lambda: None,
        moved: Moved = lambda _pictures: (),
    ) -> None:
        """arms_world(): the world that the connected arms of a simulated rig move in, so that both see the same;
        arms(): looks at the connected arms for a take, None where there are none; moved(pictures): which cameras
        stand otherwise than they were calibrated."""
        self._arms, self._moved = arms, moved
        self.rig, self._workspace, self._arms_world, self._opener = rig, workspace, arms_world, opener
        self._listeners = Listeners()
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devices")
        self._opening: Future[LiveDevices] | None = None
        self._live: LiveDevices | None = None
        self.devices: Devices = "off"
        self.session: RecordingSession | None = None
        self.table: SimTable | None = None
        self._table_used = self._table_done = False
        self._tool_look = ToolLook(self._looked_at)
        self.message = ""

    @property
    def world(self) -> WorldProcess | None:
        """The simulation that the cameras see, None for a real rig or while they are off."""
        return self._live.world if self._live is not None else None

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """What each device that is on delivers, in the rig's order."""
        return self._live.capture.streams if self._live is not None else {}

    def latest(self, name: str) -> Frame | None:
        """Return a camera's newest picture at preview size, None while there is none."""
        return self._live.capture.newest(name) if self._live is not None else None

    def snapshot(self, name: str) -> Frame | None:
        """Return a camera's newest picture at full size, None while there is none. Waits for the process that
        has it, in any thread. Raises OSError, RuntimeError where that has ended."""
        live = self._live
        return live.capture.snapshot(name) if live is not None and name in live.capture.streams else None

    def reading(self, name: str) -> Reading | Pose | None:
        """Return a sensor's newest sample, None while there is none. Never waits, in any thread."""
        session = self.session
        return session.status.values.get(name) if session is not None else None

    @property
    def laying(self) -> bool:
        """Whether the simulated table is being laid: no take can begin yet."""
        return self.table is not None and self.table.busy

    @property
    def recording(self) -> bool:
        """Whether a take is under way or waits for a decision."""
        return self.session is not None and self.session.state not in ("idle", "armed", "looking", "zeroing")

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener("devices")` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    def open(self) -> None:
        """Turn everything on; `devices` is "on" some seconds later, or off with a message."""
        if self.devices != "off":
            return
        self.message = ""
        self._opening = self._background.submit(self._opener, self.rig, self._arms_world())
        self._to("opening")

    def turn_off(self, message: str = "") -> None:
        """Turn everything off. A take that is under way is then unfinished, not lost."""
        if self.devices != "on":
            return
        self._let_go()
        self.message = message
        self._to("off")

    def pump(self) -> None:
        """Take in what was opened, and what the session did. Never blocks."""
        if self._opening is not None and self._opening.done():
            self._opened(self._opening)
        if self.session is not None:
            self.session.pump()
            self._tool_look.pump(quiet=self.session.state not in ("starting", "recording", "stopping"))
            self._lay_table(self.session)
            self._follow_arms()

    def close(self) -> None:
        """Turn everything off and wait for that. Safe to call twice."""
        self._let_go()
        self._tool_look.close()
        self._background.shutdown(wait=True)
        if self._opening is not None and self._opening.done() and self._opening.exception() is None:
            self._opening.result().close()
        self._opening = None

    def session_folder(self) -> Path:
        """Where the takes of today go."""
        return self._workspace.recordings / datetime.datetime.now().astimezone().date().isoformat()

    def _opened(self, opening: Future[LiveDevices]) -> None:
        self._opening = None
        error = opening.exception()
        if error is not None:
            if not isinstance(error, _ERRORS):
                raise error
            self.message = str(error) or f"the devices could not be opened ({type(error).__name__})"
            self._to("off")
            return
        self._live = opening.result()
        try:
            self.session = self._begin(self._live)
        except OSError as refused:
            self._let_go()
            self.message = f"{self.session_folder()}: {refused.strerror or refused}; choose another --workspace"
            self._to("off")
            return
        if self._live.owns_world and self._live.world is not None:
            self._begin_table(self.session, SimTable(self._live.world, tasks_for(self.rig)))
        self._to("on")

    def _begin(self, live: LiveDevices) -> RecordingSession:
        folder = self.session_folder()
        folder.mkdir(parents=True, exist_ok=True)
        details = {
            "rig": self.rig.name,
            "rig_sha256": self.rig.sha256,
            "simulated": str(self.rig.simulated).lower(),
        }
        remembered = self._workspace.root / "recording.json"
        session = RecordingSession(
            live.capture, folder, remembered, details=details, arms=self._arms, tools=self._tools, moved=self._moved
        )
        session.on_change(lambda topic: self._look_for_tools(session, topic))
        return session

    def _tools(self) -> Mapping[str, str]:
        """What a person holds in the next take, role -> tool, as far as it is known."""
        if self.table is not None and self.table.task:
            return self.table.tools
        return self.rig.held

    def _look_for_tools(self, session: RecordingSession, topic: str) -> None:
        take = session.take
        if topic == "take" and take is not None and take.checked:
            self._tool_look.look(session.folder, take.note)

    def _looked_at(self, note: EpisodeNote, found: tuple[Verdict, ...]) -> None:
        if self.session is not None:
            self.session.add_verdicts(note, found)

    def _begin_table(self, session: RecordingSession, table: SimTable) -> None:
        self.table = table
        table.seed = 1 + session.counter.kept + session.counter.discarded
        known = session.choice.task in table.tasks
        session.choose(table.lay(session.choice.task if known else table.tasks[0]))
        session.on_change(lambda topic: self._told(session, table, topic))

    def _told(self, session: RecordingSession, table: SimTable, topic: str) -> None:
        if topic == "state" and session.state == "recording":
            self._table_used = True
            table.begin()
        elif topic == "saved":
            self._table_done = True
        elif topic == "choice" and session.choice.task != table.task:
            if session.choice.task in table.tasks:
                session.choose(table.lay(session.choice.task))
            else:
                table.leave()

    def _lay_table(self, session: RecordingSession) -> None:
        """Between takes: another table after one that was kept, the same after one that was not."""
        table = self.table
        if table is None or not self._table_used or session.state != "idle":
            return
        if self._table_done and table.task:
            session.choose(table.next())
        else:
            table.again()
        self._table_used = self._table_done = False

    def _follow_arms(self) -> None:
        """Where the arms' world came or went, see that one instead: there is one table."""
        if self._live is None or not self.rig.simulated or self.recording:
            return
        arms = self._arms_world()
        seen = None if self._live.owns_world else self._live.world
        if arms is not seen:
            self.turn_off()
            self.open()

    def _let_go(self) -> None:
        session, self.session = self.session, None
        live, self._live = self._live, None
        table, self.table = self.table, None
        if table is not None:
            table.close()
        if session is not None:
            session.close()
        if live is not None:
            self._background.submit(live.close)

    def _to(self, devices: Devices) -> None:
        if devices != self.devices:
            self.devices = devices
            self._listeners.tell("devices")

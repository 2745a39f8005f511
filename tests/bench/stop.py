"""How fast Stop stops: from a key press in the real window to the stop on the wire of both arms, and to standstill.

One measurement from end to end on the host's monotonic clock: the real window under load (page Dream following
the run, curves and simulated cameras live, two emulated arms moving behind the vendor's SDK) gets a QKeyEvent at a
random moment; a tap on each wire tells when the first byte of the stop came out. Emulators and taps stand for other
computers and run at real-time priority where that is granted. Every run is approved and prepared by the rules; only
the way back to the start is short, since the emulators are placed there.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent, QWindow

import app.execution.session
from app.dreams.example import example_folder
from app.dreams.session import DreamSession
from app.execution.rig_link import RigLink
from app.execution.session import ExecutionSession
from app.gui.desk import STOP_REASON, Desk
from app.gui.program import Program
from app.gui.start import application
from app.ledger import Ledger
from app.workspace import open_workspace
from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.plan_file import sealed
from hardware.rig import Rig
from hardware.robots.arm_group import ArmGroup
from hardware.robots.emulator.config import CONTROL_PORT
from hardware.robots.realtime import OFF
from hardware.types import Plan, Tool
from hardware.world.simulated_rig import SimulatedRig
from tests.hardware.robots.servo_rig import own_address, plan_of, swing_path, two_arm_rig
from tests.hardware.robots.wire_tap import WireTap

WANTED, BUDGET_S = 1_000, 150.0
# a swing of both arms; within this part of it the tips move with 0.1 to 0.17 m/s
SECONDS, SWING = 1.8, 0.15
EARLIEST_S, LATEST_S = 0.41, 0.71
ATTEMPTS = 5
KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Space)


class RunEnded(RuntimeError):
    """A run ended before the key was pressed."""


@dataclass(frozen=True)
class Stop:
    """One stop, all times [s] from the key press: to the program's own stop, to the wire of the slower arm, to
    standstill; distance [m] of the tip that went further; tip_speed [m/s] of the faster tip at the press."""

    to_stop: float
    to_wire: float
    standstill: float
    distance: float
    tip_speed: float


class Bench:
    """The window with a tracked and planned dream, and its tapped arms. `plan` is what they run."""

    def __init__(self, root: Path) -> None:
        self.app = application()
        workspace = open_workspace(root)
        folder = example_folder(workspace)
        ledger, rig = Ledger(workspace.ledger), two_arm_rig()
        self.arms = ExecutionSession(rig, workspace, ledger)
        self.taps: dict[str, WireTap] = {}
        self.called_at = 0.0
        with _opened_by(self._open_rig):
            self.desk = Desk(
                self.app,
                Program(workspace, rig, ledger, DreamSession(workspace, ledger), self.arms),
                remember=False,
            )
            self.desk.show()
            self.desk.window.resize(1600, 900)
            self.desk.open_dream(folder)
            self.wait(lambda: self.desk.program.dreaming.track is not None)
            self._connect()
        self._time_stops()
        home = {arm.name: swing_path(arm.home, SECONDS, SWING) for arm in rig.arms}
        by_arm = {arm.name: self._tools()[arm.role] for arm in rig.arms}
        swing = plan_of(rig, by_arm, home, self.arms.limits)
        # as the dream's own plan it is followed by pictures, timeline and scene
        dream = self.desk.program.dreaming.dream
        frames = np.linspace(0.0, (len(dream.views[0].frames) if dream else 1) - 1, len(swing.t))
        self.plan: Plan = sealed(replace(swing, clip_frame=frames))

    def _connect(self) -> None:
        """A computer this busy may start a process too late: try again then."""
        for attempt in range(ATTEMPTS):
            self.arms.connect(self._tools())
            try:
                self.wait(lambda: self.arms.state == "ready" and self.desk.program.dreaming.progress is None)
            except RunEnded:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    def recover(self) -> None:
        """After a run that broke: stop, and connect anew where an arm or link failed."""
        self.arms.stop("the run is broken")
        self.turn(1.0)
        if self.arms.state == "fault":
            with _opened_by(self._open_rig):
                self._connect()

    def close(self) -> None:
        self.desk.window.close()
        self.turn(0.1)

    def turn(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.001)

    def wait(self, done: Callable[[], bool], limit: float = 300.0) -> None:
        end = time.monotonic() + limit
        while not done():
            if time.monotonic() > end or self.arms.state == "fault":
                raise RunEnded(f"{self.arms.state}: {self.arms.message}")
            self.turn(0.005)

    def one_stop(self, key: Qt.Key, after: float) -> Stop:
        """Approve and run the plan, press a key `after` seconds of it, and wait until all stands."""
        self._to_start()
        self.desk.program.dreaming.plan = self.plan
        self.arms.set_plan(self.plan)
        self.arms.approve(None)
        self.arms.execute()
        self.wait(lambda: self._moving(after) or self.arms.state != "running", 30.0)
        if self.arms.state != "running":
            raise RunEnded(f"{self.arms.state}: {self.arms.message}")
        for tap in self.taps.values():
            tap.take()
        person = Person(self, key, float(np.random.default_rng().uniform(0.0, 0.06)))
        self.wait(lambda: person.done, 10.0)
        self.wait(lambda: not self.arms.busy, 10.0)
        if self.arms.state != "stopped" or STOP_REASON not in self.arms.message:
            raise RunEnded(f"{self.arms.state}: {self.arms.message}")
        wire = [min(s.t for s in tap.take() if s.is_stop and s.t > person.pressed) for tap in self.taps.values()]
        return person.seen(self.called_at, max(wire))

    def tips(self) -> Array:
        """(arms, 3) [m] where the tips are, by the emulators."""
        world = self._world()
        found = []
        for arm in self.arms.rig.arms:
            tool = self._tools()[arm.role]
            T = ArmKinematics.load(arm.model).flange_pose(world.emulators[arm.name].joints().q) @ tool.T_flange_tool
            found.append(T[:3, :3] @ tool.tip + T[:3, 3])
        return np.array(found)

    def standing(self) -> bool:
        return all(np.abs(e.joints().dq).max() < 1e-3 for e in self._world().emulators.values())

    @property
    def window(self) -> QWindow:
        return self.desk.window.windowHandle()

    def _moving(self, after: float) -> bool:
        progress = self.arms.progress
        return progress is not None and progress.plan_time > after

    def _to_start(self) -> None:
        for arm in self.arms.rig.arms:
            self._world().emulators[arm.name].place(arm.home)
        self.wait(
            lambda: all(np.abs(self.arms.arms[a.name].q - a.home).max() < 1e-3 for a in self.arms.rig.arms), 10.0
        )

    def _time_stops(self) -> None:
        """Note when the window calls stop; the call itself is the program's own."""
        stop = self.arms.stop

        def noted(reason: str = "") -> None:
            self.called_at = time.monotonic()
            stop(reason)

        self.arms.stop = noted  # type: ignore[method-assign]

    def _tools(self) -> Mapping[str, Tool]:
        dream = self.desk.program.dreaming.dream
        if dream is None:
            raise RunEnded("no dream is open")
        return dream.tools

    def _world(self) -> SimulatedRig:
        link = self.arms._link
        if link is None or link.world is None:
            raise RunEnded("the arms are not connected")
        return link.world

    def _open_rig(self, rig: Rig, tools: Mapping[str, Tool]) -> RigLink:
        """As app.execution.rig_link.open_rig does it, with a tap between every arm's SDK and its emulator."""
        by_arm = {arm.name: tools[arm.role] for arm in rig.arms}
        with contextlib.ExitStack() as started:
            world = started.enter_context(SimulatedRig(rig, tools=tools))
            seen = {arm.name: own_address() for arm in rig.arms}
            for name, emulator in world.emulators.items():
                self.taps[name] = started.enter_context(WireTap(seen[name], emulator.address, hurry=True))
            tapped = replace(world.rig, arms=tuple(replace(arm, address=seen[arm.name]) for arm in world.rig.arms))
            group = ArmGroup(
                tapped,
                by_arm,
                nonces={name: emulator.nonce for name, emulator in world.emulators.items()},
                control_ports=dict.fromkeys(world.emulators, CONTROL_PORT),
            )
            started.callback(group.close)
            group.connect()
            cameras = {name: world.camera(name) for name in world.world.cameras}
            return RigLink(tapped, by_arm, group, cameras, started.pop_all().close, "rotation 6", world)


class Person(threading.Thread):
    """Presses a key after a while [s] and watches the arms until they stand."""

    def __init__(self, bench: Bench, key: Qt.Key, after: float) -> None:
        super().__init__(daemon=True)
        self._bench, self._key, self._after = bench, key, after
        self._before = self._place = bench.tips()
        self._t_before = self.pressed = self._stood = 0.0
        self._end = self._before
        self.done = False
        self.start()

    def run(self) -> None:
        time.sleep(self._after)
        self._before, self._t_before = self._bench.tips(), time.monotonic()
        time.sleep(0.01)
        self._place, self.pressed = self._bench.tips(), time.monotonic()
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QCoreApplication.postEvent(
                self._bench.window, QKeyEvent(kind, self._key, Qt.KeyboardModifier.NoModifier)
            )
        while not self._bench.standing() and time.monotonic() < self.pressed + 5.0:
            time.sleep(0.002)
        self._stood, self._end = time.monotonic(), self._bench.tips()
        self.done = True

    def seen(self, called: float, wire: float) -> Stop:
        speed = np.linalg.norm(self._place - self._before, axis=1).max() / (self.pressed - self._t_before)
        distance = float(np.linalg.norm(self._end - self._place, axis=1).max())
        t = self.pressed
        return Stop(called - t, wire - t, self._stood - t, distance, float(speed))


@contextlib.contextmanager
def _opened_by(opener: Callable[[Rig, Mapping[str, Tool]], RigLink]) -> Iterator[None]:
    """Have the execution session open its rig through `opener`."""
    own = app.execution.session.open_rig
    app.execution.session.open_rig = opener  # type: ignore[assignment]
    try:
        yield
    finally:
        app.execution.session.open_rig = own


def _burn() -> None:
    """What another program does with a core."""
    x = np.random.default_rng(0).normal(size=(200, 200))
    while True:
        x = np.tanh(x @ x.T / 200)


@contextlib.contextmanager
def load(cores: int) -> Iterator[None]:
    """Keep so many cores busy."""
    context = multiprocessing.get_context("spawn")
    burners = [context.Process(target=_burn, daemon=True) for _ in range(cores)]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.join()


def figures(stops: list[Stop]) -> dict[str, object]:
    """p50, p99 and maximum, milliseconds and millimetres."""
    if not stops:
        return {"stops": 0}
    found: dict[str, object] = {"stops": len(stops)}
    for name, unit in (("to_stop", "ms"), ("to_wire", "ms"), ("standstill", "ms"), ("distance", "mm")):
        values = np.array([getattr(stop, name) for stop in stops]) * 1e3
        p50, p99 = np.percentile(values, [50, 99])
        found[name] = {f"p50_{unit}": float(p50), f"p99_{unit}": float(p99), f"max_{unit}": float(values.max())}
    wire = np.array([stop.to_wire for stop in stops])
    found["within_50_ms_percent"] = float(100 * (wire <= 0.05).mean())
    found["over_100_ms"] = int((wire > 0.1).sum())
    found["tip_speed_at_press_m_s"] = float(np.median([stop.tip_speed for stop in stops]))
    return found


def run(
    wanted: int = WANTED,
    budget_s: float = BUDGET_S,
    *,
    busy: int = 0,
    hurry: bool = True,
    log: Callable[[str], None] = lambda _line: None,
) -> dict[str, object]:
    """Stop as often as wanted, or as often as the time allows.

    busy: cores kept busy by something else; hurry: servo processes ask for real-time priority.
    """
    rng, stops, broken = np.random.default_rng(0), list[Stop](), list[str]()
    if not hurry:
        os.environ[OFF] = "1"
    with tempfile.TemporaryDirectory() as root, load(busy):
        bench = Bench(Path(root))
        end = time.monotonic() + budget_s
        try:
            while len(stops) < wanted and time.monotonic() < end:
                try:
                    stops.append(bench.one_stop(KEYS[len(stops) % 2], float(rng.uniform(EARLIEST_S, LATEST_S))))
                except (RunEnded, ValueError) as error:
                    # a computer this busy may break a run before the key is pressed: counted, and started anew
                    broken.append(str(error))
                    log(f"broken: {error}")
                    bench.recover()
                else:
                    log(_line(stops))
        finally:
            bench.close()
    return {
        **figures(stops),
        "busy_processes": busy,
        "real_time": hurry,
        "broken_before": len(broken),
        "why": broken,
    }


def _line(stops: list[Stop]) -> str:
    values: dict[str, Any] = {name: round(1e3 * value, 2) for name, value in asdict(stops[-1]).items()}
    return json.dumps({"n": len(stops), "load": round(os.getloadavg()[0], 1), **values})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=WANTED)
    parser.add_argument("--seconds", type=float, default=BUDGET_S)
    parser.add_argument("--busy", type=int, default=0, help="cores that another program keeps busy")
    parser.add_argument("--no-real-time", action="store_true")
    arguments = parser.parse_args()
    result = run(
        arguments.stops,
        arguments.seconds,
        busy=arguments.busy,
        hurry=not arguments.no_real_time,
        log=lambda line: print(line, flush=True),
    )
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

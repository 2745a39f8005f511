"""The whole window for a long time: does memory stay flat, and how evenly is page Dream painted.

`python -m tests.bench.soak --minutes 60` plays the built-in dream with its plan at 1600x900; with --execute two
emulated arms do the plan over and over meanwhile. The display is whatever Qt finds; `xvfb-run` with Mesa is what
docs/benchmarks.md says figures of. The first minute is left out of the slope: caches fill.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from app.dreams.example import example_folder
from app.dreams.session import DreamSession
from app.execution.session import ExecutionSession
from app.gui.desk import Desk
from app.gui.program import Program
from app.gui.start import application
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.rig import load_rig
from models.data.dream_folder import load_dream, save_track
from models.tracking.trackers import TrackerChoice
from tests.app.jobs import moving_track

WARM_S, SAMPLE_S, STALL_MS = 60.0, 5.0, 50.0


class Spread:
    """Durations [ms] counted in bins of 0.1 ms: an hour of them takes no memory that could pass for a leak."""

    def __init__(self) -> None:
        self._counts = np.zeros(100_000, np.int64)

    def add(self, ms: float) -> None:
        self._counts[min(int(10 * ms), len(self._counts) - 1)] += 1

    def over(self, ms: float) -> str:
        return f"{int(self._counts[int(10 * ms) :].sum())} of {int(self._counts.sum())}"

    @property
    def mean(self) -> float:
        return float(self._counts @ np.arange(len(self._counts)) / 10 / max(int(self._counts.sum()), 1))

    def at(self, *percentiles: float) -> dict[str, float]:
        summed = np.cumsum(self._counts)
        places = (np.searchsorted(summed, max(summed[-1] * p / 100, 1)) for p in percentiles)
        return {f"p{p:g}": float(place) / 10 for p, place in zip(percentiles, places, strict=True)}


@dataclass(eq=False)
class Watch:
    """What is measured while the window runs: between paints of the scene, turns of the event loop and the work of
    the window's own thread in each [ms], memory, and how much of one core the process takes."""

    gaps: Spread = field(default_factory=Spread)
    turns: Spread = field(default_factory=Spread)
    work: Spread = field(default_factory=Spread)
    painted: float = 0.0
    memory: list[tuple[float, float]] = field(default_factory=list)  # s, MB of this process
    runs: int = 0
    cpu: float = 0.0


class _Paints(QObject):
    """Counts the time from one painting to the next, as long as there is something to paint."""

    def __init__(self, watch: Watch, changing: Callable[[], bool]) -> None:
        super().__init__()
        self._watch, self._changing = watch, changing

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            now, before = time.perf_counter(), self._watch.painted
            self._watch.painted = now if self._changing() else 0.0
            if before and self._watch.painted:
                self._watch.gaps.add(1e3 * (now - before))
        return False


def soak(minutes: float, execute: bool) -> dict[str, object]:
    """Return how even and how flat it was."""
    with tempfile.TemporaryDirectory() as root:
        app, desk = _open(open_workspace(Path(root)))
        watch, execution = Watch(), desk.program.execution
        counter = _Paints(watch, lambda: not execute or execution.state == "running")
        size = [desk.window.width(), desk.window.height()]
        try:
            turn_until(app, lambda: desk.program.dreaming.plan is not None, 120.0)
            desk.dream_page.scene.installEventFilter(counter)
            _soak(app, desk, watch, 60 * minutes, execute)
        finally:
            desk.dream_page.scene.removeEventFilter(counter)
            execution.stop("the soak is over")
            turn_until(app, lambda: not desk.program.moving, 20.0)
            desk.close()
    return {"minutes": minutes, "execute": execute, "platform": app.platformName(), "size": size, **_figures(watch)}


def _open(workspace: Workspace) -> tuple[QApplication, Desk]:
    folder = example_folder(workspace)
    dream = load_dream(folder)
    track = moving_track(folder, (), None, TrackerChoice(), lambda _f, _t: None, lambda: False)
    save_track(folder, dream, track)
    app, ledger, rig = application(), Ledger(workspace.ledger), load_rig()
    program = Program(
        workspace, rig, ledger, DreamSession(workspace, ledger), ExecutionSession(rig, workspace, ledger)
    )
    desk = Desk(app, program, remember=False)
    desk.show()
    desk.window.resize(1600, 900)
    desk.open_dream(folder)
    return app, desk


def _soak(app: QApplication, desk: Desk, watch: Watch, seconds: float, execute: bool) -> None:
    process = psutil.Process()
    begin, sampled, asked, used = time.perf_counter(), 0.0, 0.0, time.process_time()
    while (now := time.perf_counter() - begin) < seconds:
        started, worked = time.perf_counter(), time.thread_time()
        app.processEvents()
        watch.turns.add(1e3 * (time.perf_counter() - started))
        watch.work.add(1e3 * (time.thread_time() - worked))
        if now - sampled >= SAMPLE_S or not watch.memory:
            sampled = now
            watch.memory.append((now, process.memory_info().rss / 1e6))
        if now - asked >= 0.5:
            asked = now
            _go_on(desk, watch, execute)
        time.sleep(0.001)
    watch.cpu = (time.process_time() - used) / seconds


def _go_on(desk: Desk, watch: Watch, execute: bool) -> None:
    """Play; where the arms are to do it, take the next step towards the next run."""
    execution, plan = desk.program.execution, desk.program.dreaming.plan
    if not execute:
        if not desk.dream_page.playback.playing:
            desk.dream_page.playback.play()
        return
    if execution.state == "offline":
        desk.board.trigger("arms.connect")
    elif execution.state in ("ready", "done", "stopped") and plan is not None and not execution.forbidden():
        execution.approve(None)
        execution.execute()
        watch.runs += 1
    elif execution.state == "ready" and desk.program.dreaming.progress is None:
        desk.board.trigger("dream.plan")


def turn_until(app: QApplication, there: Callable[[], bool], limit: float) -> None:
    """Let the window live until something is there. Raises RuntimeError where that takes over `limit` [s]."""
    end = time.perf_counter() + limit
    while not there():
        if time.perf_counter() > end:
            raise RuntimeError("the window did not come so far in time")
        app.processEvents()
        time.sleep(0.005)


def _figures(watch: Watch) -> dict[str, object]:
    when, memory = np.array(watch.memory).T
    warm = when >= min(WARM_S, when[-1] / 3)
    slope = float(np.polyfit(when[warm] / 3600, memory[warm], 1)[0]) if warm.sum() > 2 else float("nan")
    return {
        "load": round(os.getloadavg()[0], 2),
        "runs": watch.runs,
        "scene_fps": round(1e3 / watch.gaps.mean, 1),
        "gap_ms": watch.gaps.at(50, 95, 99, 100),
        "gaps_over_50_ms": watch.gaps.over(STALL_MS),
        "loop_turn_ms": watch.turns.at(99, 99.9, 100),
        "loop_turn_cpu_ms": watch.work.at(99, 99.9, 100),
        "cpu_share": round(watch.cpu, 2),
        "memory_MB": {"warm": round(float(memory[warm][0]), 1), "end": round(float(memory[-1]), 1)},
        "memory_MB_per_hour": round(slope, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--execute", action="store_true", help="two emulated arms do the plan meanwhile")
    arguments = parser.parse_args()
    print(json.dumps(soak(arguments.minutes, arguments.execute), indent=1))


if __name__ == "__main__":
    main()

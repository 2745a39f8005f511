"""Page Train while a model trains: how long the window's event loop stands still, with one job and with fifty.

`python -m tests.bench.run --only train_page`. The small config trains in a process of its own; its curves, dreams
and log are on the page. The display is whatever Qt finds.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.jobs.jobs import Jobs
from app.jobs.types import Slots
from app.training.choices import start_config
from app.training.order import train_spec
from app.workspace import open_workspace
from hardware.rig import load_rig
from models.training.config import TrainConfig
from tests.bench.soak import STALL_MS, Spread, turn_until
from tests.train_tour import end_jobs, record_demos

DEMOS, JOBS, SECONDS, LIMIT_S = 6, 50, 30.0, 900.0


def run() -> dict[str, object]:
    """Turns of the event loop [ms] with nothing to do, while one job trains, and with fifty in the list."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root:  # the supervisor may still write
        workspace = open_workspace(Path(root))
        record_demos(workspace.root, DEMOS)
        app, jobs = application(), Jobs(workspace)
        desk = Desk(app, open_program(workspace, load_rig("sim")), remember=False)
        try:
            desk.show()
            desk.window.resize(1600, 900)
            desk.board.trigger("go.train")
            turn_until(app, lambda: desk.program.jobs.machine is not None, LIMIT_S)
            figures: dict[str, object] = {"nothing runs": _watched(app)}
            jobs.set_slots(Slots(gpu=0, cpu=1))
            spec = train_spec(_config(), "small", workspace.recordings, workspace, gpus=False)
            jobs.submit(spec)
            turn_until(app, lambda: len(desk.train_page.gallery.scenes) > 0, LIMIT_S)
            figures["one trains"] = _watched(app)
            jobs.submit_all([replace(spec, title=f"job {k}") for k in range(1, JOBS)])
            turn_until(app, lambda: len(desk.train_page.table.lines) == JOBS, LIMIT_S)
            figures[f"one trains, {JOBS} listed"] = _watched(app)
            return {"platform": app.platformName(), **figures}
        finally:
            end_jobs(jobs)
            desk.close()


def _config() -> TrainConfig:
    """The small one, for as long as it is watched, with short steps and pictures that come often."""
    small = start_config("tabletop_small")
    data = replace(small.data, held_out=2, successes_only=False)
    return replace(small, data=data, vae=replace(small.vae, batch=1), gallery=replace(small.gallery, every=10))


def _watched(app: QApplication) -> dict[str, object]:
    """Turn the event loop for a while as the program does; time each turn, and the window's own work in it."""
    turns, work, end = Spread(), Spread(), time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        worked = time.thread_time()
        app.processEvents()
        turns.add(1e3 * (time.perf_counter() - began))
        work.add(1e3 * (time.thread_time() - worked))
        time.sleep(0.001)
    percentiles = (50, 99, 99.9, 100)
    return {
        "turn_ms": turns.at(*percentiles),
        f"over_{STALL_MS:.0f}_ms": turns.over(STALL_MS),
        "work_ms": work.at(*percentiles),
    }

"""Whether a plan does the same on the virtual clock as on emulated controllers: `python -m tests.bench.evaluate`.

The oracle's first step of each table is run both ways; what is printed is how far apart the object ends.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from app.dreams.candidates import PlanFor, look_at
from app.evaluation.bench import Look, TrialBench
from app.evaluation.published import PUBLISHED_RIGS
from app.evaluation.real_time import RealTimeArms
from app.workspace import open_workspace
from hardware.geometry import Array
from hardware.rig import Rig, load_rig
from hardware.types import Plan
from hardware.world.tasks.layout import yaw_of
from models.data.dream_folder import save_dream
from models.tracking.stereo_tracker import track
from tests.bench.machine import machine


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--tables", type=int, default=2)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--task", choices=list(PUBLISHED_RIGS), default="push-shape")
    given = p.parse_args()
    rig = load_rig(PUBLISHED_RIGS[given.task])
    for name, value in machine().items():
        print(f"{name}: {value}")
    with tempfile.TemporaryDirectory(prefix="dreamdeck-bench-") as folder:
        arms = RealTimeArms(rig, open_workspace(Path(folder) / "workspace"))
        try:
            for seed in range(given.seed, given.seed + given.tables):
                _compare(rig, given.task, seed, Path(folder) / str(seed), arms)
        finally:
            arms.close()


def _compare(rig: Rig, task: str, seed: int, folder: Path, arms: RealTimeArms) -> None:
    with TrialBench(Look(rig), task, seed) as bench:
        plan = _plan(bench, rig, folder)
    if plan is None or plan.violations:
        print(f"table {seed}: no plan that may be run")
        return
    ends: dict[str, Array] = {}
    for clock, execute in (("virtual", TrialBench.execute), ("real", arms.execute)):
        with TrialBench(Look(rig), task, seed) as bench:
            before, began = bench.moment().T_world_thing["thing"], time.monotonic()
            moments = execute(bench, plan)
            ends[clock] = moments[-1].T_world_thing["thing"]
            moved = 1e3 * np.linalg.norm(ends[clock][:2, 3] - before[:2, 3])
            seconds = time.monotonic() - began
            print(f"table {seed}, {clock}: {seconds:.1f} s for {plan.duration:.1f} s, moved {moved:.1f} mm, "
                  f"{len(moments)} looks, {bench.judged([moments]).text}")  # fmt: skip
    apart = 1e3 * np.linalg.norm(ends["virtual"][:2, 3] - ends["real"][:2, 3])
    turn = np.degrees(yaw_of(np.linalg.inv(ends["virtual"]) @ ends["real"]))
    print(f"table {seed}: apart by {apart:.1f} mm and {abs(turn):.1f} degrees")


def _plan(bench: TrialBench, rig: Rig, folder: Path) -> Plan | None:
    dream = bench.shown("shown")
    if dream is None:
        return None
    save_dream(dream, folder)
    return look_at(folder, track(dream), PlanFor(rig)).plan


if __name__ == "__main__":
    main()

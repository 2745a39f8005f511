"""The simulated world's figures: pictures a second, physics, and the rate at which clips are rendered."""

import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

from hardware.mounting import default_tools
from hardware.rig import load_rig
from hardware.world.clips import render_clip
from hardware.world.episodes import DemoMaker
from hardware.world.live import LiveWorld
from hardware.world.simulated_rig import SimulatedRig
from hardware.world.tasks.table import TASKS

SECONDS = 5.0


def live_figures() -> dict[str, object]:
    """The running rig at 768x448: frames a second of each camera, how old the newest picture is, start and end."""
    begun = time.perf_counter()
    with SimulatedRig(size=(768, 448), largest_fps=60.0) as rig:
        started = time.perf_counter() - begun
        names = list(rig.world.cameras)
        time.sleep(1.0)
        first = {name: rig.camera(name).read_latest() for name in names}
        ages = []
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            ages.append(time.monotonic() - rig.camera(names[0]).read_latest().t_host)
            time.sleep(0.02)
        last = {name: rig.camera(name).read_latest() for name in names}
        asked = time.perf_counter()
        rig.world.truth()
        answered = time.perf_counter() - asked
        ending = time.perf_counter()
    spans = {name: last[name].t_host - first[name].t_host for name in names}
    return {
        "frames_per_s": {name: (last[name].index - first[name].index) / spans[name] for name in names},
        "age_of_newest_ms": {"median": 1e3 * sorted(ages)[len(ages) // 2], "largest": 1e3 * max(ages)},
        "truth_reply_ms": 1e3 * answered,
        "start_s": started,
        "end_s": time.perf_counter() - ending,
    }


def physics_figures() -> dict[str, object]:
    """How much faster than time the table with two arms and an object is stepped."""
    rig = load_rig("sim")
    live = LiveWorld(rig, tuple(c.camera for c in rig.cameras), default_tools(rig), "rotation", 6)
    home = {arm.name: arm.home for arm in rig.arms}
    begun = time.perf_counter()
    live.advance(10.0, home)
    return {"times_real_time": 10.0 / (time.perf_counter() - begun)}


def clip_figures() -> dict[str, object]:
    """Seconds for a stereo clip of 2 x 13 frames with motion blur, hands and truth."""
    figures: dict[str, object] = {}
    for name, size in (("768x448", (768, 448)), ("192x112", (192, 112))):
        for task in ("rotation", "push"):
            begun = time.perf_counter()
            render_clip(load_rig("sim"), task, 1, size=size)
            figures[f"{task}_{name}_s"] = time.perf_counter() - begun
    return figures


def _make(task: str, seeds: range, size: tuple[int, int]) -> tuple[int, int, int, float]:
    """Make the demos of some tables; return demos, tables, successful ones, and CPU seconds spent."""
    rig = load_rig("sim-handheld") if task == "pick-and-place" else load_rig("sim")
    demos = tables = good = 0
    with DemoMaker(rig, size) as maker:
        begun = time.process_time()
        for seed in seeds:
            made = list(maker.episode(task, seed))
            demos, tables = demos + len(made), tables + 1
            good += bool(made) and made[-1].verdict.success
        return demos, tables, good, time.process_time() - begun


def demo_figures(tables: int = 16, workers: int = 2) -> dict[str, object]:
    """Demos of 192x128 pictures with physics, by two processes: as many a second as the clock says, and as many as
    the processors' own time would allow (the same on a machine that does nothing else)."""
    figures: dict[str, object] = {}
    context = multiprocessing.get_context("spawn")
    for task in TASKS:
        shares = [range(k, tables, workers) for k in range(workers)]
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            # hands, cloths and shaders are made once in a worker's life
            warm = [pool.submit(_make, task, range(1000, 1006), (192, 128)) for _ in shares]
            for future in warm:
                future.result()
            begun = time.perf_counter()
            done = [future.result() for future in [pool.submit(_make, task, s, (192, 128)) for s in shares]]
            wall = time.perf_counter() - begun
        demos, laid, good, cpu = (sum(column) for column in zip(*done, strict=True))
        figures[task] = {
            "demos_per_s_by_clock": demos / wall,
            "demos_per_s_by_cpu_time": workers * demos / cpu,
            "cpu_s_a_demo": cpu / demos,
            "demos": demos,
            "success_rate": good / laid,
        }
    return figures


def run() -> dict[str, object]:
    # clips in a process of their own: GL stays out of whoever runs the benches
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        clips = pool.submit(clip_figures).result()
    return {"live": live_figures(), "physics": physics_figures(), "clip": clips, "demos": demo_figures()}


def main() -> None:
    print(json.dumps(run(), indent=1))


if __name__ == "__main__":
    main()

"""Recorded demos of the simulated world, tracked and held against its truth; object masks too."""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from app.datasets.track_job import track_episode
from app.datasets.tracking import TrackOrder, track_order
from app.recording.simulated import SimStage, record_take
from app.tools.library import ToolLibrary
from hardware.geometry import apply, inverse, project, rotation_from_quaternion, transform
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session
from hardware.rig import load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Camera, Tool
from hardware.world.tasks.push_shape import iou
from models.data.clips import nearest
from models.data.demo import Demo
from models.data.masks_found import found_object
from models.data.session_demo import open_session_demos
from models.tracking.stereo_tracker import ALARM_LEVEL
from tests.bench.track import errors

SIZE, SEED = (768, 448), 100
TASKS = ("rotation", "push-shape", "sweeping", "scooping")
FAR_MM = 10.0


def record(folder: Path, task: str, tables: int, size: tuple[int, int] = SIZE, seed: int = SEED) -> Path:
    """Let the scripted person show a task at some tables; return the session."""
    # the renderer picks its OpenGL platform when it is first imported
    os.environ.setdefault("MUJOCO_GL", "egl")
    session = Session(folder)
    session.lock()
    stage = SimStage(load_rig("sim"), size)
    try:
        for table in range(tables):
            for take in stage.takes(task, seed + table):
                part, note = session.begin(EpisodeNote("", 0, task, seed=seed + table, details=take.details))
                session.keep(part, record_take(take, part, note))
    finally:
        stage.close()
        session.close()
    return folder


def against_truth(demo: Demo, role: str, tool: Tool) -> list[tuple[float, float, bool]]:
    """Return (mm, deg, lost) of every tracked frame in which the cameras could see half of the tool."""
    cameras = [camera for name in ("top", "side") if (camera := demo.camera(name)) is not None]
    times, values = demo.times(f"track_{role}"), demo.values(f"track_{role}")
    truth_t, truth = demo.times(f"tool-{role}"), demo.values(f"tool-{role}")
    rows = []
    for t, row in zip(times, values, strict=True):
        k = int(nearest(truth_t, [t])[0])
        if abs(truth_t[k] - t) > 0.01 or not np.isfinite(truth[k]).all():
            continue
        if max(in_picture(tool, _pose(truth[k]), camera) for camera in cameras) < 0.5:
            continue
        lost = not np.isfinite(row).all()
        mm, deg = (np.nan, np.nan) if lost else errors(tool, _pose(row), _pose(truth[k]))
        rows.append((mm, deg, lost))
    return rows


def in_picture(tool: Tool, T_world_tool: np.ndarray, camera: Camera) -> float:
    """Return which share of the tool lies inside of a camera's picture."""
    if camera.T_world_cam is None:
        return 0.0
    points = apply(inverse(camera.T_world_cam) @ T_world_tool, tool.mesh.vertices)
    pixels = project(camera.K, points)
    return float(((pixels >= 0) & (pixels < camera.size)).all(axis=1).mean())


def mask_figures(tables: int) -> dict[str, object]:
    """Find the object at the end of push-shape episodes, hand and tool before it, and hold it against the truth."""
    from hardware.world.episodes import DemoMaker

    overlaps, missed = [], 0
    with DemoMaker(load_rig("sim"), SIZE) as maker:
        for table in range(tables):
            shown = list(maker.episode("push-shape", SEED + table))
            for camera in shown[-1].cameras if shown else ():
                first, last = (frame.views[camera.name] for frame in (shown[-1].frames[0], shown[-1].frames[-1]))
                found = found_object(first, last)
                if found is None:
                    missed += 1
                else:
                    overlaps.append(iou(found, shown[-1].goal_mask(camera)))
    return {
        "masks": len(overlaps) + missed,
        "missed": missed,
        "iou50": float(np.median(overlaps)),
        "iou_worst": float(min(overlaps)),
    }


def task_figures(task: str, tables: int) -> dict[str, object]:
    """Record, track and compare."""
    with tempfile.TemporaryDirectory() as scratch:
        session = record(Path(scratch) / "session", task, tables)
        library = ToolLibrary(Path(scratch))
        seconds, rows, sure = [], [], []
        for demo in open_session_demos(session):
            order = track_order(Path(demo.source["path"]), library)
            t = time.monotonic()
            tools = track_episode(order, lambda *_: None, lambda: False)
            seconds.append(time.monotonic() - t)
            sure += [tool.sure for tool in tools.values()]
        for demo in open_session_demos(session):
            roles = [name.removeprefix("track_") for name in demo.streams if name.startswith("track_")]
            for role in roles:
                rows += against_truth(demo, role, load_tool(BUILT_IN_TOOLS[_tool_name(order, role)]))
        mm, deg, lost = (np.array(column) for column in zip(*rows, strict=True))
        return {
            "episodes": len(seconds),
            "frames": len(mm),
            "lost": int(lost.sum()),
            "mm50": float(np.nanmedian(mm)),
            "mm90": float(np.nanpercentile(mm, 90)),
            "deg50": float(np.nanmedian(deg)),
            "deg90": float(np.nanpercentile(deg, 90)),
            "over_10_mm": int((mm > FAR_MM).sum()),
            f"confidence over {ALARM_LEVEL:g}, share": float(np.mean(sure)),
            "seconds_per_episode": float(np.median(seconds)),
        }


def _tool_name(order: TrackOrder, role: str) -> str:
    return order.tools[role].stem


def _pose(row: np.ndarray) -> np.ndarray:
    return transform(rotation_from_quaternion(row[[6, 3, 4, 5]]), row[:3])


def run(tables: int = 3, tasks: tuple[str, ...] = TASKS) -> dict[str, object]:
    figures: dict[str, object] = {task: task_figures(task, tables) for task in tasks}
    return figures | ({"object masks": mask_figures(2 * tables)} if "push-shape" in tasks else {})


def main() -> None:
    from tests.bench.run import show

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=3)
    parser.add_argument("--task", action="append", choices=TASKS)
    arguments = parser.parse_args()
    for task in arguments.task or TASKS:
        show({task: run(arguments.tables, (task,))})


if __name__ == "__main__":
    main()

"""Jobs for the worker process that take no time, or too much, or its life."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.datasets.tracking import TrackedTool, TrackOrder
from app.dreams import example
from app.dreams.comparison import Comparison, Trial, compare
from app.dreams.dreaming import DreamOrder, Dreamt
from hardware.geometry import inverse
from models.data.dream_folder import load_dream, save_dream
from models.tracking.trackers import BUILT_IN, TrackerChoice
from models.types import Cut, Hint, PoseSource, ToolTrack, Track

Report = Callable[[float, str], None]
Cancelled = Callable[[], bool]


def double(value: int, report: Report, _: Cancelled) -> int:
    report(0.5, "half way")
    return 2 * value


def fail(report: Report, _: Cancelled) -> None:
    raise ValueError("left.obj: units: these are millimetres")


def die(report: Report, _: Cancelled) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def patient(report: Report, cancelled: Cancelled) -> None:
    report(0.1, "waiting")
    while not cancelled():
        time.sleep(0.01)
    raise RuntimeError("it was told to stop")


def deaf(report: Report, _: Cancelled) -> None:
    report(0.1, "waiting")
    time.sleep(60)


def still_track(
    folder: Path,
    hints: tuple[Hint, ...],
    previous: Track | None,
    choice: TrackerChoice,
    report: Report,
    cancelled: Cancelled,
) -> Track:
    """A stand-in for the tracker: tools that stand still, a little further along with every hint."""
    dream = load_dream(folder)
    report(0.5, "half way")
    poses = np.tile(np.eye(4), (len(dream), 1, 1))
    poses[:, 2, 3] = 0.7 + 0.01 * len(hints) + 0.1 * (choice.name != BUILT_IN)
    source: tuple[PoseSource, ...] = ("lost", *["tracked"] * (len(dream) - 1))  # type: ignore[assignment]
    poses[0] = np.nan
    confidence = np.full((len(dream), len(dream.views)), 0.9)
    confidence[5] = 0.2
    slack = np.zeros(len(dream))
    tools = {role: ToolTrack(role, poses, confidence, slack, source) for role in dream.tools}
    return Track(dream.name, tools, tracker=choice.name, hints=hints, seconds=0.1)


def still_track_with_cuts(
    folder: Path,
    hints: tuple[Hint, ...],
    previous: Track | None,
    choice: TrackerChoice,
    cuts: tuple[Cut, ...],
    report: Report,
    cancelled: Cancelled,
) -> Track:
    """The stand-in with cuts: it only says that it obeyed them."""
    return replace(still_track(folder, hints, previous, choice, report, cancelled), cuts=cuts)


def crashing_track(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def moving_track(
    folder: Path,
    hints: tuple[Hint, ...],
    previous: Track | None,
    choice: TrackerChoice,
    report: Report,
    cancelled: Cancelled,
) -> Track:
    """Two tools that go side by side over the table, where both arms of the simulated rig can follow."""
    dream = load_dream(folder)
    tools = {}
    for role, x in (("left", -0.2), ("right", 0.2)):
        T_world_tool = np.tile(np.eye(4), (len(dream), 1, 1))
        T_world_tool[:, :3, 3] = [[x, 0.01 * t, 0.15] for t in range(len(dream))]
        poses = inverse(dream.T_world_view1) @ T_world_tool
        poses[0] = np.nan
        source: tuple[PoseSource, ...] = ("lost", *["tracked"] * (len(dream) - 1))  # type: ignore[assignment]
        sure = np.ones((len(dream), len(dream.views)))
        tools[role] = ToolTrack(role, poses, sure, np.zeros(len(dream)), source)
    return Track(dream.name, tools, hints=hints)


def copied_dream(order: DreamOrder, report: Report, cancelled: Cancelled) -> tuple[Dreamt, ...]:
    """A stand-in for the sampler: the built-in example under another seed; seed 13 kills the process."""
    seed = order.options.seed
    report(0.5, "step 1 of 2")
    if seed == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    dream = load_dream(example.BUILT_IN)
    save_dream(replace(dream, name=f"{order.name}-{seed}", provenance={"seed": seed}), order.out)
    return (Dreamt(order.out, seed, {"denoise": 0.1}),)


def patient_dream(_: DreamOrder, report: Report, cancelled: Cancelled) -> None:
    patient(report, cancelled)


def still_comparison(
    folder: Path,
    hints: tuple[Hint, ...],
    choices: tuple[TrackerChoice, ...],
    known: tuple[Track, ...],
    labels: Track | None,
    report: Report,
    cancelled: Cancelled,
) -> Comparison:
    """Trackers that stand still at different heights; MegaPose is not set up here."""
    there = {track.tracker: track for track in known}
    trials = []
    for choice in choices:
        if choice.name == "megapose":
            trials.append(Trial(choice.name, None, problem="MegaPose is not set up"))
            continue
        track = there.get(choice.name) or still_track(folder, hints, None, choice, report, cancelled)
        outline = {role: np.full(tool.confidence.shape, 0.9) for role, tool in track.tools.items()}
        trials.append(Trial(choice.name, track, outline))
    return compare(load_dream(folder), trials, labels)


def patient_comparison(*arguments: object) -> None:
    report, cancelled = arguments[-2:]
    assert callable(report)
    assert callable(cancelled)
    patient(report, cancelled)


def track_or_fail(order: TrackOrder, report: Report, _: Cancelled) -> dict[str, TrackedTool]:
    """A stand-in for tracking an episode: the second one cannot be."""
    report(0.5, "half way")
    if order.episode.name == "000002":
        raise ValueError(f"{order.episode}: cameras: none has a place in the world")
    return {role: TrackedTool(13, 12, 1.0) for role in order.tools}


def patient_episode(_: TrackOrder, report: Report, cancelled: Cancelled) -> None:
    patient(report, cancelled)


def deaf_episode(_: TrackOrder, report: Report, cancelled: Cancelled) -> None:
    deaf(report, cancelled)


def die_in_the_second(order: TrackOrder, report: Report, cancelled: Cancelled) -> dict[str, TrackedTool]:
    if order.episode.name == "000002":
        die(report, cancelled)
    return track_or_fail(order, report, cancelled)

"""Demonstrations of the simulated world as episodes, at the rate of a clip and on a virtual clock."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from app.recording_checks import episode_facts, verdicts
from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.note import EpisodeNote
from hardware.recording.quality import quality
from hardware.recording.session import described
from hardware.rig import Rig
from hardware.stream import Picture, Pose, Reading, Sample, StreamInfo
from hardware.types import Image
from hardware.world.clips import render_clip
from hardware.world.demonstrator import SHOW

TASKS = tuple(SHOW)


@dataclass(frozen=True, eq=False)
class SimTake:
    """One simulated demonstration. samples: of all streams in the order of their virtual host time; scene: the bare
    scene (H, W, 3) by camera; success: None where the task has no rule."""

    streams: tuple[StreamInfo, ...]
    scene: Mapping[str, Image]
    samples: Iterator[Sample]
    object: str
    instruction: str
    success: bool | None


def sim_take(rig: Rig, task: str, seed: int, size: tuple[int, int]) -> SimTake:
    """Let the scripted demonstrator show a task; the same arguments give the same take. Raises ValueError."""
    clip = render_clip(rig, task, seed, size=size)
    streams = tuple(StreamInfo(camera.name, "camera", clip.fps, camera) for camera in clip.cameras)
    scene = {name: frames[0] for name, frames in clip.views.items()}

    def samples() -> Iterator[Sample]:
        for k in range(1, len(next(iter(clip.views.values())))):
            for name, frames in clip.views.items():
                yield Picture(name, k - 1, (k - 1) / clip.fps, (k - 1) / clip.fps, frames[k])

    instruction = task.replace("-", " ").replace("_", " ")
    return SimTake(streams, scene, samples(), clip.thing, instruction, None)


def record_take(take: SimTake, folder: Path, note: EpisodeNote) -> EpisodeNote:
    """Write a take into an episode's folder; return its note, ready to be kept. Raises OSError."""
    files = Files()
    for name, rgb in take.scene.items():
        png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
        files.write_whole(folder / f"scene_{name}.png", png)
    clock = Clock(0.0, time.time(), virtual=True)
    writer = EpisodeWriter(
        files.create(folder / MCAP), take.streams, clock, {"episode": note.id, "task": note.task}
    )
    coders = {s.name: Encoder(s.camera.size, s.rate_hz) for s in take.streams if s.camera is not None}
    for sample in take.samples:
        if isinstance(sample, Picture):
            writer.video(sample, coders[sample.stream].encode(sample))
            if sample.index % 5 == 0:
                writer.picture_state(sample, quality(sample))
        elif isinstance(sample, Pose):
            writer.pose(sample)
        elif isinstance(sample, Reading):
            writer.reading(sample)
    sha256 = writer.finish()
    note = replace(
        note,
        state="recorded",
        object=take.object,
        instruction=note.instruction or take.instruction,
        success=take.success,
        scene=tuple(f"scene_{name}.png" for name in take.scene),
    )
    with open_episode(folder) as reader:
        found = verdicts(episode_facts(reader))
        return replace(described(note, reader, sha256, (folder / MCAP).stat().st_size), verdicts=found)


def record_sim(
    rig: Rig, task: str, seed: int, size: tuple[int, int], folder: Path, note: EpisodeNote
) -> EpisodeNote:
    """Make and write one take: what a worker process does."""
    return record_take(sim_take(rig, task, seed, size), folder, note)

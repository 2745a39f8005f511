"""Demonstrations of the simulated world as episodes, at the rate of a clip and on a virtual clock."""

import atexit
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from app.recording.checks import episode_facts, verdicts
from app.recording.take_tools import held_details
from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.note import EpisodeNote
from hardware.recording.quality import quality
from hardware.recording.session import described
from hardware.rig import Rig
from hardware.rig_devices import SensorConfig
from hardware.stream import SIMULATED, Picture, Pose, Reading, Sample, StreamInfo, StreamKind
from hardware.types import Image
from hardware.world.sensing import GripperTruth, gripper_sensor
from hardware.world.tasks.layout import Moment
from hardware.world.tasks.table import TASKS as WORLD_TASKS

TASKS = tuple(WORLD_TASKS)
TRUTH_HZ = 30.0
TRUTH = {"truth": "of the simulation, in the world's frame"}


@dataclass(frozen=True, eq=False)
class SimTake:
    """One simulated demonstration. samples: of all streams in order of virtual time; scene: camera ->
    the bare scene (H, W, 3)."""

    streams: tuple[StreamInfo, ...]
    scene: Mapping[str, Image]
    samples: Iterable[Sample]
    object: str
    instruction: str
    success: bool | None
    details: Mapping[str, str] = field(default_factory=dict)


class SimStage:
    """The simulated world of one process, made once for many takes. Draws: for a process without a window."""

    def __init__(self, rig: Rig, size: tuple[int, int]) -> None:
        """size (width, height) of all pictures."""
        # here, not above: it binds PyOpenGL to EGL, which the window's process must never be
        from hardware.world.episodes import DemoMaker

        self.rig = rig
        self._maker = DemoMaker(rig, size)

    def takes(self, task: str, seed: int) -> Iterator[SimTake]:
        """Let the scripted person show a task; of push-shape every push is a take. Same arguments, same takes.

        Raises ValueError for a task that there is not, or that the rig cannot show.
        """
        for demo in self._maker.episode(task, seed):
            sensors = [s for s in self.rig.sensors if s.driver == "sim"]
            truth = _truth_streams(demo.layout.tools, {s.kind for s in sensors})
            felt = tuple(StreamInfo(s.name, s.kind, TRUTH_HZ, link=SIMULATED) for s in sensors)
            pictures = [
                Picture(name, k - 1, frame.t, frame.t, rgb)
                for k, frame in enumerate(demo.frames)
                if k > 0  # the first is the bare scene
                for name, rgb in frame.views.items()
            ]
            samples = [*pictures, *_truth(demo.moments, truth), *_felt(demo.moments, sensors, seed)]
            yield SimTake(
                (*(StreamInfo(c.name, "camera", demo.fps, c) for c in demo.cameras), *felt, *truth),
                demo.frames[0].views,
                sorted(samples, key=lambda sample: sample.t_host),
                ", ".join(dict.fromkeys(demo.layout.objects)),
                demo.layout.instruction,
                demo.verdict.success,
                {
                    "step": f"{demo.step + 1} of {demo.steps}",
                    "rule": demo.verdict.text,
                    **held_details(demo.layout.tools),
                },
            )

    def close(self) -> None:
        """Safe to call twice."""
        self._maker.close()


def _truth_streams(tools: Mapping[str, str], measured: Set[StreamKind]) -> tuple[StreamInfo, ...]:
    """The truth that no sensor of the rig measures."""
    poses = tuple(StreamInfo(f"tool-{role}", "pose", TRUTH_HZ, details=TRUTH) for role in tools)
    kinds: tuple[StreamKind, ...] = ("opening", "force") if "gripper" in tools.values() else ()
    return (*poses, *(StreamInfo(k, k, TRUTH_HZ, details=TRUTH) for k in kinds if k not in measured))


def _truth(moments: Iterable[Moment], streams: tuple[StreamInfo, ...]) -> Iterator[Sample]:
    names = {stream.name for stream in streams}
    for k, moment in enumerate(moments):
        for role, T in moment.T_world_tool.items():
            if np.isfinite(T).all():
                yield Pose(f"tool-{role}", k, moment.t, moment.t, T, 3)
        for name, value in (("opening", moment.opening), ("force", moment.grip)):
            if name in names and np.isfinite(value):
                yield Reading(name, k, moment.t, moment.t, value)


def _felt(moments: Iterable[Moment], sensors: Iterable[SensorConfig], seed: int) -> Iterator[Sample]:
    """What the rig's simulated sensors say of a demo; the person zeroed the force before it."""
    speaking = [gripper_sensor(sensor, seed, zeroed=True) for sensor in sensors]
    for k, m in enumerate(moments):
        T = m.T_world_tool.get("gripper")
        held = T if T is not None and np.isfinite(T).all() else None
        truth = GripperTruth(k, m.t, m.t, held, m.opening, m.grip)
        yield from (sensor.sample(truth) for sensor in speaking)


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


_stage: list[SimStage] = []  # of this worker process


def open_stage(rig: Rig, size: tuple[int, int]) -> None:
    """Begin a worker process: it draws with one stage until it ends."""
    cv2.setNumThreads(1)  # one worker a core: more threads only wait for each other
    _stage.append(SimStage(rig, size))
    atexit.register(_stage[0].close)


def record_table(task: str, seed: int, folder: Path, instruction: str = "") -> list[tuple[Path, EpisodeNote]]:
    """Make and write the takes of one table, each into a folder of its own beside `folder`: a worker's job."""
    made = []
    (stage,) = _stage
    for k, take in enumerate(stage.takes(task, seed)):
        own = folder.with_name(f"{folder.name}-{k}")
        own.mkdir()
        details = {"rig": stage.rig.name, "rig_sha256": stage.rig.sha256, **take.details}
        note = EpisodeNote(uuid.uuid4().hex, 0, task, seed=seed, instruction=instruction, details=details)
        made.append((own, record_take(take, own, note)))
    folder.rmdir()
    return made

"""Sessions for tests: short episodes of small pictures and all kinds of streams."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardware.geometry import transform
from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session, described
from hardware.stream import Reading, StreamInfo
from hardware.types import Camera, Image
from models.types import Dream, ToolTrack, Track, View
from tests.hardware.recording.sources import arm, info, picture, pose

RATE = 30.0
SIZE = (96, 64)
K = np.array([[96.0, 0, 48], [0, 96, 32], [0, 0, 1]])
PLACED = Camera("top", K, SIZE, T_world_cam=transform(np.diag([1.0, -1, -1]), [0, 0, 1.0]))
STREAMS = (
    StreamInfo("top", "camera", RATE, PLACED),
    StreamInfo("side", "camera", RATE, None),
    info("t265", "pose"),
    info("force", "force"),
    info("grip", "opening"),
    StreamInfo("left_arm", "arm", RATE),
)


def write_episode(
    folder: Path, count: int = 60, start: float = 10.0, streams: Sequence[StreamInfo] = STREAMS
) -> None:
    """Write `count` samples of every stream at 30 Hz; "side" comes 5 ms after the rest."""
    writer = EpisodeWriter(Files().create(folder / MCAP), tuple(streams), Clock(5.0, 1.7e9), {"task": "test"})
    coders = {name: Encoder(SIZE, RATE) for name in ("top", "side")}
    for k in range(count):
        t = start + k / RATE
        for name, coder in coders.items():
            seen = picture(name, k, t + 0.005 * (name == "side"))
            writer.video(seen, coder.encode(seen))
        writer.pose(pose("t265", k, t, confidence=0 if k == 4 else 3))
        writer.reading(Reading("force", k, t, t, 0.1 * k, valid=k != 3))
        writer.reading(Reading("grip", k, t, t, 0.001 * k))
        writer.arm(arm("left_arm", k, t, commanded=k >= 10))
        if k % 8 == 7:
            writer.sync()
    writer.finish()


def new_session(folder: Path, episodes: int = 1, count: int = 60, **note: object) -> Path:
    """Make a session of kept episodes and return its folder."""
    session = Session(folder)
    session.lock()
    for _ in range(episodes):
        part, begun = session.begin(replace(EpisodeNote("", 0, "rotation", instruction="turn it"), **note))  # type: ignore[arg-type]
        write_episode(part, count)
        with open_episode(part) as reader:
            done = described(begun, reader, "0" * 64, (part / MCAP).stat().st_size)
        session.keep(part, done)
    session.close()
    return folder


def a_track(frames: int = 20, fps: float = 10.0) -> tuple[Track, Dream]:
    """A tool that moves along x in front of "top", lost in frame 3, and the clip that it was tracked in."""
    T = np.tile(np.eye(4), (frames, 1, 1))
    T[:, 0, 3], T[:, 2, 3] = 0.01 * np.arange(frames), 0.8
    T[3] = np.nan
    sources = tuple("lost" if k == 3 else "tracked" for k in range(frames))
    tool = ToolTrack("left", T, np.full((frames, 1), 0.9), np.full(frames, 0.5), sources)  # type: ignore[arg-type]
    pictures: Image = np.zeros((frames, SIZE[1], SIZE[0], 3), np.uint8)
    dream = Dream("episode", fps, (View(PLACED, np.eye(4), pictures),), {}, np.eye(4))
    return Track("episode", {"left": tool}), dream

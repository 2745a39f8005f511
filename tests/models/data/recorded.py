"""Recorded sessions for tests: two cameras that come steadily, sensors at rates of their own, an arm."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session, described
from hardware.stream import Reading, StreamInfo
from models.data.annotations import Annotation, Mark, Piece, write_annotation
from models.data.exchange_pictures import png
from models.data.session_demo import SessionDemo, open_session_demos
from tests.hardware.recording.sources import arm, info, picture, pose

SIZE = (96, 64)
START = 100.0
Jitter = Callable[[str, int], float]


def record(
    folder: Path, episodes: int = 2, seconds: float = 1.2, jitter: Jitter = lambda name, k: 0.0, hz: float = 30.0
) -> Path:
    """Write a session. jitter: how much later a camera's k-th picture comes [s], nan: never; hz: of the cameras."""
    session = Session(folder)
    session.lock()
    for number in range(episodes):
        part, note = session.begin(
            EpisodeNote(
                "", 0, "push", instruction=f"push the block {number % 2}", object="block", success=number > 0
            )
        )
        sha256 = write_recording(part, seconds, jitter, hz)
        with open_episode(part) as reader:
            note = described(note, reader, sha256, (part / MCAP).stat().st_size)
        for camera in ("top", "side"):
            session.write_scene(
                part, f"scene_{camera}.png", png(np.full((SIZE[1], SIZE[0], 3), 50 + number, np.uint8))
            )
        marks = (Mark(0.1, "reach"), Mark(0.3, "push", "program"))
        write_annotation(part, Annotation((Piece(),), marks))
        session.keep(part, replace(note, state="recorded"))
    session.close()
    return folder


def write_recording(folder: Path, seconds: float, jitter: Jitter, hz: float) -> str:
    streams = (
        info("top", rate_hz=hz),
        info("side", rate_hz=hz),
        info("t265", "pose", 60.0),
        info("force", "force", 45.0),
        info("opening", "opening", 30.0),
        StreamInfo("left_arm", "arm", 50.0),
    )
    writer = EpisodeWriter(Files().create(folder / MCAP), streams, Clock(START, 1.7e9))
    coders = {name: Encoder(SIZE, hz) for name in ("top", "side")}
    rows: list[tuple[float, Callable[[], None]]] = []
    for name in coders:
        for k in range(round(seconds * hz)):
            t = START + k / hz + jitter(name, k)
            if np.isfinite(t):
                rows.append((t, lambda n=name, k=k, t=t: _video(writer, coders, n, k, t)))
    for k in range(round(seconds * 60)):
        t = START + k / 60 + 0.001
        rows.append((t, lambda k=k, t=t: writer.pose(pose("t265", k, t, confidence=3))))
    for k in range(round(seconds * 45)):
        t = START + k / 45 + 0.002
        reading = Reading("force", k, t, t, k * 0.1, valid=k != 7)
        rows.append((t, lambda reading=reading: writer.reading(reading)))
    for k in range(round(seconds * 30)):
        t = START + k / 30 + 0.003
        rows.append((t, lambda k=k, t=t: writer.reading(Reading("opening", k, t, t, 0.08 - k * 1e-3))))
    for k in range(round(seconds * 50)):
        t = START + k / 50 + 0.0005
        rows.append((t, lambda k=k, t=t: writer.arm(arm("left_arm", k, t, commanded=True, opening=0.5))))
    for _, write in sorted(rows, key=lambda row: row[0]):
        write()
    return writer.finish()


def _video(writer: EpisodeWriter, coders: dict[str, Encoder], name: str, k: int, t: float) -> None:
    seen = picture(name, k, t)
    writer.video(seen, coders[name].encode(seen))


def demos(folder: Path) -> list[SessionDemo]:
    return [demo for demo in open_session_demos(folder) if isinstance(demo, SessionDemo)]

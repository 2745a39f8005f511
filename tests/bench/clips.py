"""`make bench-clips`: how fast clips come out of recordings, cold and from the cache, and what limits it."""

import argparse
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from hardware.recording.encoder import GOP, Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session, described
from hardware.stream import Picture, StreamInfo
from hardware.types import Camera
from models.data.clips import MultiViewWindow, StereoClip
from models.data.clips_dataset import Mixed, MultiViewWindows, StereoClips
from models.data.clips_pictures import FittedPictures, fit_width
from models.data.clips_sampler import EpochSampler
from models.data.demo import Demo
from models.data.frame_cache import FrameCache
from models.data.session_demo import open_session_demos
from tests.bench.record_source import pan

SECONDS, RATE, WORKERS = 4.0, 30.0, 2
FULL, MODEL = (1280, 720), (768, 448)
WARM_BYTES = 4 * 2**30
Took = tuple[int, float, float]  # pictures, seconds, seconds of processor


def record(folder: Path, size: tuple[int, int], episodes: int, cameras: Sequence[str]) -> Path:
    """Write a session of a moving, noisy picture, coded as recordings are: H.264, crf 20, GOP 15."""
    session = Session(folder)
    session.lock()
    looped = {name: pan(size, "rgb24", k) for k, name in enumerate(cameras)}
    for _ in range(episodes):
        part, note = session.begin(EpisodeNote("", 0, "rotation"))
        K = np.array([[size[0], 0, size[0] / 2], [0, size[0], size[1] / 2], [0, 0, 1.0]])
        infos = tuple(
            StreamInfo(name, "camera", RATE, Camera(name, K, size, T_world_cam=np.eye(4))) for name in cameras
        )
        writer = EpisodeWriter(Files().create(part / MCAP), infos, Clock(0.0, 0.0), {"task": "rotation"})
        coders = {name: Encoder(size, RATE) for name in cameras}
        for k in range(round(SECONDS * RATE)):
            for name, coder in coders.items():
                seen = Picture(name, k, k / RATE, k / RATE, looped[name][k % len(looped[name])])
                writer.video(seen, coder.encode(seen))
            if k % 8 == 7:
                writer.sync()
        sha256 = writer.finish()
        with open_episode(part) as reader:
            done = described(note, reader, sha256, (part / MCAP).stat().st_size)
        session.keep(part, replace(done, task="rotation"))
    session.close()
    return folder


def warm_up() -> None:
    """Load what is compiled."""
    fit_width(FULL, MODEL).picture(np.zeros((FULL[1], FULL[0], 3), np.uint8))


# one process: what it reads with, made once
_set: Mixed | None = None
_demos: Sequence[Demo] = ()


def begin(session: Path, kind: str, cache: Path | None) -> None:
    """Begin a worker: the clips of a session."""
    global _set, _demos
    cv2.setNumThreads(1)
    warm_up()
    _demos = open_session_demos(session)
    pictures = FittedPictures(FrameCache(cache, WARM_BYTES) if cache else None)
    if kind == "window":
        window = MultiViewWindow(cameras=("gripper", "left", "right"), actions=None)
        _set = Mixed([MultiViewWindows(_demos, window, pictures)])
    elif kind == "stereo":
        _set = Mixed([StereoClips(_demos, StereoClip(), pictures)])


def read_clips(shard: int, shards: int, clips: int, seed: int) -> Took:
    """Read clips in training's order."""
    if _set is None:
        raise RuntimeError("the worker was not begun")
    sampler = EpochSampler(_set.lengths, seed=seed, shard=shard, shards=shards)
    frames, t, cpu = 0, time.monotonic(), time.process_time()
    while True:
        for index in sampler:
            frames += len(_set[index].frames)
            clips -= 1
            if clips == 0:
                return frames, time.monotonic() - t, time.process_time() - cpu


def read_pictures(shard: int, count: int, seed: int) -> Took:
    """Read single pictures anywhere, nothing cached."""
    rng = np.random.default_rng([seed, shard])
    t, cpu = time.monotonic(), time.process_time()
    for _ in range(count):
        demo = _demos[int(rng.integers(len(_demos)))]
        names = [s.name for s in demo.streams.values() if s.kind == "camera"]
        name = str(rng.choice(names))
        size = demo.streams[name].size
        fit = fit_width(size, MODEL) if size is not None else None
        if fit is not None:
            FittedPictures().get(demo, name, fit, [int(rng.integers(len(demo.times(name))))])
    return count, time.monotonic() - t, time.process_time() - cpu


def rate(
    session: Path, kind: str, cache: Path | None, job: Callable[..., Took], *arguments: int
) -> dict[str, float]:
    """Return pictures a second of WORKERS processes at once, without their start: as it was here beside whatever
    else ran, and by the processor time that they took."""
    with ProcessPoolExecutor(
        WORKERS, mp_context=get_context("spawn"), initializer=begin, initargs=(session, kind, cache)
    ) as pool:
        list(pool.map(time.sleep, [0.5] * WORKERS))
        done = list(pool.map(job, range(WORKERS), *([a] * WORKERS for a in arguments)))
    frames = sum(row[0] for row in done)
    return {
        "pictures/s, wall": frames / max(row[1] for row in done),
        "pictures/s, if the cores were free": WORKERS * frames / sum(row[2] for row in done),
    }


def parts(session: Path) -> dict[str, float]:
    """Return what a picture costs of one thread's processor time [ms]: decoding, converting, fitting."""
    cv2.setNumThreads(1)
    (demo, *_) = open_session_demos(session)
    warm_up()
    name = "top" if "top" in demo.streams else "left"
    size = demo.streams[name].size or FULL
    count = len(demo.times(name))
    t = time.thread_time()
    pictures = demo.pictures(name, range(count))
    every = (time.thread_time() - t) / count
    t = time.thread_time()
    demo.pictures(name, range(GOP - 1, count, GOP))
    last = (time.thread_time() - t) / (count // GOP)
    fit = fit_width(size, MODEL)
    t = time.thread_time()
    for rgb in pictures[:60]:
        fit.picture(rgb)
    fitted = (time.thread_time() - t) / 60
    return {
        "a picture in a row, read, decoded, converted, ms": 1e3 * every,
        "the last of 15, from its key picture on, ms": 1e3 * last,
        "crop and resize by area, ms": 1e3 * fitted,
    }


def run(episodes: int = 8) -> dict[str, object]:
    """Figures of both sizes. Page cache: warm, as a training reads the same files over and over."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for size in (FULL, MODEL):
            session = record(Path(scratch) / f"session-{size[1]}", size, episodes, ("top", "side"))
            label = f"{size[0]}x{size[1]}"
            cache = Path(scratch) / f"cache-{size[1]}"
            figures[label] = {
                "megabytes an episode": sum(f.stat().st_size for f in session.rglob(MCAP)) / 1e6 / episodes,
                "one thread": parts(session),
                "stereo clips, cold": rate(session, "stereo", None, read_clips, WORKERS, 12, 0),
                "single pictures, cold": rate(session, "", None, read_pictures, 80, 0),
                "stereo clips, filling the cache": rate(
                    session, "stereo", cache, read_clips, WORKERS, episodes // WORKERS, 0
                ),
                "stereo clips from the cache": rate(session, "stereo", cache, read_clips, WORKERS, 60, 0),
            }
        session = record(Path(scratch) / "handheld", (640, 480), episodes, ("gripper", "left", "right"))
        cache = Path(scratch) / "cache-windows"
        figures["640x480 windows at 256x192"] = {
            "cold": rate(session, "window", None, read_clips, WORKERS, 20, 0),
            "filling the cache": rate(session, "window", cache, read_clips, WORKERS, 200, 0),
            "from the cache": rate(session, "window", cache, read_clips, WORKERS, 200, 0),
        }
        figures["memory"] = memory()
    return figures


def memory() -> dict[str, float]:
    """Return what one thread copies and checks a second, by processor time: the bound of any cache."""
    data = np.random.default_rng(0).integers(0, 255, (64, MODEL[1], MODEL[0], 3), dtype=np.uint8)
    out = data.copy()
    t = time.thread_time()
    np.copyto(out, data)
    copied = time.thread_time() - t
    t = time.thread_time()
    for picture in data:
        zlib.crc32(picture.data)
    checked = time.thread_time() - t
    t = time.thread_time()
    np.empty_like(data)[...] = 0
    fresh = time.thread_time() - t
    return {
        "copied, pictures/s": len(data) / copied,
        "checksums, pictures/s": len(data) / checked,
        "fresh memory filled, pictures/s": len(data) / fresh,
    }


def main() -> None:
    from tests.bench.run import show

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=8)
    show(run(parser.parse_args().episodes))


if __name__ == "__main__":
    main()

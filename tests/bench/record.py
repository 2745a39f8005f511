"""Recording: drops, what a window feels of it, memory, time to save. `--seconds 120` for the long figure."""

import argparse
import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import psutil

from hardware.recording.capture import Capture, CaptureSource
from hardware.recording.capture_process import CaptureProcess
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import EpisodeNote
from hardware.recording.session import Session
from hardware.stream import PixelFormat
from tests.bench.record_source import Maker, Stream, pan, serve

TICK_S = 1 / 60


@contextmanager
def sources(cameras: list[tuple[int, int]], sensors: int, pixel_format: PixelFormat) -> Iterator[list[Stream]]:
    """Run a source process with these cameras at 30 fps and sensors at 30 Hz."""
    memories, streams = [], []
    folder = tempfile.mkdtemp(prefix="record-bench-")
    for k, size in enumerate([*cameras, *[None] * sensors]):
        name = f"camera{k}" if size else f"sensor{k}"
        memory = ""
        if size:
            pictures = pan(size, pixel_format, k)
            memories.append(SharedMemory(create=True, size=pictures.nbytes))
            np.ndarray(pictures.shape, np.uint8, memories[-1].buf)[:] = pictures
            memory = memories[-1].name
        streams.append(Stream(name, 30.0, size, pixel_format, f"{folder}/{name}", memory))
    context = multiprocessing.get_context("spawn")
    ended = context.Event()
    process = context.Process(target=serve, args=(tuple(streams), ended), name="source")
    process.start()
    try:
        deadline = time.monotonic() + 20
        while not all(os.path.exists(s.address) for s in streams) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield streams
    finally:
        ended.set()
        process.join(5)
        process.kill()
        for block in memories:
            block.close()
            block.unlink()


class Window:
    """A thread that lives like a window's: 60 turns a second, looks at every camera, and notes its stalls."""

    def __init__(self, capture: CaptureSource, cameras: list[str]) -> None:
        self.late: list[float] = []
        self.ages: list[float] = []
        self._capture, self._cameras, self._ended = capture, cameras, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        shown: dict[str, float] = {}
        due = time.monotonic()
        for turn in range(10**9):
            if self._ended.is_set():
                return
            due += TICK_S
            time.sleep(max(0.0, due - time.monotonic()))
            name = self._cameras[turn % len(self._cameras)]
            frame = self._capture.newest(name)
            if frame is not None and frame.t_device != shown.get(name):
                shown[name] = frame.t_device
                self.ages.append(time.monotonic() - frame.t_device)
            self.late.append(time.monotonic() - due)
            due = max(due, time.monotonic() - TICK_S)


def record(
    seconds: float, cameras: list[tuple[int, int]], pixel_format: PixelFormat, own: bool
) -> dict[str, object]:
    """Record once; own: in a capture process."""
    with sources(cameras, 3, pixel_format) as streams, tempfile.TemporaryDirectory() as folder:
        makers = [Maker(stream) for stream in streams]
        capture: CaptureSource = CaptureProcess(makers) if own else Capture(makers)
        process = psutil.Process(capture.pid if isinstance(capture, CaptureProcess) else None)
        session = Session(Path(folder) / "session")
        session.lock()
        window = Window(capture, [s.name for s in streams if s.size])
        part, note = session.begin(EpisodeNote("", 0, "bench"))
        try:
            capture.start(part / MCAP, {})
            begun = process.cpu_times()
            time.sleep(min(5.0, seconds / 2))
            early = process.memory_info().rss
            time.sleep(seconds - min(5.0, seconds / 2))
            late, spent = process.memory_info().rss, process.cpu_times()
            t = time.monotonic()
            ended = capture.stop()
            kept = session.keep(part, note)
            saved = time.monotonic() - t
        finally:
            window.close()
            capture.close()
            session.close()
        with open_episode(kept) as reader:
            samples = {name: len(reader.times(name).index) for name in reader.streams}
        drops = {f"{f.stream}: {f.kind}": 0 for f in ended.flaws}
        for flaw in ended.flaws:
            drops[f"{flaw.stream}: {flaw.kind}"] += flaw.count
        return {
            "seconds": ended.span[1] - ended.span[0],
            "samples": sum(samples.values()),
            "fewest_per_second": min(samples.values()) / (ended.span[1] - ended.span[0]),
            "dropped": sum(drops.values()),
            "flaws": drops or "none",
            "problem": ended.problem or "none",
            "megabytes_a_minute": ended.bytes / 1e6 / seconds * 60,
            "cpu_of_a_core": (spent.user + spent.system - begun.user - begun.system) / seconds,
            "window_stall_p99_ms": float(np.percentile(window.late, 99)) * 1e3,
            "window_stall_max_ms": max(window.late) * 1e3,
            "timestamp_to_seen_median_ms": float(np.median(window.ages)) * 1e3,
            "memory_growth_mb": (late - early) / 1e6,
            "save_after_stop_s": saved,
            "load": os.getloadavg()[0],
        }


RIG = [(1280, 720)] * 3 + [(1024, 1024)]


def first_drop(seconds: float, pixel_format: PixelFormat) -> dict[str, object]:
    """Add 1280x720@30 cameras until one sample is lost."""
    for count in range(5, 13):
        figures = record(seconds, [(1280, 720)] * count, pixel_format, own=True)
        if figures["dropped"] or float(str(figures["fewest_per_second"])) < 29.0:
            return {"cameras_720p30": count, "dropped": figures["dropped"], "flaws": figures["flaws"]}
    return {"cameras_720p30": "over 12"}


def simulated(episodes: int = 60) -> dict[str, object]:
    """Record simulated episodes by the verb, processes started and all."""
    figures: dict[str, object] = {}
    for task in ("rotation", "push-shape"):
        with tempfile.TemporaryDirectory() as folder:
            verb = [
                sys.executable,
                "main.py",
                "record",
                "--rig",
                "sim",
                "--size",
                "192x128",
                "--json",
                "--task",
                task,
            ]
            where = ["--episodes", str(episodes), "--dataset", f"{folder}/d", "--workspace", f"{folder}/w"]
            done = subprocess.run([*verb, *where], capture_output=True, text=True, check=True)
            figures[task] = json.loads(done.stdout)["per_second"]
    return figures


def run(seconds: float = 10.0, *, formats: tuple[PixelFormat, ...] = ("nv12", "rgb24")) -> dict[str, object]:
    """The rig of the handheld gripper: three 1280x720@30, one 1024x1024@30, three sensors."""
    figures: dict[str, object] = {}
    for pixel_format in formats:
        figures[f"{pixel_format} in a capture process"] = record(seconds, RIG, pixel_format, own=True)
    figures[f"{formats[0]} in the window's process"] = record(min(seconds, 10.0), RIG, formats[0], own=False)
    figures["simulated, episodes a second"] = simulated()
    figures["streams at the first drop"] = first_drop(min(seconds, 8.0), formats[0])
    return figures


def main() -> None:
    from tests.bench.run import show

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    with contextlib.suppress(KeyboardInterrupt):
        show(run(parser.parse_args().seconds))


if __name__ == "__main__":
    main()

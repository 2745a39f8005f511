"""`python -m tests.bench.trackers`: the trackers that run here on the real dreams, scored by their own eval.py."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from models.data.poses_file import write_poses
from models.tracking.trackers import TrackerChoice, make_tracker
from tests.bench.machine import machine
from tests.bench.track import REAL, real_dream

TRACKERS = ("stereo", "fusion")


def figures(name: str, folder: Path = REAL) -> dict[str, float]:
    """Track every real dream with one tracker, without hints; return its scores and the seconds of a dream."""
    track, seconds, cpu = make_tracker(TrackerChoice(name)), [], []
    with tempfile.TemporaryDirectory() as scratch:
        predictions = Path(scratch) / "poses"
        predictions.mkdir()
        for video in sorted(folder.glob("*.mp4")):
            dream = real_dream(folder, video.stem)
            before = time.process_time()
            found = track(dream)
            cpu.append(time.process_time() - before)
            seconds.append(found.seconds)
            write_poses(predictions / f"{video.stem}.json", found, dream)
        scores = Path(scratch) / "scores.json"
        command = [sys.executable, str(folder / "eval.py"), str(predictions), "--json", str(scores)]
        subprocess.run(command, capture_output=True, text=True, check=True)
        all_dreams: dict[str, float] = json.loads(scores.read_text())["ALL"]
    return all_dreams | {"seconds": float(np.median(seconds)), "cpu_seconds": float(np.median(cpu))}


def main() -> None:
    print(json.dumps(machine(), indent=1))
    print(json.dumps({name: figures(name) for name in TRACKERS}, indent=1))


if __name__ == "__main__":
    main()

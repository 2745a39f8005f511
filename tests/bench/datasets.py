"""How long ten thousand demos take to open, to filter and to edit, and how fast pictures come in any order.

`python -m tests.bench.datasets [--count 10000] [--keep DIR]`. The session's episodes have notes and no recordings;
opening does not look into recordings. Figures of the disk are of a warm cache.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.datasets.filter import Order, shown
from app.datasets.library import Dataset
from app.datasets.wishes import Label, LabelChange, Split
from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.stream import Picture
from models.data.annotations import AS_RECORDED
from models.data.session_demo import episode_demos
from tests.app.datasets.samples import note, notes_only
from tests.bench.machine import machine
from tests.hardware.recording.sources import info

SIZE, SECONDS, RATE = (768, 448), 20, 30
T = TypeVar("T")


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    arguments = parser.parse_args()
    figures: dict[str, object] = {"machine": machine(), "demos": arguments.count}
    with tempfile.TemporaryDirectory() as folder:
        figures |= _open(notes_only(Path(folder) / "many", arguments.count))
        figures |= _decode(Path(folder) / "one")
    print(json.dumps(figures, indent=1))


def _open(session: Path) -> dict[str, object]:
    first, _ = _timed(lambda: Dataset(session))
    again, dataset = _timed(lambda: Dataset(session))
    filtered, _ = _timed(lambda: shown(dataset.rows, "verdict:bad -tag:x turn", Order("task")))
    key = dataset.rows[0].key
    one, _ = _timed(lambda: dataset.do(dataset.propose(Split(key, 1.0))))
    wish = Label(tuple(row.key for row in dataset.rows[:1000]), LabelChange(task="scooping"))
    bulk, _ = _timed(lambda: dataset.do(dataset.propose(wish)))
    back, _ = _timed(dataset.undo)
    dataset.close()
    cpu = time.process_time()
    Dataset(session)
    cpu = time.process_time() - cpu
    return {
        "open without an index s": first,
        "open with an index s": again,
        "open with an index, CPU s": round(cpu, 3),
        "filter and sort s": filtered,
        "one edit s": one,
        "label 1000 s": bulk,
        "undo it s": back,
    }


def _decode(folder: Path) -> dict[str, object]:
    folder.mkdir()
    writer = EpisodeWriter(Files().create(folder / MCAP), (info("top", size=SIZE),), Clock(5.0, 1.7e9))
    coder, rng = Encoder(SIZE, RATE), np.random.default_rng(0)
    ground = rng.integers(40, 200, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    for k in range(SECONDS * RATE):
        pixels = np.roll(ground, 3 * k, axis=1)
        picture = Picture("top", k, 10 + k / RATE, k / RATE, pixels)
        writer.video(picture, coder.encode(picture))
        if k % 8 == 7:
            writer.sync()
    writer.finish()
    (demo,) = episode_demos(folder, note(1, duration_s=float(SECONDS)), AS_RECORDED)
    demo.times("top")
    asked = rng.integers(0, SECONDS * RATE, 200).tolist()
    cpu = time.process_time()
    one_by_one, _ = _timed(lambda: [demo.pictures("top", [k]) for k in asked])
    cpu = time.process_time() - cpu
    in_a_row, _ = _timed(lambda: demo.pictures("top", range(300)))
    clip, _ = _timed(lambda: [demo.pictures("top", range(k, k + 60, 5)) for k in range(0, 500, 50)])
    return {
        "pictures one by one in any order per s": round(len(asked) / one_by_one, 1),
        "pictures one by one in any order, CPU ms each": round(1e3 * cpu / len(asked), 2),
        "pictures in a row per s": round(300 / in_a_row, 1),
        "clips of 12 of 60 pictures, pictures per s": round(120 / clip, 1),
    }


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = work()
    return round(time.perf_counter() - start, 4), result


if __name__ == "__main__":
    main()

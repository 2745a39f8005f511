"""Make LeRobot exports to be looked at by the real package: `python -m tests.lerobot_sample FOLDER`.

FOLDER/RATE/dataset is an export with that many pictures a second, FOLDER/RATE/expected.npz what its rows hold.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.datasets.exchange import ExportOptions, export_demos
from models.data.annotations import Piece
from tests.models.data.recorded import demos, record

RATES = (30.0, 7.5)


def main(folder: Path) -> None:
    for rate in RATES:
        _make(folder / f"{rate:g}", rate)


def _make(folder: Path, rate: float) -> None:
    folder.mkdir(parents=True)
    first, *others = demos(record(folder / "session", 3, 60 / rate, hz=rate))
    found = [replace(first, piece=Piece(start=6.3 / rate, end=45 / rate)), *others]
    export_demos(found, folder / "dataset", "lerobot", ExportOptions())
    times = [demo.times("top") for demo in found]
    pictures = {
        camera: np.concatenate([d.pictures(camera, range(len(t))) for d, t in zip(found, times, strict=True)])
        for camera in ("top", "side")
    }
    np.savez(
        folder / "expected.npz",
        allow_pickle=False,
        rate=rate,
        top_times=np.concatenate(times),
        lengths=np.array([len(t) for t in times]),
        **pictures,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

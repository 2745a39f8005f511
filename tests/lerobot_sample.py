"""Make a LeRobot export to be looked at by the real package: `python -m tests.lerobot_sample FOLDER`.

FOLDER/dataset is the export, FOLDER/expected.npz what each row should hold.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.exchange import ExportOptions, export_demos
from models.data.annotations import Piece
from tests.models.data.recorded import demos, record


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    session = record(folder / "session", 3, 2.0)
    first, *others = demos(session)
    found = [replace(first, piece=Piece(start=0.21, end=1.5)), *others]
    export_demos(found, folder / "dataset", "lerobot", ExportOptions())
    pictures = [
        demo.pictures(camera, range(len(demo.times(camera)))) for camera in ("top", "side") for demo in found
    ]
    half = len(found)
    np.savez(
        folder / "expected.npz",
        top=np.concatenate(pictures[:half]),
        side=np.concatenate(pictures[half:]),
        top_times=np.concatenate([demo.times("top") for demo in found]),
        lengths=np.array([len(demo.times("top")) for demo in found]),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

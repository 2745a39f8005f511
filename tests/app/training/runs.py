"""Run folders for tests, as models/training writes them, without training anything."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from hardware.types import Image
from models.training.config import TrainConfig, config_text
from models.training.run_folder import CONFIG, GALLERY, METRICS

SIZE = (24, 16)  # of one picture


def sheet(views: int, length: int, shade: int = 0) -> Image:
    """Return a sheet whose picture of row r at time t is all 10 * r + t + shade."""
    rows = np.repeat(10 * np.arange(2 * views), SIZE[1])[:, None]
    columns = np.repeat(np.arange(length), SIZE[0])[None]
    return np.repeat((rows + columns + shade)[..., None], 3, axis=2).astype(np.uint8)


def new_run(folder: Path, config: TrainConfig | None = None) -> Path:
    """Begin a run."""
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text(config_text(config or TrainConfig()))
    return folder


def note(run: Path, step: int, **values: float) -> None:
    """Write a line of its curves."""
    with (run / METRICS).open("a") as file:
        file.write(json.dumps({"step": step, "time": 1e9 + step, "values": values}) + "\n")


def draw(run: Path, step: int, scenes: Mapping[str, Image]) -> None:
    """Write a gallery."""
    folder = run / GALLERY / f"step_{step:06d}"
    folder.mkdir(parents=True)
    rows = []
    for name, picture in scenes.items():
        Pillow.fromarray(picture).save(folder / f"{name}.png")
        rows.append({"demo": name, "number": 0, "picture": f"{name}.png", "psnr": 21.5, "ssim": 0.81})
    (folder / "metrics.json").write_text(json.dumps({"scenes": rows, "mean": {"psnr": 21.5, "ssim": 0.81}}))

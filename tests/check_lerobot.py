"""Load exports with the real lerobot package, row by row (make check-lerobot).

Runs in lerobot's own environment: nothing of ours is imported.
"""

import os
import sys
from pathlib import Path

import numpy as np

os.environ["HF_HUB_OFFLINE"] = "1"  # what is not in the folder is missing
WORST_DB = 38.0  # beside what two programs make of the same colours


def main(folder: Path) -> None:
    import lerobot

    for part in sorted(folder.iterdir()):
        rows, worst = check(part)
        print(f"lerobot {lerobot.__version__}, {part.name} a second: {rows} rows, worst picture {worst:.1f} dB")
        if worst < WORST_DB:
            sys.exit(f"{part}: pictures differ by more than the colours of two programs")


def check(part: Path) -> tuple[int, float]:
    """Compare every row with what is expected; return how many there are and the worst picture [dB]."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    expected = np.load(part / "expected.npz", allow_pickle=False)
    total, rate = int(expected["lengths"].sum()), float(expected["rate"])
    dataset = LeRobotDataset("dreamdeck/check", root=part / "dataset", video_backend="pyav")
    told = (dataset.num_episodes, dataset.num_frames, dataset.fps)
    require(told == (len(expected["lengths"]), total, rate), f"it tells of {told}")
    names = dataset.meta.features["capture_time"]["names"]
    worst = 100.0
    for k in range(total):
        row = dataset[k]
        for camera in ("top", "side"):
            seen = row[f"observation.images.{camera}"].permute(1, 2, 0).numpy() * 255
            error = float(np.mean((seen - expected[camera][k]) ** 2))
            worst = min(worst, 10 * float(np.log10(255**2 / max(error, 1e-9))))
        taken = float(row["capture_time"][names.index("top")])
        require(abs(taken - float(expected["top_times"][k])) < 1e-3, f"row {k} was taken at {taken}")
        require(row["task"].startswith("push the block"), f"row {k} has task {row['task']!r}")
    check_training(part, rate)
    return total, worst


def check_training(part: Path, rate: float) -> None:
    """Load windows and batches, as training does."""
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    steps = {"action": [k / rate for k in range(3)], "observation.images.top": [-1 / rate, 0.0]}
    windows = LeRobotDataset("dreamdeck/check", root=part / "dataset", video_backend="pyav", delta_timestamps=steps)
    window = windows[10]
    require(window["action"].shape[0] == 3, "no window of actions")
    require(window["observation.images.top"].shape[0] == 2, "no window of pictures")
    batch = next(iter(torch.utils.data.DataLoader(windows, batch_size=8, shuffle=True)))
    require(len(batch["index"]) == 8, "no batch")
    stats = windows.meta.stats["observation.state"]
    require(set(stats) >= {"min", "max", "mean", "std", "count", "q01", "q99"}, f"statistics: {set(stats)}")


def require(condition: bool, problem: str) -> None:
    if not condition:
        sys.exit(problem)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

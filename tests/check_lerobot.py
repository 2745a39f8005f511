"""Load an export with the real lerobot package, row by row (make check-lerobot).

Runs in lerobot's own environment: nothing of ours is imported.
"""

import os
import sys
from pathlib import Path

import numpy as np

os.environ["HF_HUB_OFFLINE"] = "1"  # what is not in the folder is missing


def main(folder: Path) -> None:
    import lerobot
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    expected = np.load(folder / "expected.npz", allow_pickle=False)
    total = int(expected["lengths"].sum())
    steps = {"action": [0.0, 1 / 30, 2 / 30], "observation.images.top": [-1 / 30, 0.0]}
    dataset = LeRobotDataset("dreamdeck/check", root=folder / "dataset", video_backend="pyav")
    windows = LeRobotDataset(
        "dreamdeck/check", root=folder / "dataset", video_backend="pyav", delta_timestamps=steps
    )
    assert (dataset.num_episodes, dataset.num_frames, dataset.fps) == (3, total, 30)
    worst = 100.0
    for k in range(total):
        row = dataset[k]
        for camera in ("top", "side"):
            seen = row[f"observation.images.{camera}"].permute(1, 2, 0).numpy() * 255
            error = float(np.mean((seen - expected[camera][k]) ** 2))
            worst = min(worst, 10 * float(np.log10(255**2 / max(error, 1e-9))))
        names = dataset.meta.features["capture_time"]["names"]
        taken = float(row["capture_time"][names.index("top")])
        assert abs(taken - float(expected["top_times"][k])) < 1e-3, (k, taken)
        assert row["task"].startswith("push the block")
    window = windows[10]
    assert window["action"].shape[0] == 3
    assert window["observation.images.top"].shape[0] == 2
    assert set(dataset.meta.stats["observation.state"]) >= {"min", "max", "mean", "std", "count", "q01", "q99"}
    loader = torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True)
    assert len(next(iter(loader))["index"]) == 8
    print(f"lerobot {lerobot.__version__}: {total} rows, worst picture {worst:.1f} dB")
    assert worst > 33, "pictures differ by more than the colour conversions of two programs"


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""An emulated MegaPose: the real worker script's protocol in a real process, poses from a given truth, no network.

EMULATED holds {"truth": {view folder: {label: [TWO or null per frame]}}, "fault": "kind@question", "pids": file}.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SCRIPT = Path(__file__).parent.parent.parent.parent / "assets" / "workers" / "megapose_worker.py"
NOISE_M, SEED = 0.0005, 3

spec = importlib.util.spec_from_file_location("megapose_worker", SCRIPT)
assert spec is not None
assert spec.loader is not None
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)

Rows = list[dict[str, Any]]


class Emulated:
    """Knows where everything is, as far as its boxes and its start say where to look."""

    def __init__(self, about: dict[str, Any], raw: int) -> None:
        self.truth, self.raw, self.deaf = about["truth"], raw, Path(about["pids"]).with_suffix(".deaf")
        self.fault, _, self.at = about.get("fault", "").partition("@")
        self.noise = np.random.default_rng(SEED)

    def versions(self) -> dict[str, Any]:
        self.trip("hello")
        if self.fault == "no GPU":
            raise worker.Refusal("device", "torch sees no CUDA device")
        return {"megapose": "emulated", "torch": "none", "device": "none"}

    def load(self, folder: Path) -> list[str]:
        self.trip("load")
        if self.fault == "no weights":
            raise worker.Refusal("weights", "checkpoint.pth.tar is missing")
        labels = sorted(place.name for place in (folder / "meshes").iterdir())
        for label in labels:
            lines = (folder / "meshes" / label / "mesh.obj").read_text().splitlines()
            points = np.array([line.split()[1:] for line in lines if line.startswith("v ")], float)
            if not 5 < np.ptp(points, axis=0).max() < 1000:
                raise worker.Refusal("failed", f"{label}: {np.ptp(points, axis=0)} are no millimetres")
        return labels

    def estimate(self, folder: Path, image: str) -> Rows:
        self.trip("estimate")
        rows = json.loads((folder / "inputs" / "object_data.json").read_text())
        K = np.array(json.loads((folder / "camera_data.json").read_text())["K"])
        return [self.found(folder, image, row["label"], self.in_box(folder, image, row, K)) for row in rows]

    def refine(self, folder: Path, image: str, objects: Rows, iterations: int) -> Rows:
        self.trip("refine")
        if self.fault == "bent poses":
            return [{**row, "TWO": [[9, 9, 9, 9], [0, 0, 1]], "score": 0.9} for row in objects]
        out = []
        for row in objects:
            true = self.two(folder, image, row["label"])
            near = true is not None and np.linalg.norm(np.subtract(true[1], row["TWO"][1])) < 0.1
            out.append(self.found(folder, image, row["label"], near) if near else {**row, "score": 0.1})
        return out

    def two(self, folder: Path, image: str, label: str) -> Any:
        return self.truth[folder.name][label][int(Path(image).stem)]

    def in_box(self, folder: Path, image: str, row: dict[str, Any], K: Any) -> bool:
        two = self.two(folder, image, row["label"])
        if two is None:
            return False
        u, v, w = K @ np.array(two[1])
        x0, y0, x1, y1 = row["bbox_modal"]
        return bool(x0 <= u / w <= x1 and y0 <= v / w <= y1)

    def found(self, folder: Path, image: str, label: str, there: bool) -> dict[str, Any]:
        print("a library says something on stdout", label)
        two = self.two(folder, image, label) if there else [[0, 0, 0, 1], [0, 0, 1]]
        position = np.array(two[1]) + self.noise.normal(0, NOISE_M, 3)
        return {"label": label, "TWO": [two[0], position.tolist()], "score": 0.95 if there else 0.05}

    def trip(self, question: str) -> None:
        if question != self.at:
            return
        if self.fault == "crash":
            print("a last word", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "silence":
            self.deaf.touch()
            time.sleep(600)
        if self.fault == "garbage":
            os.write(self.raw, b"Loading checkpoint shards: 100%\n")
        if self.fault == "an endless line":
            while True:
                os.write(self.raw, b"x" * 65536)


def main() -> None:
    about = json.loads(os.environ["EMULATED"])
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # a renderer of MegaPose's
    Path(about["pids"]).write_text(f"{os.getpid()} {child.pid}")
    if about.get("fault") == "other protocol":
        worker.PROTOCOL = 99
    worker.main(Emulated(about, os.dup(1)))


if __name__ == "__main__":
    main()

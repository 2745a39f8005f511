"""`make bench-track`: the tracker on real dreams (scored by their own eval.py) and on rendered clips."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from hardware.geometry import Array, rotation_angle
from hardware.types import Tool
from models.data.imports import read_dreamitate
from models.data.poses_file import write_poses
from models.tracking.stereo_tracker import ALARM_LEVEL, track
from models.types import Dream, Track

REAL = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "dreams"
CLIPS, SEED = 12, 5
FAR_MM, NEAR_MM = 10.0, 3.0


def real_dream(folder: Path, name: str) -> Dream:
    """Read one dream of the benchmark folder."""
    return read_dreamitate(
        folder / f"{name}.mp4",
        (folder / f"{name}_top.png", folder / f"{name}_side.png"),
        folder / "calib.json",
        {role: folder / f"tool_{role}.obj" for role in ("left", "right")},
        name=name,
    )


def real_figures(folder: Path = REAL) -> dict[str, object]:
    """Track every real dream without hints and score it, with and without the views' disagreement taken out."""
    out: dict[str, object] = {}
    seconds, cpu = [], []
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
        for name, options in (("plain", []), ("slack", ["--slack"])):
            scores = Path(scratch) / f"{name}.json"
            command = [sys.executable, str(folder / "eval.py"), str(predictions), "--json", str(scores), *options]
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            print(result.stdout, file=sys.stderr)
            out[name] = json.loads(scores.read_text())["ALL"]
    # the first dream pays for compiling where no cache is there yet
    out["seconds_per_dream"], out["slowest_s"] = float(np.median(seconds)), float(max(seconds))
    out["cpu_seconds_per_dream"] = float(np.median(cpu))
    return out


def errors(tool: Tool, T: Array, truth: Array) -> tuple[float, float]:
    """Return [mm] and [deg] between two poses (4, 4), whichever of the tool's symmetries is nearest."""
    turns = [np.eye(3), *tool.symmetry]
    angle = min(float(rotation_angle(T[:3, :3], truth[:3, :3] @ S)) for S in turns)
    return 1e3 * float(np.linalg.norm(T[:3, 3] - truth[:3, 3])), float(np.degrees(angle))


def compare(dream: Dream, found: Track, truth: dict[str, Array]) -> list[tuple[float, float, float, bool]]:
    """Return (mm, deg, confidence, lost) of every frame and tool that has a truth."""
    rows = []
    for name, poses in truth.items():
        one = found.tools[name]
        for t in np.flatnonzero(np.isfinite(poses).all(axis=(1, 2))):
            if t == 0:
                continue
            lost = not one.found[t]
            mm, deg = (np.nan, np.nan) if lost else errors(dream.tools[name], one.T_view1_tool[t], poses[t])
            rows.append((mm, deg, float(one.frame_confidence[t]), lost))
    return rows


def rendered_figures(textured: bool, count: int = CLIPS, seed: int = SEED) -> dict[str, object]:
    """Track rendered clips with exact truth and hold both pose and confidence against it."""
    # the renderer picks its OpenGL platform when it is first imported
    os.environ.setdefault("MUJOCO_GL", "egl")
    from tests.bench.rendered_clips import rendered_clips

    rows, seconds, drift = [], [], []
    for dream, truth, about in rendered_clips(count, seed, textured=textured):
        found = track(dream)
        seconds.append(found.seconds)
        rows += compare(dream, found, truth)
        true_drift = about["drift_px"]
        assert isinstance(true_drift, dict)
        for name, one in found.tools.items():
            drift += np.abs(one.stereo_disagreement_px - true_drift[name])[one.found].tolist()
    mm, deg, confidence, lost = (np.array(column) for column in zip(*rows, strict=True))
    far, near = mm > FAR_MM, mm < NEAR_MM
    alarm = confidence < ALARM_LEVEL
    return {
        "frames": len(mm),
        "lost": int(lost.sum()),
        "mm50": float(np.nanmedian(mm)),
        "mm90": float(np.nanpercentile(mm, 90)),
        "deg50": float(np.nanmedian(deg)),
        "deg90": float(np.nanpercentile(deg, 90)),
        "disagreement50": float(np.nanmedian(drift)),
        "over_10_mm": int(far.sum()),
        "over_10_mm_without_alarm": int((far & ~alarm).sum()),
        "under_3_mm": int(near.sum()),
        "under_3_mm_with_alarm_share": float((near & alarm).sum() / max(near.sum(), 1)),
        "seconds_per_clip": float(np.median(seconds)),
    }


def run() -> dict[str, object]:
    """Return the figures of all three tables; real dreams only where the data folder is."""
    out: dict[str, object] = {"real": real_figures()} if REAL.is_dir() else {}
    return out | {"textured": rendered_figures(True), "plain": rendered_figures(False)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    figures = run()
    text = json.dumps(figures, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text)


if __name__ == "__main__":
    main()

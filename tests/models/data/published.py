"""A small made-up dream in the published layout: smooth pictures, a box as the tool."""

import json
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image as Pictures

from hardware.geometry import exp_se3
from hardware.types import Image
from models.types import Dream, Hint, PoseSource, ToolTrack, Track

SIZE = (96, 56)
BOX = """v -0.05 -0.02 -0.01
v 0.05 -0.02 -0.01
v 0.05 0.02 -0.01
v -0.05 0.02 -0.01
v 0 0 0.02
f 1 3 2
f 1 4 3
f 1 2 5
f 2 3 5
f 3 4 5
f 4 1 5
"""


@dataclass(frozen=True)
class Published:
    """The files of one dream."""

    video: Path
    scenes: tuple[Path, Path]
    calibration: Path
    tools: dict[str, Path]


def picture(seed: float, size: tuple[int, int] = SIZE) -> Image:
    """A smooth picture that differs by seed; smooth, so that the lossy source video stays close to it."""
    x, y = np.meshgrid(np.linspace(0, 3, size[0]), np.linspace(0, 2, size[1]))
    waves = [np.sin(x + seed), np.cos(y * 2 - seed), np.sin(x * y + 2 * seed)]
    return np.asarray(127 + 120 * np.stack(waves, axis=-1)).clip(0, 255).astype(np.uint8)


def write_video(path: Path, frames: list[Image]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())


def calibration_values(size: tuple[int, int] = SIZE) -> dict[str, object]:
    K = [[70.0, 0.0, 47.5], [0.0, 70.0, 27.5], [0.0, 0.0, 1.0]]
    side = np.eye(4)
    side[:3, :3] = cv2.Rodrigues(np.array([-np.pi / 4, 0, 0]))[0]
    side[:3, 3] = [0, -0.609, 0.252]
    return {
        "views": [
            {"name": "top", "K": K, "size": list(size), "distortion": [], "T_view1_view": np.eye(4).tolist()},
            {"name": "side", "K": K, "size": list(size), "distortion": [], "T_view1_view": side.tolist()},
        ]
    }


def write_published(folder: Path, frames: int = 25, size: tuple[int, int] = SIZE) -> Published:
    """Write video, photos (wider than the model's aspect, and twice as large), calibration and meshes."""
    clip = [picture(0.1 * i, size) for i in range(13)] + [picture(5 + 0.1 * i, size) for i in range(1, 13)]
    clip = (clip * 3)[:frames]
    write_video(folder / "dream7.mp4", clip)
    scenes = (folder / "top.png", folder / "side.png")
    for path, seed in zip(scenes, (0.0, 5.0), strict=True):
        large = cv2.resize(picture(seed), (2 * SIZE[0], 2 * SIZE[1]))
        Pictures.fromarray(cv2.copyMakeBorder(large, 0, 0, 4, 4, cv2.BORDER_REPLICATE)).save(path)
    (folder / "calib.json").write_text(json.dumps(calibration_values()))
    for role in ("left", "right"):
        (folder / f"{role}.obj").write_text(BOX)
    meshes = {role: folder / f"{role}.obj" for role in ("left", "right")}
    return Published(folder / "dream7.mp4", scenes, folder / "calib.json", meshes)


def make_track(dream: Dream, seed: int = 0) -> Track:
    """A made-up track, lost at first and corrected at the end."""
    rng = np.random.default_rng(seed)
    n, tools = len(dream), {}
    for role in dream.tools:
        source = tuple[PoseSource, ...](["lost", "lost", *["tracked"] * (n - 3), "corrected"])
        poses = exp_se3(rng.normal(0, 0.5, (n, 6)))
        poses[:2] = np.nan
        slack = rng.normal(0, 3, n)
        slack[:2] = np.nan
        tools[role] = ToolTrack(role, poses, rng.uniform(0, 1, (n, 2)), slack, source)
    return Track(dream.name, tools, hints=(Hint("left", "top", 3, (1.5, 2, 30, 40)),), seconds=1.25)

"""What the pictures say before any tool is looked for: colours, change, skin, at several scales."""

from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, inverse
from hardware.types import Camera, Image
from models.types import Dream, View

Floats = NDArray[np.float32]

LEVELS = 5
"""Scales of the pyramid: level L is 2**-L of the picture."""

# Skin in OpenCV's 8-bit YCrCb, the range of Chai and Ngan (1999) as the Dreamitate authors use it.
SKIN_LOW, SKIN_HIGH = np.array([0, 133, 77], np.uint8), np.array([255, 173, 135], np.uint8)
# A change is told from compression noise at about 5% of the grey range, or 4 times the noise that is there.
LEAST_CHANGE = 0.05
NOISE_FACTOR = 4.0


@dataclass(frozen=True, eq=False)
class ViewPictures:
    """One view's frames, undistorted, as channels in 0..1: Y, blue-Y, red-Y and `change` against frame 0.

    pyramid[level] (T, H, W, 4) float32, from level 1 on; free[level] (T, H, W) float32, 1 where no skin hides
    what is behind it; frames (T, H, W, 3) uint8; K (3, 3); change_scale the colour distance that counts as change.
    """

    frames: Image
    K: Array
    T_view_view1: Array
    pyramid: tuple[Floats, ...]
    free: tuple[Floats, ...]
    change_scale: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) [px]"""
        return self.frames.shape[2], self.frames.shape[1]


def opponent(rgb: Floats | Image) -> Floats:
    """Return (..., 3) Y, blue-Y, red-Y in 0..1 and -0.5..0.5 of rgb (..., 3) in 0..255 (ITU-R BT.601)."""
    x = np.asarray(rgb, np.float32) / np.float32(255)
    y = x @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.stack([y, (x[..., 2] - y) * np.float32(0.564), (x[..., 0] - y) * np.float32(0.713)], axis=-1)


def undistort(frames: Image, camera: Camera) -> Image:
    """Return the frames (T, H, W, 3) as an ideal pinhole camera with the same K sees them."""
    if camera.distortion.size == 0 or not camera.distortion.any():
        return frames
    identity, none = np.eye(3), camera.distortion
    if camera.model == "fisheye":
        maps = cv2.fisheye.initUndistortRectifyMap(camera.K, none, identity, camera.K, camera.size, cv2.CV_32FC1)
    else:
        maps = cv2.initUndistortRectifyMap(camera.K, none, identity, camera.K, camera.size, cv2.CV_32FC1)
    return np.stack([cv2.remap(frame, *maps, cv2.INTER_LINEAR) for frame in frames])


def change(colour: Floats, scene: Floats, scale: float) -> Floats:
    """Return (...) 0..1: how surely colour (..., 3) differs from scene (..., 3); scale is where that is 63%."""
    difference = colour - scene
    return np.asarray(1.0 - np.exp(-np.einsum("...c,...c", difference, difference) / np.float32(scale**2)))


def skin_mask(frame: Image) -> NDArray[np.uint8]:
    """Return (H, W) 255 where rgb (H, W, 3) has the colour of skin, specks removed."""
    mask = cv2.inRange(cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb), SKIN_LOW, SKIN_HIGH)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def noise_of(frames: Image) -> float:
    """Return the colour noise [0..1] between frames and frame 0 where nothing moved (median, as a deviation)."""
    thin = frames[:, ::8, ::8].astype(np.float32)
    distance = np.linalg.norm(opponent(thin[1:]) - opponent(thin[:1]), axis=-1)
    # most of a scene stands still: its lower half is noise alone
    return float(np.median(distance)) if distance.size else 0.0


def look(view: View, use_skin: bool, pool: Executor) -> ViewPictures:
    """Return a view's pictures. use_skin: take away what has the colour of skin and was not there in frame 0."""
    frames = undistort(view.frames, view.camera)
    scale = max(LEAST_CHANGE, NOISE_FACTOR * noise_of(frames))
    scene = cv2.pyrDown(opponent(frames[0]))

    def one(t: int) -> tuple[Floats, Floats]:
        colour = cv2.pyrDown(opponent(frames[t]))
        changed = change(colour, scene, scale)
        free = np.ones_like(changed)
        if use_skin:
            skin = cv2.pyrDown(cv2.dilate(skin_mask(frames[t]), np.ones((3, 3), np.uint8)))
            skin = skin.astype(np.float32) / np.float32(255)
            free -= skin * np.where(changed > 0.5, 1, 0)
        return np.concatenate([colour, changed[..., None]], axis=-1), free

    both = list(pool.map(one, range(len(frames))))
    pyramid, free = [np.stack([b[0] for b in both])], [np.stack([b[1] for b in both])]
    for _ in range(2, LEVELS):
        pyramid.append(np.stack([cv2.pyrDown(picture) for picture in pyramid[-1]]))
        free.append(np.stack([cv2.pyrDown(picture) for picture in free[-1]]))
    empty = np.zeros((0, 0, 0, 4), np.float32)
    return ViewPictures(
        frames=frames,
        K=view.camera.K,
        T_view_view1=inverse(view.T_view1_view),
        pyramid=(empty, *pyramid),
        free=(empty[..., 0], *free),
        change_scale=scale,
    )


def crop(view: ViewPictures, t: int, level: int, rect: tuple[int, int, int, int]) -> tuple[Floats, Floats, Floats]:
    """Return frame t, the scene (both (h, w, 4)) and free (h, w) in rect (x0, y0, x1, y1) of a level."""
    x0, y0, x1, y1 = rect
    if level > 0:
        inside = (slice(y0, y1), slice(x0, x1))
        return view.pyramid[level][t][inside], view.pyramid[level][0][inside], view.free[level][t][inside]
    colour, scene = opponent(view.frames[t, y0:y1, x0:x1]), opponent(view.frames[0, y0:y1, x0:x1])
    half = (slice(y0 // 2, (y1 + 1) // 2 + 1), slice(x0 // 2, (x1 + 1) // 2 + 1))
    free = cv2.pyrUp(np.ascontiguousarray(view.free[1][t][half]))
    oy, ox = y0 - 2 * (y0 // 2), x0 - 2 * (x0 // 2)
    free = free[oy : oy + y1 - y0, ox : ox + x1 - x0]
    changed = change(cv2.GaussianBlur(colour, (0, 0), 1.0), cv2.GaussianBlur(scene, (0, 0), 1.0), view.change_scale)
    still = np.zeros_like(changed)
    return np.dstack([colour, changed]), np.dstack([scene, still]), free


def look_all(dream: Dream, use_skin: bool, pool: Executor) -> list[ViewPictures]:
    """Return the pictures of every view of a dream."""
    return [look(view, use_skin, pool) for view in dream.views]

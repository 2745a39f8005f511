"""A demo's pictures as a model sees them: cropped around the middle, resized by area, the camera with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Camera, Image, require
from models.data.clips import Fitting, GoalBlend
from models.data.demo import Demo
from models.data.frame_cache import FrameCache, Shard, frames_key
from models.data.photo import LARGEST_CROP

LARGEST_ZOOMED_CROP = 0.5  # of the width, for the aspect alone
# decoded before they are fitted. Blocks of over 32 MB glibc fetches from the system anew each time, and fresh pages
# cost more than the decoding
AT_ONCE_BYTES = 24 * 2**20


@runtime_checkable
class HasScene(Protocol):
    """A demo that holds a photo of the bare scene before it."""

    def scene(self, stream: str) -> Image | None:
        """Return the photo (H, W, 3) of a camera, None where there is none."""
        ...


@dataclass(frozen=True)
class Fit:
    """From a camera's pictures (width, height) [px] to a model's. box: (left, top, width, height) that is kept."""

    source: tuple[int, int]
    size: tuple[int, int]
    box: tuple[int, int, int, int]

    def picture(self, rgb: Image) -> Image:
        """Return one picture (h, w, 3), or mask (h, w), resized by area."""
        left, top, width, height = self.box
        if (width, height) == self.size:
            return rgb[top : top + height, left : left + width]
        smaller = width >= self.size[0] and height >= self.size[1]
        if rgb.ndim == 3 and smaller and (width % self.size[0] or height % self.size[1]):
            # numba takes half a second to load: only who makes pictures smaller pays for it
            from models.data.clips_area import resize_area

            return resize_area(rgb, self.box, self.size)
        cut = rgb[top : top + height, left : left + width]
        return np.asarray(cv2.resize(cut, self.size, interpolation=cv2.INTER_AREA))

    @property
    def shrink(self) -> Array:
        """(3, 3), from pixels of the source to pixels of the fitted pictures (their centres are at integers)."""
        left, top, width, height = self.box
        x, y = self.size[0] / width, self.size[1] / height
        return np.array([[x, 0.0, (0.5 - left) * x - 0.5], [0.0, y, (0.5 - top) * y - 0.5], [0.0, 0.0, 1.0]])

    def camera(self, camera: Camera) -> Camera:
        """Return the camera of the fitted pictures."""
        return replace(camera, K=np.asarray(self.shrink @ camera.K), size=self.size)

    def source_camera(self, fitted: Camera) -> Camera:
        """Return the camera of the pictures before they were fitted."""
        return replace(fitted, K=np.asarray(np.linalg.inv(self.shrink) @ fitted.K), size=self.source)


def fit_width(source: tuple[int, int], size: tuple[int, int], zoom: float = 1.0) -> Fit:
    """Crop the width alone (Dreamitate's released code: 1280x720 to 768x448), and with a zoom over 1 take so many
    times less of both sides, around the middle. Raises ValueError where the pictures are too small, too narrow, or
    so wide that the aspect alone would take over a quarter, as of a scene photo (with a zoom: over half)."""
    width, height = source
    kept = round(height * size[0] / size[1])
    least, most = kept - 1, kept / (1 - (LARGEST_CROP if zoom == 1 else LARGEST_ZOOMED_CROP))
    box = (round(min(kept, width) / zoom), round(height / zoom))
    fits = box[0] >= size[0] and box[1] >= size[1] and least <= width <= most
    smallest = f"{size[0] * zoom:.0f}x{size[1] * zoom:.0f}"
    valid = f"at least {smallest}, {kept} to {most:.0f} wide at this height"
    require(fits, f"pictures of {width}x{height}: valid for {size[0]}x{size[1]}: {valid}")
    return Fit(source, size, ((width - box[0]) // 2, (height - box[1]) // 2, *box))


def fit_middle(source: tuple[int, int], size: tuple[int, int], fitting: Fitting) -> Fit:
    """Crop whichever side is too long, or stretch."""
    width, height = source
    if fitting == "stretch":
        return Fit(source, size, (0, 0, width, height))
    kept_width = min(width, max(1, round(height * size[0] / size[1])))
    kept_height = min(height, max(1, round(width * size[1] / size[0])))
    return Fit(source, size, ((width - kept_width) // 2, (height - kept_height) // 2, kept_width, kept_height))


class FittedPictures:
    """Pictures of demos, fitted; kept in a cache where one is given. As safe in threads as the demos are."""

    def __init__(self, cache: FrameCache | None = None) -> None:
        self._cache = cache

    def get(self, demo: Demo, stream: str, fit: Fit, indices: Sequence[int]) -> NDArray[np.uint8]:
        """Return pictures by their place in the stream's times (N, h, w, 3). Raises as `Demo.pictures`."""
        out = np.empty((len(indices), fit.size[1], fit.size[0], 3), np.uint8)
        self.fill(demo, stream, fit, indices, out)
        return out

    def fill(self, demo: Demo, stream: str, fit: Fit, indices: Sequence[int], out: NDArray[np.uint8]) -> None:
        """The same into out (N, h, w, 3)."""
        wanted = np.asarray(indices, np.int64)
        if self._cache is None:
            self._decode(demo, stream, fit, wanted, np.arange(len(wanted)), out)
            return
        with self._shard(self._cache, demo, stream, fit) as shard:
            missing = np.array([i for i, k in enumerate(wanted) if not shard.read(int(k), out[i])], np.int64)
            if len(missing):
                self._decode(demo, stream, fit, wanted, missing, out)
                for i in missing:
                    shard.write(int(wanted[i]), out[i])

    def scene(self, demo: Demo, stream: str, fit: Fit) -> Image | None:
        """Return the photo of the bare scene before a demo (h, w, 3), None where nobody took one."""
        if self._cache is None:
            photo = scene_photo(demo, stream)
            return fit.picture(photo) if photo is not None else None
        out, slot = np.empty((fit.size[1], fit.size[0], 3), np.uint8), len(demo.times(stream))
        with self._shard(self._cache, demo, stream, fit) as shard:
            if not shard.read(slot, out):
                photo = scene_photo(demo, stream)
                if photo is None:
                    return None
                out[...] = fit.picture(photo)
                shard.write(slot, out)
        return out

    @staticmethod
    def _shard(cache: FrameCache, demo: Demo, stream: str, fit: Fit) -> Shard:
        # one place more than pictures: the scene's photo
        return cache.open(frames_key(demo, stream, repr(fit)), len(demo.times(stream)) + 1, fit.size)

    @staticmethod
    def _decode(
        demo: Demo, stream: str, fit: Fit, wanted: NDArray[np.int64], places: NDArray[np.int64],
        out: NDArray[np.uint8],
    ) -> None:  # fmt: skip
        # each picture once: a clip that is too short repeats its last one
        unique, inverse = np.unique(wanted[places], return_inverse=True)
        at_once = max(1, AT_ONCE_BYTES // (3 * fit.source[0] * fit.source[1]))
        for first in range(0, len(unique), at_once):
            pictures = demo.pictures(stream, unique[first : first + at_once].tolist())
            for k, rgb in enumerate(pictures, first):
                out[places[inverse == k]] = fit.picture(rgb)


def scene_photo(demo: Demo, stream: str) -> Image | None:
    """Return the photo of the bare scene before a demo, None where nobody took one."""
    return demo.scene(stream) if isinstance(demo, HasScene) else None


def blend(picture: Image, goal: Array, how: GoalBlend) -> Image:
    """Return a picture (h, w, 3) with the goal (h, w), 0..1, painted in."""
    share = (goal * how.opacity)[..., None]
    return np.asarray(np.rint(picture * (1 - share) + np.array(how.rgb) * share), np.uint8)


def model_range(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures (..., H, W, 3) as a model takes them (..., 3, H, W), -1 to 1."""
    return np.moveaxis(frames.astype(np.float32) / np.float32(127.5) - np.float32(1), -1, -3)

"""Pictures as H.264 and PNG want them, and how far two are apart."""

import cv2
import numpy as np

from hardware.types import Image
from models.data.demo import Demo, DemoStream
from models.data.errors import DreamFileError


def png(rgb: Image) -> bytes:
    return bytes(cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes())


def psnr_db(a: Image, b: Image) -> float:
    """Return the peak signal-to-noise ratio of two pictures; 100 where they are the same."""
    error = float(np.mean((a.astype(np.float32) - b) ** 2))
    return min(100.0, 10 * float(np.log10(255.0**2 / error))) if error else 100.0


def coded_size(demo: Demo, stream: DemoStream) -> tuple[int, int]:
    """Return the (width, height) that the pictures of a camera have in H.264. Raises DreamFileError: too small."""
    width, height = stream.size or (0, 0)
    if min(width, height) < 16:
        raise DreamFileError(demo.source["path"], stream.name, f"pictures of {width}x{height}", "16x16 or larger")
    return width + width % 2, height + height % 2


def even(rgb: Image) -> Image:
    """Return a picture with even sides, as H.264 wants them: the last column and row twice where they are odd."""
    below, right = rgb.shape[0] % 2, rgb.shape[1] % 2
    return rgb if not (below or right) else np.asarray(
        cv2.copyMakeBorder(rgb, 0, below, 0, right, cv2.BORDER_REPLICATE)
    )  # fmt: skip

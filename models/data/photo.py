"""Scene photos: strict reading, and the published way from a camera's photo to a model's input."""

import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pictures

from hardware.types import Image
from models.data.errors import DreamFileError

MAX_PIXELS = 50_000_000
LARGEST_CROP = 0.25


def read_photo(path: Path) -> Image:
    """Return a photo (H, W, 3). Raises DreamFileError where it is missing, damaged or no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pictures.DecompressionBombWarning)
            with Pictures.open(path, formats=("PNG", "JPEG")) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DreamFileError(path, "size", f"{picture.width}x{picture.height}", "at most 50 megapixels")
                return np.asarray(picture.convert("RGB"), np.uint8).copy()
    except DreamFileError:
        raise
    except FileNotFoundError as error:
        raise DreamFileError(path, "scene photo", "does not exist", "a PNG or JPEG file") from error
    except Exception as error:  # the readers of the formats raise whatever they trip over
        problem = f"cannot be read ({type(error).__name__}: {error})"
        raise DreamFileError(path, "scene photo", problem, "a complete PNG or JPEG file") from error


def write_photo(path: Path, rgb: Image) -> None:
    """Write a picture (H, W, 3) as PNG."""
    Pictures.fromarray(rgb).save(path, format="PNG", compress_level=1)


def model_input(photo: Image, size: tuple[int, int], file: Path) -> Image:
    """Return the photo as a model sees it: width cropped around the middle to the aspect, then area resized.

    size (width, height) [px]. The published way from 1280x720 to 768x448 (Dreamitate's released code). Raises
    DreamFileError naming `file` where the photo is smaller, narrower, or so wide that over a quarter would go.
    """
    (height, width), (w, h) = photo.shape[:2], size
    crop = round(height * w / h)
    valid = f"at least {w}x{h} and {w / h:.2f} to {w / h / (1 - LARGEST_CROP):.2f} times as wide as high"
    fits = width >= w and height >= h and crop <= width + 1 and crop >= width * (1 - LARGEST_CROP)
    if not fits:
        raise DreamFileError(file, "scene photo: size", f"{width}x{height}", valid)
    left = max(0, (width - crop) // 2)
    return np.asarray(cv2.resize(photo[:, left : left + crop], size, interpolation=cv2.INTER_AREA), np.uint8)

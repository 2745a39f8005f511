"""What can be said of a picture by itself, cheap enough to be done while recording."""

from dataclasses import dataclass

import cv2
import numpy as np

from hardware.stream import Picture

LONGEST_SIDE = 480  # larger pictures are thinned out first


@dataclass(frozen=True)
class Quality:
    """sharpness: how steep the edges are, about 1 where they are sharp, whatever is seen; brightness 0..1,
    mean; dark, bright: fractions of the pixels that are black or white for want of exposure."""

    sharpness: float
    brightness: float
    dark: float
    bright: float


def quality(picture: Picture) -> Quality:
    """Measure a picture of any format."""
    if picture.pixel_format == "nv12":
        grey = picture.pixels[: len(picture.pixels) * 2 // 3]
    else:
        grey = picture.pixels[:, :, 0 if picture.pixel_format == "yuyv422" else 1]
    # every n-th pixel, unsmoothed: smoothing would hide the very blur that is looked for
    step = max(1, -(-max(grey.shape) // LONGEST_SIDE))
    grey = np.ascontiguousarray(grey[::step, ::step])
    smooth = cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32)
    slope = sum(float((cv2.Sobel(smooth, cv2.CV_32F, *d, scale=0.125) ** 2).mean()) for d in ((1, 0), (0, 1)))
    # curvature against slope: how many edges there are falls out; 1 grey level keeps flat pictures from being noise
    sharpness = float((cv2.Laplacian(smooth, cv2.CV_32F) ** 2).mean()) / (slope + 1.0)
    return Quality(
        sharpness,
        float(grey.mean()) / 255.0,
        float((grey < 18).mean()),
        float((grey > 233).mean()),
    )

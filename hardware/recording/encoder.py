"""Pictures to H.264 and back: every coded picture stands for itself or for those before it, never for one to come.

Annex B with the parameter sets at every key frame, no B-frames, a key frame every 15 pictures: what
foxglove.CompressedVideo asks for, and what can be cut anywhere. YUV is BT.601 in limited range, tagged as such.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from hardware.stream import Picture, PixelFormat
from hardware.types import Image, require

GOP = 15
CRF = 20
MICROSECONDS = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Coded:
    """One coded picture. key: it needs none before it."""

    data: bytes
    key: bool


def picture_size(pixels: NDArray[np.uint8], pixel_format: PixelFormat) -> tuple[int, int]:
    """Return (width, height) of a picture as hardware.stream.Picture lays it out."""
    height, width = pixels.shape[:2]
    return (width, height * 2 // 3) if pixel_format == "nv12" else (width, height)


class Encoder:
    """Codes one stream's pictures, one in, one out."""

    def __init__(self, size: tuple[int, int], rate_hz: float, crf: int = CRF) -> None:
        """size (width, height), both even. Raises ValueError, RuntimeError where FFmpeg has no libx264."""
        require(min(size) >= 16 and not any(v % 2 for v in size), f"video: size {size}; valid: even, 16 and more")
        self.size = size
        self._count = 0
        self._rate = max(1, round(rate_hz))
        try:
            self._codec = av.CodecContext.create("libx264", "w")
        except av.FFmpegError as error:
            raise RuntimeError("this FFmpeg has no libx264; install PyAV's own wheel: pip install av") from error
        self._codec.width, self._codec.height = size
        self._codec.pix_fmt = "yuv420p"
        self._codec.time_base, self._codec.framerate = MICROSECONDS, Fraction(self._rate)
        self._codec.gop_size, self._codec.max_b_frames, self._codec.thread_count = GOP, 0, 1
        self._codec.colorspace, self._codec.color_range = Colorspace.ITU601, ColorRange.MPEG
        self._codec.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": str(crf), "bf": "0"}
        self._opened_as = ""

    def encode(self, picture: Picture) -> Coded:
        """Code a picture. Raises ValueError for another size than the stream's."""
        found = picture_size(picture.pixels, picture.pixel_format)
        require(found == self.size, f"{picture.stream}: a picture of {found[0]}x{found[1]}, not {self.size[0]}x"
                f"{self.size[1]}")  # fmt: skip
        frame = _yuv(picture, self._opened_as)
        if not self._opened_as:
            self._opened_as = self._codec.pix_fmt = frame.format.name
            self._codec.open()
        # the coder's own clock only has to rise; the true times stand in the log
        frame.pts, frame.time_base = self._count * 1_000_000 // self._rate, MICROSECONDS
        self._count += 1
        packets = self._codec.encode(frame)
        if len(packets) != 1:
            raise RuntimeError(f"{picture.stream}: the video coder held a picture back")
        return Coded(bytes(packets[0]), packets[0].is_keyframe)


def _yuv(picture: Picture, opened_as: str) -> av.VideoFrame:
    """Return a picture as 4:2:0 without a conversion that its format does not need."""
    pixels = np.ascontiguousarray(picture.pixels)
    if picture.pixel_format == "nv12":
        frame = av.VideoFrame.from_ndarray(pixels, format="nv12")
    elif picture.pixel_format == "yuyv422":
        frame = av.VideoFrame.from_ndarray(pixels, format="yuyv422").reformat(format="yuv420p")
    else:
        frame = av.VideoFrame.from_ndarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420), format="yuv420p")
    if opened_as and frame.format.name != opened_as:
        frame = frame.reformat(format=opened_as)
    return frame


class Decoder:
    """Decodes the pictures of one stream in order."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("h264", "r")
        self._codec.thread_count = 1
        self._codec.flags |= av.codec.context.Flags.low_delay

    def decode(self, data: bytes) -> Iterator[Image]:
        """Yield the pictures (H, W, 3) RGB in a coded one: one, or none where it is damaged. Raises ValueError."""
        for frame in self._frames(data):
            yield cv2.cvtColor(frame.to_ndarray(format="yuv420p"), cv2.COLOR_YUV2RGB_I420)

    def skip(self, data: bytes) -> None:
        """Take in a coded picture that only those after it need. Raises ValueError."""
        self._frames(data)

    def _frames(self, data: bytes) -> list[av.VideoFrame]:
        try:
            frames: list[av.VideoFrame] = self._codec.decode(av.Packet(data))
            return frames
        except av.FFmpegError as error:
            raise ValueError(f"a coded picture is damaged ({error})") from error


def to_rgb(picture: Picture) -> Image:
    """Return a picture as (H, W, 3) RGB."""
    if picture.pixel_format == "nv12":
        return np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_YUV2RGB_NV12))
    if picture.pixel_format == "yuyv422":
        return np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_YUV2RGB_YUYV))
    return picture.pixels

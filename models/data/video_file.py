"""Whole short clips from and to mp4 files: strict reading (no concealed damage) and lossless writing."""

import io
from pathlib import Path

import av
import numpy as np

from hardware.types import Image
from models.data.errors import DreamFileError

MAX_PIXELS = 4096 * 4096
MAX_FRAMES = 2000


def read_clip(path: Path) -> Image:
    """Return all pictures (T, H, W, 3) of an mp4.

    Raises DreamFileError where the file is missing, no mp4, cut short or damaged: the decoder is told to refuse
    damage instead of painting over it, since a half decoded dream would still be tracked.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DreamFileError(path, "video", f"cannot be read: {error.strerror}", "a readable mp4 file") from error
    try:
        return _decode(path, data)
    except DreamFileError:
        raise
    except Exception as error:  # a damaged container makes the library raise whatever it trips over
        problem = f"cannot be decoded: {str(error) or type(error).__name__}; it is damaged, cut short or no video"
        raise DreamFileError(path, "video", problem, "a complete mp4 file") from error


def _decode(path: Path, data: bytes) -> Image:
    frames: list[Image] = []
    # the bytes, not the path, and one container only: a playlist in disguise could open other files
    with av.open(io.BytesIO(data), format="mp4") as container:
        if not container.streams.video:
            raise DreamFileError(path, "video", "has no video stream", "an mp4 file with one video stream")
        stream = container.streams.video[0]
        width, height = stream.codec_context.width, stream.codec_context.height
        if not 0 < width * height <= MAX_PIXELS:
            raise DreamFileError(path, "size", f"{width}x{height}", f"at most {MAX_PIXELS} pixels a picture")
        stream.codec_context.options = {"err_detect": "explode"}
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            if (frame.width, frame.height) != (width, height) or frame.is_corrupt:
                raise DreamFileError(path, "video", f"picture {len(frames)} is damaged", "a complete mp4 file")
            if len(frames) == MAX_FRAMES:
                raise DreamFileError(path, "frame count", f"over {MAX_FRAMES}", f"at most {MAX_FRAMES}")
            frames.append(frame.to_ndarray(format="rgb24"))
    if not frames:
        raise DreamFileError(path, "frame count", "0", "at least one picture")
    return np.stack(frames)


def write_lossless(path: Path, frames: Image, fps: float) -> None:
    """Write pictures (T, H, W, 3) as H.264, RGB planes, quantiser 0: reading gives the same bytes back."""
    with av.open(str(path), "w", format="mp4") as container:
        # the picture rate is only for players; the clip's own fps is in dream.toml
        stream = container.add_stream("libx264rgb", rate=max(1, round(fps)))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "rgb24"
        stream.options = {"qp": "0", "preset": "veryfast"}
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())

"""Videos of others at random access, and H.264 pictures from and into mp4 files without touching a bit of them."""

import io
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from av.bitstream import BitStreamFilterContext
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Image
from models.data.errors import DreamFileError
from models.data.exchange import MAX_PIXELS

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "matroska", ".avi": "avi"}
MAX_PICTURES = 5_000_000
AHEAD = 32  # pictures that are decoded rather than jumped over
_UNSAID, _BT709, _FULL = 2, 1, 2
_BT601 = (2, 5, 6)


class VideoFile:
    """A video file. times (N,) [s]: of its pictures in the order they are shown; size (width, height).

    Nothing but this one file is ever opened: the container is told by its suffix, so that a playlist in disguise
    opens none. Safe to use from several threads.
    """

    def __init__(self, path: Path) -> None:
        """Read where every picture lies. Raises DreamFileError: missing, damaged, none of `CONTAINERS`."""
        self.path = path
        self._lock = threading.Lock()
        self._container: av.container.InputContainer | None = None
        self._decoding: Iterator[av.VideoFrame] | None = None
        self._at = -1
        try:
            self._open()
            self._index()
        except DreamFileError:
            self.close()
            raise
        except Exception as error:  # a damaged container makes the library raise whatever it trips over
            self.close()
            raise self._damaged(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._decoding = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def pictures(self, numbers: Sequence[int]) -> NDArray[np.uint8]:
        """Return pictures (N, H, W, 3) RGB by number. Raises DreamFileError where one is damaged, IndexError."""
        found = np.empty((len(numbers), self.size[1], self.size[0], 3), np.uint8)
        with self._lock:
            for row, number in enumerate(numbers):
                if not 0 <= number < len(self.times):
                    raise IndexError(f"{self.path}: picture {number}; valid: 0 to {len(self.times) - 1}")
                found[row] = found[row - 1] if row and numbers[row - 1] == number else self._picture(number)
        return found

    def coded(self, first: int, last: int) -> Iterator[tuple[bytes, bool]]:
        """Yield (Annex B, key) of pictures first..last-1; nothing unless `copyable` and the first is a key one."""
        if not self.copyable or first >= last or not self._keys[first]:
            return
        try:
            with self._opened() as container:
                stream = container.streams.video[0]
                to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
                container.seek(self._pts[first], stream=stream)
                number = self._numbers.get
                for packet in container.demux(stream):
                    if packet.pts is None or packet.size == 0:
                        continue
                    k = number(packet.pts, -1)
                    if k >= last:
                        break
                    for out in to_annex_b.filter(packet):
                        if k >= first:
                            yield bytes(out), self._keys[k]
        except (av.FFmpegError, ValueError) as error:
            raise self._damaged(str(error)) from error

    # the file

    def _open(self) -> None:
        self._container = self._opened()
        if not self._container.streams.video:
            raise DreamFileError(self.path, "video", "has no video stream", "a file with one video stream")
        # damage is to be told, not painted over
        self._container.streams.video[0].codec_context.options = {"err_detect": "explode"}

    def _opened(self) -> "av.container.InputContainer":
        form = CONTAINERS.get(self.path.suffix.lower())
        if form is None:
            raise DreamFileError(self.path, "video", f"is a {self.path.suffix or 'file without suffix'}",
                                 f"one of {sorted(CONTAINERS)}")  # fmt: skip
        try:
            return av.open(f"file:{self.path}", format=form)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._damaged(getattr(error, "strerror", None) or str(error)) from error

    def _index(self) -> None:
        container = self._container
        if container is None:
            raise self._damaged("it was closed")
        stream = container.streams.video[0]
        self.size = (stream.codec_context.width, stream.codec_context.height)
        if not 0 < self.size[0] * self.size[1] <= MAX_PIXELS:
            raise DreamFileError(
                self.path, "size", f"{self.size[0]}x{self.size[1]}", f"at most {MAX_PIXELS} pixels"
            )
        rows: list[tuple[int, bool]] = []
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                rows.append((packet.pts, packet.is_keyframe))
            if len(rows) > MAX_PICTURES:
                raise DreamFileError(self.path, "pictures", f"over {MAX_PICTURES}", f"at most {MAX_PICTURES}")
        if not rows:
            raise DreamFileError(self.path, "pictures", "0", "at least one")
        in_order = all(a[0] < b[0] for a, b in pairwise(rows))
        rows.sort()
        self._pts = [pts for pts, _ in rows]
        self._keys = [key for _, key in rows]
        self._numbers = {pts: k for k, pts in enumerate(self._pts)}
        if len(self._numbers) < len(rows):
            raise DreamFileError(self.path, "pictures", "two have the same time", "a time for each")
        self.times: Array = (np.array(self._pts) - self._pts[0]) * float(stream.time_base or 1)
        codec = stream.codec_context
        plain = codec.pix_fmt == "yuv420p" and codec.colorspace in _BT601 and codec.color_range != _FULL
        self.copyable = in_order and codec.name == "h264" and plain and not any(v % 2 for v in self.size)

    def _picture(self, number: int) -> Image:
        if self._decoding is None or not self._at < number <= self._at + AHEAD:
            self._jump(number)
        wanted = self._pts[number]
        try:
            for frame in self._decoding or ():
                self._at = self._numbers.get(frame.pts, self._at)
                if frame.pts == wanted:
                    if (frame.width, frame.height) != self.size or frame.is_corrupt:
                        break
                    return _rgb(frame)
                if frame.pts is not None and frame.pts > wanted:
                    break
        except (av.FFmpegError, ValueError) as error:
            self._decoding = None
            raise self._damaged(str(error)) from error
        self._decoding = None
        raise self._damaged(f"picture {number} cannot be decoded")

    def _jump(self, number: int) -> None:
        if self._container is None:
            self._open()
        container = self._container
        if container is None:
            raise self._damaged("it was closed")
        keys = [k for k in range(number, -1, -1) if self._keys[k]][:1] or [0]
        stream = container.streams.video[0]
        stream.codec_context.flush_buffers()
        container.seek(self._pts[keys[0]], stream=stream)
        self._decoding, self._at = iter(container.decode(stream)), keys[0] - 1

    def _damaged(self, problem: str) -> DreamFileError:
        text = f"cannot be read: {problem[:120]}; it is damaged, cut short or no video"
        return DreamFileError(self.path, "video", text, "a complete video file")


class VideoPiece:
    """Some pictures of a video file as the pictures of a demo."""

    def __init__(self, file: VideoFile, numbers: Sequence[int]) -> None:
        self._file, self._numbers = file, numbers

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        return self._file.pictures([self._numbers[k] for k in indices])

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        first, last = self._numbers[0], self._numbers[-1] + 1
        return self._file.coded(first, last) if last - first == len(self._numbers) else iter(())


class VideoWriter:
    """An mp4 file of H.264 pictures at a steady rate; what is put in is copied bit by bit."""

    def __init__(self, path: Path, fps: float, first: bytes) -> None:
        """first: a key picture (Annex B) with its parameter sets. Raises ValueError where it has none, OSError."""
        self.count = 0
        self._rate = 1 / Fraction(fps).limit_denominator(1001)
        try:
            with av.open(io.BytesIO(first), format="h264") as source:
                self._file = av.open(str(path), "w", format="mp4")
                self._stream = self._file.add_stream_from_template(source.streams.video[0], opaque=True)
                self._stream.time_base = self._rate
        except (av.FFmpegError, IndexError) as error:
            if isinstance(error, OSError):
                raise
            raise ValueError(f"{path}: the first picture is no key picture of H.264 ({error})") from error

    def add(self, data: bytes, key: bool) -> None:
        """Append a picture. Raises OSError."""
        packet = av.Packet(data)
        packet.stream, packet.time_base = self._stream, self._rate
        packet.pts = packet.dts = self.count
        packet.duration, packet.is_keyframe = 1, key
        self._file.mux_one(packet)
        self.count += 1

    def close(self) -> None:
        """Write the index. Raises OSError."""
        self._file.close()


def parameter_sets(data: bytes) -> bytes:
    """Return the parameter sets (SPS, PPS) that a coded picture brings, with start codes; b"" for none."""
    starts = []
    at = data.find(b"\x00\x00\x01")
    while at >= 0:
        starts.append(at)
        at = data.find(b"\x00\x00\x01", at + 3)
    ends = [*starts[1:], len(data)]
    units = [data[a:b].rstrip(b"\x00") for a, b in zip(starts, ends, strict=True) if a + 3 < len(data)]
    return b"".join(unit for unit in units if len(unit) > 3 and unit[3] & 0x1F in (7, 8))


def _rgb(frame: av.VideoFrame) -> Image:
    """As recordings are decoded (BT.601, limited range) unless the video says otherwise."""
    plain = frame.format.name == "yuv420p" and frame.colorspace in _BT601 and frame.color_range != _FULL
    if plain and not (frame.width % 2 or frame.height % 2):
        return np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2RGB_I420))
    if frame.colorspace == _BT709:
        frame = frame.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709")
    return np.asarray(frame.to_ndarray(format="rgb24"))

"""Pictures with everything drawn over them, kept while a clip loops: the next round is one blit a frame."""

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtGui import QPixmap

from hardware.types import Image
from widgets.views.types import HintBox, ToolOverlay

MOST_BYTES = 48_000_000  # a view; a clip of 13 frames at full screen fits

Key = tuple[object, ...]


def frame_key(rgb: Image, tools: Sequence[ToolOverlay], hints: Sequence[HintBox], place: Key) -> Key:
    """Return what a painted frame depends on: the picture's memory, the overlays themselves, the place."""
    return (rgb.ctypes.data, rgb.shape, rgb.strides, tuple(map(id, tools)), tuple(hints), place)


class PaintedFrames:
    """The frames painted last, as many as fit. What a key is made from is held, so that no other takes its place
    in memory."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[QPixmap, object]] = OrderedDict()
        self._bytes = 0

    def find(self, key: Key) -> QPixmap | None:
        """Return a painted frame, None where it has to be painted."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def keep(self, key: Key, pixmap: QPixmap, made_from: object) -> None:
        """Keep a painted frame; the ones longest unseen go."""
        self._kept[key] = pixmap, made_from
        self._bytes += _size(pixmap)
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            _, (gone, _) = self._kept.popitem(last=False)
            self._bytes -= _size(gone)

    def clear(self) -> None:
        """Forget all: another clip."""
        self._kept.clear()
        self._bytes = 0


def _size(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * 4

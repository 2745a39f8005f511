"""Coded pictures of a stream, and decoding the one that is asked for."""

from collections.abc import Callable
from dataclasses import dataclass

from hardware.recording.encoder import Decoder
from hardware.types import Image


@dataclass(frozen=True)
class Coded:
    """A coded picture with its true times, as it stands in the file."""

    index: int
    t_host: float
    t_device: float
    data: bytes


class Playing:
    """A camera while its pictures are asked for: where its decoder stands. coded_at: its k-th coded picture."""

    def __init__(self, count: int, coded_at: Callable[[int], Coded]) -> None:
        self.count, self._coded_at = count, coded_at
        self._decoder = Decoder()
        self._at = -1
        self._shown: Image | None = None

    def picture(self, at: int) -> Image | None:
        """Return a picture (H, W, 3): decoded from where the decoder stands, else from the key frame before it."""
        if at != self._at:
            steps = []
            for k in range(at, self._at if at > self._at else -1, -1):
                coded = self._coded_at(k)
                steps.append(coded.data)
                if k == 0 or is_key(coded.data):
                    self._decoder = Decoder()
                    break
            self._at = -1  # should one of them be damaged, the next call begins anew
            for data in reversed(steps[1:]):
                self._decoder.skip(data)
            self._shown = next(iter(self._decoder.decode(steps[0])), None)
            self._at = at
        return self._shown


def is_key(data: bytes) -> bool:
    """Say whether a coded picture (Annex B) stands for itself: it brings an IDR slice."""
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        if data[at + 3] & 0x1F == 5:
            return True
        if data[at + 3] & 0x1F == 1:
            return False
        at = data.find(b"\x00\x00\x01", at + 3)
    return False

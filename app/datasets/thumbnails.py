"""Small pictures of demos, made when a table asks for them: the newest wish first, only so many kept."""

import logging
import threading
from collections import OrderedDict

import cv2
import numpy as np

from hardware.recording.note import EpisodeFileError
from hardware.types import Image
from models.data.dataset_index import DemoCut, DemoRow
from models.data.errors import DreamFileError
from models.data.session_demo import Recording

SIZE = (96, 56)
KEPT, WAITING = 2000, 60  # pictures in memory; wishes: what was scrolled past is not made
log = logging.getLogger(__name__)


class Thumbnails:
    """`get` gives a picture, or None and asks for it; `version` says that more have come. Ends with `close`."""

    def __init__(self) -> None:
        self._made: OrderedDict[DemoCut, Image | None] = OrderedDict()
        self._wishes: OrderedDict[DemoCut, DemoRow] = OrderedDict()
        self._making: DemoCut | None = None
        self._changed = threading.Condition()
        self._ended = False
        self.version = 0
        self._thread = threading.Thread(target=self._run, name="thumbnails", daemon=True)
        self._thread.start()

    def get(self, row: DemoRow) -> Image | None:
        """Return the picture (H, W, 3) in the middle of a demo, at most SIZE; None while there is none."""
        key = row.cut
        with self._changed:
            if key in self._made or key == self._making:
                return self._made.get(key)
            self._wishes[key] = row
            self._wishes.move_to_end(key)
            while len(self._wishes) > WAITING:
                self._wishes.popitem(last=False)
            self._changed.notify()
        return None

    def close(self) -> None:
        """End the thread. Safe to call twice."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or bool(self._wishes))
                if self._ended:
                    return
                key, row = self._wishes.popitem()
                self._making = key
            picture = thumbnail(row)
            with self._changed:
                self._made[key], self._making = picture, None
                while len(self._made) > KEPT:
                    self._made.popitem(last=False)
                self.version += 1


def thumbnail(row: DemoRow) -> Image | None:
    """Return the picture in the middle of a demo, of its first camera, None where it cannot be read."""
    try:
        with Recording(row.folder).open() as reader:
            if not reader.cameras:
                return None
            view = reader.cameras[0]
            middle = reader.span[0] + row.start + row.duration_s / 2
            frame = reader.frame_at(view, middle) or reader.frame(view, 0)
    except (EpisodeFileError, DreamFileError, IndexError, OSError) as error:
        log.info("no thumbnail: %s", error)
        return None
    height, width = frame.rgb.shape[:2]
    scale = min(SIZE[0] / width, SIZE[1] / height)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(frame.rgb, small, interpolation=cv2.INTER_AREA))

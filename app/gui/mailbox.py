"""How other threads reach the window: they leave a note, the window's own timer reads it."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot

log = logging.getLogger(__name__)
PERIOD_MS = 15


class Mailbox(QObject):
    """Notes from any thread, run in the window's thread within about 15 ms.

    A note with a key replaces an unread one of that key: a slow window sees the newest state, not a queue.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._notes: deque[tuple[str, Callable[[], None]]] = deque()
        self._newest: dict[str, Callable[[], None]] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(self.read)
        self._timer.start()

    def post(self, note: Callable[[], None], key: str = "") -> None:
        """Have note() called in the window's thread. Thread-safe."""
        with self._lock:
            if key:
                if key not in self._newest:
                    self._notes.append((key, note))
                self._newest[key] = note
            else:
                self._notes.append(("", note))

    @Slot()
    def read(self) -> None:
        """Run what has been left. One note that fails does not keep back the others."""
        with self._lock:
            notes, self._notes = self._notes, deque()
            newest, self._newest = self._newest, {}
        for key, note in notes:
            try:
                newest.get(key, note)()
            except Exception:
                log.exception("a note to the window failed")

    def close(self) -> None:
        """Read the last notes and stop the timer."""
        self._timer.stop()
        self.read()

"""Notices cameras that were moved since they were calibrated, from pictures of the bare scene before a take, and
now and then while the cameras are on."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from app.calibration.store import CalibrationStore
from hardware.calibration.scene_check import SceneCheck, check_scene
from hardware.recording.note import Verdict
from hardware.rig import Rig
from hardware.types import Frame, Image

EVERY_S = 15.0


class CameraWatch:
    """Used from any thread. Keeps what it said of each camera last: a plan of a dream must not run while one stands
    otherwise than it was calibrated."""

    def __init__(self, rig: Rig, store: CalibrationStore) -> None:
        self._cameras = {config.camera.name: config.camera for config in rig.cameras if not config.mounted_on}
        self._store = store
        self._said: dict[str, SceneCheck] = {}

    def look(self, pictures: Mapping[str, Image]) -> tuple[Verdict, ...]:
        """Compare pictures (H, W, 3) by camera with those of their calibrations; say which cameras were moved. What
        was never calibrated, or at another size, says nothing; one that was moved stays so until it is seen to
        stand again."""
        for name, picture in pictures.items():
            before = self._store.scene(name)
            if before is None or name not in self._cameras or before.shape != picture.shape:
                self._said.pop(name, None)
                continue
            check = check_scene(self._cameras[name], before, picture)
            if check.state != "unsure" or name not in self._said:
                self._said[name] = check
        return tuple(
            Verdict("camera moved", "bad", check.words, name)
            for name, check in self._said.items()
            if check.state == "moved"
        )

    def reasons(self) -> tuple[str, ...]:
        """Why nothing that was dreamt through these cameras may run, in sentences; empty while they stand."""
        return tuple(check.words for check in self._said.values() if check.state == "moved")


class LiveWatch:
    """Looks at the cameras that are on, now and then, in a thread of its own. Owned by one thread, which calls
    `pump` about every 30 ms."""

    def __init__(
        self,
        watch: CameraWatch,
        cameras: Callable[[], Sequence[str]],
        grab: Callable[[str], Frame | None],
        every_s: float = EVERY_S,
    ) -> None:
        """cameras(): those to look at now, none while a take is recorded; grab(name): the newest picture at full
        size, may wait."""
        self._watch, self._cameras, self._grab, self._every_s = watch, cameras, grab, every_s
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="camera watch")
        self._looking: Future[tuple[Verdict, ...]] | None = None
        self._looked = -float("inf")
        self._told: frozenset[str] = frozenset()

    def pump(self) -> tuple[str, ...]:
        """Go on; return what is new to say, in sentences. Never blocks."""
        news: tuple[str, ...] = ()
        if self._looking is not None and self._looking.done():
            done, self._looking = self._looking, None
            found = done.result()
            news = tuple(verdict.text for verdict in found if verdict.stream not in self._told)
            self._told = frozenset(verdict.stream for verdict in found)
        if self._looking is None and time.monotonic() - self._looked >= self._every_s:
            self._looked = time.monotonic()
            names = tuple(self._cameras())
            if names:
                self._looking = self._pool.submit(self._look, names)
        return news

    def close(self) -> None:
        """Safe to call twice."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _look(self, names: Sequence[str]) -> tuple[Verdict, ...]:
        pictures = {}
        for name in names:
            try:
                frame = self._grab(name)
            except (OSError, RuntimeError):
                continue  # what is wrong with a camera is said where the cameras are shown
            if frame is not None:
                pictures[name] = frame.rgb
        return self._watch.look(pictures)

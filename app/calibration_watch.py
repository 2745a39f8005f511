"""Notices cameras that were moved since they were calibrated, from pictures of the bare scene."""

from collections.abc import Mapping

from app.calibration_store import CalibrationStore
from hardware.calibration.scene_check import SceneCheck, check_scene
from hardware.recording.note import Verdict
from hardware.rig import Rig
from hardware.types import Image


class CameraWatch:
    """Used from any thread. Keeps what it said of each camera last: a plan of a dream must not run while one stands
    otherwise than it was calibrated."""

    def __init__(self, rig: Rig, store: CalibrationStore) -> None:
        self._cameras = {config.camera.name: config.camera for config in rig.cameras}
        self._store = store
        self._said: dict[str, SceneCheck] = {}

    def look(self, pictures: Mapping[str, Image]) -> tuple[Verdict, ...]:
        """Compare pictures (H, W, 3) by camera with those of their calibrations; say which cameras were moved. What
        was never calibrated, or at another size, or shows too little, says nothing."""
        for name, picture in pictures.items():
            before = self._store.scene(name)
            if before is None or name not in self._cameras or before.shape != picture.shape:
                self._said.pop(name, None)
                continue
            self._said[name] = check_scene(self._cameras[name], before, picture)
        return tuple(
            Verdict("camera moved", "bad", check.words, name)
            for name, check in self._said.items()
            if check.state == "moved"
        )

    def reasons(self) -> tuple[str, ...]:
        """Why nothing that was dreamt through these cameras may run, in sentences; empty while they stand."""
        return tuple(check.words for check in self._said.values() if check.state == "moved")

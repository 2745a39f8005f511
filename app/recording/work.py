"""The slow half of recording: what touches the devices and the disk, in one thread, without a state of its own."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from app.recording.checks import episode_facts, verdicts
from app.recording.scene_checks import scene_faults
from hardware.recording.capture import CaptureSource
from hardware.recording.mcap_log import MCAP, EpisodeReader, open_episode
from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, Verdict, read_note
from hardware.recording.recorder import flaw_counts
from hardware.recording.session import Session
from hardware.robots.arm_streams import ArmStreams
from hardware.types import Image

SCENE_APART_S = 0.3
Moved = Callable[[Mapping[str, Image]], tuple[Verdict, ...]]


@dataclass(frozen=True, eq=False)
class Scene:
    """The bare scene before a take. pictures: camera -> (H, W, 3); faults: what is in it that should not be; files:
    name -> PNG, made already, so that a start does not wait for it."""

    pictures: Mapping[str, Image]
    faults: tuple[Verdict, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Take:
    """The take that is looked at. checked: its verdicts are there, in the note; problem: why it ended early."""

    folder: Path
    note: EpisodeNote
    checked: bool = False
    problem: str = ""


@dataclass(frozen=True, eq=False)
class CheckedTake:
    """A take with its verdicts, and its file open for the replay."""

    take: Take
    reader: EpisodeReader


class TakeFiles:
    """Every method may take a while, and raises OSError, RuntimeError, TimeoutError or EpisodeFileError."""

    def __init__(
        self, capture: CaptureSource, session: Session, arms: Callable[[], ArmStreams | None], moved: Moved
    ) -> None:
        """arms(): looks at the arms that are connected from now on, None where there are none; moved(pictures):
        which cameras stand otherwise than they were calibrated."""
        self._capture, self._session, self._arms, self._moved = capture, session, arms, moved
        self._followed: ArmStreams | None = None
        self._found: dict[str, tuple[Verdict, ...]] = {}  # of takes that are not kept yet, by id
        self._taken: Mapping[str, Image] = {}  # the bare scene of the newest take
        self._bare: Mapping[str, Image] | None = None  # of the newest kept one, None: not looked for yet

    def look_at_scene(self) -> Scene:
        """Take the bare scene's pictures, and look for what should not be in them."""
        streams = self._capture.streams
        cameras = [name for name, info in streams.items() if info.kind == "camera"]
        first = {name: frame.rgb for name in cameras if (frame := self._capture.snapshot(name))}
        time.sleep(SCENE_APART_S)
        second = {name: frame.rgb for name in cameras if (frame := self._capture.snapshot(name))}
        files = {f"scene_{name}.png": _png(rgb) for name, rgb in second.items()}
        # every simulated table has a light of its own, and no arm that is not known
        before = {name: rgb for name, rgb in self._last_bare().items() if not streams[name].free_running}
        placed = {name: rgb for name, rgb in second.items() if not streams[name].free_running}
        faults = scene_faults(first, second, before, self._arms_in_view())
        return Scene(second, (*faults, *self._moved(placed)), files)

    def _arms_in_view(self) -> dict[str, dict[str, float]]:
        """Camera -> arm -> fraction of the picture that it covers, of connected arms and placed cameras."""
        followed = self._arms()
        if followed is None:
            return {}
        try:
            cameras = {name: info.camera for name, info in self._capture.streams.items()}
            return {name: followed.covered(camera) for name, camera in cameras.items() if camera is not None}
        finally:
            followed.close()

    def _last_bare(self) -> Mapping[str, Image]:
        """Camera -> picture of the bare scene before the newest kept take, also of an earlier program."""
        if self._bare is None:
            kept = [e.folder for e in self._session.kept() if e.note is not None and not _passed_scene(e.note)]
            self._bare = _scene_of(kept[-1], tuple(self._capture.streams)) if kept else {}
        return {name: rgb for name, rgb in self._bare.items() if name in self._capture.streams}

    def start(self, note: EpisodeNote, scene: Scene | None) -> Take:
        files = scene.files if scene else {}
        self._taken = scene.pictures if scene and not scene.faults else {}
        note = replace(note, scene=tuple(files))
        folder, note = self._session.begin(note)
        try:
            for name, png in files.items():
                self._session.write_scene(folder, name, png)
            self._followed = self._arms()
            arms = self._followed.streams if self._followed else {}
            self._capture.start(folder / MCAP, {"episode": note.id, "task": note.task}, arms)
        except BaseException:
            self.leave_arms()
            with contextlib.suppress(OSError):
                self._session.discard(folder)
            raise
        return Take(folder, replace(note, streams=(*note.streams, *arms)))

    def stop(self, take: Take) -> Take:
        """End the recording; where the capture process died, save what it had brought to the disk."""
        try:
            ended = self._capture.stop()
        except RuntimeError as error:
            return replace(self.recover(take.folder), problem=str(error))
        finally:
            self.leave_arms()
        if not ended.finished:
            return replace(self.recover(take.folder), problem=ended.problem)
        note = replace(
            take.note,
            state="recorded",
            duration_s=round(ended.span[1] - ended.span[0], 6),
            samples=dict(ended.samples),
            flaws=flaw_counts(ended.flaws),
            mcap_sha256=ended.sha256,
            mcap_bytes=ended.bytes,
        )
        self._session.write_note(take.folder, note)
        return Take(take.folder, note)

    def leave_arms(self) -> None:
        """Look at them no more. Safe to call twice."""
        followed, self._followed = self._followed, None
        if followed is not None:
            followed.close()

    def recover(self, folder: Path) -> Take:
        note, _ = self._session.recover(folder)
        return Take(folder, note)

    def check(self, take: Take) -> CheckedTake:
        reader = open_episode(take.folder)
        try:
            found = verdicts(episode_facts(reader))
        except BaseException:
            reader.close()
            raise
        self._found[take.note.id] = found
        return CheckedTake(replace(take, note=replace(take.note, verdicts=found), checked=True), reader)

    def keep(self, take: Take) -> EpisodeNote:
        """Save it, with what the checks said in the meantime."""
        note = replace(take.note, state="kept", verdicts=self._found.pop(take.note.id, take.note.verdicts))
        self._session.keep(take.folder, note)
        self._bare = self._taken or self._bare
        return note

    def add_verdicts(self, note: EpisodeNote, more: tuple[Verdict, ...]) -> EpisodeNote | None:
        """Write down what a slower check says of an episode; return its note now, None where it was discarded."""
        if note.id in self._found:
            self._found[note.id] += more
            return replace(note, verdicts=self._found[note.id])
        folder = self._session.episodes_folder / f"{note.number:06d}"
        try:
            kept = read_note(folder / NOTE)
        except EpisodeFileError:
            return None
        if kept.id != note.id:
            return None
        kept = replace(kept, verdicts=(*kept.verdicts, *more))
        self._session.write_note(folder, kept)
        return kept

    def discard(self, folder: Path) -> Path:
        return self._session.discard(folder)

    def restore(self, folder: Path) -> Take:
        """Bring it back from the trash."""
        at = self._session.restore(folder)
        entry = next(e for e in (*self._session.kept(), *self._session.unfinished()) if e.folder == at)
        if entry.note is None:
            raise EpisodeFileError(entry.problem)
        return Take(at, entry.note)


def _passed_scene(note: EpisodeNote) -> bool:
    """Whether a person recorded it although something stood in the bare scene."""
    return any(passed.gate == "scene" for passed in note.overrides)


def _scene_of(folder: Path, cameras: tuple[str, ...]) -> dict[str, Image]:
    """Read the pictures of an episode's bare scene; those that cannot be read are left out."""
    read = {name: cv2.imread(str(folder / f"scene_{name}.png")) for name in cameras}
    found = {name: bgr for name, bgr in read.items() if bgr is not None}
    return {name: np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8) for name, bgr in found.items()}


def _png(rgb: Image) -> bytes:
    return bytes(cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1])

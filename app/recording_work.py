"""The slow half of recording: what touches the devices and the disk, in one thread, without a state of its own."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2

from app.recording_checks import episode_facts, scene_faults, verdicts
from hardware.recording.capture import CaptureSource
from hardware.recording.mcap_log import MCAP, EpisodeReader, open_episode
from hardware.recording.note import EpisodeFileError, EpisodeNote, Verdict
from hardware.recording.recorder import flaw_counts
from hardware.recording.session import Session
from hardware.robots.arm_streams import ArmStreams
from hardware.types import Image

SCENE_APART_S = 0.3


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

    def __init__(self, capture: CaptureSource, session: Session, arms: Callable[[], ArmStreams | None]) -> None:
        """arms(): looks at the arms that are connected from now on, None where there are none."""
        self._capture, self._session, self._arms = capture, session, arms
        self._followed: ArmStreams | None = None
        self._found: dict[Path, tuple[Verdict, ...]] = {}

    def look_at_scene(self) -> Scene:
        cameras = [name for name, info in self._capture.streams.items() if info.kind == "camera"]
        first = {name: frame.rgb for name in cameras if (frame := self._capture.snapshot(name))}
        time.sleep(SCENE_APART_S)
        second = {name: frame.rgb for name in cameras if (frame := self._capture.snapshot(name))}
        files = {f"scene_{name}.png": _png(rgb) for name, rgb in second.items()}
        return Scene(second, scene_faults(first, second), files)

    def start(self, note: EpisodeNote, scene: Scene | None) -> Take:
        files = scene.files if scene else {}
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
        self._found[take.folder] = found
        return CheckedTake(replace(take, note=replace(take.note, verdicts=found), checked=True), reader)

    def keep(self, take: Take) -> EpisodeNote:
        """Save it, with what the checks said in the meantime."""
        note = replace(take.note, state="kept", verdicts=self._found.pop(take.folder, take.note.verdicts))
        self._session.keep(take.folder, note)
        return note

    def discard(self, folder: Path) -> Path:
        return self._session.discard(folder)

    def restore(self, folder: Path) -> Take:
        """Bring it back from the trash."""
        at = self._session.restore(folder)
        entry = next(e for e in (*self._session.kept(), *self._session.unfinished()) if e.folder == at)
        if entry.note is None:
            raise EpisodeFileError(entry.problem)
        return Take(at, entry.note)


def _png(rgb: Image) -> bytes:
    return bytes(cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1])

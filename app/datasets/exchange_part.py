"""Where an export or import grows: a folder beside its target that is renamed at the end, and nothing before."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hardware.recording.files import Files
from models.data.demo import Demo

PLAN = ".plan.json"
MARGIN = 200 * 2**20
JPEG_XL_SHARE, H264_SHARE = 1 / 3, 1 / 6  # of the raw pictures, at most
TWICE = 2.2  # worked out and put together lie on the disk beside each other


class ExchangeRefused(ValueError):
    """The target cannot be used. The message says why and what to do."""


class Part:
    """A folder that is being filled by one program."""

    def __init__(self, folder: Path, plan: Mapping[str, object]) -> None:
        """plan: what it will hold; a folder that a killed program left with the same plan is gone on with, another
        one is begun anew. Raises ExchangeRefused, OSError."""
        self.folder = folder
        self._text = _text_of(plan)
        self.resumed = False
        if folder.exists() and not (folder / PLAN).is_file():
            raise ExchangeRefused(f"{folder}: it is in the way; remove it, or choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(folder / PLAN, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise ExchangeRefused(
                f"{folder}: another program fills it; wait for it, or choose another folder"
            ) from error
        self.resumed = (folder / PLAN).read_text(encoding="utf-8") == self._text
        if not self.resumed:
            for left in folder.iterdir():
                if left.name != PLAN:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, self._text.encode(), 0)

    def keep(self, target: Path) -> None:
        """Bring everything to the disk and put it in its place in one step. Raises OSError."""
        files = Files()
        for place, _, names in os.walk(self.folder):
            for name in names:
                _sync(Path(place) / name)
            files.sync_folder(Path(place))
        if target.is_dir():
            target.rmdir()  # an empty one, as was checked
        files.rename(self.folder, target)
        (target / PLAN).unlink()  # after it: what a crash leaves in between is whole, or is known as a part
        os.close(self._handle)

    def leave(self) -> None:
        """Let go of it; a later call goes on with it."""
        os.close(self._handle)

    def drop(self) -> None:
        """Take it away."""
        os.close(self._handle)
        shutil.rmtree(self.folder, ignore_errors=True)


def part_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.part")


def check_target(out: Path) -> None:
    """Raise ExchangeRefused where an export cannot be put."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists():
        raise ExchangeRefused(f"{out}: there is something already; valid: a folder that is not there yet")
    if not out.absolute().parent.is_dir():
        raise ExchangeRefused(f"{out}: the folder above it is not there; valid: a folder in one that is")


@dataclass(frozen=True)
class Room:
    """What something may need at most, and what is free [bytes] in a place."""

    place: Path
    needed: int
    free: int

    @property
    def refusal(self) -> str:
        """Why it cannot be written there, "" where it can."""
        if self.free >= self.needed:
            return ""
        return (
            f"{self.place}: it may need {self.needed / 1e9:.1f} GB, {self.free / 1e9:.1f} GB are free; make room, "
            "or choose another disk"
        )


def room_for(out: Path, demos: Sequence[Demo], form: str = "session") -> Room:
    """Return the room that an export in a format takes, or an import ("session")."""
    share = JPEG_XL_SHARE if form == "umi" else copied_share(demos)
    coded = _source_bytes(demos) if share is None else int(sum(_raw_bytes(demo) for demo in demos) * share)
    place = next(p for p in (out, *out.absolute().parents) if p.is_dir())
    return Room(place, int(coded * TWICE) + MARGIN, shutil.disk_usage(place).free)


def check_room(out: Path, demos: Sequence[Demo], form: str = "session") -> None:
    """Raise ExchangeRefused where the disk has no room."""
    if refusal := room_for(out, demos, form).refusal:
        raise ExchangeRefused(refusal)


def half_done(part: Path, plan: Mapping[str, object]) -> bool:
    """Return whether a killed program left a part with this plan."""
    try:
        return (part / PLAN).read_text(encoding="utf-8") == _text_of(plan)
    except OSError:
        return False


def throw_away(part: Path) -> None:
    """Remove what a killed program left. Raises ExchangeRefused for what is no part, or is being filled."""
    if not part.exists():
        return
    if not (part / PLAN).is_file():
        raise ExchangeRefused(f"{part}: it was not made by an export or import; remove it by hand")
    handle = os.open(part / PLAN, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(part)
    except BlockingIOError as error:
        raise ExchangeRefused(f"{part}: another program fills it; wait for it") from error
    finally:
        os.close(handle)


def plan_of(what: str, demos: Sequence[Demo], **options: object) -> Mapping[str, object]:
    """Return what tells one export or import from another."""
    rows = [
        [demo.id, dict(demo.source), asdict(demo.labels), demo.duration_s, sorted(demo.streams)] for demo in demos
    ]
    told = hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()
    return {"format": 1, "what": what, "options": options, "demos": len(demos), "sha256": told}


def copied_share(demos: Sequence[Demo]) -> float | None:
    """Return what `check_room` takes for H.264: None where pictures are copied."""
    first = demos[0]
    cameras = [s.name for s in first.streams.values() if s.kind == "camera"]
    return None if all(next(iter(first.coded(name)), None) is not None for name in cameras) else H264_SHARE


def _text_of(plan: Mapping[str, object]) -> str:
    return json.dumps(plan, sort_keys=True, default=str)


def _raw_bytes(demo: Demo) -> int:
    cameras = (s for s in demo.streams.values() if s.kind == "camera" and s.size is not None)
    return sum(int(s.size[0] * s.size[1] * 3 * (s.rate_hz * demo.duration_s + 1)) for s in cameras if s.size)


def _source_bytes(demos: Sequence[Demo]) -> int:
    paths = {Path(demo.source["path"]) for demo in demos}
    return sum(_size(path) for path in paths)


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Calibrations as they are kept: one dated TOML file each, never changed, compared with the one before.

WORKSPACE/calibration/RIG/DATE-KIND-SUBJECT.toml. The newest of a kind counts, unless the rig.toml names another one
(`calibration = "DATE-KIND-SUBJECT"` of a camera) or none (`calibration = "none"`).
"""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np

from hardware.calibration.intrinsics import lens_change
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array
from hardware.types import Camera, Image, require
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.text_files import read_table, to_toml

Kind = Literal["intrinsics", "extrinsics", "hand_eye", "table", "tracker", "opening", "force"]
KINDS: tuple[str, ...] = get_args(Kind)
VERDICTS = ("good", "usable", "again", "imported")
MODELS = ("pinhole", "fisheye")
_ID = re.compile(r"\d{8}T\d{6}Z-[\w-]+$")


@dataclass(frozen=True, eq=False)
class Calibration:
    """One result as it is kept.

    subject: what it is of, such as a camera's name; made: when, UTC; cameras: lenses; poses: transforms (4, 4) by
    their name, such as "T_view1_right" or "T_flange_gripper"; numbers: anything else, units in the name; sigma: one
    standard deviation, likewise; id: its file's name without the end, "" before it is kept.
    """

    kind: Kind
    rig: str
    subject: str
    made: datetime.datetime
    verdict: str
    words: str
    cameras: tuple[Camera, ...] = ()
    poses: Mapping[str, Array] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    sigma: Mapping[str, float] = field(default_factory=dict)
    rms_px: float = 0.0
    board: str = ""
    id: str = ""

    def __post_init__(self) -> None:
        require(self.kind in KINDS, f"calibration: kind {self.kind!r}; valid: {', '.join(KINDS)}")
        require(self.verdict in VERDICTS, f"calibration: verdict {self.verdict!r}; valid: {', '.join(VERDICTS)}")
        require(self.made.tzinfo is not None, "calibration: made has no time zone; valid: UTC")

    @property
    def date(self) -> str:
        return self.made.date().isoformat()


@dataclass(frozen=True)
class Moved:
    """What changed from one calibration to another: by how much, [m], [rad] or [px], and in words."""

    what: str
    metres: float
    radians: float
    pixels: float
    words: str


class CalibrationStore:
    """The calibrations of one rig in one workspace. Read anew at every call: a person may have put a file there."""

    def __init__(self, workspace: Path, rig: str) -> None:
        self.rig, self.workspace = rig, workspace
        self.folder = workspace / "calibration" / _plain(rig)

    def save(self, calibration: Calibration) -> Calibration:
        """Keep it, whole or not at all; return it with its id. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        subject = _plain(calibration.subject)
        made = calibration.made.astimezone(datetime.UTC).replace(microsecond=0)
        while (self.folder / f"{_stem(made, calibration.kind, subject)}.toml").exists():
            made += datetime.timedelta(seconds=1)
        id = _stem(made, calibration.kind, subject)
        kept = replace(calibration, made=made, id=id)
        write_whole(self.folder / f"{id}.toml", to_toml(_table(kept)))
        return kept

    def read(self, id: str) -> Calibration:
        """Return one by its id. Raises DreamFileError naming file and field."""
        path = self.folder / f"{id}.toml"
        if not _ID.match(id):
            raise DreamFileError(path, "id", repr(id), f"one of {', '.join(self.ids()[:6]) or 'none yet'}")
        return _parsed(path)

    def ids(self) -> list[str]:
        """Every id, the newest first."""
        return sorted((f.stem for f in self.folder.glob("*.toml") if _ID.match(f.stem)), reverse=True)

    def all(self, kind: Kind | None = None, subject: str | None = None) -> tuple[list[Calibration], list[str]]:
        """Return those of a kind and subject, the newest first, and what is wrong with files that cannot be
        read."""
        found, wrong = [], []
        for id in self.ids():
            try:
                one = self.read(id)
            except DreamFileError as error:
                wrong.append(str(error))
                continue
            if kind in (None, one.kind) and subject in (None, one.subject):
                found.append(one)
        return found, wrong

    def newest(self, kind: Kind, subject: str) -> Calibration | None:
        """The newest that can be read, None where there is none."""
        found, _ = self.all(kind, subject)
        return found[0] if found else None

    def keep_scene(self, camera: str, rgb: Image) -> None:
        """Keep what a camera (H, W, 3) sees now, to notice later that it was moved. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1]
        write_whole(self._scene_file(camera), bytes(png))

    def scene(self, camera: str) -> Image | None:
        """What a camera saw (H, W, 3) when it was calibrated last; None where nothing was kept, or it is broken."""
        bgr = cv2.imread(str(self._scene_file(camera)))
        return None if bgr is None else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def _scene_file(self, camera: str) -> Path:
        return self.folder / f"scene-{_plain(camera)}.png"

    def chosen(self, kind: Kind, subject: str, choice: str) -> Calibration | None:
        """The one that a rig.toml chose: "" or "newest", "none", or an id. Raises DreamFileError for an unknown
        id."""
        if choice in ("", "newest"):
            return self.newest(kind, subject)
        return None if choice == "none" else self.read(choice)


def changes(before: Calibration, after: Calibration) -> tuple[Moved, ...]:
    """Return what moved from one calibration of a thing to another of the same."""
    found = []
    earlier = {camera.name: camera for camera in before.cameras}
    for camera in after.cameras:
        old = earlier.get(camera.name)
        if old is None or after.kind != "intrinsics":
            continue
        if old.size != camera.size or old.model != camera.model:
            found.append(Moved(camera.name, 0, 0, 0, f"{camera.name}: another picture size or lens model"))
            continue
        px = lens_change(old, camera)
        found.append(Moved(camera.name, 0, 0, px, f"{camera.name}: its rays land up to {px:.2f} px elsewhere"))
    for name, T in after.poses.items():
        if name in before.poses:
            m, rad = pose_difference(before.poses[name], T)
            words = f"{name} moved by {1e3 * m:.1f} mm and {np.degrees(rad):.2f} degrees"
            found.append(Moved(name, m, rad, 0, words))
    for name, value in after.numbers.items():
        if name in before.numbers:
            was = before.numbers[name]
            found.append(Moved(name, 0, 0, 0, f"{name}: {value:.6g}, was {was:.6g}"))
    return tuple(found)


def _plain(name: str) -> str:
    """A name as part of a file's."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "rig"


def _stem(made: datetime.datetime, kind: str, subject: str) -> str:
    return f"{made.strftime('%Y%m%dT%H%M%SZ')}-{kind}-{subject}"


def _table(one: Calibration) -> dict[str, object]:
    table: dict[str, object] = {
        "kind": one.kind,
        "rig": one.rig,
        "subject": one.subject,
        "made": one.made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verdict": one.verdict,
        "words": one.words,
        "rms_px": one.rms_px,
        "board": one.board,
    }
    for key in ("numbers", "sigma"):
        values: Mapping[str, float] = getattr(one, key)
        if values:
            table[key] = {name: float(value) for name, value in values.items()}
    if one.poses:
        table["poses"] = {name: T.tolist() for name, T in one.poses.items()}
    if one.cameras:
        table["cameras"] = [
            {
                "name": camera.name,
                "size": list(camera.size),
                "model": camera.model,
                "K": camera.K.tolist(),
                "distortion": camera.distortion.tolist(),
            }
            for camera in one.cameras
        ]
    return table


def _parsed(path: Path) -> Calibration:
    fields = Fields(read_table(path), path)
    kind = _one_of(fields, "kind", KINDS)
    made = fields.get("made", str, "a time like 2026-01-31T12:00:00Z")
    try:
        when = datetime.datetime.fromisoformat(made)
    except ValueError as error:
        raise fields.wrong("made", repr(made), "a time like 2026-01-31T12:00:00Z") from error
    if when.tzinfo is None:
        raise fields.wrong("made", repr(made), "a time in UTC, like 2026-01-31T12:00:00Z")
    named = [("numbers", "numbers by name"), ("sigma", "numbers by name")]
    numbers, sigma = (_numbers(fields, key, valid) for key, valid in named)
    poses = fields.table("poses", "transforms by name") if "poses" in fields.values else None
    return Calibration(
        next(k for k in get_args(Kind) if k == kind),
        fields.get("rig", str, "the rig's name"),
        fields.get("subject", str, "what it is of"),
        when,
        _one_of(fields, "verdict", VERDICTS),
        fields.get("words", str, "the verdict in words", ""),
        tuple(_camera(row) for row in fields.rows("cameras", "tables of cameras"))
        if "cameras" in fields.values
        else (),
        {} if poses is None else {name: poses.pose(name) for name in poses.values},
        numbers,
        sigma,
        fields.number("rms_px", "pixels", 0.0),
        fields.get("board", str, "the board in words", ""),
        path.stem,
    )


def _one_of(fields: Fields, key: str, valid: tuple[str, ...]) -> str:
    value = fields.get(key, str, ", ".join(valid))
    if value not in valid:
        raise fields.wrong(key, repr(value), ", ".join(valid))
    return value


def _numbers(fields: Fields, key: str, valid: str) -> dict[str, float]:
    if key not in fields.values:
        return {}
    table = fields.table(key, valid)
    return {name: table.number(name, "a number") for name in table.values}


def _camera(row: Fields) -> Camera:
    name = row.get("name", str, "the camera's name")
    size = row.array("size", (2,), "width, height in pixels")
    if (size < 1).any() or (size > 16384).any() or (size != np.round(size)).any():
        raise row.wrong("size", f"{size.tolist()}", "width, height in pixels, whole")
    model = _one_of(row, "model", MODELS)
    counts = (0, 4) if model == "fisheye" else (0, 4, 5, 8)
    bent = row.get("distortion", list, "a list of numbers")
    values = row.array("distortion", (-1,), f"{counts} numbers") if bent else np.zeros(0)
    if len(values) not in counts:
        raise row.wrong("distortion", f"has {len(values)} numbers", f"{' or '.join(map(str, counts))} numbers")
    K = row.array("K", (3, 3), "3 x 3 numbers [px]")
    try:
        return Camera(name, K, (int(size[0]), int(size[1])), values, "fisheye" if model == "fisheye" else "pinhole")
    except ValueError as error:
        raise row.wrong("K", str(error), "[fx 0 cx; 0 fy cy; 0 0 1] in pixels") from error

"""Tracks as poses.json: the published benchmark's format, with everything else a track holds beside it.

One file serves both: its scoring script reads `dream` and `poses`, this program reads all of it back exactly.
"""

from pathlib import Path
from typing import get_args

import numpy as np

from hardware.geometry import Array
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.text_files import read_table, to_json
from models.types import Correction, Cut, CutKind, Dream, Hint, HintKind, PoseFix, PoseSource, ToolTrack, Track

MAX_FRAMES = 2000
SOURCES, HINT_KINDS, CUT_KINDS = get_args(PoseSource), get_args(HintKind), get_args(CutKind)


def poses_document(track: Track, dream: Dream) -> dict[str, object]:
    """Return the JSON values of a track of that dream. Poses map the tool frame to view 1 [m]; lost is null."""
    values = {"fps": dream.fps, "frames": len(dream), "views": [view.name for view in dream.views]}
    return {**values, **track_values(track)}


def track_values(track: Track) -> dict[str, object]:
    """Return what of these values is the track's own."""
    return {
        "dream": track.dream,
        "units": "m",
        "tracker": track.tracker,
        "seconds": track.seconds,
        "hints": [hint_values(hint) for hint in track.hints],
        "cuts": [cut_values(cut) for cut in track.cuts],
        "corrections": [vars(correction) for correction in track.corrections],
        "poses": [_pose(role, tool, t) for role, tool in track.tools.items() for t in range(len(tool))],
    }


def write_poses(path: Path, track: Track, dream: Dream) -> None:
    """Write poses.json, whole or not at all. Raises OSError where the file cannot be written."""
    write_whole(path, to_json(poses_document(track, dream)))


def read_poses(path: Path) -> Track:
    """Read poses.json; what another program left out gets a plain default.

    Raises DreamFileError naming file and field: no pose, too many frames, nan, a pose that is not rigid, ...
    """
    fields = Fields(read_table(path), path)
    valid = "a list of {tool, t, T_top_tool}, at least one"
    rows = fields.rows("poses", valid)
    if not rows:
        raise fields.wrong("poses", "is empty", valid)
    at = {(row.get("tool", str, "a tool's role"), _index(row)): row for row in rows}
    if len(at) < len(rows):
        raise fields.wrong("poses", "holds a tool and t twice", "each tool and t once")
    frames = int(fields.number("frames", "a number of frames", max(t for _, t in at) + 1))
    if not max(t for _, t in at) < frames <= MAX_FRAMES:
        raise fields.wrong("frames", f"{frames}", f"more than the last t, at most {MAX_FRAMES}")
    views = max(1, len(fields.get("views", list, "a list of view names", ["view1", "view2"])))
    try:
        return Track(
            dream=fields.get("dream", str, "the dream's name"),
            tools={role: _tool(role, at, frames, views) for role in dict.fromkeys(role for role, _ in at)},
            tracker=fields.get("tracker", str, "a tracker's name", "file"),
            hints=_hints(fields),
            seconds=fields.number("seconds", "a duration", 0.0),
            cuts=tuple(read_cut(row) for row in _rows(fields, "cuts")),
            corrections=tuple(read_correction(row) for row in _rows(fields, "corrections")),
        )
    except DreamFileError:
        raise
    except ValueError as error:
        raise DreamFileError(path, "poses", str(error)) from error


def _pose(role: str, tool: ToolTrack, t: int) -> dict[str, object]:
    found = tool.source[t] != "lost"
    disagreement = float(tool.stereo_disagreement_px[t])
    return {
        "tool": role,
        "t": t,
        "T_top_tool": tool.T_view1_tool[t].tolist() if found else None,
        "confidence": float(tool.frame_confidence[t]),
        "confidence_by_view": tool.confidence[t].tolist(),
        "stereo_disagreement_px": disagreement if np.isfinite(disagreement) else None,
        "source": tool.source[t],
    }


def _index(row: Fields) -> int:
    t = row.number("t", "a frame number")
    if t != int(t) or not 0 <= t < MAX_FRAMES:
        raise row.wrong("t", f"{t:g}", f"a whole number, 0 to {MAX_FRAMES - 1}")
    return int(t)


def _tool(role: str, at: dict[tuple[str, int], Fields], frames: int, views: int) -> ToolTrack:
    poses, confidence = np.full((frames, 4, 4), np.nan), np.zeros((frames, views))
    disagreement = np.full(frames, np.nan)
    source: list[PoseSource] = ["lost"] * frames
    for t in range(frames):
        row = at.get((role, t))
        if row is None:
            continue
        confidence[t] = _confidence(row, views)
        if row.values.get("stereo_disagreement_px") is not None:
            disagreement[t] = row.number("stereo_disagreement_px", "pixels, or null")
        if row.values.get("T_top_tool") is not None:
            poses[t], source[t] = row.pose("T_top_tool"), _source(row)
    return ToolTrack(role, poses, confidence, disagreement, tuple(source))


def _confidence(row: Fields, views: int) -> Array:
    if row.values.get("confidence_by_view") is None:
        default = 0.0 if row.values.get("T_top_tool") is None else 1.0
        return np.full(views, _share(row, np.array(row.number("confidence", "0 to 1", default))))
    by_view = row.values["confidence_by_view"]
    known = [np.nan if value is None else value for value in by_view] if isinstance(by_view, list) else by_view
    valid = f"{views} numbers of 0 to 1, null where unknown"
    try:
        values = np.array(known, float)
    except (TypeError, ValueError) as error:
        raise row.wrong("confidence_by_view", f"{by_view!r}", valid) from error
    if values.shape != (views,):
        raise row.wrong("confidence_by_view", f"has shape {values.shape}", valid)
    return _share(row, values)


def _share(row: Fields, values: Array) -> Array:
    if (values < 0).any() or (values > 1).any():
        raise row.wrong("confidence", f"{values.tolist()}", "0 to 1")
    return values


def _source(row: Fields) -> PoseSource:
    name = row.get("source", str, f"one of {SOURCES}", "tracked")
    for source in SOURCES:
        if name == source and source != "lost":
            return source  # type: ignore[no-any-return]
    raise row.wrong("source", f"{name!r} with a pose", f"one of {[s for s in SOURCES if s != 'lost']}")


def _rows(fields: Fields, key: str) -> list[Fields]:
    return fields.rows(key, f"a list of {key}") if key in fields.values else []


def _hints(fields: Fields) -> tuple[Hint, ...]:
    return tuple(read_hint(row) for row in _rows(fields, "hints"))


def hint_values(hint: Hint) -> dict[str, object]:
    """Return the JSON values of a hint."""
    return {"tool": hint.tool, "view": hint.view, "t": hint.t, "box": list(hint.box), "kind": hint.kind}


def read_hint(row: Fields) -> Hint:
    """Return a hint of a file. Raises DreamFileError, or ValueError for an empty box."""
    x0, y0, x1, y1 = row.array("box", (4,), "[x0, y0, x1, y1] in pixels").tolist()
    kind = row.get("kind", str, f"one of {HINT_KINDS}", "box")
    if kind not in HINT_KINDS:
        raise row.wrong("kind", repr(kind), f"one of {HINT_KINDS}")
    tool, view = row.get("tool", str, "a tool's role"), row.get("view", str, "a view")
    return Hint(tool, view, _index(row), (x0, y0, x1, y1), kind)  # type: ignore[arg-type]


def cut_values(cut: Cut) -> dict[str, object]:
    """Return the JSON values of a cut."""
    return {"kind": cut.kind, "tool": cut.tool, "t": cut.t, "pose": list(cut.pose)}


def read_cut(row: Fields) -> Cut:
    """Return a cut of a file. Raises DreamFileError, or ValueError for a pose that is not rigid."""
    kind = row.get("kind", str, f"one of {CUT_KINDS}")
    if kind not in CUT_KINDS:
        raise row.wrong("kind", repr(kind), f"one of {CUT_KINDS}")
    pose = row.array("pose", (-1,), "16 numbers of a restart").tolist() if row.values.get("pose") else []
    return Cut(kind, row.get("tool", str, "a tool's role"), _index(row), tuple(pose))  # type: ignore[arg-type]


def fix_values(fix: PoseFix) -> dict[str, object]:
    """Return the JSON values of a pose that a person gave."""
    return {"tool": fix.tool, "t": fix.t, "pose": list(fix.pose)}


def read_fix(row: Fields) -> PoseFix:
    """Return a given pose of a file. Raises DreamFileError, or ValueError for one that is not rigid."""
    pose = row.array("pose", (16,), "16 numbers, row by row").tolist()
    return PoseFix(row.get("tool", str, "a tool's role"), _index(row), tuple(pose))


def read_correction(row: Fields) -> Correction:
    """Return a correction of a file. Raises DreamFileError."""
    who, when, view = (row.get(key, str, "a text", "") for key in ("who", "when", "view"))
    first, last = (int(row.number(key, "a frame number")) for key in ("first", "last"))
    what, tool = row.get("what", str, "what was done"), row.get("tool", str, "a tool's role")
    return Correction(what, tool, first, last, view, who, when)

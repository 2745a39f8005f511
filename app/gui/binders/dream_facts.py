"""What page Dream says of a dream and its track in a few words."""

from pathlib import Path

import numpy as np

from app.dreams.session import Progress
from app.gui.binders.dream_pictures import colors, first_found, found_of
from models.types import Dream, ToolTrack, Track
from widgets.values import BusyState, Chip, Mood, ToolRow

_TITLES = {"tracking": "Tracking the tools", "planning": "Planning the motion", "dreaming": "Dreaming"}
FAR_APART_PX = 8.0


def busy_state(progress: Progress | None) -> BusyState | None:
    """Return what the strip says of work in the background."""
    if progress is None:
        return None
    title = _TITLES.get(progress.what, progress.what)
    text = f"{title}: {progress.text}" if progress.text and progress.text != progress.what else title
    return BusyState(text, progress.fraction, progress.left_s, can_cancel=progress.what == "tracking")


def chips(dream: Dream, track: Track | None, stale: bool, trim: tuple[int, int]) -> tuple[Chip, ...]:
    """Return the facts that a person judges a dream by, for the top bar."""
    return (
        *_origin(dream, trim),
        *(_tracked(track, trim, stale) if track else (Chip("not tracked yet", "warning"),)),
    )


def _origin(dream: Dream, trim: tuple[int, int]) -> tuple[Chip, ...]:
    assumed = dream.placement == "assumed"
    first, last = trim
    kept = f"frames {first} to {last}" if (first, last) != (0, len(dream) - 1) else f"{len(dream)} frames"
    told = {key: str(dream.provenance[key]) for key in ("model", "seed") if key in dream.provenance}
    known = [Chip(f"{key} {Path(words).name}", tip=words) for key, words in told.items()]
    place = Chip(
        "assumed placement" if assumed else "calibrated",
        "warning" if assumed else "idle",
        "Where the cameras stood was not given: plans run on emulated arms only" if assumed else "",
    )
    return (place, Chip(f"{kept} · {dream.fps:g} fps"), *known)


def _tracked(track: Track, trim: tuple[int, int], stale: bool) -> tuple[Chip, ...]:
    first, last = trim
    found, total = (sum(counts) for counts in zip(*(found_of(t, trim) for t in track.tools.values()), strict=True))
    apart = np.concatenate([np.abs(t.stereo_disagreement_px[first : last + 1]) for t in track.tools.values()])
    made = [
        Chip(
            f"tracked {found}/{total}",
            "ok" if found == total else "warning",
            "frames with a pose since each tool came into view",
        )
    ]
    if np.isfinite(apart).any():
        worst = float(np.nanmax(apart))
        mood: Mood = "warning" if worst > FAR_APART_PX else "idle"
        made.append(
            Chip(f"views up to {worst:.1f} px apart", mood, "largest stereo disagreement of the dream's views")
        )
    if stale:
        made.append(Chip("edited since tracked", "warning", "Track again (Ctrl+T) to use the boxes"))
    return tuple(made)


def tool_rows(dream: Dream, track: Track | None, trim: tuple[int, int], frame: int) -> tuple[ToolRow, ...]:
    """Return a row a tool, with what the tracker says of this frame."""
    ink = colors(dream)
    return tuple(
        tool_row(ToolRow(role, tool.name, ink[role]), track.tools.get(role) if track else None, trim, frame)
        for role, tool in dream.tools.items()
    )


def tool_row(row: ToolRow, track: ToolTrack | None, trim: tuple[int, int], frame: int) -> ToolRow:
    """Return a tool's row with what the tracker says of it in a frame."""
    if track is None or frame >= len(track):
        return row
    found, total = found_of(track, trim)
    apart = float(track.stereo_disagreement_px[frame])
    return ToolRow(
        role=row.role,
        name=row.name,
        color=row.color,
        state="not in view yet" if frame < first_found(track) else track.source[frame],
        found=found,
        total=total,
        confidence=float(track.frame_confidence[frame]),
        disagreement_px=apart if np.isfinite(apart) else None,
    )

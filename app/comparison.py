"""Several trackers on one dream, side by side: what each found, how far they differ, and what labels say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hardware.geometry import Array, apply, project, rotation_angle
from hardware.types import Tool
from models.tracking.tool_points import tracked_centre, tracked_corners
from models.types import Dream, ToolTrack, Track

MOST_POINTS = 200  # of a mesh, for the distance in the pictures


@dataclass(frozen=True, eq=False)
class Difference:
    """One tool in two tracks, nan where one of them has lost it.

    mm (T,) between the tracked centres; deg (T,) between the rotations, whichever of the tool's symmetries is
    nearest; px (T, V) mean distance of the tool's corners in each view.
    """

    mm: Array
    deg: Array
    px: Array


@dataclass(frozen=True, eq=False)
class Trial:
    """What one tracker made of a dream. outline by tool (T, V): models/tracking/yardstick.py.

    track None: it made none, and `problem` says why.
    """

    tracker: str
    track: Track | None
    outline: Mapping[str, Array] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Trials of one dream; `reference` is the tracker of the first track, which the others are held against.

    from_reference, from_labels: by tracker and tool; the latter empty where the dream has no labels.
    """

    dream: str
    views: tuple[str, ...]
    trials: tuple[Trial, ...]
    reference: str
    from_reference: Mapping[tuple[str, str], Difference]
    from_labels: Mapping[tuple[str, str], Difference]


def difference(dream: Dream, tool: Tool, a: ToolTrack, b: ToolTrack) -> Difference:
    """Return how far two tracks of one tool are apart. Raises ValueError where they are not of one length."""
    if not len(a) == len(b) == len(dream):
        raise ValueError(f"tracks of {a.tool}: {len(a)} and {len(b)} frames; valid: {len(dream)} each")
    n, corners = len(dream), tracked_corners(tool)
    points = corners[:: max(1, len(corners) // MOST_POINTS)]
    mm, deg, px = np.full(n, np.nan), np.full(n, np.nan), np.full((n, len(dream.views)), np.nan)
    both = np.flatnonzero(a.found & b.found)
    T_a, T_b = a.T_view1_tool[both], b.T_view1_tool[both]
    centre = tracked_centre(tool)[None]
    mm[both] = 1e3 * np.linalg.norm((apply(T_a, centre) - apply(T_b, centre))[:, 0], axis=-1)
    deg[both] = np.degrees(_angle(T_a[:, :3, :3], T_b[:, :3, :3], tool.symmetry))
    for v, view in enumerate(dream.views):
        uv = [project(view.camera.K, apply(dream.T_view_tool(v, T), points)) for T in (T_a, T_b)]
        px[both, v] = np.linalg.norm(uv[0] - uv[1], axis=-1).mean(axis=-1)
    return Difference(mm, deg, px)


def compare(dream: Dream, trials: Sequence[Trial], labels: Track | None = None) -> Comparison:
    """Hold trials against the first one that has a track, and against labels (poses that somebody vouches for).

    Raises ValueError where the labels are not of this dream.
    """
    good = [(trial.tracker, trial.track) for trial in trials if trial.track is not None]
    first = good[0][1] if good else None
    return Comparison(
        dream=dream.name,
        views=tuple(view.name for view in dream.views),
        trials=tuple(trials),
        reference=good[0][0] if good else "",
        from_reference=_differences(dream, good[1:], first),
        from_labels=_differences(dream, good, labels),
    )


def _differences(
    dream: Dream, tracks: Sequence[tuple[str, Track]], other: Track | None
) -> dict[tuple[str, str], Difference]:
    if other is None:
        return {}
    unknown = set(other.tools) - set(dream.tools)
    if unknown:
        raise ValueError(f"labels: tools {sorted(unknown)}; valid: {sorted(dream.tools)}")
    return {
        (name, role): difference(dream, dream.tools[role], tool, _padded(other.tools[role], dream))
        for name, track in tracks
        for role, tool in track.tools.items()
        if role in other.tools
    }


def _padded(tool: ToolTrack, dream: Dream) -> ToolTrack:
    """Labels may end before the clip does: what they say nothing of counts as lost."""
    more, views = len(dream) - len(tool), len(dream.views)
    if more <= 0:
        return tool
    return ToolTrack(
        tool.tool,
        np.concatenate([tool.T_view1_tool, np.full((more, 4, 4), np.nan)]),
        np.zeros((len(dream), views)),
        np.full(len(dream), np.nan),
        (*tool.source, *["lost"] * more),  # type: ignore[arg-type]
    )


def _angle(R_a: Array, R_b: Array, symmetry: Array) -> Array:
    turns = np.concatenate([np.eye(3)[None], symmetry.reshape(-1, 3, 3)])
    return np.asarray(rotation_angle(R_a[None], R_b[None] @ turns[:, None]).min(axis=0))


def middle(values: Array) -> float:
    """Return the median of what is known, nan where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def worst(values: Array, share: float = 90.0) -> float:
    """Return what that share [%] of the known values stays under, nan where nothing is known."""
    known = values[np.isfinite(values)]
    return float(np.percentile(known, share)) if known.size else float("nan")

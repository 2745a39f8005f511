"""Several trackers on one dream, side by side: what each found, how far they differ, and what labels say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hardware.geometry import Array
from models.evaluation.tracks import Difference, difference
from models.types import Dream, ToolTrack, Track


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

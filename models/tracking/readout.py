"""What was found becomes a track: turned one way all along, smoothed, with a confidence for every frame."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.geometry import Array, inverse, rotation_angle, rotation_from_vector, transform
from hardware.types import Tool
from models.tracking.fit import Fitter
from models.tracking.propagate import NEAR_ROTATION, Found
from models.tracking.quality import view_confidence
from models.tracking.smooth import smooth
from models.types import PoseSource, ToolTrack

CLEAR = 0.025  # a lead over all other readings by this share is beyond doubt
ENTRY = 0.65  # confidence left to a plain tool where it comes into view: fast, blurred, cut by the picture's edge
TIE_NEAR, TIE_FAR = 0.005, 0.015  # [m] another reading as good lowers confidence from here on, and to nothing here


@dataclass(frozen=True)
class Clip:
    """fps of the clip, and in how many views it is seen."""

    fps: float
    views: int


def read_out(
    fitter: Fitter, tool: Tool, name: str, found: Sequence[Found | None], margin: float, clip: Clip,
    hinted: Collection[int] = (),
) -> ToolTrack:  # fmt: skip
    """Return the track of a tool; margin: by which share its reading leads over all others."""
    model, n = fitter.model, len(found)
    poses, confidence = np.full((n, 4, 4), np.nan), np.zeros((n, clip.views))
    disagreement = np.full(n, np.nan)
    source: list[PoseSource] = ["lost"] * n
    clear = float(np.clip(margin / CLEAR, 0, 1))
    T_tool_centre = transform(np.eye(3), model.centre)
    one_way = unwind(found, tool, T_tool_centre)
    for span in spans([f is not None for f in found]):
        kept = [f for f in one_way[span.start : span.stop] if f is not None]
        smoothed = smooth([f.estimate for f in kept], [t / clip.fps for t in span])
        moved = [replace(f, estimate=replace(f.estimate, T=T)) for f, (T, _) in zip(kept, smoothed, strict=True)]
        turned = unwind(moved, tool, T_tool_centre)
        sure = clear * steady([T for T, _ in smoothed])
        sure[0] *= ENTRY if model.plain else 1.0
        for t, f, g, (_, offset) in zip(span, kept, turned, smoothed, strict=True):
            assert g is not None
            poses[t] = g.estimate.T @ inverse(T_tool_centre)
            source[t] = "hinted" if t in hinted else "tracked"
            tied = float(np.clip((TIE_FAR - f.tie) / (TIE_FAR - TIE_NEAR), 0, 1))
            confidence[t] = view_confidence(f.agreement, model.plain) * sure[t - span.start] * tied
            disagreement[t] = offset[1] - offset[0] if clip.views > 1 else np.nan
    return ToolTrack(name, poses, confidence, disagreement, tuple(source))


def unwind(found: Sequence[Found | None], tool: Tool, T_tool_centre: Array) -> list[Found | None]:
    """Return what was found with each pose turned by the tool's own symmetry as near to the last one as it gets.

    What looks the same must not jump from one reading to the next: an arm would turn the tool for nothing.
    """
    if len(tool.symmetry) == 0:
        return list(found)
    out: list[Found | None] = []
    last: Array | None = None
    for f in found:
        if f is None:
            out.append(None)
            continue
        T_tool = f.estimate.T @ inverse(T_tool_centre)
        if last is not None:
            R = nearest(T_tool[:3, :3], last, tool)
            T_tool = transform(R, T_tool[:3, 3])
            f = replace(f, estimate=replace(f.estimate, T=T_tool @ T_tool_centre))
        last = T_tool[:3, :3]
        out.append(f)
    return out


def nearest(R: Array, to: Array, tool: Tool) -> Array:
    """Return R (3, 3) turned by the tool's symmetry as near to another rotation as it gets; by any angle about an
    axis on which every angle looks the same."""
    turns = np.concatenate([R[None], R @ tool.symmetry])
    best = np.asarray(turns[int(np.argmin(rotation_angle(turns, to)))])
    if tool.symmetry_axis is None or tool.symmetry_axis.order != 0:
        return best
    a = np.array(tool.symmetry_axis.axis)
    M = to.T @ best
    # trace(M Rot(a, x)) = const + cos x (trace M - a.M a) + sin x trace(M [a]x): largest at this x
    skew = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    angle = np.arctan2(np.trace(M @ skew), np.trace(M) - a @ M @ a)
    return np.asarray(best @ rotation_from_vector(angle * a))


def steady(poses: Sequence[Array]) -> Array:
    """Return a factor (N,) of confidence: half on the shorter side of a turn that no hand makes in one frame."""
    factor = np.ones(len(poses))
    for i in range(1, len(poses)):
        if rotation_angle(poses[i - 1][:3, :3], poses[i][:3, :3]) > NEAR_ROTATION:
            factor[slice(0, i) if 2 * i < len(poses) else slice(i, None)] = 0.5
    return factor


def merged(old: ToolTrack, new: ToolTrack, changed: Collection[int]) -> ToolTrack:
    """Return the old track with the changed frames of the new one."""
    mask = np.isin(np.arange(len(old)), list(changed))
    return ToolTrack(
        tool=old.tool,
        T_view1_tool=np.where(mask[:, None, None], new.T_view1_tool, old.T_view1_tool),
        confidence=np.where(mask[:, None], new.confidence, old.confidence),
        stereo_disagreement_px=np.where(mask, new.stereo_disagreement_px, old.stereo_disagreement_px),
        source=tuple(new.source[t] if mask[t] else old.source[t] for t in range(len(old))),
    )


def spans(flags: Sequence[bool]) -> list[range]:
    """Return the unbroken runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, int), [0]])))
    return [range(a, b) for a, b in edges.reshape(-1, 2)]

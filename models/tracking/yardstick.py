"""One measure for tracks of any tracker: how far the pictures show the tool's outline where the track has it."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hardware.geometry import Array, transform
from models.tracking.fit import Fitter, start_at
from models.tracking.model import prepare
from models.tracking.pictures import look_all
from models.tracking.quality import judge
from models.types import Dream, ToolTrack, Track


def outline_agreement(dream: Dream, track: Track, check: Callable[[], None] = lambda: None) -> Mapping[str, Array]:
    """Return (T, V) by tool: the IoU of drawn and seen change around it in every view, nan where it is lost.

    The views' disagreement that the track itself reports is taken out, half in each view, so that what is compared
    is the pose. `check` is called often and may raise to end the work.
    """
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="yardstick") as pool:
        views = look_all(dream, True, pool)
    fitters = {role: Fitter(prepare(dream.tools[role]), views, check) for role in track.tools}
    return {role: _outlines(fitter, track.tools[role]) for role, fitter in fitters.items()}


def _outlines(fitter: Fitter, tool: ToolTrack) -> Array:
    n = len(fitter.views)
    T_tool_centre = transform(np.eye(3), fitter.model.centre)
    out = np.full((len(tool), n), np.nan)
    for t in np.flatnonzero(tool.found):
        fitter.check()
        slack = tool.stereo_disagreement_px[t]
        offset = np.zeros(n)
        offset[:2] = np.array([-0.5, 0.5])[:n] * (slack if n > 1 and np.isfinite(slack) else 0.0)
        out[t] = judge(fitter, int(t), start_at(tool.T_view1_tool[t] @ T_tool_centre, n, offset)).outline
    return out

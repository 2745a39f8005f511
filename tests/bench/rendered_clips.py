"""Rendered clips with exact truth for the tracker's figures, spoilt as generated videos are.

Hand over up to 40% of the tool, motion blur, noise, softened edges; in half of the clips the views drift smoothly
against each other by up to 5 px, half in either view, differently for each tool.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from hardware.geometry import Array
from hardware.rig import load_rig
from hardware.world.clips import render_clip
from hardware.world.softening import Softening, smooth_drift
from models.data.make_example import spoilt
from models.data.rendered import dream_from_clip, true_poses
from models.types import Dream

TASKS = ("rotation", "push", "rotation", "sweep", "rotation", "scoop")
LARGEST_DRIFT_PX = 5.0


def rendered_clips(
    count: int, seed: int, *, textured: bool, tasks: Sequence[str] = TASKS
) -> Iterator[tuple[Dream, dict[str, Array], dict[str, object]]]:
    """Yield (dream, T_view1_tool by role (T, 4, 4), truth) of `count` clips; the same seed gives the same bytes.

    Poses are nan while no view sees the tool. truth: "task"; "covered" and "in_view" role -> (T, V) as in
    RenderedClip; "drift_px" role -> (T,) second view minus first, 0 in clips without drift; "softening".
    textured False: one colour a tool, in the picture and in the mesh that the tracker is given.
    """
    rig = load_rig("sim")
    for k in range(count):
        number = seed * 10_000 + k
        rng = np.random.default_rng([number, 77])
        task = tasks[k % len(tasks)]
        fps = 6.0 if task in ("rotation", "push") else 5.0
        exposure, cover = (float(value) for value in rng.uniform([0.012, 0.1], [0.03, 0.4]))
        clip = render_clip(rig, task, number, fps=fps, textured=textured, exposure=exposure, cover=cover)
        drift = {role: np.zeros(len(clip.T_world_thing)) for role in clip.tools}
        if k // 2 % 2:
            largest = rng.uniform(0.5, 1.0) * LARGEST_DRIFT_PX
            drift = {role: smooth_drift(len(clip.T_world_thing), largest, rng) for role in clip.tools}
        amount = Softening(
            float(rng.uniform(0.5, 1.1)), float(rng.uniform(0.15, 0.4)), float(rng.uniform(1.5, 4.0))
        )
        clip = spoilt(clip, drift, amount, rng)
        truth: dict[str, object] = {
            "task": task,
            "covered": clip.covered,
            "in_view": clip.in_view,
            "drift_px": drift,
            "softening": amount,
        }
        yield dream_from_clip(clip), true_poses(clip), truth

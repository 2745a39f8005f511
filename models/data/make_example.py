"""Makes the built-in example dream again: `python -m models.data.make_example [FOLDER]`."""

import argparse
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardware.geometry import Array, apply, inverse, project
from hardware.rig import load_rig
from hardware.world.clips import RenderedClip, render_clip
from hardware.world.softening import Softening, drifted, smooth_drift, soften
from models.data.dream_folder import save_dream
from models.data.rendered import dream_from_clip
from models.types import Dream

EXAMPLE = Path(__file__).parents[2] / "assets" / "dreams" / "example"
SEED = 6
CREATED = "2026-01-01T00:00:00Z"
DRIFT_PX = 1.5
SOFTENING = Softening(blur_px=0.75, warp_px=0.2, noise=0.0)


def spoilt(
    clip: RenderedClip, drift: Mapping[str, Array], amount: Softening, rng: np.random.Generator
) -> RenderedClip:
    """The clip as a generator would give it; its truth stays.

    drift: role -> (T,) [px], how far the second view is moved against the first, half in either view.
    """
    views = {}
    for sign, camera in zip((-0.5, 0.5), clip.cameras, strict=True):
        video = clip.views[camera.name]
        if any(path.any() for path in drift.values()):
            T_cam_world = inverse(np.asarray(camera.T_world_cam))
            centres = {
                role: project(camera.K, apply(T_cam_world @ T, np.zeros((1, 3))))[:, 0]
                for role, T in clip.T_world_tool.items()
            }
            video = drifted(video, {role: sign * path for role, path in drift.items()}, centres)
        views[camera.name] = soften(video, amount, rng)
    return replace(clip, views=views)


def example_clip(seed: int = SEED) -> RenderedClip:
    """Two hands turn an object, as two arms of the simulated rig can: the truth behind the example."""
    return render_clip(load_rig("sim"), "rotation", seed, exposure=0.015, cover=0.22, calm=True, grain=0.1)


def example_dream(clip: RenderedClip) -> Dream:
    """The example: that clip softened, its views drifting by up to 1.5 px; the same bytes each time."""
    rng = np.random.default_rng(clip.seed)
    drift = {role: smooth_drift(len(clip.T_world_thing), DRIFT_PX, rng) for role in clip.tools}
    dream = dream_from_clip(spoilt(clip, drift, SOFTENING, rng))
    provenance = {**dream.provenance, "made_by": "python -m models.data.make_example"}
    return replace(dream, name="example", provenance=provenance)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", default=EXAMPLE, help="written anew; default: the built-in one"
    )
    folder = parser.parse_args().folder
    dream = example_dream(example_clip())
    if folder == EXAMPLE and folder.exists():
        shutil.rmtree(folder)
    save_dream(dream, folder)
    _undated(folder / "dream.toml")


def _undated(header: Path) -> None:
    """Give the file one fixed date, so that the same command makes the same bytes."""
    text = header.read_text(encoding="utf-8")
    header.write_text(re.sub(r'created = "[^"]*"', f'created = "{CREATED}"', text), encoding="utf-8")


if __name__ == "__main__":
    main()

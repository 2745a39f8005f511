"""Sweep a particle to the star, past what stands in the way (Dreamitate, arXiv 2406.16862, section 4.4)."""

from collections.abc import Sequence

import numpy as np

from hardware.types import Camera
from hardware.world.objects import Part, Thing, ngon
from hardware.world.tasks.catalogue import (
    ALL_DISTRACTORS,
    ALL_GRAINS,
    TRAINING_DISTRACTORS,
    TRAINING_GRAINS,
    colour,
    distractor,
    grain_colour,
    star,
)
from hardware.world.tasks.layout import Layout, Moment, Verdict, apart, drawn_light, lying_at

NEAR = 0.05  # [m] published
GRAIN = 0.0095


def lay(seed: int, held_out: bool) -> Layout:
    """Particles on the near half, the star on the far half, distractors anywhere: 2 to 4 particles and 5
    distractors
    where held out, else up to 6 and 5 to 6, as published."""
    rng = np.random.default_rng([seed, 102, int(held_out)])
    shade = int(rng.integers(TRAINING_GRAINS, ALL_GRAINS)) if held_out else int(rng.integers(6))
    count = int(rng.integers(2, 5)) if held_out else int(rng.integers(3, 7))
    pool = np.arange(TRAINING_DISTRACTORS, ALL_DISTRACTORS) if held_out else np.arange(TRAINING_DISTRACTORS)
    numbers = rng.choice(pool, 5 if held_out else int(rng.integers(5, 7)), replace=False)
    target = rng.uniform([-0.14, 0.07], [0.14, 0.15])
    taken = [(float(target[0]), float(target[1]), 0.06)]
    grains = [
        spot for spot in apart(rng, [0.02] * count, taken, (-0.16, -0.11, 0.16, -0.01)) if np.isfinite(spot[0])
    ]
    taken += [(float(spot[0]), float(spot[1]), 0.055) for spot in grains]
    others = [distractor(int(number)) for number in numbers]
    radii = [float(np.linalg.norm(thing.outline, axis=1).max()) for thing in others]
    things: dict[str, Thing] = {}
    poses = {}
    for k, (spot, _) in enumerate(zip(grains, range(count), strict=False)):
        name = f"particle{k}"
        body = Part("cylinder", (GRAIN, 0.006), (0, 0, 0.006), rgba=grain_colour(shade))
        things[name] = Thing(f"particle {shade}", (body,), ngon(12, GRAIN), mass=0.004)
        poses[name] = lying_at(spot)
    for k, (thing, spot) in enumerate(
        zip(others, apart(rng, radii, taken, (-0.26, -0.14, 0.26, 0.18)), strict=True)
    ):
        if np.isfinite(spot[0]):
            things[f"other{k}"] = thing
            poses[f"other{k}"] = lying_at(spot, float(rng.uniform(-np.pi, np.pi)))
    mark = star(0.04, colour(rng.random(), 0.75, 0.9))
    return Layout(
        "sweeping", seed, held_out, "sweep a bean to the star without touching the other things", things, poses,
        {"tool": "brush"}, clip_s=2.4, fps=5.0, marks={"star": mark},
        T_world_mark={"star": lying_at(target, float(rng.uniform(-np.pi, np.pi)))},
        friction=float(rng.uniform(0.5, 0.8)), light=drawn_light(rng),
    )  # fmt: skip


def distances(layout: Layout, moment: Moment) -> dict[str, float]:
    """How far each particle lies from the star's middle, along the table [m]."""
    middle = layout.T_world_mark["star"][:2, 3]
    poses = {name: T for name, T in moment.T_world_thing.items() if name.startswith("particle")}
    return {name: float(np.linalg.norm(T[:2, 3] - middle)) for name, T in poses.items()}


def judge(layout: Layout, moments: Sequence[Moment], camera: Camera | None = None) -> Verdict:
    """Any particle within 50 mm of the star at the end. moved_others_mm: the most that a distractor was pushed."""
    found = distances(layout, moments[-1])
    nearest = min(found.values())
    others = [name for name in layout.things if name.startswith("other")]
    ways = [np.linalg.norm((moments[-1].T_world_thing[n] - layout.T_world_thing[n])[:2, 3]) for n in others]
    moved = float(max(ways, default=0.0))
    measures = {"nearest_mm": 1e3 * nearest, "moved_others_mm": 1e3 * moved}
    return Verdict(nearest <= NEAR, measures, f"the nearest particle is {1e3 * nearest:.0f} mm from the star")

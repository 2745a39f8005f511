"""Scoop beans from the full bowl into the empty one (Dreamitate, arXiv 2406.16862, section 4.3)."""

from collections.abc import Sequence

import numpy as np

from hardware.types import Camera
from hardware.world.objects import Thing
from hardware.world.tasks.catalogue import (
    ALL_BOWLS,
    ALL_DISTRACTORS,
    TRAINING_BOWLS,
    TRAINING_DISTRACTORS,
    TRAINING_GRAINS,
    bowl,
    bowl_size,
    distractor,
)
from hardware.world.tasks.layout import Layout, Moment, Verdict, apart, drawn_light, lying_at

PARTICLES = 26


def lay(seed: int, held_out: bool) -> Layout:
    """A full and an empty bowl side by side, and distractors: five where held out, else one, as published."""
    rng = np.random.default_rng([seed, 104, int(held_out)])
    pool = np.arange(TRAINING_BOWLS, ALL_BOWLS) if held_out else np.arange(TRAINING_BOWLS)
    first, second = (int(n) for n in rng.choice(pool, 2, replace=False))
    shade = (
        int(rng.integers(TRAINING_GRAINS, TRAINING_GRAINS + 4)) if held_out else int(rng.integers(TRAINING_GRAINS))
    )
    side = float(rng.choice([-1.0, 1.0]))
    gap = rng.uniform(0.19, 0.23)
    middle = rng.uniform([-0.03, -0.02], [0.03, 0.06])
    full = middle + np.array([side * gap / 2, rng.uniform(-0.03, 0.03)])
    empty = middle - np.array([side * gap / 2, rng.uniform(-0.03, 0.03)])
    things = {"full": bowl(first, PARTICLES, rng, shade), "empty": bowl(second, 0, rng)}
    poses = {"full": lying_at(full), "empty": lying_at(empty)}
    for k, place in enumerate(things["full"].particles):
        poses[f"full/{k}"] = lying_at(full + place[:2], float(rng.uniform(-3, 3)), float(place[2]))
    known = np.arange(TRAINING_DISTRACTORS, ALL_DISTRACTORS) if held_out else np.arange(TRAINING_DISTRACTORS)
    others: list[Thing] = [distractor(int(n)) for n in rng.choice(known, 5 if held_out else 1, replace=False)]
    radii = [float(np.linalg.norm(thing.outline, axis=1).max()) for thing in others]
    taken = [(float(x), float(y), 0.1) for x, y in (full, empty)]
    for k, (thing, spot) in enumerate(zip(others, apart(rng, radii, taken, (-0.3, -0.1, 0.3, 0.2)), strict=True)):
        if np.isfinite(spot[0]):
            things[f"other{k}"] = thing
            poses[f"other{k}"] = lying_at(spot, float(rng.uniform(-np.pi, np.pi)))
    return Layout(
        "scooping", seed, held_out, "scoop beans from the full bowl into the empty bowl", things, poses,
        {"tool": "scooper"}, clip_s=2.4, fps=5.0, friction=float(rng.uniform(0.5, 0.8)), light=drawn_light(rng),
    )  # fmt: skip


def inside(layout: Layout, body: str, moment: Moment) -> list[str]:
    """The particles that lie in that bowl."""
    radius, wall = bowl_size(int(layout.things[body].name.split()[1]))
    base = moment.T_world_thing[body][:3, 3]
    found = []
    for name, T in moment.T_world_thing.items():
        offset = T[:3, 3] - base
        if name.startswith("full/") and np.hypot(*offset[:2]) < radius and -0.005 < offset[2] < wall:
            found.append(name)
    return found


def judge(layout: Layout, moments: Sequence[Moment], camera: Camera | None = None) -> Verdict:
    """Any particle in the bowl that was empty, at the end."""
    count = len(inside(layout, "empty", moments[-1]))
    left = len(inside(layout, "full", moments[-1]))
    lost = PARTICLES - count - left
    measures = {"moved": float(count), "elsewhere": float(lost)}
    return Verdict(count > 0, measures, f"{count} beans in the empty bowl, {lost} in neither")

"""Pick an object up with the handheld gripper and put it onto the mat (a task of Video Policy, arXiv
2508.00795)."""

from collections.abc import Callable, Sequence

import numpy as np

from hardware.types import Camera
from hardware.world.objects import Part, Thing, ngon, rectangle
from hardware.world.tasks.catalogue import (
    ALL_DISTRACTORS,
    TRAINING_DISTRACTORS,
    colour,
    disc,
    distractor,
)
from hardware.world.tasks.layout import Layout, Moment, Verdict, apart, drawn_light, lying_at

MAT = 0.06


def lay(seed: int, held_out: bool) -> Layout:
    """A small object that fits between the fingers, a round mat, and distractors (training's or held out)."""
    rng = np.random.default_rng([seed, 105, int(held_out)])
    makers = HELD_OUT if held_out else TRAINING
    name = str(rng.choice(list(makers)))
    side = float(rng.choice([-1.0, 1.0]))
    start = np.array([side * rng.uniform(0.06, 0.14), rng.uniform(-0.06, 0.08)])
    mat = np.array([-side * rng.uniform(0.06, 0.14), rng.uniform(-0.04, 0.1)])
    things = {"thing": makers[name](rng)}
    poses = {"thing": lying_at(start, float(rng.uniform(-0.7, 0.7)))}
    pool = np.arange(TRAINING_DISTRACTORS, ALL_DISTRACTORS) if held_out else np.arange(TRAINING_DISTRACTORS)
    others = [distractor(int(n)) for n in rng.choice(pool, int(rng.integers(1, 4)), replace=False)]
    radii = [float(np.linalg.norm(thing.outline, axis=1).max()) for thing in others]
    taken = [(float(start[0]), float(start[1]), 0.09), (float(mat[0]), float(mat[1]), 0.12)]
    for k, (thing, spot) in enumerate(zip(others, apart(rng, radii, taken, (-0.28, -0.1, 0.28, 0.2)), strict=True)):
        if np.isfinite(spot[0]):
            things[f"other{k}"] = thing
            poses[f"other{k}"] = lying_at(spot, float(rng.uniform(-np.pi, np.pi)))
    tint = colour(rng.random(), rng.uniform(0.4, 0.8), rng.uniform(0.5, 0.9))
    return Layout(
        "pick-and-place", seed, held_out, f"put the {name} onto the mat", things, poses, {"gripper": "gripper"},
        clip_s=4.0, fps=7.5, marks={"mat": disc("mat", MAT, tint)}, T_world_mark={"mat": lying_at(mat)},
        friction=float(rng.uniform(0.5, 0.8)), light=drawn_light(rng),
    )  # fmt: skip


def _cube(rng: np.random.Generator) -> Thing:
    half = rng.uniform(0.016, 0.022)
    return Thing(
        "cube", (Part("box", (half,) * 3, (0, 0, half), rgba=_tint(rng)),), rectangle(half, half), 0.06, order=4
    )


def _brick(rng: np.random.Generator) -> Thing:
    x, y, z = rng.uniform([0.026, 0.014, 0.014], [0.034, 0.02, 0.022])
    return Thing("brick", (Part("box", (x, y, z), (0, 0, z), rgba=_tint(rng)),), rectangle(x, y), 0.07, order=2)


def _tin(rng: np.random.Generator) -> Thing:
    r, z, tint = rng.uniform(0.016, 0.022), rng.uniform(0.018, 0.026), _tint(rng)
    lid = Part("cylinder", (0.85 * r, 0.0006), (0, 0, 2 * z + 0.0006), rgba=(0.85, 0.85, 0.82, 1.0), painted=True)
    return Thing("tin", (Part("cylinder", (r, z), (0, 0, z), rgba=tint), lid), ngon(24, r), 0.07, order=0)


def _toy(rng: np.random.Generator) -> Thing:
    x, y = rng.uniform([0.026, 0.014], [0.032, 0.018])
    body = Part("box", (x, y, 0.012), (0, 0, 0.012), rgba=_tint(rng))
    cabin = Part("box", (0.5 * x, 0.9 * y, 0.008), (-0.2 * x, 0, 0.032), rgba=(0.85, 0.87, 0.9, 1.0))
    return Thing("toy car", (body, cabin), rectangle(x, y), 0.07)


def _bolt(rng: np.random.Generator) -> Thing:
    r = rng.uniform(0.011, 0.014)
    grey = (0.6, 0.62, 0.65, 1.0)
    head = Part("cylinder", (1.5 * r, 0.008), (0, 0, 0.008), rgba=grey)
    shaft = Part("cylinder", (r, 0.016), (0, 0, 0.03), rgba=_tint(rng))
    return Thing("bolt", (head, shaft), ngon(24, 1.5 * r), 0.08, order=0)


def _hexagon(rng: np.random.Generator) -> Thing:
    outline = ngon(6, rng.uniform(0.018, 0.022))
    return Thing("hexagon", (Part("prism", (0.036,), rgba=_tint(rng), outline=outline),), outline, 0.06, order=6)


def _tint(rng: np.random.Generator) -> tuple[float, float, float, float]:
    return colour(rng.random(), rng.uniform(0.55, 0.85), rng.uniform(0.6, 0.95))


Maker = Callable[[np.random.Generator], Thing]
TRAINING: dict[str, Maker] = {"cube": _cube, "brick": _brick, "tin": _tin}
HELD_OUT: dict[str, Maker] = {"toy car": _toy, "bolt": _bolt, "hexagon": _hexagon}


def judge(layout: Layout, moments: Sequence[Moment], camera: Camera | None = None) -> Verdict:
    """The object's middle over the mat, lying on the table, let go of, at the end."""
    last = moments[-1]
    T = last.T_world_thing["thing"]
    away = float(np.linalg.norm(T[:2, 3] - layout.T_world_mark["mat"][:2, 3]))
    low = bool(abs(T[2, 3]) < 0.015)
    free = not any(body == "thing" for _, body in last.touching)
    text = (
        f"{1e3 * away:.0f} mm from the mat's middle"
        + ("" if free else ", still held")
        + ("" if low else ", not on the table")
    )
    return Verdict(away <= MAT and low and free, {"distance_mm": 1e3 * away}, text)

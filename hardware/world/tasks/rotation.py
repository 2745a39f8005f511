"""Turn an object counterclockwise between two grippers (Dreamitate, arXiv 2406.16862, section 4.2)."""

from collections.abc import Callable, Sequence

import numpy as np

from hardware.types import Camera
from hardware.world.demonstrator import SHOW, show_rotation
from hardware.world.objects import Part, Thing, choose_thing, rectangle
from hardware.world.tasks.catalogue import colour
from hardware.world.tasks.layout import Layout, Moment, Verdict, drawn_light, lying_at, yaw_of
from hardware.world.tasks.shapes import DIGITS, block_shape

ENOUGH = np.radians(25.0)  # published
# [s] a contact that is gone for longer is not kept: samples come every 1/30 s, and a pad may lift for one of them
LARGEST_GAP = 0.15
STARTED = np.radians(2.0)


def lay(seed: int, held_out: bool) -> Layout:
    """The table that the built-in rotation clips of that seed show; objects of their own where held out."""
    if held_out:
        rng = np.random.default_rng([seed, 103, 1])
        makers: tuple[Callable[[np.random.Generator], Thing], ...] = (_hammer, _book, _digit)
        thing = makers[int(rng.integers(len(makers)))](rng)
        pose = lying_at(rng.uniform([-0.05, -0.02], [0.05, 0.09]), float(rng.uniform(-np.pi, np.pi)))
    else:
        rng = np.random.default_rng([seed, list(SHOW).index("rotation")])
        thing = choose_thing("rotation", rng)
        pose = show_rotation(thing, rng, 2.0, calm=True).paths["thing"](0.0)
    tools = {"left": "rotation_gripper_left", "right": "rotation_gripper_right"}
    # the built-in example's table has the scene's own friction and light
    light = drawn_light(rng) if held_out else None
    return Layout(
        "rotation", seed, held_out, f"turn the {thing.name} counterclockwise", {"thing": thing}, {"thing": pose},
        tools, clip_s=2.0, fps=6.0, friction=float(rng.uniform(0.4, 0.7)) if held_out else None, light=light,
    )  # fmt: skip


def _hammer(rng: np.random.Generator) -> Thing:
    x, tint = rng.uniform(0.07, 0.09), colour(rng.random(), 0.5, 0.8)
    handle = Part("box", (x, 0.016, 0.018), (-0.02, 0, 0.018), rgba=tint)
    head = Part("box", (0.022, 0.05, 0.022), (x - 0.02, 0, 0.022), rgba=(0.5, 0.52, 0.55, 1.0))
    outline = np.concatenate(
        [rectangle(x, 0.016) - np.array([0.02, 0]), rectangle(0.022, 0.05) + np.array([x - 0.02, 0])]
    )
    return Thing("hammer", (handle, head), outline, mass=0.25)


def _book(rng: np.random.Generator) -> Thing:
    x, y = rng.uniform([0.06, 0.045], [0.075, 0.055])
    cover = Part("box", (x, y, 0.016), (0, 0, 0.016), rgba=colour(rng.random(), 0.55, 0.6))
    label = Part("box", (0.5 * x, 0.3 * y, 0.0005), (0, 0.2 * y, 0.0325), rgba=(0.9, 0.88, 0.8, 1.0))
    return Thing("book", (cover, label), rectangle(x, y), mass=0.25, order=2)


def _digit(rng: np.random.Generator) -> Thing:
    name = str(rng.choice(list(DIGITS)))
    return block_shape(f"digit {name}", float(rng.uniform(0.12, 0.14)), colour(rng.random(), 0.6, 0.85))


def turned(moments: Sequence[Moment]) -> list[float]:
    """How far the object has turned counterclockwise since the first moment, at each of them [rad]."""
    headings = np.unwrap([yaw_of(m.T_world_thing["thing"]) for m in moments])
    return [float(angle) for angle in headings - headings[0]]


def judge(layout: Layout, moments: Sequence[Moment], camera: Camera | None = None) -> Verdict:
    """Turned by at least 25 degrees, and a tool in contact all the way from the turn's start to its end."""
    angles = np.array(turned(moments))
    end = int(np.argmax(angles))
    started = np.flatnonzero(angles[: end + 1] > STARTED)
    start = int(started[0]) if len(started) else end
    held = [m.t for m in moments[start : end + 1] if any(body == "thing" for _, body in m.touching)]
    ends = [moments[start].t, *held, moments[end].t]
    gap = float(np.diff(ends).max())
    angle = float(np.degrees(angles[end]))
    kept = bool(held) and gap <= LARGEST_GAP
    contact = "kept" if kept else f"lost for {gap:.2f} s" if held else "never made"
    text = f"turned by {angle:.0f} degrees, contact {contact}"
    return Verdict(bool(angles[end] >= ENOUGH and kept), {"turn_deg": angle, "longest_gap_s": gap}, text)

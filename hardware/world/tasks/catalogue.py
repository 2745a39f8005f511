"""Numbered objects: bowls, particles' colours, distractors; each number is either training's or held out."""

import colorsys

import numpy as np

from hardware.world.objects import Colour, Part, Thing, ngon, rectangle

TRAINING_DISTRACTORS, ALL_DISTRACTORS = 25, 40
TRAINING_BOWLS, ALL_BOWLS = 17, 25
# sweeping 6 and 6, scooping 8 and 4 (Dreamitate, arXiv 2406.16862, table 1 and figures 14, 15)
TRAINING_GRAINS, ALL_GRAINS = 8, 14


def colour(hue: float, saturation: float, value: float) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return r, g, b, 1.0


def grain_colour(number: int) -> Colour:
    """Colour of the particles with that number; from TRAINING_GRAINS on it is held out."""
    if number < TRAINING_GRAINS:
        return colour(number / TRAINING_GRAINS, 0.6, 0.9)
    return colour((number + 0.5) / (ALL_GRAINS - TRAINING_GRAINS), 0.3, 0.97)


def distractor(number: int) -> Thing:
    """The small object with that number, the same each time; from TRAINING_DISTRACTORS on it is held out."""
    rng = np.random.default_rng([number, 71])
    held_out = number >= TRAINING_DISTRACTORS
    tint = colour(rng.random(), rng.uniform(0.25, 0.7), rng.uniform(0.45, 0.9))
    accent = colour(rng.random(), rng.uniform(0.2, 0.7), rng.uniform(0.5, 0.95))
    kinds = (_cross, _lying, _tower) if held_out else (_block, _can, _prism, _cup)
    parts, outline = kinds[number % len(kinds)](rng, tint, accent)
    return Thing(f"distractor {number}", parts, outline, mass=float(rng.uniform(0.15, 0.3)))


def _block(rng: np.random.Generator, tint: Colour, accent: Colour) -> tuple[tuple[Part, ...], np.ndarray]:
    x, y, z = rng.uniform([0.016, 0.014, 0.012], [0.03, 0.024, 0.024])
    lid = Part("box", (0.7 * x, 0.7 * y, 0.001), (0, 0, 2 * z + 0.001), rgba=accent)
    return (Part("box", (x, y, z), (0, 0, z), rgba=tint), lid), rectangle(x, y)


def _can(rng: np.random.Generator, tint: Colour, accent: Colour) -> tuple[tuple[Part, ...], np.ndarray]:
    r, z = rng.uniform([0.015, 0.015], [0.026, 0.03])
    lid = Part("cylinder", (0.8 * r, 0.001), (0, 0, 2 * z + 0.001), rgba=accent)
    return (Part("cylinder", (r, z), (0, 0, z), rgba=tint), lid), ngon(24, r)


def _prism(rng: np.random.Generator, tint: Colour, accent: Colour) -> tuple[tuple[Part, ...], np.ndarray]:
    outline = ngon(int(rng.integers(3, 7)), rng.uniform(0.02, 0.03))
    return (Part("prism", (float(rng.uniform(0.015, 0.035)),), rgba=tint, outline=outline),), outline


def _cup(rng: np.random.Generator, tint: Colour, accent: Colour) -> tuple[tuple[Part, ...], np.ndarray]:
    r, z = rng.uniform([0.018, 0.02], [0.026, 0.03])
    handle = Part("box", (0.006, 0.003, 0.6 * z), (r + 0.004, 0, z), rgba=tint)
    inside = Part("cylinder", (0.85 * r, 0.0006), (0, 0, 2 * z + 0.0006), rgba=(0.1, 0.08, 0.07, 1.0))
    return (Part("cylinder", (r, z), (0, 0, z), rgba=tint), handle, inside), rectangle(r + 0.008, r)


def _cross(rng: np.random.Generator, tint: Colour, accent: Colour) -> tuple[tuple[Part, ...], np.ndarray]:
    a, b, z = rng.uniform([0.022, 0.006, 0.008], [0.03, 0.01, 0.016])
    bars = (Part("box", (a, b, z), (0, 0, z), rgba=tint), Part("box", (b, a, z), (0, 0, z), rgba=accent))
    return bars, rectangle(a, a)


def _lying(rng: np.random.Generator, tint: Colour, accent: Colour) -> tuple[tuple[Part, ...], np.ndarray]:
    r, half = rng.uniform([0.01, 0.02], [0.015, 0.03])
    foot = Part("box", (half, 0.7 * r, 0.2 * r), (0, 0, 0.2 * r), rgba=accent)
    return (Part("capsule", (r, half), (0, 0, r), lying=True, rgba=tint), foot), rectangle(half + r, r)


def _tower(rng: np.random.Generator, tint: Colour, accent: Colour) -> tuple[tuple[Part, ...], np.ndarray]:
    r, z = rng.uniform([0.02, 0.008], [0.028, 0.012])
    top = Part("cylinder", (0.6 * r, z), (0, 0, 3 * z), rgba=accent)
    return (Part("cylinder", (r, z), (0, 0, z), rgba=tint), top), ngon(24, r)


def bowl_size(number: int) -> tuple[float, float]:
    """Inner radius and height of the wall [m] of the bowl with that number; from TRAINING_BOWLS on held out."""
    rng = np.random.default_rng([number, 72])
    return float(rng.uniform(0.074, 0.083)), float(rng.uniform(0.026, 0.034))


def bowl(number: int, particles: int, rng: np.random.Generator, grain: int = 0) -> Thing:
    """The round bowl with that number, holding loose particles of that colour in layers; rng lays them."""
    radius, wall = bowl_size(number)
    held_out = number >= TRAINING_BOWLS
    rgba = colour(number / 8 + 0.06, 0.25, 0.9) if held_out else colour(number / TRAINING_BOWLS, 0.7, 0.62)
    count, half = 20, wall / 2
    parts = [Part("cylinder", (radius, 0.003), (0, 0, 0.003), rgba=rgba)]
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False):
        place = ((radius + 0.003) * np.cos(angle), (radius + 0.003) * np.sin(angle), half)
        parts.append(Part("box", (0.0035, np.pi * radius / (count - 2), half), place, float(angle), rgba=rgba))
    size = 0.0078
    places = []
    for k in range(particles):
        # a sunflower's spiral fills a disc evenly
        k_layer, layer = k % 24, k // 24
        r = 0.78 * radius * np.sqrt((k_layer + 0.5) / 24)
        angle = 2.39996 * k_layer + layer
        jitter = rng.uniform(-0.001, 0.001, 2)
        places.append(np.array([r * np.cos(angle) + jitter[0], r * np.sin(angle) + jitter[1],
                                0.006 + size + layer * 2.1 * size]))  # fmt: skip
    return Thing(
        f"bowl {number}", tuple(parts), ngon(24, radius + 0.006), mass=0.6, particles=tuple(places),
        grain=(size, 0.9 * size, 0.85 * size), grain_rgba=grain_colour(grain), order=0,
    )  # fmt: skip


def star(radius: float, rgba: Colour) -> Thing:
    """A five-pointed star, painted flat."""
    outer, inner = ngon(5, radius, np.pi / 2), ngon(5, 0.42 * radius, np.pi / 2 + np.pi / 5)
    outlines = [inner, *(np.stack([inner[k - 1], outer[k], inner[k]]) for k in range(5))]
    parts = tuple(Part("prism", (0.0012,), rgba=rgba, outline=outline, painted=True) for outline in outlines)
    return Thing("star", parts, outer)


def disc(name: str, radius: float, rgba: Colour) -> Thing:
    """A flat round mat."""
    return Thing(
        name, (Part("cylinder", (radius, 0.0008), (0, 0, 0.0008), rgba=rgba, painted=True),), ngon(24, radius)
    )

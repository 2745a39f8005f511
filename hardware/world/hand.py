"""A person's hand as one skin: fingers and palm blended from capsules, coloured from a palette of skin tones.

Hand frame, metres: origin where the thumb crosses the edge of what is held, on its printed face; +x the way the
fingers point, +z out of the face, thumb on the +y side of a right-handed `side` = 1 (mirrored for -1).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Image
from hardware.world.surface import blended_capsules, surface

Grip = Literal["thumb", "fingers"]
STEP = 0.0026
PALETTE = 64

Bone = tuple[tuple[float, float, float], tuple[float, float, float], float, float]


@dataclass(frozen=True, eq=False)
class Skin:
    """A coloured mesh: vertices (V, 3) [m], faces (F, 3), uv (V, 2) into a palette of skin tones, v up."""

    vertices: Array
    faces: NDArray[np.int64]
    uv: Array


def hand_bones(grip: Grip, thickness: float) -> tuple[list[Bone], list[tuple[float, float, float]]]:
    """Capsules of a hand [mm] that holds something `thickness` [mm] deep, and the middles of its visible nails."""
    over, under = 9.0, -thickness - 9.0
    # "thumb": thumb above and fingers below; "fingers": the other way round
    f, t = (under, over) if grip == "thumb" else (over, under)
    middle = -thickness / 2
    spread = [27.0, 8.0, -11.0, -29.0]
    lengths = [62.0, 70.0, 64.0, 48.0]
    bones: list[Bone] = [
        ((-100, 0, middle - 4), (-82, 0, middle - 2), 23, 24),
        ((-82, 8, middle), (-40, 20, (middle + f) / 2), 20, 15),
        ((-82, -8, middle), (-44, -18, (middle + f) / 2), 20, 14),
    ]
    nails: list[tuple[float, float, float]] = []
    for y, length in zip(spread, lengths, strict=True):
        knuckle = (-24.0 - abs(y) * 0.25, y, f * 0.85 + middle * 0.15)
        bend = (knuckle[0] + 0.45 * length, y * 0.95, f + (4.0 if f > 0 else -4.0))
        joint = (knuckle[0] + 0.78 * length, y * 0.9, f + (1.0 if f > 0 else -1.0))
        tip = (knuckle[0] + length, y * 0.88, f - (1.5 if f > 0 else -1.5))
        wrist = (-80.0, y * 0.45, middle + (f - middle) * 0.2)
        bones += [
            (wrist, knuckle, 14, 11.5), (knuckle, bend, 10.5, 9.2), (bend, joint, 9.2, 8.4), (joint, tip, 8.4, 7.2),
        ]  # fmt: skip
        if f > 0:
            nails.append((tip[0] - 2.0, tip[1], tip[2] + 6.5))
    thumb = [
        (-78.0, 14.0, middle * 0.8),
        (-42.0, 24.0, t * 0.75),
        (-8.0, 15.0, t + 4.0 * np.sign(t)),
        (22.0, 5.0, t),
    ]
    for (a, b), (r_a, r_b) in zip(pairwise(thumb), [(19, 14.5), (13, 10.5), (10.5, 8.5)], strict=True):
        bones.append((a, b, r_a, r_b))
    if t > 0:
        nails.append((20.0, 5.5, t + 8.0))
    return bones, nails


def hand_skin(grip: Grip, thickness_m: float, side: int, seed: int, step: float = STEP) -> Skin:
    """Build a hand for something `thickness_m` deep; side 1: thumb at +y; the seed varies the size; step [m]: how
    fine its mesh is."""
    rng = np.random.default_rng(seed)
    bones, nails = hand_bones(grip, thickness_m * 1e3)
    size = 1e-3 * rng.uniform(0.94, 1.06)
    skin = _blended([((*a,), (*b,), ra, rb) for a, b, ra, rb in bones], blend=0.0035, girth=size, step=step)
    vertices = skin[0] * [1, side, 1]
    faces = skin[1] if side > 0 else skin[1][:, ::-1]
    return Skin(vertices, faces, _tones(skin[0], np.array(nails).reshape(-1, 3) * 1e-3, rng))


def forearm_skin(length: float, seed: int, step: float = 2.2 * STEP) -> Skin:
    """Build a forearm along -x from the wrist at the origin, `length` [m]; step [m]: how fine its mesh is."""
    rng = np.random.default_rng(seed)
    mm, girth = length * 1e3, rng.uniform(0.92, 1.08)
    bones: list[Bone] = [
        ((6, 4, 0), (-0.55 * mm, 8, -2), 22 * girth, 37 * girth),
        ((6, -5, 0), (-0.5 * mm, -10, -3), 21 * girth, 33 * girth),
        ((-0.5 * mm, 0, -2), (-mm, 0, -4), 37 * girth, 41 * girth),
    ]
    vertices, faces = _blended(bones, blend=0.006, girth=1e-3, step=step)
    return Skin(vertices, faces, _tones(vertices, np.zeros((0, 3)), rng))


def _blended(bones: list[Bone], blend: float, girth: float, step: float) -> tuple[Array, NDArray[np.int64]]:
    ends = np.array([[a, b] for a, b, _, _ in bones]) * 1e-3
    radii = np.array([[r_a, r_b] for _, _, r_a, r_b in bones]) * girth
    field, lower = blended_capsules(ends, radii, blend, step)
    return surface(field, lower, step)


def _tones(vertices: Array, nails: Array, rng: np.random.Generator) -> Array:
    """Palette coordinates: u is redness (0 pale .. 1 flushed), v lightness; nails are paler and pinker."""
    waves = rng.normal(size=(2, 24, 3)) * np.geomspace(15, 420, 24)[None, :, None]
    phase = rng.uniform(0, 2 * np.pi, (2, 24))
    noise = np.sin(np.einsum("vk,cwk->cwv", vertices, waves) + phase[..., None])
    noise = (noise * np.linspace(1.0, 0.5, 24)[None, :, None]).mean(axis=1) * 2.2
    u, v = 0.4 + 0.28 * noise[0], 0.5 + 0.26 * noise[1]
    for nail in nails:
        near = np.exp(-(((np.linalg.norm(vertices - nail, axis=1)) / 0.0065) ** 4))
        u, v = u * (1 - near) + 0.95 * near, v * (1 - near) + 0.95 * near
    return np.asarray(np.clip(np.stack([u, v], axis=1), 0.02, 0.98))


def skin_palette(seed: int) -> Image:
    """Picture (64, 64, 3) of one person's tones: redness to the right, lightness upwards; natural range."""
    rng = np.random.default_rng(seed)
    # from deep brown to pale
    stops = np.array([[92, 58, 42], [141, 92, 66], [183, 131, 99], [214, 164, 134], [232, 190, 166]], float)
    tone = rng.uniform(0.9, 4.0)
    base = np.array([np.interp(tone, np.arange(5), stops[:, k]) for k in range(3)])
    redness = np.linspace(-1, 1, PALETTE)[None, :, None] * np.array([16.0, -13.0, -9.0])
    light = np.linspace(-0.15, 0.15, PALETTE)[::-1, None, None]
    return np.asarray(np.clip((base + redness) * (1 + light), 0, 255), np.uint8)

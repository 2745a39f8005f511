"""What lies on the table: shapes to turn, push, sweep and scoop, each of a few MuJoCo geoms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import mujoco
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, quaternion, rotation_from_vector
from hardware.world.cad import loft

UNSEEN_GROUP = 4
# a bean is felt as a ball: its contacts are formulas; one that rolls comes to rest as an uneven one does
BEAN_DAMPING = 1e-5  # [N m s], and next to nothing along a way [N s/m]
Colour = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Part:
    """One geom, its pose in the object.

    kind: box, capsule, cylinder, sphere, prism (outline (N, 2) and height) or tube (outline (N, 4): x, y, z and
    radius along it, drawn only); felt: touched, but not seen; painted: seen, but not touched.
    """

    kind: str
    size: tuple[float, ...]
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    lying: bool = False
    rgba: Colour = (0.8, 0.8, 0.8, 1.0)
    outline: Array | None = None
    felt: bool = False
    painted: bool = False


@dataclass(frozen=True, eq=False)
class Thing:
    """An object on the table. Its origin is on its underside; outline (N, 2) [m] holds its top view.

    grain: half axes of its particles [m], one body each beside it; order: after how many equal turns once round it
    lies on itself, 1 for never, 0 for every angle.
    """

    name: str
    parts: tuple[Part, ...]
    outline: Array
    mass: float = 0.15
    particles: tuple[Array, ...] = field(default=())
    grain: tuple[float, float, float] = (0.0075, 0.0055, 0.0055)
    grain_rgba: Colour = (0.82, 0.66, 0.4, 1.0)
    order: int = 1

    def support(self, direction: Array) -> float:
        """How far the outline reaches from the origin along a unit direction (2,) of its own frame [m]."""
        return float((self.outline @ direction).max())


def rectangle(x: float, y: float) -> Array:
    return np.array([[-x, -y], [x, -y], [x, y], [-x, y]])


def ngon(count: int, radius: float, turn: float = 0.0) -> Array:
    angle = turn + 2 * np.pi * np.arange(count) / count
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def tray(rng: np.random.Generator) -> Thing:
    """A pale food box with a lid edge."""
    x, y = rng.uniform(0.05, 0.07, 2)
    paper = (0.86, 0.84, 0.78, 1.0)
    lid = Part("box", (x - 0.012, y - 0.012, 0.004), (0, 0, 0.05), rgba=(0.92, 0.9, 0.85, 1.0))
    return Thing("tray", (Part("box", (x, y, 0.024), (0, 0, 0.024), rgba=paper), lid), rectangle(x, y))


def banana(rng: np.random.Generator) -> Thing:
    """A bent yellow fruit with brown ends: drawn as a smooth tube, touched as a chain of capsules."""
    radius, bend = rng.uniform(0.085, 0.105), rng.uniform(1.2, 1.5)
    angles = np.linspace(-bend / 2, bend / 2, 33)
    points = np.stack([radius * np.sin(angles), radius * (np.cos(angles) - 0.9)], axis=1)
    girth = 0.02 * np.sqrt(1 - (0.85 * angles / angles[-1]) ** 2)
    bones = np.column_stack([points, girth + 0.0005, girth])
    # a rounded end: one more ring, smaller and a little further on
    first, last = 2 * bones[0] - bones[1], 2 * bones[-1] - bones[-2]
    first[2:], last[2:] = (bones[0, 2], 0.3 * girth[0]), (bones[-1, 2], 0.3 * girth[-1])
    bones = np.concatenate([[first], bones, [last]])
    yellow, brown = (0.93, 0.77, 0.2, 1.0), (0.3, 0.21, 0.1, 1.0)
    parts = [
        Part("tube", (), rgba=yellow, outline=bones[1:31]),
        Part("tube", (), rgba=brown, outline=bones[30:]),
        Part("tube", (), rgba=brown, outline=bones[:2]),
    ]
    for k in range(1, 33, 4):
        start, end = bones[k], bones[k + 4] if k < 29 else bones[33]
        middle, along = (start + end) / 2, end[:2] - start[:2]
        size = (float(middle[3]), float(np.linalg.norm(along) / 2))
        place = (float(middle[0]), float(middle[1]), size[0] + 0.0005)
        parts.append(Part("capsule", size, place, float(np.arctan2(along[1], along[0])), lying=True, felt=True))
    outline = np.concatenate([points + girth[:, None] * d for d in ngon(8, 1.0)])
    return Thing("banana", tuple(parts), outline)


def letter(rng: np.random.Generator) -> Thing:
    """A block letter T, L, H or C."""
    s, h = rng.uniform(0.03, 0.036), 0.016
    bars: Mapping[str, list[tuple[float, float, float, float]]] = {
        "T": [(2, 0.7, 0, 1.3), (0.7, 1.3, 0, -0.7)],
        "L": [(0.7, 2, -1.3, 0), (1.3, 0.7, 0.7, -1.3)],
        "H": [(0.6, 2, -1.4, 0), (0.6, 2, 1.4, 0), (0.8, 0.6, 0, 0)],
        "C": [(0.6, 2, -1.4, 0), (1.4, 0.6, 0.6, 1.4), (1.4, 0.6, 0.6, -1.4)],
    }
    name = str(rng.choice(list(bars)))
    rgba = _bright(rng)
    parts = tuple(Part("box", (a * s, b * s, h), (x * s, y * s, h), rgba=rgba) for a, b, x, y in bars[name])
    corners = [rectangle(a * s, b * s) + np.array([x * s, y * s]) for a, b, x, y in bars[name]]
    return Thing(f"letter {name}", parts, np.concatenate(corners))


def polygon(rng: np.random.Generator) -> Thing:
    """A regular prism of 3 to 6 sides."""
    count, radius = int(rng.integers(3, 7)), rng.uniform(0.05, 0.075)
    outline = ngon(count, radius)
    return Thing(f"polygon {count}", (Part("prism", (0.036,), rgba=_bright(rng), outline=outline),), outline)


def crumbs(rng: np.random.Generator) -> Thing:
    """A target patch on the cloth, and loose beans to sweep onto it."""
    patch = Part("cylinder", (0.05, 0.0006), (0, 0, 0.0006), rgba=(0.75, 0.2, 0.18, 1.0))
    beans = tuple(np.array([*rng.uniform(-0.035, 0.035, 2), 0.006]) for _ in range(14))
    return Thing("crumbs", (patch,), ngon(24, 0.05), particles=beans)


def bowl(rng: np.random.Generator) -> Thing:
    """A round bowl of loose beans."""
    radius, rgba = rng.uniform(0.062, 0.07), _bright(rng)
    parts = [Part("cylinder", (radius, 0.003), (0, 0, 0.003), rgba=rgba)]
    for angle in np.linspace(0, 2 * np.pi, 28, endpoint=False):
        place = ((radius + 0.002) * np.cos(angle), (radius + 0.002) * np.sin(angle), 0.018)
        parts.append(Part("box", (0.0025, np.pi * radius / 27, 0.018), place, float(angle), rgba=rgba))
    r, angle = radius * 0.85 * np.sqrt(rng.uniform(0, 1, 40)), rng.uniform(0, 2 * np.pi, 40)
    height = rng.uniform(0.008, 0.02, 40)
    beans = tuple(np.stack([r * np.cos(angle), r * np.sin(angle), height], axis=1))
    return Thing("bowl", tuple(parts), ngon(24, radius + 0.004), particles=beans)


THINGS: Mapping[str, tuple[Callable[[np.random.Generator], Thing], ...]] = {
    "rotation": (tray, banana, letter, polygon),
    "push": (letter, polygon, tray),
    "sweep": (crumbs,),
    "scoop": (bowl,),
}


def choose_thing(task: str, rng: np.random.Generator) -> Thing:
    """Draw one of the objects that a task is shown with."""
    makers = THINGS[task]
    return makers[int(rng.integers(len(makers)))](rng)


def add_thing(spec: mujoco.MjSpec, thing: Thing, name: str, *, free: bool) -> None:
    """Add body `name` with all parts, free or mocap, and one body per particle (name/0, name/1 ..)."""
    body = spec.worldbody.add_body(name=name, mocap=not free)
    if free:
        body.add_freejoint(name=name)
    heavy = [part.kind != "tube" for part in thing.parts]
    for k, part in enumerate(thing.parts):
        if free or not part.felt:
            _add_part(spec, body, part, f"{name}/part{k}", heavy[k] * thing.mass / sum(heavy), solid=free)
    for k, place in enumerate(thing.particles):
        bean = spec.worldbody.add_body(name=f"{name}/{k}", mocap=not free, pos=place)
        bean.add_geom(
            type=mujoco.mjtGeom.mjGEOM_ELLIPSOID, size=thing.grain, mass=0.0, rgba=thing.grain_rgba, contype=0,
            conaffinity=0,
        )  # fmt: skip
        if free:
            bean.add_joint(name=f"{name}/{k}", type=mujoco.mjtJoint.mjJNT_FREE, damping=BEAN_DAMPING)
            bean.add_geom(
                type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[float(np.mean(thing.grain)), 0, 0], mass=0.002,
                friction=[0.8, 0.02, 0.002], group=UNSEEN_GROUP,
            )  # fmt: skip


def _add_part(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, part: Part, name: str, mass: float, *, solid: bool
) -> None:
    kinds = {
        "box": mujoco.mjtGeom.mjGEOM_BOX,
        "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
        "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
        "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
        "prism": mujoco.mjtGeom.mjGEOM_MESH,
        "tube": mujoco.mjtGeom.mjGEOM_MESH,
    }
    turn = rotation_from_vector(np.array([0.0, 0.0, part.yaw]))
    if part.lying:
        turn = turn @ rotation_from_vector(np.array([0.0, np.pi / 2, 0.0]))
    touches = int(solid and part.kind != "tube" and not part.painted)
    geom = body.add_geom(
        name=name, type=kinds[part.kind], pos=part.position, quat=quaternion(turn), rgba=part.rgba, mass=mass,
        contype=touches, conaffinity=touches, friction=[0.5, 0.01, 0.0005], group=UNSEEN_GROUP if part.felt else 0,
    )  # fmt: skip
    if part.kind == "prism" and part.outline is not None:
        spec.add_mesh(name=name, uservert=_prism(part.outline, part.size[0]).ravel())
        geom.meshname = name
    elif part.kind == "tube" and part.outline is not None:
        _add_tube(spec, name, part.outline)
        geom.meshname = name
    else:
        geom.size = [*part.size, *([0.0] * (3 - len(part.size)))]


def _prism(outline: Array, height: float) -> NDArray[np.float64]:
    return np.concatenate([np.column_stack([outline, np.full(len(outline), z)]) for z in (0.0, height)])


def _add_tube(spec: mujoco.MjSpec, name: str, bones: Array, count: int = 20) -> None:
    """Add a round skin along x, y, z, radius (N, 4)."""
    along = np.gradient(bones[:, :2], axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    left = np.column_stack([-along[:, 1], along[:, 0], np.zeros(len(bones))])
    angle = 2 * np.pi * np.arange(count) / count
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    across = np.stack([left, np.broadcast_to([0.0, 0.0, 1.0], left.shape)])
    rings = bones[:, None, :3] + np.einsum("ck,knd->ncd", circle, across) * bones[:, None, 3:]
    solid = loft(rings, [[name] * count] * (len(bones) - 1), name, name)
    spec.add_mesh(
        name=name,
        uservert=solid.vertices.ravel(),
        userface=solid.faces[:, ::-1].astype(np.int32).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )


def _bright(rng: np.random.Generator) -> Colour:
    hue = rng.choice(np.array([[0.78, 0.16, 0.2], [0.2, 0.35, 0.75], [0.9, 0.78, 0.2], [0.85, 0.85, 0.85],
                               [0.25, 0.6, 0.3], [0.5, 0.25, 0.6]]))  # fmt: skip
    r, g, b = np.clip(hue * rng.uniform(0.85, 1.1), 0, 1)
    return float(r), float(g), float(b), 1.0

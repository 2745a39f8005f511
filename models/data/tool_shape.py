"""What a tool's shape says of it: which part to track, its symmetry, its mass and centre."""

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hardware.geometry import Array, rotation_from_vector
from hardware.types import Mesh, SymmetryAxis
from models.data.mesh_check import check_mesh, face_areas, sample_texture, signed_volume

SAMPLES = 4000
ORDERS = (2, 3, 4, 5, 6, 8)
CONTINUOUS_STEP = 10.0  # [degrees] between the turns that stand for every angle
PLASTIC, WOOD, ALUMINIUM, STEEL = 1200.0, 700.0, 2700.0, 7850.0  # [kg/m^3]
Mask = NDArray[np.bool_]


def inside_box(mesh: Mesh, lower: Array, upper: Array) -> Mask:
    """Faces (F,) whose middle lies in the box; ValueError where there is none or the box is empty."""
    if not (np.asarray(lower) < np.asarray(upper)).all():
        raise ValueError(f"box: lower corner {_mm(lower)} is not below upper corner {_mm(upper)} mm")
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    return _some(((middle >= lower) & (middle <= upper)).all(axis=1), "box")


def beyond_plane(mesh: Mesh, axis: int, at: float, above: bool = True) -> Mask:
    """Faces (F,) whose middle lies above (or below) `at` [m] along an axis 0..2; ValueError where there is none."""
    middle = mesh.vertices[mesh.faces].mean(axis=1)[:, axis]
    return _some(middle >= at if above else middle <= at, "cut plane")


def _some(mask: NDArray[np.bool_], what: str) -> Mask:
    if not mask.any():
        raise ValueError(f"trackable: the {what} leaves no face to track; valid: at least one face")
    return np.asarray(mask, bool)


@dataclass(frozen=True, eq=False)
class SymmetryFound:
    """A proposal for a person: about which axis, through which point (3,) [m], and in words how well it fits.

    looks: the colours agree too; a tool whose shape is symmetric but whose pattern is not has no symmetry for a
    tracker that sees the pattern.
    """

    symmetry: SymmetryAxis
    point: Array
    looks: bool
    words: str


def find_symmetry(mesh: Mesh) -> SymmetryFound | None:
    """Look for the axis with the highest symmetry: every angle before many turns before few; None where none is.

    Candidates are the mesh's principal axes and the frame's own, through the centroid of the surface. Two samplings
    of the surface tell how near "the same" is; deterministic.
    """
    size = float(np.ptp(mesh.vertices[np.unique(mesh.faces)], axis=0).max())
    one, other = _Samples(mesh, 1), _Samples(mesh, 2)
    centre = _surface_centroid(mesh)
    tree = cKDTree(other.points)
    floor = _Misfit.of(one, other, tree, np.eye(3), centre)
    best: SymmetryFound | None = None
    for axis in _candidate_axes(mesh, centre):
        order, looks = _order_about(axis, centre, one, other, tree, floor, size)
        if order is not None and (best is None or _rank(order) > _rank(best.symmetry.order)):
            x, y, z = (float(v) for v in axis)
            best = SymmetryFound(SymmetryAxis((x, y, z), order), centre, looks, _words(axis, order, looks))
    return best


def symmetry_turns(symmetry: SymmetryAxis | None) -> Array:
    """Return the rotations (S, 3, 3) of a symmetry but for the identity; every angle: steps of 10 degrees."""
    if symmetry is None:
        return np.zeros((0, 3, 3))
    order = symmetry.order or round(360 / CONTINUOUS_STEP)
    angles = 2 * np.pi * np.arange(1, order) / order
    return rotation_from_vector(angles[:, None] * np.array(symmetry.axis))


@dataclass(frozen=True, eq=False)
class MassFound:
    """mass [kg], centre (3,) [m]; hull: the mesh is open, so that its convex hull stood in for it."""

    mass: float
    centre: Array
    hull: bool


def mass_of(mesh: Mesh, density: float) -> MassFound:
    """Return mass and centre of a body of one density [kg/m^3]; ValueError outside 10 to 25000."""
    if not 10 <= density <= 25_000:
        raise ValueError(f"density: {density:g} kg/m^3; valid: 10 to 25000")
    work, closed = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False), check_mesh(mesh).fine
    if not closed or signed_volume(mesh) <= 0:
        try:
            with np.errstate(invalid="ignore", divide="ignore"):  # a flat one has no centre
                work = work.convex_hull
        except Exception as error:  # a flat mesh has no hull; qhull says so in its own way
            raise ValueError(f"mass: the mesh encloses no volume ({type(error).__name__}); type it in") from error
    thick = float(work.volume) / float(np.prod(np.sort(np.ptp(work.vertices, axis=0))[1:]))
    if thick < 1e-5:
        raise ValueError("mass: the mesh encloses no volume; type it in")
    return MassFound(float(work.volume) * density, np.asarray(work.center_mass, float), not closed)


class _Samples:
    """Points spread evenly over the surface, with their colours where the mesh has any."""

    def __init__(self, mesh: Mesh, seed: int) -> None:
        rng = np.random.default_rng(seed)
        area = face_areas(mesh)
        at = (np.arange(SAMPLES) + rng.random(SAMPLES)) / SAMPLES  # stratified: the same share of every region
        face = np.minimum(np.searchsorted(np.cumsum(area) / area.sum(), at), len(area) - 1)
        u, v = np.sqrt(rng.random(SAMPLES)), rng.random(SAMPLES)
        weights = np.stack([1 - u, u * (1 - v), u * v], axis=1)
        self.points = np.einsum("nk,nkd->nd", weights, mesh.vertices[mesh.faces[face]])
        self.rgb: Array | None = None
        if mesh.texture is not None and mesh.uv is not None:
            self.rgb = sample_texture(mesh.texture, np.einsum("nk,nkd->nd", weights, mesh.uv[face])).astype(float)
        elif mesh.face_rgb is not None:
            self.rgb = mesh.face_rgb[face].astype(float)


@dataclass(frozen=True)
class _Misfit:
    """How far points of a turned surface are from the surface: mean and nearly the worst [m], and in colour."""

    mean: float
    worst: float
    colour: float

    @classmethod
    def of(cls, one: _Samples, other: _Samples, tree: "cKDTree", R: Array, centre: Array) -> "_Misfit":
        distance, index = tree.query((one.points - centre) @ R.T + centre)
        colour = 0.0
        if one.rgb is not None and other.rgb is not None:
            colour = float(np.abs(one.rgb - other.rgb[index]).mean())
        return cls(float(distance.mean()), float(np.quantile(distance, 0.995)), colour)


def _order_about(
    axis: Array, centre: Array, one: _Samples, other: _Samples, tree: "cKDTree", floor: _Misfit, size: float
) -> tuple[int | None, bool]:
    """Highest order about an axis (0: every angle; None: none), and whether the colours agree."""

    def fits(order: int) -> tuple[bool, bool]:
        R = rotation_from_vector(axis * (2 * np.pi / order))
        found = _Misfit.of(one, other, tree, R, centre)
        same = found.mean <= 1.15 * floor.mean + 1e-3 * size and found.worst <= 1.6 * floor.worst + 4e-3 * size
        return same, found.colour <= 1.5 * floor.colour + 6.0

    # turns that no common symmetry shares: only a body of revolution fits them all
    odd = [fits(order) for order in (7, 11, 13)]
    if all(same for same, _ in odd):
        return 0, all(looks for _, looks in odd)
    good = [(order, looks) for order in ORDERS for same, looks in [fits(order)] if same]
    return good[-1] if good else (None, False)


def _candidate_axes(mesh: Mesh, centre: Array) -> list[Array]:
    area = face_areas(mesh)
    middle = mesh.vertices[mesh.faces].mean(axis=1) - centre
    _, vectors = np.linalg.eigh(np.einsum("n,ni,nj->ij", area, middle, middle))
    axes: list[Array] = [*np.eye(3)]
    for vector in vectors.T:
        if all(abs(float(vector @ axis)) < 0.999 for axis in axes):
            axes.append(vector)
    return axes


def _surface_centroid(mesh: Mesh) -> Array:
    area = face_areas(mesh)
    return np.asarray((mesh.vertices[mesh.faces].mean(axis=1) * area[:, None]).sum(axis=0) / area.sum())


def _rank(order: int) -> int:
    return 1000 if order == 0 else order


def _words(axis: Array, order: int, looks: bool) -> str:
    name = next(("xyz"[k] for k in range(3) if abs(axis[k]) > 0.999), str([round(float(v), 2) for v in axis]))
    turns = "at every angle" if order == 0 else f"after each 1/{order} turn"
    but = "" if looks else ", but its colours differ, so that the tracker can tell: no symmetry is proposed"
    return f"the shape is the same {turns} about {name}{but}"


def _mm(values: Array) -> list[float]:
    return [round(1e3 * float(v), 1) for v in values]

"""Is a mesh fit to be a tool? Its unit, whether it is closed, whether it is too fine to track; and its repair."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hardware.geometry import Array
from hardware.tools import LARGEST, SCALE, SMALLEST, Units
from hardware.types import Image, Mesh

TYPICAL_M = 0.15  # longest side of a hand-held tool
HUGE_FACES = 20_000  # the tracker draws every face for every pose it tries
_NAMES: dict[Units, str] = {"mm": "millimetres", "cm": "centimetres", "m": "metres", "inch": "inches"}


@dataclass(frozen=True)
class UnitGuess:
    """unit: the likeliest; why: in words; sure: no other unit makes it a hand-held tool. A person confirms."""

    unit: Units
    why: str
    sure: bool


def guess_unit(extent: float, said_m: float | None = None) -> UnitGuess:
    """Guess the unit of a mesh from its largest side `extent`, or take what the file says (metres per unit).

    Never refuses: a person decides; the words say how large the tool would be, and which other units would fit.
    """
    sizes = {unit: extent * scale for unit, scale in SCALE.items()}
    fitting = [unit for unit, size in sizes.items() if SMALLEST <= size <= LARGEST]
    said = next((unit for unit, scale in SCALE.items() if said_m and abs(scale / said_m - 1) < 1e-6), None)
    if said is not None and said in fitting:
        return UnitGuess(said, f"the file says {_NAMES[said]}: largest side {_size(sizes[said])}", True)
    near = min(sizes, key=lambda unit: abs(float(np.log(max(sizes[unit], 1e-12) / TYPICAL_M))))
    doubt = f"the file says {_NAMES[said]}, but then it is {_size(sizes[said])}; " if said is not None else ""
    if not fitting:
        return UnitGuess(near, f"{doubt}largest side {extent:.4g}: no unit makes this a tool of 5 mm to 1 m", False)
    others = [f"in {_NAMES[unit]} {_size(sizes[unit])}" for unit in fitting if unit != near]
    why = f"{doubt}largest side {extent:.4g}: in {_NAMES[near]} {_size(sizes[near])}"
    return UnitGuess(near, f"{why}; {', '.join(others)}" if others else f"{why}; no other unit fits", not others)


def _size(metres: float) -> str:
    return f"{metres:.2f} m" if metres >= 1 else f"{1e3 * metres:.3g} mm"


@dataclass(frozen=True)
class MeshReport:
    """open_edges have one face, crowded_edges three or more; flipped: neighbouring faces that disagree about the
    outside; inside_out: closed, but facing inwards; pieces: connected components; faces: their number."""

    faces: int
    pieces: int
    open_edges: int
    crowded_edges: int
    flipped: int
    inside_out: bool

    @property
    def watertight(self) -> bool:
        return not (self.open_edges or self.crowded_edges or self.flipped)

    @property
    def fine(self) -> bool:
        return self.watertight and not self.inside_out

    @property
    def huge(self) -> bool:
        return self.faces > HUGE_FACES

    @property
    def words(self) -> str:
        """What a person needs to know, in a line."""
        wrong = [
            f"{count} {what}"
            for count, what in (
                (self.open_edges, "open edges"),
                (self.crowded_edges, "edges with over two faces"),
                (self.flipped, "edges where faces disagree about the outside"),
            )
            if count
        ]
        wrong += ["it is inside out"] if self.inside_out else []
        state = "not watertight: " + ", ".join(wrong) if wrong else "watertight"
        return f"{self.faces} faces in {self.pieces} piece{'s' if self.pieces > 1 else ''}, {state}"


def check_mesh(mesh: Mesh) -> MeshReport:
    """Look at how the faces hang together."""
    edges = mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    _, index, count = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    forward = np.bincount(index.reshape(-1), weights=np.where(edges[:, 0] < edges[:, 1], 1.0, -1.0))
    open_edges, crowded = int((count == 1).sum()), int((count > 2).sum())
    flipped = int(((count == 2) & (forward != 0)).sum())
    closed = not (open_edges or crowded or flipped)
    return MeshReport(
        faces=len(mesh.faces),
        pieces=int(components(mesh).max()) + 1,
        open_edges=open_edges,
        crowded_edges=crowded,
        flipped=flipped,
        inside_out=closed and signed_volume(mesh) < 0,
    )


def signed_volume(mesh: Mesh) -> float:
    """[m^3] that the faces enclose; negative where they face inwards."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] - mesh.vertices.mean(axis=0) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def components(mesh: Mesh) -> NDArray[np.int64]:
    """Return which connected piece each face (F,) belongs to, numbered from the largest area down."""
    labels = trimesh.graph.connected_component_labels(
        np.stack([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]]).reshape(-1, 2), node_count=len(mesh.vertices)
    )[mesh.faces[:, 0]]
    area = np.bincount(labels, weights=face_areas(mesh))
    rank = np.empty(len(area), np.int64)
    rank[np.argsort(-area, kind="stable")] = np.arange(len(area))
    return np.asarray(rank[labels])


def face_areas(mesh: Mesh) -> Array:
    """(F,) [m^2]"""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)


def repair(mesh: Mesh) -> tuple[Mesh, NDArray[np.int64], tuple[str, ...]]:
    """Drop doubled faces, agree on the outside, close holes; return the mesh, each face's old number (or that of a
    neighbour, for a new face), and what was changed in words."""
    before = check_mesh(mesh)
    kept = np.sort(np.unique(np.sort(mesh.faces, axis=1), axis=0, return_index=True)[1])
    said = [f"dropped {_faces(len(mesh.faces) - len(kept), 'doubled ')}"] if len(kept) < len(mesh.faces) else []
    work = trimesh.Trimesh(mesh.vertices, mesh.faces[kept], process=False)
    trimesh.repair.fix_winding(work)
    count = len(work.faces)
    if before.open_edges:
        trimesh.repair.fill_holes(work, use_fan=True)
    trimesh.repair.fix_inversion(work, multibody=True)
    faces = np.asarray(work.faces, np.int32)
    turned = int((np.sort(faces[:count], axis=1) == np.sort(mesh.faces[kept], axis=1)).all()) and _turned(
        mesh.faces[kept], faces[:count]
    )
    said += [f"turned {_faces(turned)} outwards"] if turned else []
    said += [f"closed holes with {_faces(len(faces) - count)}"] if len(faces) > count else []
    old = np.concatenate([kept, kept[_neighbours(faces, count)]])
    fixed = _with_faces(mesh, mesh.vertices, faces, old)
    return fixed, old, tuple(said)


def _faces(count: int, kind: str = "") -> str:
    return f"{count} {kind}face" if count == 1 else f"{count} {kind}faces"


def _turned(before: NDArray[np.int32], after: NDArray[np.int32]) -> int:
    """How many triangles run the other way round."""
    first = np.argmax(after == before[:, :1], axis=1)
    following = after[np.arange(len(after)), (first + 1) % 3]
    return int((following != before[:, 1]).sum())


def _neighbours(faces: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """For each face from `count` on, an older face that shares a vertex with it."""
    owner = np.zeros(int(faces.max()) + 1, np.int64)
    owner[faces[:count].reshape(-1)] = np.repeat(np.arange(count), 3)
    return np.asarray(owner[faces[count:, 0]])


def decimate(mesh: Mesh, faces: int = HUGE_FACES) -> tuple[Mesh, NDArray[np.int64]]:
    """Return the mesh with about so many faces, and for each the old face that lies nearest.

    A texture becomes one colour a face. Raises ValueError where nothing is left.
    """
    work = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    thin = work.simplify_quadric_decimation(face_count=faces)
    new_faces, vertices = np.asarray(thin.faces, np.int32), np.asarray(thin.vertices, float)
    a, b, c = new_faces.T
    new_faces = new_faces[(a != b) & (b != c) & (c != a)]
    if not len(new_faces):
        raise ValueError(f"faces: nothing is left of {len(mesh.faces)} faces at {faces}; valid: more faces")
    tree = cKDTree(mesh.vertices[mesh.faces].mean(axis=1))
    old = np.asarray(tree.query(vertices[new_faces].mean(axis=1))[1], np.int64)
    rgb = face_colours(mesh)
    return Mesh(vertices, new_faces, face_rgb=None if rgb is None else rgb[old]), old


def face_colours(mesh: Mesh) -> Image | None:
    """(F, 3), the texture's colour in the middle of each face, or the face's own; None for a plain mesh."""
    if mesh.texture is None or mesh.uv is None:
        return mesh.face_rgb
    return sample_texture(mesh.texture, mesh.uv.mean(axis=1))


def sample_texture(texture: Image, uv: NDArray[Any]) -> Image:
    """Return the colours (N, 3) of a texture (H, W, 3) at uv (N, 2), v up."""
    height, width = texture.shape[:2]
    x = np.clip((uv[:, 0] % 1.0) * width, 0, width - 1).astype(int)
    y = np.clip((1.0 - uv[:, 1] % 1.0) * height, 0, height - 1).astype(int)
    return np.asarray(texture[y, x])


def _with_faces(mesh: Mesh, vertices: Array, faces: NDArray[np.int32], old: NDArray[np.int64]) -> Mesh:
    """Return a mesh of other faces; appearance comes from the faces `old`, corner by corner where they meet."""
    rgb = None if mesh.face_rgb is None else mesh.face_rgb[old]
    if mesh.uv is None:
        return Mesh(vertices, faces, face_rgb=rgb)
    # a turned face keeps its corners' coordinates, a new one takes what its neighbour has at the corner they share
    match = faces[:, :, None] == mesh.faces[old][:, None, :]
    corner = np.where(match.any(axis=2), match.argmax(axis=2), 0)
    uv = np.take_along_axis(mesh.uv[old], corner[:, :, None], axis=1)
    return Mesh(vertices, faces, uv=uv, texture=mesh.texture)

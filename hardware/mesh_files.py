"""Reads a mesh file (OBJ, PLY, STL, 3MF) as it is: numbers in the file's own unit, texture or colours kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.mesh_3mf import read_3mf
from hardware.mesh_guard import guard, is_binary_stl
from hardware.types import Image, Mesh, require

MESH_SUFFIXES = (".obj", ".ply", ".stl", ".3mf")


@dataclass(frozen=True, eq=False)
class MeshFile:
    """vertices (V, 3) in the file's unit; faces (F, 3); uv (F, 3, 2) with texture (H, W, 3), or face_rgb (F, 3), or
    nothing; unit_m: the unit in metres where the file itself says it (3MF), else None."""

    vertices: Array
    faces: NDArray[np.int64]
    uv: NDArray[np.float32] | None = None
    texture: Image | None = None
    face_rgb: Image | None = None
    unit_m: float | None = None

    @property
    def extent(self) -> float:
        """Largest side of the bounding box of all faces, in the file's unit."""
        used = self.vertices[np.unique(self.faces)]
        return float(np.ptp(used, axis=0).max())


def read_mesh_file(path: Path) -> MeshFile:
    """Read a mesh. Raises ValueError naming file and field, FileNotFoundError where there is no such file."""
    suffix = path.suffix.lower()
    require(suffix in MESH_SUFFIXES, f"{path}: mesh: {suffix or 'no suffix'} is not one of {list(MESH_SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such mesh")
    guard(path)
    if suffix == ".3mf":
        vertices, faces, rgb, unit = read_3mf(path)
        found = MeshFile(vertices, faces, face_rgb=rgb, unit_m=unit)
    else:
        found = _by_trimesh(path)
    require(len(found.vertices) > 0 and len(found.faces) > 0, f"{path}: mesh is empty: it has no faces")
    require(bool(np.isfinite(found.vertices).all()), f"{path}: vertices: one is nan or inf")
    lowest, highest = int(found.faces.min()), int(found.faces.max())
    require(
        lowest >= 0 and highest < len(found.vertices),
        f"{path}: faces: one names vertex {highest if lowest >= 0 else lowest} of {len(found.vertices)}",
    )
    require(float(np.abs(found.vertices).max()) < 1e9, f"{path}: vertices: one is over 1e9 units away")
    return found


def to_metres(found: MeshFile, scale: float, path: Path | str = "mesh") -> Mesh:
    """Return the mesh in metres: corners that were split for their texture joined, faces without area dropped."""
    vertices, faces, kept = _welded(found.vertices * scale, found.faces)
    require(len(faces) > 0, f"{path}: mesh is empty: every face has no area")
    return Mesh(
        vertices=vertices,
        faces=faces,
        uv=None if found.uv is None else found.uv[kept],
        texture=found.texture,
        face_rgb=None if found.face_rgb is None else found.face_rgb[kept],
    )


def _by_trimesh(path: Path) -> MeshFile:
    kind = path.suffix.lower().lstrip(".")
    if kind == "stl":
        kind = "stl" if is_binary_stl(path) else "stl_ascii"
    try:
        loaded = trimesh.load_mesh(str(path), process=False, file_type=kind)
        uv, texture, face_rgb = _appearance(loaded)
        vertices, faces = np.asarray(loaded.vertices, float), np.asarray(loaded.faces, np.int64)
    except Exception as error:  # the readers of the formats raise whatever they trip over
        raise ValueError(f"{path}: mesh: cannot be read ({type(error).__name__}: {error})") from error
    return MeshFile(vertices.reshape(-1, 3), faces.reshape(-1, 3), uv, texture, face_rgb)


def _appearance(loaded: Any) -> tuple[NDArray[np.float32] | None, Image | None, Image | None]:
    """Texture with uv by corner, else one colour a face where there is more than one, else nothing."""
    visual, faces = loaded.visual, np.asarray(loaded.faces)
    if visual.kind == "texture" and visual.uv is not None:
        material = visual.material
        image = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
        if image is not None:
            texture = np.asarray(image.convert("RGB"), np.uint8)
            return np.asarray(visual.uv, np.float32)[faces], texture, None
        return None, None, None
    if visual.kind in ("face", "vertex"):
        face_rgb = np.asarray(visual.face_colors, np.uint8)[:, :3]
        if len(np.unique(face_rgb, axis=0)) > 1:
            return None, None, face_rgb
    return None, None, None


def _welded(vertices: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int32], NDArray[np.bool_]]:
    """Join corners that were split for their texture coordinates; drop faces that have no area."""
    _, first, index = np.unique(np.round(vertices, 8), axis=0, return_index=True, return_inverse=True)
    welded = index.reshape(-1)[faces].astype(np.int32)
    a, b, c = welded.T
    kept = (a != b) & (b != c) & (c != a)
    return vertices[first], welded[kept], kept

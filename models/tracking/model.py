"""A tool's mesh made ready for rendering thousands of times: flat arrays, mip levels, groups of faces."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Mesh, Tool
from models.tracking.pictures import Floats, opponent

MAX_GROUPS = 6
SAME_FACING = 0.8  # cosine: faces within about 37 degrees share one shade


@dataclass(frozen=True, eq=False)
class ToolModel:
    """What the renderer needs of a tool.

    vertices (V, 3) about the centre of the tracked part [m]; centre (3,) in the tool frame; faces (F, 3);
    colour (F, 3) of faces without texture and uv (F, 3, 2) in 0..1, v down, of those with (textured_face (F,));
    mips: all levels of the texture end to end, mip_shape (M, 3) offset, height, width; group (F,) faces that are
    lit alike; used (F,) faces that the tracker may look at; radius [m]; plain: no colour is known.
    """

    name: str
    vertices: Array
    centre: Array
    faces: NDArray[np.int32]
    colour: Floats
    uv: Floats
    textured_face: NDArray[np.bool_]
    mips: Floats
    mip_shape: NDArray[np.int64]
    group: NDArray[np.int32]
    used: NDArray[np.bool_]
    radius: float
    plain: bool
    symmetry: Array

    @property
    def groups(self) -> int:
        return int(self.group.max()) + 1


def prepare(tool: Tool) -> ToolModel:
    """Return the model of a tool; raises ValueError if no face may be tracked."""
    mesh = tool.mesh
    used = np.ones(len(mesh.faces), bool) if tool.trackable is None else tool.trackable
    if used.shape != (len(mesh.faces),) or not used.any():
        raise ValueError(f"tool {tool.name}: trackable {used.shape} must mark some of its {len(mesh.faces)} faces")
    corners = mesh.vertices[np.unique(mesh.faces[used])]
    centre = (corners.min(axis=0) + corners.max(axis=0)) / 2
    mips, shapes = _mip_levels(mesh)
    return ToolModel(
        name=tool.name,
        vertices=np.ascontiguousarray(mesh.vertices - centre, np.float64),
        centre=centre,
        faces=np.ascontiguousarray(mesh.faces, np.int32),
        colour=_face_colours(mesh),
        uv=_image_uv(mesh),
        textured_face=np.full(len(mesh.faces), mesh.texture is not None),
        mips=mips,
        mip_shape=shapes,
        group=_groups(mesh),
        used=np.ascontiguousarray(used),
        radius=float(np.linalg.norm(corners - centre, axis=1).max()),
        plain=not mesh.textured,
        symmetry=tool.symmetry,
    )


def _image_uv(mesh: Mesh) -> Floats:
    if mesh.uv is None:
        return np.zeros((len(mesh.faces), 3, 2), np.float32)
    return np.ascontiguousarray(mesh.uv * [1.0, -1.0] + [0.0, 1.0], np.float32)


def _face_colours(mesh: Mesh) -> Floats:
    if mesh.face_rgb is not None:
        return np.ascontiguousarray(opponent(mesh.face_rgb), np.float32)
    return np.tile(np.array([0.5, 0.0, 0.0], np.float32), (len(mesh.faces), 1))


def _mip_levels(mesh: Mesh) -> tuple[Floats, NDArray[np.int64]]:
    if mesh.texture is None:
        return np.zeros((1, 3), np.float32), np.array([[0, 1, 1]])
    level, levels = opponent(mesh.texture), []
    while True:
        levels.append(level)
        if min(level.shape[:2]) < 8:
            break
        level = cv2.resize(level, (level.shape[1] // 2, level.shape[0] // 2), interpolation=cv2.INTER_AREA)
    offsets = np.cumsum([0] + [x.shape[0] * x.shape[1] for x in levels[:-1]])
    shapes = np.array([[o, *x.shape[:2]] for o, x in zip(offsets, levels, strict=True)])
    return np.concatenate([x.reshape(-1, 3) for x in levels]).astype(np.float32), shapes


def _groups(mesh: Mesh) -> NDArray[np.int32]:
    """Group faces by where they look: what looks the same way is lit the same way."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    unit = normal / np.maximum(area, 1e-12)[:, None]
    left = area.copy()
    axes: list[Array] = []
    while len(axes) < MAX_GROUPS and left.max() > 0:
        # the direction that most of the area still without a group shares
        seeds = unit[np.argsort(-left)[:64]]
        shared = ((seeds @ unit.T) > SAME_FACING) @ left
        axis = seeds[int(np.argmax(shared))]
        axes.append(axis)
        left[unit @ axis > SAME_FACING] = 0
    return np.asarray(np.argmax(unit @ np.array(axes).T, axis=1), np.int32)

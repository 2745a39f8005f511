"""A tool's outline, axes and path in a picture: projected feature edges of its mesh, pure numpy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply
from hardware.types import Camera, Mesh


@dataclass(frozen=True, eq=False)
class MeshEdges:
    """What of a mesh does not change with its pose; see `mesh_edges`.

    edges (E, 2) vertex indices, faces (E, 2) the faces on both sides (-1: none), crease (E,) whether they meet at
    an angle.
    """

    vertices: Array
    normals: Array
    anchors: Array
    edges: NDArray[np.int64]
    faces: NDArray[np.int64]
    crease: NDArray[np.bool_]


def mesh_edges(mesh: Mesh, crease_deg: float = 35.0) -> MeshEdges:
    """Find the edges of a mesh once; vertices at the same place count as one."""
    raise NotImplementedError


def outline(edges: MeshEdges, T_cam_tool: Array, camera: Camera) -> tuple[list[Array], Array]:
    """Return the outline's polylines, each (N, 2) [px], and the visible creases (S, 2, 2) [px]."""
    raise NotImplementedError


def project_points(camera: Camera, points_cam: Array) -> Array:
    """Return pixels (N, 2) of points (N, 3) [m] in the camera frame, with its distortion; nan behind it."""
    raise NotImplementedError


def project_axes(camera: Camera, T_cam_tool: Array, length: float = 0.04) -> Array:
    """Return (4, 2) [px]: the tool frame's origin and the ends of its x, y, z axes of that length [m]."""
    points = np.vstack([np.zeros(3), length * np.eye(3)])
    return project_points(camera, apply(T_cam_tool, points))


def tip_path(camera: Camera, T_cam_tool: Array, tip: Array) -> Array:
    """Return (T, 2) [px] where the tip (3,) of poses (T, 4, 4) goes; nan where a pose is nan or behind."""
    return project_points(camera, apply(T_cam_tool, np.asarray(tip)[None])[:, 0])

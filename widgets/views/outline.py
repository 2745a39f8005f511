"""A tool's outline, axes and path in a picture: projected feature edges of its mesh, pure numpy."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, inverse
from hardware.types import Camera, Mesh

SAMPLES = 320  # pieces that are tested for being hidden; more pieces cut partly hidden edges more exactly
NEARER = 2e-3  # relative depth by which a face must lie in front of a line to hide it


@dataclass(frozen=True, eq=False)
class MeshEdges:
    """What of a mesh does not change with its pose; see `mesh_edges`.

    vertices (V, 3); triangles (F, 3); normals (F, 3) outward, not unit; edges (E, 2) vertex indices; sides (E, 2)
    the faces on both sides of an edge, the same one twice at a border; crease (E,) whether they meet at an angle.
    """

    vertices: Array
    triangles: NDArray[np.int64]
    normals: Array
    edges: NDArray[np.int64]
    sides: NDArray[np.int64]
    crease: NDArray[np.bool_]


def mesh_edges(mesh: Mesh, crease_deg: float = 35.0) -> MeshEdges:
    """Find the edges of a mesh once; vertices at the same place count as one, faces without area do not count."""
    _, first, merged = np.unique(np.round(mesh.vertices, 7), axis=0, return_index=True, return_inverse=True)
    vertices, triangles = mesh.vertices[first], merged.reshape(-1)[mesh.faces]
    a, b, c = vertices[triangles.T]
    normals = np.cross(b - a, c - a)
    solid = np.linalg.norm(normals, axis=1) > 1e-14
    triangles, normals = triangles[solid], normals[solid]
    edges, sides = _edges_and_sides(triangles)
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    cosine = np.sum(unit[sides[:, 0]] * unit[sides[:, 1]], axis=1)
    return MeshEdges(vertices, triangles, normals, edges, sides, cosine < np.cos(np.radians(crease_deg)))


def _edges_and_sides(triangles: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    halves = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    face = np.repeat(np.arange(len(triangles)), 3)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    edges, start = np.unique(halves[order], axis=0, return_index=True)
    end = np.append(start[1:], len(order)) - 1
    return edges, np.stack([face[order[start]], face[order[end]]], axis=1)


def outline(edges: MeshEdges, T_cam_tool: Array, camera: Camera) -> tuple[list[Array], Array]:
    """Return what can be seen of a tool's edges: outline polylines, each (N, 2) [px], and creases (S, 2, 2) [px].

    The outline is where front meets back, creases are sharp edges between two front faces; parts behind the tool
    itself are left out (tested at pieces of an edge), as is everything when the tool is not in front of the camera.
    """
    points = apply(T_cam_tool, edges.vertices)
    if not np.isfinite(T_cam_tool).all() or points[:, 2].min() < 1e-3:
        return [], np.zeros((0, 2, 2))
    eye = inverse(T_cam_tool)[:3, 3]
    front = np.einsum("ij,ij->i", edges.normals, eye - edges.vertices[edges.triangles[:, 0]]) > 0
    sides = front[edges.sides]
    border = edges.sides[:, 0] == edges.sides[:, 1]
    rim = (sides[:, 0] != sides[:, 1]) | (border & sides[:, 0])
    crease = edges.crease & sides.all(axis=1) & ~border
    ends, is_rim = _pieces(points, edges.edges, rim, crease)
    seen = _visible(ends.mean(axis=1), points[edges.triangles[front]])
    pixels = project_points(camera, ends[seen].reshape(-1, 3)).reshape(-1, 2, 2)
    return _chain(pixels[is_rim[seen]]), pixels[~is_rim[seen]]


def _pieces(
    points: Array, edges: NDArray[np.int64], rim: NDArray[np.bool_], crease: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_]]:
    """Cut the chosen edges into pieces (P, 2, 3), as many as the budget allows; also which are of the rim."""
    chosen = np.flatnonzero(rim | crease)
    cuts = int(np.clip(SAMPLES // max(len(chosen), 1), 1, 8))
    a, b = points[edges[chosen, 0]], points[edges[chosen, 1]]
    s = np.linspace(0, 1, cuts + 1)[:, None, None]
    along = a + s * (b - a)
    ends = np.stack([along[:-1], along[1:]], axis=2).reshape(-1, 2, 3)
    return ends, np.tile(rim[chosen], cuts)


def _visible(points: Array, faces: Array) -> NDArray[np.bool_]:
    """Return (P,) whether no face (F, 3, 3) hides a point (P, 3), all in the camera frame.

    In the image plane the inverse depth of a face and its three edge functions are affine, so that all pairs are
    four matrix products.
    """
    # products this small stay on one thread: two threads of BLAS are slower where the cores are busy
    step = max(80_000 // max(len(faces), 1), 1)
    corners = faces / faces[:, :, 2:]
    # seen from the front an outward face turns clockwise in image axes (y down): inside, all three are negative
    planes = [np.cross(corners[:, i], corners[:, (i + 1) % 3]) for i in range(3)]
    flat = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    planes.append(flat / np.sum(flat * faces[:, 0], axis=1)[:, None])
    affine = [plane.astype(np.float32).T for plane in planes]
    uv1 = np.column_stack([points[:, :2] / points[:, 2:], np.ones(len(points))]).astype(np.float32)
    limit = ((1 + NEARER) / points[:, 2:]).astype(np.float32)
    hidden = [_hidden(uv1[a : a + step], limit[a : a + step], affine) for a in range(0, len(points), step)]
    return ~np.concatenate(hidden) if hidden else np.zeros(0, bool)


def _hidden(
    uv1: NDArray[np.float32], limit: NDArray[np.float32], affine: list[NDArray[np.float32]]
) -> NDArray[np.bool_]:
    nearer = uv1 @ affine[3] > limit
    for line in affine[:3]:
        nearer &= uv1 @ line < 0
    return np.asarray(nearer.any(axis=1))


def _chain(segments: Array) -> list[Array]:
    """Join segments (S, 2, 2) that share an end into polylines."""
    keys = np.round(segments * 16).astype(np.int64)
    at: dict[tuple[int, int], list[int]] = {}
    nodes = [(tuple(a), tuple(b)) for a, b in keys.tolist()]
    for i, (a, b) in enumerate(nodes):
        at.setdefault(a, []).append(i)
        at.setdefault(b, []).append(i)
    free, lines = set(range(len(nodes))), []
    # open ends first, so that a line is not begun in its middle
    for i in sorted(free, key=lambda i: min(len(at[nodes[i][0]]), len(at[nodes[i][1]]))):
        if i in free:
            lines.append(_follow(i, nodes, at, free, segments))
    return lines


def _follow(
    i: int,
    nodes: list[tuple[tuple[int, int], tuple[int, int]]],
    at: dict[tuple[int, int], list[int]],
    free: set[int],
    segments: Array,
) -> Array:
    start = 0 if len(at[nodes[i][0]]) <= len(at[nodes[i][1]]) else 1
    line = [segments[i, start]]
    while True:
        free.discard(i)
        line.append(segments[i, 1 - start])
        node = nodes[i][1 - start]
        i = next((j for j in at[node] if j in free), -1)
        if i < 0:
            return np.array(line)
        start = 0 if nodes[i][0] == node else 1


def project_points(camera: Camera, points_cam: Array) -> Array:
    """Return pixels (N, 2) of points (N, 3) [m] in the camera frame, nan at or behind the camera.

    Distortion in OpenCV's order: pinhole k1 k2 p1 p2 k3 k4 k5 k6, fisheye k1 k2 k3 k4 (equidistant).
    """
    p = np.asarray(points_cam, float)
    depth = np.where(p[:, 2:] > 1e-9, p[:, 2:], np.nan)
    xy = p[:, :2] / depth
    if camera.distortion.size or camera.model == "fisheye":
        xy = _fisheye(xy, camera.distortion) if camera.model == "fisheye" else _brown(xy, camera.distortion)
    return np.asarray(xy @ camera.K[:2, :2].T + camera.K[:2, 2])


def _brown(xy: Array, distortion: Array) -> Array:
    k1, k2, p1, p2, k3, k4, k5, k6 = np.pad(distortion, (0, 8))[:8]
    x, y = xy.T
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    dx = 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    dy = p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return np.stack([x * radial + dx, y * radial + dy], axis=1)


def _fisheye(xy: Array, distortion: Array) -> Array:
    k = np.pad(distortion, (0, 4))[:4]
    r = np.linalg.norm(xy, axis=1)
    angle = np.arctan(r)
    a2 = angle * angle
    bent = angle * (1 + a2 * (k[0] + a2 * (k[1] + a2 * (k[2] + a2 * k[3]))))
    return np.asarray(xy * np.where(r > 1e-12, bent / np.where(r > 1e-12, r, 1.0), 1.0)[:, None])


def project_axes(camera: Camera, T_cam_tool: Array, length: float = 0.04) -> Array:
    """Return (4, 2) [px]: the tool frame's origin and the ends of its x, y, z axes of that length [m]."""
    points = np.vstack([np.zeros(3), length * np.eye(3)])
    return project_points(camera, apply(T_cam_tool, points))


def tip_path(camera: Camera, T_cam_tool: Array, tip: Array) -> Array:
    """Return (T, 2) [px] where the tip (3,) of poses (T, 4, 4) goes; nan where a pose is nan or behind."""
    return project_points(camera, apply(T_cam_tool, np.asarray(tip)[None])[:, 0])


def main() -> None:
    """Print what an outline of a sphere of 2,000 faces costs."""
    from widgets.views.made_up_mesh import ball

    camera = Camera("demo", np.array([[900.0, 0, 384], [0, 900, 224], [0, 0, 1]]), (768, 448))
    mesh = ball(rings=24, sectors=44)
    edges, T_cam_tool = mesh_edges(mesh), np.eye(4)
    T_cam_tool[2, 3] = 0.8
    start = time.perf_counter()
    for _ in range(100):
        lines, creases = outline(edges, T_cam_tool, camera)
    took = (time.perf_counter() - start) * 10
    print(f"{len(mesh.faces)} faces: {took:.2f} ms, {len(lines)} lines, {len(creases)} creases")


if __name__ == "__main__":
    main()

"""Distances of the arms and their tools to themselves, each other, the table and the keep-out boxes.

Links and tools are convex hulls. A cheap bound (capsules around the hulls, all samples and pairs at once) finds
where something is near; only there MuJoCo computes the distance of the hulls. The result never says more than the
true distance of the hulls, neither at the samples nor between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import mujoco
import numpy as np

from hardware.arm_model import hull, link_hulls, link_poses, mounted_hull
from hardware.geometry import Array, apply, rotation_from_quaternion, transform
from hardware.rig import ArmConfig, Rig
from hardware.types import Box, Mesh, Tool, require

Kind = Literal["self", "arms", "keep-out", "table", "tool-table"]
KINDS: tuple[Kind, ...] = ("self", "arms", "keep-out", "table", "tool-table")
EXACT_BELOW = 0.05
FAR = 10.0

# Pairs of one arm's parts that cannot meet: neighbours, and what a semantic description (SRDF; of xarm_ros2, and of
# ur_description in example-robot-data) leaves out. Parts are counted from the base; the tool comes last.
_UR_NEVER = frozenset({(0, 2), (3, 5), (3, 6), (4, 6)})
_NEVER: Mapping[str, frozenset[tuple[int, int]]] = {
    "ur5": _UR_NEVER,
    "ur5e": _UR_NEVER,
    "xarm7": frozenset({(0, 2), (0, 3), (1, 3), (1, 4), (3, 5), (3, 6), (3, 7), (4, 6), (4, 7), (5, 7)}),
}


@dataclass(frozen=True, eq=False)
class Clearance:
    """Smallest distances over N samples: distance[kind] (N,) [m] and between which parts, pair[kind] (N,) words."""

    distance: Mapping[Kind, Array]
    pair: Mapping[Kind, tuple[str, ...]]

    @property
    def nearest(self) -> Array:
        """(N,) [m] over all kinds but the tool's distance to the table, which it may work on."""
        return np.asarray(np.min([self.distance[kind] for kind in KINDS if kind != "tool-table"], axis=0))


@dataclass(frozen=True, eq=False)
class _Part:
    """A convex body: owner "" for keep-outs; link index on its owner; ends (2, 3) and radius of its capsule [m]."""

    owner: str
    name: str
    link: int
    mesh: Mesh
    T_link_part: Array
    ends: Array
    radius: float

    @property
    def words(self) -> str:
        return f"{self.owner} {self.name}" if self.owner else self.name


@dataclass(frozen=True)
class _Pair:
    first: int
    second: int
    kind: Kind


class CollisionModel:
    """The rig's arms with their tools (by arm name), table and keep-outs. Not to be shared between threads."""

    def __init__(self, rig: Rig, tools: Mapping[str, Tool]) -> None:
        self._arms = rig.arms
        strangers = set(tools) - {arm.name for arm in rig.arms}
        require(not strangers, f"tools of {sorted(strangers)}: the rig's arms are {[a.name for a in rig.arms]}")
        self._parts = [part for arm in rig.arms for part in _arm_parts(arm, tools.get(arm.name))]
        self._parts += [_box_part(box) for box in rig.keep_out]
        self._pairs = _pairs(self._parts, {arm.name: arm.model for arm in rig.arms})
        self._over_table = [i for i, part in enumerate(self._parts) if part.owner and part.link >= 2]
        self._model = _hull_model(self._parts)
        self._data = mujoco.MjData(self._model)
        self._T_part_geom = transform(rotation_from_quaternion(self._model.geom_quat), self._model.geom_pos)

    def distance(self, q: Mapping[str, Array]) -> tuple[float, str]:
        """Return the nearest distance [m] and its pair in words, for the joints (J,) of every arm.

        Distances above 50 mm are lower bounds. The tools' own distance to the table is left out.
        """
        clearance = self.check({arm: np.asarray(joints, float)[None] for arm, joints in q.items()})
        kind = min((k for k in KINDS if k != "tool-table"), key=lambda k: float(clearance.distance[k][0]))
        return float(clearance.distance[kind][0]), clearance.pair[kind][0]

    def check(self, q: Mapping[str, Array], between: bool = True) -> Clearance:
        """Return the distances along joints (N, J) by arm name, all arms of the rig.

        Each sample also answers for the motion half way to its neighbours: what the parts may cover there is
        taken off (between=False: the samples are unrelated). Distances above 50 mm are lower bounds.
        """
        missing = {arm.name for arm in self._arms} ^ set(q)
        require(not missing, f"collision: joints are needed of {[a.name for a in self._arms]}; {sorted(missing)}?")
        poses = self._poses({arm: np.asarray(joints, float) for arm, joints in q.items()})
        moved = self._moved(poses) if between else np.full(poses.shape[:2], np.inf)
        slack = moved if between else np.zeros_like(moved)
        distances = [self._pair_distances(poses, moved, slack), self._heights(poses) - slack[:, self._over_table]]
        columns = [(p.kind, f"{self._parts[p.first].words} and {self._parts[p.second].words}") for p in self._pairs]
        columns += [
            ("table" if part.name != "tool" else "tool-table", f"{part.words} and table")
            for part in (self._parts[i] for i in self._over_table)
        ]
        return _by_kind(np.concatenate(distances, axis=1), columns)

    def _poses(self, q: Mapping[str, Array]) -> Array:
        """T_world_part (N, P, 4, 4)."""
        n = len(next(iter(q.values())))
        poses = np.empty((n, len(self._parts), 4, 4))
        links = {a.name: a.T_world_base @ link_poses(a.model, q[a.name]) for a in self._arms}
        for i, part in enumerate(self._parts):
            poses[:, i] = links[part.owner][:, part.link] @ part.T_link_part if part.owner else part.T_link_part
        return poses

    def _moved(self, poses: Array) -> Array:
        """(N, P) [m] how far a point of the part may get on the way to the middle of the neighbouring samples."""
        corners = np.stack([_corners(part.mesh) for part in self._parts])
        world = apply(poses, corners)
        step = np.linalg.norm(np.diff(world, axis=0), axis=-1).max(axis=-1)
        half = np.zeros(poses.shape[:2])
        half[:-1] = step / 2
        half[1:] = np.maximum(half[1:], step / 2)
        return half

    def _pair_distances(self, poses: Array, moved: Array, slack: Array) -> Array:
        """(N, pairs) [m], less the slack (N, P) of both parts."""
        first = np.array([pair.first for pair in self._pairs], int)
        second = np.array([pair.second for pair in self._pairs], int)
        ends = apply(poses, np.stack([part.ends for part in self._parts]))
        radius = np.array([part.radius for part in self._parts])
        gap = _segment_distance(ends[:, first], ends[:, second]) - radius[first] - radius[second]
        pair_moved, pair_slack = moved[:, first] + moved[:, second], slack[:, first] + slack[:, second]
        for column in np.flatnonzero((gap - pair_slack < EXACT_BELOW).any(axis=0)):
            self._refine(gap[:, column], pair_moved[:, column], pair_slack[:, column], poses, self._pairs[column])
        return np.asarray(gap - pair_slack)

    def _refine(self, gap: Array, moved: Array, slack: Array, poses: Array, pair: _Pair) -> None:
        """Raise the bounds `gap` (N,) to the hulls' own distance where it matters."""
        known = -np.inf
        for i in range(len(gap)):
            # the pair's parts come nearer by at most their own motion since the last exact answer
            known -= moved[i] + (moved[i - 1] if i else 0.0)
            gap[i] = max(gap[i], known)
            if gap[i] - slack[i] < EXACT_BELOW:
                gap[i] = known = self._exact(poses[i], pair)

    def _exact(self, poses: Array, pair: _Pair) -> float:
        for part in (pair.first, pair.second):
            T = poses[part] @ self._T_part_geom[part]
            self._data.geom_xpos[part] = T[:3, 3]
            self._data.geom_xmat[part] = T[:3, :3].ravel()
        return float(mujoco.mj_geomDistance(self._model, self._data, pair.first, pair.second, FAR, None))

    def _heights(self, poses: Array) -> Array:
        """(N, parts that may get near the table) [m] of the lowest point."""
        lowest = [
            (poses[:, i, 2, :3] @ self._parts[i].mesh.vertices.T).min(axis=1) + poses[:, i, 2, 3]
            for i in self._over_table
        ]
        return np.stack(lowest, axis=1)


def _arm_parts(arm: ArmConfig, tool: Tool | None) -> list[_Part]:
    parts = [_part(arm.name, name, i, mesh) for i, (name, mesh) in enumerate(link_hulls(arm.model))]
    if tool is None:
        return parts
    mounted = _part(arm.name, "tool", len(parts) - 1, mounted_hull(tool))
    return [*parts, replace(mounted, T_link_part=tool.T_flange_tool)]


def _box_part(box: Box) -> _Part:
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]) * box.size
    mesh = hull(Mesh(corners, np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5]], np.int32)))
    return replace(_part("", box.name, 0, mesh), T_link_part=box.T_world_box)


def _part(owner: str, name: str, link: int, mesh: Mesh) -> _Part:
    ends, radius = _capsule(mesh.vertices)
    return _Part(owner, name, link, mesh, np.eye(4), ends, radius)


def _capsule(points: Array) -> tuple[Array, float]:
    """Return a capsule (ends (2, 3), radius) that holds points (V, 3): along the longest principal axis."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    axis = np.linalg.svd(points - centre, full_matrices=False)[2][0]
    along = (points - centre) @ axis
    middle, half = (along.max() + along.min()) / 2, (along.max() - along.min()) / 2
    across = np.linalg.norm(points - centre - along[:, None] * axis, axis=1).max()
    reach = max(half - across, 0.0)
    ends = centre + np.outer([middle - reach, middle + reach], axis)
    on_axis = np.clip(along, middle - reach, middle + reach)
    radius = np.linalg.norm(points - centre - on_axis[:, None] * axis, axis=1).max()
    return ends, float(radius)


def _corners(mesh: Mesh) -> Array:
    """(8, 3) corners of the box around a mesh: one of them moves further than any point of the mesh."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    return np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])


def _pairs(parts: list[_Part], models: Mapping[str, str]) -> list[_Pair]:
    found = []
    for i, a in enumerate(parts):
        for j, b in enumerate(parts[i + 1 :], i + 1):
            kind = _kind(a, b, models)
            if kind is not None:
                found.append(_Pair(i, j, kind))
    return found


def _kind(a: _Part, b: _Part, models: Mapping[str, str]) -> Kind | None:
    if not a.owner and not b.owner:
        return None
    if not a.owner or not b.owner:
        return "keep-out" if max(a.link, b.link) >= 2 else None
    if a.owner != b.owner:
        return "arms"
    if "tool" in (a.name, b.name):
        return None if a.link == b.link else "self"
    apart = b.link - a.link > 1 and (a.link, b.link) not in _NEVER[models[a.owner]]
    return "self" if apart else None


def _hull_model(parts: list[_Part]) -> mujoco.MjModel:
    """A model of unconnected hulls; geom i is part i."""
    spec = mujoco.MjSpec()
    for i, part in enumerate(parts):
        mesh = part.mesh
        spec.add_mesh(name=str(i), uservert=mesh.vertices.ravel(), userface=mesh.faces.ravel())
        spec.worldbody.add_geom(name=str(i), type=mujoco.mjtGeom.mjGEOM_MESH, meshname=str(i))
    return spec.compile()


def _segment_distance(first: Array, second: Array) -> Array:
    """Return the distance (...) [m] of segments given by their ends (..., 2, 3) (Ericson 2005, section 5.1.9)."""
    p, q = first[..., 0, :], second[..., 0, :]
    u, v, w = first[..., 1, :] - p, second[..., 1, :] - q, p - q
    a, e = np.einsum("...i,...i", u, u) + 1e-12, np.einsum("...i,...i", v, v) + 1e-12
    b, c, f = (np.einsum("...i,...i", x, y) for x, y in ((u, v), (u, w), (v, w)))
    denominator = a * e - b * b
    s = np.where(denominator > 1e-9 * a * e, np.clip((b * f - c * e) / np.maximum(denominator, 1e-15), 0, 1), 0.0)
    t = np.clip((b * s + f) / e, 0, 1)
    s = np.clip((b * t - c) / a, 0, 1)
    return np.asarray(np.linalg.norm(w + s[..., None] * u - t[..., None] * v, axis=-1))


def _by_kind(distances: Array, columns: list[tuple[Kind, str]]) -> Clearance:
    distance: dict[Kind, Array] = {}
    pair: dict[Kind, tuple[str, ...]] = {}
    for kind in KINDS:
        chosen = [i for i, (k, _) in enumerate(columns) if k == kind]
        if not chosen:
            distance[kind], pair[kind] = np.full(len(distances), FAR), ("",) * len(distances)
            continue
        nearest = distances[:, chosen].argmin(axis=1)
        distance[kind] = distances[:, chosen].min(axis=1)
        pair[kind] = tuple(columns[chosen[i]][1] for i in nearest)
    return Clearance(distance, pair)

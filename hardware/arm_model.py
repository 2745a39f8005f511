"""The shape of an arm: light meshes of its links for drawing, and the arm with its mounted tool in a MuJoCo model.

Link meshes come from the vendor's description in the `example-robot-data` package (BSD-3-Clause); where the links
stand comes from `hardware.kinematics`, so that what is drawn, simulated and checked is what is planned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np
import trimesh
from numpy.typing import NDArray

from hardware.geometry import Array, apply, inverse, quaternion, rotation_from_vector, transform
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig
from hardware.types import Image, Mesh, Tool

VISUAL_GROUP, COLLISION_GROUP = 2, 3
ROD_RADIUS_M = 0.012
WHITE, SILVER, TOOL_GREY = (0.93, 0.94, 0.95), (0.72, 0.73, 0.75), (0.55, 0.56, 0.58)
_ROBOTS = "cmeel.prefix/share/example-robot-data/robots"


@dataclass(frozen=True)
class Description:
    """A row of `_DESCRIPTIONS`: the vendor's URDF and mesh files in the folder `package`, and the links' names.

    meshes: one file per link, base first; urdf_links: their names in the URDF; base_turn_deg: how the URDF's first
    link is turned about z against the controller's base; like: the model whose meshes these are, stretched to the
    lengths of this one, "" for the model itself.
    """

    package: str
    urdf: str
    meshes: tuple[str, ...]
    links: tuple[str, ...]
    urdf_links: tuple[str, ...]
    base_turn_deg: float = 0.0
    like: str = ""


_XARM7_LINKS = ("link_base", *(f"link{i}" for i in range(1, 8)))
_UR5 = Description(
    package="ur_description",
    urdf="ur5_robot",
    meshes=tuple(
        f"ur5/collision/{part}.stl"
        for part in ("base", "shoulder", "upperarm", "forearm", "wrist1", "wrist2", "wrist3")
    ),
    links=("base", "shoulder", "upper_arm", "forearm", "wrist_1", "wrist_2", "wrist_3"),
    urdf_links=(
        *("base_link", "shoulder_link", "upper_arm_link", "forearm_link"),
        *("wrist_1_link", "wrist_2_link", "wrist_3_link"),
    ),
    base_turn_deg=180.0,
)
# the package has no UR5e: its casings are the UR5's, longer where its links are longer
_DESCRIPTIONS: Mapping[str, Description] = {
    "xarm7": Description(
        package="xarm_description",
        urdf="xarm7",
        meshes=tuple(f"xarm7/visual/{name}.stl" for name in _XARM7_LINKS),
        links=_XARM7_LINKS,
        urdf_links=_XARM7_LINKS,
    ),
    "ur5": _UR5,
    "ur5e": replace(_UR5, like="ur5"),
}


def description_folder(model: str) -> Path:
    """Return the folder of the vendor's description (urdf/, meshes/); ValueError where the model has none."""
    return Path(str(distribution("example-robot-data").locate_file(f"{_ROBOTS}/{_described(model).package}")))


def link_names(model: str) -> tuple[str, ...]:
    """Return the names of the links, base first; there is one more than there are joints."""
    return _described(model).links


def _described(model: str) -> Description:
    if model not in _DESCRIPTIONS:
        raise ValueError(f"arm model {model!r} has no description; known are {sorted(_DESCRIPTIONS)}")
    return _DESCRIPTIONS[model]


def link_poses(model: str, q: Array) -> Array:
    """Return T_base_link (..., J + 1, 4, 4) of all links, base first, for q (..., J) [rad]."""
    joints = ArmKinematics.load(model).joint_poses(q)
    base = np.broadcast_to(np.eye(4), (*joints.shape[:-3], 1, 4, 4))
    return np.concatenate([base, joints], axis=-3)


@lru_cache
def link_meshes(model: str, detail: float = 0.012) -> tuple[tuple[str, Mesh], ...]:
    """Return (name, mesh in the link's frame [m]) of every link, base first, without details below `detail` [m]."""
    return tuple((name, _clustered(_vendor_mesh(model, name), detail)) for name in link_names(model))


@lru_cache
def link_hulls(model: str) -> tuple[tuple[str, Mesh], ...]:
    """Return (name, convex hull in the link's frame [m]) of every link, base first."""
    return tuple((name, hull(_vendor_mesh(model, name))) for name in link_names(model))


def hull(mesh: Mesh) -> Mesh:
    """Return the convex hull."""
    convex = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).convex_hull
    return Mesh(np.array(convex.vertices, float), np.array(convex.faces, np.int32))


def mounted_hull(tool: Tool) -> Mesh:
    """Return the convex hull, in the tool's frame, of a tool and the rod that carries it below the flange.

    The rod starts 20 mm below the flange: the adapter plate above is inside the last link's margin.
    """
    angle = np.linspace(0.0, 2 * np.pi, 8, endpoint=False)
    ring = np.stack([ROD_RADIUS_M * np.cos(angle), ROD_RADIUS_M * np.sin(angle), np.full(8, 0.02)], axis=1)
    rod = apply(inverse(tool.T_flange_tool), ring)
    convex = trimesh.convex.convex_hull(np.concatenate([tool.mesh.vertices, rod]))
    return Mesh(np.array(convex.vertices, float), np.array(convex.faces, np.int32))


def add_arm(spec: mujoco.MjSpec, arm: ArmConfig, tool: Tool | None = None, detail: float = 0.004) -> None:
    """Attach an arm with its tool to the world body at arm.T_world_base, at q = 0.

    For an arm "left": bodies left/link_base, left/link1 .. and left/tool; hinges left/joint1 .. with the joint
    limits; sites left/flange and left/tip; geoms .../visual in group 2 that touch nothing, left/mount the rod from
    the flange to the tool's origin; geoms .../collision (convex hulls) in group 3. Gravity is compensated; there
    are no actuators: set qpos or add what you need.
    """
    kinematics = ArmKinematics.load(arm.model)
    local, mass = kinematics.joint_poses(np.zeros(kinematics.n_joints)), _link_masses(arm.model)
    local[1:] = inverse(local[:-1]) @ local[1:]
    meshes, hulls = dict(link_meshes(arm.model, detail)), dict(link_hulls(arm.model))
    body = spec.worldbody
    for i, (name, mesh) in enumerate(meshes.items()):
        body = _add_body(body, f"{arm.name}/{name}", arm.T_world_base if i == 0 else local[i - 1])
        if i > 0:
            limits = np.array([kinematics.q_lower[i - 1], kinematics.q_upper[i - 1]])
            _add_hinge(body, f"{arm.name}/joint{i}", np.degrees(limits) if spec.compiler.degree else limits)
        colour = SILVER if i == len(meshes) - 1 else WHITE
        _add_visual(spec, body, f"{arm.name}/{name}", mesh, colour)
        _add_collision(spec, body, f"{arm.name}/{name}", hulls[name], mass[name])
    body.add_site(name=f"{arm.name}/flange", pos=kinematics.T_last_flange[:3, 3], size=[0.004] * 3, group=5)
    if tool is not None:
        _add_tool(spec, body, arm.name, kinematics.T_last_flange @ tool.T_flange_tool, tool)
    _exclude_links(spec, arm, tool is not None)


def _add_body(parent: mujoco.MjsBody, name: str, T: Array) -> mujoco.MjsBody:
    return parent.add_body(name=name, pos=T[:3, 3], quat=quaternion(T[:3, :3]), gravcomp=1.0)


def _add_hinge(body: mujoco.MjsBody, name: str, limits: Array) -> None:
    # the limit is the planner's and the controller's to hold; the damping is that of a geared joint
    body.add_joint(
        name=name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1], range=limits, damping=5.0, armature=0.1
    )


def _add_tool(spec: mujoco.MjSpec, flange: mujoco.MjsBody, arm: str, T_link_tool: Array, tool: Tool) -> None:
    body = _add_body(flange, f"{arm}/tool", T_link_tool)
    body.add_geom(
        name=f"{arm}/mount",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        fromto=[0.0, 0.0, 0.0, *inverse(tool.T_flange_tool)[:3, 3]],
        size=[ROD_RADIUS_M, 0.0, 0.0],
        rgba=[*SILVER, 1.0],
        contype=0,
        conaffinity=0,
        group=VISUAL_GROUP,
        mass=0.0,
    )
    for i, (mesh, colour) in enumerate(_by_colour(tool.mesh)):
        _add_visual(spec, body, f"{arm}/tool/{i}", mesh, colour)
    _add_collision(spec, body, f"{arm}/tool", hull(tool.mesh), max(tool.mass, 1e-3))
    body.add_site(name=f"{arm}/tip", pos=tool.tip, size=[0.004] * 3, group=5)


def _add_visual(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, mesh: Mesh, colour: tuple[float, ...]
) -> None:
    # "shell" tells MuJoCo to take thin or open meshes (one colour of a tool) without computing a volume
    spec.add_mesh(
        name=f"{name}/visual",
        uservert=mesh.vertices.ravel(),
        userface=mesh.faces.ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    body.add_geom(
        name=f"{name}/visual",
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=f"{name}/visual",
        rgba=[*colour, 1.0],
        contype=0,
        conaffinity=0,
        group=VISUAL_GROUP,
        mass=0.0,
    )


def _add_collision(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, mesh: Mesh, mass: float) -> None:
    spec.add_mesh(name=f"{name}/collision", uservert=mesh.vertices.ravel(), userface=mesh.faces.ravel())
    body.add_geom(
        name=f"{name}/collision",
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=f"{name}/collision",
        group=COLLISION_GROUP,
        rgba=[0.9, 0.4, 0.2, 0.4],
        mass=mass,
    )


def _exclude_links(spec: mujoco.MjSpec, arm: ArmConfig, tool: bool) -> None:
    """Physics leaves an arm's own links alone: hulls of neighbours overlap, and the planner checks the rest."""
    names = [f"{arm.name}/{name}" for name in (*link_names(arm.model), *(("tool",) if tool else ()))]
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            spec.add_exclude(bodyname1=first, bodyname2=second)


def _urdf(model: str) -> ElementTree.Element:
    return ElementTree.parse(description_folder(model) / "urdf" / f"{_described(model).urdf}.urdf").getroot()


def _link_masses(model: str) -> dict[str, float]:
    """Link name -> mass [kg] from the vendor's URDF."""
    found = {link.attrib["name"]: link.find("inertial/mass") for link in _urdf(model).iter("link")}
    row = _described(model)
    masses = zip(row.links, (found.get(name) for name in row.urdf_links), strict=True)
    return {name: float(mass.attrib["value"]) for name, mass in masses if mass is not None}


@lru_cache
def _vendor_mesh(model: str, name: str) -> Mesh:
    """The link's mesh in the frame of the joint that moves it (the base's in the controller's base)."""
    row = _described(model)
    index = row.links.index(name)
    if row.like:
        return _stretched(_vendor_mesh(row.like, name), _next_joint(row.like, index), _next_joint(model, index))
    loaded = trimesh.load_mesh(description_folder(model) / "meshes" / row.meshes[index])
    vertices = apply(_T_joint_urdf(model)[index], np.array(loaded.vertices, float))
    return Mesh(vertices, np.array(loaded.faces, np.int32))


def _T_joint_urdf(model: str) -> Array:
    """(J + 1, 4, 4) from the URDF's link frames to ours, base first; both describe the same arm at all joints 0."""
    row, joints = _described(model), {}
    for joint in _urdf(model).iter("joint"):
        child, origin = joint.find("child"), joint.find("origin")
        if child is not None and origin is not None:
            roll, pitch, yaw = (float(v) for v in origin.get("rpy", "0 0 0").split())
            place = [float(v) for v in origin.get("xyz", "0 0 0").split()]
            joints[child.attrib["link"]] = transform(_turn(2, yaw) @ _turn(1, pitch) @ _turn(0, roll), place)
    poses = [transform(_turn(2, np.radians(row.base_turn_deg)), np.zeros(3))]
    for name in row.urdf_links[1:]:
        poses.append(poses[-1] @ joints[name])
    return np.asarray(inverse(link_poses(model, np.zeros(len(poses) - 1))) @ np.stack(poses))


def _turn(axis: int, angle: float) -> Array:
    return rotation_from_vector(angle * np.eye(3)[axis])


def _next_joint(model: str, index: int) -> Array:
    """Where (3,) the next joint stands in a link's frame, all joints 0; the last link ends at its origin."""
    poses = link_poses(model, np.zeros(ArmKinematics.load(model).n_joints))
    return np.asarray((inverse(poses[index]) @ poses[min(index + 1, len(poses) - 1)])[:3, 3])


def _stretched(mesh: Mesh, end: Array, new_end: Array) -> Mesh:
    """The mesh with its far side moved as its end moves, its near side in place, and what is between drawn out."""
    way = new_end - end
    length = float(np.linalg.norm(way))
    if length < 1e-9:
        return mesh
    along = mesh.vertices @ (way / length)
    share = np.clip(along / max(float(along.max()), 1e-9), 0.0, 1.0)
    return Mesh(mesh.vertices + share[:, None] * way, mesh.faces)


def _clustered(mesh: Mesh, cell: float) -> Mesh:
    """Merge vertices that share a cubic cell into their mean, drop collapsed faces (Rossignac & Borrel 1993)."""
    keys = np.floor(mesh.vertices / cell).astype(int)
    _, index = np.unique(keys, axis=0, return_inverse=True)
    index = index.ravel()
    total = np.zeros((index.max() + 1, 3))
    np.add.at(total, index, mesh.vertices)
    faces = index[mesh.faces]
    alive = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return _compact(total / np.bincount(index)[:, None], faces[alive])


def _compact(vertices: Array, faces: NDArray[np.int_]) -> Mesh:
    used, index = np.unique(faces, return_inverse=True)
    return Mesh(vertices[used], index.reshape(-1, 3).astype(np.int32))


def _by_colour(mesh: Mesh) -> list[tuple[Mesh, tuple[float, ...]]]:
    """Split a mesh by face colour into (mesh, rgb 0..1); a mesh without face colours stays whole."""
    if mesh.face_rgb is None:
        return [(mesh, TOOL_GREY if mesh.texture is None else _mean(mesh.texture))]
    colours, which = np.unique(mesh.face_rgb, axis=0, return_inverse=True)
    parts = (mesh.faces[which.ravel() == i] for i in range(len(colours)))
    return [
        (_compact(mesh.vertices, faces), tuple(float(v) / 255 for v in colour))
        for faces, colour in zip(parts, colours, strict=True)
    ]


def _mean(texture: Image) -> tuple[float, ...]:
    return tuple(float(v) / 255 for v in texture.reshape(-1, texture.shape[-1])[:, :3].mean(axis=0))

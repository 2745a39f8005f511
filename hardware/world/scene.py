"""The simulated table as one MuJoCo model: cloth, lights, cameras, tools, hands, objects and arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import mujoco
import numpy as np

from hardware.geometry import Array, quaternion
from hardware.rig import Rig
from hardware.types import Camera, Image, Mesh, Tool
from hardware.world.fisheye import wide_pinhole
from hardware.world.gripper import add_gripper
from hardware.world.hand import Skin, skin_palette
from hardware.world.objects import UNSEEN_GROUP, Thing, add_thing
from hardware.world.textures import add_picture

# geom groups, so that a renderer can leave people or tools out
WORLD_GROUP, TOOL_GROUP, HAND_GROUP = 0, 1, 2
AWAY = (0.0, -6.0, -3.0)
DRIVEN_MASS = 1e3  # [kg] to the contact solver a driven body is immovable


@dataclass(frozen=True, eq=False)
class SceneContents:
    """What is put into a scene. tools and skins by body name; plain: one colour by tool instead of its print;
    physics: objects are free, and tools are driven bodies that push them (hardware/world/held.py); marks: things
    painted on the table, touched by nothing; gripper: name of the handheld gripper's body, "" for none; mounted:
    camera -> (body, T_body_cam) of those that ride on a body; grain: how coarse the cloth's weave looks, 0 for
    none; cloth: a picture of it that is made already."""

    tools: Mapping[str, Tool] = field(default_factory=dict)
    skins: Mapping[str, Skin] = field(default_factory=dict)
    things: Mapping[str, Thing] = field(default_factory=dict)
    plain: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    physics: bool = False
    seed: int = 0
    grain: float = 1.0
    marks: Mapping[str, Thing] = field(default_factory=dict)
    gripper: str = ""
    mounted: Mapping[str, tuple[str, Array]] = field(default_factory=dict)
    cloth: Image | None = None


def scaled_camera(camera: Camera, size: tuple[int, int]) -> Camera:
    """The same camera with its picture resized to `size` (width, height); pixel centres at integers."""
    sx, sy = size[0] / camera.size[0], size[1] / camera.size[1]
    K = camera.K.copy()
    K[0], K[1] = K[0] * sx, K[1] * sy
    K[0, 2], K[1, 2] = (camera.K[0, 2] + 0.5) * sx - 0.5, (camera.K[1, 2] + 0.5) * sy - 0.5
    return Camera(camera.name, K, size, camera.distortion, camera.model, camera.T_world_cam)


def start_scene(rig: Rig, cameras: Sequence[Camera], contents: SceneContents) -> mujoco.MjSpec:
    """Return the spec of table, lights, cameras and contents; arms are added by who needs them."""
    spec = mujoco.MjSpec()
    rng = np.random.default_rng([contents.seed, 11])
    _settings(spec)
    _surroundings(spec, rig, rng, contents.grain, contents.cloth)
    for name, tool in contents.tools.items():
        body = (
            driven_body(spec, name)
            if contents.physics
            else spec.worldbody.add_body(name=name, mocap=True, pos=AWAY)
        )
        add_tool_geom(spec, body, name, tool, plain=contents.plain.get(name), solid=contents.physics)
    if contents.gripper:
        add_gripper(spec, driven_body(spec, contents.gripper), contents.gripper)
    for camera in cameras:
        body_name, T_body_cam = contents.mounted.get(camera.name, ("world", camera.T_world_cam))
        add_camera(spec.body(body_name), camera, T_body_cam)
    if contents.skins:
        add_picture(spec, "skin", skin_palette(contents.seed))
    for name, skin in contents.skins.items():
        _add_skin(spec, name, skin)
    for name, thing in contents.things.items():
        add_thing(spec, thing, name, free=contents.physics)
    for name, mark in contents.marks.items():
        add_thing(spec, mark, name, free=False)
    return spec


def driven_body(spec: mujoco.MjSpec, name: str) -> mujoco.MjsBody:
    """Add a free body that goes where it is driven whatever it touches, passing through table and air alike."""
    body = spec.worldbody.add_body(name=name, pos=AWAY, gravcomp=1.0)
    body.add_freejoint(name=name)
    body.mass, body.inertia, body.ipos, body.explicitinertial = (
        DRIVEN_MASS,
        [DRIVEN_MASS / 100] * 3,
        [0, 0, 0],
        True,
    )
    spec.add_exclude(name=f"{name} table", bodyname1="world", bodyname2=name)
    return body


def add_tool_geom(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    tool: Tool,
    *,
    plain: tuple[float, float, float] | None = None,
    solid: bool = False,
) -> None:
    """Give a body the tool: geom `name` with the trackable faces and, where there are others, geom `name rest`.

    Flat shaded; textured where it has a print and `plain` is None; solid: it pushes objects (convex hull).
    """
    mesh = _palette_print(tool.mesh)
    printed = plain is None and mesh.uv is not None and mesh.texture is not None
    if printed and mesh.texture is not None:
        add_picture(spec, name, mesh.texture)
    tracked = np.ones(len(mesh.faces), bool) if tool.trackable is None else tool.trackable
    for part, faces in ((name, tracked), (f"{name} rest", ~tracked)):
        if not faces.any():
            continue
        corners = mesh.vertices[mesh.faces[faces]].reshape(-1, 3)
        added = spec.add_mesh(
            name=part,
            uservert=corners.ravel(),
            userface=np.arange(len(corners), dtype=np.int32),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
        geom = body.add_geom(
            name=part, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=part, group=TOOL_GROUP, mass=0.1,
            contype=int(solid), conaffinity=int(solid),
        )  # fmt: skip
        if printed and mesh.uv is not None:
            added.usertexcoord = np.asarray(mesh.uv[faces], float).ravel()
            geom.material = name
        else:
            geom.rgba = [*(plain or (0.75, 0.75, 0.75)), 1.0]


def _palette_print(mesh: Mesh) -> Mesh:
    """A mesh with one colour a face as one with a texture: a square sheet of 4 px cells, one a colour."""
    if mesh.face_rgb is None or mesh.texture is not None:
        return mesh
    colours, which = np.unique(mesh.face_rgb, axis=0, return_inverse=True)
    side = int(np.ceil(np.sqrt(len(colours))))
    sheet = np.zeros((side * side, 3), np.uint8)
    sheet[: len(colours)] = colours
    picture = sheet.reshape(side, side, 3).repeat(4, axis=0).repeat(4, axis=1)
    row, column = np.divmod(which.reshape(-1), side)
    uv = np.stack([(column + 0.5) / side, 1.0 - (row + 0.5) / side], axis=1)
    return Mesh(mesh.vertices, mesh.faces, np.repeat(uv[:, None], 3, axis=1).astype(np.float32), picture)


def _settings(spec: mujoco.MjSpec) -> None:
    spec.option.timestep = 0.004
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    visual = spec.visual
    visual.global_.offwidth, visual.global_.offheight = 1920, 1080
    visual.quality.shadowsize, visual.map.shadowclip = 1024, 0.65  # of what the table needs, not of the room
    visual.map.znear, visual.map.zfar = 0.02, 20.0
    visual.headlight.ambient, visual.headlight.diffuse = [0.32, 0.32, 0.33], [0.12, 0.12, 0.12]
    visual.headlight.specular = [0.0, 0.0, 0.0]
    spec.stat.extent, spec.stat.center = 1.0, [0.0, 0.0, 0.1]


def _surroundings(
    spec: mujoco.MjSpec, rig: Rig, rng: np.random.Generator, grain: float, cloth: Image | None
) -> None:
    """Cloth on the table, a dim floor, a soft lamp overhead and a weaker one to the side."""
    add_picture(spec, "cloth", cloth_picture(rng, grain) if cloth is None else cloth, specular=0.0)
    x, y = rig.table_size
    spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=[x / 2, y / 2, 0.02], pos=[0, 0, -0.02],
        material="cloth", contype=0, conaffinity=0,
    )  # fmt: skip
    # what lies on it meets a plane: its contacts are formulas, those with a box are a search
    top = spec.worldbody.add_geom(
        name="table top", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[x / 2, y / 2, 0.1], group=UNSEEN_GROUP
    )
    top.friction = [0.6, 0.01, 0.001]
    spec.worldbody.add_geom(
        name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[4, 4, 1], pos=[0, 0, -0.75],
        rgba=[0.09, 0.09, 0.1, 1.0], contype=0, conaffinity=0,
    )  # fmt: skip
    lamp = rng.uniform(-0.15, 0.15, 2)
    key = spec.worldbody.add_light(name="lamp", pos=[lamp[0] - 0.5, lamp[1] + 0.1, 1.9], dir=[0.27, -0.06, -1])
    key.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    key.castshadow, key.diffuse, key.specular = True, [0.46, 0.45, 0.43], [0.12, 0.12, 0.12]
    fill = spec.worldbody.add_light(name="window", pos=[0.9, 0.9, 1.6], dir=[-0.5, -0.45, -1])
    fill.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    fill.castshadow, fill.diffuse, fill.specular = False, [0.24, 0.25, 0.27], [0.04, 0.04, 0.04]


def cloth_picture(rng: np.random.Generator, grain: float = 1.0) -> Image:
    """Black cloth (768, 1152, 3): a fine weave, soft folds, a little lint."""
    height, width = 768, 1152
    y, x = np.mgrid[0:height, 0:width].astype(float)
    folds = np.zeros((height, width))
    for _ in range(9):
        angle, wave, phase = rng.uniform(0, np.pi), rng.uniform(120, 520), rng.uniform(0, 2 * np.pi)
        folds += np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / wave + phase)
    weave = rng.normal(0, 2.2, (height, width)) + 1.2 * ((x + y) % 3 == 0)
    grey = 22.0 + 1.6 * folds + grain * weave
    lint = rng.integers(0, [height, width], (60, 2))
    grey[lint[:, 0], lint[:, 1]] += rng.uniform(25, 80, 60)
    return np.asarray(np.clip(grey[..., None] * np.array([0.94, 0.98, 1.06]), 0, 255), np.uint8)


def add_camera(body: mujoco.MjsBody, camera: Camera, T_body_cam: Array | None) -> None:
    """Fix a camera to a body. MuJoCo's look along -z with y up; a principal point is an offset from the middle."""
    if T_body_cam is None:
        raise ValueError(f"camera {camera.name}: T_world_cam is unknown; a simulated camera needs its place")
    if camera.model == "fisheye":
        camera = wide_pinhole(camera)
    R = T_body_cam[:3, :3] @ np.diag([1.0, -1.0, -1.0])
    added = body.add_camera(name=camera.name, pos=T_body_cam[:3, 3], quat=quaternion(R))
    width, height = camera.size
    added.resolution = [width, height]
    added.sensor_size = [width * 1e-5, height * 1e-5]
    added.focal_pixel = [camera.K[0, 0], camera.K[1, 1]]
    added.principal_pixel = [(width - 1) / 2 - camera.K[0, 2], (height - 1) / 2 - camera.K[1, 2]]


def _add_skin(spec: mujoco.MjSpec, name: str, skin: Skin) -> None:
    mesh = spec.add_mesh(
        name=name,
        uservert=skin.vertices.ravel(),
        userface=skin.faces.astype(np.int32).ravel(),
        usertexcoord=skin.uv.ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    mesh.smoothnormal = True
    body = spec.worldbody.add_body(name=name, mocap=True, pos=AWAY)
    body.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material="skin", group=HAND_GROUP,
        contype=0, conaffinity=0, mass=0.1,
    )  # fmt: skip


def set_mocap(model: mujoco.MjModel, data: mujoco.MjData, body: str, T_world_body: Array | None) -> None:
    """Place a mocap body; None or nan puts it away, out of every view."""
    k = model.body(body).mocapid[0]
    if T_world_body is None or not np.isfinite(T_world_body).all():
        data.mocap_pos[k] = AWAY
        return
    data.mocap_pos[k] = T_world_body[:3, 3]
    data.mocap_quat[k] = quaternion(T_world_body[:3, :3])

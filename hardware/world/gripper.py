"""The handheld gripper as parametric CAD: a handle, a palm, two fingers that slide, and a camera on a post.

Gripper frame: origin between the finger tips, +x to the working end, +y the way the fingers open, +z to the side
that carries the camera. Opening [m] is the gap between the pads; grip [N] is what each pad presses with.
"""

from dataclasses import dataclass

import cv2
import mujoco
import numpy as np

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import Image
from hardware.world.grips import Hold
from hardware.world.textures import add_picture

LARGEST_OPENING = 0.085
LARGEST_GRIP = 25.0
STIFFNESS, DAMPING = 2000.0, 25.0  # [N/m], [N s/m] of the hand's squeeze on each finger


@dataclass(frozen=True)
class GripperCad:
    """Half sizes [m] of its boxes, and where along -x they begin."""

    pad: tuple[float, float, float] = (0.022, 0.004, 0.011)
    finger: tuple[float, float, float] = (0.026, 0.005, 0.009)
    palm: tuple[float, float, float] = (0.014, 0.052, 0.018)
    handle: tuple[float, float, float] = (0.06, 0.017, 0.014)
    palm_back: float = 0.105
    camera: tuple[float, float, float] = (0.018, 0.014, 0.014)


CAD = GripperCad()
MARKERS, MARKER_SIZE = (0, 1), 0.016  # of DICT_4X4_50, one on each finger [m]
_MODULES, _MODULE_PX = 8, 16  # of a plate: 4 bits, the marker's black rim, a white one
_PLATE = MARKER_SIZE / 2 * _MODULES / 6, 0.0005  # half side and half height
# the fisheye looks along the fingers from above the palm, tilted down to their tips
_TILT = np.radians(14.0)
_LOOK = np.array([np.cos(_TILT), 0.0, -np.sin(_TILT)])
T_GRIPPER_CAM: Array = transform(
    np.stack([np.array([0.0, -1.0, 0.0]), np.cross(_LOOK, [0.0, -1.0, 0.0]), _LOOK], axis=1), [-0.125, 0.0, 0.075]
)


def gripper_hold(rng: np.random.Generator) -> Hold:
    """A hand round the handle, coming from behind and above."""
    R = rotation_from_vector(np.array([0.0, 0.0, float(rng.uniform(-0.15, 0.15))]))
    back = -CAD.palm_back - 2 * CAD.palm[0] - 0.045
    elbow = np.array([rng.uniform(0.1, 0.3), -0.75, rng.uniform(0.35, 0.45)])
    T = transform(R, [back, 0.0, CAD.handle[2]])
    return Hold(T, 2 * CAD.handle[2], 1, elbow, "thumb", (-0.02, 0.02))


def add_gripper(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Give a driven body the gripper; joints and actuators `name/finger0`, `name/finger1` hold half the opening."""
    box = mujoco.mjtGeom.mjGEOM_BOX
    back = -CAD.palm_back
    handle_x = back - 2 * CAD.palm[0] - CAD.handle[0]
    dark, pale, tint = [0.12, 0.12, 0.13, 1.0], [0.8, 0.8, 0.78, 1.0], [0.86, 0.42, 0.12, 1.0]
    fixed = {
        "palm": (CAD.palm, (back - CAD.palm[0], 0, 0), tint),
        "handle": (CAD.handle, (handle_x, 0, 0), dark),
        "post": ((0.006, 0.006, 0.026), (-0.136, 0, 0.04), dark),
        "camera": (CAD.camera, (-0.142, 0, 0.075), dark),
    }
    for part, (size, place, rgba) in fixed.items():
        solid = int(part == "palm")
        body.add_geom(name=f"{name}/{part}", type=box, size=size, pos=place, rgba=rgba, group=1, mass=0.01,
                      contype=solid, conaffinity=solid)  # fmt: skip
    for k, side in enumerate((1.0, -1.0)):
        finger = body.add_body(name=f"{name}/finger{k}", gravcomp=1.0)
        finger.add_joint(
            name=f"{name}/finger{k}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, side, 0], damping=DAMPING,
            range=[0.0, LARGEST_OPENING / 2], limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        )  # fmt: skip
        pad = finger.add_geom(
            name=f"{name}/pad{k}", type=box, size=CAD.pad, pos=[-CAD.pad[0], side * CAD.pad[1], 0], rgba=pale,
            group=1, mass=0.08, friction=[1.6, 0.03, 0.002],
        )  # fmt: skip
        pad.condim = 4
        finger.add_geom(
            name=f"{name}/link{k}", type=box, size=CAD.finger, rgba=dark, group=1, mass=0.02,
            pos=[-2 * CAD.pad[0] - CAD.finger[0] + 0.004, side * (2 * CAD.pad[1] + 0.001), 0],
        )  # fmt: skip
        _add_marker(spec, finger, f"{name}/marker{k}", MARKERS[k], marker_place(side))
        actuator = spec.add_actuator(name=f"{name}/finger{k}", target=f"{name}/finger{k}")
        actuator.trntype = mujoco.mjtTrn.mjTRN_JOINT
        actuator.set_to_position(kp=STIFFNESS)
        actuator.forcelimited, actuator.forcerange = mujoco.mjtLimited.mjLIMITED_TRUE, [-LARGEST_GRIP, LARGEST_GRIP]
        spec.add_exclude(name=f"{name} table{k}", bodyname1="world", bodyname2=f"{name}/finger{k}")


def marker_place(side: float) -> Array:
    """Where a finger's marker is (3,) in that finger's frame; side 1 or -1. The plates of a closed gripper just
    clear each other."""
    return np.array([-2 * CAD.pad[0] - 0.018, side * (_PLATE[0] + 0.0015), CAD.finger[2] + _PLATE[1]])


def _add_marker(spec: mujoco.MjSpec, finger: mujoco.MjsBody, name: str, number: int, place: Array) -> None:
    """Lay a plate with an ArUco marker onto a finger: seen by the camera behind it, touched by nothing."""
    add_picture(spec, name, _marker_picture(number), specular=0.0)
    half, height = _PLATE
    ring = half * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    vertices = np.concatenate([np.column_stack([ring, np.full(4, z)]) for z in (height, -height)])
    sides = [t for i in range(4) for j in [(i + 1) % 4] for t in ((i, i + 4, j), (j, i + 4, j + 4))]
    faces = np.array([(0, 1, 2), (0, 2, 3), (4, 6, 5), (4, 7, 6), *sides])
    # the camera looks along x from above: what is farther is higher in its picture, -y is right
    uv = np.stack([(half - vertices[:, 1]) / (2 * half), (vertices[:, 0] + half) / (2 * half)], axis=1)[faces]
    uv[2:] = 0.01  # the rim's white
    mesh = spec.add_mesh(
        name=name, uservert=vertices[faces].ravel(), userface=np.arange(faces.size, dtype=np.int32),
        usertexcoord=uv.ravel(), inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )  # fmt: skip
    finger.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh.name, material=name, pos=place, group=1,
        mass=0.001, contype=0, conaffinity=0,
    )  # fmt: skip


def _marker_picture(number: int) -> Image:
    known = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    marker = cv2.aruco.generateImageMarker(known, number, 6 * _MODULE_PX)
    framed = np.pad(marker, _MODULE_PX, constant_values=255)
    return np.asarray(np.repeat(framed[..., None], 3, axis=2), np.uint8)

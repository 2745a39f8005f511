"""The calibration board of the simulated table: a plate that a person holds where they are asked to, seen and never
touched. Its frame is the board's own (hardware/calibration/board.py)."""

import mujoco
import numpy as np

from hardware.calibration.board import WORLD_BOARD, WORLD_THICKNESS, board_picture
from hardware.geometry import Array, is_transform, transform
from hardware.types import require
from hardware.world.motion import towards
from hardware.world.scene import set_mocap
from hardware.world.textures import add_picture

NAME = "calibration board"
PX_PER_M = 2000.0
MARGIN = WORLD_BOARD.square / 2
SPEED, TURN = 0.5, 2.0  # [m/s], [rad/s]
# where it comes in and goes out: beside the table, out of every view
DOOR: Array = transform(np.diag([1.0, -1.0, -1.0]), [-0.2, -1.2, 0.5])


class HeldBoard:
    """Moves the board of one model towards where it is wanted, as time goes by."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._model, self._data = model, data
        self._arm, self._T_flange_board = "", np.eye(4)
        self._pose: Array | None = None
        self._target: Array | None = None
        set_mocap(model, data, NAME, None)

    @property
    def pose(self) -> Array | None:
        """T_world_board (4, 4), None while nobody holds it."""
        return self._pose

    def hold(self, T_world_board: Array | None) -> None:
        """Move it there; None: take it away. Raises ValueError where that is no pose."""
        fine = T_world_board is None or is_transform(T_world_board)
        require(fine, "board: its pose is not a rigid transform (4, 4)")
        if T_world_board is not None and self._pose is None:
            self._pose = DOOR
        self._target, self._arm = T_world_board, ""

    def carry(self, arm: str, T_flange_board: Array) -> None:
        """Fix it to an arm's flange. Raises ValueError where that is no pose."""
        require(is_transform(T_flange_board), "board: its pose is not a rigid transform (4, 4)")
        self._arm, self._T_flange_board = arm, T_flange_board

    @property
    def carried_by(self) -> str:
        """The arm whose flange it is fixed to, "" for none."""
        return self._arm

    def follow(self, T_world_flange: Array) -> None:
        """Go along with the flange that carries it."""
        self._pose = T_world_flange @ self._T_flange_board
        set_mocap(self._model, self._data, NAME, self._pose)

    def advance(self, seconds: float) -> None:
        """Move on by some time [s]."""
        if self._pose is None:
            return
        goal = DOOR if self._target is None else self._target
        self._pose = towards(self._pose, goal, max(seconds, 1e-6), SPEED, TURN)
        if self._target is None and np.linalg.norm(self._pose[:3, 3] - DOOR[:3, 3]) < 1e-6:
            self._pose = None
        set_mocap(self._model, self._data, NAME, self._pose)


def add_board(spec: mujoco.MjSpec) -> None:
    """Add the board, out of every view."""
    add_picture(
        spec, NAME, np.repeat(board_picture(WORLD_BOARD, PX_PER_M, MARGIN)[..., None], 3, axis=2), specular=0.0
    )
    width, height = np.array(WORLD_BOARD.size) + MARGIN
    low = -MARGIN
    ring = np.array([[low, low], [width, low], [width, height], [low, height]])
    vertices = np.concatenate([np.column_stack([ring, np.full(4, z)]) for z in (0.0, WORLD_THICKNESS)])
    sides = [t for i in range(4) for j in [(i + 1) % 4] for t in ((i, j, i + 4), (j, j + 4, i + 4))]
    # z goes into the board: its printed side looks along -z
    faces = np.array([(0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7), *sides])
    uv = (vertices[:, :2] - low) / (np.array([width, height]) - low)
    uv = np.stack([uv[:, 0], 1.0 - uv[:, 1]], axis=1)[faces]
    uv[2:] = 0.002  # the rim's white
    spec.add_mesh(
        name=NAME, uservert=vertices[faces].ravel(), userface=np.arange(faces.size, dtype=np.int32),
        usertexcoord=uv.ravel(), inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )  # fmt: skip
    body = spec.worldbody.add_body(name=NAME, mocap=True, pos=DOOR[:3, 3])
    body.add_geom(
        name=NAME, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=NAME, material=NAME, group=1, mass=0.1,
        contype=0, conaffinity=0,
    )  # fmt: skip

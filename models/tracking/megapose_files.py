"""MegaPose's published files: a folder is one camera's picture, its boxes, its meshes and, after a run, its poses.

    camera_data.json            {"K": 3x3, "resolution": [height, width]}
    image_rgb.png
    inputs/object_data.json     [{"label", "bbox_modal": [x0, y0, x1, y1]}]
    outputs/object_data.json    [{"label", "TWO": [[qx, qy, qz, qw], [x, y, z]]}]   metres, tool to camera
    meshes/LABEL/mesh.obj       one mesh per label, millimetres

Source: the inference tutorial of github.com/megapose6d/megapose6d. Its own scripts read a folder written here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hardware.geometry import Array, quaternion, rotation_from_quaternion, transform
from hardware.types import Camera, Image, Mesh, Tool, require
from models.data.errors import DreamFileError
from models.data.mesh_text import write_mesh
from models.data.photo import write_photo
from models.data.text_files import read_text, to_json

MM = 1000.0
UNIT = 0.02  # how far a quaternion's length may be from 1 before it is no rounding


@dataclass(frozen=True)
class LabelledBox:
    """A box (x0, y0, x1, y1) [px] around the object of a label."""

    label: str
    box: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        require(
            bool(np.isfinite(self.box).all()) and x0 < x1 and y0 < y1, f"box of {self.label}: {self.box} is empty"
        )


@dataclass(frozen=True, eq=False)
class LabelledPose:
    """A pose T_cam_tool (4, 4) of the object of a label, and the network's score 0..1 where it is known."""

    label: str
    T_cam_tool: Array
    score: float = np.nan


def write_scene(folder: Path, camera: Camera, tools: Mapping[str, Tool]) -> None:
    """Write the camera and the meshes of the tools by label. Raises OSError."""
    for name in ("inputs", "outputs", "frames"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    width, height = camera.size
    (folder / "camera_data.json").write_text(to_json({"K": camera.K.tolist(), "resolution": [height, width]}))
    for label, tool in tools.items():
        place = folder / "meshes" / label
        place.mkdir(parents=True, exist_ok=True)
        write_mesh(place, tracked_mesh(tool, MM))


def tracked_mesh(tool: Tool, scale: float) -> Mesh:
    """Return what may be tracked of a tool's mesh, its vertices times `scale`."""
    mesh = tool.mesh
    keep = np.ones(len(mesh.faces), bool) if tool.trackable is None else tool.trackable
    return replace(
        mesh,
        vertices=mesh.vertices * scale,
        faces=mesh.faces[keep],
        uv=None if mesh.uv is None else mesh.uv[keep],
        face_rgb=None if mesh.face_rgb is None else mesh.face_rgb[keep],
    )


def write_image(folder: Path, rgb: Image, name: str = "image_rgb.png") -> None:
    """Write a picture (H, W, 3) where MegaPose looks for it."""
    write_photo(folder / name, rgb)


def write_boxes(folder: Path, boxes: Sequence[LabelledBox]) -> None:
    """Write inputs/object_data.json."""
    rows = [{"label": b.label, "bbox_modal": list(b.box)} for b in boxes]
    (folder / "inputs" / "object_data.json").write_text(to_json(rows))


def read_poses(path: Path) -> list[LabelledPose]:
    """Read an outputs/object_data.json. Raises DreamFileError naming file and field."""
    try:
        rows = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, DreamFileError):
            raise
        raise DreamFileError(path, "syntax", str(error), "a JSON list") from error
    try:
        return list(poses_from_rows(rows))
    except ValueError as error:
        raise DreamFileError(path, "TWO", str(error), "[[qx, qy, qz, qw], [x, y, z]], metres") from error


def pose_rows(poses: Iterable[LabelledPose]) -> list[dict[str, object]]:
    """Return poses as outputs/object_data.json has them, with the score beside where it is known."""
    rows = []
    for pose in poses:
        w, x, y, z = quaternion(pose.T_cam_tool[:3, :3]).tolist()
        row: dict[str, object] = {"label": pose.label, "TWO": [[x, y, z, w], pose.T_cam_tool[:3, 3].tolist()]}
        rows.append(row if np.isnan(pose.score) else row | {"score": pose.score})
    return rows


def poses_from_rows(rows: object) -> Iterable[LabelledPose]:
    """Return the poses of such rows. Raises ValueError naming the row, its value and what would be valid."""
    if not isinstance(rows, list):
        raise ValueError(f"objects: is a {type(rows).__name__}; valid: a list")
    for i, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(row.get("label"), str):
            raise ValueError(f"object {i}: {row!r:.80} has no label; valid: a label and TWO")
        yield LabelledPose(row["label"], _pose(row.get("TWO"), i), _score(row.get("score"), i))


def _pose(two: object, i: int) -> Array:
    try:
        xyzw, position = (np.array(part, float) for part in two)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ValueError(f"object {i}: TWO {two!r:.80} is no quaternion and position") from error
    if xyzw.shape != (4,) or position.shape != (3,) or not np.isfinite([*xyzw, *position]).all():
        raise ValueError(f"object {i}: TWO {two!r:.80} is not 4 and 3 finite numbers")
    if abs(np.linalg.norm(xyzw) - 1) > UNIT:
        raise ValueError(f"object {i}: quaternion {xyzw.tolist()} has length {np.linalg.norm(xyzw):.3g}, not 1")
    return transform(rotation_from_quaternion(xyzw[[3, 0, 1, 2]]), position)


def _score(score: object, i: int) -> float:
    if score is None:
        return float("nan")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise ValueError(f"object {i}: score {score!r:.40}; valid: 0 to 1")
    return float(score)

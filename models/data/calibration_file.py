"""Where the cameras of a dream stand: our own layout (TOML or JSON) and that of the published dreams."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.geometry import Array
from hardware.types import Camera
from models.data.fields import Fields
from models.data.text_files import read_table, to_json

K_VALID = (
    "3x3 [[fx, s, cx], [0, fy, cy], [0, 0, 1]] in pixels of `size`, fx and fy > 0, cx and cy inside the picture"
)
SIZE_VALID = "[width, height] in pixels, whole and positive"
DISTORTION_LENGTHS = (0, 4, 5, 8, 12, 14)
LAYOUTS = "`views` (see docs/dream-folder.md), or K_top, K_side, T_top_side and image_size"


@dataclass(frozen=True, eq=False)
class Calibration:
    """cameras and T_view1_view (4, 4) by view, the first one's identity; T_world_view1 (4, 4) where known."""

    cameras: tuple[Camera, ...]
    T_view1_view: tuple[Array, ...]
    T_world_view1: Array | None = None


def load_calibration(path: Path) -> Calibration:
    """Read a calibration file of either layout; DreamFileError names file and field."""
    fields = Fields(read_table(path), path)
    if "views" in fields.values:
        return _ours(fields)
    if "K_top" in fields.values or "T_top_side" in fields.values:
        return _published(fields)
    raise fields.wrong("views", "is missing", LAYOUTS)


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write our layout as JSON; numbers come back exactly."""
    table: dict[str, object] = {
        "views": [
            {
                "name": camera.name,
                "size": list(camera.size),
                "K": camera.K.tolist(),
                "distortion": camera.distortion.tolist(),
                "T_view1_view": T.tolist(),
            }
            for camera, T in zip(calibration.cameras, calibration.T_view1_view, strict=True)
        ]
    }
    if calibration.T_world_view1 is not None:
        table["T_world_view1"] = calibration.T_world_view1.tolist()
    path.write_text(to_json(table), encoding="utf-8")


def _ours(fields: Fields) -> Calibration:
    rows = fields.rows("views", "a list of views, each with name, K, size, T_view1_view")
    if not rows:
        raise fields.wrong("views", "is empty", "one table per view")
    cameras = tuple(_camera(row, row.file_name("name"), "K", "size") for row in rows)
    names = [camera.name for camera in cameras]
    if len({name.lower() for name in names}) < len(names):
        raise fields.wrong("views", f"two views share a name: {names}", "a name of its own for each")
    poses = tuple(
        np.eye(4) if i == 0 and "T_view1_view" not in row.values else row.pose("T_view1_view")
        for i, row in enumerate(rows)
    )
    if not np.allclose(poses[0], np.eye(4), atol=1e-9):
        raise rows[0].wrong(
            "T_view1_view", "the first view's own pose is not identity", "identity, or leave it out"
        )
    world = fields.pose("T_world_view1") if "T_world_view1" in fields.values else None
    return Calibration(cameras, poses, world)


def _published(fields: Fields) -> Calibration:
    """The layout beside the published dreams: two views named top and side."""
    cameras = tuple(_camera(fields, name, f"K_{name}", "image_size") for name in ("top", "side"))
    world = fields.pose("T_world_view1") if "T_world_view1" in fields.values else None
    return Calibration(cameras, (np.eye(4), fields.pose("T_top_side")), world)


def _camera(fields: Fields, name: str, K_key: str, size_key: str) -> Camera:
    size = fields.array(size_key, (2,), SIZE_VALID)
    if (size < 1).any() or (size > 16384).any() or (size != np.round(size)).any():
        raise fields.wrong(size_key, f"{size.tolist()}", SIZE_VALID)
    K = fields.array(K_key, (3, 3), K_VALID)
    below = np.array([K[1, 0], K[2, 0], K[2, 1], K[2, 2] - 1])
    focal, centre = K[[0, 1], [0, 1]], K[:2, 2]
    if np.abs(below).max() > 1e-9 or (focal < 0.1 * size).any() or (focal > 100 * size).any():
        raise fields.wrong(K_key, f"{K.tolist()}", f"{K_VALID}, focal lengths 0.1 to 100 picture sizes")
    if (centre < 0).any() or (centre > size - 1).any():
        raise fields.wrong(K_key, f"centre {centre.tolist()} lies outside {size.astype(int).tolist()}", K_VALID)
    distortion = _distortion(fields) if K_key == "K" else np.zeros(0)
    return Camera(name, K, (int(size[0]), int(size[1])), distortion)


def _distortion(fields: Fields) -> Array:
    if "distortion" not in fields.values:
        return np.zeros(0)
    valid = f"a list of {DISTORTION_LENGTHS} numbers in OpenCV's order"
    values = np.zeros(0) if fields.values["distortion"] == [] else fields.array("distortion", (-1,), valid)
    if len(values) not in DISTORTION_LENGTHS:
        raise fields.wrong("distortion", f"has {len(values)} numbers", valid)
    return values

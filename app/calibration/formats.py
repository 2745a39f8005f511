"""Calibrations of other programs, read and written: ROS camera_info, OpenCV's YAML, Kalibr's camchain.

Kannala and Brandt's fisheye is "equidistant" in all of them (in OpenCV's, which names none, `camera_model:
fisheye`); it is never "plumb_bob".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.calibration.plain_yaml import YamlError, read_yaml, write_yaml
from hardware.geometry import Array, inverse
from hardware.types import Camera
from models.data.errors import DreamFileError
from models.data.fields import Fields, safe_name
from models.data.text_files import read_text

LAYOUTS = "image_width and camera_matrix (ROS camera_info, OpenCV), or cam0 (Kalibr camchain)"
ROS_MODELS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "plumb_bob": ("pinhole", (4, 5)),
    "rational_polynomial": ("pinhole", (8,)),
    "equidistant": ("fisheye", (4,)),
    "fisheye": ("fisheye", (4,)),
}
KALIBR_MODELS = {"radtan": "pinhole", "equidistant": "fisheye", "none": "pinhole"}
LENGTHS = {"pinhole": (0, 4, 5, 8), "fisheye": (0, 4)}


@dataclass(frozen=True, eq=False)
class ReadCameras:
    """cameras without a place; T_view1_cam (4, 4) by camera where the file tells it, else empty."""

    cameras: tuple[Camera, ...]
    T_view1_cam: Mapping[str, Array]


def read_cameras(path: Path) -> ReadCameras:
    """Read a file of any of the three formats, told by its fields.

    Raises DreamFileError naming file and field, and the line where it is not even YAML.
    """
    try:
        value = read_yaml(read_text(path))
    except YamlError as error:
        raise DreamFileError(path, "syntax", str(error), "YAML of camera_info, OpenCV or Kalibr") from error
    fields = Fields(value, path)
    if "cam0" in fields.values:
        return _kalibr(fields)
    if "camera_matrix" in fields.values or "K" in fields.values:
        name = fields.get("camera_name", str, "the camera's name", path.stem)
        name = safe_name(
            name, lambda problem: fields.wrong("camera_name", problem, "1 to 64 letters, digits, - or _")
        )
        camera = _ros(fields, name) if "distortion_model" in fields.values else _opencv(fields, name)
        return ReadCameras((camera,), {})
    raise fields.wrong("", "is no calibration that is known here", LAYOUTS)


def ros_text(camera: Camera) -> str:
    """Return a camera_info file as ROS's camera_calibration writes it; the picture is not rectified."""
    bent = list(map(float, camera.distortion)) or [0.0] * (4 if camera.model == "fisheye" else 5)
    model = "equidistant" if camera.model == "fisheye" else "rational_polynomial" if len(bent) == 8 else "plumb_bob"
    bent += [0.0] * (5 - len(bent)) if model == "plumb_bob" else []
    K = [float(v) for v in camera.K.ravel()]
    P = [*K[:3], 0.0, *K[3:6], 0.0, *K[6:], 0.0]
    return write_yaml(
        {
            "image_width": camera.size[0],
            "image_height": camera.size[1],
            "camera_name": camera.name,
            "camera_matrix": _matrix(3, 3, K),
            "distortion_model": model,
            "distortion_coefficients": _matrix(1, len(bent), bent),
            "rectification_matrix": _matrix(3, 3, [float(v) for v in np.eye(3).ravel()]),
            "projection_matrix": _matrix(3, 4, P),
        }
    )


def opencv_text(camera: Camera) -> str:
    """Return a file for cv::FileStorage."""
    bent = list(map(float, camera.distortion)) or [0.0] * (4 if camera.model == "fisheye" else 5)
    lines = [
        "%YAML:1.0",
        "---",
        f'camera_name: "{camera.name}"',
        f"image_width: {camera.size[0]}",
        f"image_height: {camera.size[1]}",
        f'camera_model: "{camera.model}"',
        *_opencv_matrix("camera_matrix", 3, 3, [float(v) for v in camera.K.ravel()]),
        *_opencv_matrix("distortion_coefficients", len(bent), 1, bent),
    ]
    return "\n".join(lines) + "\n"


def kalibr_text(cameras: Sequence[Camera], T_view1_cam: Mapping[str, Array]) -> str:
    """Return a camchain: each camera after the first with T_cn_cnm1, from the camera before it.

    Raises ValueError for a lens that Kalibr cannot say (more than four terms), naming the camera.
    """
    chain: dict[str, object] = {}
    for k, camera in enumerate(cameras):
        bent = list(map(float, camera.distortion)) or [0.0] * 4
        if camera.model == "pinhole" and any(abs(v) > 0 for v in bent[4:]):
            raise ValueError(
                f"camera {camera.name}: {len(bent)} distortion terms; valid: 4 (k1 k2 p1 p2) for Kalibr"
            )
        K = camera.K
        entry: dict[str, object] = {}
        if k and camera.name in T_view1_cam:
            T = inverse(T_view1_cam[camera.name]) @ T_view1_cam.get(cameras[k - 1].name, np.eye(4))
            entry["T_cn_cnm1"] = [[float(v) for v in row] for row in T]
        entry |= {
            "camera_model": "pinhole",
            "distortion_coeffs": bent[:4],
            "distortion_model": "equidistant" if camera.model == "fisheye" else "radtan",
            "intrinsics": [float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2])],
            "resolution": list(camera.size),
            "rostopic": f"/{camera.name}/image_raw",
        }
        chain[f"cam{k}"] = entry
    return write_yaml(chain)


WRITERS: Mapping[str, Callable[[Camera], str]] = {"ros": ros_text, "opencv": opencv_text}


def _matrix(rows: int, cols: int, data: list[float]) -> dict[str, object]:
    return {"rows": rows, "cols": cols, "data": data}


def _opencv_matrix(key: str, rows: int, cols: int, data: list[float]) -> list[str]:
    numbers = ", ".join(repr(v) for v in data)
    return [
        f"{key}: !!opencv-matrix",
        f"   rows: {rows}",
        f"   cols: {cols}",
        "   dt: d",
        f"   data: [ {numbers} ]",
    ]


def _size(fields: Fields, width: str = "image_width", height: str = "image_height") -> tuple[int, int]:
    found = []
    for key in (width, height):
        value = fields.number(key, "pixels, whole and positive")
        if not 1 <= value <= 16384 or value != round(value):
            raise fields.wrong(key, f"{value:g}", "pixels, whole, 1 to 16384")
        found.append(int(value))
    return found[0], found[1]


def _numbers(fields: Fields, key: str, count: tuple[int, ...]) -> Array:
    """A matrix as ROS and OpenCV write them, or a plain list."""
    valid = f"{' or '.join(map(str, count))} numbers"
    if isinstance(fields.values.get(key), Mapping):
        values = fields.table(key, valid).array("data", (-1,), valid)
    else:
        values = fields.array(key, (-1,), valid)
    if len(values) not in count:
        raise fields.wrong(key, f"has {len(values)} numbers", valid)
    return values


def _made(fields: Fields, key: str, name: str, K: Array, size: tuple[int, int], bent: Array, model: str) -> Camera:
    below = np.array([K[0, 1], K[1, 0], K[2, 0], K[2, 1], K[2, 2] - 1])
    focal = K[[0, 1], [0, 1]]
    if np.abs(below).max() > 1e-6 or (focal < 0.05 * max(size)).any() or (focal > 100 * max(size)).any():
        raise fields.wrong(key, f"{K.tolist()}", "[fx 0 cx; 0 fy cy; 0 0 1] in pixels of the picture")
    try:
        return Camera(name, K, size, bent, "fisheye" if model == "fisheye" else "pinhole")
    except ValueError as error:
        raise fields.wrong(key, str(error), "a camera's numbers") from error


def _ros(fields: Fields, name: str) -> Camera:
    word = fields.get("distortion_model", str, f"one of {', '.join(ROS_MODELS)}")
    if word not in ROS_MODELS:
        raise fields.wrong("distortion_model", repr(word), ", ".join(ROS_MODELS))
    model, count = ROS_MODELS[word]
    bent = _numbers(fields, "distortion_coefficients" if "distortion_coefficients" in fields.values else "D", count)
    key = "camera_matrix" if "camera_matrix" in fields.values else "K"
    K = _numbers(fields, key, (9,)).reshape(3, 3)
    return _made(fields, key, name, K, _size(fields), bent, model)


def _opencv(fields: Fields, name: str) -> Camera:
    model = fields.get("camera_model", str, "pinhole or fisheye", "pinhole")
    if model not in LENGTHS:
        raise fields.wrong("camera_model", repr(model), "pinhole, fisheye")
    if "distortion_coefficients" not in fields.values:
        raise fields.wrong("distortion_coefficients", "is missing", f"{LENGTHS[model]} numbers in OpenCV's order")
    bent = _numbers(fields, "distortion_coefficients", LENGTHS[model])
    K = _numbers(fields, "camera_matrix", (9,)).reshape(3, 3)
    return _made(fields, "camera_matrix", name, K, _size(fields), bent, model)


def _kalibr(fields: Fields) -> ReadCameras:
    cameras: list[Camera] = []
    T_view1_cam: dict[str, Array] = {}
    while f"cam{len(cameras)}" in fields.values:
        key = f"cam{len(cameras)}"
        row = fields.table(key, "a camera of the chain")
        camera = _kalibr_camera(row, _kalibr_name(row, key))
        if camera.name in [other.name for other in cameras]:
            raise row.wrong("rostopic", f"{camera.name} is there twice", "a name of its own for each camera")
        if not cameras:
            T_view1_cam[camera.name] = np.eye(4)
        elif "T_cn_cnm1" in row.values and cameras[-1].name in T_view1_cam:
            T_view1_cam[camera.name] = T_view1_cam[cameras[-1].name] @ inverse(row.pose("T_cn_cnm1"))
        cameras.append(camera)
    return ReadCameras(tuple(cameras), T_view1_cam if len(T_view1_cam) > 1 else {})


def _kalibr_name(row: Fields, key: str) -> str:
    topic = row.get("rostopic", str, "a topic", key)
    name = next((part for part in topic.split("/") if part), key)
    return safe_name(name, lambda problem: row.wrong("rostopic", problem, "/NAME/image_raw"))


def _kalibr_camera(row: Fields, name: str) -> Camera:
    projection = row.get("camera_model", str, "pinhole")
    if projection != "pinhole":
        raise row.wrong("camera_model", repr(projection), "pinhole (with radtan or equidistant)")
    word = row.get("distortion_model", str, ", ".join(KALIBR_MODELS))
    if word not in KALIBR_MODELS:
        raise row.wrong("distortion_model", repr(word), ", ".join(KALIBR_MODELS))
    fx, fy, cx, cy = row.array("intrinsics", (4,), "fx, fy, cx, cy in pixels")
    bent = row.array("distortion_coeffs", (4,), "four numbers") if word != "none" else np.zeros(0)
    size = row.array("resolution", (2,), "width, height in pixels")
    K = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    whole = bool((size == np.round(size)).all() and (size >= 1).all() and (size <= 16384).all())
    if not whole:
        raise row.wrong("resolution", f"{size.tolist()}", "width, height in pixels, whole")
    return _made(row, "intrinsics", name, K, (int(size[0]), int(size[1])), bent, KALIBR_MODELS[word])

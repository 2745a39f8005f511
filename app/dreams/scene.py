"""What a dream begins with: a picture of each view with nobody in it, and where its cameras stand."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.recording.scene_checks import scene_faults
from hardware.geometry import Array, inverse
from hardware.recording.note import Verdict
from hardware.rig import Rig, load_rig
from hardware.types import Camera, Image, Tool
from hardware.world.scene import scaled_camera
from models.data.calibration_file import load_calibration
from models.data.clips_pictures import fit_width
from models.data.errors import DreamFileError
from models.data.photo import read_photo
from models.types import Placement
from models.video.config import VideoConfig

OVERRIDE = "take the arm or the hand out and take the picture again, or say why not (--override REASON)"

PUT_BACK = "put it back or calibrate it again on page Rig, or say why not (--override REASON)"


class SceneRefused(DreamFileError):
    """A hand or an arm is in the pictures, or a camera was moved; `problem` says what and where."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The scene of one dream.

    cameras, T_view1_view (4, 4) by view, as the model's pictures show them; pictures (V, H, W, 3) as the model is
    shown them, a goal painted in; photos by view as the cameras took them; text: what is to be done; origin: where
    all this came from, plain values.
    """

    cameras: tuple[Camera, ...]
    T_view1_view: tuple[Array, ...]
    pictures: Image
    photos: tuple[Image, ...]
    T_world_view1: Array
    placement: Placement
    tools: Mapping[str, Tool] = field(default_factory=dict)
    text: str = ""
    origin: Mapping[str, object] = field(default_factory=dict)


def scene_from_photos(
    files: Sequence[Path],
    config: VideoConfig,
    *,
    calibration: Path | None = None,
    rig: Rig | None = None,
    tools: Mapping[str, Tool] | None = None,
    text: str = "",
    override: str = "",
) -> Scene:
    """Return the scene of one photo for each view of the model, in the views' order.

    calibration or rig says where the cameras stand; without either it is assumed, as the simulated rig's. override:
    why a hand or an arm may be in it. Raises DreamFileError naming the photo or the calibration.
    """
    if len(files) != config.views:
        raise DreamFileError("--scene", "views", f"{len(files)} pictures", f"{config.views}: one for each view")
    photos = [read_photo(file) for file in files]
    pictures = np.stack([shown_picture(photo, config, file) for photo, file in zip(photos, files, strict=True)])
    cameras, T_world_view1, placement = _cameras(calibration, rig, config.views)
    source = calibration or (rig.name if rig else "the simulated rig's cameras")
    fitted = [fitted_camera(c, p, config, source) for (c, _), p in zip(cameras, photos, strict=True)]
    refuse_company({}, {c.name: p for c, p in zip(fitted, photos, strict=True)}, override=override)
    origin: dict[str, object] = {
        "kind": "photos",
        "files": [{"name": f.name, "sha256": hashlib.sha256(f.read_bytes()).hexdigest()} for f in files],
        "cameras": str(source),
    }
    return Scene(
        tuple(fitted), tuple(T for _, T in cameras), pictures, tuple(photos), T_world_view1, placement,
        tools or {}, text, origin | ({"override": override} if override else {}),
    )  # fmt: skip


def refuse_company(
    first: Mapping[str, Image],
    second: Mapping[str, Image],
    arms: Mapping[str, Mapping[str, float]] | None = None,
    *,
    override: str = "",
) -> None:
    """Raise SceneRefused where a hand or an arm is in the pictures (app/recording/scene_checks.py); override: a
    reason not to."""
    faults = scene_faults(first, second, None, arms)
    if faults and not override:
        what = "; ".join(fault.text for fault in faults)
        raise SceneRefused("scene", faults[0].check, what, OVERRIDE)


def refuse_moved(found: Sequence[Verdict], override: str = "") -> None:
    """Raise SceneRefused where cameras stand otherwise than they were calibrated; found: what was found of that
    (app/calibration/moved_cameras.py); override: a reason not to."""
    if found and not override:
        raise SceneRefused("scene", found[0].check, "; ".join(verdict.text for verdict in found), PUT_BACK)


def cameras_of(rig: Rig, count: int) -> tuple[Camera, ...]:
    """Return the first cameras of a rig. Raises DreamFileError where there are too few, or nobody knows their
    place."""
    cameras = tuple(config.camera for config in rig.cameras[:count])
    if len(cameras) < count:
        raise DreamFileError(
            rig.name, "cameras", f"it has {len(cameras)}", f"{count}: one for each view of the model"
        )
    for camera in cameras:
        if camera.model == "fisheye" or camera.T_world_cam is None:
            problem = "is a fisheye" if camera.model == "fisheye" else "nobody knows where it stands"
            raise DreamFileError(
                rig.name, f"camera {camera.name}", problem, "calibrated cameras with straight lenses"
            )
    return cameras


def poses_to_first(cameras: Sequence[Camera]) -> tuple[Array, ...]:
    """Return T_view1_view (4, 4) of placed cameras."""
    poses = [np.asarray(camera.T_world_cam) for camera in cameras]
    return tuple(np.eye(4) if i == 0 else inverse(poses[0]) @ T for i, T in enumerate(poses))


def _cameras(
    calibration: Path | None, rig: Rig | None, count: int
) -> tuple[list[tuple[Camera, Array]], Array, Placement]:
    """Return cameras with T_view1_view, T_world_view1, and whether that is known or assumed."""
    assumed = cameras_of(load_rig("sim"), 1)[0].T_world_cam
    if calibration is not None:
        read = load_calibration(calibration)
        if len(read.cameras) != count:
            raise DreamFileError(
                calibration, "views", f"has {len(read.cameras)} views", f"{count}, as the model has"
            )
        pairs = list(zip(read.cameras, read.T_view1_view, strict=True))
        known = read.T_world_view1
        return pairs, np.asarray(assumed if known is None else known), "assumed" if known is None else "calibrated"
    cameras = cameras_of(rig or load_rig("sim"), count)
    placement: Placement = "calibrated" if rig is not None else "assumed"
    return list(zip(cameras, poses_to_first(cameras), strict=True)), np.asarray(cameras[0].T_world_cam), placement


def fitted_picture(photo: Image, config: VideoConfig) -> Image:
    """Return a photo (H, W), (H, W, 3) as the model is shown it. Raises ValueError where it has no such crop."""
    return fit_width((photo.shape[1], photo.shape[0]), config.size, config.zoom).picture(photo)


def shown_picture(photo: Image, config: VideoConfig, file: Path) -> Image:
    """As `fitted_picture`. Raises DreamFileError naming the file, or the folder, that the photo is from."""
    try:
        return fitted_picture(photo, config)
    except ValueError as error:
        raise DreamFileError(file, "scene photo", str(error)) from error


def fitted_camera(camera: Camera, photo: Image, config: VideoConfig, source: object) -> Camera:
    """Return the camera of the model's picture, calibrated for the photo or for the model's picture itself."""
    size = (photo.shape[1], photo.shape[0])
    if camera.size == size:
        return fit_width(size, config.size, config.zoom).camera(camera)
    if camera.size == config.size and config.zoom == 1:
        return camera
    if not isinstance(source, Path) and size == config.size and config.zoom == 1:
        return scaled_camera(camera, size)  # as simulated cameras draw at another size
    valid = f"{size[0]}x{size[1]} as the photo, or {config.size[0]}x{config.size[1]} as the model's pictures"
    raise DreamFileError(str(source), f"{camera.name}: size", f"{camera.size[0]}x{camera.size[1]}", valid)

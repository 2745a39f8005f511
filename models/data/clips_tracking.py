"""A recorded demo as the clip that a tracker reads: every calibrated camera, at the clip's rate, scene first."""

import hashlib
import math
from collections.abc import Mapping

import numpy as np

from hardware.geometry import Array, inverse
from hardware.types import Camera, Tool
from models.data.clips import StereoClip, nearest
from models.data.clips_pictures import Fit, FittedPictures, fit_middle, fit_width, scene_photo
from models.data.demo import Demo
from models.data.errors import DreamFileError
from models.data.fields import safe_name
from models.types import Dream, View

LARGEST = StereoClip().size
"""Wider pictures are tracked in the size that the published tracker sees [px]."""
MOST_FRAMES = 600  # of two views at this size some 4 GB


def tracking_clip(demo: Demo, tools: Mapping[str, Tool], fps: float) -> tuple[Dream, Array]:
    """Return a demo as a clip, and the times (T,) [s since its start] of its frames.

    Frame 0 is the photo of the bare scene where there is one, else the demo's first picture. The other views'
    pictures are those nearest in time to the first view's. Raises DreamFileError where no camera has a place in the
    world, or the pictures are too many.
    """
    where = demo.source.get("path", demo.id)
    cameras = _placed_cameras(demo)
    if not cameras:
        there = [s.name for s in demo.streams.values() if s.kind == "camera"]
        valid = "at least one camera that was calibrated, with its place in the world"
        raise DreamFileError(where, "cameras", f"none of {there} has a place in the world", valid)
    first = cameras[0].name
    asked = _asked(demo.times(first), fps)
    if len(asked) > MOST_FRAMES:
        problem, valid = f"{len(asked)} at {fps:g} fps", f"at most {MOST_FRAMES}: a lower rate, or a shorter piece"
        raise DreamFileError(where, "frames", problem, valid)
    photos = {camera.name: scene_photo(demo, camera.name) for camera in cameras}
    bare = all(photo is not None for photo in photos.values())
    if not bare:
        photos = {}
    T_world_view1 = cameras[0].T_world_cam
    views = []
    for camera in cameras:
        fit = _fit(camera)
        at = nearest(demo.times(camera.name), asked)
        frames = FittedPictures().get(demo, camera.name, fit, at.tolist())
        photo = photos.get(camera.name)
        if photo is not None:
            frames = np.concatenate([fit.picture(photo)[None], frames])
        views.append(View(fit.camera(camera), inverse(_place(T_world_view1)) @ _place(camera.T_world_cam), frames))
    # the photo was the picture before the first
    times = np.concatenate([[asked[0] - 1 / fps], asked]) if bare else asked
    name = safe_name(demo.id, lambda problem: DreamFileError(where, "id", problem))
    provenance = {"source": "demo", **demo.source, "tools": {role: tool_sha256(t) for role, t in tools.items()}}
    return Dream(name, fps, tuple(views), dict(tools), _place(T_world_view1), "calibrated", provenance), times


def tool_sha256(tool: Tool) -> str:
    """Return a digest of what of a tool is tracked: its mesh, the faces that may be used, its symmetry."""
    digest = hashlib.sha256()
    mesh = tool.mesh
    for values in (mesh.vertices, mesh.faces, mesh.uv, mesh.texture, mesh.face_rgb, tool.trackable, tool.symmetry):
        digest.update(b"-" if values is None else np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def camera_values(camera: Camera) -> dict[str, object]:
    """Return a calibration as JSON values."""
    T = camera.T_world_cam
    return {
        "name": camera.name,
        "size": list(camera.size),
        "K": camera.K.tolist(),
        "distortion": camera.distortion.tolist(),
        "model": camera.model,
        "T_world_cam": None if T is None else T.tolist(),
    }


def _placed_cameras(demo: Demo) -> list[Camera]:
    names = [stream.name for stream in demo.streams.values() if stream.kind == "camera"]
    found = [demo.camera(name) for name in names if len(demo.times(name))]
    return [camera for camera in found if camera is not None and camera.T_world_cam is not None]


def _asked(times: Array, fps: float) -> Array:
    """Return the times of pictures about 1/fps apart, from the first to the last one, none twice."""
    # a tenth of a period, since clocks tick apart
    asked = times[0] + np.arange(math.floor((times[-1] - times[0]) * fps + 0.1) + 1) / fps
    return np.asarray(times[np.unique(nearest(times, asked))])


def _fit(camera: Camera) -> Fit:
    if camera.size[0] <= LARGEST[0]:
        return fit_middle(camera.size, camera.size, "crop")
    try:
        return fit_width(camera.size, LARGEST)
    except ValueError:
        return fit_middle(camera.size, LARGEST, "crop")


def _place(T_world_cam: Array | None) -> Array:
    if T_world_cam is None:
        raise ValueError("a camera has no place in the world")
    return T_world_cam

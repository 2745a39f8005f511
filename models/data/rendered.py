"""Dreams from the simulated world: rendered clips, whose truth is known, in the form that trackers read."""

from collections.abc import Mapping

from hardware.geometry import Array, inverse
from hardware.types import Tool
from hardware.world.clips import RenderedClip
from models.types import Dream, View


def dream_from_clip(clip: RenderedClip, tools: Mapping[str, Tool] | None = None) -> Dream:
    """The clip as a calibrated dream; tools by role, as rendered when None. View 1 is the rig's first camera."""
    first = clip.cameras[0].T_world_cam
    if first is None:
        raise ValueError(f"clip: camera {clip.cameras[0].name} has no place in the world")
    views = []
    for camera in clip.cameras:
        if camera.T_world_cam is None:
            raise ValueError(f"clip: camera {camera.name} has no place in the world")
        views.append(View(camera, inverse(first) @ camera.T_world_cam, clip.views[camera.name]))
    return Dream(
        name=f"{clip.task}-{clip.seed}",
        fps=clip.fps,
        views=tuple(views),
        tools=dict(clip.tools if tools is None else tools),
        T_world_view1=first,
        placement="calibrated",
        provenance={"source": "rendered", "task": clip.task, "seed": clip.seed, **clip.settings},
    )


def true_poses(clip: RenderedClip) -> dict[str, Array]:
    """role -> T_view1_tool (T, 4, 4), nan while no view sees the tool."""
    first = clip.cameras[0].T_world_cam
    if first is None:
        raise ValueError(f"clip: camera {clip.cameras[0].name} has no place in the world")
    return {role: inverse(first) @ T for role, T in clip.T_world_tool.items()}

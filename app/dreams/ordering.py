"""From what somebody asks for, in plain values, to an order that the worker can carry out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from app.datasets.tracking import TASK_TOOLS, tool_file
from app.dreams.dreaming import DreamOrder, refuse_taken
from app.dreams.goals import GoalPose, make_goal, with_goal
from app.dreams.live_scene import real_scene, simulated_scene
from app.dreams.scene import Scene, scene_from_photos
from app.tools.library import ToolLibrary
from hardware.rig import Rig
from hardware.types import Tool
from models.data.clips import stereo_clip
from models.data.errors import DreamFileError
from models.data.imports import read_tool
from models.data.photo import read_photo
from models.video.config import VideoConfig
from models.video.config_file import read_config
from models.video.sample_options import Precision, SampleOptions

BRIGHT = 127


@dataclass(frozen=True, eq=False)
class Wish:
    """What somebody wants to be dreamt.

    photos: of each view, else the rig's cameras are asked; rig: None with photos where nobody knows who took them;
    table: of a simulated rig; goal: of push-shape, a pose or a picture that is bright there, as large as view 1's
    photo, None for a simulated table's own; tools by role, names of the library or files, empty for the task's. The
    rest as DreamOrder.
    """

    model: Path
    out: Path
    rig: Rig | None = None
    photos: tuple[Path, ...] = ()
    calibration: Path | None = None
    task: str = ""
    table: int = 0
    goal: GoalPose | Path | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    override: str = ""
    options: SampleOptions = field(default_factory=SampleOptions)
    device: str = ""
    precision: Precision | None = None
    compiled: bool = False
    preview: Path | None = None


def make_order(wish: Wish, root: Path, say: Callable[[str], None]) -> DreamOrder:
    """Look at the scene, and check all that can be checked before the networks are loaded.

    root: the workspace, with tools and calibrations; say: what a person should know. Raises ValueError,
    DreamFileError naming what is valid; DeviceError, OSError, TimeoutError of the rig.
    """
    require_networks()
    refuse_taken(wish.out)
    config = read_config(wish.model)
    return order_of(wish, wished_scene(wish, config, root, say), config, say)


def require_networks() -> None:
    """Raise ValueError where what computes dreams is not installed."""
    if find_spec("torch") is None or find_spec("diffusers") is None:
        raise ValueError("dreaming needs the extra `video`, which is not installed: pip install -e '.[video]'")


def order_of(wish: Wish, scene: Scene, config: VideoConfig, say: Callable[[str], None]) -> DreamOrder:
    """Return the order for a scene that was looked at already. Raises DreamFileError; say: as in `make_order`."""
    if config.conditioning == "text" and not scene.text:
        raise DreamFileError(
            "--text", "text", "is empty", "what is to be done, in words: this model is told nothing else"
        )
    if scene.placement == "assumed":
        say("where the cameras stand is assumed: plans of this dream run on emulated arms only")
    if not scene.tools:
        say("no tool is known: nothing can be tracked in the dream; name them with --task or --tools")
    return DreamOrder(
        wish.model, scene, wish.out, wish.task or "dream", wish.options, wish.device, wish.precision, wish.compiled,
        wish.preview,
    )  # fmt: skip


def wished_scene(wish: Wish, config: VideoConfig, root: Path, say: Callable[[str], None]) -> Scene:
    """Return the scene that a wish names, with the goal painted in. Raises as `make_order`."""
    scene = _bare_scene(wish, config, root, say)
    if wish.goal is None:
        return scene
    if wish.task and stereo_clip(wish.task).goal is None:
        raise DreamFileError("--goal", "goal", f"task {wish.task} has none", "a goal of push-shape")
    drawn = wish.goal if isinstance(wish.goal, GoalPose) else read_photo(wish.goal).max(axis=-1) > BRIGHT
    return with_goal(scene, make_goal(scene, config, drawn), config)


def _bare_scene(wish: Wish, config: VideoConfig, root: Path, say: Callable[[str], None]) -> Scene:
    tools = wished_tools(wish, root)
    if wish.photos:
        return scene_from_photos(
            wish.photos, config, calibration=wish.calibration, rig=wish.rig, tools=tools, text=wish.text,
            override=wish.override,
        )  # fmt: skip
    if wish.calibration is not None:
        raise DreamFileError("--calibration", "calibration", "is given without --scene", "a rig knows its cameras")
    if wish.rig is None:
        raise DreamFileError("--scene", "scene", "neither photos nor a rig are given", "one of them")
    if not wish.rig.simulated:
        return real_scene(wish.rig, config, root, tools, task=wish.task, text=wish.text, override=wish.override)
    say(f"laying table {wish.table} of {wish.task or 'no task'} in rig {wish.rig.name}")
    own_goal = wish.goal is None
    return simulated_scene(wish.rig, config, wish.task, wish.table, tools, wish.text, own_goal)


def wished_tools(wish: Wish, root: Path) -> dict[str, Tool]:
    """Return by role the tools that a wish names, else those of its task. Raises ValueError, DreamFileError."""
    wanted, library = wish.tools or TASK_TOOLS.get(wish.task, {}), ToolLibrary(root)
    return {role: read_tool(role, tool_file(role, name, library)) for role, name in wanted.items()}

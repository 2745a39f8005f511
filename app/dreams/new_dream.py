"""What a person asks for on page Dream, from the form to an order: the model, the scene, how many candidates."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from app.dreams.dreaming import DreamOrder
from app.dreams.goals import TASK as GOAL_TASK
from app.dreams.goals import Goal, usual_goal, with_goal
from app.dreams.open_scene import NewestPicture, scene_of_open_cameras
from app.dreams.ordering import Wish, order_of, require_networks, wished_tools
from app.dreams.recorded_scene import scene_of_dream, scene_of_episode
from app.dreams.scene import Scene
from app.execution.rig_link import RigLink
from app.recording.work import Moved
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.whole_file import write_whole
from hardware.world.tasks.table import lay
from models.data.text_files import to_json
from models.video.config import VideoConfig
from models.video.sample_options import SampleOptions

LIVE, DREAM, EPISODE = "live", "dream", "episode"
AS_IT_LIES = -1
REMEMBERED = "dreaming.json"


@dataclass(frozen=True)
class Draft:
    """What the form says. source: LIVE, or DREAM or EPISODE with the folder behind a colon; table: which simulated
    one is to be laid first, or AS_IT_LIES; override: why a hand or an arm may be in the scene; others: folders of
    models that a person chose before."""

    model: str = ""
    source: str = LIVE
    task: str = ""
    table: int = AS_IT_LIES
    text: str = ""
    candidates: int = 4
    seed: int = 0
    steps: int = SampleOptions.steps
    device: str = ""
    override: str = ""
    others: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        return self.source == LIVE

    @property
    def folder(self) -> Path:
        """Of a recorded scene."""
        return Path(self.source.partition(":")[2])

    @property
    def options(self) -> SampleOptions:
        """Raises ValueError naming the field and what is valid."""
        return SampleOptions(steps=self.steps, candidates=self.candidates, seed=self.seed)

    def edited(self, name: str, text: str) -> "Draft":
        """Return the draft with a field changed, from what a person wrote. Raises ValueError, KeyError."""
        kind = {f.name: f.type for f in fields(self)}[name]
        return replace(self, **{name: int(text) if kind is int else text})  # type: ignore[arg-type]

    def varied(self) -> "Draft":
        """Return the same with the seeds that come after these."""
        return replace(self, seed=self.seed + self.candidates)


@dataclass(frozen=True, eq=False)
class Eyes:
    """What can be seen now. rig: as it was calibrated; joints (J,) [rad] by arm, as far as they are known; link:
    has the simulated table, None where there is none to be laid; moved(pictures): which cameras were moved."""

    rig: Rig
    newest: NewestPicture
    joints: Mapping[str, Array] = field(default_factory=dict)
    link: RigLink | None = None
    moved: Moved = lambda _pictures: ()


def look(draft: Draft, config: VideoConfig, eyes: Eyes, root: Path) -> Scene:
    """Return the scene of a draft, a simulated table laid first where it says so. Takes a second: not for the
    window's thread.

    root: the workspace, with its tools. Raises SceneRefused, DreamFileError, EpisodeFileError, DeviceError,
    ValueError.
    """
    told = {"text": draft.text, "override": draft.override}
    kind = draft.source.partition(":")[0]
    if kind == DREAM:
        return scene_of_dream(draft.folder, config, **told)
    tools = wished_tools(Wish(Path(draft.model), Path(), task=draft.task), root)
    if kind == EPISODE:
        return scene_of_episode(draft.folder, config, tools, **told)
    if eyes.link is not None and draft.table != AS_IT_LIES:
        eyes.link.lay(draft.task, draft.table)
    table = eyes.link.table if eyes.link is not None else ""
    task, _, number = table.rpartition(" ")
    if not draft.text and task == draft.task:
        told["text"] = lay(task, int(number)).instruction
    return scene_of_open_cameras(
        eyes.rig, config, eyes.newest, eyes.joints, tools, moved=eyes.moved, task=draft.task, table=table, **told
    )  # fmt: skip


def with_wanted_goal(scene: Scene, draft: Draft, config: VideoConfig, goal: Goal | None) -> Scene:
    """Return the scene with the goal painted in, of a task that has one: what a person posed or drew, else the
    simulated table's own. Raises ValueError where it is of other cameras."""
    wanted = (goal or usual_goal(scene, config)) if draft.task == GOAL_TASK else None
    return scene if wanted is None else with_goal(scene, wanted, config)


def make(draft: Draft, config: VideoConfig, eyes: Eyes, root: Path, goal: Goal | None = None) -> DreamOrder:
    """Look at the scene and return the order. In another thread, and raises, as `look`."""
    require_networks()
    scene = with_wanted_goal(look(draft, config, eyes, root), draft, config, goal)
    wish = Wish(
        Path(draft.model), Path(), task=draft.task, text=draft.text, options=draft.options, device=draft.device
    )
    return order_of(wish, scene, config, lambda _words: None)


def read_draft(root: Path) -> Draft:
    """Return what a person asked for last in this workspace; the defaults where that cannot be read."""
    try:
        told = json.loads((root / REMEMBERED).read_text(encoding="utf-8"))
        draft = Draft(others=tuple(str(folder) for folder in told["others"]))
        for f in fields(Draft):
            if f.name not in ("source", "text", "override", "others"):
                draft = draft.edited(f.name, str(told[f.name]))
        return draft if draft.options else Draft()
    except (OSError, ValueError, TypeError, KeyError):
        return Draft()


def remember(root: Path, draft: Draft) -> None:
    """Keep what was asked for, but the scene; where that fails, it is asked for anew."""
    try:
        write_whole(root / REMEMBERED, to_json(asdict(draft)))
    except OSError:
        return

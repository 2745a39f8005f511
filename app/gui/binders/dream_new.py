"""Binds the form of a new dream: which model, of which scene; wakes the rig where it has to look, and begins."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Slot

from app.calibration.calibrated_rig import with_calibrations
from app.dreams.candidate_session import MakeOrder
from app.dreams.goals import TASK as GOAL_TASK
from app.dreams.goals import usual_goal
from app.dreams.new_dream import AS_IT_LIES, Draft, Eyes, look, make, read_draft, remember
from app.dreams.ordering import Wish, wished_tools
from app.dreams.recorded_scene import RecordedScene, recorded_scenes
from app.dreams.scene import Scene, SceneRefused
from app.dreams.video_models import VideoModel, video_models
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.dream_candidates import CandidatesBinder
from app.gui.binders.dream_new_facts import Said, first_task, form
from app.gui.binders.goal import GoalBinder
from app.gui.binders.horizon import HorizonBinder
from app.gui.program import Program
from models.video.config import VideoConfig
from widgets.dream_values import DreamForm
from widgets.pages.dream import DreamPage

Then = Literal["look", "dream"]
Choices = tuple[list[VideoModel], list[RecordedScene]]
OFF = ("offline", "fault")


class NewDreamBinder(QuietBinder):
    """What a person writes lives here until it is dreamt; what takes long happens in a thread.

    goal: what a person poses or draws on the scene; steps: follow the dreams of what the cameras see now.
    """

    def __init__(
        self, page: DreamPage, program: Program, shell: Shell, candidates: CandidatesBinder, goal: GoalBinder,
        steps: HorizonBinder,
    ) -> None:  # fmt: skip
        super().__init__(page)
        self._goal, self._steps = goal, steps
        self.page, self._program, self._shell, self._candidates = page, program, shell, candidates
        self._session = program.candidates
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="new dream")
        self._choosing: Future[Choices] | None = None
        self._looking: Future[Scene] | None = None
        self._then: Then | None = None  # what is to be done once the rig is awake
        self._dreamt: Draft | None = None
        self._choices: Choices = ([], [])
        self._problem, self._refused = "", False
        self.draft = read_draft(program.workspace.root)
        self.scene: Scene | None = None
        self._forget = self._session.on_change(self._changed)
        page.new_form.edited.connect(self._edit)
        page.new_form.look_wanted.connect(partial(self._do, "look"))
        page.new_form.left.connect(self._leave)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
            "dream.new": self._open,
            "dream.start": partial(self._do, "dream"),
            "dream.leave": self._leave,
            "dream.model_folder": self._ask_folder,
            "dream.vary": self._vary,
        }

    def facts(self) -> set[str]:
        held = {
            "dream_form": self.page.new_shown,
            "dream_ready": self.page.new_shown and not self._busy and self.config is not None,
            "varied": self._dreamt is not None,
        }
        return {name for name, holds in held.items() if holds}

    def tick(self) -> None:
        if self._choosing is not None and self._choosing.done():
            chosen, self._choosing = self._choosing, None
            self._take_choices(chosen.result())
        if self._looking is not None and self._looking.done():
            looked, self._looking = self._looking, None
            self._looked(looked)
        if self._then is not None:
            self._wait_for_rig(self._then)

    def close(self) -> None:
        self._forget()
        self._background.shutdown(wait=True, cancel_futures=True)

    @property
    def config(self) -> VideoConfig | None:
        """The chosen model's."""
        return next((m.config for m in self._choices[0] if str(m.path) == self.draft.model), None)

    # the form --------------------------------------------------------------------------------------------------
    def _open(self) -> None:
        self._problem, self._refused = "", False
        if not self.draft.task:
            self.draft = replace(self.draft, task=first_task(self._program))
        self._find_choices()
        self.page.show_new(self._form())

    def _find_choices(self) -> None:
        others = tuple(map(Path, self.draft.others))
        workspace = self._program.workspace
        self._choosing = self._background.submit(
            lambda: (video_models(workspace, others), recorded_scenes(workspace))
        )

    def _take_choices(self, choices: Choices) -> None:
        self._choices = choices
        models = [str(m.path) for m in choices[0]]
        if self.draft.model not in models and models:
            self.draft = replace(self.draft, model=models[0])
        self._show()

    def _form(self) -> DreamForm:
        said = Said(self._busy, self._problem, self._refused, self.scene is not None)
        return form(self._program, self.draft, self._choices, said)

    def _show(self) -> None:
        if self.page.new_shown:
            self.page.new_form.show_form(self._form())

    @property
    def _busy(self) -> str:
        """What goes on, "" for nothing."""
        if self._choosing is not None:
            return "Looking for models…"
        if self._then is not None:
            return "Starting the rig…"
        return "Looking at the scene…" if self._looking is not None or self._session.busy else ""

    @Slot(str, str)
    def _edit(self, name: str, text: str) -> None:
        before, self.draft = self.draft, self.draft.edited(name, text)
        if name in ("model", "source", "task", "table"):
            self._show_scene(None)
            self._problem, self._refused = "", False
        if name == "source" and not self.draft.live:
            task = next((s.task for s in self._choices[1] if s.folder == self.draft.folder), before.task)
            self.draft = replace(self.draft, task=task)
        self._show()

    def _ask_folder(self) -> None:
        chosen = self._shell.ask_folder("The folder of a video model")
        if chosen:
            others = tuple(dict.fromkeys((*self.draft.others, chosen)))
            self.draft = replace(self.draft, model=chosen, others=others)
            self._find_choices()
            self._show()

    @Slot()
    def _leave(self) -> None:
        self._then = None
        self.page.show_dream()

    # look, and dream -------------------------------------------------------------------------------------------
    def _vary(self) -> None:
        if self._dreamt is not None:
            self.draft = self._dreamt.varied()
            self._do("dream")

    def _do(self, then: Then) -> None:
        self._problem, self._refused = "", False
        if self._busy:
            return
        try:
            self._check()
            awake = not self.draft.live or self._wake()
        except (ValueError, OSError) as error:
            self._fail(str(error))
            return
        if awake:
            self._go_on(then)
        else:
            self._then = then
        self._show()

    def _check(self) -> None:
        model = next((m for m in self._choices[0] if str(m.path) == self.draft.model), None)
        if model is None or model.config is None:
            raise ValueError(model.problem if model is not None else "choose a model first")
        _ = self.draft.options

    def _wake(self) -> bool:
        """Return whether the rig's cameras can be looked through; else begin to turn them on."""
        program = self._program
        if not (program.rig.simulated and program.rig.arms):
            program.recording.open()
            return program.recording.devices == "on"
        arms, tools = program.execution, wished_tools(self._wish, program.workspace.root)
        carried = {tool.name for tool in arms.link.tools.values()} if arms.link is not None else set()
        if arms.link is not None and {tool.name for tool in tools.values()} <= carried:
            return True
        number = max(self.draft.table, 0)
        arms.connect(tools, (self.draft.task, number))
        self.draft = replace(self.draft, table=AS_IT_LIES)
        return False

    @property
    def _wish(self) -> Wish:
        return Wish(Path(self.draft.model), Path(), task=self.draft.task)

    def _wait_for_rig(self, then: Then) -> None:
        arms, cameras = self._program.execution, self._program.recording
        simulated = self._program.rig.simulated and bool(self._program.rig.arms)
        if arms.link is not None if simulated else cameras.devices == "on":
            self._then = None
            self._go_on(then)
        elif arms.state in OFF if simulated else cameras.devices == "off":
            self._then = None
            self._fail(arms.message if simulated else cameras.message)

    def _go_on(self, then: Then) -> None:
        config, draft = self.config, self.draft
        if config is None:
            return
        eyes, root = self._eyes(), self._program.workspace.root
        if then == "look":
            self._looking = self._background.submit(look, draft, config, eyes, root)
            self._show()
            return
        name, further = draft.task or "dream", self._steps.goes_on and not self.page.new_shown
        goal = self._steps.goal if further else self._goal.goal
        order: MakeOrder = partial(make, draft, config, eyes, root, goal)
        if draft.live and not further:
            order = self._steps.follow(order, config, partial(self._look_now, draft, config), goal)
        try:
            self._candidates.begin(name, order, (config.views, config.length))
        except (ValueError, OSError) as error:
            self._fail(str(error))
            return
        self._dreamt = replace(draft, table=AS_IT_LIES)
        remember(root, draft)

    def _look_now(self, draft: Draft, config: VideoConfig) -> Scene:
        """Take the scene as it lies; in another thread."""
        return look(replace(draft, table=AS_IT_LIES), config, self._eyes(), self._program.workspace.root)

    def _eyes(self) -> Eyes:
        program, link = self._program, self._program.execution.link
        joints = {name: state.q for name, state in program.execution.arms.items()}
        rig = with_calibrations(program.rig, program.calibrations).rig
        laid = link if link is not None and link.world is not None else None
        eyes = Eyes(rig, program.picture, joints, laid)
        # every simulated table has a light of its own
        return eyes if rig.simulated else replace(eyes, moved=program.watch.look)

    def _looked(self, looking: Future[Scene]) -> None:
        try:
            scene = looking.result()
        except (ValueError, OSError, RuntimeError) as error:
            self._fail_of(error)
            return
        self.draft = replace(self.draft, table=AS_IT_LIES)
        self._show_scene(scene)
        self._show()

    def _show_scene(self, scene: Scene | None) -> None:
        self.scene = scene
        named = zip(scene.cameras, scene.pictures, strict=True) if scene is not None else ()
        posed = scene is not None and self.config is not None and self.draft.task == GOAL_TASK
        self.page.new_form.show_pictures({camera.name: picture for camera, picture in named}, posed)
        if scene is not None and self.config is not None and posed:
            self._goal.take(scene, self.config, usual_goal(scene, self.config))
        else:
            self._goal.take(None, None)

    def _changed(self, topic: str) -> None:
        if topic == "message" and self._session.error is not None:
            self._fail_of(self._session.error)
        elif topic == "candidates" and self._session.candidates:
            self.draft = replace(self.draft, table=AS_IT_LIES, override="")
        self._show()

    def _fail_of(self, error: Exception) -> None:
        """A hand or an arm in the scene may be passed over with a reason; everything else is to be mended."""
        self._refused = isinstance(error, SceneRefused)
        self._fail(error.problem if isinstance(error, SceneRefused) else str(error))

    def _fail(self, problem: str) -> None:
        self._problem = problem
        if not self.page.new_shown:
            self.page.show_new(self._form())
        self._show()

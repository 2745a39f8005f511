"""What the form of a new dream offers and says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.datasets.tracking import TASK_TOOLS
from app.dreams.new_dream import AS_IT_LIES, DREAM, EPISODE, LIVE, Draft
from app.dreams.recorded_scene import RecordedScene
from app.dreams.video_models import VideoModel
from app.gui.program import Program
from hardware.world.tasks.table import tasks_for
from widgets.dream_values import DreamForm, Option

DEVICES = (
    Option("", "GPU, else CPU", "A GPU where there is one"),
    Option("cpu", "CPU"),
    Option("cuda", "GPU"),
)
OUT_OF_VIEW = "Move it out of the cameras' view (page Rig) and look again, or write under Override why it may stay."


@dataclass(frozen=True)
class Said:
    """busy: what goes on, "" for nothing; refused: something is in the scene that must not be; seen: the scene was
    looked at."""

    busy: str = ""
    problem: str = ""
    refused: bool = False
    seen: bool = False


def form(
    program: Program, draft: Draft, choices: tuple[Sequence[VideoModel], Sequence[RecordedScene]], said: Said
) -> DreamForm:
    """Return the form as it is now."""
    models, recorded = choices
    chosen = next((m for m in models if str(m.path) == draft.model), None)
    lays = draft.live and program.rig.simulated and bool(program.rig.arms)
    worded = chosen is not None and chosen.config is not None and chosen.config.conditioning == "text"
    return DreamForm(
        models=tuple(Option(str(m.path), m.name, m.about) for m in models),
        model=draft.model,
        sources=(Option(LIVE, "What the cameras see now"), *_dream_open(program), *map(_recorded, recorded)),
        source=draft.source,
        tasks=tuple(Option(name, name) for name in _tasks(program)),
        task=draft.task,
        table=draft.table if lays else None,
        table_words=_table_words(program, draft) if lays else "",
        text=draft.text if worded else None,
        candidates=draft.candidates,
        seed=draft.seed,
        steps=draft.steps,
        devices=DEVICES,
        device=draft.device,
        override=draft.override if said.refused or draft.override else None,
        look="" if said.busy else "Look again" if said.seen else "Look at the scene",
        note=said.busy or _note(draft),
        problem=f"{said.problem}\n{OUT_OF_VIEW}" if said.refused else said.problem,
    )


def first_task(program: Program) -> str:
    """Return the task that is offered first."""
    return next(iter(_tasks(program)), "")


def _tasks(program: Program) -> tuple[str, ...]:
    shown = tasks_for(program.rig) if program.rig.simulated else ()
    return tuple(task for task in TASK_TOOLS if not shown or task in shown)


def _dream_open(program: Program) -> tuple[Option, ...]:
    folder = program.dreaming.folder
    if folder is None:
        return ()
    return (Option(f"{DREAM}:{folder}", f"The scene of {_name(folder)}", "What the open dream began with"),)


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}" if folder.name.startswith("seed-") else folder.name


def _recorded(scene: RecordedScene) -> Option:
    return Option(f"{EPISODE}:{scene.folder}", f"Demo {scene.title}", "The bare scene before a recorded demo")


def _table_words(program: Program, draft: Draft) -> str:
    link = program.execution.link
    if link is None:
        number = max(draft.table, 0)
        return f"The simulated rig is not started: table {number} of {draft.task or 'the task'} will be laid."
    lies = f"There lies {link.scene.replace(' after 0 runs', '')}."
    return (
        lies if draft.table == AS_IT_LIES else f"{lies} Table {draft.table} of {draft.task} will be laid instead."
    )


def _note(draft: Draft) -> str:
    what = "1 dream" if draft.candidates == 1 else f"{draft.candidates} dreams"
    first, last = draft.seed, draft.seed + draft.candidates - 1
    seeds = f"seed {first}" if first == last else f"seeds {first} to {last}"
    return f"{what} of {draft.steps} steps each, {seeds}. Each is tracked and planned as soon as it is there."

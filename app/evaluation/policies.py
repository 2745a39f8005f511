"""What is evaluated: who decides what happens at a table, one step at a time.

A row here and one in app/evaluation/trials.py make another policy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.dreams.candidates import LookedAt, PlanFor, look_at
from app.dreams.dreaming import JOB as DREAM_JOB
from app.dreams.dreaming import DreamOrder
from app.dreams.plan_making import tool_paths
from app.dreams.ranking import order
from app.evaluation.bench import NotRun, TrialBench
from app.evaluation.trials import Link, Policy
from app.evaluation.watch import Watch
from app.evaluation.worker_call import JobFailed, call
from app.worker import Report, Worker
from hardware.plan_file import save_plan
from hardware.rig import Rig
from hardware.types import Plan
from hardware.world.tasks.layout import Moment
from models.data.dream_folder import save_dream
from models.data.errors import DreamFileError
from models.tracking.trackers import TrackerChoice
from models.video.sample_options import MOST_CANDIDATES, SampleOptions

TRACK_JOB = "app.dreams.track_job:track_folder"
PLAN = "plan.json"
MOST_STEPS = 16  # seeds of one table's steps are so far apart that no two tables share one

Execute = Callable[[TrialBench, Plan], tuple[Moment, ...]]


@dataclass(frozen=True, eq=False)
class Desk:
    """What all trials use. model: None where nothing is dreamt; device: of the model; execute: on which clock;
    check: called now and then, what it raises ends the evaluation."""

    rig: Rig
    worker: Worker
    model: Path | None
    options: SampleOptions
    device: str
    tracker: TrackerChoice
    execute: Execute
    say: Report
    check: Callable[[], None]


@dataclass(frozen=True, eq=False)
class Moved:
    """What came of one step. moments: what was so, () where nothing moved; over: nothing is left to do, and the
    step does not count; lost, reason: which link lost it."""

    moments: tuple[Moment, ...] = ()
    over: bool = False
    lost: Link = ""
    reason: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)


class _Lost(Exception):
    """A link lost the step."""

    def __init__(self, link: Link, reason: str, facts: Mapping[str, float] | None = None) -> None:
        super().__init__(reason)
        self.link, self.facts = link, facts or {}


StepTaker = Callable[[Desk, TrialBench, Path, int, Watch], Moved]


def _nothing(_desk: Desk, bench: TrialBench, _folder: Path, number: int, _watch: Watch) -> Moved:
    return Moved((bench.moment(),)) if number == 0 else Moved(over=True)


def _by_hand(_desk: Desk, bench: TrialBench, _folder: Path, _number: int, watch: Watch) -> Moved:
    with watch.stage("demonstrate"):
        moments = bench.by_hand()
    return Moved(moments, over=not moments)


def _shown(desk: Desk, bench: TrialBench, folder: Path, number: int, watch: Watch) -> Moved:
    with watch.stage("demonstrate"):
        dream = bench.shown(f"{bench.layout.task}-{bench.layout.seed}-{number + 1}")
    if dream is None:
        return Moved(over=True)
    save_dream(dream, folder)
    return _follow(desk, bench, (folder,), watch, "track")


def _dreamt(desk: Desk, bench: TrialBench, folder: Path, number: int, watch: Watch) -> Moved:
    """Dream every candidate; where the best one's tool is found in no frame, the dream lost it."""
    if desk.model is None:
        raise ValueError("dreamitate: there is no model; valid: a model's folder")
    first = (bench.layout.seed * MOST_STEPS + number) * MOST_CANDIDATES + desk.options.seed
    try:
        scene = bench.scene()
    except DreamFileError as error:
        return Moved(lost="execution", reason=str(error))  # an arm was left in view
    options = SampleOptions(**{**vars(desk.options), "seed": first})
    ordered = DreamOrder(desk.model, scene, folder, bench.layout.task, options, desk.device)
    with watch.stage("dream"):  # a model that cannot dream at all ends the evaluation: no trial says anything then
        call(desk.worker, DREAM_JOB, ordered, say=desk.say, check=desk.check)
    return _follow(desk, bench, ordered.finished, watch, "dream")


def _follow(desk: Desk, bench: TrialBench, folders: tuple[Path, ...], watch: Watch, unseen: Link) -> Moved:
    """Track and plan dreams, and let the arms do the best of them. unseen: who lost it where there is no tool."""
    try:
        folder, best = _best(desk, bench, folders, watch, unseen)
        if best.plan is not None:
            save_plan(best.plan, folder / PLAN)  # a refused one too: somebody may want to see why
        plan, facts = _planned(best, unseen)
        with watch.stage("execute"):
            moments = desk.execute(bench, plan)
    except _Lost as lost:
        return Moved(lost=lost.link, reason=str(lost), facts=lost.facts)
    except NotRun as error:
        return Moved(lost="execution", reason=str(error), facts=facts)
    return Moved(moments, facts=facts)


def _best(
    desk: Desk, bench: TrialBench, folders: tuple[Path, ...], watch: Watch, unseen: Link
) -> tuple[Path, LookedAt]:
    looked: dict[int, LookedAt] = {}
    for k, folder in enumerate(folders):
        try:
            with watch.stage("track"):
                work = (folder, (), None, desk.tracker)
                track = call(desk.worker, TRACK_JOB, *work, say=desk.say, check=desk.check)
        except JobFailed as error:
            raise _Lost("track", str(error)) from error
        with watch.stage("plan"):
            looked[k] = look_at(folder, track, PlanFor(desk.rig, q_start=bench.q))
    if not looked:
        raise _Lost(unseen, "there is no dream to look at")
    first = order({k: one.figures for k, one in looked.items()})[0]
    return folders[first], looked[first]


def _planned(looked: LookedAt, unseen: Link) -> tuple[Plan, Mapping[str, float]]:
    """Return the plan of a dream, which keeps every rule, and what is known of it. Raises _Lost."""
    figures, plan = looked.figures, looked.plan
    facts = {"found": figures.found, "confidence": figures.confidence}
    if looked.track is None or figures.found == 0:
        raise _Lost(unseen, "the tool is found in no frame", facts)
    if plan is None:
        raise _Lost("track" if _unsure(looked) else "plan", figures.problem, facts)
    facts |= {"plan_s": plan.duration, "lift_mm": 1e3 * figures.lift}
    if figures.violations:
        raise _Lost("plan", f"the plan breaks rules of motion: {', '.join(figures.violations)}", facts)
    return plan, facts


def _unsure(looked: LookedAt) -> bool:
    """Whether the track itself has no path for every tool."""
    from models.tracking.stereo_tracker import ALARM_LEVEL  # numba behind it takes seconds to load

    try:
        if looked.track is not None:
            tool_paths(looked.dream, looked.track, (0, len(looked.dream) - 1), ALARM_LEVEL)
    except ValueError:
        return True
    return False


STEPS: Mapping[Policy, StepTaker] = {
    "nothing": _nothing,
    "demonstrator": _by_hand,
    "oracle": _shown,
    "dreamitate": _dreamt,
}

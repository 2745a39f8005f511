"""Which of several dreams of one scene to look at first: how well each can be tracked and followed, and how safely.

Pure: figures from a track and a plan, and one order over them. No figure says that a dream is good; a person does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hardware.geometry import Array
from hardware.types import Plan
from models.types import ToolTrack, Track

REACH_RULES = ("path error", "path rotation error", "joint limits", "workspace", "singularity")
CLEARANCE_RULES = ("self-collision", "arm collision", "keep-out", "link near table")
APART_SHARE = 0.01  # of the picture's width: views that contradict each other by this much halve a dream's worth
LIFT_M = 0.02  # a tool that is raised by this much halves it too: it may not touch what it works on any more

EXPLAINED: Mapping[str, str] = {
    "found": "The share of frames after the bare scene in which the tool has a pose; of several tools, the worst.",
    "confidence": "How well both pictures agree with the tool's shape where it was found, 0 to 1, on average.",
    "apart": "How far the two views contradict each other about where the tool is, the median of all frames, in "
    "pixels of the dream. The views were dreamt together, but nothing forces them to agree.",
    "reach": "The share of the motion that the arm can follow exactly, within its reach and its workspace.",
    "lift": "How far the tool is raised at most above where it was dreamt, to stay over the table.",
    "clearance": "How much nearer the arms could come to anything they must not touch before a rule is broken.",
    "safety": "Every rule of motion that the plan breaks. A plan that breaks one cannot be approved.",
}
"""What each figure means, in a sentence for a person."""


@dataclass(frozen=True)
class Figures:
    """What is known of one candidate. The defaults are those of a dream that could not be tracked.

    found, confidence, reach 0..1; apart_px, and apart as a share of the picture's width, None where unknown; lift
    [m]; clearance [m] beyond the rules' own margins, None where nothing is near; violations: the rules that the
    plan breaks; problem: why there is no track, or no plan, "" where there are both.
    """

    found: float = 0.0
    confidence: float = 0.0
    apart_px: float | None = None
    apart: float | None = None
    planned: bool = False
    reach: float = 0.0
    lift: float = 0.0
    clearance: float | None = None
    violations: tuple[str, ...] = ()
    problem: str = ""

    @property
    def stage(self) -> int:
        """0: a plan that breaks no rule; 1: one that does; 2: a track without a plan; 3: not tracked."""
        if self.planned:
            return 1 if self.violations else 0
        return 2 if self.found > 0 else 3

    @property
    def factors(self) -> Mapping[str, float]:
        """What a dream's worth is the product of, each 0..1, by the names of `EXPLAINED`."""
        return {
            "found": self.found,
            "confidence": self.confidence,
            "apart": 1.0 if self.apart is None else 1 / (1 + self.apart / APART_SHARE),
            "reach": self.reach if self.planned else 1.0,
            "lift": 1 / (1 + self.lift / LIFT_M),
        }

    @property
    def worth(self) -> float:
        return float(np.prod(list(self.factors.values())))


def figures_of(track: Track, plan: Plan | None, trim: tuple[int, int], width: int, problem: str = "") -> Figures:
    """Return the figures of a track inside its trim (inclusive) and of its plan.

    width [px] of the dream's pictures; problem: why there is no plan.
    """
    tracked = _tracked(track, trim)
    apart_px = _apart(track, trim)
    figures = Figures(
        found=min((share for share, _ in tracked), default=0.0),
        confidence=min((mean for _, mean in tracked), default=0.0),
        apart_px=apart_px,
        apart=None if apart_px is None else apart_px / width,
    )
    if figures.found == 0:
        return figures  # why such a track cannot be planned needs no more words
    if plan is None:
        return replace(figures, problem=problem)
    return replace(
        figures,
        planned=True,
        reach=_reach(plan),
        lift=max((clamp.amount for clamp in plan.clamps), default=0.0),
        clearance=_clearance(plan),
        violations=tuple(dict.fromkeys(check.rule for check in plan.violations)),
    )


def order(candidates: Mapping[int, Figures]) -> tuple[int, ...]:
    """Return the seeds of candidates, the best first: by stage, by worth, then by clearance, then by seed."""
    return tuple(sorted(candidates, key=lambda seed: (*_key(candidates[seed]), seed)))


def reason(figures: Figures, better: Figures | None = None) -> str:
    """Return in words why a candidate stands where it does: behind `better`, or first where there is none."""
    if better is None or figures.stage != better.stage:
        return _stage(figures)
    own, other = figures.factors, better.factors
    name = min(own, key=lambda name: own[name] / max(other[name], 1e-9))
    if own[name] >= other[name]:
        if figures.stage > 0:
            return _stage(figures)
        tight = _key(figures) > _key(better)
        return "as good, with less room for the arms" if tight else "as good, of a later seed"
    return f"{_LOST[name]}: {words(name, figures)}, there {words(name, better)}"


def words(name: str, figures: Figures) -> str:
    """Return one figure for a person, by its name in `EXPLAINED`; "–" where it is not known."""
    if name in ("reach", "lift", "clearance", "safety") and not figures.planned:
        return "–"
    match name:
        case "found":
            return f"{figures.found:.0%}"
        case "confidence":
            return f"{figures.confidence:.2f}"
        case "apart":
            return "–" if figures.apart_px is None else f"{figures.apart_px:.1f} px"
        case "reach":
            return f"{figures.reach:.0%}"
        case "lift":
            return f"{figures.lift * 1e3:.0f} mm"
        case "clearance":
            return "free" if figures.clearance is None else f"{figures.clearance * 1e3:.0f} mm"
        case "safety":
            return ", ".join(figures.violations) or "all rules kept"
    raise KeyError(f"figure {name!r}; there are {list(EXPLAINED)}")


_LOST = {
    "found": "its tool is found in fewer frames",
    "confidence": "its pictures agree less with the tool's shape",
    "apart": "its views contradict each other more",
    "reach": "the arm can follow less of it",
    "lift": "its tool is raised further over the table",
}


def _stage(figures: Figures) -> str:
    match figures.stage:
        case 0:
            return "all rules of motion are kept"
        case 1:
            return f"its plan breaks a rule of motion: {', '.join(figures.violations)}"
        case 2:
            return f"it cannot be planned: {figures.problem or 'see its checks'}"
    return f"it cannot be tracked: {figures.problem or 'its tool is found in no frame'}"


def _key(figures: Figures) -> tuple[float, ...]:
    room = np.inf if figures.clearance is None else figures.clearance
    return (figures.stage, -figures.worth, -room)


def _tracked(track: Track, trim: tuple[int, int]) -> list[tuple[float, float]]:
    """Share of frames found and mean confidence there, by tool. Frame 0 is the bare scene."""
    first, last = max(trim[0], 1), trim[1]
    made = []
    for tool in track.tools.values():
        found = tool.found[first : last + 1]
        sure = tool.frame_confidence[first : last + 1][found]
        made.append((float(found.mean()) if len(found) else 0.0, float(sure.mean()) if len(sure) else 0.0))
    return made


def _apart(track: Track, trim: tuple[int, int]) -> float | None:
    medians = [_median(tool, trim) for tool in track.tools.values()]
    return max((m for m in medians if m is not None), default=None)


def _median(tool: ToolTrack, trim: tuple[int, int]) -> float | None:
    known: Array = np.abs(tool.stereo_disagreement_px[trim[0] : trim[1] + 1])
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else None


def _clearance(plan: Plan) -> float | None:
    room = [
        (check.value - check.limit) * 1e-3  # these checks are told in millimetres
        for check in plan.checks
        if check.rule in CLEARANCE_RULES and check.value is not None and check.limit is not None
    ]
    return min((r for r in room if np.isfinite(r)), default=None)


def _reach(plan: Plan) -> float:
    """The share of the work in which no rule of reach is broken."""
    work = np.zeros(len(plan.t), bool)
    for phase in plan.phases:
        if phase.name == "work":
            work |= (plan.t >= phase.start) & (plan.t <= phase.end)
    missed = np.zeros(len(plan.t), bool)
    for check in plan.violations:
        for start, end in check.spans if check.rule in REACH_RULES else ():
            missed |= (plan.t >= start) & (plan.t <= end)
    return 1.0 - float(missed[work].mean()) if work.any() else 0.0

"""What the strip of candidates says of each, in few words, and what every number means."""

from collections.abc import Sequence

from app.dreams.candidate_session import CandidateSession
from app.dreams.candidates import Candidate
from app.dreams.ranking import EXPLAINED, Figures, words
from hardware.types import Image
from widgets.dream_values import CandidateCard, Figure
from widgets.theme import confidence_level
from widgets.values import Mood

STATES = {"waiting": "waits", "planning": "planning", "tracking": "tracking", "dreaming": "dreaming"}
NEAR_M = 0.05  # room to what the arms must not touch that fills its bar


def card(session: CandidateSession, candidate: Candidate, opened: bool, preview: Image | None) -> CandidateCard:
    """Return a candidate's card; preview (H, W, 3): the one that is being denoised, as it looks now."""
    figures = candidate.figures
    places = [c.seed for c in session.ranked if c.over and c.figures is not None]
    ranked = candidate.over and candidate.seed in places
    dreaming = candidate.state == "dreaming"
    mood: Mood = "idle"
    if candidate.over:
        mood = "alarm" if figures is None or figures.stage > 0 else "ok"
    return CandidateCard(
        seed=candidate.seed,
        place=1 + places.index(candidate.seed) if ranked else 0,
        state=STATES.get(candidate.state, candidate.state),
        mood=mood,
        picture=preview if dreaming else candidate.picture,
        figures=_figures(figures) if figures is not None and figures.found > 0 else (),
        reason=session.reason(candidate.seed) or candidate.problem,
        share=session.share(candidate.seed),
        kept=candidate.kept,
        opened=opened,
        dreamt=candidate.dreamt,
    )


def middle_of(sheet: Image, views: int, length: int) -> Image:
    """Return the first view's middle picture of a preview (views * h, length * w, 3)."""
    height, width = sheet.shape[0] // views, sheet.shape[1] // length
    left = (length // 2) * width
    return sheet[:height, left : left + width]


def _figures(figures: Figures) -> tuple[Figure, ...]:
    track = figures.found * figures.confidence * figures.factors["apart"]
    level: Mood = confidence_level(track)  # type: ignore[assignment]
    return (
        Figure("Track", _joined(figures, "found", "confidence"), track, level,
               _explained(figures, "found", "confidence", "apart")),
        Figure("Reach", _reach(figures), figures.reach if figures.planned else 0.0,
               "ok" if figures.reach >= 1 else "alarm", _explained(figures, "reach", "lift")),
        Figure("Safe", _safe(figures), _room(figures), "ok" if figures.stage == 0 else "alarm",
               _explained(figures, "safety", "clearance")),
    )  # fmt: skip


def _joined(figures: Figures, *names: str) -> str:
    return " · ".join(words(name, figures) for name in names)


def _reach(figures: Figures) -> str:
    raised = f" · raised {words('lift', figures)}" if figures.planned and figures.lift > 0 else ""
    return (words("reach", figures) if figures.planned else "no plan") + raised


def _safe(figures: Figures) -> str:
    if figures.stage == 0 and figures.clearance is not None:
        return f"{words('clearance', figures)} free"
    return words("safety", figures)


def _room(figures: Figures) -> float:
    if figures.stage > 0:
        return 0.0
    return 1.0 if figures.clearance is None else figures.clearance / NEAR_M


def _explained(figures: Figures, *names: str) -> str:
    lines: Sequence[str] = [f"{_TITLES[name]} {words(name, figures)}: {EXPLAINED[name]}" for name in names]
    problem = [figures.problem] if figures.problem else []
    return "\n\n".join([*lines, *problem])


_TITLES = {
    "found": "Found",
    "confidence": "Confidence",
    "apart": "Views apart",
    "reach": "Within reach",
    "lift": "Raised",
    "clearance": "Room",
    "safety": "Rules",
}

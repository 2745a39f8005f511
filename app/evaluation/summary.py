"""What the trials of a folder say: intervals, scores between the references, and which link lost what. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from app.evaluation.published import PUBLISHED
from app.evaluation.trials import POLICIES, REFERENCES, Policy, Trial
from models.evaluation.statistics import Interval, difference, mean, normalised, rate

SCORES: Mapping[str, tuple[str, ...]] = {
    "push-shape": ("iou", "rotation_error_deg"),
    "rotation": ("turn_deg",),
    "sweeping": ("nearest_mm",),
    "scooping": (),
}
"""The measures of each task that are averaged."""

Lost = Mapping[str, int]


@dataclass(frozen=True, eq=False)
class PolicyFigures:
    """One policy at `trials` tables. success: of the task's rule; means, normalised and over_nothing by measure
    ("success" too), normalised and over_nothing None without the references at the same tables; separated: the
    measures in which its interval and that of nothing do not overlap; lost: how often each link lost a table;
    seconds: of a trial, and by stage of a step, in the median."""

    trials: int
    success: Interval
    means: Mapping[str, Interval]
    normalised: Mapping[str, Interval]
    over_nothing: Mapping[str, Interval]
    separated: tuple[str, ...]
    lost: Lost
    seconds: Mapping[str, float]


def summarise(task: str, trials: Sequence[Trial]) -> Mapping[Policy, PolicyFigures]:
    """Return the figures of each policy that has trials."""
    tables = {name: {t.number: t for t in trials if t.policy == name} for name in POLICIES}
    return {name: _figures(task, name, tables) for name in POLICIES if tables[name]}


def lost_at(trial: Trial, others: Mapping[Policy, Trial]) -> str:
    """Return which link lost a table, by the oracle's and the demonstrator's trials there; "" where none did.

    A dream is at fault where the oracle succeeds at the same table. Where it fails too it is the link that the
    oracle lost it by, or "demonstrator" where the person does not succeed by hand either.
    """
    oracle, by_hand = others.get("oracle"), others.get("demonstrator")
    if not trial.lost:
        return ""
    if trial.policy == "dreamitate" and oracle is not None:
        return "dream" if oracle.success else lost_at(oracle, others)
    if trial.policy == "oracle" and by_hand is not None and not by_hand.success:
        return "demonstrator"
    return trial.lost


def values_of(task: str, found: Mapping[Policy, PolicyFigures]) -> dict[str, object]:
    """Return the summary in plain values."""
    published = [asdict(row) for row in PUBLISHED.get(task, ())]
    return {"task": task, "policies": {name: asdict(row) for name, row in found.items()}, "published": published}


def _figures(task: str, name: Policy, tables: Mapping[Policy, Mapping[int, Trial]]) -> PolicyFigures:
    own = list(tables[name].values())
    measures = ("success", *SCORES[task])
    paired = [n for n in tables[name] if all(n in tables[other] for other in REFERENCES)]
    scores, over, separated = {}, {}, []
    for measure in measures:
        mine, nothing, by_hand = (_values([tables[p][n] for n in paired], measure) for p in (name, *REFERENCES))
        if paired and name not in REFERENCES:
            scores[measure] = normalised(mine, nothing, by_hand)
            over[measure] = difference(mine, nothing)
            if _apart(_interval(mine, measure), _interval(nothing, measure)):
                separated.append(measure)
    links = Counter(
        lost_at(trial, {other: tables[other][n] for other in POLICIES if n in tables[other]})
        for n, trial in tables[name].items()
    )
    return PolicyFigures(
        len(own), rate(sum(t.success for t in own), len(own)),
        {m: mean(_values(own, m)) for m in SCORES[task]}, scores, over, tuple(separated),
        {link: count for link, count in links.most_common() if link}, _seconds(own),
    )  # fmt: skip


def _interval(values: Sequence[float], measure: str) -> Interval:
    return rate(round(sum(values)), len(values)) if measure == "success" else mean(values)


def _apart(a: Interval, b: Interval) -> bool:
    return a.low > b.high or b.low > a.high


def _values(trials: Sequence[Trial], measure: str) -> list[float]:
    return [float(t.success) if measure == "success" else float(t.measures[measure]) for t in trials]


def _seconds(trials: Sequence[Trial]) -> Mapping[str, float]:
    stages: dict[str, list[float]] = {"trial": [trial.seconds for trial in trials]}
    for trial in trials:
        for step in trial.steps:
            for stage, seconds in step.seconds.items():
                stages.setdefault(stage, []).append(seconds)
    return {stage: round(float(np.median(seconds)), 2) for stage, seconds in stages.items()}

"""Which candidate comes first: one order over all of them, in which no better figure ever costs a place."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dreams.ranking import EXPLAINED, Figures, figures_of, order, reason, words
from hardware.types import Check, Clamp
from models.types import PoseSource, ToolTrack, Track
from tests.app.gui.plans import small_plan

shares = st.floats(0, 1)
figures = st.builds(
    Figures,
    found=shares,
    confidence=shares,
    apart=st.none() | st.floats(0, 1),
    planned=st.booleans(),
    reach=shares,
    lift=st.floats(0, 0.2),
    clearance=st.none() | st.floats(-0.1, 1),
    violations=st.sampled_from([(), ("workspace",), ("table", "tip speed")]),
)


def track(found: list[bool], confidence: float = 0.8, apart: float = 2.0) -> Track:
    """A tool that stands still where it is found, seen by two views."""
    n = len(found)
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[~np.array(found)] = np.nan
    source: tuple[PoseSource, ...] = tuple("tracked" if f else "lost" for f in found)
    slack = np.where(found, apart * np.resize([1.0, -1.0], n), np.nan)
    return Track("cup", {"tool": ToolTrack("tool", poses, np.full((n, 2), confidence), slack, source)})


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 99), figures, max_size=6))
def test_the_order_is_one_and_holds_every_candidate(candidates: dict[int, Figures]) -> None:
    ranked = order(candidates)
    assert sorted(ranked) == sorted(candidates)
    assert order(dict(reversed(candidates.items()))) == ranked
    for better, worse in pairwise(ranked):
        assert candidates[better].stage <= candidates[worse].stage
        assert reason(candidates[worse], candidates[better])


@settings(deadline=None)
@given(figures, st.sampled_from(["found", "confidence", "reach"]), shares)
def test_a_better_figure_never_costs_a_place(one: Figures, name: str, value: float) -> None:
    better = replace(one, **{name: max(getattr(one, name), value)})
    assert order({1: one, 0: better})[0] == 0


@settings(deadline=None)
@given(figures, st.floats(0, 0.2))
def test_a_tool_that_is_raised_further_never_wins_a_place(one: Figures, more: float) -> None:
    assert order({1: replace(one, lift=one.lift + more), 0: one})[0] == 0


@settings(deadline=None)
@given(figures)
def test_every_figure_has_a_word_and_an_explanation(one: Figures) -> None:
    for name, sentence in EXPLAINED.items():
        assert words(name, one)
        assert sentence.endswith(".")
    assert set(one.factors) <= set(EXPLAINED)
    assert 0 <= one.worth <= 1
    assert reason(one)


def test_what_the_tracker_says_becomes_figures() -> None:
    # frame 0 is the bare scene: nothing is to be found there
    found = figures_of(track([False, True, True, False, True]), None, (0, 4), 192)
    assert (found.found, found.confidence) == (0.75, pytest.approx(0.8))
    assert (found.apart_px, found.apart) == (2.0, pytest.approx(2 / 192))
    assert (found.stage, words("reach", found)) == (2, "–")
    assert figures_of(track([False] * 5), None, (0, 4), 192).stage == 3


def test_of_two_tools_the_worse_one_counts() -> None:
    both = {"left": track([False, True, True]).tools["tool"], "right": track([False, True, False]).tools["tool"]}
    assert figures_of(Track("cup", both), None, (0, 2), 192).found == 0.5


def test_what_the_plan_says_becomes_figures() -> None:
    near = Check("link near table", "ok", "", value=45.0, limit=20.0, unit="mm")
    free = Check("keep-out", "ok", "", value=np.inf, limit=20.0, unit="mm")
    plan = small_plan((near, free), (Clamp("left", (3.0, 4.0), 0.004, "raised"),))
    found = figures_of(track([False, True, True]), plan, (0, 2), 192)
    assert (found.stage, found.reach, found.lift) == (0, 1.0, 0.004)
    assert found.clearance == pytest.approx(0.025)
    assert words("safety", found) == "all rules kept"


def test_a_plan_that_breaks_a_rule_stands_behind_one_that_keeps_all() -> None:
    sure = Figures(found=1.0, confidence=0.9, planned=True, reach=1.0)
    broken, faint = replace(sure, violations=("workspace",)), replace(sure, confidence=0.3)
    assert order({1: broken, 2: faint, 3: sure}) == (3, 2, 1)
    assert reason(broken, faint) == "its plan breaks a rule of motion: workspace"
    assert "confidence" not in reason(broken, faint)
    assert reason(faint, sure) == "its pictures agree less with the tool's shape: 0.30, there 0.90"


def test_where_the_arm_cannot_follow_counts_against_reach() -> None:
    plan = small_plan((Check("path error", "violation", "", spans=((2.0, 3.5),)),))
    assert figures_of(track([False, True, True]), plan, (0, 2), 192).reach == pytest.approx(0.75, abs=0.01)

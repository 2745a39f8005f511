"""Policies at held-out tables: the same for the same seed, gone on with after a stop, and never worse than told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.evaluation.evaluating import Wish
from app.verbs.output import REFUSED
from hardware.rig import SIM_RIG, load_rig
from tests.app.evaluation import runs
from tests.hardware.world.arm_plans import pushed, tools_of
from tests.hardware.world.rendering import elsewhere


def test_a_stopped_evaluation_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    ((whole, told, made),) = elsewhere(runs.stopped_and_gone_on_with, ((tmp_path, "sweeping"), {}))
    assert whole == ["nothing"]
    assert told
    assert not any("nothing" in text for text in told)
    assert [(t.policy, t.number, t.seed) for t in made] == [("nothing", 0, 20), ("demonstrator", 0, 20)]
    nothing, by_hand = made
    assert not nothing.success
    assert by_hand.measures["nearest_mm"] < nothing.measures["nearest_mm"]
    assert set(by_hand.steps[0].seconds) == {"demonstrate"}


def test_a_model_that_knows_nothing_loses_its_trial_and_says_which_link(tmp_path: Path) -> None:
    ((trial, kept),) = elsewhere(runs.dreamt_by_a_model_that_knows_nothing, ((tmp_path,), {}))
    assert not trial.success
    assert trial.lost in ("dream", "track", "plan")
    assert trial.reason
    assert kept  # so that somebody may look at it
    assert {"dream", "track"} <= set(trial.steps[0].seconds)


def test_a_job_that_is_paused_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    ((paused, result, told),) = elsewhere(runs.job_paused_and_resumed, ((tmp_path,), {}))
    assert paused
    assert result == {"trials": 2, "out": str(tmp_path / "out")}
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert (tmp_path / "out" / "summary.json").is_file()


@pytest.mark.slow
def test_arms_that_follow_the_demonstrators_video_do_about_as_well_as_he(tmp_path: Path) -> None:
    (made,) = elsewhere(runs.evaluated, ((tmp_path, "push-shape", 1, "oracle"), {}))
    nothing, by_hand, oracle = made
    assert oracle.measures["iou"] > nothing.measures["iou"] + 0.5 * (
        by_hand.measures["iou"] - nothing.measures["iou"]
    )
    assert not any(step.lost for step in oracle.steps)
    step = tmp_path / "out" / "trials" / "oracle-0000" / "step-1"
    assert {file.name for file in step.iterdir()} >= {"dream.toml", "track.json", "plan.json", "after.png"}


def test_a_plan_that_breaks_a_rule_is_not_run() -> None:
    rig = load_rig("sim-ur5e")
    plan = pushed(rig, tools_of(rig), np.array([-0.2, -0.12]), np.array([0.0, 0.1]))
    ((said, moved),) = elsewhere(runs.refused_plan, ((plan,), {}))
    assert "it breaks tip speed" in said
    assert moved == 0


def test_what_cannot_be_evaluated_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str) -> str:
        given = ["evaluate", "--task", "push-shape", "--out", str(tmp_path / "out"), "--workspace", str(tmp_path)]
        assert main([*given, *words, "--json"]) == REFUSED
        return str(json.loads(capsys.readouterr().out)["error"]["message"])

    assert "--model: is missing" in refused("--policy", "dreamitate", "--trials", "1")
    assert "trials: 0" in refused("--policy", "nothing", "--trials", "0")
    assert "--size: '12'" in refused("--policy", "nothing", "--trials", "1", "--size", "12")
    assert "no-rig" in refused("--policy", "nothing", "--trials", "1", "--rig", "no-rig")
    assert not (tmp_path / "out").exists()


def test_arms_of_iron_are_never_evaluated(tmp_path: Path) -> None:
    rig = load_rig(str(SIM_RIG))
    iron = replace(rig, arms=tuple(replace(arm, emulated=False) for arm in rig.arms))
    with pytest.raises(ValueError, match="it is real"):
        Wish(("nothing",), "rotation", 1, tmp_path, iron)

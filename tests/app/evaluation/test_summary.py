"""What is read from trials: scores between the references, and who is to blame."""

import json
import math

import pytest

from app.evaluation.summary import lost_at, summarise, values_of
from app.evaluation.trials import Link, Policy, Trial
from app.evaluation.words import lines_of
from tests.app.evaluation.rows import trial

NOTHING, BY_HAND = (0.05, 0.10, 0.15, 0.10), (0.80, 0.85, 0.75, 0.80)


def references() -> list[Trial]:
    rows: list[Trial] = []
    for number, (nothing, by_hand) in enumerate(zip(NOTHING, BY_HAND, strict=True)):
        rows += [trial("nothing", number, nothing), trial("demonstrator", number, by_hand)]
    return rows


def test_a_policy_half_way_between_nothing_and_the_demonstrator_scores_a_half() -> None:
    half = [trial("oracle", n, (a + b) / 2) for n, (a, b) in enumerate(zip(NOTHING, BY_HAND, strict=True))]
    found = summarise("push-shape", [*references(), *half])
    assert list(found) == ["nothing", "demonstrator", "oracle"]
    oracle = found["oracle"]
    assert oracle.normalised["iou"].value == pytest.approx(0.5)
    assert oracle.normalised["rotation_error_deg"].value == pytest.approx(0.5)
    assert oracle.over_nothing["iou"].low > 0.3
    assert "iou" in oracle.separated
    assert "success" not in oracle.separated
    assert oracle.lost == {"execution": 4}
    assert found["demonstrator"].success.value == 1
    assert found["demonstrator"].normalised == {}
    assert oracle.seconds == {"trial": 10.0, "track": 2.0}


def test_a_table_that_a_reference_has_not_seen_yet_is_in_the_mean_alone() -> None:
    rows = [*references(), trial("oracle", 0, 0.4), trial("oracle", 9, 0.9)]
    oracle = summarise("push-shape", rows)["oracle"]
    assert oracle.means["iou"].value == pytest.approx(0.65)
    assert oracle.normalised["iou"].value == pytest.approx((0.4 - 0.05) / 0.75)


@pytest.mark.parametrize(
    ("oracle", "by_hand", "own", "blamed"),
    [
        (0.8, 0.8, "plan", "dream"),  # arms could have done it, with a better dream
        (0.4, 0.8, "", "plan"),
        (0.4, 0.4, "", "demonstrator"),
    ],
)
def test_the_oracle_says_who_lost_a_table(oracle: float, by_hand: float, own: Link, blamed: str) -> None:
    others: dict[Policy, Trial] = {
        "oracle": trial("oracle", 0, oracle, links=("plan",)),
        "demonstrator": trial("demonstrator", 0, by_hand),
    }
    assert lost_at(trial("dreamitate", 0, 0.3, links=(own,)), others) == blamed
    assert lost_at(trial("dreamitate", 0, 0.9), others) == ""


def test_without_an_oracle_a_trial_speaks_for_itself() -> None:
    assert lost_at(trial("dreamitate", links=("dream",)), {}) == "dream"


def test_the_paper_stands_beside_marked_as_the_papers() -> None:
    rows = [*references(), trial("oracle", 0, 0.4, links=("plan",))]
    found = summarise("push-shape", rows)
    lines = lines_of("push-shape", found, "virtual")
    (paper,) = (line for line in lines if line.startswith("paper: Dreamitate*"))
    assert "0.731" in paper
    assert "8.0" in paper
    assert any(line.startswith("* real robots") for line in lines)
    assert "oracle: lost by plan 1" in lines
    assert "virtual clock" in lines[0]
    values = json.loads(json.dumps(values_of("push-shape", found)))
    assert values["policies"]["oracle"]["means"]["iou"]["value"] == 0.4
    assert values["published"][0]["means"] == {"iou": 0.731, "rotation_error_deg": 8.0}


def test_one_trial_has_wide_intervals_and_no_false_score() -> None:
    found = summarise("rotation", [_turned("nothing", 0.0), _turned("demonstrator", 0.0), _turned("oracle", 30.0)])
    oracle = found["oracle"]
    assert oracle.success.high - oracle.success.low > 0.5
    assert math.isnan(oracle.normalised["turn_deg"].value)
    assert "–" in "".join(lines_of("rotation", found, "virtual"))


def _turned(policy: Policy, degrees: float) -> Trial:
    return Trial(policy, 0, 7, ("book",), degrees >= 25, {"turn_deg": degrees}, "", (), 1.0)

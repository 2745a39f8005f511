"""A recording plan in a person's words: what it samples, and that it is there again at the next start."""

from pathlib import Path

import pytest

from app.recording.plan import Choice, RecordingPlan
from app.recording.plan_words import PlanWords, plan_of, read_plan_words, write_plan_words
from hardware.recording.note import EpisodeNote


def test_every_task_is_sampled_with_every_object_and_condition() -> None:
    words = PlanWords("push, sweep,push", "cup , bowl", "dim", "{task} the {object} in the {condition}", goal=8)
    plan = plan_of(words, lays_tables=False)
    assert plan.goal == 8
    assert plan.choices[0] == Choice("push", "cup", "dim", "push the cup in the dim")
    assert {(c.task, c.object) for c in plan.choices} == {
        ("push", "cup"), ("push", "bowl"), ("sweep", "cup"), ("sweep", "bowl"),
    }  # fmt: skip


def test_a_simulated_table_says_its_objects_itself_and_its_takes_count_by_task() -> None:
    plan = plan_of(PlanWords("push, sweep", "cup", "dim"), lays_tables=True)
    assert plan.choices == (Choice("push"), Choice("sweep"))
    kept = [EpisodeNote("", k, "push", object=f"letter {k}", condition=f"table {k}") for k in range(3)]
    assert {plan.next(kept, seed).task for seed in range(20)} == {"sweep"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (PlanWords(" , "), "tasks"),
        (PlanWords("a", goal=0), "goal"),
        (PlanWords("a", ",".join(map(str, range(40))), ",".join(map(str, range(40)))), "1600 combinations"),
    ],
)
def test_a_plan_that_is_none_says_what_is_missing(words: PlanWords, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        plan_of(words, lays_tables=False)


def test_a_plan_is_remembered_and_a_broken_file_is_as_good_as_none(tmp_path: Path) -> None:
    file, words = tmp_path / "plan.json", PlanWords("push", "cup", "", "push it", 7, used=True)
    write_plan_words(file, words)
    assert read_plan_words(file) == words
    for broken in ("", "[]", '{"tasks": 3}', '{"goal": "many"}'):
        file.write_text(broken)
        assert read_plan_words(file) == PlanWords()


def test_a_plan_of_more_than_tasks_counts_what_was_in_them() -> None:
    plan = RecordingPlan((Choice("a", "cup"), Choice("a", "bowl")))
    kept = [EpisodeNote("", 1, "a", object="cup")]
    assert {plan.next(kept, seed).object for seed in range(20)} == {"bowl"}

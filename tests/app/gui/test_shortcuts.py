"""A person may give actions other keys, but no key does two things and none takes Stop's."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from app.gui.actions import ACTIONS, ActionBoard
from app.gui.fact_words import MISSING, why_not
from app.gui.shortcuts import owner_of, plain, refusal, resolve

USUAL = {row.id: row.shortcut for row in ACTIONS}
PAGES = {row.id: row.page for row in ACTIONS}
keys = st.one_of(
    st.sampled_from(
        [row.shortcut for row in ACTIONS] + ["Esc", "Space", "F9", "Ctrl+F9", "Ctrl+K, Ctrl+L", "Return"]
    ),
    st.text(max_size=8),
)


@pytest.mark.parametrize("wish", ["Esc", "Ctrl+Esc", "Space", "Shift+Space", "Return", "Tab", "Ctrl", "nonsense"])
def test_keys_that_stop_or_move_the_focus_are_refused(wish: str) -> None:
    assert refusal(wish)


def test_play_keeps_space_and_pause_its_usual_keys() -> None:
    assert refusal("Space", usual="Space") == ""
    assert refusal("Ctrl+Space", usual="Ctrl+Space") == ""
    assert refusal("Ctrl+Return") == refusal("F9") == refusal("Ctrl+Shift+Q") == ""


@hypothesis_settings(max_examples=100, deadline=None)
@given(chosen=st.dictionaries(st.one_of(st.sampled_from(sorted(USUAL)), st.text(max_size=5)), keys, max_size=6))
def test_whatever_the_file_says_no_key_does_two_things(chosen: dict[str, str]) -> None:
    held, _ = resolve(USUAL, chosen, PAGES)
    assert held.keys() == USUAL.keys()
    for page in set(PAGES.values()):
        taken = [plain(value) for id, value in held.items() if value and PAGES[id] in ("", page)]
        assert len(set(taken)) == len(taken)
    assert "Esc" not in {value for id, value in held.items() if id != "motion.stop"}


def test_what_a_person_chose_goes_before_what_is_usual() -> None:
    held, problems = resolve(USUAL, {"dream.plan": "Ctrl+O", "gone.action": "F9", "dream.box": "Esc"}, PAGES)
    assert (held["dream.plan"], held["dream.open"], held["dream.box"]) == ("Ctrl+O", "", "B")
    assert [problem.split(":")[0] for problem in problems] == ["shortcut of gone.action", "shortcut of dream.box"]
    assert owner_of("ctrl+o", held, PAGES) == "dream.plan"


def test_two_pages_may_use_one_key_but_none_takes_a_key_that_works_everywhere() -> None:
    held, problems = resolve(USUAL, {"record.redo": "P", "record.pedal": "Ctrl+K"}, PAGES)
    assert (held["record.redo"], held["dream.plan"], problems) == ("P", "P", ())
    assert (held["record.pedal"], held["view.palette"]) == ("Ctrl+K", "")


def test_new_keys_work_at_once_and_tooltips_show_them(qapp: QApplication) -> None:
    board = ActionBoard()
    assert board.set_shortcuts({"dream.plan": "F9"}) == ()
    assert board["dream.plan"].shortcut().toString() == "F9"
    assert board["dream.plan"].toolTip().endswith("(F9)")
    board.set_shortcuts({})
    assert board["dream.plan"].shortcut().toString() == "P"


def test_the_keys_of_stop_are_fixed(qapp: QApplication) -> None:
    board = ActionBoard()
    (problem,) = board.set_shortcuts({"motion.stop": "F9"})
    assert "fixed" in problem
    assert board.keys["motion.stop"] == "Esc"


def test_every_fact_that_an_action_needs_has_words_for_a_person() -> None:
    assert {fact for row in ACTIONS for fact in row.needs} <= MISSING.keys()


def test_the_reason_that_is_named_is_the_first_thing_to_do() -> None:
    assert why_not({"track"}, {"moving"}, {"moving"}) == "not while the arms move"
    assert why_not({"track", "dream"}, set(), set()) == "open a dream first"
    assert why_not({"track"}, {"moving"}, {"track"}) == ""

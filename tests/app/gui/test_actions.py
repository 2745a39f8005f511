"""The one table of actions: what a person can do, where, and with which key."""

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence

from app.gui.actions import ACTIONS, INNER, PAGES, ActionBoard, find


def test_no_shortcut_does_two_things() -> None:
    for page in (*PAGES, *INNER):
        here = [row for row in ACTIONS if row.shortcut and row.page in ("", page)]
        keys = Counter(QKeySequence(row.shortcut).toString() for row in here)
        assert [key for key, count in keys.items() if count > 1] == []


def test_every_shortcut_is_one_that_the_keyboard_has() -> None:
    assert [row.id for row in ACTIONS if row.shortcut and QKeySequence(row.shortcut).toString() == ""] == []


def test_no_action_is_listed_twice() -> None:
    assert len({row.id for row in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize(
    ("words", "first"),
    [("worst", "dream.worst"), ("exec", "dream.execute"), ("stop", "motion.stop"), ("conn arm", "arms.connect")],
)
def test_a_few_letters_find_the_action(words: str, first: str) -> None:
    assert find(words)[0].id == first


def test_nothing_is_found_for_words_that_stand_nowhere() -> None:
    assert find("xylophone") == []


def test_an_action_is_offered_on_its_page_only_while_its_facts_hold(qapp: object) -> None:
    board = ActionBoard()
    board.show_page("dream")
    assert not board["dream.plan"].isEnabled()
    board.show_facts({"dream", "track"})
    assert board["dream.plan"].isEnabled()
    board.show_facts({"dream", "track", "moving"})
    assert not board["dream.plan"].isEnabled()
    board.show_facts({"dream", "track"})
    board.show_page("rig")
    assert not board["dream.plan"].isEnabled()


def test_what_could_disturb_a_motion_is_off_while_arms_move(qapp: object) -> None:
    board = ActionBoard()
    board.show_facts({"dream", "track", "plan", "approved", "arms", "undo", "redo", "run", "error", "moving"})
    for page in PAGES:
        board.show_page(page)
        on = {row.id for row, action in board if action.isEnabled()}
        assert not on & {
            "dream.open",
            "dream.track",
            "dream.plan",
            "dream.execute",
            "dream.undo",
            "arms.disconnect",
        }
        assert {"motion.stop", "motion.pause", *(f"go.{name}" for name in PAGES)} <= on


def test_the_stop_key_belongs_to_the_key_guard_not_to_a_menu(qapp: object) -> None:
    board = ActionBoard()
    assert board["motion.stop"].shortcut().isEmpty()

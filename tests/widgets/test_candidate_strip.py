"""The strip of candidates: what a person reads, hears and reaches by keys."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from widgets.candidate_strip import FIGURES, CandidateStrip, made_up_cards


@pytest.fixture
def strip(qtbot: QtBot) -> CandidateStrip:
    strip = CandidateStrip()
    qtbot.addWidget(strip)
    strip.show_candidates(made_up_cards())
    strip.resize(900, strip.height())
    strip.show()
    return strip


def test_the_strip_is_there_only_while_there_are_candidates(strip: CandidateStrip) -> None:
    assert strip.isVisible()
    strip.show_candidates([])
    assert not strip.isVisible()


def test_a_screen_reader_hears_place_figures_and_reason(strip: CandidateStrip) -> None:
    card = strip._cards[9]
    assert card.accessibleName() == "Candidate of seed 9, place 2, ready"
    assert "Safe workspace, table" in card.accessibleDescription()
    assert "its plan breaks a rule" in card.accessibleDescription()


def test_each_number_explains_itself_under_the_pointer(strip: CandidateStrip) -> None:
    card = strip._cards[7]
    tips = [card.tip_at(QPoint(x, FIGURES.top() + 5)) for x in (20, 110, 180)]
    assert [tip.split()[1] for tip in tips] == ["share", "share", "rule.."]
    assert card.tip_at(QPoint(20, 20)).startswith("all rules of motion are kept")


def test_arrows_and_enter_choose_without_the_mouse(strip: CandidateStrip, qtbot: QtBot) -> None:
    strip._cards[7].setFocus()
    QTest.keyClick(strip._cards[7], Qt.Key.Key_Right)
    assert strip._cards[9].hasFocus()
    QTest.keyClick(strip._cards[9], Qt.Key.Key_Right)  # what is not dreamt yet is passed over
    assert strip._cards[7].hasFocus()
    with qtbot.waitSignal(strip.opened) as opened:
        QTest.keyClick(strip._cards[7], Qt.Key.Key_Return)
    assert opened.args == [7]


def test_a_click_opens_and_keep_keeps(strip: CandidateStrip, qtbot: QtBot) -> None:
    with qtbot.waitSignal(strip.opened) as opened:
        QTest.mouseClick(strip._cards[9], Qt.MouseButton.LeftButton, pos=QPoint(30, 60))
    assert opened.args == [9]
    assert not strip._cards[9].isChecked()  # the page says what is open
    with qtbot.waitSignal(strip.keep_wanted) as kept:
        QTest.mouseClick(strip._cards[9]._keep, Qt.MouseButton.LeftButton)
    assert kept.args == [9, True]


def test_another_order_moves_the_same_cards(strip: CandidateStrip) -> None:
    first = strip._cards[8]
    cards = {card.seed: card for card in made_up_cards()}
    ready = replace(cards[8], place=1, dreamt=True, share=None, picture=np.zeros((4, 4, 3), np.uint8))
    strip.show_candidates([ready, cards[7], cards[9]])
    assert strip.seeds == (8, 7, 9)
    assert strip._cards[8] is first
    assert first.isEnabled()

"""The parts of page Demos by themselves: a table of thousands, labels of one and of many."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from hardware.types import Image
from widgets.demos_statistics import ChartView, StatisticsView
from widgets.demos_table import DemosTable
from widgets.demos_values import Bar, Chart, DemoLine, LabelEdit, Labels, LineKey, Scatter, Statistics, Twin
from widgets.label_form import SEVERAL, LabelForm


def _lines(numbers: range) -> tuple[list[DemoLine], list[LineKey]]:
    keys: list[LineKey] = [("s", k, 1) for k in numbers]
    return [DemoLine(key, str(key[1]), "rotation", success="yes") for key in keys], keys


class Pictures:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: set[LineKey] = set()
        self.version = 0

    def thumbnail(self, key: LineKey) -> Image | None:
        self.asked.add(key)
        return np.zeros((40, 60, 3), np.uint8)


@pytest.fixture
def table(qtbot: QtBot) -> DemosTable:
    made = DemosTable()
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show_lines(*_lines(range(3000)))
    made.show()
    return made


def test_only_what_is_seen_asks_for_pictures(table: DemosTable) -> None:
    pictures = Pictures()
    table.set_source(pictures)
    table.viewport().grab()
    assert 0 < len(pictures.asked) < 30


def test_what_was_chosen_stays_chosen_and_one_that_went_gives_its_place_to_the_next(table: DemosTable) -> None:
    table.selectRow(5)
    table.show_lines(*_lines(range(3, 2000)))
    assert table.chosen == (("s", 5, 1),)
    table.show_lines(*_lines(range(6, 2000)))
    assert table.current == ("s", 8, 1)
    table.show_lines([], [])
    assert (table.chosen, table.current) == ((), None)


def test_all_are_chosen_at_once_and_the_headings_ask_for_an_order(table: DemosTable, qtbot: QtBot) -> None:
    table.selectAll()
    assert len(table.chosen) == 3000
    with qtbot.waitSignal(table.sort_wanted) as told:
        table.horizontalHeader().setSortIndicator(4, Qt.SortOrder.DescendingOrder)
    assert told.args == ["duration_s", True]


@pytest.fixture
def edits(qtbot: QtBot) -> tuple[LabelForm, list[LabelEdit]]:
    form, told = LabelForm(), []
    qtbot.addWidget(form)
    form.edited.connect(told.append)
    form.show()
    return form, told


def _field(form: LabelForm, name: str) -> QLineEdit:
    return next(f for f in form.findChildren(QLineEdit) if f.accessibleName() == name)


def test_a_field_that_is_written_and_left_is_one_wish(edits: tuple[LabelForm, list[LabelEdit]]) -> None:
    form, told = edits
    form.show_labels(Labels("rotation", "turn", of=1))
    field = _field(form, "Instruction")
    field.selectAll()
    QTest.keyClicks(field, "turn back")
    QTest.keyClick(field, Qt.Key.Key_Return)
    field.editingFinished.emit()
    assert told == [LabelEdit(instruction="turn back")]


def test_of_many_demos_only_what_is_written_changes(edits: tuple[LabelForm, list[LabelEdit]]) -> None:
    form, told = edits
    form.show_labels(
        Labels("rotation", None, "cube", success=None, tags=("clean",), some_tags=("slow", "dim"), of=3)
    )
    assert _field(form, "Instruction").placeholderText() == SEVERAL
    tags = _field(form, "Tags")
    assert tags.text() == "clean, [slow], [dim]"
    tags.setText("[slow], dim, new")
    tags.editingFinished.emit()
    assert told == [LabelEdit(add_tags=("dim", "new"), remove_tags=("clean",))]
    no = next(b for b in form.findChildren(QPushButton) if b.text() == "No")
    no.click()
    assert told[1] == LabelEdit(success="no")


def test_esc_puts_back_what_was_there(edits: tuple[LabelForm, list[LabelEdit]]) -> None:
    form, told = edits
    form.show_labels(Labels("rotation", "turn", of=1))
    field = _field(form, "Instruction")
    QTest.keyClicks(field, "x")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "turn"
    assert told == []


def test_a_bar_gives_its_query_and_a_twin_its_second_demo(qtbot: QtBot) -> None:
    view = StatisticsView()
    qtbot.addWidget(view)
    twin = Twin(("s", 1, 1), ("s", 2, 1), "1 and 2")
    scatter = Scatter(np.zeros((1, 2)), ["#ffffff"], ["1"])
    chart = Chart("TASKS", [Bar("a", 3, "task:a"), Bar("b", 1)])
    view.show_statistics(Statistics(["3 demos"], [chart], scatter, [twin], "of 3"))
    view.resize(700, 400)
    view.show()
    view.grab()
    (bars,) = view.findChildren(ChartView)
    with qtbot.waitSignal(view.query_picked) as picked:
        qtbot.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert picked.args == ["task:a"]
    (named,) = (b for b in view.findChildren(QToolButton) if b.text() == "1 and 2")
    with qtbot.waitSignal(view.demo_picked) as demo:
        named.click()
    assert demo.args == [("s", 2, 1)]

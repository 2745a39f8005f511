"""Trackers beside each other on page Dream: what the panel says, and what its buttons do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget
from pytestqt.qtbot import QtBot

from app.dreams.comparison_run import ComparisonRun
from app.gui.actions import ACTIONS
from app.gui.binders.binder import Shell
from app.gui.binders.comparison import ComparisonBinder
from app.gui.program import open_program
from app.workspace import open_workspace
from hardware.rig import load_rig
from models.types import Hint
from widgets.pages.dream import DreamPage
from widgets.views.made_up import MadeUpSource

WAIT_S = 60.0


class Bench:
    """The page, its session and the binder, with trackers that stand still."""

    def __init__(self, qtbot: QtBot, root: Path) -> None:
        workspace = open_workspace(root)
        self.program = open_program(workspace, load_rig())
        self.session = self.program.dreaming
        self.session._track_job = "tests.app.jobs:still_track"
        self.page = DreamPage({row.id.split(".")[1]: QAction(row.text) for row in ACTIONS if row.page == "dream"})
        qtbot.addWidget(self.page)
        self.said: list[str] = []
        shell = Shell(lambda text, _level: self.said.append(text), print, lambda *_: "", lambda *_: "")
        run = ComparisonRun(workspace, job="tests.app.jobs:still_comparison")
        self.binder = ComparisonBinder(self.page, self.program, shell, lambda: 3, run)
        self.panel = self.binder.panel
        self.page.show()

    def wait(self, qtbot: QtBot) -> None:
        def idle() -> bool:
            self.session.pump()
            self.binder.tick()
            return self.session.progress is None and not self.binder.facts()

        qtbot.waitUntil(idle, timeout=int(WAIT_S * 1000))

    def close(self) -> None:
        self.binder.close()
        self.program.close()

    def table(self) -> list[list[str]]:
        items = [self.panel.table.topLevelItem(i) for i in range(self.panel.table.topLevelItemCount())]
        return [[item.text(c) for c in range(self.panel.table.columnCount())] for item in items if item]

    def choose(self, index: int) -> None:
        item = self.panel.table.topLevelItem(index)
        assert item is not None
        self.panel.table.setCurrentItem(item)


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(qtbot, tmp_path)
    made.session.open_example()
    made.session.retrack()
    made.wait(qtbot)
    yield made
    made.close()


def _compare(bench: Bench, qtbot: QtBot, *names: str) -> None:
    bench.panel.compare_wanted.emit(list(names))
    assert bench.binder.facts() == {"comparing"}
    bench.wait(qtbot)


def test_the_panel_takes_no_room_until_it_is_asked_for_and_gives_it_back(bench: Bench, qtbot: QtBot) -> None:
    timeline = bench.page.docks.findChild(QDockWidget, "dream.timeline")
    assert isinstance(timeline, QDockWidget)
    bench.page.show_views(["top", "side"], MadeUpSource())

    def tabs() -> list[QDockWidget]:
        return bench.page.docks.tabifiedDockWidgets(timeline)

    assert (tabs(), bench.binder.pane.isVisible()) == ([], False)
    for _ in range(2):
        bench.binder.handlers()["dream.compare"]()
        qtbot.waitUntil(lambda: tabs() == [bench.binder.pane] and bench.panel.isVisible(), timeout=30_000)
        bench.panel.close_wanted.emit()
        qtbot.waitUntil(
            lambda: tabs() == [] and not bench.panel.isVisible() and timeline.isVisible(), timeout=30_000
        )


def test_each_tracker_has_its_rows_and_one_that_is_not_set_up_says_why(bench: Bench, qtbot: QtBot) -> None:
    assert bench.panel.chosen == ["stereo", "fusion"]
    _compare(bench, qtbot, "stereo", "fusion", "megapose")
    table = bench.table()
    assert [row[:3] for row in table] == [
        ["Stereo, in use", "left", "12/13"],
        ["", "right", "12/13"],
        ["Fusion", "left", "12/13"],
        ["", "right", "12/13"],
        ["MegaPose", "–", "no track"],
    ]
    assert table[2][5] == "100.0 (100.0) mm · 0.0 (0.0)°"
    bench.choose(4)
    assert "MegaPose is not set up" in bench.panel._problem.toPlainText()
    assert not bench.panel._use.isEnabled()


def test_use_this_track_makes_it_count_and_undo_brings_the_other_back(bench: Bench, qtbot: QtBot) -> None:
    _compare(bench, qtbot, "stereo", "fusion")
    assert not bench.panel._use.isEnabled()  # the stereo track is in use already
    bench.choose(2)
    bench.panel._use.click()
    assert (bench.session.tracker, bench.session.stale) == ("fusion", False)
    assert bench.table()[2][0] == "Fusion, in use"
    assert bench.said == ["Fusion's track counts now; undo brings Stereo's back"]
    bench.session.undo()
    assert (bench.session.tracker, bench.session.stale) == ("stereo", False)
    assert bench.table()[0][0] == "Stereo, in use"


def test_a_track_made_with_other_boxes_is_made_anew_when_it_is_used(bench: Bench, qtbot: QtBot) -> None:
    _compare(bench, qtbot, "stereo", "fusion")
    bench.session.add_hint(Hint("left", "top", 4, (10.0, 10.0, 200.0, 200.0)))
    assert bench.panel._words.text() == "The boxes have changed since: compare again."
    bench.choose(2)
    bench.panel._use.click()
    bench.wait(qtbot)
    assert bench.session.track is not None
    assert (bench.session.track.tracker, len(bench.session.track.hints)) == ("fusion", 1)
    assert not bench.session.stale


def test_one_tracker_alone_cannot_be_compared(bench: Bench, qtbot: QtBot) -> None:
    bench.panel.compare_wanted.emit(["stereo"])
    assert bench.said == ["compare: ['stereo']; valid: two or more different trackers"]
    bench.panel._boxes["fusion"].setChecked(False)
    assert not bench.panel._go.isEnabled()


def test_another_dream_clears_the_panel(bench: Bench, qtbot: QtBot) -> None:
    _compare(bench, qtbot, "stereo", "fusion")
    assert bench.table()
    bench.session.open_example()
    assert bench.table() == []

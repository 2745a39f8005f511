"""Pages Rig, Inspect and Train show what they are given, and claim nothing that is not there."""

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from widgets.pages.inspect import InspectPage
from widgets.pages.rig import RigPage
from widgets.pages.train import TRAIN_ACTIONS, TrainPage
from widgets.robot_panel import ROBOT_ACTIONS
from widgets.values import ArmCard, ChainLink, LimitRow, RunRow


def _actions(*names: str) -> dict[str, QAction]:
    return {name: QAction(name) for name in names}


def _texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


ARM = ArmCard(
    "left", "xArm 7 left", "error", "alarm", error="error 31: something was hit; free the arm", emulated=True,
    connected=True, limits=(LimitRow("tool speed", "0.25 m/s", "controller"),), joints_deg=(0.0,) * 7,
)  # fmt: skip


def test_an_arm_in_error_says_why_and_offers_to_clear_it(qtbot: QtBot) -> None:
    page = RigPage(_actions("connect", "disconnect", "clear", "cameras", "find", *ROBOT_ACTIONS))
    qtbot.addWidget(page)
    page.show_arms([ARM])
    page.show()
    assert "error · emulated" in _texts(page)
    assert "something was hit; free the arm" in _texts(page)
    assert "0.25 m/s" in _texts(page)
    clear = next(b for b in page.findChildren(QPushButton) if b.text() == "Clear error")
    with qtbot.waitSignal(page.clear_wanted) as wanted:
        clear.click()
    assert wanted.args == ["left"]


def test_an_arm_that_is_well_offers_nothing_to_clear(qtbot: QtBot) -> None:
    page = RigPage(_actions("connect", "disconnect", "clear", "cameras", "find", *ROBOT_ACTIONS))
    qtbot.addWidget(page)
    page.show_arms([ArmCard("left", "xArm 7 left", "ready", "ok", connected=True)])
    page.show()
    clear = next(b for b in page.findChildren(QPushButton) if b.text() == "Clear error")
    assert not clear.isVisible()


def test_an_arm_that_left_the_rig_leaves_the_page(qtbot: QtBot) -> None:
    page = RigPage(_actions("connect", "disconnect", "clear", "cameras", "find", *ROBOT_ACTIONS))
    qtbot.addWidget(page)
    page.show()
    page.show_arms([ARM, ArmCard("right", "xArm 7 right", "ready", "ok")])
    page.show_arms([ARM])
    qtbot.waitUntil(lambda: "xArm 7 right" not in _texts(page))


@pytest.fixture
def inspect_page(qtbot: QtBot) -> InspectPage:
    page = InspectPage(_actions("video", "open_dream", "refresh", "dream"))
    qtbot.addWidget(page)
    page.show()
    return page


def _run(id: str) -> RunRow:
    return RunRow(id, "2026-11-21 06:00", "example", "success", "ok", "slipped", "a note", "anna", "f" * 64, "done")


def test_without_runs_it_says_how_to_get_one(inspect_page: InspectPage) -> None:
    inspect_page.show_runs([])
    assert "Nothing has run yet" in _texts(inspect_page)


def test_the_newest_run_is_chosen_and_the_choice_survives_a_refresh(
    inspect_page: InspectPage, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(inspect_page.run_picked) as picked:
        inspect_page.show_runs([_run("2"), _run("1")])
    assert picked.args == ["2"]
    inspect_page.table.setCurrentItem(inspect_page.table.topLevelItem(1))
    inspect_page.show_runs([_run("3"), _run("2"), _run("1")])
    assert inspect_page.table.chosen == "1"


def test_the_chain_names_every_link(inspect_page: InspectPage) -> None:
    inspect_page.show_runs([_run("1")])
    inspect_page.show_chain(
        [ChainLink("plan", "p", "06:00", (("duration", "12.4 s"),)), ChainLink("dream", "d", "05:00")]
    )
    assert {"PLAN", "DREAM", "12.4 s"} <= set(_texts(inspect_page).split("\n"))


def test_without_any_training_the_page_says_what_to_do_and_leads_on(qtbot: QtBot) -> None:
    actions = _actions(*TRAIN_ACTIONS, "record")
    page = TrainPage(actions)
    qtbot.addWidget(page)
    page.show()
    assert "Nothing is trained yet" in _texts(page)
    for name in ("new", "record"):
        with qtbot.waitSignal(actions[name].triggered):
            next(b for b in page.findChildren(QPushButton) if b.text() == name and b.isVisible()).click()

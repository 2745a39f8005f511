"""What an operator can choose beside Approve."""

from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from widgets.approve_panel import ApprovePanel
from widgets.values import ApproveState


def _box(panel: ApprovePanel) -> QComboBox:
    return next(box for box in panel.findChildren(QComboBox) if box.itemText(0) == "Stiff")


def test_giving_way_is_offered_where_the_connected_arms_can(qtbot: QtBot) -> None:
    panel = ApprovePanel()
    qtbot.addWidget(panel)
    picked: list[float] = []
    panel.give_way_picked.connect(picked.append)
    panel.show_state(ApproveState("planned", "f" * 64, 26.0, can_plan=True))
    box = _box(panel)
    assert not box.isEnabled()
    assert "known once they are connected" in box.toolTip()
    panel.show_state(
        ApproveState("planned", "f" * 64, 26.0, forces=(20.0, 30.0), compliance_words=("left: it estimates",))
    )
    assert box.isEnabled()
    assert "left: it estimates" in box.toolTip()
    box.setCurrentIndex(2)
    box.activated.emit(2)
    box.activated.emit(0)
    assert picked == [30.0, 0.0]

"""Page Rig: are the cameras and arms there, and are they well?"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from widgets.arm_card import ArmCardView
from widgets.busy_strip import BusyStrip
from widgets.demo import demo
from widgets.docked_page import DockedPage
from widgets.panel import label, scrolled
from widgets.rig_cameras import RigCameras
from widgets.robot_panel import ROBOT_ACTIONS, RobotPanel
from widgets.top_bar import TopBar
from widgets.transport import action_button
from widgets.values import ArmCard, BusyState, Chip
from widgets.views.scene_view import SceneView

NO_ARMS = "This rig has no arm: a person holds the tool. To move arms, start the program with a rig that has them."


class RigPage(QWidget):
    """`cameras` shows every device live; the arms have a card each; `scene` shows where everything stands; `robot`
    moves an arm by hand. actions: connect, disconnect, clear, cameras, find, and those of the robot panel."""

    clear_wanted = Signal(str)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.cameras = RigCameras(actions["cameras"], actions["find"])
        self.scene, self.busy = SceneView(), BusyStrip()
        self.robot = RobotPanel(actions)
        self.bar = TopBar("Rig", [action_button(actions[name]) for name in ("connect", "disconnect", "clear")])
        self._cards: dict[str, ArmCardView] = {}
        cards = QWidget()
        self._column = QVBoxLayout(cards)
        self._column.setContentsMargins(2, 0, 6, 0)
        self._no_arms = label(NO_ARMS, "muted", wrap=True)
        self._no_arms.setContentsMargins(12, 12, 12, 12)
        self._column.addWidget(self._no_arms)
        self._column.addStretch(1)
        self.scene.show_caption("World, metres")
        self.docks = DockedPage("rig")
        self._views = _tabs()
        self.add_view("Cameras", self.cameras)
        self.docks.setCentralWidget(self._views)
        scene = self.docks.add_pane(
            "scene", "Where everything stands", self.scene, Qt.DockWidgetArea.RightDockWidgetArea
        )
        self._beside = _tabs()
        self._beside.setMinimumWidth(400)
        self._beside.addTab(scrolled(cards), "State")
        self._beside.addTab(scrolled(self.robot), "Move by hand")
        arms = self.docks.add_pane("arms", "Arms", self._beside, Qt.DockWidgetArea.RightDockWidgetArea)
        self.docks.size_panes([scene, arms], [280, 520], Qt.Orientation.Vertical)
        self.docks.size_panes([arms], [460], Qt.Orientation.Horizontal)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.busy)
        layout.addWidget(self.docks, 1)

    def add_view(self, title: str, view: QWidget) -> None:
        """Add a view beside the cameras, behind a tab."""
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(8, 8, 2, 8)
        inside.addWidget(view)
        self._views.addTab(holder, title)

    def show_view(self, title: str) -> None:
        """Turn to a view by its title."""
        titles = [self._views.tabText(i) for i in range(self._views.count())]
        self._views.setCurrentIndex(titles.index(title))

    def show_by_hand(self) -> None:
        """Turn to the robot panel, its keys ready."""
        self._beside.setCurrentIndex(1)
        self.robot.pad.setFocus()

    def show_title(self, title: str, chips: Sequence[Chip] = ()) -> None:
        self.bar.show_title(title, chips)

    def show_busy(self, busy: BusyState | None) -> None:
        self.busy.show_busy(busy)

    def show_arms(self, arms: Sequence[ArmCard]) -> None:
        """Show a card an arm, or what to do where the rig has none."""
        self._no_arms.setVisible(not arms)
        for name in self._cards.keys() - {arm.name for arm in arms}:
            gone = self._cards.pop(name)
            gone.hide()
            gone.deleteLater()
        for arm in arms:
            if arm.name not in self._cards:
                self._cards[arm.name] = card = ArmCardView(arm.name)
                card.clear_wanted.connect(self.clear_wanted)
                self._column.insertWidget(self._column.count() - 1, card)
            self._cards[arm.name].show_arm(arm)


def _tabs() -> QTabWidget:
    made = QTabWidget(documentMode=True)
    made.tabBar().setDrawBase(False)
    return made


def main() -> None:
    """Show a rig with one arm."""

    def make() -> QWidget:
        page = RigPage(
            {name: QAction(name) for name in ("connect", "disconnect", "clear", "cameras", "find", *ROBOT_ACTIONS)}
        )
        page.show_arms([ArmCard("left", "xArm 7 left", "ready", "ok", connected=True)])
        return page

    demo(make)


if __name__ == "__main__":
    main()

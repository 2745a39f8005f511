"""The Cameras tab of page Rig: every camera and sensor live, what each lacks, and the load of the USB ports."""

from collections.abc import Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.empty_state import EmptyState
from widgets.found_devices import FoundDevices
from widgets.panel import label, row
from widgets.record_values import Fact, StreamRow
from widgets.theme import set_state
from widgets.transport import action_button
from widgets.views.live_grid import LiveGrid


class RigCameras(QWidget):
    """`grid` pulls the pictures; open_action turns the cameras on; find_action looks for what is plugged in, which
    `found` then shows."""

    def __init__(self, open_action: QAction, find_action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid, self.found = LiveGrid(), FoundDevices()
        self._budget, self._note = label(wrap=True), label(wrap=True)
        self._off = EmptyState(
            "The cameras are off",
            "Turned on, every camera and sensor of the rig shows here what it sees and how its stream does. "
            "Arms that are connected bring their simulated cameras with them.",
            (open_action, find_action),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._off, 1)
        layout.addWidget(self.grid, 1)
        layout.addWidget(self._note)
        self._foot, across = QWidget(), row(self._budget, action_button(find_action))
        across.setStretch(0, 1)
        self._foot.setLayout(across)
        layout.addWidget(self._foot)
        layout.addWidget(self.found)
        self.show_streams(())

    def show_streams(self, rows: Sequence[StreamRow], note: str = "") -> None:
        """Show these; without any, how to turn them on. note: what a person must know of all of them."""
        self.grid.show_streams(rows)
        self.grid.setVisible(bool(rows))
        self._off.setVisible(not rows)
        self._foot.setVisible(bool(rows))
        self._note.setText(note)
        self._note.setVisible(bool(note))
        if self._note.property("state") != "warning":
            set_state(self._note, state="warning")

    def show_budget(self, fact: Fact) -> None:
        """The load of the rig's USB ports, in a line; an empty text for none."""
        self._budget.setText(fact.text)
        self._budget.setToolTip(fact.tip)
        state = "alarm" if fact.mood == "alarm" else ""
        if self._budget.property("state") != state:
            set_state(self._budget, state=state, role="" if state else "muted")


def main() -> None:
    """Show one camera that is not there."""

    def make() -> QWidget:
        view = RigCameras(QAction("Turn on the cameras"), QAction("Find devices"))
        view.show_streams([StreamRow("top", mood="alarm", problem="top: unplugged; plug it in again")])
        return view

    demo(make)


if __name__ == "__main__":
    main()

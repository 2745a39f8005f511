"""Page Record: not built yet, and it says so."""

from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.empty_state import EmptyState
from widgets.top_bar import TopBar


class RecordPage(QWidget):
    """Says what recording will be and what can be done until then."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(TopBar("Record"))
        empty = EmptyState(
            "Recording is not built yet",
            "Here a person will show the task with the tool in the hand while all cameras record: a state that is "
            "read from two metres away, a foot pedal, keep or discard with one key, and nothing lost.",
            (actions["rig"], actions["dream"]),
            (
                "On page Rig you can already watch the cameras live.",
                "On page Dream you can work with recorded or generated clips.",
            ),
        )
        layout.addWidget(empty, 1)


def main() -> None:
    """Show the page."""

    def make() -> QWidget:
        return RecordPage({name: QAction(name) for name in ("rig", "dream")})

    demo(make)


if __name__ == "__main__":
    main()

"""Page Train: not built yet, and it says so."""

from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.empty_state import EmptyState
from widgets.top_bar import TopBar


class TrainPage(QWidget):
    """Says what training will be and what can be done until then."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(TopBar("Train"))
        empty = EmptyState(
            "Training is not built yet",
            "Here demonstrations will become a video model that dreams: jobs with their time left, dreams of "
            "every checkpoint on the same held-out scenes, and where each checkpoint came from.",
            (actions["dream"], actions["inspect"]),
            ("Dreams made elsewhere open on page Dream (Import).", "Page Inspect shows what came of them."),
        )
        layout.addWidget(empty, 1)


def main() -> None:
    """Show the page."""

    def make() -> QWidget:
        return TrainPage({name: QAction(name) for name in ("inspect", "dream")})

    demo(make)


if __name__ == "__main__":
    main()

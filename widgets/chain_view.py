"""Where a run came from: outcome, execution, approval, plan, track, dream, each with what matters about it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import ElidedLabel, Panel, label, row
from widgets.values import ChainLink


class ChainView(QScrollArea):
    """One small pane a link, the newest on top."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.show_chain(())

    def show_chain(self, links: Sequence[ChainLink]) -> None:
        """Show these links."""
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(2)
        if not links:
            column.addWidget(label("Choose a run to see where it came from.", "muted"))
        for index, link in enumerate(links):
            if index:
                column.addWidget(label("↑ from", "faint"), alignment=Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(_pane(link))
        column.addStretch(1)
        self.setWidget(inner)


def _pane(link: ChainLink) -> Panel:
    pane = Panel(link.kind.upper())
    pane.corner.addWidget(label(link.created, "faint"))
    pane.body.addWidget(ElidedLabel(link.name))
    for name, value in link.facts:
        key = label(name, "muted")
        key.setFixedWidth(120)
        line = row(key, ElidedLabel(value))
        line.setStretch(1, 1)
        pane.body.addLayout(line)
    return pane


def main() -> None:
    """Show one link."""

    def make() -> QWidget:
        chain = ChainView()
        chain.show_chain([ChainLink("plan", "example", "12:00", (("duration", "26 s"),))])
        return chain

    demo(make)


if __name__ == "__main__":
    main()

"""What pages with panes share: a bar, strips under it, and what to do while there is nothing to show."""

from collections.abc import Sequence

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from widgets.docked_page import DockedPage
from widgets.empty_state import EmptyState
from widgets.top_bar import TopBar
from widgets.values import Chip


class PanesPage(QWidget):
    """`docks` holds the panes; they are seen once there is something in them."""

    def __init__(
        self,
        name: str,
        bar: TopBar,
        empty: EmptyState,
        strips: Sequence[QWidget] = (),
        parent: QWidget | None = None,
    ) -> None:
        """name: what the layout is remembered by; strips: stand under the bar."""
        super().__init__(parent)
        self.setObjectName("page")
        self.bar, self.docks = bar, DockedPage(name)
        self._pages = QStackedLayout()
        self._pages.addWidget(empty)
        self._pages.addWidget(self.docks)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        for strip in strips:
            layout.addWidget(strip)
        layout.addLayout(self._pages, 1)

    def show_title(self, title: str, chips: Sequence[Chip] = ()) -> None:
        self.bar.show_title(title, chips)

    def show_panes(self, shown: bool) -> None:
        """Show the panes, or what to do where there is nothing to show."""
        self._pages.setCurrentIndex(int(shown))

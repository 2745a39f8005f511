"""The left rail: the pages, one of them chosen; below a gap, what is not part of the daily work."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from widgets.icons import icon
from widgets.panel import follow_tip
from widgets.theme import set_state


class Rail(QWidget):
    """One button a page; each button is that page's action."""

    def __init__(
        self, pages: Mapping[str, QAction], foot: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(84)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 10)
        layout.setSpacing(6)
        self._buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        ordered = [*(page for page in pages if page not in foot), *foot]
        for page in ordered:
            if page in foot[:1]:
                layout.addStretch(1)
            button, action = QToolButton(), pages[page]
            button.setText(action.text())
            button.setCheckable(True)
            button.setIcon(icon(page, "muted"))
            button.setIconSize(QSize(24, 24))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setFixedSize(68, 62)
            follow_tip(button, action)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(action.trigger)
            set_state(button, role="rail")
            group.addButton(button)
            layout.addWidget(button)
            self._buttons[page] = button
        if not foot:
            layout.addStretch(1)

    def show_page(self, page: str) -> None:
        """Mark the page that is shown."""
        self._buttons[page].setChecked(True)

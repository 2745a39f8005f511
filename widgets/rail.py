"""The left rail: five pages, one of them chosen."""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from widgets.icons import icon
from widgets.theme import set_state


class Rail(QWidget):
    """One button a page; each button is that page's action."""

    def __init__(self, pages: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(84)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 10)
        layout.setSpacing(6)
        self._buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        for page, action in pages.items():
            button = QToolButton()
            button.setText(action.text())
            button.setCheckable(True)
            button.setIcon(icon(page, "muted"))
            button.setIconSize(QSize(24, 24))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setFixedSize(68, 62)
            button.setToolTip(action.toolTip())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(action.trigger)
            set_state(button, role="rail")
            group.addButton(button)
            layout.addWidget(button)
            self._buttons[page] = button
        layout.addStretch(1)

    def show_page(self, page: str) -> None:
        """Mark the page that is shown."""
        self._buttons[page].setChecked(True)

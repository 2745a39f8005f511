"""The line over a page: what is open, a few facts about it, and what can be done with it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from widgets.panel import label
from widgets.theme import set_state
from widgets.values import Chip


class TopBar(QWidget):
    """Title and chips on the left, buttons on the right."""

    def __init__(self, title: str, buttons: Sequence[QWidget] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(50)
        self._title = label(title, "title")
        self._chips = QHBoxLayout()
        self._chips.setSpacing(8)
        self._labels: list[QLabel] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 10, 0)
        layout.setSpacing(8)
        layout.addWidget(self._title)
        layout.addSpacing(8)
        layout.addLayout(self._chips)
        layout.addStretch(1)
        for button in buttons:
            layout.addWidget(button)

    def show_title(self, title: str, chips: Sequence[Chip] = ()) -> None:
        """Show what is open and the facts that matter about it."""
        self._title.setText(title)
        while len(self._labels) < len(chips):
            self._labels.append(label("", "chip"))
            self._chips.addWidget(self._labels[-1], alignment=Qt.AlignmentFlag.AlignVCenter)
        for index, widget in enumerate(self._labels):
            widget.setVisible(index < len(chips))
            if index < len(chips):
                widget.setText(chips[index].text)
                widget.setToolTip(chips[index].tip)
                if widget.property("state") != chips[index].mood:
                    set_state(widget, state=chips[index].mood)

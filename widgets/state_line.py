"""The bottom line: how arms, cameras, worker and job are, and Stop in its corner, always the same one."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from widgets.panel import label
from widgets.theme import level_color, set_state
from widgets.values import LineItem

HEIGHT = 44
STOP_TIP = (
    "Stops all arms. Not safety-rated: it does not replace the emergency stop.\nEsc or Space while anything moves"
)


class StateLine(QWidget):
    """Items keep their order; `stop_wanted` on every press, moving or not."""

    stop_wanted = Signal()
    item_picked = Signal(str)

    def __init__(self, groups: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._groups = {name: _Group(name) for name in groups}
        self._stop = QPushButton("Stop")
        self._stop.setAccessibleName("Stop all arms")
        self._stop.setToolTip(STOP_TIP)
        self._stop.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Space and Return never press it by accident of focus
        self._stop.pressed.connect(
            lambda: self.stop_wanted.emit()
        )  # pressed, not released: every millisecond counts
        self._stop.setFixedSize(220, HEIGHT)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 0, 0)
        layout.setSpacing(22)
        for name in groups[:-1]:
            layout.addWidget(self._groups[name])
        layout.addStretch(1)
        layout.addWidget(self._groups[groups[-1]])
        layout.addWidget(self._stop)
        self._moving: bool | None = None
        self.show_moving(False)

    def show_items(self, items: Mapping[str, Sequence[LineItem]]) -> None:
        """Show these items in their groups; a group that is not named stays as it is."""
        for name, values in items.items():
            self._groups[name].show_items(values)

    def show_moving(self, moving: bool) -> None:
        """Loud while anything moves, at rest otherwise; it works either way."""
        if moving == self._moving:
            return
        self._moving = moving
        set_state(self._stop, role="stop" if moving else "stop_idle")
        self._stop.setText("Stop   Esc" if moving else "Stop")


class _Group(QWidget):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(16)
        self._labels: list[QLabel] = []

    def show_items(self, items: Sequence[LineItem]) -> None:
        while len(self._labels) < len(items):
            self._labels.append(label("", "muted"))
            self._layout.addWidget(self._labels[-1])
        for index, widget in enumerate(self._labels):
            widget.setVisible(index < len(items))
            if index < len(items):
                _fill(widget, items[index])


def _fill(widget: QLabel, item: LineItem) -> None:
    text = item.text.replace("&", "&amp;").replace("<", "&lt;")
    rich = f'<span style="color:{level_color(item.mood)}">●</span>&nbsp; {text}'
    if widget.text() != rich:
        widget.setTextFormat(Qt.TextFormat.RichText)
        widget.setText(rich)
    widget.setToolTip(item.tip)


def main() -> None:
    """Show the line of a rig at work."""
    from PySide6.QtWidgets import QApplication

    from widgets.theme import apply_theme

    app = QApplication([])
    apply_theme(app)
    line = StateLine(("arms", "job"))
    line.show_items({"arms": [LineItem("xArm 7 left: ready · emulated", "ok")], "job": [LineItem("no job")]})
    line.show_moving(True)
    line.show()
    app.exec()


if __name__ == "__main__":
    main()

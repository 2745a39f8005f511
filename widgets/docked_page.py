"""A page whose panes can be moved, hidden and remembered."""

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from widgets.panel import label

_FEATURES = QDockWidget.DockWidgetFeature.DockWidgetMovable
LAYOUT_VERSION = 1


class DockedPage(QMainWindow):
    """A centre and docked panes. Panes stay inside the window: a floating one could hide behind it unseen."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setObjectName(name)
        self.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AnimatedDocks
        )
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.setCorner(Qt.Corner.TopRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._usual: QByteArray | None = None
        self._sizes: list[tuple[list[QDockWidget], list[int], Qt.Orientation]] = []
        self._fresh = True

    def add_pane(self, id: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        """Dock a widget; id is what the layout is remembered by."""
        dock = QDockWidget(title, self)
        dock.setObjectName(f"{self.objectName()}.{id}")
        dock.setFeatures(_FEATURES)
        dock.setTitleBarWidget(_heading(title))
        dock.setWidget(_padded(widget))
        self.addDockWidget(area, dock)
        return dock

    def name_pane(self, dock: QDockWidget, title: str) -> None:
        """Give a pane another heading."""
        heading = dock.titleBarWidget()
        if isinstance(heading, QLabel):
            heading.setText(title)

    def size_panes(self, panes: list[QDockWidget], pixels: list[int], direction: Qt.Orientation) -> None:
        """Give panes their usual sizes once the page is shown: before that, Qt has no room to share out."""
        self._sizes.append((panes, pixels, direction))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._usual is None:
            remembered = None if self._fresh else self.saveState(LAYOUT_VERSION)
            for panes, pixels, direction in self._sizes:
                self.resizeDocks(panes, pixels, direction)
            self._usual = self.saveState(LAYOUT_VERSION)
            if remembered is not None:
                self.restoreState(remembered, LAYOUT_VERSION)

    def layout_state(self) -> QByteArray:
        """Return where the panes are."""
        return self.saveState(LAYOUT_VERSION)

    def restore_layout(self, state: QByteArray) -> bool:
        """Put the panes where they were; False where the state is of another version or broken."""
        restored = bool(self.restoreState(state, LAYOUT_VERSION))
        self._fresh = self._fresh and not restored
        return restored

    def reset_layout(self) -> None:
        """Put every pane back in its usual place."""
        if self._usual is not None:
            self.restoreState(self._usual, LAYOUT_VERSION)


def _heading(title: str) -> QLabel:
    made = label(title, "heading")
    made.setContentsMargins(12, 7, 8, 5)
    return made


def _padded(widget: QWidget) -> QWidget:
    frame = QWidget()
    frame.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget)
    return frame

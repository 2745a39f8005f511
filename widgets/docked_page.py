"""A page whose panes can be moved, hidden and remembered."""

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSizePolicy, QVBoxLayout, QWidget

_FEATURES = QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetClosable
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

    def add_pane(self, id: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        """Dock a widget; id is what the layout is remembered by."""
        dock = QDockWidget(title, self)
        dock.setObjectName(f"{self.objectName()}.{id}")
        dock.setFeatures(_FEATURES)
        dock.setWidget(_padded(widget))
        self.addDockWidget(area, dock)
        return dock

    def keep_usual(self) -> None:
        """Take the layout of now as the one that a reset returns to."""
        self._usual = self.saveState(LAYOUT_VERSION)

    def layout_state(self) -> QByteArray:
        """Return where the panes are."""
        return self.saveState(LAYOUT_VERSION)

    def restore_layout(self, state: QByteArray) -> bool:
        """Put the panes where they were; False where the state is of another version or broken."""
        return bool(self.restoreState(state, LAYOUT_VERSION))

    def reset_layout(self) -> None:
        """Put every pane back in its usual place."""
        if self._usual is not None:
            self.restoreState(self._usual, LAYOUT_VERSION)


def _padded(widget: QWidget) -> QWidget:
    frame = QWidget()
    frame.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget)
    return frame

"""The main window: rail, page, bottom line with Stop, log, messages and palette. It knows pages only as widgets."""

from collections.abc import Callable, Mapping, Set

from PySide6.QtCore import QByteArray, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.actions import ACTIONS, PAGES, Action, ActionBoard, find
from app.gui.window_memory import WindowMemory
from widgets.docked_page import DockedPage
from widgets.icons import icon
from widgets.log_view import LogView
from widgets.palette import Offer, Palette
from widgets.rail import Rail
from widgets.state_line import StateLine
from widgets.theme import set_state
from widgets.toasts import Toasts

SIZE = (1600, 900)
GROUPS = ("arms", "cameras", "worker", "job")


class MainWindow(QMainWindow):
    """`page_shown(name)` after every change of page; `closing` once, while everything still exists."""

    page_shown = Signal(str)
    closing = Signal()

    def __init__(self, board: ActionBoard, pages: Mapping[str, QWidget], memory: WindowMemory) -> None:
        super().__init__()
        self.setWindowTitle("Dreamdeck")
        self.setWindowIcon(icon("app"))
        self.setObjectName("window")
        self.setDockOptions(QMainWindow.DockOption.AnimatedDocks)
        self.board, self._pages, self._memory = board, dict(pages), memory
        self._facts: frozenset[str] = frozenset()
        self._page = ""
        self._stack = QStackedWidget()
        self._rail = Rail({page: board[f"go.{page}"] for page in PAGES})
        self.state_line = StateLine(GROUPS)
        self.log = LogView()
        self._lay_out()
        self.toasts = Toasts(self)
        self.palette_view = Palette(self._offers, self)
        self.palette_view.chosen.connect(self.choose)
        for _, action in board:
            self.addAction(action)
        self._usual = self._body.saveState()
        self._restore()

    @property
    def page(self) -> str:
        """The page that is shown."""
        return self._page

    def show_page(self, page: str) -> None:
        """Turn to a page."""
        if page == self._page:
            return
        self._page = page
        self._stack.setCurrentWidget(self._pages[page])
        self._rail.show_page(page)
        self.board.show_page(page)
        self._pages[page].setFocus()
        self.page_shown.emit(page)

    def show_facts(self, facts: Set[str]) -> None:
        """Offer what is possible while these facts hold."""
        self._facts = frozenset(facts)
        self.board.show_facts(facts)
        self.state_line.show_moving("moving" in facts)

    @Slot()
    def open_palette(self) -> None:
        self.palette_view.open()

    @Slot()
    def toggle_log(self) -> None:
        self._log_dock.setVisible(not self._log_dock.isVisible())

    @Slot()
    def show_log(self) -> None:
        self._log_dock.show()
        self._log_dock.raise_()

    @Slot()
    def toggle_fullscreen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    @Slot()
    def reset_layout(self) -> None:
        """Put the panes of this page, and the log, back in their usual places."""
        self._body.restoreState(self._usual)
        for docks in self._docked(self._pages[self._page]):
            docks.reset_layout()

    @Slot(str)
    def choose(self, id: str) -> None:
        """Do an action from the palette: on another page, turn to that page first."""
        row = next(row for row in ACTIONS if row.id == id)
        if row.page and row.page != self._page:
            self.show_page(row.page)
        if self.board[id].isEnabled():
            self.board.trigger(id)
        else:
            self.toasts.say(f"{row.text.rstrip('…')}: not possible right now", "warning")

    def closeEvent(self, event: QCloseEvent) -> None:
        self._keep()
        self.closing.emit()
        super().closeEvent(event)

    # layout ----------------------------------------------------------------------------------------------------
    def _lay_out(self) -> None:
        for page in PAGES:
            self._stack.addWidget(self._pages[page])
        left = QWidget()
        left.setObjectName("rail")
        left.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(4)
        column.addWidget(self._rail, 1)
        column.addWidget(self._find_button(), alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._menu_button(), alignment=Qt.AlignmentFlag.AlignHCenter)
        centre = QWidget()
        lines = QVBoxLayout(centre)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        upper = QHBoxLayout()
        upper.setSpacing(0)
        upper.addWidget(left)
        upper.addWidget(self._inner(), 1)
        lines.addLayout(upper, 1)
        lines.addWidget(self.state_line)
        self.setCentralWidget(centre)

    def _inner(self) -> QMainWindow:
        """The pages with the log docked under them, above the bottom line that never moves."""
        self._body = QMainWindow()
        self._body.setWindowFlags(Qt.WindowType.Widget)
        self._body.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._body.setCentralWidget(self._stack)
        self._log_dock = QDockWidget("Log", self._body)
        self._log_dock.setObjectName("window.log")
        features = QDockWidget.DockWidgetFeature
        self._log_dock.setFeatures(features.DockWidgetClosable | features.DockWidgetMovable)
        self._log_dock.setWidget(self.log)
        self._body.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self._log_dock)
        self._log_dock.hide()
        return self._body

    def _find_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("Ctrl+K")
        button.setIcon(icon("find", "muted"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setFixedSize(68, 52)
        button.setToolTip(self.board["view.palette"].toolTip())
        button.clicked.connect(self.board["view.palette"].trigger)
        set_state(button, role="rail")
        return button

    def _menu_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("Menu")
        button.setFixedSize(68, 34)
        set_state(button, role="rail")
        self._menu = _menu(self.board, self)
        button.clicked.connect(lambda: self._menu.popup(button.mapToGlobal(self._menu_place())))
        return button

    def _menu_place(self) -> QPoint:
        return QPoint(72, 30 - self._menu.sizeHint().height())

    # memory ----------------------------------------------------------------------------------------------------
    def _restore(self) -> None:
        self.resize(*SIZE)
        self._try("window", self.restoreGeometry)
        self._try("body", self._body.restoreState)
        for name, docks in self._all_docked():
            self._try(f"page.{name}", docks.restore_layout)
        page = self._memory.text("page", "dream")
        self.show_page(page if page in self._pages else "dream")

    def _try(self, key: str, restore: Callable[[QByteArray], bool]) -> None:
        state = self._memory.bytes(key)
        if state is not None and not restore(state):
            self._memory.drop(key, "it does not fit this window")

    def _keep(self) -> None:
        self._memory.keep_bytes("window", self.saveGeometry())
        self._memory.keep_bytes("body", self._body.saveState())
        for name, docks in self._all_docked():
            self._memory.keep_bytes(f"page.{name}", docks.layout_state())
        self._memory.keep_text("page", self._page)
        self._memory.save()

    def _all_docked(self) -> list[tuple[str, DockedPage]]:
        return [(name, docks) for name, page in self._pages.items() for docks in self._docked(page)]

    @staticmethod
    def _docked(page: QWidget) -> list[DockedPage]:
        return page.findChildren(DockedPage)

    def _offers(self, words: str) -> list[Offer]:
        return [
            Offer(row.id, row.text, row.page.capitalize() or row.menu, row.shortcut, self._possible(row))
            for row in find(words)
            if row.id != "view.palette"
        ]

    def _possible(self, row: Action) -> bool:
        return row.enabled(row.page or self._page, self._facts)


def _menu(board: ActionBoard, parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    parts: dict[str, QMenu] = {}
    for row, action in board:
        if row.menu not in parts:
            parts[row.menu] = menu.addMenu(row.menu)
        parts[row.menu].addAction(action)
    return menu

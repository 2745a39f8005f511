"""The main window: rail, page, bottom line with Stop, log, messages and palette. It knows pages only as widgets."""

from collections.abc import Mapping, Set

from PySide6.QtCore import QPoint, Qt, Signal, Slot
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

from app.gui.actions import ACTIONS, FOOT, INNER, PAGES, Action, ActionBoard, find
from app.gui.layouts import Layouts
from app.gui.placement import place_of, put
from app.gui.window_memory import WindowMemory
from widgets.docked_page import DockedPage
from widgets.icons import icon
from widgets.log_view import LogView
from widgets.palette import Offer, Palette
from widgets.panel import follow_tip
from widgets.rail import Rail
from widgets.state_line import StateLine
from widgets.theme import set_state
from widgets.toasts import Toasts

SIZE = (1600, 900)
RECENT = 8  # actions that the palette names first
LAYOUT = "layout:"  # what the palette puts before the name of a kept layout
LOG_ACTIONS = ("log.open", "log.report")
GROUPS = ("arms", "cameras", "worker", "training", "job")


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
        self._recent: list[str] = []
        self._stack = QStackedWidget()
        self._rail = Rail({page: board[f"go.{page}"] for page in PAGES}, FOOT)
        self.state_line = StateLine(GROUPS)
        self.log = LogView([board[id] for id in LOG_ACTIONS])
        self._lay_out()
        self.toasts = Toasts(self, above=self._log_height)
        self._log_dock.visibilityChanged.connect(self.toasts.place)
        self.palette_view = Palette(self._offers, self)
        self.palette_view.chosen.connect(self.choose)
        for _, action in board:
            self.addAction(action)
        self._usual = self._body.saveState()
        self.layouts = Layouts(memory, self._body, self._all_docked())
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
        self._rail.show_page(INNER.get(page, page))
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

    def show_log(self, text: str = "") -> None:
        """Open the log at the newest entry that holds this text."""
        self._log_dock.show()
        self._log_dock.raise_()
        if text:
            self.log.show_last(text)

    @Slot()
    def toggle_fullscreen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    @Slot()
    def reset_layout(self) -> None:
        """Put the panes of this page, and the log, back in their usual places."""
        self._body.restoreState(self._usual)
        for docks in self._docked(self._pages[self._page]):
            docks.reset_layout()

    def _log_height(self) -> int:
        return self._log_dock.height() if self._log_dock.isVisible() else 0

    def usual_layout(self) -> None:
        """Put the panes of every page, and the log, back in their usual places."""
        self._body.restoreState(self._usual)
        for _, docks in self._all_docked():
            docks.reset_layout()

    @Slot(str)
    def choose(self, id: str) -> None:
        """Do an action from the palette: on another page, turn to that page first."""
        if id.startswith(LAYOUT):
            self.layouts.use(id.removeprefix(LAYOUT))
            return
        row = next(row for row in ACTIONS if row.id == id)
        self._recent = [id, *(other for other in self._recent if other != id)][:RECENT]
        if row.page and row.page != self._page:
            self.show_page(row.page)
        if self.board[id].isEnabled():
            self.board.trigger(id)
        else:
            self.toasts.say(f"{row.text.rstrip('…')}: {row.why_not(self._facts) or 'not possible now'}", "warning")

    def closeEvent(self, event: QCloseEvent) -> None:
        self._keep()
        self.closing.emit()
        super().closeEvent(event)

    # layout ----------------------------------------------------------------------------------------------------
    def _lay_out(self) -> None:
        for page in (*PAGES, *INNER):
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
        button, action = QToolButton(), self.board["view.palette"]
        button.setIcon(icon("find", "muted"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setFixedSize(68, 52)
        follow_tip(button, action)
        button.setText(self.board.keys["view.palette"] or "Find")
        action.changed.connect(lambda: button.setText(self.board.keys["view.palette"] or "Find"))
        button.clicked.connect(action.trigger)
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
        place = self._memory.text("place")
        if place and not put(self, place):
            self._memory.drop("place", "it is no place of a window")
        self.layouts.restore()
        known = {row.id for row in ACTIONS}
        self._recent = [id for id in self._memory.text("recent").split() if id in known]
        page = self._memory.text("page", "dream")
        self.show_page(page if page in self._pages else "dream")

    def _keep(self) -> None:
        self._memory.keep_text("place", place_of(self))
        self._memory.keep_text("recent", " ".join(self._recent))
        self.layouts.keep()
        self._memory.keep_text("page", self._page)
        self._memory.save()

    def _all_docked(self) -> list[tuple[str, DockedPage]]:
        return [(name, docks) for name, page in self._pages.items() for docks in self._docked(page)]

    @staticmethod
    def _docked(page: QWidget) -> list[DockedPage]:
        return page.findChildren(DockedPage)

    def _offers(self, words: str) -> list[Offer]:
        """With nothing typed yet, what was done lately comes first."""
        rows = [row for row in find(words) if row.id != "view.palette"]
        if not words.strip():
            rows.sort(key=self._rank)
        offers = [Offer(r.id, r.text, self._where(r), self.board.keys[r.id], r.why_not(self._facts)) for r in rows]
        wanted = words.lower().split()
        kept = [name for name in self.layouts.names if all(w in f"layout {name}".lower() for w in wanted)]
        return offers + [Offer(f"{LAYOUT}{name}", f"Layout: {name}", "kept by you", "") for name in kept]

    def _rank(self, row: Action) -> tuple[int, bool]:
        lately = self._recent.index(row.id) if row.id in self._recent else RECENT
        return lately, bool(row.why_not(self._facts))

    def _where(self, row: Action) -> str:
        place = row.page.capitalize() or row.menu
        return f"{place} · lately" if row.id in self._recent else place


def _menu(board: ActionBoard, parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    parts: dict[str, QMenu] = {}
    for row, action in board:
        if row.menu not in parts:
            parts[row.menu] = menu.addMenu(row.menu)
        parts[row.menu].addAction(action)
    return menu

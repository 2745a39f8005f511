"""Page Settings: everything that a person may set, by section or by words."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from widgets.demo import demo
from widgets.panel import Panel, button, label, scrolled
from widgets.preferences_layouts import LayoutList
from widgets.preferences_row import PreferenceRow
from widgets.preferences_shortcuts import ShortcutEditor
from widgets.preferences_values import PrefRow
from widgets.top_bar import TopBar
from widgets.values import Chip

_SHORTCUTS, _LAYOUTS = "shortcuts", "layouts"
_WIDTH = 1180


class PreferencesPage(QWidget):
    """`changed(name, value)`, `reset_wanted(name)`, `browse_wanted(name)`, `test_wanted(name)`, `restart_wanted()`;
    what `shortcuts` and `layouts` want is theirs to say."""

    changed = Signal(str, object)
    reset_wanted = Signal(str)
    browse_wanted = Signal(str)
    test_wanted = Signal(str)
    restart_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.shortcuts, self.layouts = ShortcutEditor(), LayoutList()
        self._rows: dict[str, PreferenceRow] = {}
        self._groups: dict[str, Panel] = {}
        self.restart = button("Restart now", tip="Close the window and open it again with what waits for it")
        self.restart.clicked.connect(self.restart_wanted)
        self.restart.hide()
        self.bar = TopBar("Settings", [self.restart])
        self.search = QLineEdit(placeholderText="Find a setting")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._show_chosen)
        self._sections = QListWidget()
        self._sections.setObjectName("sections")
        self._sections.setAccessibleName("Sections")
        self._sections.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._sections.currentRowChanged.connect(self._show_chosen)
        self._column = QVBoxLayout()
        self._nothing = label(
            "No setting holds these words. Shortcuts are looked through in their section.", "muted"
        )
        self._views = QStackedLayout()
        for view in (self._scrolled(), _framed("Shortcuts", self.shortcuts), _framed("Layouts", self.layouts)):
            self._views.addWidget(view)
        self._lay_out()

    def show_rows(self, sections: Sequence[tuple[str, str]], rows: Sequence[PrefRow]) -> None:
        """Set up the page once. sections: (name, title) in order; shortcuts and layouts are added by the page."""
        for name, title in sections:
            self._groups[name] = panel = Panel(title)
            self._column.insertWidget(self._column.count() - 1, panel)
            self._add_section(name, title)
        for pref in rows:
            self._rows[pref.name] = made = PreferenceRow(pref)
            made.changed.connect(self.changed)
            made.reset_wanted.connect(self.reset_wanted)
            made.browse_wanted.connect(self.browse_wanted)
            made.test_wanted.connect(self.test_wanted)
            self._groups[pref.section].body.addWidget(made)
        self._add_section(_SHORTCUTS, "Shortcuts")
        self._add_section(_LAYOUTS, "Layouts")
        self._sections.setCurrentRow(0)

    def show_row(self, pref: PrefRow, problem: str = "") -> None:
        """Show one preference as it is now, or why its new value was refused."""
        self._rows[pref.name].show_row(pref, problem)

    def show_waiting(self, number: int) -> None:
        """Say how many preferences wait for a restart."""
        words = f"{number} change{'s' if number > 1 else ''} take{'' if number > 1 else 's'} effect after a restart"
        self.bar.show_title("Settings", [Chip(words, "warning")] if number else [])
        self.restart.setVisible(bool(number))

    def show_section(self, name: str) -> None:
        """Turn to a section."""
        for index in range(self._sections.count()):
            if self._sections.item(index).data(Qt.ItemDataRole.UserRole) == name:
                self._sections.setCurrentRow(index)

    @property
    def shown(self) -> list[str]:
        """Names of the preferences that are shown."""
        return [name for name, made in self._rows.items() if not made.isHidden()]

    def row(self, name: str) -> PreferenceRow:
        return self._rows[name]

    def _add_section(self, name: str, title: str) -> None:
        item = QListWidgetItem(title)
        item.setData(Qt.ItemDataRole.UserRole, name)
        self._sections.addItem(item)

    @Slot()
    def _show_chosen(self) -> None:
        item = self._sections.currentItem()
        section, words = str(item.data(Qt.ItemDataRole.UserRole)) if item else "", self.search.text().strip()
        self.shortcuts.look_for(words if section == _SHORTCUTS else "")
        if section == _LAYOUTS and words:
            self._sections.setCurrentRow(0)  # words are looked for in all rows
            return
        self._views.setCurrentIndex({_SHORTCUTS: 1, _LAYOUTS: 2}.get(section, 0))
        shown = {name for name, made in self._rows.items() if self._wanted(made.pref, section, words)}
        for name, made in self._rows.items():
            made.setVisible(name in shown)
        for name, group in self._groups.items():
            group.setVisible(any(self._rows[row].pref.section == name for row in shown))
        self._nothing.setVisible(not shown)

    @staticmethod
    def _wanted(pref: PrefRow, section: str, words: str) -> bool:
        return pref.holds(words) if words else pref.section == section

    def _scrolled(self) -> QWidget:
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        inner.setLayout(self._column)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(10)
        self._column.addWidget(self._nothing)
        self._column.addStretch(1)
        return scrolled(inner)

    def _lay_out(self) -> None:
        left = QWidget()
        left.setFixedWidth(250)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.search)
        column.addWidget(self._sections, 1)
        body = QHBoxLayout()
        body.setContentsMargins(12, 12, 12, 12)
        body.setSpacing(16)
        body.addWidget(left)
        body.addLayout(self._views, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addLayout(body, 1)


def _framed(title: str, widget: QWidget) -> QWidget:
    panel = Panel(title)
    panel.setMaximumWidth(_WIDTH)
    panel.body.addWidget(widget)
    return panel


def main() -> None:
    """Show one section with one row."""

    def make() -> QWidget:
        page = PreferencesPage()
        theme = PrefRow("theme", "look", "Theme", "Dark or light.", "choice", "dark", "dark", {"dark": "dark"})
        page.show_rows([("look", "Appearance")], [theme])
        return page

    demo(make)


if __name__ == "__main__":
    main()

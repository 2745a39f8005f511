"""Binds page Settings to the settings, and carries out at once what takes effect at once."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QApplication

from app.gui.actions import ACTIONS, ActionBoard
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.key_guard import STOP_TEXT
from app.gui.layouts import Layouts
from app.gui.shortcuts import owner_of, refusal
from app.preferences import Preferences
from app.setting_rows import SETTINGS, SettingRow, Value
from widgets.pages.preferences import PreferencesPage
from widgets.preferences_values import PrefRow, ShortcutRow
from widgets.theme import apply_theme

SECTIONS = {
    "general": "General",
    "appearance": "Appearance",
    "safety": "Limits",
    "devices": "Devices",
    "tracking": "Trackers",
}
_FILTERS = {"rig": "Rig (*.toml)", "ledger": "Ledger (*.sqlite *.db)", "megapose_python": "Program (*)"}


@dataclass(frozen=True)
class Effects:
    """What the window does for a preference: figures() after units changed, test(name) tries a tracker, restart(),
    and usual_layout() for all pages. moving(): whether arms move, when nothing slow may be done here."""

    figures: Callable[[], None]
    test: Callable[[str], None]
    restart: Callable[[], None]
    usual_layout: Callable[[], None]
    moving: Callable[[], bool]


class PreferencesBinder(QuietBinder):
    """The page's rows are the table's; every change is written, shown and carried out here."""

    def __init__(
        self,
        page: PreferencesPage,
        preferences: Preferences,
        board: ActionBoard,
        layouts: Layouts,
        shell: Shell,
        effects: Effects,
    ) -> None:
        super().__init__(page)
        self.page, self._preferences, self._board, self._layouts = page, preferences, board, layouts
        self._shell, self._effects = shell, effects
        self._theme = "dark"
        page.show_rows(list(SECTIONS.items()), [self._row(row) for row in SETTINGS])
        page.changed.connect(self._change)
        page.reset_wanted.connect(self._reset)
        page.browse_wanted.connect(self._browse)
        page.test_wanted.connect(effects.test)
        page.restart_wanted.connect(effects.restart)
        page.shortcuts.keys_tried.connect(self._judge_keys)
        page.shortcuts.keys_wanted.connect(self._take_keys)
        page.shortcuts.usual_wanted.connect(self._usual_keys)
        page.layouts.keep_wanted.connect(self._keep_layout)
        page.layouts.use_wanted.connect(layouts.use)
        page.layouts.remove_wanted.connect(self._remove_layout)
        page.layouts.usual_wanted.connect(effects.usual_layout)
        preferences.on_change(self._changed)
        self._begin()

    def tick(self) -> None:
        """Nothing changes by itself."""

    def close(self) -> None:
        """Every change is on the disk already."""

    def _begin(self) -> None:
        for problem in self._board.set_shortcuts(self._preferences.settings.shortcuts):
            self._shell.say(problem, "warning")
        self._show_shortcuts()
        self.page.layouts.show_layouts(self._layouts.names)
        self._dress()
        self._effects.figures()

    # rows ------------------------------------------------------------------------------------------------------
    def _row(self, row: SettingRow) -> PrefRow:
        return PrefRow(
            name=row.name,
            section=row.section,
            title=row.title,
            about=f"{row.about}{' Takes effect after a restart.' if row.restart else ''}",
            kind=row.kind,
            value=self._preferences.settings.value(row.name),
            default=row.default,
            choices=row.choices,
            low=row.low,
            high=row.high,
            unit=row.unit,
            zero="as the rig says" if row.kind == "number" else "",
            waiting=self._preferences.waits_for_restart(row.name),
            test="Test" if row.name == "megapose_python" else "",
        )

    @Slot(str, object)
    def _change(self, name: str, value: Value) -> None:
        if name == "theme" and self._effects.moving():
            # dressing every widget anew holds the window, and with it the heartbeat of the arms, for too long
            self.page.show_row(self._row(_BY_NAME[name]), "Not while the arms move.")
            return
        try:
            self._preferences.set(name, value)
        except ValueError as error:
            self.page.show_row(self._row(_BY_NAME[name]), str(error))

    @Slot(str)
    def _reset(self, name: str) -> None:
        self._change(name, _BY_NAME[name].default)

    @Slot(str)
    def _browse(self, name: str) -> None:
        title = f"Choose: {_BY_NAME[name].title}"
        folder = _BY_NAME[name].kind == "folder"
        chosen = self._shell.ask_folder(title) if folder else self._shell.ask_file(title, _FILTERS.get(name, "*"))
        if chosen:
            self._change(name, chosen)

    def _changed(self, name: str) -> None:
        if self._preferences.failure:
            self._shell.say(self._preferences.failure, "error")
        if name == "shortcuts":
            self._board.set_shortcuts(self._preferences.settings.shortcuts)
            self._show_shortcuts()
            return
        self.page.show_row(self._row(_BY_NAME[name]))
        self.page.show_waiting(len(self._preferences.waiting))
        if name == "theme":
            self._dress()
        if name in ("length", "angle", "decimal"):
            self._effects.figures()

    def _dress(self) -> None:
        app, theme = QApplication.instance(), self._preferences.settings.theme
        if theme != self._theme and isinstance(app, QApplication):
            self._theme = theme
            apply_theme(app, theme)
            self._show_shortcuts()  # its lines carry their colours

    # shortcuts -------------------------------------------------------------------------------------------------
    def _show_shortcuts(self) -> None:
        keys = self._board.keys
        self.page.shortcuts.show_shortcuts(
            [
                ShortcutRow(
                    row.id,
                    row.text,
                    row.page.capitalize() or row.menu,
                    keys[row.id],
                    row.shortcut,
                    STOP_TEXT if row.guarded else "",
                )
                for row in ACTIONS
            ]
        )

    @Slot(str, str)
    def _judge_keys(self, id: str, keys: str) -> None:
        text = refusal(keys, self._board.usual_keys[id])
        if text:
            self.page.shortcuts.show_verdict(f"Not possible: {text}.", False)
            return
        owner = owner_of(keys, self._board.keys, self._board.pages, besides=id)
        if owner and self._guarded(owner):
            self.page.shortcuts.show_verdict(f"Not possible: {keys} belongs to Stop.", False)
        elif owner:
            words = f"{keys} belongs to “{self._board[owner].text()}”, which will have no keys then."
            self.page.shortcuts.show_verdict(words, True)
        else:
            self.page.shortcuts.show_verdict(f"{keys} is free.", True)

    @Slot(str, str)
    def _take_keys(self, id: str, keys: str) -> None:
        if self._guarded(id) or refusal(keys, self._board.usual_keys[id]):
            return
        owner = owner_of(keys, self._board.keys, self._board.pages, besides=id) if keys else ""
        if owner:
            self._preferences.set_shortcut(owner, "")
        usual = keys == self._board.usual_keys[id]
        self._preferences.set_shortcut(id, None if usual else keys)

    @Slot(str)
    def _usual_keys(self, id: str) -> None:
        for one in [id] if id else list(self._preferences.settings.shortcuts):
            usual = self._board.usual_keys.get(one, "")
            owner = owner_of(usual, self._board.keys, self._board.pages, besides=one)
            if owner:
                self._preferences.set_shortcut(owner, "" if id else None)
            self._preferences.set_shortcut(one, None)

    def _guarded(self, id: str) -> bool:
        return any(row.guarded for row in ACTIONS if row.id == id)

    # layouts ---------------------------------------------------------------------------------------------------
    @Slot(str)
    def _keep_layout(self, name: str) -> None:
        try:
            self._layouts.keep(name)
        except ValueError as error:
            self._shell.say(str(error), "warning")
        self.page.layouts.show_layouts(self._layouts.names)

    @Slot(str)
    def _remove_layout(self, name: str) -> None:
        self._layouts.remove(name)
        self.page.layouts.show_layouts(self._layouts.names)


_BY_NAME = {row.name: row for row in SETTINGS}

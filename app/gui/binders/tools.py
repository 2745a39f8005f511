"""Binds the tool library of page Rig: list, import, form, and the wizards in which the arm touches things."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QImage

from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.tool_sheets import tool_sheet
from app.gui.binders.touching import TouchBinder
from app.gui.program import Program
from app.tools.bench import ToolBench, is_cad
from app.tools.draft import ORIGINS, ToolDraft
from app.tools.fields import FIELDS
from app.tools.library import LibraryEntry, ToolLibrary
from app.worker import Callbacks, Worker
from widgets.pages.rig import RigPage
from widgets.tool_library import THUMBNAIL_PX
from widgets.tool_library import ToolLibrary as LibraryView
from widgets.tool_values import FieldRow, ToolItem, ToolSheet

_FILTER = "Meshes (*.stl *.obj *.ply *.3mf)"
_NEW = "(new)"
TITLE = "Tools"


class ToolsBinder(QuietBinder):
    """Puts the library onto page Rig, and offers its tools to imports. Nothing is changed while an arm moves."""

    offered = Signal(object)

    def __init__(self, page: RigPage, program: Program, shell: Shell) -> None:
        super().__init__(page)
        self.page, self._program, self._shell = page, program, shell
        self.view = view = LibraryView([FieldRow(k, f.title, f.hint) for k, f in FIELDS.items()], ORIGINS)
        page.add_view(TITLE, view)
        self.library = ToolLibrary(program.workspace.root)
        self.bench = ToolBench(self.library)
        self.touching = TouchBinder(view, program, shell, self.bench, self._show)
        self._worker = Worker()
        self._reading: list[str] = []
        self._pictures: dict[str, QImage] = {}
        self._listed = False
        view.chosen.connect(self._choose)
        view.import_wanted.connect(self.ask_import)
        view.dropped.connect(self.read)
        view.duplicate_wanted.connect(self._duplicate)
        view.delete_wanted.connect(self._delete)
        view.trash_wanted.connect(self._ask_trash)
        view.trash_confirmed.connect(self._empty_trash)
        view.form.edited.connect(self._edit)
        view.form.wanted.connect(self._do)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {"tools.show": self._open_view, "tools.import": self.ask_import}

    def tick(self) -> None:
        self._worker.pump()
        if self.view.isVisible():
            if not self._listed:
                self._listed = True
                self._first_look()
            self.touching.tick()

    def close(self) -> None:
        self._worker.close()
        self.view.view.release()

    def _open_view(self) -> None:
        self._shell.go("rig")
        self.page.show_view(TITLE)

    @Slot()
    def offer(self) -> None:
        """Say which tools an import can take: name and file, the workspace's own first."""
        self.offered.emit([(e.name, str(e.path)) for e in self.library.entries() if not e.problem])

    @Slot()
    def ask_import(self) -> None:
        """Ask for a CAD file and read it."""
        self._open_view()
        path = self._shell.ask_file("Import a tool", _FILTER)
        if path:
            self.read([path])

    @Slot(list)
    def read(self, paths: list[str]) -> None:
        """Read CAD files in the worker, one after the other; the last one stays open, unsaved."""
        wrong = [path for path in paths if not is_cad(path)]
        if wrong:
            self._shell.say(f"{Path(wrong[0]).name}: not a mesh; valid: STL, OBJ, PLY or 3MF", "warning")
        self._reading += [path for path in paths if is_cad(path)]
        self._next()

    def _next(self) -> None:
        if self._worker.busy or not self._reading:
            return
        if not self._save_first():
            self._reading.clear()
            return
        path = self._reading.pop(0)
        self.view.show_problem("")
        self._shell.say(f"Reading {Path(path).name}", "info")
        callbacks = Callbacks(self._read, self._failed, lambda _share, _text: None)
        self._worker.submit("app.tools.jobs:read_tool", path, callbacks=callbacks)

    def _read(self, draft: ToolDraft) -> None:
        self.bench.take(draft)
        self.view.show_touch(False)
        self._show()
        self._next()

    def _failed(self, reason: str) -> None:
        if reason != "cancelled":
            self.view.show_problem(reason.removeprefix("ValueError: ").removeprefix("FileNotFoundError: "))
        self._next()

    def _first_look(self) -> None:
        entries = self.library.entries()
        usable = [entry for entry in entries if not entry.problem]
        if self.bench.draft is None and usable:
            self._try(partial(self.bench.open, usable[0].name))
        self._show()

    @Slot(str)
    def _choose(self, name: str) -> None:
        if name == _NEW:
            return
        if self.bench.name != name and not self._save_first():
            return
        entry = next((entry for entry in self.library.entries() if entry.name == name), None)
        if entry is not None and entry.problem:
            self.bench.close()
            self.view.show_problem(entry.problem)
            self._show(entry.name)
            return
        self.view.show_touch(False)
        self._try(partial(self.bench.open, name))

    def _save_first(self) -> bool:
        """Save what was worked on before another tool takes its place; False where it cannot be, and it stays."""
        if self.bench.draft is None or not self.bench.unsaved:
            return True
        name, wrong = self.bench.draft.tool.name, self.bench.problems
        if wrong:
            self._show()
            self.view.show_problem(
                f"{name}: put {', '.join(wrong)} right, or undo it, before another tool is chosen"
            )
            return False
        if self._try(self.bench.save):
            self._shell.say(f"{name} was saved; Ctrl+Z takes it back", "info")
            return True
        return False

    @Slot(str)
    def _duplicate(self, name: str) -> None:
        if not self._save_first():
            return
        self._try(lambda: self.bench.open(self.library.duplicate(self.bench.name if name == _NEW else name)))

    @Slot(str)
    def _delete(self, name: str) -> None:
        if name == _NEW:
            self.bench.close()
            self._first_look()
            return
        users = self.library.users(name)
        if self._try(lambda: self.library.delete(name)):
            kept = f"; {', '.join(users)} keep their own copy" if users else ""
            self._shell.say(f"{name} is in the trash, Ctrl+Z brings it back{kept}", "info")
            self.bench.close()
            self._first_look()

    @Slot()
    def _ask_trash(self) -> None:
        count = self.library.in_trash
        if not count:
            self._shell.say("The trash is empty", "info")
            return
        what = "1 deleted or replaced tool" if count == 1 else f"{count} deleted or replaced tools"
        self.view.show_trash(f"{what}: gone for good, but for what a dream was made with. Undo ends here.")

    @Slot()
    def _empty_trash(self) -> None:
        self.view.show_trash("")
        try:
            gone, kept = self.library.empty_trash()
        except (ValueError, OSError) as error:
            self.view.show_problem(str(error))
            return
        left = f"; {len(kept)} kept, since dreams were made with them" if kept else ""
        self._shell.say(f"{gone} deleted for good{left}", "info")
        self._show()

    @Slot(dict)
    def _edit(self, texts: dict[str, str]) -> None:
        if not self._program.moving:
            self._try(partial(self.bench.edit, texts))

    @Slot(str, object)
    def _do(self, what: str, value: object) -> None:
        if self._program.moving:
            self._shell.say("Not while an arm moves", "warning")
            return
        if what == "touch_tip":
            self.touching.begin("tip")
            return
        if what == "save":
            self.view.form.give()
        actions: dict[str, Callable[[], object]] = {
            "save": self.bench.save, "undo": self.bench.undo, "redo": self.bench.redo,
        }  # fmt: skip
        if what == "save" and (self.bench.problems or not self.bench.unsaved):
            return
        self._try(lambda: actions[what]() if what in actions else self.bench.change(what, value))
        if self.bench.said:
            self._shell.say(self.bench.said, "info")

    def _try(self, action: Callable[[], object]) -> bool:
        """Do it and show what came of it; what went wrong is said above the picture."""
        self.view.show_problem("")
        try:
            action()
        except (ValueError, OSError) as error:
            self.view.show_problem(str(error))
            self._show()
            return False
        self._show()
        return True

    def _show(self, chosen: str = "") -> None:
        bench = self.bench
        items = [self._item(entry) for entry in self.library.entries()]
        if bench.draft is not None and not bench.name:
            items.insert(0, ToolItem(_NEW, f"{bench.draft.tool.name}, not saved"))
            chosen = _NEW
        self.view.show_tools(items, chosen or bench.name)
        tool = bench.draft.tool if bench.draft is not None else None
        sheet = tool_sheet(bench) if bench.draft is not None else ToolSheet({}, locked=" ")
        self.view.show_tool(tool, sheet)

    def _item(self, entry: LibraryEntry) -> ToolItem:
        key = f"{entry.name} {entry.version}"
        if key not in self._pictures and not entry.problem:
            try:
                self._pictures[key] = self.view.view.picture(self.library.load(entry.name), THUMBNAIL_PX)
            except (ValueError, OSError) as error:
                return ToolItem(entry.name, "", str(error))
        note = "built in" if entry.built_in else f"version {entry.version[:6]}"
        return ToolItem(entry.name, note, entry.problem, self._pictures.get(key))

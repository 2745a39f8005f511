"""Binds page Demos to the dataset desk: table, cuts, labels, bulk edits, undo; the rest of the page has parts."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot

from app.datasets.desk import DatasetDesk
from app.datasets.exchange_desk import ExchangeDesk
from app.datasets.filter import Order
from app.datasets.library import DatasetError
from app.datasets.thumbnails import Thumbnails
from app.datasets.tracking import DemoTracking, tracked_tools
from app.datasets.wishes import Delete, Label, LabelChange, Merge, Restore, SetMarks, Split, Success, Trim, Wish
from app.gui.binders import demos_facts
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.demos_brush import DemosBrush
from app.gui.binders.demos_corrections import DemosCorrections
from app.gui.binders.demos_exchange import DemosExchange
from app.gui.binders.demos_playing import DemosPlaying
from app.gui.binders.demos_tracking import DemosTracking
from app.gui.binders.demos_trash import DemosTrash
from app.jobs.desk import JobsDesk
from app.tools.library import ToolLibrary
from hardware.types import Image
from models.data.annotations import Mark
from models.data.dataset_index import DemoKey, DemoRow
from widgets.demos_values import LabelEdit, Labels
from widgets.pages.demos import DemosPage, Seen
from widgets.values import BusyState, Chip
from widgets.views.timeline_layout import frame_at

BUSY_S = 0.4  # what takes longer is said
NEAR_S = 0.1  # a mark so near is taken away instead of a second one being set


class _Pictures:
    """The table's small pictures, by the keys that the table knows."""

    def __init__(self, desk: DatasetDesk) -> None:
        self._desk, self._made = desk, Thumbnails()

    @property
    def version(self) -> int:
        return self._made.version

    def thumbnail(self, key: DemoKey) -> Image | None:
        try:
            return self._made.get(self._desk.row(key))
        except DatasetError:
            return None

    def close(self) -> None:
        self._made.close()


class DemosBinder(QuietBinder):
    """Nothing of the demos is kept here but what only the eye needs: what was shown of them."""

    def __init__(
        self,
        page: DemosPage,
        desk: DatasetDesk,
        recordings: Path,
        shell: Shell,
        tracking: DemoTracking,
        library: ToolLibrary,
        exchange: ExchangeDesk,
        jobs: JobsDesk,
    ) -> None:
        """recordings: what is opened when the page is first turned to; library: of the tools that are tracked."""
        super().__init__(page)
        self.page, self._desk, self._recordings, self._shell = page, desk, recordings, shell
        self._pictures: _Pictures | None = None
        self._labels = Labels()
        self.playing = DemosPlaying(page, desk, self._row, partial(tracked_tools, library=library), self._came)
        self._tracking = DemosTracking(tracking, jobs, library, shell, self._tracked, self._other_tracks)
        see, leave = partial(self._see, "exchange"), partial(self._see, "pictures")
        self._exchange = DemosExchange(page, desk, exchange, recordings, shell, see, leave)
        self._trash = DemosTrash(page.trash, desk, shell, leave)
        self._corrections = DemosCorrections(
            page, desk, self.playing, self._tracking, shell, self._row, partial(self._take_up, correct=True)
        )
        self._brush = DemosBrush(page, desk, self.playing, shell, self._row)
        self._busy: BusyState | None = None
        self._busy_since = 0.0
        self._cancel_busy: Callable[[], None] = lambda: None
        self._forget = desk.on_change(self._changed)
        page.query_changed.connect(desk.look_for)
        page.table.sort_wanted.connect(self._sort)
        page.table.picked.connect(self._picked)
        page.table.chosen_changed.connect(self._show_labels)
        page.labels.edited.connect(self._label)
        page.preview.accepted.connect(self._accept)
        page.preview.refused.connect(self._refuse)
        page.timeline.trim_changed.connect(self._trim)
        page.statistics.query_picked.connect(page.show_query)
        page.statistics.demo_picked.connect(page.table.show_key)
        page.busy.cancel_wanted.connect(self._cancel)
        page.masks.closed.connect(self._end_modes)
        page.given_up.connect(self._end_modes)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        page, play = self.page, self.page.playback
        said: Mapping[str, Success] = {"success": "yes", "failure": "no", "unjudged": "unknown"}
        judge = {f"demos.{name}": partial(self._change, LabelChange(success=word)) for name, word in said.items()}
        return {
            **judge,
            **self._corrections.handlers(),
            "demos.correct": lambda: self._take_up(correct=not self._corrections.on),
            "demos.brush": lambda: self._take_up(brush=not self._brush.on),
            "demos.open": self._open,
            "demos.export": lambda: self._exchange.open("export"),
            "demos.import": lambda: self._exchange.open("import"),
            "demos.trash": partial(self._turn, "trash"),
            "demos.down": lambda: page.table.step(1),
            "demos.up": lambda: page.table.step(-1),
            "demos.all": page.table.selectAll,
            "demos.filter": page.write_filter,
            "demos.play": play.toggle,
            "demos.first": play.to_start,
            "demos.last": play.to_end,
            "demos.loop": lambda: play.set_loop(not play.loop),
            "demos.slower": partial(self._slower_or_smaller, -1),
            "demos.faster": partial(self._slower_or_smaller, 1),
            "demos.trim_start": lambda: self._trim_here(start=True),
            "demos.trim_end": lambda: self._trim_here(start=False),
            "demos.split": lambda: self._edit(lambda row: Split(row.key, play.time)),
            "demos.merge": lambda: self._edit(lambda row: Merge(row.key)),
            "demos.mark": self._mark,
            "demos.delete": lambda: self._bulk(Delete(page.table.chosen)),
            "demos.as_recorded": lambda: self._bulk(Restore(page.table.chosen)),
            "demos.tags": partial(self._write, page.labels.write_tags),
            "demos.instruction": partial(self._write, page.labels.write_instruction),
            "demos.undo": self._undo,
            "demos.redo": lambda: self._brush.redo() if self._brush.on else self._try(self._desk.redo),
            "demos.statistics": partial(self._turn, "statistics"),
            "demos.track": self._track,
        }

    def facts(self) -> set[str]:
        desk, row, overlays = self._desk, self._row(), self.playing.overlays
        held = {
            "demos": bool(desk.rows),
            "demos_open": desk.folder is not None,
            "demo": row is not None and row.usable,
            "demo_parts": row is not None and row.pieces > 1,
            "demo_undo": self._brush.can_undo if self._brush.on else bool(desk.undo_text),
            "demo_redo": self._brush.can_redo if self._brush.on else bool(desk.redo_text),
            "demo_tracked": row is not None and row.tracked and overlays is not None and overlays.tracked,
            "demo_correcting": self._corrections.poses.ready,
            "demo_work": desk.work is not None,
        }
        return {name for name, holds in held.items() if holds}

    def tick(self) -> None:
        self._desk.pump()
        self._tracking.pump()
        self._exchange.pump()
        self.playing.drop()
        if self.page.isVisible():
            self.playing.tick()
            self._corrections.poses.tick()
            self._show_busy()

    def close(self) -> None:
        self._forget()
        self._tracking.close()
        self._exchange.close()
        self.playing.close()
        self.page.table.set_source(None)
        if self._pictures is not None:
            self._pictures.close()

    @Slot()
    def turned_to(self) -> None:
        """The page is shown: read what is there now."""
        if self._pictures is None:
            self._pictures = _Pictures(self._desk)
            self.page.table.set_source(self._pictures)
        if self._desk.folder is not None:
            self._desk.look_again()
        elif self._recordings.is_dir() and any(self._recordings.iterdir()):
            self._desk.open(self._recordings)
        self._exchange.tell()
        self.page.table.setFocus()

    @property
    def busy(self) -> BusyState | None:
        """What goes on in the background."""
        return self._busy

    # what a person wants ---------------------------------------------------------------------------------------
    def _open(self) -> None:
        folder = self._shell.ask_folder("A session, or a folder of sessions")
        if folder:
            self._desk.open(Path(folder))

    def _row(self) -> DemoRow | None:
        key = self.page.table.current
        try:
            return self._desk.row(key) if key is not None else None
        except DatasetError:
            return None

    def _edit(self, wish: Callable[[DemoRow], Wish]) -> None:
        """Edit the demo that is looked at, at once."""
        row = self._row()
        if row is not None:
            self._try(lambda: self._desk.edit(wish(row)))

    def _bulk(self, wish: Delete | Restore | Label) -> None:
        """Edit the chosen demos: one at once, several after a look at what would change."""
        if len(wish.keys) == 1:
            self._try(lambda: self._desk.edit(wish))
        elif wish.keys:
            self._try(lambda: self._desk.propose(wish))

    def _change(self, change: LabelChange) -> None:
        self._bulk(Label(self.page.table.chosen, change))

    @Slot(object)
    def _label(self, edit: LabelEdit) -> None:
        try:
            change = LabelChange(**vars(edit))
        except ValueError as error:
            self._shell.say(str(error), "warning")
            self._show_labels()
            return
        self._change(change)
        self.page.table.setFocus()

    @Slot()
    def _accept(self) -> None:
        self._try(self._desk.accept)
        self.page.table.setFocus()

    @Slot()
    def _refuse(self) -> None:
        self._desk.refuse()
        self.page.table.setFocus()

    @Slot(int, int)
    def _trim(self, first: int, last: int) -> None:
        curves, piece = self.playing.curves, self.playing.piece
        if curves is not None and piece is not None:
            cut = demos_facts.cut_of(first, last, curves.picture_times, piece)
            self._edit(lambda row: Trim(row.key, *cut))

    def _trim_here(self, start: bool) -> None:
        curves, piece = self.playing.curves, self.playing.piece
        if curves is not None and piece is not None and len(curves.picture_times):
            here = frame_at(curves.picture_times, self.page.playback.time)
            first, last = demos_facts.frames_of(piece, curves.picture_times)
            self._trim(*((here, last) if start else (first, here)))

    def _mark(self) -> None:
        t, marks = self.page.playback.time, self.playing.annotation.marks
        others = tuple(mark for mark in marks if abs(mark.t - t) > NEAR_S)
        now = others if len(others) < len(marks) else tuple(sorted((*marks, Mark(t)), key=lambda mark: mark.t))
        self._edit(lambda row: SetMarks(row.key, now))

    def _take_up(self, correct: bool = False, brush: bool = False) -> None:
        """Correct the track, or paint masks, or neither."""
        if self._brush.on != brush:
            self._brush.show(brush)
        if self._corrections.on != correct:
            self._corrections.show(correct)
        if correct or brush:
            self._see("pictures")

    def _undo(self) -> None:
        if self._brush.on:
            self._brush.undo()
        elif not self._corrections.poses.take_back():
            self._try(self._desk.undo)

    def _write(self, begin: Callable[[], None]) -> None:
        """Put the cursor into the labels."""
        self._take_up()
        begin()

    @Slot()
    def _end_modes(self) -> None:
        self._take_up()
        self.page.table.setFocus()

    def _slower_or_smaller(self, notches: int) -> None:
        """The brush while it is taken up, else the speed."""
        if self._brush.on:
            self.page.masks.change_radius(notches)
        else:
            self.page.transport.change_speed(notches)

    def _turn(self, seen: Seen) -> None:
        """Show it, or the pictures where it is shown already."""
        self._see("pictures" if self.page.seen == seen else seen)

    def _see(self, seen: Seen) -> None:
        if self.page.seen == "exchange" and seen != "exchange":
            self._exchange.left()
        self.page.show_seen(seen)
        self._desk.watch_trash(seen == "trash")
        if seen == "trash":
            self.page.trash.setFocus()
        elif seen == "statistics":
            self._show_statistics()
            self._desk.look_into()
        elif seen == "pictures":
            self.page.table.setFocus()

    @Slot(str, bool)
    def _sort(self, column: str, descending: bool) -> None:
        self._desk.sort(Order(column, descending))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (DatasetError, ValueError) as error:
            self._shell.say(str(error), "warning")
            self._show_labels()

    def _track(self) -> None:
        rows = (self._desk.row(key) for key in self.page.table.chosen)
        self._try(lambda: self._tracking.track([row.folder for row in rows if row.usable]))

    @Slot()
    def _cancel(self) -> None:
        """Of what the strip shows; edits cannot be left half done."""
        self._cancel_busy()

    # what happened ---------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        desk = self._desk
        if topic == "rows":
            lines = demos_facts.Lines(desk.shown)
            self.page.show_lines(lines, lines.keys, len(desk.rows), desk.problem)
            self._show_title()
            self._show_labels()
            self.playing.refresh()
            self._corrections.refresh()
            if self.page.statistics_shown:
                self._desk.look_into()
        elif topic == "message":
            self._shell.say(desk.message, desk.mood)
            self._labels = Labels()
            self._show_labels()
        elif topic == "proposal":
            self.page.show_preview(demos_facts.preview(desk.proposal) if desk.proposal is not None else None)
        elif topic == "looks" and desk.looking is None and self.page.statistics_shown:
            self._show_statistics()
        elif topic == "trash":
            self._trash.show()

    @Slot(object)
    def _picked(self, _key: object) -> None:
        """Another demo is looked at."""
        self.playing.want()

    def _came(self) -> None:
        """More of the demo that is looked at is there."""
        self._corrections.refresh()
        self._brush.refresh()

    @Slot()
    def _show_labels(self) -> None:
        rows = []
        for key in self.page.table.chosen:
            try:
                rows.append(self._desk.row(key))
            except DatasetError:
                continue
        self.page.show_trouble(next((row.problem for row in rows if row.problem), ""))
        labels = demos_facts.labels_of(rows, self._desk.rows)
        if labels != self._labels:
            self._labels = labels
            self.page.show_labels(labels)

    def _tracked(self, episode: Path) -> None:
        self._desk.read_again(episode)
        self.playing.read_again(episode)

    def _other_tracks(self) -> None:
        """A job ended: read whatever it tracked."""
        self._desk.look_again()
        if self.playing.folder is not None:
            self.playing.read_again(self.playing.folder)

    def _show_title(self) -> None:
        desk = self._desk
        folder = desk.folder
        chips = [Chip(f"{len(desk.rows)} demos")] if desk.rows else []
        damaged = sum(bool(row.problem) for row in desk.rows)
        chips += [Chip(f"{damaged} damaged", "alarm", "Filter: damaged:yes")] if damaged else []
        chips += [Chip(folder.name, tip=str(folder))] if folder is not None else []
        self.page.show_title("Demos", chips)

    def _show_busy(self) -> None:
        busy, self._cancel_busy = self._at_work()
        self._busy_since = self._busy_since or time.monotonic() if busy is not None else 0.0
        if time.monotonic() - self._busy_since < BUSY_S:
            busy = None  # most edits are done before a strip could be read
        if busy != self._busy:
            self._busy = busy
            self.page.show_busy(busy)

    def _at_work(self) -> tuple[BusyState | None, Callable[[], None]]:
        """What the strip shows, and what its Cancel gives up: a long edit first, then what takes longest."""
        work = self._desk.work or self._desk.looking
        parts = ((self._exchange.busy, self._exchange.cancel), (self._tracking.busy, self._tracking.cancel))
        busy, cancel = next((part for part in parts if part[0] is not None), (None, self._desk.end_look))
        if work is None or (busy is not None and work.of <= 1):
            return busy, cancel
        done = work.done / work.of if work.of else -1.0
        return BusyState(work.text, done, can_cancel=self._desk.work is None), self._desk.end_look

    def _show_statistics(self) -> None:
        desk = self._desk
        self.page.show_statistics(demos_facts.statistics(desk.shown, desk.looks, desk.twins, desk.scenes))

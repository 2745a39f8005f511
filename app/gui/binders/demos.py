"""Binds page Demos to the dataset desk: table, playback, cuts, labels, bulk edits, undo, statistics."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot

from app.dataset import DatasetError
from app.dataset_desk import DatasetDesk
from app.dataset_filter import Order
from app.dataset_player import EpisodePlayer
from app.dataset_thumbnails import Thumbnails
from app.dataset_wishes import Delete, Label, LabelChange, Merge, Restore, SetMarks, Split, Success, Trim, Wish
from app.demo_tracking import DemoTracking
from app.gui.binders import demos_facts
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.demos_overlays import DemoOverlays
from app.gui.binders.demos_tracking import DemosTracking
from app.tool_library import ToolLibrary
from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, read_note
from hardware.types import Image
from models.data.annotations import AS_RECORDED, Annotation, Mark, Piece
from models.data.dataset_index import DemoKey, DemoRow
from models.data.errors import DreamFileError
from widgets.demos_values import LabelEdit, Labels
from widgets.pages.demos import DemosPage
from widgets.values import BusyState, Chip
from widgets.views.timeline_layout import frame_at

REST_S = 0.12  # a row that the choice rests on so long is played; one that is only passed is not
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
    """Nothing of the demos is kept here but what only the eye needs: the episode that plays, what was shown of it.

    Read: `problem`, why the demo that is looked at does not play.
    """

    def __init__(
        self,
        page: DemosPage,
        desk: DatasetDesk,
        recordings: Path,
        shell: Shell,
        tracking: DemoTracking,
        library: ToolLibrary,
    ) -> None:
        """recordings: what is opened when the page is first turned to; library: of the tools that are tracked."""
        super().__init__(page)
        self.page, self._desk, self._recordings, self._shell = page, desk, recordings, shell
        self._pictures: _Pictures | None = None
        self._player: EpisodePlayer | None = None
        self._leaving: list[EpisodePlayer] = []
        self._playing: tuple[Path, EpisodeNote] | None = None
        self.problem = ""
        self._annotation, self._seen = AS_RECORDED, -1
        self._has_views = self._has_curves = self._has_film = False
        self._wanted: float | None = None
        self._labels = Labels()
        self._overlays: DemoOverlays | None = None
        self._tracking = DemosTracking(tracking, library, shell, self._tracked)
        self._busy: BusyState | None = None
        self._busy_since = 0.0
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
        page.playback.time_changed.connect(self._show_overlays)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        page, play = self.page, self.page.playback
        said: Mapping[str, Success] = {"success": "yes", "failure": "no", "unjudged": "unknown"}
        judge = {f"demos.{name}": partial(self._change, LabelChange(success=word)) for name, word in said.items()}
        return judge | {
            "demos.open": self._open,
            "demos.down": lambda: page.table.step(1),
            "demos.up": lambda: page.table.step(-1),
            "demos.all": page.table.selectAll,
            "demos.filter": page.write_filter,
            "demos.play": play.toggle,
            "demos.next": lambda: play.step(1),
            "demos.previous": lambda: play.step(-1),
            "demos.first": play.to_start,
            "demos.last": play.to_end,
            "demos.loop": lambda: play.set_loop(not play.loop),
            "demos.slower": lambda: page.transport.change_speed(-1),
            "demos.faster": lambda: page.transport.change_speed(1),
            "demos.trim_start": lambda: self._trim_here(start=True),
            "demos.trim_end": lambda: self._trim_here(start=False),
            "demos.split": lambda: self._edit(lambda row: Split(row.key, play.time)),
            "demos.merge": lambda: self._edit(lambda row: Merge(row.key)),
            "demos.mark": self._mark,
            "demos.delete": lambda: self._bulk(Delete(page.table.chosen)),
            "demos.as_recorded": lambda: self._bulk(Restore(page.table.chosen)),
            "demos.tags": page.labels.write_tags,
            "demos.instruction": page.labels.write_instruction,
            "demos.undo": lambda: self._try(self._desk.undo),
            "demos.redo": lambda: self._try(self._desk.redo),
            "demos.statistics": self._turn_statistics,
            "demos.track": self._track,
        }

    def facts(self) -> set[str]:
        desk, row = self._desk, self._row()
        held = {
            "demos": bool(desk.rows),
            "demo": row is not None and row.usable,
            "demo_parts": row is not None and row.pieces > 1,
            "demo_undo": bool(desk.undo_text),
            "demo_redo": bool(desk.redo_text),
            "demo_work": desk.work is not None,
        }
        return {name for name, holds in held.items() if holds}

    def tick(self) -> None:
        self._desk.pump()
        self._tracking.pump()
        self._leaving = [player for player in self._leaving if not player.ended]
        if not self.page.isVisible():
            return
        if self._wanted is not None and time.monotonic() >= self._wanted:
            self._wanted = None
            self._play()
        self._show_what_came()
        self._show_busy()

    def close(self) -> None:
        self._forget()
        self.page.playback.pause()
        self.page.show_source(None)
        self.page.table.set_source(None)
        for player in (self._player, *self._leaving):
            if player is not None:
                player.close()
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
        self.page.table.setFocus()

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
        curves, piece = self._player.curves if self._player is not None else None, self._piece()
        if curves is not None and piece is not None:
            cut = demos_facts.cut_of(first, last, curves.picture_times, piece)
            self._edit(lambda row: Trim(row.key, *cut))

    def _trim_here(self, start: bool) -> None:
        curves, piece = self._player.curves if self._player is not None else None, self._piece()
        if curves is not None and piece is not None and len(curves.picture_times):
            here = frame_at(curves.picture_times, self.page.playback.time)
            first, last = demos_facts.frames_of(piece, curves.picture_times)
            self._trim(*((here, last) if start else (first, here)))

    def _mark(self) -> None:
        t, marks = self.page.playback.time, self._annotation.marks
        others = tuple(mark for mark in marks if abs(mark.t - t) > NEAR_S)
        now = others if len(others) < len(marks) else tuple(sorted((*marks, Mark(t)), key=lambda mark: mark.t))
        self._edit(lambda row: SetMarks(row.key, now))

    def _turn_statistics(self) -> None:
        if self.page.turn_statistics():
            self._show_statistics()
            self._desk.look_into()

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
        """Of what goes on in the background: edits cannot be left half done."""
        self._tracking.cancel()
        self._desk.end_look()

    # what happened ---------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        desk = self._desk
        if topic == "rows":
            lines = demos_facts.Lines(desk.shown)
            self.page.show_lines(lines, lines.keys, len(desk.rows), desk.problem)
            self._show_title()
            self._show_labels()
            self._refresh_annotation()
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

    @Slot(object)
    def _picked(self, _key: object) -> None:
        """Another demo is looked at: it is played once the choice rests on it."""
        self._wanted = time.monotonic() + REST_S

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
        if self._playing is not None and self._playing[0] == episode:
            self._leave("")
            self._wanted = time.monotonic()

    def _show_title(self) -> None:
        desk = self._desk
        folder = desk.folder
        chips = [Chip(f"{len(desk.rows)} demos")] if desk.rows else []
        damaged = sum(bool(row.problem) for row in desk.rows)
        chips += [Chip(f"{damaged} damaged", "alarm", "Filter: damaged:yes")] if damaged else []
        chips += [Chip(folder.name, tip=str(folder))] if folder is not None else []
        self.page.show_title("Demos", chips)

    def _show_busy(self) -> None:
        work = self._desk.work or self._desk.looking
        busy = self._tracking.busy
        if work is not None and (busy is None or work.of > 1):
            done = work.done / work.of if work.of else -1.0
            busy = BusyState(work.text, done, can_cancel=self._desk.work is None)
        self._busy_since = self._busy_since or time.monotonic() if busy is not None else 0.0
        if time.monotonic() - self._busy_since < BUSY_S:
            busy = None  # most edits are done before a strip could be read
        if busy != self._busy:
            self._busy = busy
            self.page.show_busy(busy)

    def _show_statistics(self) -> None:
        desk = self._desk
        self.page.show_statistics(demos_facts.statistics(desk.shown, desk.looks, desk.twins))

    # playing ---------------------------------------------------------------------------------------------------
    def _play(self) -> None:
        """Play the demo that is looked at; another piece of the same episode goes on with what is read already."""
        row = self._row()
        if row is None:
            self._leave("")
            return
        if self._playing is not None and self._playing[0] == row.folder:
            self._refresh_annotation()
            self.page.playback.seek(row.start)
            return
        self._leave("")
        try:
            note = read_note(row.folder / NOTE)
        except EpisodeFileError as error:
            self._leave(str(error))
            return
        self._playing, self._player = (row.folder, note), EpisodePlayer(row.folder, note)
        self._seen = -1
        self._has_views = self._has_curves = self._has_film = False
        self.page.playback.set_range(0.0, max(note.duration_s, 0.001))
        self.page.playback.seek(row.start)
        self.page.show_timeline(None, "Reading the recording")

    @property
    def busy(self) -> BusyState | None:
        """What goes on in the background."""
        return self._busy

    @property
    def ready(self) -> bool:
        """Whether the demo that is looked at is there with its curves."""
        row = self._row()
        here = row is not None and self._playing is not None and self._playing[0] == row.folder
        return here and self._has_curves and self._wanted is None

    @property
    def filmed(self) -> bool:
        """Whether its filmstrip is there too."""
        return self._has_film

    def _leave(self, why: str) -> None:
        self.problem = why
        self.page.playback.pause()
        self.page.show_source(None, why)
        self.page.show_film(None)
        self.page.show_timeline(None, why)
        if self._player is not None:
            self._player.end()
            self._leaving.append(self._player)
        self._player = self._playing = self._overlays = None

    def _show_what_came(self) -> None:
        player = self._player
        if player is None or player.version == self._seen:
            return
        self._seen = player.version
        if player.problem:
            self._leave(player.problem)
            return
        if player.cameras and not self._has_views:
            self._has_views = True
            self.page.show_views(player.cameras)
            self.page.show_source(player)
        self.page.show_pictures()
        if player.film is not None and not self._has_film:
            self._has_film = True
            self.page.show_film(player.film)
        if player.curves is not None and not self._has_curves:
            self._has_curves = True
            self._overlays = DemoOverlays(player.curves)
            self._refresh_annotation()
            self._show_overlays(self.page.playback.time)

    @Slot(float)
    def _show_overlays(self, t: float) -> None:
        if self._overlays is not None:
            for view, video in self.page.videos.items():
                video.show_overlays(self._overlays.at(view, t))

    def _piece(self) -> Piece | None:
        row = self._row()
        pieces = {piece.key: piece for piece in self._annotation.pieces}
        return pieces.get(row.piece) if row is not None else None

    def _refresh_annotation(self) -> None:
        """Show the cut of the demo that is looked at as it is now."""
        row, player = self._row(), self._player
        if row is None or player is None or self._playing is None or self._playing[0] != row.folder:
            return
        self._annotation = self._read_annotation(row)
        piece = self._piece()
        if player.curves is None or piece is None:
            return
        note = self._playing[1]
        data = demos_facts.timeline(player.curves, note.duration_s, self._annotation, piece, note.verdicts)
        self.page.show_timeline(data, "This recording holds no pictures")

    def _read_annotation(self, row: DemoRow) -> Annotation:
        try:
            return self._desk.annotation(row.key)
        except (DreamFileError, DatasetError):
            return AS_RECORDED

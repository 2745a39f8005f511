"""The demo that is looked at: its player, what was shown of it, the cut on its timeline."""

import time
from collections.abc import Callable
from pathlib import Path

from app.datasets.desk import DatasetDesk
from app.datasets.library import DatasetError
from app.datasets.player import EpisodeCurves, EpisodePlayer, ToolsOf
from app.gui.binders import demos_facts
from app.gui.binders.demos_overlays import DemoOverlays
from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, read_note
from models.data.annotations import AS_RECORDED, Annotation, Piece
from models.data.dataset_index import DemoRow
from models.data.errors import DreamFileError
from widgets.pages.demos import DemosPage

REST_S = 0.12  # a row that the choice rests on so long is played; one that is only passed is not


class DemosPlaying:
    """A part of the demos' binder. row(): the demo that is looked at; tools(track): what it is a track of; came():
    called when more of it is there.

    Read: `problem`, why it does not play; `annotation` of its episode; `overlays`, None while nothing is tracked.
    """

    def __init__(
        self,
        page: DemosPage,
        desk: DatasetDesk,
        row: Callable[[], DemoRow | None],
        tools: ToolsOf,
        came: Callable[[], None],
    ) -> None:
        self._page, self._desk, self._row, self._tools, self._came = page, desk, row, tools, came
        self._player: EpisodePlayer | None = None
        self._leaving: list[EpisodePlayer] = []
        self._playing: tuple[Path, EpisodeNote] | None = None
        self._seen = -1
        self._has_views = self._has_film = False
        self._curves: EpisodeCurves | None = None
        self._wanted: float | None = None
        self.problem = ""
        self.annotation: Annotation = AS_RECORDED
        self.overlays: DemoOverlays | None = None
        page.playback.time_changed.connect(self.show_overlays)

    def want(self, at_once: bool = False) -> None:
        """Play the demo that is looked at, once the choice rests on it."""
        self._wanted = time.monotonic() + (0.0 if at_once else REST_S)

    def tick(self) -> None:
        """Show what was read since."""
        if self._wanted is not None and time.monotonic() >= self._wanted:
            self._wanted = None
            self._play()
        self._show_what_came()

    def drop(self) -> None:
        """Forget players that have ended."""
        self._leaving = [player for player in self._leaving if not player.ended]

    def close(self) -> None:
        self._page.playback.pause()
        self._page.show_source(None)
        for player in (self._player, *self._leaving):
            if player is not None:
                player.close()

    def read_again(self, episode: Path) -> None:
        """What lies beside an episode has changed: its track."""
        if self._player is not None and self.folder == episode:
            self._player.read_again()

    @property
    def folder(self) -> Path | None:
        """The episode that plays."""
        return self._playing[0] if self._playing is not None else None

    @property
    def curves(self) -> EpisodeCurves | None:
        return self._curves

    @property
    def ready(self) -> bool:
        """Whether the demo that is looked at is there with its curves."""
        row = self._row()
        here = row is not None and self.folder == row.folder
        return here and self._curves is not None and self._wanted is None

    @property
    def filmed(self) -> bool:
        """Whether its filmstrip is there too."""
        return self._has_film

    @property
    def piece(self) -> Piece | None:
        """The cut of the demo that is looked at."""
        row = self._row()
        pieces = {piece.key: piece for piece in self.annotation.pieces}
        return pieces.get(row.piece) if row is not None else None

    def refresh(self) -> None:
        """Show the cut of the demo that is looked at as it is now."""
        row = self._row()
        if row is None or self._playing is None or self.folder != row.folder:
            return
        self.annotation = self._read_annotation(row)
        if self._curves is None or self.piece is None:
            return
        note = self._playing[1]
        data = demos_facts.timeline(self._curves, note.duration_s, self.annotation, self.piece, note.verdicts)
        self._page.show_timeline(data, "This recording holds no pictures")

    def show_overlays(self, t: float) -> None:
        """Draw what is known at t [s] over every view."""
        if self.overlays is not None:
            for view, video in self._page.videos.items():
                video.show_overlays(self.overlays.at(view, t), self.overlays.boxes(view, t))

    def _play(self) -> None:
        """Play the demo that is looked at; another piece of the same episode goes on with what is read already."""
        row = self._row()
        if row is None:
            self._leave("")
            return
        if self.folder == row.folder:
            self.refresh()
            self._page.playback.seek(row.start)
            return
        self._leave("")
        try:
            note = read_note(row.folder / NOTE)
        except EpisodeFileError as error:
            self._leave(str(error))
            return
        self._playing, self._player = (row.folder, note), EpisodePlayer(row.folder, note, self._tools)
        self._seen = -1
        self._has_views = self._has_film = False
        self._page.playback.set_range(0.0, max(note.duration_s, 0.001))
        self._page.playback.seek(row.start)
        self._page.show_timeline(None, "Reading the recording")

    def _leave(self, why: str) -> None:
        self.problem = why
        self._page.playback.pause()
        self._page.show_source(None, why)
        self._page.show_film(None)
        self._page.show_timeline(None, why)
        if self._player is not None:
            self._player.end()
            self._leaving.append(self._player)
        self._player = self._playing = self._curves = self.overlays = None
        self._came()

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
            self._page.show_views(player.cameras)
            self._page.show_source(player)
        self._page.show_pictures()
        if player.film is not None and not self._has_film:
            self._has_film = True
            self._page.show_film(player.film)
        if player.curves is not None and player.curves is not self._curves:
            self._curves = player.curves
            self.overlays = DemoOverlays(player.curves)
            self.refresh()
            self._came()
            self.show_overlays(self._page.playback.time)

    def _read_annotation(self, row: DemoRow) -> Annotation:
        try:
            return self._desk.annotation(row.key)
        except (DreamFileError, DatasetError):
            return AS_RECORDED

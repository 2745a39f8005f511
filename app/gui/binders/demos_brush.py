"""Binds the masks of a demo: laid over the pictures, painted, erased, taken back stroke by stroke."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Slot

from app.datasets.desk import DatasetDesk
from app.datasets.library import DatasetError
from app.gui.binders.binder import Shell
from app.gui.binders.demos_playing import DemosPlaying
from models.data.dataset_index import DemoRow
from models.data.errors import DreamFileError
from models.data.masks import ObjectMask, Stroke, read_masks
from widgets.mask_panel import MaskLine
from widgets.pages.demos import DemosPage

SAME_S = 1e-4  # a mask is of the picture that was taken then


class DemosBrush(QObject):
    """A part of the demos' binder. While it is on, undo and redo are the strokes'; they outlive a restart."""

    def __init__(
        self,
        page: DemosPage,
        desk: DatasetDesk,
        playing: DemosPlaying,
        shell: Shell,
        row: Callable[[], DemoRow | None],
    ) -> None:
        super().__init__(page)
        self._page, self._desk, self._playing, self._shell, self._row = page, desk, playing, shell, row
        self.on = False
        self._masks: tuple[ObjectMask, ...] = ()
        self._of: Path | None = None  # the episode that they are of
        self._last: tuple[str, float] | None = None  # the mask that was painted on
        self._laid: dict[str, object] = {}
        page.stroke_drawn.connect(self._stroke)
        page.playback.time_changed.connect(self.show_masks)
        page.masks.radius_changed.connect(self._take_brush)
        page.masks.find_wanted.connect(self._find)
        page.masks.mask_picked.connect(self._go)
        page.masks.remove_wanted.connect(self._remove)

    def show(self, on: bool) -> None:
        """Take the brush up, or put it away."""
        self.on = on
        self._page.show_brushing(on)
        if on:
            self._page.playback.pause()
        self.refresh()
        self._take_brush()

    def refresh(self) -> None:
        """Take in the masks of the demo that plays."""
        folder = self._playing.folder
        self._laid.clear()
        if not self.on or folder is None:
            self._masks, self._of, self._last = (), None, None
        elif folder != self._of:
            self._masks, self._of, self._last = self._read(folder), folder, None
        self._show_list()
        self.show_masks(self._page.playback.time)
        self._take_brush()

    def undo(self) -> None:
        """Take the last stroke back."""
        self._step(ObjectMask.undone)

    def redo(self) -> None:
        self._step(ObjectMask.redone)

    @property
    def can_undo(self) -> bool:
        mask = self._at_hand()
        return mask is not None and mask.position > 0

    @property
    def can_redo(self) -> bool:
        mask = self._at_hand()
        return mask is not None and mask.position < len(mask.strokes)

    # shown -----------------------------------------------------------------------------------------------------
    @Slot(float)
    def show_masks(self, t: float) -> None:
        """Lay the masks of the pictures at t over them."""
        curves = self._playing.curves
        for view, video in self._page.videos.items():
            mask = self._mask_at(view, t) if self.on and curves is not None else None
            if self._laid.get(view, "nothing") is mask:
                continue
            self._laid[view] = mask
            step = curves.step.get(view, 1) if curves is not None else 1
            picture = None if mask is None else np.ascontiguousarray(mask.picture[::step, ::step])
            video.show_mask(picture, "No mask here yet" if mask is None else f"Mask by {mask.by}")

    @Slot()
    def _take_brush(self) -> None:
        curves = self._playing.curves
        for view, video in self._page.videos.items():
            step = curves.step.get(view, 1) if curves is not None else 1
            video.take_brush(self._page.masks.radius / step if self.on and curves is not None else None)

    def _show_list(self) -> None:
        last = {mask.camera: mask.t for mask in sorted(self._masks, key=lambda mask: mask.t)}
        self._page.masks.show_masks(
            [
                MaskLine(
                    k,
                    mask.camera,
                    f"{mask.t:.2f} s",
                    mask.by,
                    str(mask.position or ""),
                    mask.t == last[mask.camera],
                )
                for k, mask in enumerate(self._masks)
            ]
        )

    # painted ---------------------------------------------------------------------------------------------------
    @Slot(str, bool, object)
    def _stroke(self, view: str, add: bool, points: Sequence[tuple[float, float]]) -> None:
        curves, t = self._playing.curves, self._picture_time(view)
        size = curves.streams[view].size if curves is not None and view in curves.streams else None
        if curves is None or t is None or size is None:
            return
        step = curves.step.get(view, 1)
        stroke = Stroke(add, float(self._page.masks.radius), tuple((x * step, y * step) for x, y in points))
        mask = self._mask_at(view, t) or ObjectMask(view, t, size, (size[0] * size[1],))
        self._put(mask.brushed(stroke))

    def _step(self, change: Callable[[ObjectMask], ObjectMask]) -> None:
        mask = self._at_hand()
        if mask is not None:
            self._put(change(mask))

    def _put(self, mask: ObjectMask) -> None:
        """Keep a mask in place of the one of the same picture."""
        others = [m for m in self._masks if (m.camera, m.t) != (mask.camera, mask.t)]
        self._last = mask.camera, mask.t
        self._keep(tuple(sorted((*others, mask), key=lambda m: (m.t, m.camera))))

    def _keep(self, masks: tuple[ObjectMask, ...]) -> None:
        folder = self._playing.folder
        if folder is None:
            return
        self._masks = masks
        self._laid.clear()
        self._show_list()
        self.show_masks(self._page.playback.time)
        self._desk.keep_masks(folder, masks)

    @Slot()
    def _find(self) -> None:
        row = self._row()
        if row is None:
            return
        try:
            self._desk.find_masks(row.key, self._page.playback.time, partial(self._found, row.folder))
        except DatasetError as error:
            self._shell.say(str(error), "warning")

    def _found(self, folder: Path, masks: tuple[ObjectMask, ...]) -> None:
        if folder != self._of:  # another demo is looked at by now
            return
        if not masks:
            self._shell.say("No object was found here: paint over it", "warning")
            return
        new = {(mask.camera, mask.t) for mask in masks}
        kept = [mask for mask in self._masks if (mask.camera, mask.t) not in new]
        self._keep(tuple(sorted((*kept, *masks), key=lambda m: (m.t, m.camera))))

    @Slot(int)
    def _go(self, number: int) -> None:
        self._page.playback.pause()
        self._page.playback.seek(self._masks[number].t)

    @Slot(int)
    def _remove(self, number: int) -> None:
        self._keep(tuple(mask for k, mask in enumerate(self._masks) if k != number))

    def _at_hand(self) -> ObjectMask | None:
        """The mask that was painted on last, else one that is shown and has strokes."""
        named = [mask for mask in self._masks if (mask.camera, mask.t) == self._last]
        shown = [self._mask_at(view, self._page.playback.time) for view in self._page.videos]
        return next((mask for mask in (*named, *shown) if mask is not None and mask.strokes), None)

    def _mask_at(self, view: str, t: float) -> ObjectMask | None:
        taken = self._picture_time(view, t)
        here = (m for m in self._masks if m.camera == view and taken is not None and abs(m.t - taken) < SAME_S)
        return next(here, None)

    def _picture_time(self, view: str, t: float | None = None) -> float | None:
        """When the picture was taken that is shown at t, or now."""
        curves = self._playing.curves
        times = curves.camera_times.get(view) if curves is not None else None
        if times is None or not len(times):
            return None
        asked = self._page.playback.time if t is None else t
        return float(times[max(0, int(np.searchsorted(times, asked + 1e-6, side="right")) - 1)])

    def _read(self, folder: Path) -> tuple[ObjectMask, ...]:
        try:
            return read_masks(folder)
        except DreamFileError as error:
            self._shell.say(str(error), "warning")
            return ()

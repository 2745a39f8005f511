"""Checkpoints while a run trains: room is made first, old ones go, and the demos are looked at once more.

Networks that do not learn are not written each time: a checkpoint links those of the one before the last. Two in a
row share nothing, so that one spoilt file never costs all of them.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from models.data.errors import DreamFileError
from models.training.beginning import in_short
from models.training.checkpoint import (
    as_saved,
    checkpoints_in,
    prune,
    read_state,
    require_room,
    save_checkpoint,
    size_of,
    step_of,
)
from models.training.config import SaveSettings
from models.training.data import TrainingData, changes
from models.training.progress import TrainingError
from models.training.run_folder import RunFolder
from models.training.stage_run import StageRun
from models.video.model_folder import part_folders
from models.video.stereo import StereoVideoModel


class Keeper:
    """Keeps the checkpoints of one run."""

    def __init__(
        self,
        folder: RunFolder,
        settings: SaveSettings,
        model: StereoVideoModel,
        data: TrainingData,
        read: Callable[[], TrainingData],
        newest: Path | None,
    ) -> None:
        """read: reads the demos anew; newest: the checkpoint that the run goes on from."""
        self._folder, self._settings, self._model, self._data, self._read = folder, settings, model, data, read
        self._told = False
        self.newest = newest

    def save(self, run: StageRun, step: int) -> None:
        """Save a checkpoint, unless this step has one. Raises TrainingError; what was there is there still."""
        if step == (step_of(self.newest) if self.newest is not None else 0):
            return
        run.require_finite()
        self._make_room()
        tensors, state, settings = run.tensors(), run.state(), self._settings
        write = partial(self._model.save, shared=self._shared(run))
        with run.shown_weights():
            self.newest = save_checkpoint(self._folder.checkpoints, step, write, tensors, state)
        prune(self._folder.checkpoints, settings.keep_last, settings.keep_every, self.newest)
        self._folder.log(f"saved {self.newest.name}")
        self._look_at_data()

    def _shared(self, run: StageRun) -> dict[str, Path]:
        """Return where the networks that this stage leaves alone are on the disk already, by name."""
        found = checkpoints_in(self._folder.checkpoints)
        if len(found) < 2:
            return {}
        source, learn = found[-2], {name.partition(".")[0] for name in run.stage.parameters}
        try:
            if read_state(source).get("stage") != run.stage.name:
                return {}
            places = part_folders(self._model.config).items()
            return {name: source / at for name, at in places if name not in learn and as_saved(source, at)}
        except DreamFileError:  # it is damaged
            return {}

    def _make_room(self) -> None:
        """Take older checkpoints away before a full disk would stop the run. Raises TrainingError."""
        if self.newest is None:
            return
        place, needed = self._folder.checkpoints, size_of(self.newest)
        try:
            require_room(place, needed, "the next checkpoint")
        except TrainingError:
            gone = prune(place, 1, self._settings.keep_every, self.newest)
            if not gone:
                raise
            self._folder.log(f"the disk is nearly full: {len(gone)} older checkpoints were taken away")
            require_room(place, needed, "the next checkpoint")

    def _look_at_data(self) -> None:
        """Say once where the demos are no longer those that are trained on."""
        if self._told:
            return
        try:
            found = changes(self._data.demos, self._read().demos)
        except (OSError, ValueError, KeyError) as error:
            found = [f"they cannot be read: {error}"]
        if found:
            self._told = True
            self._folder.log(
                f"the demos changed since it began: {in_short(found)}; it goes on with what it has read"
            )

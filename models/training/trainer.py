"""Training: one loop for every stage of a run, that can be killed at any point and go on as if nothing had been.

What is random follows from the seed and from which step and draw it is, never from a generator that was used
before; so weights, optimizer and the count of draws are all that a checkpoint needs.
"""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from models.data.errors import DreamFileError
from models.training.beginning import (
    check_room,
    check_same_demos,
    checkpoint_to_go_on,
    load_model,
    make_accelerator,
    provenance,
)
from models.training.checkpoint import checkpoints_in, step_of, tidy
from models.training.config import TrainConfig
from models.training.data import Clip, TrainingData, read_data
from models.training.failures import explained
from models.training.gallery import copier, draw_gallery, dreamer, mean_values
from models.training.gallery_tracks import TrackFigures, gallery_tools
from models.training.keeping import Keeper
from models.training.latents import Encoded, LatentStore, encode_clip, encoder_key
from models.training.progress import Control, Outcome, Progress, Report
from models.training.run_folder import CHECKPOINTS, RunFolder
from models.training.stage_run import StageRun
from models.training.stages import Stage, VaeStage, VideoStage, unit_scaling
from models.video.sampler import SamplingCancelled

SCALING_CLIPS = 64
_SMOOTH = 0.9  # of the time that a step takes
_WORDS = {"vae": "picture coder", "video": "video model"}


def train(
    config: TrainConfig,
    data: Path,
    out: Path,
    report: Report,
    control: Control,
    *,
    resume: bool = False,
    cache: Path | None = None,
) -> Outcome:
    """Train, or go on; return how it ended.

    data: demos of any format that can be read; out: the run's folder; cache: where pictures and latents are kept,
    by default in the run's folder. resume: go on from the newest whole checkpoint, from the beginning where there
    is none. Started by torchrun or `accelerate launch`, each process trains its share. Raises TrainingError,
    DreamFileError; what was saved stays.
    """
    accelerator = make_accelerator(config)
    folder = RunFolder(out) if accelerator.is_main_process else None
    try:
        run = _Run(config, data, out, folder, accelerator, report, control, cache or out / "cache")
        return _told(run, resume)
    finally:
        if folder is not None:
            folder.close()


def _told(run: "_Run", resume: bool) -> Outcome:
    """Run, and put what goes wrong into words."""
    try:
        return run.go(resume)
    except Exception as error:
        plain = isinstance(error, DreamFileError) and not run.begun
        told = error if plain else explained(error, run.config, run.kept)
        if run.begun:
            with contextlib.suppress(OSError):  # the disk may be what went wrong
                run.log(f"stopped: {told or repr(error)}")
        if told is None or told is error:
            raise
        raise told from error


class _Stopped(Exception):
    """Somebody wants it to pause, or to end."""

    def __init__(self, state: Literal["paused", "cancelled"]) -> None:
        self.state = state


class _Run:
    """One start of a run. folder: None in all processes but the first."""

    def __init__(
        self,
        config: TrainConfig,
        data: Path,
        out: Path,
        folder: RunFolder | None,
        accelerator: Accelerator,
        report: Report,
        control: Control,
        cache: Path,
    ) -> None:
        self.config, self._source, self._out, self._folder = config, data, out, folder
        self._accelerator, self._device = accelerator, accelerator.device
        self._report, self._control, self._cache = report, control, cache
        self._checkpoints = out / CHECKPOINTS
        self._step, self._took = 0, 0.0
        self._saved: Path | None = None  # what it goes on from
        self._keeper: Keeper | None = None
        self._stage: StageRun | None = None
        self.begun = False

    def go(self, resume: bool) -> Outcome:
        """Prepare, train all stages, end."""
        try:
            self._go(resume)
        except _Stopped as stop:
            return self._end(stop.state)
        return self._end("done")

    def _go(self, resume: bool) -> None:
        self._say("reading the demos")
        if self._folder is not None:
            self._folder.check(self.config, resume)
            tidy(self._checkpoints)
        self._data = self._read()
        if self._folder is not None:
            check_same_demos(self._folder, self._data, self.config)
        self._accelerator.wait_for_everyone()
        self._saved = checkpoint_to_go_on(self._checkpoints, self.log) if resume else None
        self._step = step_of(self._saved) if self._saved is not None else 0
        self._tracks = TrackFigures(gallery_tools(self.config.gallery.tools))
        self._model = load_model(self.config, self._saved, self._device)
        self._begin()
        if self._step < self.config.vae.steps:
            self._train(VaeStage(self.config, self._model), 0)
            self._accelerator.free_memory()
        if self._step < self.config.steps:
            self._store = LatentStore(self._cache, encoder_key(self._model, self.config.train.mixed_precision))
            self._encode_all()
            self._train(VideoStage(self.config, self._model, self._loaded), self.config.vae.steps)

    def _end(self, state: Literal["done", "paused", "cancelled"]) -> Outcome:
        """Save where it stands and say how it ended."""
        if self._stage is not None:
            self._save(self._stage)
        text = f"{state} at step {self._step} of {self.config.steps}"
        if self.begun:
            self.log(text)
        self._say(text)
        newest = self._keeper.newest if self._keeper is not None else self._saved
        return Outcome(state, self._step, newest, text)

    @property
    def kept(self) -> str:
        """What of the run is safe, in words; "" before it began."""
        if not self.begun:
            return ""
        there = checkpoints_in(self._checkpoints)
        return f"{there[-1]} is kept: go on with --resume" if there else "no checkpoint was saved yet"

    def log(self, text: str) -> None:
        if self._folder is not None:
            self._folder.log(text)

    def _begin(self) -> None:
        if self._folder is None:
            return
        check_room(self._out, self._model, self.config)
        told = provenance(self.config, self._data, self._source, self._accelerator)
        self._folder.begin(self.config, told, self._step)
        self.begun, data = True, self._data
        self._keeper = Keeper(self._folder, self.config.save, self._model, data, self._read, self._saved)
        held = len({clip.demo for clip in data.held_out})
        how = f"goes on from {self._saved.name}" if self._saved else "begins"
        self.log(
            f"{how} on {self._device}: {len(data.train)} clips of {len(data.demos) - held} demos, {held} held out, "
            f"{len(data.left_out)} left out"
        )
        for text in data.left_out:
            self.log(f"left out: {text}")

    def _read(self) -> TrainingData:
        return read_data(self._source, self.config, self._cache)

    def _encode_all(self) -> None:
        """Compute what latents are not there yet; each process its share."""
        clips = [*self._data.train, *self._data.held_out]
        mine = clips[self._accelerator.process_index :: self._accelerator.num_processes]
        for k, clip in enumerate(mine):
            if self._store.read(clip) is None:
                if self._control() != "run" and self._accelerator.num_processes == 1:
                    self._ask()
                self._say(f"encoding, clip {k + 1} of {len(mine)}")
                self._store.write(clip, self._encode(clip))
        self._accelerator.wait_for_everyone()

    def _encode(self, clip: Clip) -> Encoded:
        with self._accelerator.autocast():
            return encode_clip(self._model, clip, self._device)

    def _loaded(self, clip: Clip) -> Encoded:
        encoded = self._store.read(clip)
        if encoded is None:  # taken away or spoilt since
            encoded = self._encode(clip)
            self._store.write(clip, encoded)
        return encoded

    def _train(self, stage: Stage, first: int) -> None:
        """Train a stage, whose first step is the run's `first`, to its end. Raises _Stopped."""
        saved = self._saved if self._step > first else None
        run = self._stage = StageRun(stage, self._data.train, self.config.seed, self._accelerator, saved)
        self._took, last = 0.0, first + stage.rules.steps
        while self._step < last:
            self._ask()
            began = time.monotonic()
            values = run.step(self._step - first)
            self._step += 1
            self._tell(run, values, time.monotonic() - began)
            if self._step == last and isinstance(stage, VaeStage):
                self._scale()
            if self._due(self.config.gallery.every, last):
                self._gallery(run)
            if self._due(self.config.save.every, last):
                self._save(run)
        self._stage = None

    def _due(self, every: int, last: int) -> bool:
        return every > 0 and (self._step % every == 0 or self._step == last)

    def _scale(self) -> None:
        scaling = unit_scaling(self._model, self._data.train[:SCALING_CLIPS], self._device)
        self._model.set_scaling(scaling)
        self.log(f"latents are multiplied by {scaling:.4g}")

    def _ask(self) -> None:
        """Raise _Stopped where the first process is asked to stop."""
        wanted = [self._control() if self._folder is not None else "run"]
        if self._accelerator.num_processes > 1:
            broadcast_object_list(wanted)
        if wanted[0] != "run":
            raise _Stopped("paused" if wanted[0] == "pause" else "cancelled")

    def _tell(self, run: StageRun, values: Mapping[str, float], took: float) -> None:
        rules, name = run.stage.rules, run.stage.name
        self._took = _SMOOTH * self._took + (1 - _SMOOTH) * took if self._took else took
        rate = rules.batch * rules.accumulation * self._accelerator.num_processes / max(self._took, 1e-9)
        if self._folder is not None:
            self._folder.note(self._step, {f"{name}/{k}": v for k, v in {**values, "samples_per_s": rate}.items()})
        left = (self.config.steps - self._step) * self._took
        self._say(f"training the {_WORDS[name]}", values["loss"], rate, left)

    def _say(
        self,
        text: str,
        loss: float | None = None,
        rate: float | None = None,
        left_s: float | None = None,
        pictures: tuple[Path, ...] = (),
    ) -> None:
        if self._folder is not None:
            self._report(Progress(self._step, self.config.steps, loss, rate, left_s, text, pictures))

    def _gallery(self, run: StageRun) -> None:
        """Dream held-out scenes, and note their figures and their loss; what goes wrong is logged."""
        self._accelerator.wait_for_everyone()
        if self._folder is not None and self._data.held_out:
            self._say("dreaming held-out scenes")
            try:
                with run.shown_weights():
                    self._show(self._folder, run.stage)
            except SamplingCancelled:
                pass
            except (OSError, ValueError, KeyError) as error:
                self.log(f"no gallery at step {self._step}: {error}")
        self._accelerator.wait_for_everyone()

    def _show(self, folder: RunFolder, stage: Stage) -> None:
        settings, tracks = self.config.gallery, None
        loss = stage.held_out_loss(self._data.held_out, self._device)
        if isinstance(stage, VaeStage):
            pictured = copier(self._model, settings)
        else:
            pictured = dreamer(self._model, self._loaded, settings, lambda: self._control() != "run")
            tracks = self._tracks
        place, clips = folder.gallery / f"step_{self._step:06d}", self._data.held_out[: settings.scenes]
        sheets = draw_gallery(place, clips, pictured, self._model.config, tracks)
        figures = {**mean_values(sheets), **({} if loss is None else {"loss": loss})}
        folder.note(self._step, {f"held_out/{stage.name}/{k}": v for k, v in figures.items()})
        for sheet in sheets:
            folder.picture(self._step, f"gallery/{sheet.file.stem}", sheet.file, sheet.size)
        self._say("gallery", pictures=tuple(sheet.file for sheet in sheets))

    def _save(self, run: StageRun) -> None:
        self._accelerator.wait_for_everyone()
        if self._keeper is not None:
            self._keeper.save(run, self._step)
        self._accelerator.wait_for_everyone()

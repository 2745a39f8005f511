"""One stage while it is trained: its optimizer, where its draws stand, and what a checkpoint holds of both."""

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from typing import cast

import torch
from accelerate import Accelerator

from models.data.clips_sampler import EpochSampler
from models.training.checkpoint import read_state, read_tensors
from models.training.data import Clip
from models.training.edm import generator_of
from models.training.optimise import Averaged, make_optimizer, optimizer_tensors, restore_optimizer
from models.training.progress import TrainingError
from models.training.stages import Draw, Stage

OPTIMIZER, WEIGHTS = "optimizer", "weights"


class StageRun:
    """Trains a stage step by step. Draws and their random numbers follow from the seed and how many there were."""

    def __init__(
        self, stage: Stage, clips: tuple[Clip, ...], seed: int, accelerator: Accelerator, saved: Path | None
    ) -> None:
        """saved: a checkpoint of this very stage to go on from, None to begin it."""
        self.stage, self._clips, self._seed, self._accelerator = stage, clips, seed, accelerator
        rules = stage.rules
        accelerator.gradient_accumulation_steps = rules.accumulation
        plain = make_optimizer(stage.parameters, rules)
        self.averaged = Averaged(stage.parameters, rules.ema) if rules.ema else None
        self.draws = 0
        if saved is not None:
            self._restore(saved, plain)
        self._loss, self._optimizer = accelerator.prepare(stage.loss, plain)
        self._numbers = self._drawn()

    def step(self, step: int) -> dict[str, float]:
        """Take a step of the optimizer, counted from 0 at the stage's beginning; return loss, gradient, rate.

        Raises TrainingError where the loss is no number any more.
        """
        rules, accelerator = self.stage.rules, self._accelerator
        torch.manual_seed(generator_of(self._seed, self.stage.name, "step", step).initial_seed())
        rate = rules.rate_at(step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        total, norm = torch.zeros((), device=accelerator.device), 0.0
        for _ in range(rules.accumulation):
            loss, found = self._one_batch()
            total += loss / rules.accumulation
            norm = norm if found is None else found
        if self.averaged is not None:
            self.averaged.update()
        self.draws += rules.batch * rules.accumulation * accelerator.num_processes
        mean = float(accelerator.reduce(total, "mean"))
        if not math.isfinite(mean):
            raise TrainingError(
                f"the loss is {mean} at step {step + 1} of the {self.stage.name} stage; set its learning_rate "
                f"lower than {rules.learning_rate:g}, clip the gradient, or take train.mixed_precision=bf16 or no"
            )
        return {"loss": mean, "gradient": norm, "learning_rate": rate}

    def shown_weights(self) -> AbstractContextManager[None]:
        """Put the weights that are dreamt with into the model while this lasts."""
        return self.averaged.in_place() if self.averaged is not None else nullcontext()

    def tensors(self) -> dict[str, Mapping[str, torch.Tensor]]:
        """Return what a checkpoint holds besides the model."""
        parameters = self.stage.parameters
        tensors: dict[str, Mapping[str, torch.Tensor]] = {
            OPTIMIZER: optimizer_tensors(self._optimizer.optimizer, parameters)
        }
        if self.averaged is not None:
            tensors[WEIGHTS] = {name: p.detach().clone() for name, p in parameters.items()}
        return tensors

    def state(self) -> dict[str, object]:
        """Return the rest of it, as JSON values."""
        scaler = self._accelerator.scaler
        return {"stage": self.stage.name, "draws": self.draws, "scaler": scaler.state_dict() if scaler else None}

    def require_finite(self) -> None:
        """Raise TrainingError where a weight is no number: what is saved shall be good."""
        for name, parameter in self.stage.parameters.items():
            if not bool(torch.isfinite(parameter).all()):
                raise TrainingError(f"the weights {name} are no numbers any more; set the learning rate lower")

    def _one_batch(self) -> tuple[torch.Tensor, float | None]:
        """Return the loss of a batch, and the gradient's norm where the batch completes a step."""
        rules, accelerator, norm = self.stage.rules, self._accelerator, None
        batch = self.stage.batch([next(self._numbers) for _ in range(rules.batch)], accelerator.device)
        with accelerator.accumulate(self._loss):
            loss = self._loss(*batch)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                bound = rules.gradient_clip or math.inf
                norm = float(accelerator.clip_grad_norm_(list(self.stage.parameters.values()), bound))
            self._optimizer.step()
            self._optimizer.zero_grad()
        return loss.detach(), norm

    def _restore(self, saved: Path, optimizer: torch.optim.Optimizer) -> None:
        state, parameters = read_state(saved), self.stage.parameters
        self.draws = int(cast(int, state.get("draws", 0)))
        restore_optimizer(optimizer, parameters, read_tensors(saved, OPTIMIZER))
        scaler, noted = self._accelerator.scaler, state.get("scaler")
        if scaler is not None and isinstance(noted, dict):
            scaler.load_state_dict(noted)
        if self.averaged is not None:  # the model came with the averages, which were taken at the beginning
            self.averaged.take_own(read_tensors(saved, WEIGHTS))

    def _drawn(self) -> Iterator[Draw]:
        """Yield this process's draws from where the stage stands, for ever."""
        rank, ranks = self._accelerator.process_index, self._accelerator.num_processes
        sampler = EpochSampler([len(self._clips)], seed=self._seed, shard=rank, shards=ranks)
        sampler.restore(sampler.after(self.draws))
        clips = (clip for _ in count() for clip in sampler)
        for number, clip in zip(count(self.draws + rank, ranks), clips, strict=False):
            yield Draw(number, self._clips[clip])

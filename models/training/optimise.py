"""Optimizers, learning rates and averaged weights, and their state as plain named tensors."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from models.training.config import TrainConfig
from models.training.progress import TrainingError

Parameters = Mapping[str, nn.Parameter]


@dataclass(frozen=True)
class Rules:
    """How one stage of a run is trained; steps: its own."""

    steps: int
    batch: int
    accumulation: int
    learning_rate: float
    schedule: str
    warmup: int
    optimizer: str
    weight_decay: float
    gradient_clip: float
    ema: float

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0 at the stage's beginning."""
        rate = self.learning_rate
        if step < self.warmup:
            return rate * (step + 1) / self.warmup
        if self.schedule == "cosine":
            done = (step - self.warmup) / max(1, self.steps - self.warmup)
            rate *= 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        return rate


def video_rules(config: TrainConfig) -> Rules:
    """Return those of the U-Net."""
    t = config.train
    return Rules(
        t.steps, t.batch, t.accumulation, t.learning_rate, t.schedule, t.warmup, t.optimizer, t.weight_decay,
        t.gradient_clip, t.ema,
    )  # fmt: skip


def vae_rules(config: TrainConfig) -> Rules:
    """Return those of the picture coder."""
    v = config.vae
    return Rules(v.steps, v.batch, 1, v.learning_rate, "cosine", v.warmup, "adamw", 0.0, 1.0, 0.0)


def make_optimizer(parameters: Parameters, rules: Rules) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if rules.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters.values(), lr=rules.learning_rate, weight_decay=rules.weight_decay)


def optimizer_tensors(optimizer: torch.optim.Optimizer, parameters: Parameters) -> dict[str, torch.Tensor]:
    """Return its state as tensors named "PARAMETER/KEY"; empty before its first step."""
    return {
        f"{name}/{key}": torch.as_tensor(value)
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Parameters, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Put such tensors back. Raises TrainingError where they are of other parameters."""
    numbers = {name: k for k, name in enumerate(parameters)}
    state: dict[int, dict[str, torch.Tensor]] = {}
    for place, value in tensors.items():
        name, _, key = place.rpartition("/")
        parameter = parameters.get(name)
        if parameter is None or (value.ndim and value.shape != parameter.shape):
            raise TrainingError(f"the optimizer's {place} {tuple(value.shape)} fits no parameter of the model")
        state.setdefault(numbers[name], {})[key] = value.clone()  # not mapped from a file that may go
    if tensors and len(state) != len(numbers):
        missing = next(name for name, k in numbers.items() if k not in state)
        raise TrainingError(f"the optimizer's state of {missing} is missing")
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


class Averaged:
    """Weights averaged over steps: average = decay * average + (1 - decay) * weights."""

    def __init__(self, parameters: Parameters, decay: float) -> None:
        self.decay, self._parameters = decay, parameters
        self.weights = {name: p.detach().clone() for name, p in parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        for name, parameter in self._parameters.items():
            self.weights[name].lerp_(parameter, 1 - self.decay)

    def take_own(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put weights that were saved beside their averages back into the model."""
        _copy(weights, self._parameters)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averages into the model for as long as this lasts."""
        own = {name: p.detach().clone() for name, p in self._parameters.items()}
        _copy(self.weights, self._parameters)
        try:
            yield
        finally:
            _copy(own, self._parameters)


@torch.no_grad()
def _copy(source: Mapping[str, torch.Tensor], target: Mapping[str, torch.Tensor]) -> None:
    if set(source) != set(target) or any(source[n].shape != target[n].shape for n in target):
        raise TrainingError("the averaged weights fit another model")
    for name, value in target.items():
        value.copy_(source[name])

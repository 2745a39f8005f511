"""Moves weights between networks whose parts have other names: all names and shapes are compared before."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from models.video.checkpoint_file import CheckpointFile

LISTED = 24  # names that a refusal shows; more say nothing new


@dataclass(frozen=True)
class Origin:
    """Where a weight is: under `name`, as one third of it, transposed, or as a 1x1 convolution (pointwise)."""

    name: str
    third: int | None = None
    transposed: bool = False
    pointwise: bool = False

    def shape(self, ours: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape there of a weight that has this shape here."""
        if self.third is not None:
            return (3 * ours[0], *ours[1:])
        if self.transposed:
            return ours[::-1]
        return (*ours, 1, 1) if self.pointwise else ours

    def taken(self, theirs: torch.Tensor) -> torch.Tensor:
        """Return the weight as it is here."""
        if self.third is not None:
            return theirs.chunk(3)[self.third]
        if self.transposed:
            return theirs.T
        return theirs.flatten(1) if self.pointwise else theirs


def given(weights: Mapping[str, torch.Tensor], origins: Mapping[str, Origin]) -> dict[str, torch.Tensor]:
    """Return weights under the names and in the layout of their origins: the way back of `fill`."""
    out: dict[str, torch.Tensor] = {}
    thirds: dict[str, list[torch.Tensor]] = {}
    for name, origin in sorted(origins.items(), key=lambda item: (item[1].name, item[1].third or 0)):
        weight = weights[name].detach().cpu()
        if origin.third is not None:
            thirds.setdefault(origin.name, []).append(weight)
        elif origin.transposed:
            out[origin.name] = weight.T.contiguous()
        else:
            out[origin.name] = weight[..., None, None] if origin.pointwise else weight
    return out | {name: torch.cat(parts) for name, parts in thirds.items()}


def fill(
    network: nn.Module,
    origins: Mapping[str, Origin],
    file: CheckpointFile,
    part: str,
    where: Callable[[str], str],
    also: Iterable[str] = (),
) -> None:
    """Give the weights of a network that have an origin the values of a checkpoint.

    where: the checkpoint's name of an origin's. also: names in the checkpoint that this network ought to use up.
    Raises DreamFileError that lists names which are missing, not known, or of another shape, before any weight is
    read, or those which hold nan or inf.
    """
    ours = {name: weight for name, weight in network.state_dict().items() if name in origins}
    wanted = {where(origins[name].name): origins[name].shape(tuple(w.shape)) for name, w in ours.items()}
    problems = [f"{name} {_text(shape)} is missing" for name, shape in wanted.items() if name not in file.shapes]
    problems += [
        f"{name} is {_text(file.shapes[name])}, expected {_text(shape)}"
        for name, shape in wanted.items()
        if name in file.shapes and not _fits(file.shapes[name], shape)
    ]
    problems += [f"{name} {_text(file.shapes[name])} is not known" for name in also if name not in wanted]
    _refuse(file, part, problems)
    spoilt = set()
    for name, weight in ours.items():
        theirs = where(origins[name].name)
        value = file.tensor(theirs)
        if not bool(value.isfinite().all()):
            spoilt.add(theirs)
        weight.copy_(origins[name].taken(value))
    _refuse(file, part, [f"{name} holds nan or inf" for name in spoilt])


def _refuse(file: CheckpointFile, part: str, problems: list[str]) -> None:
    if problems:
        more = f"\n  and {len(problems) - LISTED} more" if len(problems) > LISTED else ""
        listed = "\n  ".join(sorted(problems)[:LISTED])
        raise file.wrong(part, f"{len(problems)} weights do not fit:\n  {listed}{more}")


def _fits(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a shape is the one wanted; a 1x1 convolution may as well be a matrix."""
    return found == wanted or (wanted[2:] == (1, 1) and found == wanted[:2])


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"

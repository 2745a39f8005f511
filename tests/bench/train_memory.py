"""`python -m tests.bench.train_memory`: what memory training Dreamitate takes, without a GPU.

The networks are built on torch's "meta" device: shapes without numbers. What autograd would keep for the backward
pass is counted tensor by tensor: with checkpointed blocks, and inside the largest single block, which is computed
anew. Attention counts as a fused kernel does it, which keeps no matrix of all pairs. The allocator's own waste and
cuDNN's work space come on top.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from models.training.recompute import recompute_blocks
from models.video.conditioning import Conditioning
from models.video.config import PUBLISHED
from models.video.stereo import StereoVideoModel, Trainable

GB = 1e9
BUDGET = 80.0
ALL_PAIRS = 1000  # longer square matrices are attention's


class Kept:
    """Counts the bytes that autograd keeps, each storage once, weights left out."""

    def __init__(self, model: nn.Module) -> None:
        self.bytes = 0
        self._known = {p.untyped_storage()._cdata for p in model.parameters()}
        self._held: list[torch.Tensor] = []

    def pack(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        square = tensor.ndim > 2 and tensor.shape[-1] == tensor.shape[-2] > ALL_PAIRS
        if storage._cdata not in self._known and not square:
            self._known.add(storage._cdata)
            self._held.append(tensor)
            self.bytes += storage.nbytes()
        return tensor


@contextmanager
def counted(model: nn.Module) -> Iterator[Kept]:
    kept = Kept(model)
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda t: t):
        yield kept


def run() -> dict[str, object]:
    """All figures, in GB."""
    model = StereoVideoModel.create(PUBLISHED, device="meta")
    parts = {"unet": model.unet, "vae": model.vae, "encoder": model.encoder}
    counts = {name: _count(part) for name, part in parts.items()}
    kinds: tuple[Trainable, ...] = ("attention", "all")
    learning = {kind: sum(p.numel() for p in model.train_only(kind).values()) for kind in kinds}
    activations = _activations(model)
    return {
        "parameters, M": {**counts, **{f"trained: {kind}": n / 1e6 for kind, n in learning.items()}},
        "activations in bf16, batch 1, GB": activations,
        "whole, GB": {kind: _whole(sum(counts.values()), n / 1e6, activations) for kind, n in learning.items()},
        "an 80 GB GPU": BUDGET,
    }


def _count(part: nn.Module) -> float:
    return sum(p.numel() for p in part.parameters()) / 1e6


def _whole(parameters: float, learning: float, activations: dict[str, float]) -> dict[str, float]:
    """Weights in float32, their gradients, Adam's two averages, a bfloat16 copy of the U-Net, activations."""
    fixed = (4 * parameters + (4 + 8) * learning) / 1e3
    copy = 2 * 1.5
    checkpointed = activations["kept between checkpointed blocks"] + activations["inside the largest block"]
    return {
        "weights, gradients, optimizer": fixed,
        "with checkpointed blocks": fixed + copy + checkpointed,
        "without": fixed + copy + activations["kept without checkpoints"],
    }


def _activations(model: StereoVideoModel) -> dict[str, float]:
    config = model.config
    height, width = config.latent_size
    frames, channels = len(config.layout), config.vae.latent_channels
    half = model.unet.to("meta", torch.bfloat16)  # some of its numbers are made elsewhere
    half.requires_grad_(True)

    def forward() -> None:
        told = Conditioning(
            _empty(1, frames, channels, height, width), _empty(1, frames, 1, config.unet.cross_attention),
            torch.empty(1, 3, device="meta"),
        )  # fmt: skip
        model.network(_empty(1, frames, channels, height, width), torch.empty(1, device="meta"), told)

    plain = _kept(half, forward)
    largest = _largest_block(half, forward)
    recompute_blocks(half)
    return {
        "kept without checkpoints": plain,
        "kept between checkpointed blocks": _kept(half, forward),
        "inside the largest block": largest,
    }


def _kept(unet: nn.Module, forward: Callable[[], None]) -> float:
    with counted(unet) as kept:
        forward()
    return kept.bytes / GB


def _largest_block(unet: nn.Module, forward: Callable[[], None]) -> float:
    """Return what is kept inside the residual or attention block that needs most."""
    sizes: list[float] = []
    hooks = []
    for name, module in unet.named_modules():
        if name.rpartition(".")[0].endswith(("resnets", "attentions")):
            state: list[tuple[Kept, object]] = []

            def enter(_m: nn.Module, _a: object, state: list[tuple[Kept, object]] = state) -> None:
                kept = Kept(unet)
                context = torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda t: t)
                context.__enter__()
                state.append((kept, context))

            def leave(_m: nn.Module, _a: object, _o: object, state: list[tuple[Kept, object]] = state) -> None:
                kept, context = state.pop()
                context.__exit__(None, None, None)  # type: ignore[attr-defined]
                sizes.append(kept.bytes / GB)

            hooks += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    forward()
    for hook in hooks:
        hook.remove()
    return max(sizes)


def _empty(*shape: int) -> torch.Tensor:
    return torch.empty(*shape, device="meta", dtype=torch.bfloat16)


if __name__ == "__main__":
    from tests.bench.run import show

    show(run())

"""`python -m tests.bench.dream_memory`: what memory a full-size dream takes in bfloat16, without a GPU.

The networks are built on torch's "meta" device: shapes without numbers. Every tensor counts from the operation that
makes it until nobody holds it, each storage once; the peak is what is told. Attention counts as a fused kernel does
it, which keeps no matrix of all pairs. The allocator's own waste and cuDNN's work space come on top.
"""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from models.video.config import PUBLISHED
from models.video.sample_options import SampleOptions
from models.video.stereo import StereoVideoModel
from tests.bench.train_memory import ALL_PAIRS, GB

WANTED = 16.0


class Live(TorchDispatchMode):
    """Counts the bytes of tensors that are alive; `peak`: the most at once."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = self.peak = 0
        self._holders: dict[int, int] = {}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self._hold(tensor)
        return made

    def _hold(self, tensor: torch.Tensor) -> None:
        storage, square = tensor.untyped_storage(), tensor.ndim > 2 and tensor.shape[-1] == tensor.shape[-2]
        if square and tensor.shape[-1] > ALL_PAIRS:
            return
        key, size = storage._cdata, storage.nbytes()
        if key not in self._holders:
            self.bytes += size
            self.peak = max(self.peak, self.bytes)
        self._holders[key] = self._holders.get(key, 0) + 1
        weakref.finalize(tensor, self._let_go, key, size)

    def _let_go(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self.bytes -= size


def run() -> dict[str, object]:
    """All figures, in GB."""
    config = PUBLISHED
    model = StereoVideoModel.create(config, device="meta").placed(torch.bfloat16, "meta")
    width, height = config.size
    chunk = SampleOptions().decode_chunk
    with torch.no_grad():
        scenes = torch.empty(1, config.views, height, width, 3, dtype=torch.uint8, device="meta")
        told = model.encode(scenes)
        noisy = torch.empty(1, len(config.layout), config.vae.latent_channels, *config.latent_size, device="meta")
        sigma = torch.empty(1, device="meta")
        peaks = {
            "encoding the scenes": _peak(lambda: model.encode(scenes)),
            "a step": _peak(lambda: model.denoised(noisy, sigma, told)),
            f"decoding {chunk} frames at once (default)": _peak(lambda: model.decode(noisy, chunk)),
            "decoding 1 frame at once": _peak(lambda: model.decode(noisy, 1)),
            "decoding all 25 at once": _peak(lambda: model.decode(noisy, len(config.layout))),
        }
    weights = sum(p.numel() * p.element_size() for p in model.parameters()) / GB
    return {
        "weights, GB": weights,
        "beside them at most, GB": peaks,
        "whole, GB": weights + max(list(peaks.values())[:3]),
        "whole, GB, may take": WANTED,
    }


def _peak(what: Callable[[], object]) -> float:
    with Live() as live:
        what()
    return live.peak / GB


if __name__ == "__main__":
    from tests.bench.run import show

    show(run())

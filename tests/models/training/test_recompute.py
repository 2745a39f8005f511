"""Recomputed activations give the same gradients and keep far less."""

import torch

from models.training.recompute import recompute_blocks
from models.video.conditioning import Conditioning
from models.video.stereo import StereoVideoModel
from tests.models.training.tiny import MODEL


def gradients(model: StereoVideoModel) -> tuple[list[torch.Tensor], int]:
    """Return the gradients of all weights, and how many numbers were kept for them."""
    torch.manual_seed(0)
    height, width = MODEL.latent_size
    shape = (1, len(MODEL.layout), MODEL.vae.latent_channels, height, width)
    told = Conditioning(torch.randn(shape), torch.randn(1, shape[1], 1, 16), torch.randn(1, 3))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(t.numel()), t)[1], lambda t: t):
        loss = model.network(torch.randn(shape), torch.zeros(1), told).square().mean()
    loss.backward()
    found = [p.grad for p in model.unet.parameters() if p.grad is not None]
    model.zero_grad()
    return found, sum(kept)


def test_recomputed_blocks_give_the_same_gradients_and_keep_less() -> None:
    model = StereoVideoModel.create(MODEL)
    model.train_only("all")
    plain, whole = gradients(model)
    recompute_blocks(model.unet)
    again, kept = gradients(model)
    assert len(plain) == len(again)
    for a, b in zip(plain, again, strict=True):
        torch.testing.assert_close(a, b)
    assert kept < whole / 3

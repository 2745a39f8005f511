"""What is computed another way to train faster comes to the same."""

import pytest
import torch

from models.training.temporal import flatten_temporal
from models.video.conditioning import Conditioning
from models.video.sampler_speed import is_unused, one_token
from models.video.stereo import StereoVideoModel
from tests.models.training.tiny import MODEL


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_convolutions_over_time_give_the_same_and_right_gradients_in_half_precision(frames: int) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv3d(32, 32, (3, 1, 1), padding=(1, 0, 0)))
    x = torch.randn(4, 32, frames, 16, 16)
    told = torch.randn_like(x)
    (network(x) * told).mean().backward()
    plain, wanted = network(x), network[0].weight.grad.clone()
    flatten_temporal(network)
    torch.testing.assert_close(network(x), plain)
    for _ in range(3):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            out = network(x)
        (out.float() * told).mean().backward()
        assert float((network[0].weight.grad - wanted).norm() / wanted.norm()) < 0.02


def test_weights_that_a_single_token_leaves_unused_have_no_gradient_and_the_others_keep_theirs() -> None:
    found = []
    for short in (False, True):
        model = StereoVideoModel.create(MODEL, seed=2)
        learn = model.train_only("all")
        if short:
            one_token(model.unet)
        torch.manual_seed(1)
        height, width = MODEL.latent_size
        shape = (1, len(MODEL.layout), MODEL.vae.latent_channels, height, width)
        told = Conditioning(torch.randn(shape), torch.randn(1, shape[1], 1, 16), torch.randn(1, 3))
        model.network(torch.randn(shape), torch.zeros(1), told).square().mean().backward()
        found.append({name: p.grad for name, p in learn.items()})
    unused = {name for name in found[0] if is_unused(name)}
    assert unused == {name for name, grad in found[1].items() if grad is None}
    assert all(float(found[0][name].abs().max()) < 1e-9 for name in unused)  # rounding
    for name in set(found[0]) - unused:
        torch.testing.assert_close(found[0][name], found[1][name])

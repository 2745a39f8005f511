"""The loss and its random numbers are those of the paper, and each draw has its own."""

import torch

from models.training.config import TrainConfig, TrainSettings
from models.training.edm import (
    draw_noise,
    edm_loss,
    edm_weight,
    generator_of,
    moved_share,
    moving_weight,
    square_around_moved,
    stacked,
)
from models.training.optimise import Averaged, make_optimizer, optimizer_tensors, restore_optimizer, video_rules

SHAPE = (2, 1, 2, 2)


def test_noise_levels_are_log_normal_and_a_tenth_of_the_conditions_is_left_out() -> None:
    draws = stacked(
        [draw_noise(SHAPE, generator_of(0, k), TrainSettings()) for k in range(4000)], torch.device("cpu")
    )
    log = draws.sigma.log()
    assert abs(float(log.mean()) - 1.0) < 0.1
    assert abs(float(log.std()) - 1.6) < 0.1
    for left_out in (draws.no_embedding, draws.no_latents):
        assert abs(float(left_out.float().mean()) - 0.1) < 0.02
    assert abs(float((draws.no_embedding & draws.no_latents).float().mean()) - 0.01) < 0.01


def test_a_draw_is_the_same_whatever_was_drawn_before() -> None:
    first = [draw_noise(SHAPE, generator_of(3, k), TrainSettings()).noise for k in range(3)]
    assert torch.equal(draw_noise(SHAPE, generator_of(3, 2), TrainSettings()).noise, first[2])
    assert not torch.equal(first[0], first[1])


def test_the_weight_makes_the_loss_that_of_the_v_prediction() -> None:
    sigma = torch.tensor([0.1, 1.0, 20.0])
    clean, noise, v = torch.randn(3, 3, *SHAPE)
    s = sigma.reshape(-1, 1, 1, 1, 1)
    noisy = clean + s * noise
    denoised = noisy / (s**2 + 1) - v * s / (s**2 + 1).sqrt()
    wanted = (noisy / (s**2 + 1).sqrt() - (s**2 + 1).sqrt() * clean) / s  # what v should have been
    loss = edm_loss(denoised, clean, sigma)
    torch.testing.assert_close(loss, ((v - wanted) ** 2).mean())
    torch.testing.assert_close(edm_weight(torch.tensor(1.0)), torch.tensor(2.0))


def test_what_moves_counts_more_and_noise_does_not() -> None:
    scenes = torch.full((1, 8, 8, 3), 100, dtype=torch.uint8)
    pictures = scenes.clone()
    pictures[:, :4, :4] = 200
    pictures[:, 4:, 4:] += 5
    share = moved_share(pictures, scenes, (2, 2))
    assert share[0, 0].tolist() == [[1, 0], [0, 0]]
    weight = moving_weight(share[None], 3.0)[0, 0, 0]
    torch.testing.assert_close(weight, torch.tensor([[4.0, 1.0], [1.0, 1.0]]) / 1.75)


def test_squares_lie_in_the_picture_around_what_moves() -> None:
    scenes = torch.full((1, 40, 64, 3), 100, dtype=torch.uint8)
    pictures = scenes.repeat(2, 1, 1, 1)
    pictures[1, 38, 20] = 200
    rows, columns = square_around_moved(pictures, scenes, 16, generator_of(0))
    assert (rows, columns) == (slice(24, 40), slice(12, 28))
    everywhere = [square_around_moved(scenes, scenes, 16, generator_of(k)) for k in range(20)]
    assert len({(r.start, c.start) for r, c in everywhere}) > 10
    assert all(min(r.start, c.start) >= 0 and r.stop <= 40 and c.stop <= 64 for r, c in everywhere)


def test_an_optimizer_comes_back_from_named_tensors() -> None:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(3, 2) for _ in range(2)]
    layers[1].load_state_dict(layers[0].state_dict())
    rules = video_rules(TrainConfig())
    parameters = [dict(layer.named_parameters()) for layer in layers]
    optimizers = [make_optimizer(p, rules) for p in parameters]

    def step(k: int) -> None:
        layers[k](torch.ones(1, 3)).sum().backward()
        optimizers[k].step()
        optimizers[k].zero_grad()

    step(0)
    layers[1].load_state_dict(layers[0].state_dict())
    restore_optimizer(optimizers[1], parameters[1], optimizer_tensors(optimizers[0], parameters[0]))
    step(0)
    step(1)
    assert torch.equal(layers[0].weight, layers[1].weight)


def test_averaged_weights_lag_behind_and_leave_the_model_as_it_was() -> None:
    parameters = {"a": torch.nn.Parameter(torch.zeros(2))}
    averaged = Averaged(parameters, 0.75)
    with torch.no_grad():
        parameters["a"].fill_(4.0)
    averaged.update()
    with averaged.in_place():
        assert parameters["a"].tolist() == [1.0, 1.0]
    assert parameters["a"].tolist() == [4.0, 4.0]


def test_the_rate_warms_up_and_falls() -> None:
    rules = video_rules(
        TrainConfig(train=TrainSettings(steps=100, warmup=10, schedule="cosine", learning_rate=1.0))
    )
    rates = [rules.rate_at(k) for k in range(100)]
    assert rates[0] == 0.1
    assert max(rates) == rates[10] == 1.0
    assert rates[-1] < 0.001

"""Dreaming with a tiny model: the same dream as stock diffusers makes, the same again, and stopped when asked."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableVideoDiffusionPipeline
from PIL import Image as Pictures
from transformers import CLIPImageProcessor

from models.data.clips import TimeIds
from models.evaluation.metrics import psnr
from models.video.conditioning import Conditioning
from models.video.config import VideoConfig, small
from models.video.networks import build_scheduler
from models.video.preview import LatentColours, sheet
from models.video.sample_options import SampleOptions
from models.video.sampler import (
    SamplingCancelled,
    Step,
    by_view,
    dream,
    guidance_scale,
    noise_levels,
    start,
)
from models.video.sampler_speed import speed_up
from models.video.stereo import StereoVideoModel

SIZE = (64, 64)
OPTIONS = SampleOptions(steps=3, seed=4, decode_chunk=3)


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)  # a thread of diffusers' progress bar
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model() -> StereoVideoModel:
    return StereoVideoModel.create(small(length=3, size=SIZE, widths=(32, 32, 64, 64)), seed=1)


def scene(config: VideoConfig) -> torch.Tensor:
    rng = np.random.default_rng(2)
    return torch.from_numpy(rng.integers(0, 255, (1, config.views, *SIZE[::-1], 3), np.uint8))


@pytest.fixture(scope="module")
def given(model: StereoVideoModel) -> Conditioning:
    return model.encode(scene(model.config), generator=torch.Generator().manual_seed(0))


def test_the_noise_levels_are_those_of_stable_video_diffusion() -> None:
    scheduler = build_scheduler()
    for steps in (1, 2, 30):
        scheduler.set_timesteps(steps)
        assert noise_levels(SampleOptions(steps=steps)) == pytest.approx(scheduler.sigmas.tolist(), rel=1e-5)


# a random network without a scene makes twenty times as much of a rounding as one with it
@pytest.mark.parametrize(("guidance", "least_db"), [((1.0, 1.0), 60), ((1.0, 3.0), 45)])
def test_with_one_view_it_dreams_what_stock_diffusers_dreams(
    guidance: tuple[float, float], least_db: float
) -> None:
    shape = small(views=1, length=4, size=SIZE, widths=(32, 32, 64, 64))
    config = replace(shape, encoder=replace(shape.encoder, picture=224, patch=32))
    ids = TimeIds(6, 200, 0.0)
    model = StereoVideoModel.create(config, seed=3)
    options = replace(OPTIONS, guidance=guidance)
    given = model.encode(scene(config), ids=ids)
    noise = start(given, options.seed, 0.0)
    pipeline = StableVideoDiffusionPipeline(
        model.vae, model.encoder, model.unet, build_scheduler(), CLIPImageProcessor()
    )
    pipeline.set_progress_bar_config(disable=True)
    frames = pipeline(
        Pictures.fromarray(scene(config)[0, 0].numpy()), height=SIZE[1], width=SIZE[0], num_frames=4,
        num_inference_steps=options.steps, min_guidance_scale=guidance[0], max_guidance_scale=guidance[1],
        fps=7, motion_bucket_id=200, noise_aug_strength=0.0, decode_chunk_size=options.decode_chunk, latents=noise,
        output_type="np",
    ).frames[0]  # fmt: skip
    stock = np.asarray(np.rint(frames * 255), np.uint8)
    speed_up(model)
    ours = next(dream(model, given, options)).pictures
    assert stock.std() > 1  # a picture of something
    assert psnr(ours, stock).min() > least_db


def test_a_candidate_is_the_same_however_many_are_asked_for(model: StereoVideoModel, given: Conditioning) -> None:
    three = list(dream(model, given, replace(OPTIONS, candidates=3)))
    (alone,) = dream(model, given, replace(OPTIONS, seed=OPTIONS.seed + 2))
    assert [one.seed for one in three] == [4, 5, 6]
    assert (three[2].pictures == alone.pictures).all()
    assert torch.equal(three[2].latents, alone.latents)
    assert (three[0].pictures != three[1].pictures).any()


def test_each_step_is_told_and_a_cancel_ends_it_before_the_next(
    model: StereoVideoModel, given: Conditioning
) -> None:
    steps: list[Step] = []
    (whole,) = dream(model, given, OPTIONS, steps.append)
    assert [(s.candidate, s.step, s.steps) for s in steps] == [(0, 1, 3), (0, 2, 3), (0, 3, 3)]
    assert torch.equal(steps[-1].denoised, whole.latents)
    told: list[Step] = []
    with pytest.raises(SamplingCancelled):
        list(dream(model, given, replace(OPTIONS, candidates=2), told.append, lambda: len(told) == 2))
    assert len(told) == 2
    told.clear()
    with pytest.raises(SamplingCancelled):  # also while it decodes
        list(dream(model, given, OPTIONS, told.append, lambda: len(told) == 3))


def test_leaving_out_what_one_token_cannot_change_changes_nothing(given: Conditioning) -> None:
    model = StereoVideoModel.create(small(length=3, size=SIZE, widths=(32, 32, 64, 64)), seed=1)
    noisy, sigma = start(given, 0, 2.0), torch.tensor([2.0])
    with torch.no_grad():
        before = model.denoised(noisy, sigma, given)
        speed_up(model)
        after = model.denoised(noisy, sigma, given)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_a_network_that_gives_nan_is_told(given: Conditioning) -> None:
    model = StereoVideoModel.create(small(length=3, size=SIZE, widths=(32, 32, 64, 64)), seed=1)
    torch.nn.init.constant_(model.unet.conv_out.bias, float("nan"))
    with pytest.raises(ValueError, match="bfloat16 or float32"):
        list(dream(model, given, OPTIONS))


def test_half_precision_dreams_too(model: StereoVideoModel) -> None:
    half = StereoVideoModel.create(model.config, seed=1).placed(torch.bfloat16, "cpu")
    given = half.encode(scene(half.config), generator=torch.Generator().manual_seed(0))
    (made,) = dream(half, given, replace(OPTIONS, steps=1))
    assert made.pictures.shape == (5, 64, 64, 3)
    assert made.latents.dtype == torch.float32


def test_guidance_grows_along_each_view(model: StereoVideoModel) -> None:
    scale = guidance_scale(model.config, SampleOptions(guidance=(1.0, 3.0))).flatten()
    assert scale.tolist() == [1.0, 2.0, 3.0, 2.0, 3.0]


def test_the_scene_stands_where_a_view_begins(model: StereoVideoModel) -> None:
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    bare = np.full((2, 4, 4, 3), 100, np.uint8)
    shown = by_view(pictures, bare, model.config)[..., 0, 0, 0]
    assert shown.tolist() == [[100, 1, 2], [100, 3, 4]]


def test_a_preview_has_the_colours_of_the_scene(model: StereoVideoModel) -> None:
    rng = np.random.default_rng(0)
    latents = torch.from_numpy(rng.normal(size=(2, 4, 8, 8)).astype(np.float32))
    mixing = rng.normal(0, 20, (4, 3))
    colours = (latents.movedim(1, -1).numpy() @ mixing + 128).clip(0, 255).astype(np.uint8)
    scene = np.kron(colours, np.ones((1, 8, 8, 1), np.uint8))
    seen = LatentColours.fit(latents, scene).pictures(latents)
    assert np.abs(seen.astype(int) - colours).mean() < 4
    whole = sheet(np.repeat(seen, 3, 0)[:5], model.config)
    assert whole.shape == (2 * 8, 3 * 8, 3)
    assert not whole[8:, :8].any()  # the second view's scene is not dreamt


def test_a_scene_of_one_colour_can_be_previewed() -> None:
    flat = np.full((1, 64, 64, 3), 90, np.uint8)
    seen = LatentColours.fit(torch.zeros(1, 4, 8, 8), flat).pictures(torch.zeros(1, 4, 8, 8))
    assert np.abs(seen.astype(int) - 90).max() <= 1


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"steps": 0}, "steps: 0; valid: 1 to"),
        ({"candidates": 0}, "candidates: 0"),
        ({"seed": -1}, "seed: -1"),
        ({"guidance": (0.5, 1.0)}, "guidance"),
        ({"sigma_min": 800.0}, "sigma_min 800.0"),
        ({"decode_chunk": 0}, "decode_chunk: 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        SampleOptions(**wrong)

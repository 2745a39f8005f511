"""The video model: each frame is told of its own view, and plain diffusers loads and agrees with what is saved."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import (
    AutoencoderKLTemporalDecoder,
    AutoencoderTiny,
    EulerDiscreteScheduler,
    UNetSpatioTemporalConditionModel,
)
from diffusers.pipelines.stable_video_diffusion import pipeline_stable_video_diffusion as stock
from transformers import CLIPVisionModelWithProjection

from models.data.clips import TimeIds
from models.data.errors import DreamFileError
from models.video import model_folder
from models.video.clip_pictures import clip_pixels
from models.video.config import VaeShape, VideoConfig, small
from models.video.config_file import NAME
from models.video.export_sgm import export_checkpoint
from models.video.networks import as_published, build_unet
from models.video.stereo import StereoVideoModel
from tests.models.video.tiny import noisy, scenes, tiny


@pytest.fixture(scope="module")
def model() -> StereoVideoModel:
    return StereoVideoModel.create(tiny(), seed=3)


@pytest.fixture(scope="module")
def folder(model: StereoVideoModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models") / "model"
    model.save(place)
    return place


def _quiet(model: StereoVideoModel) -> TimeIds:
    ids = model.config.time_ids
    return TimeIds(ids.fps, ids.motion_bucket, 0.0)


def test_each_frame_is_told_of_its_own_view_alone(model: StereoVideoModel) -> None:
    pictures = scenes(model.config, 2)
    other = pictures.clone()
    other[:, 1] = 255 - other[:, 1]
    before, after = (model.encode(p, ids=_quiet(model)) for p in (pictures, other))
    of_second = torch.tensor([view == 1 for view, _ in model.config.layout])
    for one, two in ((before.latents, after.latents), (before.embeddings, after.embeddings)):
        changed = (one != two).flatten(2).any(-1)
        assert (changed == of_second).all()


@pytest.mark.parametrize("views", [1, 3, 4])
def test_other_numbers_of_views_dream_too(views: int) -> None:
    model = StereoVideoModel.create(tiny(views=views, length=2))
    told = model.encode(scenes(model.config))
    with torch.no_grad():
        clean = model.denoised(noisy(model), torch.tensor([2.0]), told)
    assert model.decode(clean, 3).shape == (1, views + 1, 24, 16, 3)


def test_noise_on_the_condition_reaches_latents_only_and_comes_from_the_generator(model: StereoVideoModel) -> None:
    pictures, ids = scenes(model.config), TimeIds(6, 200, 0.5)
    clean = model.encode(pictures, ids=_quiet(model))
    one, same, other = (
        model.encode(pictures, ids=ids, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)
    )
    assert torch.equal(one.latents, same.latents)
    assert not torch.equal(one.latents, other.latents)
    assert not torch.equal(one.latents, clean.latents)
    assert torch.equal(one.embeddings, clean.embeddings)
    assert one.ids.tolist() == [[6, 200, 0.5]]


def test_time_ids_stand_in_the_order_of_the_stock_pipeline(model: StereoVideoModel) -> None:
    pipeline = type("P", (), {"unet": model.unet})()
    theirs = stock.StableVideoDiffusionPipeline._get_add_time_ids(
        pipeline, 6, 200, 0.02, torch.float32, 1, 1, False
    )
    assert torch.equal(model.encode(scenes(model.config)).ids, theirs)


def test_with_one_embedding_for_all_frames_it_is_the_stock_network(folder: Path) -> None:
    model = StereoVideoModel.load(folder)
    plain = as_published(UNetSpatioTemporalConditionModel.from_pretrained(folder, subfolder="unet"))
    told = model.encode(scenes(model.config, 2))
    same = told.embeddings[:, :1].expand_as(told.embeddings)
    x, c_noise = torch.cat([noisy(model, 2), told.latents], 2), torch.tensor([0.3, -0.5])
    with torch.no_grad():
        theirs = [
            plain(x[i : i + 1], c_noise[i : i + 1], same[i, :1], told.ids[i : i + 1]).sample for i in range(2)
        ]
        told = type(told)(told.latents, same, told.ids)
        ours = model.network(noisy(model, 2), c_noise, told)
    assert (ours - torch.cat(theirs)).abs().max() < 1e-5


def test_denoising_is_what_the_stock_scheduler_makes_of_the_prediction(model: StereoVideoModel) -> None:
    scheduler = EulerDiscreteScheduler.from_config(model_folder.build_scheduler().config)
    scheduler.set_timesteps(5)
    told = model.encode(scenes(model.config))
    for t, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
        assert float(t) == pytest.approx(0.25 * math.log(float(sigma)), abs=1e-4)
        x = noisy(model) * sigma
        with torch.no_grad():
            raw = model.network(scheduler.scale_model_input(x, t), t[None], told)
            theirs = scheduler.step(raw, t, x).pred_original_sample
            ours = model.denoised(x, sigma[None], told)
        assert torch.allclose(ours, theirs, atol=1e-3, rtol=1e-4)


def test_noise_levels_differ_from_scene_to_scene(model: StereoVideoModel) -> None:
    told, x, sigma = model.encode(scenes(model.config, 2)), noisy(model, 2), torch.tensor([0.1, 30.0])
    with torch.no_grad():
        both = model.denoised(x, sigma, told)
        alone = [model.denoised(x[i : i + 1], sigma[i : i + 1], told.at(slice(i, i + 1))) for i in range(2)]
    assert torch.allclose(both, torch.cat(alone), atol=1e-5)


def test_a_residual_model_sees_what_differs_from_the_scene(model: StereoVideoModel) -> None:
    networks = model_folder.Networks(model.unet, model.vae, model.encoder)
    residual = StereoVideoModel(replace(model.config, residual=True), networks)
    told, x, sigma = model.encode(scenes(model.config)), noisy(model), torch.tensor([3.0])
    scene = told.latents * model.config.vae.scaling
    with torch.no_grad():
        differs = residual.denoised(scene + x, sigma, told) - scene
        assert torch.allclose(differs, model.denoised(x, sigma, told), atol=1e-5)
        unled = told.unconditional()
        assert torch.equal(residual.denoised(x, sigma, unled), model.denoised(x, sigma, unled))


def test_pictures_reach_clip_as_in_the_stock_pipeline() -> None:
    pictures = torch.rand(2, 3, 60, 90, generator=torch.Generator().manual_seed(0)) * 2 - 1
    theirs = (stock._resize_with_antialiasing(pictures, (32, 32)) + 1) / 2
    ours = clip_pixels(pictures, 32)
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(3, 1, 1)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).reshape(3, 1, 1)
    assert torch.allclose(ours * std + mean, theirs, atol=1e-5)


def test_a_saved_model_comes_back_and_plain_diffusers_loads_its_parts(
    model: StereoVideoModel, folder: Path
) -> None:
    again = StereoVideoModel.load(folder)
    told = model.encode(scenes(model.config), ids=_quiet(model))
    with torch.no_grad():
        x, sigma = noisy(model), torch.tensor([1.0])
        assert torch.equal(model.denoised(x, sigma, told), again.denoised(x, sigma, told))
    assert again.config == model.config
    vae = AutoencoderKLTemporalDecoder.from_pretrained(folder, subfolder="vae")
    tower = CLIPVisionModelWithProjection.from_pretrained(folder, subfolder="image_encoder")
    assert vae.config.scaling_factor == model.config.vae.scaling
    assert tower.config.projection_dim == model.config.unet.cross_attention
    assert not [file for file in folder.rglob("*") if file.suffix in (".bin", ".pt", ".pkl", ".ckpt")]


def test_a_model_with_a_tiny_picture_coder_comes_back(tmp_path: Path) -> None:
    shape = VaeShape("tiny", (8, 8, 8), layers=2, latent_channels=6, scaling=1.5)
    model = StereoVideoModel.create(replace(tiny(size=(16, 24)), vae=shape))
    model.save(tmp_path / "model")
    again = StereoVideoModel.load(tmp_path / "model")
    pictures = scenes(model.config)
    latents = model.latents(pictures)
    assert latents.shape == (1, 2, 6, 6, 4)
    assert torch.equal(latents, again.latents(pictures))
    assert torch.equal(model.decode(latents), again.decode(latents, chunk=1))
    vae = AutoencoderTiny.from_pretrained(tmp_path / "model", subfolder="vae")
    assert torch.allclose(
        1.5 * vae.encode(pictures[0].permute(0, 3, 1, 2) / 127.5 - 1).latents, latents[0], atol=1e-5
    )
    with pytest.raises(DreamFileError, match="sgm has no names"):
        export_checkpoint(tmp_path / "model", tmp_path / "out.safetensors")


def test_the_stock_pipeline_opens_the_folder(folder: Path) -> None:
    pipeline = stock.StableVideoDiffusionPipeline.from_pretrained(folder)
    assert pipeline.scheduler.config.prediction_type == "v_prediction"


def test_it_starts_from_a_stock_directory_with_the_layout_asked_for(folder: Path, tmp_path: Path) -> None:
    stock_folder = tmp_path / "svd"
    stock.StableVideoDiffusionPipeline.from_pretrained(folder).save_pretrained(stock_folder)
    asked = tiny(views=3, length=4)
    model = StereoVideoModel.from_svd(
        stock_folder, VideoConfig(views=3, length=4, size=asked.size, vae=asked.vae, unet=asked.unet)
    )
    assert len(model.config.layout) == 10
    assert (model.config.unet, model.config.vae) == (asked.unet, asked.vae)
    assert model.config.encoder.width == asked.encoder.width
    for file in stock_folder.rglob("*.safetensors"):
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    again = StereoVideoModel.from_svd(stock_folder, model.config)
    assert torch.equal(again.unet.conv_in.weight, model.unet.conv_in.weight)
    with pytest.raises(DreamFileError, match="is not there"):
        StereoVideoModel.from_svd("nowhere", asked)


def test_a_stock_directory_reads_text_with_a_text_tower_from_elsewhere(folder: Path, tmp_path: Path) -> None:
    words = StereoVideoModel.create(tiny("text"), seed=9)
    words.save(tmp_path / "words")
    asked = tiny("text", views=1)
    model = StereoVideoModel.from_svd(folder, asked, text_tower=tmp_path / "words")
    told = model.encode(scenes(asked), ["open it"])
    assert torch.equal(told.embeddings[0, 0], words.encode(scenes(words.config), ["open it"]).embeddings[0, 0])
    with pytest.raises(DreamFileError, match="is not given"):
        StereoVideoModel.from_svd(folder, asked)


def test_the_small_model_has_the_size_that_a_cpu_can_train() -> None:
    with torch.device("meta"):
        unet = build_unet(small())
    assert 9e6 < sum(weight.numel() for weight in unet.parameters()) < 11e6


def test_decoding_in_chunks_gives_pictures_of_all_frames(model: StereoVideoModel) -> None:
    latents = noisy(model, 2) * 0.2
    whole, chunked = model.decode(latents, 99), model.decode(latents, 2)
    assert whole.shape == chunked.shape == (2, 3, 24, 16, 3)
    assert whole.dtype == torch.uint8
    assert whole.float().std() > 1  # it is not all one colour


def test_latents_of_pictures_are_scaled_and_can_be_sampled(model: StereoVideoModel) -> None:
    pictures = scenes(model.config, 2)
    told = model.encode(pictures, ids=_quiet(model))
    latents = model.latents(pictures)
    assert torch.allclose(latents[:, 0], told.latents[:, 0] * model.config.vae.scaling, atol=1e-6)
    sampled = model.latents(pictures, torch.Generator().manual_seed(0))
    assert not torch.equal(latents, sampled)


def test_text_conditions_all_frames_alike(tmp_path: Path) -> None:
    model = StereoVideoModel.create(tiny("text"))
    model.save(tmp_path / "text")
    again = StereoVideoModel.load(tmp_path / "text")
    pictures = scenes(model.config, 2)
    told = again.encode(pictures, ["push the box", "Öffne die Lade"], ids=_quiet(model))
    assert torch.equal(told.embeddings, model.encode(pictures, ["push the box", "Öffne die Lade"]).embeddings)
    assert (told.embeddings == told.embeddings[:, :1]).all()
    assert not torch.allclose(told.embeddings[0], told.embeddings[1], atol=1e-4)
    with pytest.raises(ValueError, match="one for each of 2 scenes"):
        model.encode(pictures, ["push the box"])
    model.tokenizer = None
    with pytest.raises(ValueError, match="tokenizer"):
        model.encode(pictures, ["a", "b"])


def test_only_what_was_asked_for_learns(model: StereoVideoModel) -> None:
    every = {name for name, _ in model.unet.named_parameters()}
    attention = model.train_only("attention")
    assert all(".attn1." in name or ".attn2." in name for name in attention)
    assert any("temporal_transformer_blocks" in name for name in attention)
    assert {f"unet.{name}" for name in every} == set(model.train_only("all"))
    with pytest.raises(ValueError, match="attention, all"):
        model.train_only("some")  # type: ignore[arg-type]


def test_dropping_the_condition_leaves_the_time_ids(model: StereoVideoModel) -> None:
    told = model.encode(scenes(model.config, 2))
    dropped = told.dropped(torch.tensor([True, False]), torch.tensor([False, True]))
    assert not dropped.embeddings[0].any()
    assert not dropped.latents[1].any()
    assert torch.equal(dropped.embeddings[1], told.embeddings[1])
    assert torch.equal(dropped.latents[0], told.latents[0])
    nothing = told.unconditional()
    assert not nothing.latents.any()
    assert torch.equal(nothing.ids, told.ids)
    assert len(told.repeated(3)) == 6


def test_half_precision_keeps_the_encoder_exact(folder: Path) -> None:
    model = StereoVideoModel.load(folder, dtype=torch.float16)
    assert (model.dtype, model.vae.encoder.conv_in.weight.dtype) == (torch.float16, torch.float32)
    told = model.encode(scenes(model.config))
    assert told.latents.dtype == torch.float16
    assert told.ids.dtype == torch.float32


def test_another_scaling_is_kept(tmp_path: Path) -> None:
    model = StereoVideoModel.create(tiny())
    model.set_scaling(0.5)
    model.save(tmp_path / "scaled")
    assert StereoVideoModel.load(tmp_path / "scaled").config.vae.scaling == 0.5


def test_pictures_of_another_size_are_refused_with_what_is_valid(model: StereoVideoModel) -> None:
    with pytest.raises(ValueError, match="24, 16, 3"):
        model.encode(torch.zeros(1, 2, 16, 24, 3, dtype=torch.uint8))
    with pytest.raises(ValueError, match="uint8"):
        model.latents(torch.zeros(1, 2, 24, 16, 3))


def test_a_failed_save_leaves_nothing_and_a_folder_is_never_written_over(
    model: StereoVideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(model_folder, "write_config", full)
        with pytest.raises(OSError, match="No space"):
            model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "model")
    with pytest.raises(DreamFileError, match="is there already"):
        model.save(tmp_path / "model")


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda f: (f / "unet" / "diffusion_pytorch_model.safetensors").unlink(), "unet"),
        (lambda f: _cut(f / "unet" / "diffusion_pytorch_model.safetensors"), "unet"),
        (lambda f: _cut(f / "image_encoder" / "model.safetensors"), "image_encoder"),
        (lambda f: (f / "vae" / "config.json").write_text("{"), "vae"),
        (lambda f: (f / NAME).unlink(), NAME),
        (lambda f: _swap(f / NAME, "cross_attention = 16", "cross_attention = 32"), "unet.cross_attention"),
        (
            lambda f: _swap(
                f / "unet" / "config.json", '"addition_time_embed_dim": 8', '"addition_time_embed_dim": 4'
            ),
            "",
        ),
    ],
    ids=["no weights", "cut weights", "cut tower", "broken config", "no toml", "other toml", "other unet"],
)
def test_a_spoilt_folder_is_refused_by_part(folder: Path, tmp_path: Path, spoil: object, what: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    spoil(copy)  # type: ignore[operator]
    with pytest.raises(DreamFileError) as error:
        StereoVideoModel.load(copy)
    assert what in str(error.value)


def _cut(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def _swap(file: Path, was: str, is_: str) -> None:
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, is_))

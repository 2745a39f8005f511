"""Checkpoints of the papers' authors: imported they are the same networks, exported they are theirs again."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.data.errors import DreamFileError
from models.video import import_sgm, sgm_shapes
from models.video.checkpoint_file import CheckpointFile, open_checkpoint
from models.video.clip_names import clip_origins
from models.video.clip_pictures import clip_pixels
from models.video.config import PUBLISHED, PUBLISHED_TEXT, VideoConfig
from models.video.export_sgm import TOWERS, export_checkpoint
from models.video.import_sgm import ImportOptions, import_checkpoint
from models.video.networks import build_encoder, build_unet, build_vae
from models.video.sgm_names import unet_origins, vae_origins
from models.video.stereo import StereoVideoModel
from tests.models.video.sgm_reference import HEAD, Published, sinusoids
from tests.models.video.tiny import noisy, scenes, tiny

SIZE = (32, 16)
State = dict[str, torch.Tensor]
OPTIONS = ImportOptions(head_channels=HEAD)


# the layouts themselves are of a size that no test can afford; shapes come from the checkpoint all the same
SMALL = {
    "sgm-dreamitate": tiny(size=SIZE),
    "sgm-videopolicy": replace(tiny("text", views=3, size=SIZE), arrangement="window"),
}


@pytest.fixture(autouse=True, scope="module")
def _small_pictures() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(import_sgm, "LAYOUTS", SMALL)
        yield


@pytest.fixture(scope="module")
def published() -> Published:
    torch.manual_seed(7)
    return Published().eval()


@pytest.fixture(scope="module")
def words() -> Published:
    torch.manual_seed(8)
    return Published(text=True).eval()


def _import(
    state: State, place: Path, options: ImportOptions | None = None, layout: str = "sgm-dreamitate"
) -> Path:
    save_file(state, str(place / "authors.safetensors"))
    import_checkpoint(place / "authors.safetensors", layout, place / "model", options or OPTIONS)
    return place / "model"


@pytest.fixture(scope="module")
def model(published: Published, tmp_path_factory: pytest.TempPathFactory) -> StereoVideoModel:
    return StereoVideoModel.load(_import(published.state(), tmp_path_factory.mktemp("authors")))


@torch.no_grad()
def test_the_imported_unet_gives_what_the_original_gives(model: StereoVideoModel, published: Published) -> None:
    told = model.encode(scenes(model.config, 2))
    assert not torch.equal(told.embeddings[:, 0], told.embeddings[:, -1])  # another for each view
    x, noise = noisy(model, 2), torch.tensor([1.2, -0.7])
    ours = model.network(x, noise, told)
    frames = x.shape[1]
    ids = torch.cat([sinusoids(told.ids[:, i], 8) for i in range(3)], -1)
    theirs = published.unet(
        torch.cat([x, told.latents], 2).flatten(0, 1),
        noise.repeat_interleave(frames),
        told.embeddings.flatten(0, 1),
        ids.repeat_interleave(frames, 0),
        frames,
    )
    assert theirs.std() > 0.01
    assert (ours.flatten(0, 1) - theirs).abs().max() < 1e-4


@torch.no_grad()
def test_the_imported_vae_gives_what_the_original_gives(model: StereoVideoModel, published: Published) -> None:
    pixels = torch.rand(2, 3, SIZE[1], SIZE[0], generator=torch.Generator().manual_seed(0)) * 2 - 1
    theirs = published.vae.encoder(pixels)
    assert (model.vae.encode(pixels).latent_dist.parameters - theirs).abs().max() < 1e-4
    latents = torch.randn(3, 4, 8, 16, generator=torch.Generator().manual_seed(1))
    ours = model.vae.decode(latents, num_frames=3).sample
    assert (ours - published.vae.decoder(latents, 3)).abs().max() < 1e-4


@torch.no_grad()
def test_the_imported_tower_gives_what_the_original_gives(model: StereoVideoModel, published: Published) -> None:
    pictures = scenes(model.config)
    pixels = clip_pixels(pictures[0].permute(0, 3, 1, 2).float() / 127.5 - 1, 32)
    ours = model.encode(pictures).embeddings[0, :, 0]
    views = [view for view, _ in model.config.layout]
    assert (ours - published.tower(pixels)[views]).abs().max() < 1e-4


@torch.no_grad()
def test_the_imported_text_tower_gives_what_the_original_gives(words: Published, tmp_path: Path) -> None:
    model = StereoVideoModel.load(_import(words.state(), tmp_path))
    assert model.config.conditioning == "text"
    tokens = model.tokenizer(
        ["pull it", "push"], padding="max_length", max_length=77, return_tensors="pt"
    ).input_ids
    ours = model.encode(scenes(model.config, 2), ["pull it", "push"]).embeddings[:, 0, 0]
    assert (ours - words.tower(tokens)).abs().max() < 1e-4


def test_exported_it_has_the_authors_names_and_weights(
    model: StereoVideoModel, published: Published, tmp_path: Path
) -> None:
    model.save(tmp_path / "model")
    export_checkpoint(tmp_path / "model", tmp_path / "back.safetensors")
    back, state = load_file(tmp_path / "back.safetensors"), published.state()
    assert set(state) <= set(back)
    assert all(torch.equal(back[name], state[name]) for name in state)
    beside = {name.split(".encoder.")[0] for name in set(back) - set(state)}
    assert beside == {"conditioner.embedders.3"}  # their code keeps the encoder of the condition apart


def test_a_model_made_here_survives_the_way_there_and_back(tmp_path: Path) -> None:
    model = StereoVideoModel.create(tiny("text", views=3), seed=2)
    model.set_scaling(0.7)
    model.save(tmp_path / "model")
    export_checkpoint(tmp_path / "model", tmp_path / "there.safetensors")
    done = import_checkpoint(tmp_path / "there.safetensors", "sgm-dreamitate", tmp_path / "back")
    again = StereoVideoModel.load(tmp_path / "back")
    assert again.config == done.config == model.config
    pictures, ids = scenes(model.config), replace(model.config.time_ids, augmentation=0.0)
    one, two = (m.encode(pictures, ["fold"], ids) for m in (model, again))
    assert torch.allclose(one.latents, two.latents, atol=1e-5)  # quant_conv was folded
    with torch.no_grad():
        x, sigma = noisy(model), torch.tensor([1.0])
        assert torch.equal(model.denoised(x, sigma, one), again.denoised(x, sigma, one))


def test_lightnings_pickle_of_tensors_is_read_under_whatever_wrapping(published: Published, tmp_path: Path) -> None:
    wrapped = {f"module.{name}": t for name, t in published.state().items()}
    torch.save({"state_dict": wrapped, "global_step": 16384, "loops": {"epoch": 3}}, tmp_path / "last.ckpt")
    done = import_checkpoint(tmp_path / "last.ckpt", "sgm-dreamitate", tmp_path / "model", OPTIONS)
    assert done.config.unet.widths == (32, 64)
    assert not done.left_out


def test_averaged_weights_are_taken_when_asked_for(published: Published, tmp_path: Path) -> None:
    state = published.state()
    trained = [name for name in state if name.startswith("model.diffusion_model.out")]
    for name in trained:
        state["model_ema." + name.removeprefix("model.").replace(".", "")] = state[name] + 1
    state["model_ema.num_updates"] = torch.tensor(5)
    model = StereoVideoModel.load(_import(state, tmp_path, replace(OPTIONS, ema=True)))
    assert torch.equal(model.unet.conv_out.bias, state["model.diffusion_model.out.2.bias"] + 1)
    assert torch.equal(model.unet.conv_in.bias, state["model.diffusion_model.input_blocks.0.0.bias"])
    (tmp_path / "plain").mkdir()
    with pytest.raises(DreamFileError, match="averaged"):
        _import(published.state(), tmp_path / "plain", replace(OPTIONS, ema=True))


def test_a_policys_action_decoder_is_left_out_and_told(words: Published, tmp_path: Path) -> None:
    state = words.state() | {"model.diffusion_model.pose_pred_net.final.weight": torch.zeros(3, 3)}
    save_file(state, str(tmp_path / "policy.safetensors"))
    done = import_checkpoint(tmp_path / "policy.safetensors", "sgm-videopolicy", tmp_path / "model", OPTIONS)
    assert done.left_out == {"model.diffusion_model.pose_pred_net": 1}
    assert (done.config.views, done.config.arrangement) == (3, "window")


def _drop(state: State) -> None:
    del state["model.diffusion_model.middle_block.1.time_stack.0.ff.net.2.bias"]


def _rename(state: State) -> None:
    state["first_stage_model.decoder.extra.weight"] = torch.zeros(2, 3)


def _reshape(state: State) -> None:
    state["model.diffusion_model.out.2.weight"] = torch.zeros(5, 32, 3, 3)


def _spoil(state: State) -> None:
    state["first_stage_model.encoder.conv_in.bias"][3] = torch.nan


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop, r"middle_block.1.time_stack.0.ff.net.2.bias 64 is missing"),
        (_rename, r"decoder.extra.weight 2x3 is not known"),
        (_reshape, r"out.2.weight is 5x32x3x3, expected 4x32x3x3"),
        (_spoil, r"encoder.conv_in.bias holds nan or inf"),
    ],
)
def test_what_does_not_fit_is_listed_and_nothing_is_written(
    published: Published, tmp_path: Path, change: Callable[[State], None], said: str
) -> None:
    state = published.state()
    change(state)
    with pytest.raises(DreamFileError, match=said):
        _import(state, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"authors.safetensors"}


def test_heads_that_do_not_divide_the_widths_are_asked_for(published: Published, tmp_path: Path) -> None:
    with pytest.raises(DreamFileError, match="--head-channels"):
        _import(published.state(), tmp_path, ImportOptions(head_channels=48))


def test_what_a_checkpoint_lacks_comes_from_a_base(published: Published, tmp_path: Path) -> None:
    bare = {name: t for name, t in published.state().items() if name.startswith("model.")}
    with pytest.raises(DreamFileError, match=r"vae and encoder.*--base"):
        _import(bare, tmp_path)
    base = StereoVideoModel.create(tiny())
    base.save(tmp_path / "base")
    model = StereoVideoModel.load(_import(bare, tmp_path, replace(OPTIONS, base=str(tmp_path / "base"))))
    assert model.config.vae == base.config.vae
    assert torch.equal(model.vae.decoder.conv_in.weight, base.vae.decoder.conv_in.weight)
    assert torch.equal(model.unet.conv_in.bias, bare["model.diffusion_model.input_blocks.0.0.bias"])


class Bomb:
    """Pickled, it writes a file as soon as it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return (exec, (f"open({str(self.place)!r}, 'w').close()",))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_hostile_checkpoint_is_refused_and_never_run(tmp_path: Path, legacy: bool) -> None:
    held = {"state_dict": {"a": torch.zeros(2)}, "callbacks": Bomb(tmp_path / "ran")}
    torch.save(held, tmp_path / "bad.ckpt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(DreamFileError, match="nothing of it was run") as error:
        import_checkpoint(tmp_path / "bad.ckpt", "sgm-dreamitate", tmp_path / "model")
    assert "weights_only" not in str(error.value)  # no advice to switch the protection off
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    with pytest.raises(DreamFileError):
        open_checkpoint(tmp_path / "bare.pt")
    assert {file.name for file in tmp_path.iterdir()} == {"bad.ckpt", "bare.pt"}


@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
@pytest.mark.parametrize("keep", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, suffix: str, keep: float) -> None:
    file = tmp_path / f"cut{suffix}"
    state = {f"w{i}": torch.randn(100) for i in range(20)}
    if suffix == ".ckpt":
        torch.save(state, file)
    else:
        save_file(state, str(file))
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DreamFileError, match=file.name):
        open_checkpoint(file)


@pytest.mark.parametrize("content", [b"", b"nothing like it", b"\x80\x04N.", b"PK\x03\x04junk"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    for suffix in (".ckpt", ".safetensors", ".bin"):
        (tmp_path / f"a{suffix}").write_bytes(content)
        with pytest.raises(DreamFileError):
            open_checkpoint(tmp_path / f"a{suffix}")
    with pytest.raises(DreamFileError, match="is not there"):
        open_checkpoint(tmp_path / "none.ckpt")
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(DreamFileError, match="onnx"):
        open_checkpoint(tmp_path / "model.onnx")


def test_what_an_exported_file_says_of_itself_is_checked(published: Published, tmp_path: Path) -> None:
    save_file(published.state(), str(tmp_path / "a.safetensors"), {"dreamdeck": '{"views": 99}'})
    with pytest.raises(DreamFileError, match="views"):
        import_checkpoint(tmp_path / "a.safetensors", "sgm-dreamitate", tmp_path / "model")


def test_export_names_a_folder_or_file_that_will_not_do(model: StereoVideoModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    with pytest.raises(DreamFileError, match="safetensors"):
        export_checkpoint(tmp_path / "model", tmp_path / "out.ckpt")
    with pytest.raises(DreamFileError, match=r"dreamdeck\.toml"):
        export_checkpoint(tmp_path / "none", tmp_path / "out.safetensors")


@pytest.mark.parametrize("config", [PUBLISHED, PUBLISHED_TEXT])
def test_the_published_size_is_recognised_by_its_names(config: VideoConfig, tmp_path: Path) -> None:
    with torch.device("meta"):
        parts = [build_unet(config), build_vae(config), build_encoder(config)]
    unet, vae, tower = (part.state_dict() for part in parts)
    shapes = {
        f"{prefix}{origins[name].name}": origins[name].shape(tuple(weight.shape))
        for prefix, origins, weights in (
            ("model.diffusion_model.", unet_origins(config.unet, unet), unet),
            ("first_stage_model.", vae_origins(config.vae, vae), vae),
            (TOWERS[config.conditioning], clip_origins(tower), tower),
        )
        for name, weight in weights.items()
    }
    file = CheckpointFile(tmp_path / "published.safetensors", shapes, {}, lambda _: torch.zeros(0))
    known = {
        "model.diffusion_model.label_emb.0.0.weight": (1280, 768),
        "model.diffusion_model.input_blocks.3.0.op.weight": (320, 320, 3, 3),
        "model.diffusion_model.input_blocks.8.1.time_stack.0.attn2.to_k.weight": (1280, 1024),
        "model.diffusion_model.middle_block.1.time_mixer.mix_factor": (1,),
        "model.diffusion_model.output_blocks.2.1.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.5.2.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.11.0.skip_connection.weight": (320, 640, 1, 1),
        "first_stage_model.encoder.mid.attn_1.q.weight": (512, 512, 1, 1),
        "first_stage_model.decoder.up.0.block.2.time_stack.out_layers.3.weight": (128, 128, 3, 1, 1),
        "first_stage_model.decoder.mid.block_1.mix_factor": (1,),
        f"{TOWERS[config.conditioning]}transformer.resblocks.3.attn.in_proj_weight": (
            3 * config.encoder.width,
            config.encoder.width,
        ),
    }
    assert {name: shapes.get(name) for name in known} == known
    assert sum(weight.numel() for weight in unet.values()) == 1_524_623_082
    kind, prefix = next(iter(sgm_shapes.tower_prefixes(file).items()))
    assert kind == config.conditioning
    assert sgm_shapes.unet_shape(file, sgm_shapes.unet_prefix(file), 64) == config.unet
    assert sgm_shapes.vae_shape(file, sgm_shapes.vae_prefix(file) or "") == config.vae
    assert sgm_shapes.tower_shape(file, kind, prefix, config.encoder) == config.encoder

"""A run ends with a model, goes on after anything as if nothing had been, and says what it cannot do."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, cast

import pytest
import torch
from PIL import Image as Picture
from safetensors.torch import load

from hardware.whole_file import write_whole
from models.training import checkpoint as files
from models.training.checkpoint import checkpoints_in, size_of
from models.training.config import ClipSettings, DataSettings, GallerySettings
from models.training.progress import TrainingError
from models.training.run_folder import read_metrics, read_run_config
from models.training.stage_run import StageRun
from models.video.config import VaeShape
from models.video.stereo import StereoVideoModel
from tests.models.data.sessions import new_session
from tests.models.training.tiny import MODEL, STEPS, Killed, Payload, Told, brief, killed, run, same, tiny

Wanted = Literal["run", "pause", "cancel"]
RENAME = os.rename


def curve(out: Path) -> list[tuple[object, object]]:
    rows = [(row["step"], cast(dict[str, float], row["values"])) for row in read_metrics(out)]
    return [(step, {k: v for k, v in values.items() if "samples_per_s" not in k}) for step, values in rows]


def names(out: Path) -> list[str]:
    return [path.name for path in checkpoints_in(out / "checkpoints")]


def last(out: Path) -> Path:
    return checkpoints_in(out / "checkpoints")[-1]


def log(out: Path) -> str:
    return (out / "log.txt").read_text()


@pytest.fixture
def copy(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of the undisturbed run."""
    shutil.copytree(undisturbed.parent, tmp_path / "copy")
    return tmp_path / "copy" / "run"


def test_a_run_leaves_a_model_curves_and_where_it_came_from(undisturbed: Path, demos: Path) -> None:
    assert [row["step"] for row in read_metrics(undisturbed)] == list(range(1, STEPS + 1))
    assert read_run_config(undisturbed) == tiny()
    told = json.loads((undisturbed / "provenance.json").read_text())
    assert told["data"]["folder"] == str(demos)
    assert (len(told["data"]["demos"]), len(told["data"]["held_out"])) == (3, 1)
    model = StereoVideoModel.load(last(undisturbed))
    assert model.config.vae.scaling != tiny().model.vae.scaling  # found for the picture coder that was trained
    assert next((undisturbed / "events").iterdir()).stat().st_size > 500


def test_a_run_that_is_killed_and_paused_goes_on_as_if_nothing_had_been(
    undisturbed: Path, demos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    for step in (0, 1):
        killed(lambda step=step: run(tiny(), demos, out, Told(step, "kill"), resume=True))  # type: ignore[misc]
    paused = run(tiny(), demos, out, Told(3, "pause"), resume=True)
    assert (paused.state, paused.step, paused.checkpoint) == ("paused", 3, last(out))
    done = run(tiny(), demos, out, resume=True)
    assert (done.state, done.step) == ("done", STEPS)
    assert same(last(out), last(undisturbed))
    assert curve(out) == curve(undisturbed)


def test_a_run_killed_while_it_saves_goes_on(
    undisturbed: Path, demos: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(last(copy))
    for there in (False, True):
        with monkeypatch.context() as patched:
            patched.setattr(files.os, "rename", lambda a, b, there=there: _die(a, b, there))
            killed(lambda: run(tiny(), demos, copy, resume=True))
        assert ("step_000004" in names(copy)) == there
    run(tiny(), demos, copy, resume=True)
    assert same(last(copy), last(undisturbed))
    assert not list((copy / "checkpoints").glob("*.part"))


def _die(source: Path, target: Path, there: bool) -> None:
    if there:
        RENAME(source, target)
    raise Killed


def test_a_truncated_checkpoint_is_left_out_and_said(undisturbed: Path, demos: Path, copy: Path) -> None:
    weights = last(copy) / "unet" / "diffusion_pytorch_model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    run(tiny(), demos, copy, resume=True)
    assert "step_000004 is left out" in log(copy)
    assert "goes on from step_000002" in log(copy)
    assert same(last(copy), last(undisturbed))
    assert curve(copy) == curve(undisturbed)


def test_what_does_not_learn_is_saved_twice_and_not_each_time(demos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(brief(steps=4), demos, out)
    first, second, third = checkpoints_in(out / "checkpoints")
    vae, unet = (f"{part}/diffusion_pytorch_model.safetensors" for part in ("vae", "unet"))
    assert os.path.samefile(first / vae, third / vae)
    assert not os.path.samefile(second / vae, third / vae)
    assert not os.path.samefile(first / unet, third / unet)
    assert size_of(first, third) < size_of(first) + size_of(third)
    os.truncate(first / vae, 100)  # which spoils the third too
    run(brief(steps=5), demos, out, resume=True)
    assert "step_000004 is left out: vae/" in log(out)
    assert "goes on from step_000003" in log(out)
    again = tmp_path / "again"
    run(brief(steps=5), demos, again)
    assert same(last(out), last(again))


@pytest.mark.parametrize("views", [1, 4])
def test_one_view_and_many_are_trained_and_dreamt(demos: Path, tmp_path: Path, views: int) -> None:
    base, out = brief(steps=1), tmp_path / "run"
    clip = ClipSettings(views=("top", "side", "side", "top")[:views])
    config = replace(base, model=replace(base.model, views=views), clip=clip)
    run(replace(config, gallery=GallerySettings(every=1, scenes=1, steps=1)), demos, out)
    assert StereoVideoModel.load(last(out)).config.views == views
    (sheet,) = (out / "gallery" / "step_000001").glob("*.png")
    assert Picture.open(sheet).size == (3 * 48, 2 * views * 32)  # what happened over what was dreamt


@pytest.mark.parametrize("coder", [replace(MODEL.vae, layers=1), VaeShape("tiny", (8, 8), layers=1)])
def test_a_small_picture_coder_goes_on_after_a_kill(coder: VaeShape, demos: Path, tmp_path: Path) -> None:
    base = tiny()
    thin = replace(base.model, vae=coder)
    config = replace(base, model=thin, vae=replace(base.vae, steps=3, crop=16), save=replace(base.save, every=1))
    whole, killed_run = tmp_path / "whole", tmp_path / "killed"
    last = run(config, demos, whole).checkpoint
    killed(lambda: run(config, demos, killed_run, Told(2, "kill")))
    again = run(config, demos, killed_run, resume=True).checkpoint
    assert last is not None
    assert again is not None
    assert same(last, again)


def test_a_run_of_damaged_checkpoints_alone_is_not_begun_anew(demos: Path, copy: Path) -> None:
    for checkpoint in checkpoints_in(copy / "checkpoints"):
        (checkpoint / "training" / "state.json").unlink()
    with pytest.raises(TrainingError, match="none of 3 checkpoints is whole"):
        run(tiny(), demos, copy, resume=True)


def test_a_finished_run_can_be_made_longer(demos: Path, copy: Path) -> None:
    assert run(tiny(), demos, copy, resume=True).step == STEPS
    assert run(tiny(steps=4), demos, copy, resume=True).step == STEPS + 1
    assert names(copy) == ["step_000002", "step_000004", "step_000005"]


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_weights(
    demos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = StageRun._one_batch

    def broken(self: StageRun) -> tuple[torch.Tensor, float | None]:
        loss, norm = batch(self)
        return (loss * float("nan") if self.draws >= 1 else loss), norm

    monkeypatch.setattr(StageRun, "_one_batch", broken)
    with pytest.raises(TrainingError, match=r"the loss is nan at step 2 .*learning_rate.*step_000001 is kept"):
        run(brief(), demos, tmp_path / "run")
    assert names(tmp_path / "run") == ["step_000001"]
    assert "the loss is nan" in log(tmp_path / "run")


def test_weights_that_are_no_numbers_are_never_saved(
    demos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = StageRun.step

    def spoilt(self: StageRun, k: int) -> dict[str, float]:
        values = step(self, k)
        next(iter(self.stage.parameters.values())).data.fill_(float("inf"))
        return values

    monkeypatch.setattr(StageRun, "step", spoilt)
    with pytest.raises(TrainingError, match=r"no number.*no checkpoint was saved yet"):
        run(brief(), demos, tmp_path / "run")
    assert names(tmp_path / "run") == []


def test_a_full_disk_stops_the_run_and_keeps_the_last_checkpoint(
    demos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: str | bytes) -> None:
        if "step_000002" in str(path):
            raise OSError(28, "No space left on device")
        write_whole(path, data)

    monkeypatch.setattr(files, "write_whole", full)
    with pytest.raises(TrainingError, match=r"No space left.*step_000001 is kept: go on with --resume"):
        run(brief(), demos, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step_000001"]


def gpu_is_full() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


def computer_is_full() -> None:
    torch.empty(2**50)  # more than any computer has


def test_a_run_that_would_fill_the_disk_does_not_begin(
    demos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**5))
    with pytest.raises(TrainingError, match=r"training with 3 checkpoints needs .* GB of disk"):
        run(brief(), demos, tmp_path / "run")
    assert not (tmp_path / "run" / "config.toml").exists()


@pytest.mark.parametrize("full", [gpu_is_full, computer_is_full])
def test_memory_that_runs_out_is_told_with_ways_out(
    demos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: Callable[[], None]
) -> None:
    def out_of_memory(*_: object) -> None:
        full()

    monkeypatch.setattr(StageRun, "_one_batch", out_of_memory)
    with pytest.raises(TrainingError, match=r"not enough memory.*train\.batch=2.*gradient_checkpointing.*bf16"):
        run(brief(batch=4), demos, tmp_path / "run")


def test_a_run_does_not_go_on_with_other_cameras_rate_or_layout(undisturbed: Path, demos: Path) -> None:
    before, base = sorted(undisturbed.rglob("*")), tiny()
    for changed, words in (
        (replace(base, model=replace(base.model, fps=5.0)), "model.fps: 5.0, the run's is 6.0"),
        (replace(base, model=replace(base.model, length=4)), "model.length: 4, the run's is 3"),
        (replace(base, clip=ClipSettings(views=("side", "top"))), "clip.views"),
    ):
        with pytest.raises(TrainingError, match=words):
            run(changed, demos, undisturbed, resume=True)
    assert sorted(undisturbed.rglob("*")) == before


def test_a_run_is_not_written_over(undisturbed: Path, demos: Path) -> None:
    with pytest.raises(TrainingError, match="there is a run already"):
        run(tiny(), demos, undisturbed)


def test_demos_that_changed_are_refused_by_name_or_accepted_on_purpose(demos: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "session", tmp_path / "run"
    shutil.copytree(demos, data)
    run(brief(), data, out, Told(1))
    shutil.rmtree(sorted((data / "episodes").iterdir())[0])
    with pytest.raises(TrainingError, match=r"not the demos that the run began with.*is gone"):
        run(brief(), data, out, resume=True)
    accepted = replace(brief(), data=DataSettings(held_out=1, changed="accept"))
    assert run(accepted, data, out, resume=True).state == "done"
    assert "goes on with other demos" in log(out)


def test_demos_that_go_while_it_trains_are_told_and_it_goes_on(demos: Path, tmp_path: Path) -> None:
    class Thief(Told):
        def control(self) -> Wanted:
            if self.heard and self.heard[-1].step == 1:
                shutil.rmtree(data / "episodes", ignore_errors=True)
            return "run"

    data, out = tmp_path / "session", tmp_path / "run"
    shutil.copytree(demos, data)
    assert run(brief(), data, out, Thief()).state == "done"
    assert "the demos changed since it began" in log(out)


def test_two_programs_do_not_train_in_one_folder(demos: Path, tmp_path: Path) -> None:
    class Second(Told):
        def control(self) -> Wanted:
            with pytest.raises(TrainingError, match="another program trains in it"):
                run(brief(), demos, tmp_path / "run", resume=True)
            return "cancel"

    assert run(brief(), demos, tmp_path / "run", Second()).step == 0


def test_held_out_scenes_are_dreamt_beside_what_happened(demos: Path, tmp_path: Path) -> None:
    told, out = Told(), tmp_path / "run"
    run(replace(tiny(steps=1), gallery=GallerySettings(every=1, scenes=1, steps=2)), demos, out, told)
    folders = sorted((out / "gallery").iterdir())
    assert [folder.name for folder in folders] == ["step_000001", "step_000002"]
    values = json.loads((folders[-1] / "metrics.json").read_text())
    held = json.loads((out / "provenance.json").read_text())["data"]["held_out"]
    assert [scene["demo"] for scene in values["scenes"]] == held
    assert {"psnr", "ssim", "still_psnr"} <= values["mean"].keys()
    assert (folders[-1] / values["scenes"][0]["picture"]).stat().st_size > 100
    assert any(progress.pictures for progress in told.heard)
    noted = {name for row in read_metrics(out) for name in cast(dict[str, float], row["values"])}
    assert {"held_out/video/loss", "held_out/vae/psnr", "video/loss"} <= noted


def test_a_run_starts_from_what_another_one_made(undisturbed: Path, demos: Path, tmp_path: Path) -> None:
    start = last(undisturbed)
    run(replace(brief(steps=1, trainable="attention"), start=str(start)), demos, tmp_path / "run")
    before, after = StereoVideoModel.load(start), StereoVideoModel.load(last(tmp_path / "run"))
    own = dict(after.named_parameters())
    changed = {name for name, p in before.named_parameters() if not torch.equal(p, own[name])}
    assert changed
    assert all(".attn" in name for name in changed)
    assert after.config.vae.scaling == before.config.vae.scaling


def test_a_start_of_another_build_is_refused(undisturbed: Path, demos: Path, tmp_path: Path) -> None:
    base = brief()
    other = replace(base, start=str(last(undisturbed)), model=replace(base.model, length=4))
    with pytest.raises(ValueError, match=r"model\.length: is 3; the config has 4"):
        run(other, demos, tmp_path / "run")


def test_a_hostile_start_is_refused_and_never_run(undisturbed: Path, demos: Path, tmp_path: Path) -> None:
    start, mark = tmp_path / "start", tmp_path / "executed"
    shutil.copytree(last(undisturbed), start)
    weights = start / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(ValueError, match="unet"):
        run(replace(brief(), start=str(start)), demos, tmp_path / "run")
    weights.rename(weights.with_suffix(".bin"))  # where plain diffusers reads pickles
    with pytest.raises(ValueError, match="safetensors"):
        run(replace(brief(), start=str(start)), demos, tmp_path / "other")
    assert not mark.exists()


def test_latents_that_a_bad_disk_changed_are_made_again(demos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(brief(), demos, out, Told(1))
    kept = {path: load(path.read_bytes()) for path in (tmp_path / "cache" / "latents").rglob("*.safetensors")}
    for path in kept:
        data = bytearray(path.read_bytes())
        data[-1] ^= 0xFF
        path.write_bytes(data)
    run(brief(), demos, out, resume=True)
    assert len(kept) == 3
    for path, before in kept.items():
        assert all(torch.equal(value, before[name]) for name, value in load(path.read_bytes()).items())


def test_too_few_demos_are_refused_with_what_is_needed(tmp_path: Path) -> None:
    data = new_session(tmp_path / "session", 1, 24)
    with pytest.raises(ValueError, match=r"1 can be used.*data\.held_out"):
        run(brief(), data, tmp_path / "run")


def test_demos_of_other_tasks_are_left_out(demos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"of task 'rotation'"):
        run(replace(brief(), clip=ClipSettings(task="sweeping")), demos, tmp_path / "run")

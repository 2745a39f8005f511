"""A checkpoint is whole or not there, a damaged one is left out, and nothing in one is ever executed."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from models.training import checkpoint as files
from models.training.checkpoint import (
    checkpoints_in,
    newest_whole,
    problem_of,
    prune,
    read_tensors,
    save_checkpoint,
)
from models.training.progress import TrainingError
from tests.models.training.tiny import Payload


def model(folder: Path) -> None:
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "config.json").write_text("{}")
    (folder / "dreamdeck.toml").write_text("views = 2\n")


def saved(folder: Path, step: int) -> Path:
    folder.mkdir(exist_ok=True)
    return save_checkpoint(folder, step, model, {"optimizer": {"a/step": torch.ones(3)}}, {"draws": 7})


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path, 5)
    assert problem_of(checkpoint) == ""
    assert torch.equal(read_tensors(checkpoint, "optimizer")["a/step"], torch.ones(3))
    assert files.read_state(checkpoint)["draws"] == 7


@pytest.mark.parametrize("name", ["training/optimizer.safetensors", "training/state.json", "unet/config.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_checkpoint_is_left_out_and_the_one_before_it_is_taken(
    tmp_path: Path, name: str, damage: str
) -> None:
    good, bad = saved(tmp_path, 5), saved(tmp_path, 10)
    path, data = bad / name, (bad / name).read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else bytes([data[0] ^ 1]) + data[1:])
    told: list[str] = []
    assert newest_whole(tmp_path, told.append) == good
    assert len(told) == 1
    assert "step_000010" in told[0]


@pytest.mark.parametrize(
    "name", ["unet/diffusion_pytorch_model.bin", "training/optimizer.safetensors", "training/a.pkl"]
)
def test_a_hostile_checkpoint_is_never_executed(tmp_path: Path, name: str) -> None:
    checkpoint, mark = saved(tmp_path / "checkpoints", 5), tmp_path / "executed"
    (checkpoint / name).write_bytes(pickle.dumps(Payload(mark)))
    # its list of files says that all is well
    state = json.loads((checkpoint / "training/state.json").read_text())
    state["files"] = {key: files._described(path) for key, path in files._files(checkpoint).items()}
    (checkpoint / "training/state.json").write_text(json.dumps(state))
    if name.endswith(".safetensors"):
        with pytest.raises(ValueError, match="optimizer"):
            read_tensors(checkpoint, "optimizer")
    else:
        assert "no file of a checkpoint" in problem_of(checkpoint)
    assert not mark.exists()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = saved(tmp_path, 5)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "save_file", full)
    with pytest.raises(TrainingError, match=r"step 10 could not be saved.*No space left"):
        saved(tmp_path, 10)
    assert list(tmp_path.iterdir()) == [good]


def test_a_disk_that_is_nearly_full_is_said_before(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(TrainingError, match="GB are free; make room"):
        files.require_room(tmp_path, free + 10**9, "training")


def test_old_checkpoints_go_and_milestones_stay(tmp_path: Path) -> None:
    for step in range(1, 8):
        newest = saved(tmp_path, step)
    prune(tmp_path, 2, 3, newest)
    assert [path.name for path in checkpoints_in(tmp_path)] == [f"step_{step:06d}" for step in (3, 6, 7)]


def test_what_a_killed_save_left_is_taken_away(tmp_path: Path) -> None:
    good = saved(tmp_path, 5)
    for name in ("step_000010.part", ".step_000010.part.part", ".step_000002.gone"):
        (tmp_path / name / "unet").mkdir(parents=True)
    assert newest_whole(tmp_path) == good
    files.tidy(tmp_path)
    assert list(tmp_path.iterdir()) == [good]

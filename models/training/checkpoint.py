"""Checkpoints: a diffusers directory with `training/` in it, whole or not there; nothing in it is ever executed.

step_000500/
    dreamdeck.toml, unet/, vae/, ...     the model, as plain diffusers loads its parts
    training/*.safetensors               optimizer, averaged weights
    training/state.json                  step and such, size and sha256 of every other file; written last
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.text_files import read_table, to_json
from models.training.progress import TrainingError

TRAINING, STATE = "training", "state.json"
SUFFIXES = (".safetensors", ".json", ".toml", ".txt")
_NAME = re.compile(r"step_(\d{6,})")
_ROOM = 1.05  # of what is to be written
Tensors = Mapping[str, torch.Tensor]


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder by step, whole or not."""
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []
    return sorted(found, key=step_of)


def step_of(checkpoint: Path) -> int:
    """Return the step in a checkpoint's name."""
    return int(checkpoint.name.partition("_")[2])


def newest_whole(folder: Path, say: Callable[[str], None] = lambda _: None) -> Path | None:
    """Return the newest checkpoint that is whole; say what is wrong with those that are newer."""
    for checkpoint in reversed(checkpoints_in(folder)):
        problem = problem_of(checkpoint)
        if not problem:
            return checkpoint
        say(f"{checkpoint.name} is left out: {problem}; the one before it is taken")
    return None


def problem_of(checkpoint: Path) -> str:
    """Return what is wrong with a checkpoint, "" where it is just as it was saved. No tensor is read."""
    try:
        files = read_state(checkpoint).get("files")
    except DreamFileError as error:
        return str(error)
    if not isinstance(files, dict):
        return f"{STATE}: it does not list the files"
    there = _files(checkpoint)
    for name in sorted(set(files) ^ set(there)):
        return f"{name} is missing" if name in files else f"{name} was not saved with it"
    for name, noted in files.items():
        if Path(name).suffix not in SUFFIXES:
            return f"{name} is no file of a checkpoint; valid: {', '.join(SUFFIXES)}"
        if noted != _described(there[name]):
            return f"{name} is not as it was saved ({there[name].stat().st_size} bytes)"
    return ""


def as_saved(checkpoint: Path, part: str) -> bool:
    """Whether the files of a folder in a checkpoint are just those that were saved."""
    files = read_state(checkpoint).get("files")
    noted = {name: file for name, file in files.items() if _inside(name, part)} if isinstance(files, dict) else {}
    there = {name: path for name, path in _files(checkpoint).items() if _inside(name, part)}
    return bool(noted) and noted.keys() == there.keys() and all(noted[n] == _described(there[n]) for n in noted)


def read_state(checkpoint: Path) -> dict[str, object]:
    """Return the state of a checkpoint. Raises DreamFileError."""
    return read_table(checkpoint / TRAINING / STATE)


def read_tensors(checkpoint: Path, name: str) -> dict[str, torch.Tensor]:
    """Return the tensors of `training/NAME.safetensors`, on the CPU. Raises DreamFileError."""
    path = checkpoint / TRAINING / f"{name}.safetensors"
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise DreamFileError(path, "file", str(error), "tensors that this program saved") from error


def save_checkpoint(
    folder: Path,
    step: int,
    write_model: Callable[[Path], None],
    tensors: Mapping[str, Tensors],
    state: Mapping[str, object],
) -> Path:
    """Save a checkpoint and return it; write_model makes the folder it is given.

    Raises TrainingError; what was there is there still."""
    target, part = folder / f"step_{step:06d}", folder / f"step_{step:06d}.part"
    _remove(part)
    try:
        write_model(part)
        (part / TRAINING).mkdir()
        for name, values in tensors.items():
            save_file(
                {k: v.detach().cpu().contiguous() for k, v in values.items()},
                part / TRAINING / f"{name}.safetensors",
            )
        files = {name: _described(path) for name, path in _files(part).items()}
        write_whole(part / TRAINING / STATE, to_json({"format": 1, "step": step, **state, "files": files}))
        _to_disk(part)
        _remove(target)  # only one that is not whole, or is being made again
        os.rename(part, target)
        _sync(folder)
    except (OSError, SafetensorError, DreamFileError) as error:
        _remove(part)
        raise TrainingError(f"the checkpoint of step {step} could not be saved: {error}") from error
    return target


def prune(folder: Path, keep_last: int, keep_every: int, newest: Path) -> list[Path]:
    """Take old checkpoints away and return which; `newest`, the one that is known to be whole, always stays."""
    found = checkpoints_in(folder)
    kept = {newest, *found[-keep_last:]}
    gone = [c for c in found if c not in kept and not (keep_every and step_of(c) % keep_every == 0)]
    for checkpoint in gone:
        aside = checkpoint.with_name(f".{checkpoint.name}.gone")
        os.rename(checkpoint, aside)  # a kill half way leaves no half checkpoint
        _remove(aside)
    return gone


def tidy(folder: Path) -> None:
    """Take away what a killed run left half done."""
    if folder.is_dir():
        for left in (*folder.glob("step_*.part"), *folder.glob(".step_*")):
            _remove(left)


def size_of(*checkpoints: Path) -> int:
    """Return their bytes; a file that they share counts once."""
    found = [path.stat() for checkpoint in checkpoints for path in checkpoint.rglob("*") if path.is_file()]
    return sum({file.st_ino: file.st_size for file in found}.values())


def require_room(folder: Path, needed: int, what: str) -> None:
    """Raise TrainingError where the disk has not so many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed * _ROOM:
        raise TrainingError(
            f"{folder}: {what} needs {needed * _ROOM / 1e9:.2f} GB of disk and {free / 1e9:.2f} GB are free; make "
            "room, keep fewer checkpoints (save.keep_last), or choose another folder"
        )


def _inside(name: str, part: str) -> bool:
    return name.startswith(f"{part}/")


def _files(checkpoint: Path) -> dict[str, Path]:
    """All files but the state, by their place in the checkpoint."""
    found = {str(path.relative_to(checkpoint)): path for path in sorted(checkpoint.rglob("*")) if not path.is_dir()}
    found.pop(f"{TRAINING}/{STATE}", None)
    return found


def _described(path: Path) -> dict[str, object]:
    with open(path, "rb") as file:
        return {"bytes": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _to_disk(folder: Path) -> None:
    for path in (*(p for p in folder.rglob("*")), folder):
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)

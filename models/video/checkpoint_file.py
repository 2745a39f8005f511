"""Reads other programs' checkpoints: tensors by name and nothing else. Whatever a file wants run is refused."""

import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from models.data.errors import DreamFileError

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")
WRAPPERS = ("state_dict", "module", "model")  # where trainers keep the weights beside other things
PREFIXES = ("module.", "_forward_module.")  # what parallel trainers put before every name


@dataclass(frozen=True)
class CheckpointFile:
    """Tensors by name, read when asked for. about: the text that a safetensors file carries."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    about: Mapping[str, str]
    tensor: Callable[[str], torch.Tensor]

    def wrong(self, field: str, problem: str, valid: str = "") -> DreamFileError:
        return DreamFileError(self.path, field, problem, valid)


def open_checkpoint(path: Path) -> CheckpointFile:
    """Return a checkpoint's tensors. Raises DreamFileError for a file that is broken or holds anything but tensors.

    A .ckpt is a pickle: it is read with PyTorch's restricted reader, which makes tensors and plain values only.
    """
    if not path.is_file():
        raise DreamFileError(path, "checkpoint", "is not there", "a checkpoint's file")
    if path.suffix.lower() not in SUFFIXES:
        raise DreamFileError(
            path, "checkpoint", f"is a {path.suffix or 'file without suffix'}", ", ".join(SUFFIXES)
        )
    return _safetensors(path) if path.suffix.lower() == ".safetensors" else _pickled(path)


def _safetensors(path: Path) -> CheckpointFile:
    try:
        file = safe_open(str(path), "pt")
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        about = dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise DreamFileError(path, "checkpoint", f"cannot be read: {error}", "a whole safetensors file") from error
    names = _plain_names(shapes)
    return CheckpointFile(
        path, {ours: shapes[theirs] for ours, theirs in names.items()}, about, lambda n: file.get_tensor(names[n])
    )


def _pickled(path: Path) -> CheckpointFile:
    try:
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        problem = "holds more than tensors, or is broken; nothing of it was run"
        raise DreamFileError(path, "checkpoint", f"{problem} ({_reason(error)})", _VALID) from error
    except MemoryError:
        raise
    except Exception as error:  # a broken pickle can fail in any way
        raise DreamFileError(path, "checkpoint", f"cannot be read: {_reason(error)}", _VALID) from error
    tensors = _tensors(path, held)
    names = _plain_names(tensors)
    shapes = {ours: tuple(tensors[theirs].shape) for ours, theirs in names.items()}
    return CheckpointFile(path, shapes, {}, lambda name: tensors[names[name]])


_VALID = "a whole checkpoint of tensors and plain values; a .safetensors file is best"


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # torch's own message advises to switch the protection off: only what it met is passed on
    met = [line for line in lines if "GLOBAL" in line or "Unsupported" in line]
    return (met or lines or [type(error).__name__])[0][:200]


def _tensors(path: Path, held: object) -> dict[str, torch.Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(held, Mapping) and isinstance(held.get(wrapper), Mapping):
            held = held[wrapper]
    found = {k: v for k, v in held.items() if isinstance(v, torch.Tensor)} if isinstance(held, Mapping) else {}
    if not found or not all(isinstance(name, str) for name in found):
        raise DreamFileError(path, "checkpoint", "holds no tensors by name", "a checkpoint of a whole model")
    return found


def _plain_names(names: Mapping[str, object]) -> dict[str, str]:
    """Return names without what a trainer put before all of them -> names in the file."""
    plain = {name: name for name in names}
    for prefix in PREFIXES:
        if plain and all(name.startswith(prefix) for name in plain):
            plain = {name[len(prefix) :]: original for name, original in plain.items()}
    return plain

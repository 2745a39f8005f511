"""What is to be dreamt, as it travels to the worker process, and where each candidate goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.dreams.scene import Scene
from app.worker import OUT_OF_MEMORY
from models.data.dream_folder import is_dream_folder
from models.data.errors import DreamFileError
from models.video.sample_options import Precision, SampleOptions

JOB = "app.dreams.dream_job:dream_scene"
WAY_OUT = "decode fewer frames together (decode chunk 1), take float16, or a smaller model"


@dataclass(frozen=True, eq=False)
class DreamOrder:
    """One scene, dreamt by one model.

    model: a folder; out: the dream folder, or of several candidates the folder of theirs; name: what the dreams are
    called; device "": a GPU where there is one; precision None: float16 on a GPU, else float32; preview: a PNG that
    shows each step as it is done.
    """

    model: Path
    scene: Scene
    out: Path
    name: str
    options: SampleOptions = field(default_factory=SampleOptions)
    device: str = ""
    precision: Precision | None = None
    compiled: bool = False
    preview: Path | None = None

    def folder(self, number: int) -> Path:
        """Return where a candidate goes."""
        return self.out if self.options.candidates == 1 else self.out / f"seed-{self.options.seed + number}"

    @property
    def finished(self) -> tuple[Path, ...]:
        """The candidates that are there, whole."""
        folders = (self.folder(number) for number in range(self.options.candidates))
        return tuple(folder for folder in folders if is_dream_folder(folder))


@dataclass(frozen=True)
class Dreamt:
    """A candidate that was written. seconds by stage: load, encode, denoise, decode, write."""

    folder: Path
    seed: int
    seconds: Mapping[str, float]


def refuse_taken(out: Path) -> None:
    """Raise DreamFileError where something is at `out` already."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DreamFileError(out, "folder", "exists and is not empty", "a new or an empty folder")


def memory_told(problem: str) -> str:
    """Return what went wrong in the worker with the way out that dreams have, where memory may be why."""
    return problem.replace(OUT_OF_MEMORY, f"if memory is short, {WAY_OUT}")

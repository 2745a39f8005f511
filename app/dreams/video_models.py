"""The video models that a person can dream with: shipped, trained in this workspace, imported."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.workspace import Workspace
from models.data.errors import DreamFileError
from models.training.run_folder import CHECKPOINTS
from models.video.config import VideoConfig
from models.video.config_file import NAME, read_config

SHIPPED = Path(__file__).parents[2] / "assets" / "checkpoints"
_STEP = re.compile(r"step_(\d{6,})")
Origin = Literal["shipped", "trained", "imported"]


@dataclass(frozen=True)
class VideoModel:
    """A model folder. name: for a person; config: None where `problem` says why it cannot be read."""

    path: Path
    name: str
    origin: Origin
    config: VideoConfig | None = None
    problem: str = ""

    @property
    def about(self) -> str:
        """Such as "shipped · 2 views · 13 frames of 192x128"."""
        if self.config is None:
            return f"{self.origin} · {self.problem}"
        width, height = self.config.size
        return f"{self.origin} · {self.config.views} views · {self.config.length} frames of {width}x{height}"


def video_models(workspace: Workspace, others: Sequence[Path] = (), shipped: Path = SHIPPED) -> list[VideoModel]:
    """Return the shipped models, the newest checkpoint of every training here, and the imported ones.

    Imported are the folders of WORKSPACE/models and `others`. A folder whose config is broken is there with its
    problem.
    """
    found = [
        *((path, path.name, "shipped") for path in _folders(shipped)),
        *((path, f"{path.parents[1].name} · {path.name}", "trained") for path in _newest(workspace.trainings)),
        *((path, path.name, "imported") for path in (*_folders(workspace.root / "models"), *others)),
    ]
    return [_read(path, name, origin) for path, name, origin in found]  # type: ignore[arg-type]


def _folders(parent: Path) -> list[Path]:
    return sorted(path.parent for path in parent.glob(f"*/{NAME}"))


def _newest(trainings: Path) -> Iterator[Path]:
    """The newest checkpoint of each run, the run that was written last first."""
    runs = [path for path in trainings.glob(f"*/{CHECKPOINTS}") if path.is_dir()]
    for run in sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True):
        newest = max(_checkpoints(run), default=None)
        if newest is not None:
            yield newest[1]


def _checkpoints(run: Path) -> Iterable[tuple[int, Path]]:
    named = ((_STEP.fullmatch(path.name), path) for path in run.iterdir())
    return [(int(match[1]), path) for match, path in named if match and (path / NAME).is_file()]


def _read(path: Path, name: str, origin: Origin) -> VideoModel:
    try:
        return VideoModel(path, name, origin, read_config(path))
    except (DreamFileError, OSError) as error:
        return VideoModel(path, name, origin, problem=str(error))

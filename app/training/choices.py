"""What a new training can be made of: the data sets of the workspace, the configs that come with the program."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.data.dataset_index import session_rows
from models.data.errors import DreamFileError
from models.data.session_demo import sessions_in
from models.training.config import TrainConfig, read_config

CONFIGS = Path(__file__).parents[2] / "assets" / "configs"


@dataclass(frozen=True)
class DataSet:
    """A folder of demos. tasks: how many of each, the most frequent first; failed: how many of them are labelled as
    failures."""

    path: Path
    name: str
    tasks: Mapping[str, int]
    failed: Mapping[str, int]

    @property
    def demos(self) -> int:
        return sum(self.tasks.values())

    def usable(self, task: str, successes_only: bool) -> int:
        """Return how many demos of a task ("": of all) can be trained on."""
        tasks = [task] if task else list(self.tasks)
        return sum(self.tasks.get(t, 0) - (self.failed.get(t, 0) if successes_only else 0) for t in tasks)

    @property
    def about(self) -> str:
        """Such as "100 demos · push-shape", for a person."""
        names = [
            f"{task or 'no task'} {count}" if len(self.tasks) > 1 else task for task, count in self.tasks.items()
        ]
        shown = ", ".join(filter(None, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        count = "1 demo" if self.demos == 1 else f"{self.demos} demos"
        failed = sum(self.failed.values())
        return " · ".join(filter(None, [count, shown, f"{failed} failed" if failed else ""])) if self.tasks else ""


def data_set(folder: Path, name: str = "") -> DataSet:
    """Return what a folder holds: a session, a folder of sessions, or a data set of another format, whose demos
    are not counted. Raises OSError."""
    try:
        sessions = sessions_in(folder)
    except ValueError:  # EpisodeFileError: another program's data set, which the training itself opens
        return DataSet(folder, name or folder.name, {}, {})
    rows = [row for session in sessions for row in session_rows(session) if row.usable]
    tasks, failed = Counter(row.task for row in rows), Counter(row.task for row in rows if row.success is False)
    return DataSet(folder, name or folder.name, dict(tasks.most_common()), failed)


def data_sets(recordings: Path) -> list[DataSet]:
    """Return all recordings together, then each session, the newest first; those without demos are left out."""
    if not recordings.is_dir():
        return []
    found = []
    for folder in sorted(recordings.iterdir(), reverse=True):
        try:
            if (folder / "episodes").is_dir() and (one := data_set(folder)).demos:
                found.append(one)
        except OSError:
            continue
    if len(found) < 2:
        return found
    tasks: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for one in found:
        tasks.update(one.tasks)
        failed.update(one.failed)
    return [DataSet(recordings, "All recordings", dict(tasks.most_common()), failed), *found]


def starts(configs: Path = CONFIGS) -> dict[str, str]:
    """Return what a new training can begin from: configs by name, in words, the smallest first."""
    files = sorted(configs.glob("*.toml"), key=lambda file: ("small" not in file.stem, file.stem))
    return {file.stem: _description(file) for file in files}


def start_config(name: str, configs: Path = CONFIGS) -> TrainConfig:
    """Return the config of that name. Raises DreamFileError."""
    if name not in starts(configs):
        raise DreamFileError(configs, "config", f"{name!r} is unknown", ", ".join(starts(configs)))
    return read_config(configs / f"{name}.toml")


def _description(file: Path) -> str:
    """The first words of its first comment."""
    with file.open(encoding="utf-8") as lines:
        first = lines.readline()
    words = first.removeprefix("#").split(":")[0].strip() if first.startswith("#") else ""
    return words or file.stem.replace("_", " ")


def free_folder(parent: Path, title: str, taken: Sequence[Path] = ()) -> Path:
    """Return a folder that is not there yet, named after a title."""
    safe = (
        "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in title.lower()).strip("-")[:48]
        or "run"
    )
    names = (safe if not k else f"{safe}-{k + 1}" for k in range(10_000))
    return next(parent / name for name in names if not (parent / name).exists() and parent / name not in taken)

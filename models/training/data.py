"""The clips that a run sees: which demos, which of them are held out, and a key that changes with their content."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hardware.recording.note import EpisodeFileError
from models.data.clips import StereoClip
from models.data.clips_dataset import StereoClips, StereoSample
from models.data.clips_pictures import FittedPictures
from models.data.demo import Demo
from models.data.errors import DreamFileError
from models.data.exchange_sources import open_demos
from models.data.frame_cache import FrameCache, frames_key
from models.data.masks_goals import recorded_goals
from models.data.steps import marked_steps
from models.training.config import TrainConfig

LARGEST_CACHE = 200 * 2**30  # bytes of fitted pictures


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip: the `number`-th of a demo. key: of its content and form, 64 hexadecimal digits."""

    demo: str
    number: int
    key: str
    clips: StereoClips

    @property
    def name(self) -> str:
        """Fit to be a file's name."""
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in self.demo)[:48]
        return f"{safe}_{self.number}"

    def sample(self) -> StereoSample:
        """Return its pictures. Raises as `Demo.pictures`."""
        return self.clips[self.number]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """train, held_out: their clips; demos: the key of each by name; left_out: why others are not among them."""

    train: tuple[Clip, ...]
    held_out: tuple[Clip, ...]
    demos: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Changes with what is trained on."""
        return hashlib.sha256(json.dumps(sorted(self.demos.items())).encode()).hexdigest()


def read_data(folder: Path, config: TrainConfig, cache: Path) -> TrainingData:
    """Return the clips of a data set of any format that can be read; cache: where pictures are kept.

    Demos that cannot be used are left out and named. Raises DreamFileError where too few are left.
    """
    try:
        demos = open_demos(folder)
    except EpisodeFileError as error:
        raise DreamFileError(folder, "data", str(error)) from error
    pictures = FittedPictures(FrameCache(cache / "frames", LARGEST_CACHE))
    clips: dict[str, list[Clip]] = {}
    left_out: list[str] = []
    for demo in demos:
        problem = _unwanted(demo, config)
        if not problem:
            try:
                clips[demo.id] = list(_clips_of(demo, config, pictures))
            except (ValueError, KeyError, EpisodeFileError) as error:
                problem = str(error)
        if problem:
            left_out.append(f"{demo.id}: {problem}")
    return _split(folder, config, clips, left_out)


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return in words which demos came, went or changed; keys by name."""
    rows = [f"{name} is new" for name in now if name not in before]
    rows += [f"{name} is gone" for name in before if name not in now]
    return rows + [f"{name} changed" for name in before if name in now and before[name] != now[name]]


def _unwanted(demo: Demo, config: TrainConfig) -> str:
    if config.clip.task and demo.labels.task != config.clip.task:
        return f"of task {demo.labels.task!r}"
    failed = config.data.successes_only and demo.labels.success is False
    return "labelled as failed (data.successes_only=false takes it)" if failed else ""


def _clips_of(demo: Demo, config: TrainConfig, pictures: FittedPictures) -> Iterator[Clip]:
    recipe = config.recipe
    goals = recorded_goals if recipe.goal is not None else None
    clips = StereoClips([demo], recipe, pictures, goals=goals, steps=marked_steps)
    digest = hashlib.sha256(_key_of(demo, recipe).encode())
    for view, mask in sorted(recorded_goals(demo).items()) if goals else ():
        digest.update(view.encode() + mask.tobytes())
    for number in range(len(clips)):
        key = hashlib.sha256(f"{digest.hexdigest()} {number}".encode()).hexdigest()
        yield Clip(demo.id, number, key, clips)


def _key_of(demo: Demo, recipe: StereoClip) -> str:
    cameras = [name for name, stream in demo.streams.items() if stream.kind == "camera"]
    views = recipe.views or tuple(cameras[: recipe.cameras])
    text = demo.labels.instruction if recipe.conditioning == "text" else ""
    return json.dumps([*(frames_key(demo, view, repr(recipe)) for view in views), repr(marked_steps(demo)), text])


def _split(
    folder: Path, config: TrainConfig, clips: Mapping[str, Sequence[Clip]], left_out: Sequence[str]
) -> TrainingData:
    """Hold demos out by a digest of their names, so that new demos move few of the others."""
    held = config.data.held_out
    if len(clips) <= held:
        why = f"; left out: {'; '.join(left_out[:3])}" if left_out else ""
        valid = f"more demos than the {held} that are held out (data.held_out)"
        raise DreamFileError(folder, "demos", f"{len(clips)} can be used{why}", valid)
    order = sorted(clips, key=lambda name: hashlib.sha256(f"{config.seed} {name}".encode()).digest())
    keys = {name: hashlib.sha256("".join(c.key for c in clips[name]).encode()).hexdigest() for name in clips}
    chosen = set(order[:held])
    return TrainingData(
        tuple(clip for name in clips if name not in chosen for clip in clips[name]),
        tuple(clip for name in order[:held] for clip in clips[name]),
        keys,
        tuple(left_out),
    )

"""Several dreams of one scene: what is known of each, and the folders that they lie in.

WORKSPACE/dreams/push-shape-20261121-233000/     a batch
    batch.json                                   which of its candidates a person keeps
    seed-7/, seed-8/ ..                          dream folders
"""

import json
import logging
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.dreams.document import DreamDocument
from app.dreams.plan_making import plan_dream
from app.dreams.ranking import Figures, figures_of
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import ArmLimits, Image, Plan
from hardware.whole_file import write_whole
from models.data.dream_folder import is_dream_folder
from models.data.text_files import to_json
from models.types import Dream, Track

BATCH, FORMAT = "batch.json", 1
BATCHES_KEPT = 3  # whose candidates can still be looked at, kept or not
State = Literal["waiting", "dreaming", "tracking", "planning", "ready", "failed"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PlanFor:
    """What plans are made for: as `plan_dream` takes it."""

    rig: Rig
    limits: Mapping[str, ArmLimits] | None = None
    q_start: Mapping[str, Array] | None = None
    give_way: float | None = None


@dataclass(frozen=True, eq=False)
class Candidate:
    """One dream of a batch. picture (H, W, 3): of its middle, in the first view; planned_for: what `plan` was made
    for; problem: why it failed, or why there is no plan."""

    seed: int
    folder: Path
    state: State = "waiting"
    picture: Image | None = None
    dream: Dream | None = None
    track: Track | None = None
    plan: Plan | None = None
    planned_for: PlanFor | None = None
    figures: Figures | None = None
    kept: bool = False
    problem: str = ""

    @property
    def over(self) -> bool:
        return self.state in ("ready", "failed")

    @property
    def dreamt(self) -> bool:
        """Whether it can be opened."""
        return is_dream_folder(self.folder)


@dataclass(frozen=True, eq=False)
class LookedAt:
    """What came out of looking at a dream that is there: `look_at`."""

    dream: Dream
    picture: Image
    track: Track | None
    plan: Plan | None
    figures: Figures


def look_at(folder: Path, track: Track | None, plan_for: PlanFor) -> LookedAt:
    """Keep a new track in its dream's folder (None: take the one that is there), and plan it. Takes seconds.

    Raises DreamFileError, OSError.
    """
    document = DreamDocument(folder)
    if track is not None:
        document.put_track(track)
    dream, track = document.dream, document.track
    view = dream.views[0]
    picture: Image = view.frames[len(dream) // 2]
    if track is None:
        return LookedAt(dream, picture, None, None, Figures(problem="it was not tracked"))
    plan, problem = _planned(document, track, plan_for)
    figures = figures_of(track, plan, document.trim, view.camera.size[0], problem)
    return LookedAt(dream, picture, track, plan, figures)


def _planned(document: DreamDocument, track: Track, given: PlanFor) -> tuple[Plan | None, str]:
    try:
        made = plan_dream(
            document.dream,
            track,
            document.trim,
            given.rig,
            limits=given.limits,
            q_start=given.q_start,
            give_way=given.give_way,
        )
    except ValueError as error:
        return None, str(error)
    except Exception as error:
        log.exception("planning a candidate failed")
        return None, f"{type(error).__name__}: {error}"
    return made, ""


class Batches:
    """The batches of a workspace's dreams. Raises OSError where the disk does not let it."""

    def __init__(self, dreams: Path) -> None:
        self._dreams = dreams

    def new(self, name: str) -> Path:
        """Make the folder of another batch."""
        stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        names = (stem if n == 1 else f"{stem}-{n}" for n in range(1, 1000))
        folder = next(path for n in names if not (path := self._dreams / n).exists())
        folder.mkdir(parents=True)
        self._write(folder, ())
        return folder

    def all(self) -> tuple[Path, ...]:
        """Every batch, the newest first."""
        found = [file for file in self._dreams.glob(f"*/{BATCH}") if file.is_file()]
        return tuple(f.parent for f in sorted(found, key=lambda f: (_made(f), f.parent.name), reverse=True))

    def folders(self, batch: Path) -> Mapping[int, Path]:
        """Return the dreams of a batch by seed, rising."""
        seeds = {_seed(path): path for path in batch.glob("seed-*") if is_dream_folder(path)}
        return {seed: seeds[seed] for seed in sorted(s for s in seeds if s is not None)}

    def kept(self, batch: Path) -> frozenset[int]:
        """Return the seeds that a person keeps; none where the note cannot be read."""
        try:
            seeds = json.loads((batch / BATCH).read_text(encoding="utf-8"))["kept"]
            return frozenset(int(seed) for seed in seeds)
        except (OSError, ValueError, TypeError, KeyError):
            log.warning("%s: it cannot be read; all of its candidates are kept", batch / BATCH)
            return frozenset(self.folders(batch))

    def keep(self, batch: Path, seed: int, kept: bool = True) -> None:
        """Keep a candidate for good, or only as long as its batch is one of the newest."""
        before = self.kept(batch)
        self._write(batch, before | {seed} if kept else before - {seed})

    def prune(self) -> None:
        """Delete what nobody keeps of all but the newest batches."""
        for batch in self.all()[BATCHES_KEPT:]:
            kept = self.kept(batch)
            for seed, folder in self.folders(batch).items():
                if seed not in kept:
                    shutil.rmtree(folder)
            if not self.folders(batch):
                shutil.rmtree(batch)

    def _write(self, batch: Path, kept: Iterable[int]) -> None:
        # when it was made stays what it was: batches are in that order
        made = _made(batch / BATCH) or time.time()
        write_whole(batch / BATCH, to_json({"format": FORMAT, "made": made, "kept": sorted(kept)}))


def _made(file: Path) -> float:
    try:
        return float(json.loads(file.read_text(encoding="utf-8"))["made"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0.0


def _seed(folder: Path) -> int | None:
    number = folder.name.removeprefix("seed-")
    return int(number) if number.isdecimal() else None

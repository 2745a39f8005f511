"""The pictures that a run drew of scenes it never saw (models/training/gallery.py): which there are, one step's."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from hardware.types import Image
from models.training.run_folder import GALLERY

METRICS = "metrics.json"
DREAMT, COPIED, SHOWN = "dreamt", "copied", "what happened"
MOST_SCENES, LARGEST = 64, 64 * 2**20
_STEP = re.compile(r"step_(\d{1,9})")


@dataclass(frozen=True, eq=False)
class DreamtScene:
    """A held-out scene. rows: by what they show, the pictures (H, W, 3) one after the other, all views beside each
    other; metrics: by name."""

    name: str
    rows: Mapping[str, tuple[Image, ...]]
    metrics: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Dreams:
    """What a run drew at a step; metrics: the mean over its scenes."""

    folder: Path
    step: int
    scenes: tuple[DreamtScene, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


def gallery_steps(run: Path) -> tuple[int, ...]:
    """Return the steps of which the pictures are all there, rising."""
    try:
        names = [(entry.name, entry) for entry in (run / GALLERY).iterdir()]
    except OSError:
        return ()
    found = ((_STEP.fullmatch(name), entry) for name, entry in names)
    return tuple(sorted(int(match[1]) for match, entry in found if match and (entry / METRICS).is_file()))


def read_dreams(run: Path, step: int, config: Mapping[str, object]) -> Dreams:
    """Return what was drawn at a step; a picture that cannot be read is left out.

    config: the run's, by "section.field"; without one a sheet is shown as it is.
    """
    found = [p for p in (run / GALLERY).glob("step_*") if (m := _STEP.fullmatch(p.name)) and int(m[1]) == step]
    if not found:
        return Dreams(run, step)
    try:
        table = json.loads((found[0] / METRICS).read_text(encoding="utf-8"))
        rows = [row for row in table.get("scenes", ()) if isinstance(row, dict)]
        mean = _numbers(table.get("mean"))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return Dreams(run, step)
    views, length = _whole(config, "model.views"), _whole(config, "model.length")
    drawn = COPIED if step <= _whole(config, "vae.steps", 0) else DREAMT
    scenes = []
    for row in rows[:MOST_SCENES]:
        sheet = _picture(found[0] / Path(str(row.get("picture", ""))).name)
        if sheet is not None:
            shown, dreamt = cut(sheet, views, length)
            frames = {SHOWN: shown, drawn: dreamt} if dreamt else {drawn: shown}
            scenes.append(
                DreamtScene(_name(row), frames, _numbers({k: v for k, v in row.items() if k != "number"}))
            )
    return Dreams(run, step, tuple(scenes), mean)


def cut(sheet: Image, views: int, length: int) -> tuple[tuple[Image, ...], tuple[Image, ...]]:
    """Return what happened and what was dreamt, each picture all views beside each other.

    A sheet has for each view a row of the one over a row of the other, time to the right; one of another form comes
    whole.
    """
    height, width = sheet.shape[:2]
    if views < 1 or length < 1 or height < 2 * views or width < length:
        return (sheet,), ()
    tops = np.linspace(0, height, 2 * views + 1).round().astype(int)
    lefts = np.linspace(0, width, length + 1).round().astype(int)
    tall, wide = int(np.diff(tops).min()), int(np.diff(lefts).min())

    def picture(row: int, t: int) -> Image:
        return sheet[tops[row] : tops[row] + tall, lefts[t] : lefts[t] + wide]

    def film(first: int) -> tuple[Image, ...]:
        return tuple(np.hstack([picture(2 * v + first, t) for v in range(views)]) for t in range(length))

    return film(0), film(1)


def _picture(file: Path) -> Image | None:
    try:
        if file.stat().st_size > LARGEST:
            return None
        found = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None
    return np.ascontiguousarray(found[..., ::-1]) if found is not None else None


def _name(row: Mapping[str, object]) -> str:
    number = row.get("number")
    return f"demo {str(row.get('demo', ''))[:8]}" + (
        f" · step {int(number) + 1}" if isinstance(number, int) and number else ""
    )


def _numbers(values: object) -> dict[str, float]:
    if not isinstance(values, Mapping):
        return {}
    return {str(k): float(v) for k, v in values.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _whole(config: Mapping[str, object], name: str, default: int = -1) -> int:
    value = config.get(name, default)
    return value if isinstance(value, int) else default

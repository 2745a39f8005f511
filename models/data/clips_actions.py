"""The motion of a demo at control rate, and the actions that a policy learns from it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, interpolate, inverse, rotation_from_quaternion, rotation_vector, transform
from hardware.types import require
from hardware.whole_file import write_whole
from models.data.clips import ActionRecipe, nearest
from models.data.demo import Demo, DemoStreamKind
from models.data.fields import Fields
from models.data.text_files import read_table, to_json

_GRID_SLACK_S = 1e-6


@dataclass(frozen=True, eq=False)
class Controls:
    """A demo at control steps. t (N,) [s]; T_ref_gripper (N, 4, 4); opening (N,) [m]; force (N,) [N]; given (N, C),
    the demo's own action; None for what the recipe does not ask for, nan where it is not known."""

    t: Array
    T_ref_gripper: Array | None = None
    opening: Array | None = None
    force: Array | None = None
    given: Array | None = None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(N,) steps at which everything asked for is known."""
        fine = np.ones(len(self.t), bool)
        for values in (self.T_ref_gripper, self.opening, self.force, self.given):
            if values is not None:
                fine &= np.isfinite(values.reshape(len(fine), -1)).all(axis=1)
        return fine


def controls(demo: Demo, cameras: Sequence[str], rate_hz: float, recipe: ActionRecipe | None) -> Controls:
    """Return a demo at control rate, from where every stream has begun to where the first one ends.

    Raises KeyError, ValueError for a stream that is not there.
    """
    streams = _streams(demo, recipe) if recipe else {}
    all_times = [demo.times(name) for name in (*cameras, *streams.values())]
    if any(len(times) == 0 for times in all_times):
        return Controls(np.zeros(0))
    start, end = max(times[0] for times in all_times), min(times[-1] for times in all_times)
    t = start + np.arange(max(0, math.floor((end - start + _GRID_SLACK_S) * rate_hz) + 1)) / rate_hz
    if recipe is None or not len(t):
        return Controls(t)
    found = {what: (demo.times(name), demo.values(name)) for what, name in streams.items()}
    return Controls(
        t,
        _poses(*found["pose"], t, recipe.max_gap_s) if "pose" in found else None,
        _numbers(*found["opening"], t, recipe.max_gap_s)[:, 0] if "opening" in found else None,
        _numbers(*found["force"], t, recipe.max_gap_s)[:, 0] if "force" in found else None,
        _held(*found["given"], t, recipe.max_gap_s) if "given" in found else None,
    )


def actions(recipe: ActionRecipe, motion: Controls, start: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return the actions (steps, k) of a window and which of them (steps,) are the demo's own.

    The others lie beyond its end: they repeat its last pose, opening and force.
    """
    last = len(motion.t) - 1
    offset = 0 if recipe.parts == ("given",) else recipe.offset
    step = start + offset + np.arange(recipe.steps)
    at = np.minimum(step, last)
    if motion.given is not None:
        return motion.given[at], step <= last
    before = np.full(recipe.steps, start) if recipe.relative_to == "current" else np.minimum(step - 1, last)
    before = np.maximum(before, start)
    return np.concatenate(list(_columns(recipe, motion, at, before)), axis=1), step <= last


def _columns(
    recipe: ActionRecipe, motion: Controls, at: NDArray[np.int64], before: NDArray[np.int64]
) -> Iterable[Array]:
    T = motion.T_ref_gripper
    T_before_at = inverse(T[before]) @ T[at] if T is not None else None
    for part in recipe.parts:
        if T_before_at is not None and part == "position":
            yield T_before_at[:, :3, 3]
        elif T_before_at is not None and part == "rotation_6d":
            yield rotation_6d(T_before_at[:, :3, :3])
        elif T_before_at is not None and part == "rotation_vector":
            yield rotation_vector(T_before_at[:, :3, :3])
        elif motion.opening is not None and part == "opening":
            yield (motion.opening[at] - motion.opening[before])[:, None]
        elif motion.opening is not None and part == "opening_absolute":
            yield motion.opening[at][:, None]
        elif motion.force is not None and part == "force":
            yield motion.force[at][:, None]


def rotation_6d(R: Array) -> Array:
    """Return the first two columns (..., 6) of rotations (..., 3, 3), one after the other (Zhou et al. 2019)."""
    return np.asarray(np.swapaxes(R[..., :2], -1, -2).reshape(*R.shape[:-2], 6))


def rotation_from_6d(values: Array) -> Array:
    """Return rotations (..., 3, 3) of six numbers (..., 6), made orthonormal (Gram-Schmidt, Zhou et al. 2019)."""
    a, b = values[..., :3], values[..., 3:]
    x = a / np.linalg.norm(a, axis=-1, keepdims=True)
    y = b - np.sum(x * b, axis=-1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


@dataclass(frozen=True, eq=False)
class ActionRange:
    """What normalises actions: lowest and highest (k,) of a dataset, by the names (k,) of the numbers; count: of
    actions that were looked at. It goes into the checkpoint."""

    names: tuple[str, ...]
    low: Array
    high: Array
    count: int = 0

    def __post_init__(self) -> None:
        k = (len(self.names),)
        require(self.low.shape == self.high.shape == k, f"range: {self.low.shape}, {self.high.shape}; valid: {k}")
        require(bool((self.low <= self.high).all()), "range: low is above high; valid: finite, low <= high")

    def normalised(self, values: Array) -> Array:
        """Return actions (..., k) from -1 to 1; a number that never changes becomes 0."""
        span = self.high - self.low
        return np.asarray(np.where(span > 0, 2 * (values - self.low) / np.where(span > 0, span, 1) - 1, 0.0))

    def real(self, normalised: Array) -> Array:
        """Return actions (..., k) in their own units."""
        return np.asarray(self.low + (normalised + 1) / 2 * (self.high - self.low))

    @staticmethod
    def over(names: tuple[str, ...], rows: Iterable[Array]) -> "ActionRange":
        """Look at actions (n, k) of windows. Raises ValueError where there are none."""
        low, high, count = np.full(len(names), np.inf), np.full(len(names), -np.inf), 0
        for values in rows:
            if len(values):
                low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
                count += len(values)
        require(count > 0, "range: no demo has an action; valid: at least one whole window")
        return ActionRange(names, low, high, count)

    def save(self, path: Path) -> None:
        """Write it as JSON. Raises OSError."""
        values = {"names": list(self.names), "low": self.low.tolist(), "high": self.high.tolist()}
        write_whole(path, to_json({"format": 1, "count": self.count, **values}))


def load_action_range(path: Path) -> ActionRange:
    """Read what `ActionRange.save` wrote. Raises DreamFileError naming file and field."""
    fields = Fields(read_table(path), path)
    names = tuple(str(name) for name in fields.get("names", list, "a list of names"))
    low, high = (fields.array(key, (len(names),), f"{len(names)} numbers") for key in ("low", "high"))
    if (low > high).any():
        raise fields.wrong("low", "is above high", "low <= high")
    return ActionRange(names, low, high, int(fields.number("count", "a number", 0)))


def _streams(demo: Demo, recipe: ActionRecipe) -> dict[str, str]:
    """Return which stream says what the recipe asks for."""
    if recipe.parts == ("given",):
        return {"given": _stream(demo, recipe.given, ("action",))}
    found = {}
    if any(part in recipe.parts for part in ("position", "rotation_6d", "rotation_vector")):
        found["pose"] = _stream(demo, recipe.pose, ("track", "pose"))
    if any(part in recipe.parts for part in ("opening", "opening_absolute")):
        found["opening"] = _stream(demo, recipe.opening, ("opening",))
    if "force" in recipe.parts:
        found["force"] = _stream(demo, recipe.force, ("force",))
    return found


def _stream(demo: Demo, name: str, kinds: tuple[DemoStreamKind, ...]) -> str:
    """Return the named stream, else the only one of the first kind that the demo has."""
    by_kind = {kind: [s.name for s in demo.streams.values() if s.kind == kind] for kind in kinds}
    if name:
        found = any(name in names for names in by_kind.values())
        require(found, f"{demo.id}: no stream {name!r}; valid: {by_kind}")
        return name
    there = next((names for names in by_kind.values() if names), [])
    require(
        len(there) == 1, f"{demo.id}: actions need one stream of {list(kinds)}; it has {there or 'none'}; name it"
    )
    return there[0]


def _between(times: Array, t: Array, max_gap_s: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return the samples before and after each time and how far between them (nan: too far apart)."""
    after = np.clip(np.searchsorted(times, t - _GRID_SLACK_S), 0, len(times) - 1)
    before = np.where(times[after] <= t + _GRID_SLACK_S, after, np.maximum(after - 1, 0))
    gap = times[after] - times[before]
    share = np.where(gap > 0, (t - times[before]) / np.where(gap > 0, gap, 1), 0.0)
    away = np.minimum(np.abs(t - times[before]), np.abs(times[after] - t))
    return before, after, np.where((gap > max_gap_s) | (away > max_gap_s), np.nan, np.clip(share, 0, 1))


def _numbers(times: Array, values: Array, t: Array, max_gap_s: float) -> Array:
    before, after, share = _between(times, t, max_gap_s)
    return np.asarray(values[before] * (1 - share[:, None]) + values[after] * share[:, None])


def _held(times: Array, values: Array, t: Array, max_gap_s: float) -> Array:
    """Commands are not mixed: the nearest one counts."""
    at = nearest(times, t)
    return np.where((np.abs(times[at] - t) > max_gap_s)[:, None], np.nan, values[at])


def _poses(times: Array, values: Array, t: Array, max_gap_s: float) -> Array:
    before, after, share = _between(times, t, max_gap_s)
    known = np.asarray(np.isfinite(values).all(axis=1), bool)
    fine = known[before] & known[after] & np.isfinite(share)
    whole = np.where(known[:, None], values, [0, 0, 0, 0, 0, 0, 1])
    T = transform(rotation_from_quaternion(whole[:, [6, 3, 4, 5]]), whole[:, :3])
    between = interpolate(T[before], T[after], np.nan_to_num(share))
    return np.where(fine[:, None, None], between, np.nan)

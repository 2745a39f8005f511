"""robomimic, RoboCasa and LIBERO demonstrations: HDF5 files, read only."""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from models.data.demo import POSE_COLUMNS, Demo, DemoLabels, DemoStream, DemoStreamKind
from models.data.errors import DreamFileError
from models.data.exchange import (
    MAX_EPISODES,
    MAX_NUMBERS,
    MAX_PIXELS,
    FileDemo,
    PlainNames,
    Samples,
    guarded,
    poses,
    steady,
)

SUFFIXES = (".hdf5", ".h5")
RATE_HZ = 20.0  # robosuite's control rate, where the file says none
MAX_TEXT = 16 * 2**20
MAX_CHUNK = 2**28
_lock = threading.Lock()  # HDF5's own library is not made for several threads at once


def read_hdf5(path: Path) -> list[Demo]:
    """Return the demonstrations of a file; numbers and pictures are read when they are asked for.

    `mask/` filters become tags, RoboCasa's `lang` and LIBERO's `language_instruction` the instruction. Pictures are
    given as they are stored, upside down where the simulator wrote them so. Raises DreamFileError.
    """
    with _opened(path) as file:
        return guarded(path, lambda: _demos(path, file))


@dataclass(frozen=True)
class _Found:
    """A dataset of a demo: place in the file, shape, and whether it holds pictures."""

    place: str
    shape: tuple[int, ...]
    picture: bool


def _demos(path: Path, file: h5py.File) -> list[Demo]:
    data = _group(path, file, "data")
    rate, text = _rate(path, data), _libero_text(data)
    tags = _filters(path, file)
    names = sorted((n for n in data if re.fullmatch(r"demo_\d{1,9}", n)), key=lambda n: int(n[5:]))
    if not 0 < len(names) <= MAX_EPISODES:
        raise DreamFileError(
            path, "data", f"{len(names)} demonstrations", f"1 to {MAX_EPISODES}, as demo_0, demo_1 .."
        )
    return [_demo(path, _group(path, data, name), name, rate, text, tags.get(name, ())) for name in names]


def _demo(path: Path, group: h5py.Group, name: str, rate: float, text: str, tags: tuple[str, ...]) -> Demo:
    found = {**_datasets(path, group), **_datasets(path, _group(path, group, "obs"), "obs/")} \
        if "obs" in group else _datasets(path, group)  # fmt: skip
    rows = {place.shape[0] for key, place in found.items() if key == "actions"} or {
        place.shape[0] for place in found.values()
    }
    if not found or len(rows) != 1:
        raise DreamFileError(path, f"data/{name}", "holds no actions and no observations", "actions, obs/..")
    (count,) = rows
    kept = {key: place for key, place in found.items() if place.shape[0] == count}
    streams, images = {}, {}
    names, prefix = PlainNames(), f"data/{name}/"
    for key, place in kept.items():
        plain = names.make(key.removeprefix("obs/"))
        if place.picture:
            streams[plain] = DemoStream(plain, "camera", rate, (place.shape[2], place.shape[1]))
            images[plain] = _Pictures(path, prefix + key)
        else:
            kind: DemoStreamKind = "action" if key == "actions" else "arm"
            columns = tuple(str(k) for k in range(int(np.prod(place.shape[1:])) if len(place.shape) > 1 else 1))
            streams[plain] = DemoStream(plain, kind, rate, None, columns)
    arms = [n.removesuffix("_eef_pos") for n in streams if n.endswith("_eef_pos")]
    eefs = {names.make(f"{arm}_eef"): arm for arm in arms if f"{arm}_eef_quat" in streams}
    streams |= {eef: DemoStream(eef, "pose", rate, None, POSE_COLUMNS, "m", "world") for eef in eefs}
    numbers = {n: prefix + k for n, k in zip(streams, kept, strict=False) if streams[n].kind != "camera"}
    return FileDemo(
        f"{path.stem}.{name}",
        DemoLabels(path.stem, _lang(path, group) or text, tags=tags),
        streams,
        max(0, count - 1) / rate,
        {"path": str(path), "format": "robomimic HDF5", "episode": name},
        lambda: _samples(
            path, numbers, eefs, [s.name for s in streams.values() if s.kind == "camera"], count, rate
        ),
        images,
    )


def _samples(
    path: Path, numbers: Mapping[str, str], eefs: Mapping[str, str], cameras: Sequence[str], count: int, rate: float
) -> Mapping[str, Samples]:
    t = steady(count, rate)
    with _opened(path) as file:
        found = {name: guarded(path, lambda p=place: _numbers(path, file, p)) for name, place in numbers.items()}  # type: ignore[misc]
    for eef, arm in eefs.items():
        found[eef] = poses(found[f"{arm}_eef_pos"], found[f"{arm}_eef_quat"])
    return {
        **{name: Samples(t, values) for name, values in found.items()},
        **{name: Samples(t, np.zeros((count, 0))) for name in cameras},
    }


def _numbers(path: Path, file: h5py.File, place: str) -> Array:
    values = np.asarray(_dataset(path, file, place)[()], float)
    return values.reshape(len(values), -1)


class _Pictures:
    """The pictures of one camera of one demo."""

    def __init__(self, path: Path, place: str) -> None:
        self._path, self._place = path, place

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        with _opened(self._path) as file:
            return guarded(self._path, lambda: self._read(file, indices))

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        return iter(())

    def _read(self, file: h5py.File, indices: Sequence[int]) -> NDArray[np.uint8]:
        dataset = _dataset(self._path, file, self._place)
        return np.stack([dataset[k] for k in indices]).astype(np.uint8)


# the file


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    with _lock:
        file = guarded(path, lambda: h5py.File(path, "r", locking=False))
        try:
            yield file
        finally:
            file.close()


def _group(path: Path, parent: h5py.Group, name: str) -> h5py.Group:
    found = _child(path, parent, name)
    if not isinstance(found, h5py.Group):
        raise DreamFileError(path, name, "is missing or no group", "data/demo_N/{actions, obs/..}")
    return found


def _child(path: Path, parent: h5py.Group, name: str) -> object:
    """Return what lies there; a link to another file is not followed."""
    link = parent.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise DreamFileError(path, f"{parent.name}/{name}", "is a link", "data in the file itself")
    return parent[name]


def _datasets(path: Path, group: h5py.Group, prefix: str = "") -> dict[str, _Found]:
    found = {}
    for name in group:
        child = _child(path, group, name)
        if not isinstance(child, h5py.Dataset) or not child.shape or child.dtype.kind not in "fiub":
            continue
        _check(path, child)
        picture = len(child.shape) == 4 and child.shape[3] == 3 and child.dtype == np.uint8
        if picture and not 0 < child.shape[1] * child.shape[2] <= MAX_PIXELS:
            raise DreamFileError(
                path, child.name, f"pictures of {child.shape[1:3]}", f"at most {MAX_PIXELS} pixels"
            )
        flat = int(np.prod(child.shape, dtype=object))
        if picture or (flat <= MAX_NUMBERS and len(child.shape) <= 2):
            found[prefix + name] = _Found(prefix + name, tuple(child.shape), picture)
    return found


def _dataset(path: Path, file: h5py.File, place: str) -> h5py.Dataset:
    parent, _, name = place.rpartition("/")
    group = file
    for part in parent.split("/"):
        group = _group(path, group, part)
    found = _child(path, group, name)
    if not isinstance(found, h5py.Dataset):
        raise DreamFileError(path, place, "is missing", "a data set")
    _check(path, found)
    return found


def _check(path: Path, dataset: h5py.Dataset) -> None:
    """Refuse what would read another file or make room for what is not there."""
    if dataset.is_virtual or dataset.external:
        raise DreamFileError(path, dataset.name, "keeps its data in another file", "data in the file itself")
    chunk = np.prod(dataset.chunks or (1,), dtype=object) * dataset.dtype.itemsize
    if chunk > MAX_CHUNK:
        raise DreamFileError(path, dataset.name, f"has pieces of {chunk} bytes", f"at most {MAX_CHUNK}")
    if dataset.chunks is None and dataset.id.get_storage_size() < dataset.nbytes and dataset.nbytes > MAX_CHUNK:
        raise DreamFileError(path, dataset.name, f"claims {dataset.nbytes} bytes", "a complete file")


def _text(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text[:MAX_TEXT] if isinstance(text, str) else ""


def _json(value: object) -> Mapping[str, object]:
    try:
        found = json.loads(_text(value) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _lang(path: Path, group: h5py.Group) -> str:
    return str(_json(group.attrs.get("ep_meta")).get("lang", ""))[:2000]


def _libero_text(data: h5py.Group) -> str:
    told = _json(data.attrs.get("problem_info")).get("language_instruction", "")
    return (" ".join(map(str, told)) if isinstance(told, list) else str(told)).strip('"')[:2000]


def _rate(path: Path, data: h5py.Group) -> float:
    inner = _json(data.attrs.get("env_args")).get("env_kwargs")
    rate = inner.get("control_freq") if isinstance(inner, Mapping) else None
    return float(rate) if isinstance(rate, int | float) and 0.1 <= rate <= 1000 else RATE_HZ


def _filters(path: Path, file: h5py.File) -> Mapping[str, tuple[str, ...]]:
    """Return demo -> the names of the filters that have it."""
    if "mask" not in file:
        return {}
    found: dict[str, list[str]] = {}
    mask = _group(path, file, "mask")
    for name in sorted(mask):
        child = _child(path, mask, name)
        if isinstance(child, h5py.Dataset) and len(child.shape or ()) == 1 and child.shape[0] <= MAX_EPISODES:
            _check(path, child)
            for demo in child[()]:
                found.setdefault(_text(demo), []).append(name)
    return {demo: tuple(names) for demo, names in found.items()}

"""Reads 3MF (core specification 1.3; colours of its materials extension): geometry, placement, unit and colours.

trimesh reads 3MF too, but drops its colours and expands nested components without a limit, which a small hostile
file turns into any amount of memory.
"""

import xml.etree.ElementTree as ET
import zipfile
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.mesh_guard import MAX_FACES
from hardware.types import Image, require

MAX_DEPTH = 16
MAX_OTHERS = 100_000  # elements that are neither vertices nor triangles: they take time and mean nothing here
PLAIN = (255, 255, 255)
_UNITS = {"micron": 1e-6, "millimeter": 1e-3, "centimeter": 1e-2, "inch": 0.0254, "foot": 0.3048, "meter": 1.0}
_Rgb = tuple[int, int, int]


@dataclass(eq=False)
class _Object:
    """vertices (V, 3) and faces (F, 3) in the file's unit, rgb (F, 3); parts: other objects with their matrix."""

    vertices: Array
    faces: NDArray[np.int64]
    rgb: Image
    coloured: bool
    parts: list[tuple[str, Array]] = field(default_factory=list)


def read_3mf(path: Path) -> tuple[Array, NDArray[np.int64], Image | None, float]:
    """Return vertices (V, 3) in the file's unit, faces (F, 3), one colour a face or None, and the unit in metres.

    Raises ValueError naming file and field. The file was guarded before (hardware/mesh_guard.py).
    """
    try:
        with zipfile.ZipFile(path) as package:
            name = next((n for n in package.namelist() if n.lower().lstrip("/") == "3d/3dmodel.model"), None)
            name = name or next((n for n in package.namelist() if n.lower().endswith(".model")), None)
            require(name is not None, f"{path}: 3D/3dmodel.model: is missing")
            with package.open(str(name)) as stream:
                return _Reader(path).read(_PlainXml(path, stream))
    except (
        zipfile.BadZipFile,
        ET.ParseError,
        OSError,
        RuntimeError,
        NotImplementedError,
        KeyError,
        EOFError,
    ) as error:
        raise ValueError(f"{path}: 3dmodel.model: cannot be read ({error})") from error


class _PlainXml:
    """A stream that refuses a document type: 3MF forbids it, and entities in it can grow without end."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self._path, self._stream, self._tail = path, stream, b""

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(min(size, 1 << 20) if size > 0 else 1 << 20)
        seen = (self._tail + block).replace(b"\0", b"")  # UTF-16 too
        if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
            raise ValueError(f"{self._path}: 3dmodel.model: has a document type; valid: plain XML")
        self._tail = seen[-16:]
        return block


class _Reader:
    """Takes the document element by element and keeps none of them, so that only numbers cost memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._objects: dict[str, _Object] = {}
        self._colours: dict[str, list[_Rgb]] = {}
        self._items: list[tuple[str, Array]] = []
        self._unit = "millimeter"
        self._group: list[_Rgb] = []
        self._open: dict[str, str] = {}
        self._begin()

    def read(self, stream: _PlainXml) -> tuple[Array, NDArray[np.int64], Image | None, float]:
        above: list[ET.Element] = []
        others = 0
        for event, element in ET.iterparse(stream, events=("start", "end")):
            tag = element.tag.rpartition("}")[2]
            if event == "start":
                others += tag not in ("vertex", "triangle")
                require(
                    others <= MAX_OTHERS, f"{self._path}: 3dmodel.model: over {MAX_OTHERS} elements beside the mesh"
                )
                self._start(tag, element)
                above.append(element)
                require(len(above) <= 64, f"{self._path}: 3dmodel.model: elements nested over 64 deep")
            else:
                above.pop()
                self._end(tag, element)
                if above:
                    del above[-1][:]
        require(self._unit in _UNITS, f"{self._path}: unit: {self._unit!r}; valid: one of {list(_UNITS)}")
        return self._built()

    def _begin(self) -> None:
        self._vertices, self._faces = array("d"), array("d")
        self._rgb, self._coloured = bytearray(), False
        self._parts: list[tuple[str, Array]] = []

    def _start(self, tag: str, element: ET.Element) -> None:
        if tag == "model":
            self._unit = element.get("unit", "millimeter")
        elif tag in ("basematerials", "colorgroup"):
            self._group = self._colours.setdefault(element.get("id", ""), [])
        elif tag == "object":
            self._begin()
            self._open = dict(element.attrib)

    def _end(self, tag: str, element: ET.Element) -> None:
        if tag == "vertex":
            self._vertices.extend(self._numbers(element, ("x", "y", "z")))
        elif tag == "triangle":
            self._faces.extend(self._numbers(element, ("v1", "v2", "v3")))
            rgb = self._rgb_of(element)
            self._rgb += bytes(rgb or PLAIN)
            self._coloured = self._coloured or rgb is not None
        elif tag in ("base", "color"):
            self._group.append(_colour(element))
        elif tag == "component":
            self._parts.append((element.get("objectid", ""), self._matrix(element)))
        elif tag == "item":
            self._items.append((element.get("objectid", ""), self._matrix(element)))
        elif tag == "object":
            self._objects[self._open.get("id", "")] = self._object()

    def _object(self) -> _Object:
        faces = np.array(self._faces)
        require(
            bool(np.isfinite(faces).all() and (np.abs(faces) < 2**31).all()), f"{self._path}: triangle: v1, v2, v3"
        )
        rgb = np.frombuffer(bytes(self._rgb), np.uint8).reshape(-1, 3)
        vertices = np.array(self._vertices).reshape(-1, 3)
        return _Object(vertices, faces.reshape(-1, 3).astype(np.int64), rgb, self._coloured, self._parts)

    def _rgb_of(self, triangle: ET.Element) -> _Rgb | None:
        group, index = triangle.get("pid") or self._open.get("pid"), triangle.get("p1") or self._open.get("pindex")
        colours = self._colours.get(group or "", [])
        number = int(index) if index is not None and index.isdigit() and len(index) < 9 else -1
        return colours[number] if 0 <= number < len(colours) else None

    def _numbers(self, element: ET.Element, names: tuple[str, ...]) -> list[float]:
        try:
            return [float(element.attrib[name]) for name in names]
        except (KeyError, ValueError) as error:
            tag = element.tag.rpartition("}")[2]
            problem = f"{dict(element.attrib)} does not have the numbers {list(names)}"
            raise ValueError(f"{self._path}: {tag}: {problem}") from error

    def _matrix(self, element: ET.Element) -> Array:
        """(4, 4) from the twelve numbers of 3MF, which multiply row vectors."""
        text = element.get("transform")
        if text is None:
            return np.eye(4)
        try:
            values = np.array([float(word) for word in text.split()])
        except ValueError as error:
            raise ValueError(f"{self._path}: transform: {text[:60]!r} is not twelve numbers") from error
        fine = values.shape == (12,) and bool(np.isfinite(values).all())
        require(fine, f"{self._path}: transform: {text[:60]!r} is not twelve finite numbers")
        T = np.eye(4)
        T[:3] = values.reshape(4, 3).T
        return T

    def _built(self) -> tuple[Array, NDArray[np.int64], Image | None, float]:
        items = self._items or [(id, np.eye(4)) for id in self._objects]
        total = sum(self._count(id, {}, 0) for id, _ in items)
        require(total <= MAX_FACES, f"{self._path}: faces: {total} with all components; valid: at most {MAX_FACES}")
        pieces: list[tuple[Array, NDArray[np.int64], Image, bool]] = []
        for id, T in items:
            self._place(id, T, pieces)
        require(bool(pieces), f"{self._path}: mesh is empty: it has no faces")
        starts = np.cumsum([0] + [len(piece[0]) for piece in pieces])
        faces = np.concatenate([piece[1] + start for piece, start in zip(pieces, starts, strict=False)])
        rgb = np.concatenate([piece[2] for piece in pieces]) if any(piece[3] for piece in pieces) else None
        return np.concatenate([piece[0] for piece in pieces]), faces, rgb, _UNITS[self._unit]

    def _count(self, id: str, known: dict[str, int], depth: int) -> int:
        require(id in self._objects, f"{self._path}: objectid: {id!r} is not an object of the file")
        require(depth <= MAX_DEPTH, f"{self._path}: components: nested over {MAX_DEPTH} deep, or in a circle")
        if id not in known:
            thing = self._objects[id]
            known[id] = len(thing.faces) + sum(self._count(part, known, depth + 1) for part, _ in thing.parts)
            # an object without faces still costs a visit each time it is used
            known[id] += 1 if thing.parts else 0
        return known[id]

    def _place(self, id: str, T: Array, pieces: list[tuple[Array, NDArray[np.int64], Image, bool]]) -> None:
        thing = self._objects[id]
        if len(thing.faces):
            require(
                thing.faces.min() >= 0 and thing.faces.max() < len(thing.vertices),
                f"{self._path}: triangle: object {id!r} names a vertex that is not there",
            )
            faces = thing.faces[:, ::-1] if np.linalg.det(T[:3, :3]) < 0 else thing.faces
            pieces.append((thing.vertices @ T[:3, :3].T + T[:3, 3], faces, thing.rgb, thing.coloured))
        for part, T_part in thing.parts:
            self._place(part, T @ T_part, pieces)


def _colour(element: ET.Element) -> _Rgb:
    attributes: Mapping[str, str] = element.attrib
    text = (attributes.get("displaycolor") or attributes.get("color") or "").lstrip("#")
    try:
        return (int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16))
    except ValueError:
        return PLAIN

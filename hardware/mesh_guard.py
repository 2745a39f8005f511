"""Looks at a mesh file before a reader does, so that a hostile one costs a message and not the machine's memory.

Every count that a header claims is held against the bytes that are there. All errors are ValueError naming the file
and the field.
"""

import re
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from PIL import Image as Pictures

from hardware.types import require

MAX_BYTES = 256 * 1024 * 1024
MAX_FACES = 2_000_000
MAX_TEXTURE_PIXELS = 50_000_000
MAX_ENTRIES, MAX_UNPACKED = 1000, 256 * 1024 * 1024
MAX_LINE = 1 << 20
_HEADER_BYTES = 64 * 1024
_STL_HEAD, _STL_FACE = 84, 50
_SCALARS = {
    "char": 1, "int8": 1, "uchar": 1, "uint8": 1, "short": 2, "int16": 2, "ushort": 2, "uint16": 2,
    "int": 4, "int32": 4, "uint": 4, "uint32": 4, "float": 4, "float32": 4, "double": 8, "float64": 8,
}  # fmt: skip


def guard(path: Path) -> None:
    """Raise ValueError where a mesh file claims more than it holds, or holds more than a tool's mesh can need."""
    size = path.stat().st_size
    require(size > 0, f"{path}: mesh is empty: the file has no bytes")
    require(size <= MAX_BYTES, f"{path}: size: {size} bytes; valid: at most {MAX_BYTES}")
    check = {".stl": _stl, ".ply": _ply, ".obj": _obj, ".3mf": _package}.get(path.suffix.lower())
    if check is not None:
        check(path, size)


def is_binary_stl(path: Path) -> bool:
    """Return whether an STL's length is what its count of faces says; text STL has no such count."""
    with path.open("rb") as file:
        head = file.read(_STL_HEAD)
    return (
        len(head) == _STL_HEAD and path.stat().st_size == _STL_HEAD + _STL_FACE * struct.unpack("<I", head[80:])[0]
    )


def _stl(path: Path, size: int) -> None:
    with path.open("rb") as file:
        head = file.read(_STL_HEAD)
        if is_binary_stl(path):
            _few(path, struct.unpack("<I", head[80:])[0])
            return
        start = head + file.read(4096)
        if start.lstrip()[:5].lower() == b"solid" and (b"facet" in start.lower() or b"endsolid" in start.lower()):
            _few(path, _count(file, re.compile(rb"endfacet", re.IGNORECASE), start))
            return
    require(len(head) == _STL_HEAD, f"{path}: mesh: {size} bytes are too few for an STL file")
    claimed = struct.unpack("<I", head[80:])[0]
    room = (size - _STL_HEAD) // _STL_FACE
    raise ValueError(f"{path}: faces: the header says {claimed}, the file has room for {room}; is it cut off?")


def _ply(path: Path, size: int) -> None:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    head, found, _ = start.partition(b"end_header")
    require(start[:3] == b"ply" and bool(found), f"{path}: header: no PLY header within {_HEADER_BYTES} bytes")
    text = b"format ascii" in head
    room = size - len(head)
    for name, count, least in _ply_elements(path, head.decode("ascii", "replace")):
        need = count * (least[1] if text else least[0])
        require(count >= 0, f"{path}: {name}: {count} is negative")
        require(need <= room, f"{path}: {name}: the header says {count}, the file has room for less")
        _few(path, count // 2 if name == "vertex" else count)


def _ply_elements(path: Path, head: str) -> list[tuple[str, int, tuple[int, int]]]:
    """Name, count and least bytes a row (binary, text) of every element of a PLY header."""
    found: list[tuple[str, int, tuple[int, int]]] = []
    for line in head.splitlines():
        words = line.split()
        if words[:1] == ["element"]:
            numbered = len(words) == 3 and words[2].lstrip("-").isdigit() and len(words[2]) < 20
            require(numbered, f"{path}: header: {line[:60]!r} is no element with a count")
            found.append((words[1], int(words[2]), (0, 0)))
        elif words[:1] == ["property"] and found:
            kind = words[2] if words[1:2] == ["list"] and len(words) > 2 else (words[1] if len(words) > 1 else "")
            require(kind in _SCALARS, f"{path}: header: {line[:60]!r} has an unknown type; valid: {list(_SCALARS)}")
            name, count, (binary, text) = found[-1]
            found[-1] = (name, count, (binary + _SCALARS[kind], text + 2))
    return found


def _obj(path: Path, _size: int) -> None:
    with path.open("rb") as file:
        _few(path, _count(file, re.compile(rb"^[ \t]*f[ \t]", re.MULTILINE)))
    for library in _named(path, "mtllib"):
        require(library.is_file(), f"{path}: mtllib: {library.name} is not beside the mesh")
        require(library.stat().st_size <= MAX_LINE, f"{library}: size: over {MAX_LINE} bytes")
        for picture in _named(library, "map_Kd"):
            require(picture.is_file(), f"{library}: map_Kd: {picture.name} is not beside the mesh")
            _picture(picture)


def _named(path: Path, key: str) -> list[Path]:
    """Files that lines of a text file name after a key; ValueError where one lies elsewhere."""
    files = []
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            if not line.lstrip().startswith(key.encode()):
                continue
            words = line.decode("utf-8", "replace").split(maxsplit=1 if key == "mtllib" else -1)
            if len(words) > 1 and words[0] == key:
                name = words[-1].strip()
                beside = (path.parent / name).resolve().is_relative_to(path.parent.resolve())
                require(beside, f"{path}: {key}: {name!r} is not beside the mesh or in a folder there")
                files.append(path.parent / name)
    return files


def _picture(path: Path) -> None:
    try:
        with Pictures.open(path) as picture:
            pixels = picture.width * picture.height
    except Exception as error:  # the readers of the formats raise whatever they trip over
        raise ValueError(f"{path}: texture: cannot be read ({type(error).__name__}: {error})") from error
    require(pixels <= MAX_TEXTURE_PIXELS, f"{path}: texture: {pixels} pixels; valid: at most {MAX_TEXTURE_PIXELS}")


def _package(path: Path, _size: int) -> None:
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(f"{path}: package: is no 3MF package ({error})") from error
    require(len(entries) <= MAX_ENTRIES, f"{path}: package: {len(entries)} files; valid: at most {MAX_ENTRIES}")
    unpacked = sum(entry.file_size for entry in entries)
    require(unpacked <= MAX_UNPACKED, f"{path}: package: {unpacked} bytes unpacked; valid: at most {MAX_UNPACKED}")


def _few(path: Path, faces: int) -> None:
    require(faces <= MAX_FACES, f"{path}: faces: {faces}; valid: at most {MAX_FACES}")


def _count(file: BinaryIO, pattern: re.Pattern[bytes], start: bytes = b"") -> int:
    """Count matches in the rest of a file, a block of whole lines at a time."""
    found, rest = 0, start
    while block := file.read(1 << 22):
        whole, _, rest = (rest + block).rpartition(b"\n")
        found += len(pattern.findall(whole))
        require(len(rest) <= (1 << 24), f"{file.name}: mesh: a line of over 16 MB")
    return found + len(pattern.findall(rest))

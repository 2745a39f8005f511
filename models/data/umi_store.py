"""Zarr version 2 arrays in a zip file, as UMI keeps its data: read within limits, written row by row.

Source: the Zarr storage specification, version 2 (zarr-specs, docs/v2/v2.0.rst). Written with the standard library
and the codecs alone, so that a file of others is never given to a codec that it was not checked for.
"""

import json
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from models.data.errors import DreamFileError
from models.data.exchange import MAX_PIXELS, guarded

MAX_CHUNK = 2**28
MAX_READ, MAX_ACROSS = 3 * MAX_PIXELS, 10_000
MAX_MEMBERS = 20_000_000
MAX_JSON = 2**20
JPEG_XL = {"id": "imagecodecs_jpegxl", "level": 99, "numthreads": 1}
ZLIB = {"id": "zlib", "level": 1}
_BLOSC, _JXL = "blosc", "imagecodecs_jpegxl"
_DECODERS = (_BLOSC, _JXL, "zlib", "gzip", "zstd", "lz4", "bz2", "lzma")


@dataclass(frozen=True)
class ArrayInfo:
    """shape, chunks: of an array; dtype: as numpy writes it; codec: id of its compressor, "" for none."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: str
    codec: str
    fill: float
    separator: str


class ZarrZip:
    """A zip file of Zarr arrays. Everything raises DreamFileError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._zip = guarded(path, lambda: zipfile.ZipFile(path))
        try:
            members = self._zip.infolist()
            if len(members) > MAX_MEMBERS:
                raise DreamFileError(path, "zip", f"{len(members)} members", f"at most {MAX_MEMBERS}")
            self._members = {info.filename: info for info in members}
            self.root = _root(path, self._members)
        except BaseException:
            self._zip.close()
            raise

    def close(self) -> None:
        self._zip.close()

    def names(self, group: str) -> list[str]:
        """Return the arrays of a group."""
        begin = f"{self.root}{group}/"
        found = (name.removeprefix(begin) for name in self._members if name.startswith(begin))
        return sorted({name.removesuffix("/.zarray") for name in found if name.endswith("/.zarray")})

    def attributes(self) -> Mapping[str, object]:
        return self._json(".zattrs") if f"{self.root}.zattrs" in self._members else {}

    def info(self, name: str) -> ArrayInfo:
        """Return what an array is, checked."""
        told = self._json(f"{name}/.zarray")
        try:
            shape = tuple(int(v) for v in told["shape"])  # type: ignore[attr-defined]
            chunks = tuple(int(v) for v in told["chunks"])  # type: ignore[attr-defined]
            dtype = np.dtype(str(told["dtype"]))
            compressor = told.get("compressor") or {}
            codec = str(compressor.get("id", "")) if isinstance(compressor, Mapping) else "?"
            fill = float(told.get("fill_value") or 0)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._wrong(name, f"is described wrongly ({error})", "a Zarr version 2 array") from error
        fits = len(shape) == len(chunks) and 0 < len(shape) <= 4 and all(v >= 0 for v in shape) and all(
            v > 0 for v in chunks
        )  # fmt: skip
        size = int(np.prod(chunks, dtype=object)) * dtype.itemsize
        if told.get("zarr_format") != 2 or not fits or dtype.kind not in "fiub" or size > MAX_CHUNK:
            raise self._wrong(
                name, f"shape {shape}, chunks {chunks} of {dtype}", "numbers in chunks of up to 256 MB"
            )
        if told.get("order", "C") != "C" or told.get("filters") or (codec and codec not in _DECODERS):
            raise self._wrong(
                name, f"is coded with {codec or 'filters'}", f"one of {_DECODERS}, order C, no filters"
            )
        separator = str(told.get("dimension_separator", "."))
        return ArrayInfo(shape, chunks, dtype.str, codec, fill, separator if separator in "./" else ".")

    def read(self, name: str, first: int = 0, last: int | None = None) -> NDArray[np.generic]:
        """Return rows first..last-1 of an array, all without them."""
        info = self.info(name)
        last = info.shape[0] if last is None else min(last, info.shape[0])
        shape = (max(0, last - first), *info.shape[1:])
        across = [-(-n // c) for n, c in zip(info.shape[1:], info.chunks[1:], strict=True)]
        if np.prod(shape, dtype=object) > MAX_READ or np.prod(across, dtype=object) > MAX_ACROSS:
            raise self._wrong(
                name,
                f"has shape {shape} in chunks of {info.chunks}",
                f"at most {MAX_READ} numbers, {MAX_ACROSS} chunks a row",
            )
        whole = np.full(shape, info.fill, info.dtype)
        if 0 in shape:
            return whole
        for row in range(first // info.chunks[0], (last - 1) // info.chunks[0] + 1):
            for rest in np.ndindex(*across):
                self._place(whole, self._chunk(name, info, (row, *rest)), (row, *rest), info, first)
        return whole

    def _place(
        self,
        whole: NDArray[np.generic],
        chunk: NDArray[np.generic] | None,
        at: Sequence[int],
        info: ArrayInfo,
        first: int,
    ) -> None:
        if chunk is None:
            return
        begins = [k * c for k, c in zip(at, info.chunks, strict=True)]
        begins[0] -= first
        target = tuple(slice(max(0, b), b + c) for b, c in zip(begins, info.chunks, strict=True))
        room = whole[target].shape
        skip = max(0, -begins[0])
        whole[target] = chunk[(slice(skip, skip + room[0]), *(slice(0, n) for n in room[1:]))]

    def _chunk(self, name: str, info: ArrayInfo, at: Sequence[int]) -> NDArray[np.generic] | None:
        """Return a chunk, None where it was never written."""
        member = f"{self.root}{name}/{info.separator.join(map(str, at))}"
        if member not in self._members:
            return None
        size = int(np.prod(info.chunks)) * np.dtype(info.dtype).itemsize
        data = self._member(member, size + size // 2 + 4096)

        def decode() -> NDArray[np.generic]:
            if info.codec == _JXL:
                return _jpeg_xl(data, info)
            plain = _plain(data, info.codec, size)
            if len(plain) != size:
                raise ValueError(f"{len(plain)} bytes, not {size}")
            return np.frombuffer(plain, info.dtype).reshape(info.chunks)

        try:
            return decode()
        except Exception as error:
            raise self._wrong(
                name, f"chunk {list(at)} cannot be decoded ({str(error)[:80]})", "whole data"
            ) from error

    def _json(self, name: str) -> Mapping[str, object]:
        member = f"{self.root}{name}"
        if member not in self._members:
            raise self._wrong(name, "is missing", "a UMI data set")
        found = guarded(self.path, lambda: json.loads(self._member(member, MAX_JSON)))
        if not isinstance(found, Mapping):
            raise self._wrong(name, "is no object", "an object")
        return found

    def _member(self, member: str, most: int) -> bytes:
        """Return a file of the zip; a bomb is not unpacked further than it may be large."""

        def read() -> bytes:
            with self._lock, self._zip.open(self._members[member]) as file:
                return file.read(most + 1)

        data = guarded(self.path, read)
        if len(data) > most:
            raise self._wrong(member, f"over {most} bytes", f"at most {most}")
        return data

    def _wrong(self, name: str, problem: str, valid: str) -> DreamFileError:
        return DreamFileError(self.path, name, problem, valid)


class ZarrWriter:
    """Writes Zarr arrays into a new zip file, rows in order. Everything raises OSError."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._put(".zgroup", b'{"zarr_format": 2}')

    def group(self, name: str) -> None:
        self._put(f"{name}/.zgroup", b'{"zarr_format": 2}')

    def attributes(self, values: Mapping[str, object]) -> None:
        self._put(".zattrs", json.dumps(values, ensure_ascii=False).encode())

    def numbers(self, name: str, values: NDArray[np.generic]) -> None:
        """Write an array of numbers (N, ..) as one chunk for every 100,000 rows."""
        step = min(max(1, len(values)), 100_000)
        self._describe(name, values.shape, (step, *values.shape[1:]), values.dtype.str, ZLIB)
        for k in range(-(-len(values) // step)):
            rows = np.zeros((step, *values.shape[1:]), values.dtype)
            part = values[k * step : (k + 1) * step]
            rows[: len(part)] = part
            at = ".".join(map(str, (k, *(0,) * (values.ndim - 1))))
            self._put(f"{name}/{at}", bytes(imagecodecs.zlib_encode(rows.tobytes(), level=1)))

    def picture(self, name: str, number: int, rgb: NDArray[np.uint8]) -> None:
        """Write one picture (H, W, 3) as a chunk of its own."""
        self._put(f"{name}/{number}.0.0.0", bytes(imagecodecs.jpegxl_encode(rgb, level=99, numthreads=1)))

    def pictures(self, name: str, shape: tuple[int, int, int, int]) -> None:
        """Describe an array of pictures (N, H, W, 3) that `picture` wrote."""
        self._describe(name, shape, (1, *shape[1:]), "|u1", JPEG_XL)

    def close(self) -> None:
        self._zip.close()

    def _describe(
        self, name: str, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: str, codec: Mapping[str, object]
    ) -> None:
        told = {
            "zarr_format": 2,
            "shape": list(shape),
            "chunks": list(chunks),
            "dtype": dtype,
            "compressor": dict(codec),
            "fill_value": 0,
            "order": "C",
            "filters": None,
        }
        self._put(f"{name}/.zarray", json.dumps(told).encode())

    def _put(self, name: str, data: bytes) -> None:
        # one time for all: the same demos give the same file
        self._zip.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def _root(path: Path, members: Mapping[str, zipfile.ZipInfo]) -> str:
    """Return where the arrays lie in the zip: "" or a folder's name with its /."""
    found = [
        name.removesuffix("meta/episode_ends/.zarray")
        for name in members
        if name.endswith("meta/episode_ends/.zarray")
    ]
    if not found:
        raise DreamFileError(path, "meta/episode_ends", "is missing", "a UMI data set (zarr.zip, Zarr version 2)")
    return min(found, key=len)


def _plain(data: bytes, codec: str, size: int) -> bytes:
    """Unpack into exactly size bytes of room."""
    if not codec:
        return data
    decode = getattr(imagecodecs, f"{codec}_decode")
    if codec == _BLOSC and int.from_bytes(data[4:8], "little") != size:
        raise ValueError("its length is another one than the array's")
    if codec == "lz4":
        return bytes(decode(data[4:], out=size))
    return bytes(decode(data, out=size))


def _jpeg_xl(data: bytes, info: ArrayInfo) -> NDArray[np.generic]:
    size = jpeg_xl_size(data)
    if size is not None and size != (info.chunks[-2], info.chunks[-3]):
        raise ValueError(f"a picture of {size}")
    return np.asarray(imagecodecs.jpegxl_decode(data)).reshape(info.chunks).astype(info.dtype, copy=False)


def jpeg_xl_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) that a JPEG-XL codestream begins with (ISO/IEC 18181-1, A.3), None for a container."""
    if data[:2] != b"\xff\x0a":
        return None
    bits = _Bits(data[2:16])
    small = bits.take(1)
    height = 8 * (1 + bits.take(5)) if small else 1 + bits.take((9, 13, 18, 30)[bits.take(2)])
    ratio = bits.take(3)
    if ratio:
        up, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
        return height * up // down, height
    return (8 * (1 + bits.take(5)) if small else 1 + bits.take((9, 13, 18, 30)[bits.take(2)])), height


class _Bits:
    """Bits from the least on."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        found = self._value & ((1 << count) - 1)
        self._value >>= count
        return found

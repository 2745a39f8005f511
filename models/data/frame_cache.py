"""Decoded pictures on the disk: plain bytes with a checksum each, bounded in size, lost at no harm.

    CACHE/ab/abcdef....frames    one shard: the pictures of one camera of one demo, in one form

A shard is sparse: what was never asked for takes no room. A picture's bytes are written before its row of the
table, so a killed writer leaves none half done; each row holds a checksum, so a picture that a power cut, a bad
disk or another program changed is noticed, told and decoded again. Many processes may read and write at once.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import struct
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import require
from models.data.demo import Demo

SUFFIX = ".frames"
_MAGIC = b"DDFRAMES"
_HEAD = struct.Struct("<8sHHI32s")  # magic, width, height, slots, key; its checksum follows
_HEADER_SIZE = _HEAD.size + 4
_ROW = struct.Struct("<II")  # checksum of the picture and its own complement: of zeros no row is made
_PAGE = 4096
_NEARLY = 0.9  # of the bound: what is left after old shards are taken away
_ABANDONED_S = 600.0

log = logging.getLogger(__name__)


def frames_key(demo: Demo, stream: str, form: str) -> str:
    """Return the name (64 hexadecimal digits) of a camera's pictures in one form.

    It changes with the content, with the piece of the recording that the demo shows, and with the form.
    """
    source = demo.source
    content = source.get("sha256") or _stamp(Path(source.get("path", "")))
    digest = hashlib.sha256(json.dumps([content, demo.id, stream, form]).encode())
    digest.update(np.round(demo.times(stream) * 1e6).astype("<i8").tobytes())
    return digest.hexdigest()


def _stamp(path: Path) -> str:
    """Where no checksum is known: which file, how long, and when it was changed."""
    try:
        found = path.stat()
    except OSError:
        return str(path)
    return f"{path} {found.st_size} {found.st_mtime_ns}"


class FrameCache:
    """A folder of shards. Every method is safe in several threads and processes."""

    def __init__(self, folder: Path, largest_bytes: int) -> None:
        """largest_bytes: what it may take of the disk; a little more while a shard is filled. Raises OSError."""
        require(largest_bytes > 0, f"cache: {largest_bytes} bytes; valid: over 0")
        self.folder, self.largest_bytes = folder, largest_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._since_look = largest_bytes  # so that the first writing looks
        self._told = False

    def open(self, key: str, slots: int, size: tuple[int, int]) -> "Shard":
        """Return a shard, made where there is none; size (width, height) of its pictures. One that cannot be used
        is replaced; where the disk does not let us, an empty one comes back that keeps nothing."""
        path = self.folder / key[:2] / (key + SUFFIX)
        header = _header(key, slots, size)
        try:
            handle = _opened(path, header)
            if handle < 0:
                _create(path, header, slots)
                handle = _opened(path, header)
            os.utime(path)  # the time of the last use: the oldest go first
        except OSError as error:
            self._tell(error)
            handle = -1
        return Shard(self, path, handle, slots, size)

    def used_bytes(self) -> int:
        """Return what the shards take of the disk."""
        return sum(found.st_blocks * 512 for _, found in self._shards())

    def trim(self, to_bytes: int | None = None) -> int:
        """Take the shards away that were not used for longest until the rest fits; return how many went."""
        bound = self.largest_bytes if to_bytes is None else to_bytes
        with open(self.folder / ".trim", "wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return 0  # another process is at it
            self._sweep()
            rows = sorted(self._shards(), key=lambda row: row[1].st_mtime_ns)
            used = sum(found.st_blocks * 512 for _, found in rows)
            gone = 0
            for path, found in rows if used > bound else ():
                # whoever reads it goes on reading: the name alone is gone
                path.unlink(missing_ok=True)
                used -= found.st_blocks * 512
                gone += 1
                if used <= _NEARLY * bound:
                    break
        return gone

    def written(self, count: int) -> None:
        """A shard took so many bytes: look at the bound now and then, not at every picture."""
        self._since_look += count
        if self._since_look > self.largest_bytes // 20:
            self._since_look = 0
            try:
                self.trim()
            except OSError as error:
                self._tell(error)

    def _shards(self) -> list[tuple[Path, os.stat_result]]:
        rows = []
        for path in self.folder.glob(f"*/*{SUFFIX}"):
            try:
                rows.append((path, path.stat()))
            except FileNotFoundError:  # another process took it away
                continue
        return rows

    def _sweep(self) -> None:
        """Take away what a process left that was killed while it made a shard."""
        for part in self.folder.glob("*/.*.part"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _ABANDONED_S:
                    part.unlink()

    def _tell(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            log.warning("%s: pictures cannot be kept (%s); they are decoded each time", self.folder, error)


class Shard:
    """The pictures of one camera of one demo, by their place in its times."""

    def __init__(self, cache: FrameCache, path: Path, handle: int, slots: int, size: tuple[int, int]) -> None:
        self._cache, self._path, self._handle, self._slots = cache, path, handle, slots
        self._bytes = size[0] * size[1] * 3
        self._first = _first(slots)

    def __enter__(self) -> "Shard":
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def read(self, slot: int, out: NDArray[np.uint8]) -> bool:
        """Fill out (h, w, 3) with a picture; False where it is not here, or not as it was written."""
        require(0 <= slot < self._slots, f"{self._path.name}: picture {slot}; valid: 0 to {self._slots - 1}")
        if self._handle < 0:
            return False
        row = os.pread(self._handle, _ROW.size, _HEADER_SIZE + slot * _ROW.size)
        checksum, complement = _ROW.unpack(row) if len(row) == _ROW.size else (0, 0)
        if checksum ^ complement != 0xFFFFFFFF:
            if checksum or complement:
                self._spoilt(slot)
            return False
        whole = os.preadv(self._handle, [out.data], self._first + slot * self._bytes) == self._bytes
        if not whole or zlib.crc32(out.data) != checksum:
            self._spoilt(slot)
            return False
        return True

    def write(self, slot: int, picture: NDArray[np.uint8]) -> None:
        """Keep a picture (h, w, 3). A disk that is full costs the cache, not the caller."""
        require(0 <= slot < self._slots, f"{self._path.name}: picture {slot}; valid: 0 to {self._slots - 1}")
        if self._handle < 0:
            return
        checksum = zlib.crc32(picture.data)
        try:
            done = os.pwrite(self._handle, picture.data, self._first + slot * self._bytes)
            if done == self._bytes:
                row = _ROW.pack(checksum, checksum ^ 0xFFFFFFFF)
                os.pwrite(self._handle, row, _HEADER_SIZE + slot * _ROW.size)
        except OSError as error:
            self._cache._tell(error)
            return
        self._cache.written(done)

    def _spoilt(self, slot: int) -> None:
        log.warning("%s: picture %d is not as it was written; it is decoded again", self._path, slot)


def _header(key: str, slots: int, size: tuple[int, int]) -> bytes:
    require(len(key) == 64, f"cache: key {key!r}; valid: 64 hexadecimal digits")
    require(0 < slots < 2**32 and min(size) > 0 and max(size) < 2**16, f"cache: {slots} pictures of {size}")
    head = _HEAD.pack(_MAGIC, *size, slots, bytes.fromhex(key))
    return head + struct.pack("<I", zlib.crc32(head))


def _first(slots: int) -> int:
    """Where the first picture begins: behind header and table, at a page."""
    return -(-(_HEADER_SIZE + slots * _ROW.size) // _PAGE) * _PAGE


def _opened(path: Path, header: bytes) -> int:
    """Return a handle of the shard, -1 where there is none that fits."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return -1
    if os.pread(handle, len(header), 0) == header:
        return handle
    os.close(handle)
    log.warning("%s: it is not what its name says; it is made anew", path)
    return -1


def _create(path: Path, header: bytes, slots: int) -> None:
    """Put an empty shard there in one step; two who do so at once both end with one of the two."""
    path.parent.mkdir(exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        os.pwrite(handle, header, 0)
        os.ftruncate(handle, _first(slots))
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)

"""How recordings reach the disk: append, sync, rename. One small layer, so that a test can cut the power."""

import hashlib
import os
from pathlib import Path
from typing import Protocol

from hardware.whole_file import write_whole


class LogFile(Protocol):
    """A file that is only appended to."""

    def write(self, data: bytes) -> int: ...

    def tell(self) -> int: ...

    def flush(self) -> None: ...

    def sync(self) -> None:
        """Return when everything written so far outlives a power cut."""
        ...

    def close(self) -> None: ...

    @property
    def sha256(self) -> str:
        """Of everything written so far."""
        ...


class Files:
    """The disk as it is. Everything raises OSError."""

    def create(self, path: Path) -> LogFile:
        """Make a new file, its name on the disk; FileExistsError where there is one."""
        file = DiskFile(path)
        self.sync_folder(path.parent)
        return file

    def write_whole(self, path: Path, data: str | bytes) -> None:
        """Write a file that is on the disk whole or not at all; `sync_folder` then makes its name last."""
        write_whole(path, data)

    def make_folder(self, path: Path) -> None:
        """Make a folder, and those above it, and bring their names to the disk."""
        missing = [path, *(p for p in path.parents if not p.exists())]
        path.mkdir(parents=True, exist_ok=True)
        for made in missing:
            self.sync_folder(made.parent)

    def rename(self, source: Path, target: Path) -> None:
        """Move in one step. Where target is a folder with something in it: OSError."""
        os.rename(source, target)
        self.sync_folder(target.parent)
        if source.parent != target.parent:
            self.sync_folder(source.parent)

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in a folder outlive a power cut."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class DiskFile:
    """A log file on the disk. No buffer of ours: what was written survives the death of the program."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115 - closed by close()
        self._hash = hashlib.sha256()
        self._length = 0

    def write(self, data: bytes) -> int:
        """Append all of data."""
        view = memoryview(data)
        while view:
            written = self._file.write(view) or 0
            self._hash.update(view[:written])
            self._length += written
            view = view[written:]
        return len(data)

    def tell(self) -> int:
        return self._length

    def flush(self) -> None:
        """Nothing is held back."""

    def sync(self) -> None:
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

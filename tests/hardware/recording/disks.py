"""Disks for tests: one that loses what was not synced when the power goes, and one that fills up."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from hardware.recording.files import DiskFile, Files, LogFile


class PowerCut(Exception):
    """The power went just before an operation."""


class CuttableDisk(Files):
    """Knows what would outlive a power cut: file contents at their last sync, folder entries at theirs."""

    def __init__(self, operations: int) -> None:
        """operations: how many reach the disk before the power goes."""
        self._left = operations
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        self.used = 0

    def step(self) -> None:
        self.used += 1
        if self.used > self._left:
            raise PowerCut

    def create(self, path: Path) -> LogFile:
        self.step()
        file = _CuttableFile(path, self.step, self._synced)
        self._contents[_inode(path)] = b""
        self.sync_folder(path.parent)
        return file

    def write_whole(self, path: Path, data: str | bytes) -> None:
        self.step()
        super().write_whole(path, data)
        self._synced(path)

    def rename(self, source: Path, target: Path) -> None:
        self.step()
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        self.step()
        self._names[_inode(folder)] = {entry.name: entry.inode() for entry in os.scandir(folder)}
        for entry in os.scandir(folder):
            if entry.is_dir():
                self._contents.pop(entry.inode(), None)  # of a file that is no more
                # a rename is one entry in the journal: what has arrived has also left
                for other, names in self._names.items():
                    if other != _inode(folder):
                        self._names[other] = {n: i for n, i in names.items() if i != entry.inode()}

    def survive(self, root: Path, target: Path) -> None:
        """Rebuild below target what is left of root after the cut."""
        self._rebuild(_inode(root), target)

    def _synced(self, path: Path) -> None:
        self._contents[_inode(path)] = path.read_bytes()

    def _rebuild(self, folder: int, target: Path) -> None:
        target.mkdir(exist_ok=True)
        for name, inode in self._names.get(folder, {}).items():
            if inode in self._contents:
                (target / name).write_bytes(self._contents[inode])
            else:
                self._rebuild(inode, target / name)


class _CuttableFile(DiskFile):
    def __init__(self, path: Path, step: Callable[[], None], synced: Callable[[Path], None]) -> None:
        super().__init__(path)
        self._path, self._step, self._synced = path, step, synced

    def sync(self) -> None:
        self._step()
        self._synced(self._path)


class FullDisk(Files):
    """A disk that says no: after `room` more bytes of recording, or to every whole file while `refuses` is set."""

    def __init__(self, room: int, number: int = errno.ENOSPC) -> None:
        self.room, self.number, self.refuses = room, number, False

    def create(self, path: Path) -> LogFile:
        return _FullFile(path, self)

    def write_whole(self, path: Path, data: str | bytes) -> None:
        if self.refuses:
            raise self.error()
        super().write_whole(path, data)

    def error(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))


class _FullFile(DiskFile):
    def __init__(self, path: Path, disk: FullDisk) -> None:
        super().__init__(path)
        self._disk = disk

    def write(self, data: bytes) -> int:
        room = max(0, self._disk.room)
        if len(data) > room:
            super().write(data[:room])
            self._disk.room = 0
            raise self._disk.error()
        self._disk.room -= len(data)
        return super().write(data)


def _inode(path: Path) -> int:
    return path.stat().st_ino

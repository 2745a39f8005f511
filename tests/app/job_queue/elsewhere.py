"""A place where jobs run that has no processes."""

from pathlib import Path

from app.jobs.backend import Handle
from app.jobs.kinds import KindRow
from app.jobs.types import Gpu, Machine, Usage


class Elsewhere:
    """A place where jobs run: what any backend must give, in memory."""

    def __init__(self, gpus: int = 0) -> None:
        self.running: dict[Path, str] = {}
        self.started: list[str] = []
        self.killed: list[Handle] = []
        self.refuses: OSError | None = None
        self._gpus = tuple(Gpu(str(k), "GPU", 80 * 2**30, 0) for k in range(gpus))

    def machine(self) -> Machine:
        return Machine(8, 0.0, 2**34, 2**33, self._gpus)

    def start(self, folder: Path, row: KindRow, gpu: str) -> Handle | None:
        if self.refuses is not None:
            raise self.refuses
        self.running[folder] = gpu
        self.started.append(folder.name)
        return {"name": folder.name, "gpu": gpu}

    def alive(self, folder: Path) -> bool:
        return folder in self.running

    def exit_status(self, handle: Handle) -> int | None:
        return None if any(folder.name == handle["name"] for folder in self.running) else -9

    def kill(self, handle: Handle) -> None:
        self.killed.append(handle)
        self.running = {f: gpu for f, gpu in self.running.items() if f.name != handle["name"]}

    @property
    def killed_names(self) -> list[object]:
        return [handle["name"] for handle in self.killed]

    def usage(self, handle: Handle) -> Usage | None:
        return None

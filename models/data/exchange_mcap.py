"""Demos as MCAP files of their own: trimmed, with labels and tracked poses inside, for viewers of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.data.demo import Demo
from models.data.exchange import Cancelled, Progress, stop_if
from models.data.exchange_session import write_mcap


@dataclass(frozen=True)
class McapReport:
    """What an export holds."""

    episodes: int
    files: tuple[str, ...]


def export_mcap(demos: Sequence[Demo], folder: Path, progress: Progress, cancelled: Cancelled) -> McapReport:
    """Write each demo as folder/NNNNNN.mcap; those of an earlier, killed call are kept.

    Raises DreamFileError, EpisodeFileError, OSError, ExchangeStopped.
    """
    names = []
    for k, demo in enumerate(demos):
        stop_if(cancelled)
        progress(k / len(demos), f"episode {k + 1} of {len(demos)}")
        path = folder / f"{k + 1:06d}.mcap"
        names.append(path.name)
        if path.exists():
            continue
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        write_mcap(demo, part, {"episode": demo.id, "task": demo.labels.task}, cancelled, viewing=True)
        part.rename(path)
    return McapReport(len(demos), tuple(names))

"""Files spoilt at random: reading one works, or is refused with its name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.data.errors import DreamFileError


def spoil(path: Path, read: Callable[[], object], rounds: int, seed: int, *, reach: int = 2**40) -> None:
    """Cut the file short or change some bytes of its first `reach`, again and again, and read; at the end it is
    whole again."""
    whole, rng = path.read_bytes(), np.random.default_rng(seed)
    for _ in range(rounds):
        spoilt = bytearray(whole)
        at = int(rng.integers(0, min(len(spoilt), reach)))
        if rng.random() < 0.3:
            del spoilt[at:]
        else:
            span = min(int(rng.integers(1, 24)), len(spoilt) - at)
            spoilt[at : at + span] = rng.bytes(span)
        path.write_bytes(spoilt)
        problem = problem_of(read)
        assert not problem or path.anchor in problem, problem
    path.write_bytes(whole)
    read()


def problem_of(read: Callable[[], object]) -> str:
    """Return why reading is refused, "" where it is not."""
    try:
        read()
    except DreamFileError as error:
        return str(error)
    return ""

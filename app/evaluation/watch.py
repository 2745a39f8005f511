"""How long each stage of a step takes."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Watch:
    """Adds up seconds by stage."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """[s] by stage, in the order in which they came."""
        return {name: round(seconds, 3) for name, seconds in self._seconds.items()}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.monotonic() - began

"""Planned against measured while the arms move: joint error and tip speed of each arm."""

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtWidgets import QWidget

from widgets.views.types import ArmHistory, HistorySource


class HistoryRing:
    """The newest samples of one arm in a fixed buffer."""

    def __init__(self, capacity: int = 12_000) -> None:
        self._data = np.zeros((capacity, 4))
        self._count = 0

    def push(self, t: float, error: float, planned: float, measured: float) -> None:
        """Add a sample: t [s], largest joint error [rad], planned and measured tip speed [m/s]."""
        self._data[self._count % len(self._data)] = t, error, planned, measured
        self._count += 1

    def history(self) -> ArmHistory:
        """Return the samples kept, oldest first."""
        n = len(self._data)
        rows = self._data[: self._count] if self._count <= n else np.roll(self._data, -(self._count % n), axis=0)
        return ArmHistory(*rows.copy().T)


class LiveCurves(QWidget):
    """Two plots an arm, pulled from a source by a timer while visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: HistorySource | None = None

    def set_source(self, source: HistorySource | None) -> None:
        """Pull samples from here; None freezes the curves."""
        self._source = source

    def show_arms(self, arms: Sequence[str], error_limit: float, speed_limit: Mapping[str, float]) -> None:
        """Lay out the plots: following error limit [rad], tip speed limit by arm [m/s]."""

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there are no arms or samples."""

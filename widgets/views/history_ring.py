"""The newest samples of one arm in a fixed buffer, and a decimation that keeps the peaks. Pure numpy."""

import numpy as np

from hardware.geometry import Array
from widgets.views.types import ArmHistory


class HistoryRing:
    """A ring of samples; pushing never allocates."""

    def __init__(self, capacity: int = 12_000) -> None:
        self._data = np.zeros((capacity, 4))
        self._count = 0

    def __len__(self) -> int:
        """Samples kept."""
        return min(self._count, len(self._data))

    def push(self, t: float, error: float, planned: float, measured: float) -> None:
        """Add a sample: t [s], largest joint error [rad], planned and measured tip speed [m/s]."""
        self._data[self._count % len(self._data)] = t, error, planned, measured
        self._count += 1

    def clear(self) -> None:
        """Forget all samples."""
        self._count = 0

    def history(self) -> ArmHistory:
        """Return the samples kept, oldest first."""
        n = len(self._data)
        rows = self._data[: self._count] if self._count <= n else np.roll(self._data, -(self._count % n), axis=0)
        t, error, planned, measured = rows.T.copy()
        return ArmHistory(t, error, planned, measured)


def decimate(t: Array, value: Array, points: int) -> tuple[Array, Array]:
    """Return about `points` of the samples (N,): the least and the greatest of each stretch, so peaks stay."""
    stride = 2 * len(t) // max(points, 2)
    if stride < 2:
        return t, value
    rows = -(-len(t) // stride)
    padded = np.pad(value, (0, rows * stride - len(t)), mode="edge").reshape(rows, stride)
    low = np.nan_to_num(padded, nan=np.inf).argmin(axis=1)
    high = np.nan_to_num(padded, nan=-np.inf).argmax(axis=1)
    starts = np.arange(rows) * stride
    keep = np.unique(np.minimum(np.concatenate([starts + low, starts + high, [len(t) - 1]]), len(t) - 1))
    return t[keep], value[keep]

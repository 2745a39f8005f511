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
    n = len(t) // stride
    head = value[: n * stride].reshape(n, stride)
    # the newest samples, less than a stretch, are kept as they are
    low, high = np.nan_to_num(head, nan=np.inf).argmin(axis=1), np.nan_to_num(head, nan=-np.inf).argmax(axis=1)
    at = np.sort(np.stack([low, high], axis=1), axis=1) + np.arange(n)[:, None] * stride
    keep = np.concatenate([at.ravel(), np.arange(n * stride, len(t))])
    return t[keep], value[keep]

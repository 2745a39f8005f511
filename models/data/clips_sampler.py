"""In which order clips are drawn: the same for the same seed, every clip as often as every other of its dataset."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hardware.types import require


class EpochSampler:
    """Draws numbers that count through all datasets (as `Mixed` and a loader's `sampler` take them).

    lengths: clips of each dataset; weights: their shares of the draws, None: as long as they are. An epoch is
    `draws` draws over all shards, as many as there are clips unless told otherwise. Each dataset is gone through in
    a new order each time before any of its clips comes again. One shard of `shards` takes every shards-th draw; an
    epoch is filled up so that all have equally many. Iterating goes through the rest of an epoch and sets the next;
    `state` is small, plain, the same for all shards, and continues exactly, in another number of shards too.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        seed: int = 0,
        weights: Sequence[float] | None = None,
        draws: int | None = None,
        shard: int = 0,
        shards: int = 1,
    ) -> None:
        shares = np.asarray(lengths if weights is None else weights, float)
        fine = len(shares) == len(lengths) and bool((shares >= 0).all()) and bool(np.isfinite(shares).all())
        require(
            fine and shares.sum() > 0, f"sampler: weights {weights} of {len(lengths)} datasets; valid: 0 and more"
        )
        empty = [i for i, n in enumerate(lengths) if n == 0 and shares[i] > 0]
        require(
            not empty and min(lengths) >= 0, f"sampler: datasets {empty} hold no clip; valid: weight 0 for them"
        )
        require(0 <= shard < shards, f"sampler: shard {shard} of {shards}")
        self.lengths, self.seed, self.shard, self.shards = tuple(int(n) for n in lengths), seed, shard, shards
        wanted = sum(lengths) if draws is None else draws
        require(wanted > 0, f"sampler: {wanted} draws; valid: 1 and more")
        self._counts = _shared_out(wanted, shares / shares.sum())
        self._total, self.epoch, self._drawn = wanted, 0, 0

    def __len__(self) -> int:
        """Draws of this shard in an epoch."""
        return -(-self._total // self.shards)

    def __iter__(self) -> Iterator[int]:
        """Yield this shard's part of what is left of the epoch; after the last the next epoch is set."""
        order = self.order(self.epoch)
        while self._drawn < self._total:
            at = self._drawn + self.shard
            self._drawn += self.shards
            yield int(order[at % self._total])
        self.epoch, self._drawn = self.epoch + 1, 0

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return all draws (draws,) of an epoch, of all shards."""
        rng = np.random.default_rng([self.seed, 1, epoch])
        which = rng.permutation(np.repeat(np.arange(len(self.lengths)), self._counts))
        offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        drawn = np.empty(len(which), np.int64)
        for d, count in enumerate(self._counts):
            drawn[which == d] = offsets[d] + self._drawn_from(d, epoch * count, count)
        return drawn

    def _drawn_from(self, dataset: int, first: int, count: int) -> NDArray[np.int64]:
        """Return draws first .. first + count of a dataset, counted from the beginning of training."""
        length, out = self.lengths[dataset], np.empty(count, np.int64)
        done = 0
        while done < count:
            turn, at = divmod(first + done, length)
            part = _order(self.seed, dataset, turn, length)[at : at + count - done]
            out[done : done + len(part)] = part
            done += len(part)
        return out

    @property
    def state(self) -> dict[str, int]:
        """Where it stands: JSON values. Of a loader that fetches ahead, `after` says where training stands."""
        return {"seed": self.seed, "epoch": self.epoch, "drawn": self._drawn, "draws": self._total}

    def after(self, count: int) -> dict[str, int]:
        """Return the state after `count` draws of all shards together from the beginning of training."""
        epoch, drawn = divmod(count, -(-self._total // self.shards) * self.shards)
        return {"seed": self.seed, "epoch": epoch, "drawn": drawn, "draws": self._total}

    def restore(self, state: Mapping[str, int]) -> None:
        """Go on from a state. Raises ValueError where it is of another seed or length."""
        for name, mine in (("seed", self.seed), ("draws", self._total)):
            require(state.get(name) == mine, f"sampler: {name}: the state's is {state.get(name)}; valid: {mine}")
        epoch, drawn = state.get("epoch", -1), state.get("drawn", -1)
        require(epoch >= 0 and drawn >= 0, f"sampler: epoch {epoch}, drawn {drawn}; valid: 0 and more")
        self.epoch, self._drawn = epoch, drawn


@lru_cache(maxsize=16)
def _order(seed: int, dataset: int, turn: int, length: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, 2, dataset, turn]).permutation(length)


def _shared_out(draws: int, shares: NDArray[np.float64]) -> tuple[int, ...]:
    """Return whole numbers in these shares that add up (largest remainder)."""
    exact = draws * shares
    counts = np.floor(exact).astype(int)
    left = draws - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
    return tuple(counts.tolist())

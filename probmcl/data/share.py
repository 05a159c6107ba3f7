"""Which part of every batch a process loads, when several processes train together."""

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import cast

from torch.utils.data import BatchSampler, Sampler

from probmcl import _check


@dataclass(frozen=True)
class Share:
    """One process among several: its part of anything that is counted.

    The parts of all ranks follow each other without gap or overlap, and differ by one at most.

    Attributes:
        rank: number of this process, from 0.
        ranks: number of processes; 1 shares with nobody.

    >>> [Share(rank, 3).of(8) for rank in range(3)]
    [slice(0, 2, None), slice(2, 5, None), slice(5, 8, None)]
    """

    rank: int = 0
    ranks: int = 1

    def __post_init__(self) -> None:
        _check.count("ranks", self.ranks)
        if _check.count("rank", self.rank, low=0) >= self.ranks:
            raise ValueError(f"rank: expected one below the {self.ranks} ranks, got {self.rank}")

    def of(self, count: int) -> slice:
        """Return which of ``count`` things belong to this rank."""
        return slice(self.rank * count // self.ranks, (self.rank + 1) * count // self.ranks)


class SharedBatches(BatchSampler):
    """The batches of one process, of which each rank takes its share: none is repeated, none left out.

    All ranks draw the same order when their samplers are seeded alike, and joined rank by rank their shares
    are the batch that one process would have loaded. (``DistributedSampler`` repeats or drops images until
    every rank has as many as the others, and its joined batches are others than those of one process.)
    ``batch_size`` and ``drop_last`` are of joined batches.

    >>> [list(SharedBatches(range(7), 4, drop_last=False, share=Share(rank, 2))) for rank in range(2)]
    [[[0, 1], [4]], [[2, 3], [5, 6]]]
    """

    def __init__(
        self, sampler: Sampler[int] | range, batch_size: int, *, drop_last: bool, share: Share
    ) -> None:
        super().__init__(sampler, batch_size, drop_last)
        self.share = share

    def __iter__(self) -> Iterator[list[int]]:
        shares = (batch[self.share.of(len(batch))] for batch in super().__iter__())
        return filter(None, shares)  # a last batch of fewer images than ranks has no image for some of them

    def __len__(self) -> int:
        left = range(len(cast(Sized, self.sampler)) % self.batch_size)
        no_share = not self.drop_last and len(left) > 0 and not left[self.share.of(len(left))]
        return super().__len__() - int(no_share)

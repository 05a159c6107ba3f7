"""How long runs have taken, how long the rest will take, and whether one more fits into the budget."""

import time
from statistics import fmean

from probmcl import _check


class Clock:
    """The time of many runs.

    ``budget`` is in hours from now, None for no end; ``runs`` counts the finished ones as well.

    >>> clock = Clock(0.01, runs=3)  # 36 seconds
    >>> clock.ran("bce", 20.0)
    >>> clock.allows("bce"), clock.position
    (True, '[2/3]')
    >>> clock.ran("bce", 60.0)  # 40 seconds on average: the third would not end in time
    >>> clock.allows("bce"), clock.left
    (False, 1)
    """

    def __init__(self, budget: float | None, runs: int) -> None:
        self.budget = None if budget is None else 3600 * _check.number("budget", budget, low=0.0)
        self.runs, self.done, self.timed = runs, 0, 0
        self.stopped = False
        self.seconds: dict[str, list[float]] = {}
        self.begin = time.perf_counter()

    @property
    def left(self) -> int:
        """Runs that are not finished."""
        return self.runs - self.done

    @property
    def position(self) -> str:
        """The number of the run that comes next."""
        return f"[{self.done + 1}/{self.runs}]"

    @property
    def outlook(self) -> str:
        """About how long the rest takes, in words."""
        found = [second for seconds in self.seconds.values() for second in seconds]
        return (
            f"{self.left} left, about {self.left * fmean(found) / 60:.0f} min" if found else "no time known"
        )

    def ran(self, kind: str, seconds: float) -> None:
        """Note a run that was made now."""
        self.timed += 1
        self.skipped(kind, seconds)

    def skipped(self, kind: str, seconds: float) -> None:
        """Note a run that was found finished; its time helps to foretell others."""
        self.done += 1
        self.seconds.setdefault(kind, []).append(seconds)

    def allows(self, kind: str) -> bool:
        """Whether one more run of a kind would probably end in time; after the first that would not, none.

        A kind that has not run yet is expected to take as long as the slowest that has; with no run at all,
        the first is started if any time is left.
        """
        if self.budget is None:
            return True
        known = {name: fmean(seconds) for name, seconds in self.seconds.items()}
        expected = known.get(kind, max(known.values(), default=0.0))
        self.stopped |= time.perf_counter() - self.begin + expected >= self.budget
        return not self.stopped

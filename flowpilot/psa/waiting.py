"""How long to wait, for what. Randomness comes in, so that tests know it."""

from collections.abc import Callable
from datetime import timedelta

Randomness = Callable[[], float]  # 0 ≤ x < 1

# How long a ticket system may still commit what timed out here; longer than its own time-outs.
SETTLE = timedelta(minutes=5)
# Longer than all exchanges of one send together may take.
LEASE = timedelta(minutes=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
# Until a person has entered other keys, now and then one push tries whether these do again.
HOLD = timedelta(minutes=15)
SHORTEST_HOLD = timedelta(seconds=10)
SWEEP_AFTER = timedelta(minutes=30)
SWEEP_AGAIN = timedelta(hours=1)
SWEEP_AT_MOST = timedelta(days=7)


def pause(failures: int, random: Randomness) -> timedelta:
    """Before the next try, after so many that failed: up to 1 minute, 2, 4 … 6 hours. All of the span is random, so
    that what failed together does not come back together."""
    doublings = min(max(failures - 1, 0), 20)
    longest: timedelta = min(FIRST_PAUSE * int(2**doublings), LONGEST_PAUSE)
    return longest * random()

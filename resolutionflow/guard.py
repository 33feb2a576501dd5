"""Ends the supervisor's children when the supervisor itself was killed and could not do it.

Runs as a process of its own (`python -m resolutionflow.guard`). Its standard input is a pipe from the supervisor that
tells which process groups live (`+123`) and which ended (`-123`). When the pipe closes, the supervisor is gone.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

GRACE_SECONDS = 5


def main(lines: Iterable[str]) -> None:
    groups: set[int] = set()
    for line in lines:
        change, group = line[0], int(line[1:])
        if change == "+":
            groups.add(group)
        else:
            groups.discard(group)
    tell(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while any(group_lives(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.1)
    tell(groups, signal.SIGKILL)


def group_lives(group: int) -> bool:
    """Whether any process of the group exists, one that nobody has waited for included."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def tell(groups: Iterable[int], number: signal.Signals) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


if __name__ == "__main__":
    main(sys.stdin)

"""A process whose children deliver and are killed, for `test_killed_workers`.

It starts one child after the other, each of which prints its process id, delivers until nothing is due and ends. The
time is now plus the seconds in a file. A child that was killed is followed by the next one at once.
"""

import os
import random
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import django
import httpx


def main(database, account_id, clock_file, seed):
    django.setup()
    from django.conf import settings
    from django.utils import timezone

    from flowpilot.psa.connections import provider_of
    from flowpilot.psa.delivery import Means, deliver

    settings.DATABASES["default"]["NAME"] = database
    # Made once for all children, and without certificates, whose reading takes as long as a child lives.
    http = httpx.Client(transport=httpx.HTTPTransport(verify=False), trust_env=False, timeout=10)

    def clock():
        return timezone.now() + timedelta(seconds=float(Path(clock_file).read_text() or 0))

    means = Means(clock, random.Random(seed).random, partial(provider_of, http=http))
    while True:
        child = os.fork()
        if child == 0:
            sys.stdout.write(f"{os.getpid()}\n")
            sys.stdout.flush()
            deliver(UUID(account_id), means, most=1000)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and status:
            sys.exit("A child failed by itself.")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""One at a time in an account: the job, the command and several workers wait for each other."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from resolutionflow.accounts.models import Account


@contextmanager
def locked_account(account: Account) -> Iterator[None]:
    """A transaction in which nobody else analyses the account. What it reads was committed by whoever held it before;
    the lock ends with the transaction, however that ends."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(account)])
        yield


def lock_key(account: Account) -> int:
    digest = hashlib.sha256(b"analysis of account " + account.id.bytes).digest()
    return int.from_bytes(digest[:8], signed=True)

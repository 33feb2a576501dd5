"""Loads the incident log, as an operator would import it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction

from operations.importing.running import Options, prepare
from operations.importing.shifting import Shift
from resolutionflow.accounts.models import Account, Role, User

SAMPLE = Path(__file__).parent / "incident_log.csv.gz"
NEWEST_OPENING = datetime(2016, 5, 31, 20, 55, tzinfo=UTC)  # of the sample
SLUG, NAME = "incident-log", "Incident log"
TEAM_ADMIN_EMAIL, TEAM_ADMIN_NAME = "team.admin@incident-log.invalid", "Team admin"
ENGINEER_EMAIL = "resolver-194@incident-log.invalid"  # made by the import: a busy person of the log


def is_loaded(account: Account) -> bool:
    """Whether the load was not broken off: the engineer's password is set last."""
    engineer = account.users.filter(email=ENGINEER_EMAIL).first()
    return bool(engineer and engineer.has_usable_password())


def load(
    account: Account | None, *, password_hash: str, now: datetime, progress: Callable[[int, int], None]
) -> str:
    """Makes what is missing of it; a load that was broken off is completed. `progress` takes bytes and all bytes."""
    account = account or _new_account(password_hash, now)
    options = Options(format="servicenow", shift_to_now=True)
    job = prepare(account, SAMPLE, options, now=now, keep_rejected=False)
    job.run(lambda position: progress(position, job.source.size))
    engineer = account.users.get(email=ENGINEER_EMAIL)
    engineer.password = password_hash
    engineer.save(update_fields=["password"])
    return str(job.summary)


@transaction.atomic
def _new_account(password_hash: str, now: datetime) -> Account:
    shift = Shift.to(now, NEWEST_OPENING)  # known: the import need not read the file twice
    account = Account.objects.create(name=NAME, slug=SLUG, import_shift=shift.stored())
    User.objects.create(
        email=TEAM_ADMIN_EMAIL,
        password=password_hash,
        name=TEAM_ADMIN_NAME,
        account=account,
        role=Role.TEAM_ADMIN,
    )
    return account

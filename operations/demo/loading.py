"""Loads the demo account, as an operator would import a log."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.db import transaction

from operations.demo import logins
from operations.importing.faults import Unusable
from operations.importing.report import Summary
from operations.importing.running import Options, prepare
from operations.removing import remove_account
from resolutionflow.accounts.models import Account, Role, User

SAMPLE = Path(__file__).parent / "incident_log.csv.gz"


def demo_account() -> Account | None:
    """The demo's account, None if there is none. Raises Unusable if somebody else's account bears its slug."""
    account = Account.objects.filter(slug=logins.ACCOUNT_SLUG).first()
    if account and not account.users.filter(email=logins.TEAM_ADMIN_EMAIL).exists():
        raise Unusable(f"The account {logins.ACCOUNT_SLUG} is not the demo's; it is left alone.")
    return account


def is_loaded(account: Account) -> bool:
    """Whether the demo is complete: the engineer's password is set last."""
    engineer = account.users.filter(email=logins.ENGINEER_EMAIL).first()
    return bool(engineer and engineer.has_usable_password())


def remove_demo() -> None:
    if account := demo_account():
        remove_account(account)


def load_demo(*, password: str, now: datetime, progress: Callable[[int, int], None]) -> Summary:
    """Makes what is missing of the demo; a load that was broken off is completed.

    `progress` takes the bytes done and their total. Raises Unusable if somebody else's account bears the demo's slug.
    """
    account = demo_account() or _new_account(password)
    options = Options(format="servicenow", shift_to_now=True)
    job = prepare(account, SAMPLE, options, now=now, keep_rejected=False)
    job.run(lambda position: progress(position, job.source.size))
    engineer = account.users.get(email=logins.ENGINEER_EMAIL)
    engineer.set_password(password)
    engineer.save(update_fields=["password"])
    return job.summary


@transaction.atomic
def _new_account(password: str) -> Account:
    if User.objects.filter(email__in=[email for _, email, _ in logins.DEMO_LOGINS]).exists():
        raise Unusable("A user outside of the demo has the email of a demo login.")
    account = Account.objects.create(name=logins.ACCOUNT_NAME, slug=logins.ACCOUNT_SLUG)
    User.objects.create_user(
        logins.TEAM_ADMIN_EMAIL,
        password,
        name=logins.TEAM_ADMIN_NAME,
        account=account,
        role=Role.TEAM_ADMIN,
    )
    return account
